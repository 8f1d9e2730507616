//! People, as administrators manage them.
//!
//! Rules that hold whatever the policies say: one active owner stays; nobody changes their own role, suspends or deletes
//! themselves; the breakglass account stays an active owner.
//!
//! Suspending reaches everything at once: sessions, tokens, streams and turns end, and what runs goes to sleep.

mod admit;
mod delete;
mod erase;

use async_trait::async_trait;
use fractal_api_types::{CreateUser, Page, PageQuery, ResetPassword, UpdateUser, UserView};
use fractal_policy::{Action, Resource};
use fractal_store::{
    Instance, PageRequest, Reads, Tx, User, api_tokens, browser_sessions, credentials, instances,
    users::{self, Surroundings},
};
use fractal_types::{CredentialId, Label, Role, Timestamp, UserId, WantedState};

pub(crate) use admit::{NewPerson, check_room};
pub use delete::{delete, finish_deletion};
pub use erase::erase;

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
    instance,
    lookup::{page_of, page_request, user_resource},
    session::{Revoked, password},
};

fn view_of(row: User, around: Surroundings) -> UserView {
    let ways = [(around.password, "password"), (around.oidc, "oidc")];
    UserView {
        id: row.id,
        username: row.username,
        display_name: row.display_name.to_string(),
        role: row.role,
        active: row.active,
        breakglass: row.breakglass,
        sign_in: ways
            .iter()
            .filter(|(has, _)| *has)
            .map(|(_, way)| (*way).to_owned())
            .collect(),
        instances: around.instances,
        created_at: row.created_at,
        last_seen_at: row.last_seen_at,
    }
}

/// The person, unless they are being deleted.
async fn existing(db: &dyn Reads, id: UserId) -> Result<User> {
    users::find(db, id)
        .await?
        .filter(|row| !delete::is_leaving(row))
        .ok_or_else(Error::not_found)
}

async fn seen(app: &App, row: User) -> Result<UserView> {
    let around = users::surroundings(&app.store.read(), &[row.id]).await?;
    let around = around.get(&row.id).copied().unwrap_or_default();
    Ok(view_of(row, around))
}

/// Everybody, newest first. A page may be shorter than asked for, because people who are being deleted are left out.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &PageQuery) -> Result<Page<UserView>> {
    let organization = cx.actor.organization_id;
    app.require(cx, Action::UserList, &Resource::Organization(organization))?;
    let read = app.store.read();
    let mut rows = users::list(&read, organization, &page_request(query)?).await?;
    rows.items.retain(|row| !delete::is_leaving(row));
    let ids: Vec<UserId> = rows.items.iter().map(|row| row.id).collect();
    let around = users::surroundings(&read, &ids).await?;
    Ok(page_of(rows, |row| {
        let around = around.get(&row.id).copied().unwrap_or_default();
        view_of(row, around)
    }))
}

/// One person.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, id: UserId) -> Result<UserView> {
    let row = existing(&app.store.read(), id).await?;
    app.require(cx, Action::UserView, &user_resource(&row))?;
    seen(app, row).await
}

/// Makes an account with a password.
///
/// # Errors
///
/// Names the field that breaks its rule; `conflict` when the runtime cannot keep several people apart; see [`submit`].
pub async fn create(app: &App, cx: &Context, body: CreateUser) -> Result<UserView> {
    let role = body.role.unwrap_or(Role::Member);
    let organization = cx.actor.organization_id;
    let future = Resource::User {
        id: None,
        organization,
        role,
        becomes: None,
    };
    // Hashing costs a lot, so only those who may create get it; the door decides again and records a refusal.
    let hash = if app.may(cx, Action::UserCreate, &future) {
        Some(password::hash(app, "/password", body.password, body.username.as_str()).await?)
    } else {
        None
    };
    let person = NewPerson::new(app, body.username, body.display_name, role, hash);
    let row = submit(app, cx, Create { person }).await?;
    seen(app, row).await
}

