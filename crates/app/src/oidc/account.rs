//! From a proven identity to an account: the linked one, the one that is being linked, or a new one.

use async_trait::async_trait;
use fractal_api_types::ProblemCode;
use fractal_identity::oidc::OidcIdentity;
use fractal_policy::{Action, Resource};
use fractal_store::{
    Credential, CredentialKind, IdentityProvider, OidcFlow, Reads, Tx, User, credentials, users,
};
use fractal_types::{BrowserSessionId, CredentialId, Label, Role, Username};
use secrecy::SecretString;

use super::fault::Fault;
use crate::{
    App, ClientInfo, Context, Error, Result,
    change::{Change, Door, submit},
    lookup::user_resource,
    session::{self, SignedIn},
    user::{NewPerson, check_room},
};

/// How many names are tried for a new person before they are asked to be invited.
const NAMES: u32 = 100;

pub(super) async fn enter(
    app: &App,
    provider: &IdentityProvider,
    flow: &OidcFlow,
    identity: OidcIdentity,
    client: &ClientInfo,
    present: Option<BrowserSessionId>,
) -> Result<SignedIn> {
    let read = app.store.read();
    let linked = credentials::find_oidc(&read, &identity.issuer, &identity.subject).await?;
    let (user, opened) = match (flow.link_user_id, linked) {
        (Some(id), Some(linked)) if linked.user_id != id => {
            return Err(Fault::LinkedElsewhere.into());
        }
        (Some(id), None) => {
            let user = users::find(&read, id)
                .await?
                .filter(|user| user.active)
                .ok_or_else(no_account)?;
            // The browser still has the session that began it. Whether that lives is looked at by the door, inside the
            // transaction: whoever ended it, or was suspended, links nothing more.
            let began_in = flow
                .link_session_id
                .filter(|began_in| present == Some(*began_in))
                .ok_or(Fault::LinkOver)?;
            let cx = session::at_browser(&user, Some(began_in));
            let change = Link {
                user,
                identity,
                credential_id: app.new_id(),
                client: client.clone(),
            };
            match submit(app, &cx, change).await {
                Err(error) if error.code == ProblemCode::Unauthenticated => {
                    return Err(Fault::LinkOver.into());
                }
                other => other?,
            }
        }
        (_, Some(linked)) => {
            let entered = app.store.tx("session.sign_in", async |tx: Tx| {
                let user = users::find(&tx, linked.user_id).await?;
                // Suspended people learn no more than strangers.
                let user =
                    user.filter(|user| user.active && user.organization_id == app.organization_id);
                let user = user.ok_or_else(no_account)?;
                let opened = session::open(app, &tx, &user, client, "oidc").await?;
                Ok::<_, Error>((user, opened))
            });
            entered.await?
        }
        (None, None) if provider.auto_provision => {
            let mut cx = Context::system(app.organization_id);
            cx.actor.via = fractal_types::Via::Browser;
            submit(app, &cx, Provision::new(app, identity, client)?).await?
        }
        (None, None) => return Err(no_account()),
    };
    session::signed_in(app, &user, opened).await
}

fn no_account() -> Error {
    Fault::NoAccount.into()
}

type Entered = (User, (BrowserSessionId, SecretString));

async fn link(
    tx: &Tx,
    id: CredentialId,
    user: &User,
    identity: &OidcIdentity,
    app: &App,
) -> Result<()> {
    let row = Credential {
        id,
        user_id: user.id,
        kind: CredentialKind::Oidc,
        secret_hash: None,
        issuer: Some(identity.issuer.clone()),
        subject: Some(identity.subject.clone()),
        created_at: app.clock.now(),
        reset_by: None,
        reset_at: None,
    };
    credentials::insert(tx, &row).await?;
    Ok(())
}

/// Somebody who is signed in adds another way to sign in.
struct Link {
    user: User,
    identity: OidcIdentity,
    credential_id: CredentialId,
    client: ClientInfo,
}

#[async_trait]
impl Change for Link {
    type Output = Entered;

