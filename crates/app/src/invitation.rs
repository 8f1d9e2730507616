//! Invitations: bring people in without learning their password. Single use, expiring, hashed.

use std::time::Duration;

use async_trait::async_trait;
use fractal_api_types::{
    AcceptInvitation, CreateInvitation, InvitationView, NewInvitation, Page, PageQuery, ProblemCode,
};
use fractal_crypto::{Token, TokenHash, TokenKind};
use fractal_policy::{Action, Resource};
use fractal_store::{Invitation, Tx, User, invitations};
use fractal_types::{BrowserSessionId, InvitationId, Principal, Role, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    App, ClientInfo, Context, Error, Result,
    change::{Change, Door, check, submit},
    lookup::{page_of, page_request},
    session::{self, SignedIn, Tries, password},
    user::{NewPerson, check_room},
};

const DEFAULT_DAYS: u32 = 7;
const MOST_DAYS: u32 = 30;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn view_of(row: Invitation) -> InvitationView {
    InvitationView {
        id: row.id,
        role: row.role,
        username: row.username,
        created_at: row.created_at,
        expires_at: row.expires_at,
        used_at: row.used_at,
    }
}

fn resource_of(row: &Invitation) -> Resource {
    Resource::Invitation {
        id: Some(row.id),
        organization: row.organization_id,
        role: row.role,
    }
}

/// Invitations, newest first; those taken back are left out, so a page may be shorter than asked for.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &PageQuery) -> Result<Page<InvitationView>> {
    let organization = cx.actor.organization_id;
    app.require(
        cx,
        Action::InvitationList,
        &Resource::Organization(organization),
    )?;
    let mut rows =
        invitations::list(&app.store.read(), organization, &page_request(query)?).await?;
    rows.items.retain(|row| row.revoked_at.is_none());
    Ok(page_of(rows, view_of))
}

/// Invites somebody. The link is shown this once; its secret stands in the fragment, which browsers do not send.
///
/// # Errors
///
/// Names the field that breaks its rule; `conflict` when the runtime cannot keep several people apart; see [`submit`].
pub async fn create(app: &App, cx: &Context, body: CreateInvitation) -> Result<NewInvitation> {
    let days = body.expires_in_days.unwrap_or(DEFAULT_DAYS);
    check(
        (1..=MOST_DAYS).contains(&days),
        "/expires_in_days",
        "must be 1 to 30",
    )?;
    let (now, token) = (
        app.clock.now(),
        Token::generate(TokenKind::Invitation, &*app.entropy),
    );
    let row = Invitation {
        id: app.new_id(),
        organization_id: cx.actor.organization_id,
        token_hash: token.hash(),
        role: body.role.unwrap_or(Role::Member),
        username: body.username,
        created_by: cx.user_id()?,
        created_at: now,
        expires_at: now.after(DAY * days),
        used_at: None,
        used_by: None,
        revoked_at: None,
    };
    submit(app, cx, Create { row: row.clone() }).await?;
    let secret = format!("/invitation#{}", token.secret().expose_secret());
    Ok(NewInvitation {
        invitation: view_of(row),
        secret,
    })
}

struct Create {
    row: Invitation,
}

#[async_trait]
impl Change for Create {
    type Output = ();