struct Create {
    person: NewPerson,
}

#[async_trait]
impl Change for Create {
    type Output = User;

    fn action(&self) -> Action {
        Action::UserCreate
    }

    async fn resource(&self, _tx: &Tx, cx: &Context) -> Result<Resource> {
        let organization = cx.actor.organization_id;
        Ok(Resource::User {
            id: None,
            organization,
            role: self.person.role,
            becomes: None,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<User> {
        // Without a hash the account could never be used; that happens only when a policy changed in this very moment.
        if self.person.password_hash.is_none() {
            return Err(Error::conflict("the policies changed meanwhile").remedy("try again"));
        }
        check_room(door.app, door.tx).await?;
        self.person.insert(door).await
    }
}

/// Changes a name or role, suspends or lets back in.
///
/// # Errors
///
/// `conflict` when a rule of the module stands against it; see [`submit`].
pub async fn update(app: &App, cx: &Context, id: UserId, body: UpdateUser) -> Result<UserView> {
    let suspends = body.active == Some(false);
    let row = submit(
        app,
        cx,
        Update {
            id,
            body,
            now: app.clock.now(),
        },
    )
    .await?;
    // What is open looks at a new role by itself: streams end and come back with it, turns go on if it lets them.
    if suspends {
        app.sessions.end(Revoked::User(id));
    } else {
        app.sessions.refresh(id);
    }
    seen(app, row).await
}

struct Update {
    id: UserId,
    body: UpdateUser,
    now: Timestamp,
}

#[async_trait]
impl Change for Update {
    type Output = User;

    fn action(&self) -> Action {
        if self.body.role.is_some() {
            Action::UserSetRole
        } else {
            Action::UserUpdate
        }
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = existing(tx, self.id).await?;
        Ok(Resource::User {
            id: Some(row.id),
            organization: row.organization_id,
            role: row.role,
            becomes: self.body.role,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<User> {
        let old = users::get(door.tx, self.id).await?;
        if self.body.role.is_some()
            && (self.body.display_name.is_some() || self.body.active.is_some())
        {
            // One door, one action; the other part of the change needs its own permission.
            door.app
                .require(door.cx, Action::UserUpdate, &user_resource(&old))?;
        }
        let row = User {
            display_name: self
                .body
                .display_name
                .clone()
                .unwrap_or_else(|| old.display_name.clone()),
            role: self.body.role.unwrap_or(old.role),
            active: self.body.active.unwrap_or(old.active),
            updated_at: self.now,
            ..old.clone()
        };
        let oneself = door.cx.actor.user_id() == Some(self.id);
        if row.role != old.role {
            refuse_if(oneself, "nobody changes their own role")?;
            refuse_if(old.breakglass, "the breakglass account stays an owner")?;
        }
        if row.active != old.active {
            // Being told here is better than finding out at the next sign-in.
            refuse_if(oneself, "nobody suspends themselves")?;
            refuse_if(old.breakglass, "the breakglass account stays active")?;
        }
        if !(row.role == Role::Owner && row.active) {
            keep_an_owner(door.tx, &old).await?;
        }
        users::update(door.tx, &row).await?;
        if !row.active {
            revoke_everything(door.tx, self.id, self.now).await?;
        }
        if row.active != old.active {
            self.set_instances(door, &row).await?;
        }
        door.note("display_name", row.display_name.as_str());
        door.note("role", row.role.as_str());
        door.note("active", row.active);
        Ok(row)
    }
}

impl Update {
    /// What runs for somebody who is suspended goes to sleep. Once they are let back in, a chat wakes it, and so does an
    /// appointment; what was awake counts as having one at once, because nobody knows its timers any more.
    async fn set_instances(&self, door: &Door<'_>, user: &User) -> Result<()> {
        for row in instances_of(door.tx, user).await? {
            if !user.active && row.wanted == WantedState::Running {
                instance::suspend(door, row, self.now).await?;
            } else {
                door.wake(row.id);
            }
        }
        Ok(())
    }
}

/// Everything that is somebody's and not gone.
async fn instances_of(tx: &Tx, user: &User) -> Result<Vec<Instance>> {
    let (mut request, mut rows) = (PageRequest::default(), Vec::new());
    loop {
        let page = instances::list(tx, user.organization_id, Some(user.id), &request).await?;
        rows.extend(page.items);
        request.after = page.next_cursor;
        if request.after.is_none() {
            return Ok(rows);
        }
    }
}

/// Whether this person is there and may do anything at all.
///
/// # Errors
///
/// When the database fails.
pub(crate) async fn is_active(db: &dyn Reads, id: UserId) -> Result<bool> {
    Ok(users::find(db, id).await?.is_some_and(|user| user.active))
}

fn refuse_if(wrong: bool, why: &str) -> Result<()> {
    if wrong {
        return Err(Error::conflict(why).remedy("ask another owner"));
    }
    Ok(())
}

/// Refuses to lose the last active owner.
async fn keep_an_owner(tx: &Tx, row: &User) -> Result<()> {
    if row.role == Role::Owner
        && row.active
        && users::count_active_with_role(tx, row.organization_id, Role::Owner).await? <= 1
    {
        return Err(Error::conflict("this is the last active owner")
            .remedy("make somebody else an owner first"));
    }
    Ok(())
}

async fn revoke_everything(tx: &Tx, id: UserId, now: Timestamp) -> Result<()> {
    browser_sessions::revoke_all(tx, id, None, now).await?;
    api_tokens::revoke_all(tx, id, now).await?;
    Ok(())
}

/// Gives an account a new password; its sessions and tokens end. Whoever does this could sign in as that person, so the person is told
/// who did it and when, until they choose a password of their own.
///
/// # Errors
///
/// Names the broken rule at `/password`; see [`submit`].
pub async fn reset_password(
    app: &App,
    cx: &Context,
    id: UserId,
    body: ResetPassword,
) -> Result<()> {
    let row = existing(&app.store.read(), id).await?;
    if cx.actor.user_id() == Some(id) {
        return Err(Error::conflict("this is your own account")
            .remedy("change your password under Settings / Account, with the present one"));
    }
    let hash = if app.may(cx, Action::UserResetPassword, &user_resource(&row)) {
        Some(password::hash(app, "/password", body.password, row.username.as_str()).await?)
    } else {
        None
    };
    let change = Reset {
        id,
        hash,
        credential_id: app.new_id(),
        now: app.clock.now(),
    };
    submit(app, cx, change).await?;
    app.sessions.end(Revoked::User(id));
    Ok(())
}

struct Reset {
    id: UserId,
    hash: Option<String>,
    credential_id: CredentialId,
    now: Timestamp,
}

#[async_trait]
impl Change for Reset {
    type Output = ();

    fn action(&self) -> Action {
        Action::UserResetPassword
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(user_resource(&existing(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        let Some(hash) = &self.hash else {
            return Err(Error::conflict("the account changed meanwhile").remedy("try again"));
        };
        let by = match door.cx.actor.user_id() {
            Some(id) => users::get(door.tx, id).await?.username.to_string(),
            None => "fractal".to_owned(),
        };
        let id = self.credential_id;
        credentials::set_password(door.tx, id, self.id, hash, self.now, Some((by, self.now)))
            .await?;
        revoke_everything(door.tx, self.id, self.now).await?;
        door.note("password", "reset");
        Ok(())
    }
}

/// A label for people who gave none: their username, which always fits.
pub(crate) fn label_or(username: &fractal_types::Username, label: Option<Label>) -> Result<Label> {
    match label {
        Some(label) => Ok(label),
        None => Ok(username.as_str().parse()?),
    }
}