    fn action(&self) -> Action {
        Action::UserUpdate
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let user = users::find(tx, self.user.id)
            .await?
            .filter(|user| user.active);
        Ok(user_resource(&user.ok_or_else(no_account)?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Entered> {
        link(
            door.tx,
            self.credential_id,
            &self.user,
            &self.identity,
            door.app,
        )
        .await?;
        door.note("linked_issuer", self.identity.issuer.as_str());
        let opened = session::open(door.app, door.tx, &self.user, &self.client, "oidc").await?;
        Ok((self.user.clone(), opened))
    }
}

/// A stranger becomes a member, because the provider's settings say so.
struct Provision {
    person: NewPerson,
    identity: OidcIdentity,
    credential_id: CredentialId,
    client: ClientInfo,
}

impl Provision {
    fn new(app: &App, identity: OidcIdentity, client: &ClientInfo) -> Result<Self> {
        let username = username_of(&identity)?;
        let label = identity.name.as_deref().and_then(label_of);
        let person = NewPerson::new(app, username, label, Role::Member, None);
        Ok(Self {
            person,
            identity,
            credential_id: app.new_id(),
            client: client.clone(),
        })
    }
}

#[async_trait]
impl Change for Provision {
    type Output = Entered;

    fn action(&self) -> Action {
        Action::UserCreate
    }

    async fn resource(&self, _tx: &Tx, cx: &Context) -> Result<Resource> {
        let organization = cx.actor.organization_id;
        Ok(Resource::User {
            id: None,
            organization,
            role: Role::Member,
            becomes: None,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Entered> {
        check_room(door.app, door.tx).await?;
        let mut person = self.person.clone();
        person.username = free_name(door.app, door.tx, &person.username).await?;
        let user = person.insert(door).await?;
        link(door.tx, self.credential_id, &user, &self.identity, door.app).await?;
        door.note("issuer", self.identity.issuer.as_str());
        let opened = session::open(door.app, door.tx, &user, &self.client, "oidc").await?;
        Ok((user, opened))
    }
}

/// The name they have at the provider, else the mail address, each up to its `@`, else their name, in the letters a username has.
fn username_of(identity: &OidcIdentity) -> Result<Username> {
    let text = [&identity.username, &identity.email]
        .into_iter()
        .filter_map(|text| text.as_deref()?.split('@').next())
        .find(|text| text.chars().any(|c| c.is_ascii_alphanumeric()))
        .or(identity.name.as_deref())
        .unwrap_or_default();
    let mut name = String::new();
    for c in text.to_lowercase().chars().take(48) {
        let kept = if c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c) {
            c
        } else {
            '-'
        };
        if !name.is_empty() || kept.is_ascii_alphanumeric() {
            name.push(kept);
        }
    }
    let name = if name.is_empty() {
        "person".to_owned()
    } else {
        name
    };
    Ok(name.parse()?)
}

fn label_of(text: &str) -> Option<Label> {
    let text: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
    text.trim().parse().ok()
}

async fn free_name(app: &App, db: &dyn Reads, wanted: &Username) -> Result<Username> {
    for number in 1..=NAMES {
        let name = if number == 1 {
            wanted.clone()
        } else {
            format!("{wanted}-{number}").parse()?
        };
        if users::find_by_username(db, app.organization_id, &name)
            .await?
            .is_none()
        {
            return Ok(name);
        }
    }
    Err(Fault::NoFreeName.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_username_is_made_from_whatever_there_is() {
        let identity =
            |username: Option<&str>, email: Option<&str>, name: Option<&str>| OidcIdentity {
                issuer: "https://id.example".into(),
                subject: "1".into(),
                email: email.map(Into::into),
                email_verified: false,
                name: name.map(Into::into),
                username: username.map(Into::into),
            };
        for (username, email, name, expected) in [
            (None, Some("Ada.Lovelace@example.org"), None, "ada.lovelace"),
            (None, Some("_x+y@example.org"), None, "x-y"),
            (None, None, Some("Ada Lovelace"), "ada-lovelace"),
            (None, None, Some("Ж"), "person"),
            (None, None, None, "person"),
            (Some("Countess"), Some("ada@example.org"), None, "countess"),
            (Some("ada@corp.example"), None, Some("Ada"), "ada"),
            (Some("Ж"), Some("zhe@example.org"), None, "zhe"),
        ] {
            let identity = identity(username, email, name);
            assert_eq!(username_of(&identity).unwrap().as_str(), expected);
        }
    }
}