    fn action(&self) -> Action {
        Action::InvitationCreate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        let (organization, role) = (self.row.organization_id, self.row.role);
        Ok(Resource::Invitation {
            id: None,
            organization,
            role,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        check_room(door.app, door.tx).await?;
        invitations::insert(door.tx, &self.row).await?;
        door.made(self.row.id);
        door.note("role", self.row.role.as_str());
        Ok(())
    }
}

/// Takes an open invitation back.
///
/// # Errors
///
/// `conflict` when it was used; see [`submit`].
pub async fn revoke(app: &App, cx: &Context, id: InvitationId) -> Result<()> {
    submit(
        app,
        cx,
        Revoke {
            id,
            now: app.clock.now(),
        },
    )
    .await
}

struct Revoke {
    id: InvitationId,
    now: Timestamp,
}

#[async_trait]
impl Change for Revoke {
    type Output = ();

    fn action(&self) -> Action {
        Action::InvitationRevoke
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = invitations::find(tx, self.id)
            .await?
            .filter(|row| row.revoked_at.is_none());
        Ok(resource_of(&row.ok_or_else(Error::not_found)?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        if !invitations::revoke(door.tx, self.id, self.now).await? {
            return Err(Error::conflict("this invitation was used")
                .remedy("suspend or delete the account instead"));
        }
        Ok(())
    }
}

/// Accepts an invitation: makes the account and signs in. Of several at once exactly one succeeds.
///
/// # Errors
///
/// `invitation-refused` for one that is unknown, used, revoked or expired, without saying which; `too-many-attempts`; names the
/// field that breaks its rule, and then the invitation stays open.
pub async fn accept(
    app: &App,
    token: Option<&SecretString>,
    body: AcceptInvitation,
    client: &ClientInfo,
) -> Result<SignedIn> {
    let attempt = Tries::Invitation
        .begin(app, client.address, &client.address.to_string())
        .await?;
    let hash = token
        .and_then(|text| Token::parse_kind(text.expose_secret(), TokenKind::Invitation).ok())
        .map(|token| token.hash());
    let hash = hash.ok_or_else(refused)?;
    // Looked up before the password is hashed, so that a stranger cannot have us hash.
    let row = open_invitation(&app.store.read(), hash, app.clock.now()).await?;
    // The token was right; whoever fumbles with the rule for passwords does not guess tokens.
    attempt.take_back(app).await?;
    let password_hash =
        password::hash(app, "/password", body.password, body.username.as_str()).await?;
    let person = NewPerson::new(
        app,
        body.username,
        body.display_name,
        row.role,
        Some(password_hash),
    );
    let change = Accept {
        hash,
        person,
        client: client.clone(),
        now: app.clock.now(),
    };
    let mut cx = Context::system(app.organization_id);
    cx.actor.via = session::browser(app, Principal::System).actor.via;
    let (user, opened) = submit(app, &cx, change).await?;
    session::signed_in(app, &user, opened).await
}

fn refused() -> Error {
    Error::new(ProblemCode::InvitationRefused)
        .detail("this invitation is unknown, used, taken back or over")
        .remedy("ask for a new one")
}

async fn open_invitation(
    db: &dyn fractal_store::Reads,
    hash: TokenHash,
    now: Timestamp,
) -> Result<Invitation> {
    let row = invitations::find_by_hash(db, hash).await?;
    row.filter(|row| row.used_at.is_none() && row.revoked_at.is_none() && now < row.expires_at)
        .ok_or_else(refused)
}

struct Accept {
    hash: TokenHash,
    person: NewPerson,
    client: ClientInfo,
    now: Timestamp,
}

#[async_trait]
impl Change for Accept {
    type Output = (User, (BrowserSessionId, SecretString));

    fn action(&self) -> Action {
        Action::UserCreate
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = open_invitation(tx, self.hash, self.now).await?;
        Ok(Resource::User {
            id: None,
            organization: row.organization_id,
            role: row.role,
            becomes: None,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Self::Output> {
        let row = open_invitation(door.tx, self.hash, self.now).await?;
        if row
            .username
            .as_ref()
            .is_some_and(|fixed| *fixed != self.person.username)
        {
            return Err(Error::field(
                "/username",
                "must be the name the invitation is for",
            ));
        }
        check_room(door.app, door.tx).await?;
        let user = self.person.insert(door).await?;
        if !invitations::redeem(door.tx, row.id, user.id, self.now).await? {
            return Err(refused());
        }
        door.note("invitation", row.id.to_string());
        let opened = session::open(door.app, door.tx, &user, &self.client, "invitation").await?;
        Ok((user, opened))
    }
}
