//! Signing in and out, and the signed-in browsers of a person.
//!
//! A session slides: it ends 24 hours after its last use and 30 days after its beginning. The cookie itself lives for the
//! whole 30 days; what counts is the row, so that a stolen cookie is worth nothing once the row has ended.

mod authenticate;
mod limit;
mod live;
pub(crate) mod password;

use std::time::Duration;

use async_trait::async_trait;
use fractal_api_types::{
    BrowserSessionView, Login, Me, Page, PageQuery, ProblemCode, SignInMethods, SignInProvider,
};
use fractal_crypto::{Token, TokenKind};
use fractal_policy::{Action, Resource};
use fractal_store::{
    BrowserSession, NewEntry, Tx, User, browser_sessions, credentials, evidence,
    identity_providers, users,
};
use fractal_types::{Actor, BrowserSessionId, Principal, Timestamp, UserId, Via};
use secrecy::SecretString;
use serde_json::{Value, json};

pub(crate) use authenticate::standing;
pub(crate) use limit::Tries;
pub use live::{Revoked, Sessions};

use crate::{
    App, ClientInfo, Context, Error, Result,
    change::{Change, Door, submit},
    lookup::page_request,
    me,
};

/// A session ends after this time without use (`requirements.md` A22).
pub const IDLE_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
/// And after this time in any case.
pub const TOTAL_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A browser that just signed in.
#[derive(Debug)]
pub struct SignedIn {
    /// The person.
    pub me: Me,
    /// What goes into the cookie.
    pub token: SecretString,
    /// How long the browser keeps the cookie.
    pub lifetime: Duration,
}

/// How one may sign in here.
///
/// # Errors
///
/// When the database fails.
pub async fn methods(app: &App) -> Result<SignInMethods> {
    let rows = identity_providers::list(&app.store.read(), app.organization_id).await?;
    let oidc = rows
        .into_iter()
        .filter(|row| row.enabled)
        .map(|row| SignInProvider {
            id: row.id,
            name: row.name,
        })
        .collect();
    Ok(SignInMethods {
        password: true,
        oidc,
    })
}

/// Signs in with a password.
///
/// An unknown name, a wrong password and a suspended account get the same answer after the same time.
///
/// # Errors
///
/// `wrong-credentials`, or `too-many-attempts` with the time to wait.
pub async fn sign_in(app: &App, login: Login, client: &ClientInfo) -> Result<SignedIn> {
    let attempt = Tries::SignIn
        .begin(app, client.address, login.username.as_str())
        .await?;
    let read = app.store.read();
    let user = users::find_by_username(&read, app.organization_id, &login.username).await?;
    let credential = match &user {
        Some(user) => credentials::find_password(&read, user.id).await?,
        None => None,
    };
    let stored = credential.and_then(|row| row.secret_hash);
    let right = password::verify(login.password.into(), stored.clone()).await?;
    if let (Some(user), Some(stored), true) = (&user, stored, right) {
        let opened = app
            .store
            .tx("session.sign_in", async |tx: Tx| {
                // Read again: the account may have been suspended, or its password changed, while the hash was computed.
                let user = users::find(&tx, user.id).await?.filter(|user| user.active);
                let same = credentials::find_password(&tx, login_id(&user)).await?;
                let same = same
                    .and_then(|row| row.secret_hash)
                    .is_some_and(|hash| hash == stored);
                let Some(user) = user.filter(|_| same) else {
                    return Ok(None);
                };
                attempt.succeeded(&tx).await?;
                let opened = open(app, &tx, &user, client, "password").await?;
                Ok::<_, Error>(Some((user, opened)))
            })
            .await?;
        if let Some((user, opened)) = opened {
            return signed_in(app, &user, opened).await;
        }
    }
    refused(app, user.as_ref().map(|user| user.id)).await?;
    Err(Error::new(ProblemCode::WrongCredentials))
}

/// The id to look a password up for; an id that nobody has when there is nobody.
fn login_id(user: &Option<User>) -> UserId {
    user.as_ref()
        .map_or(UserId::from_uuid(uuid::Uuid::nil()), |user| user.id)
}

/// The account is named only when it exists: what somebody typed into the wrong field may be a password.
async fn refused(app: &App, user: Option<UserId>) -> Result<()> {
    let cx = browser(app, Principal::System);
    let id = user.map(|id| id.to_string()).unwrap_or_default();
    app.record(
        &cx,
        "session.sign_in",
        "user",
        id,
        "refused",
        json!({}),
        Vec::new(),
    )
    .await
}

/// Somebody at a browser before, or just after, they proved who they are.
pub(crate) fn browser(app: &App, principal: Principal) -> Context {
    Context::of(Actor {
        principal,
        organization_id: app.organization_id,
        role: None,
        via: Via::Browser,
        scopes: None,
    })
}

/// The context of a person at a browser.
pub(crate) fn at_browser(user: &User, session_id: Option<BrowserSessionId>) -> Context {
    authenticate::context_of(user, Via::Browser, session_id, None, None)
}

/// Makes a session in a transaction, with its evidence.
pub(crate) async fn open(
    app: &App,
    tx: &Tx,
    user: &User,
    client: &ClientInfo,
    how: &'static str,
) -> Result<(BrowserSessionId, SecretString)> {
    let now = app.clock.now();
    let token = Token::generate(TokenKind::Session, &*app.entropy);
    let row = BrowserSession {
        id: app.new_id(),
        user_id: user.id,
        token_hash: token.hash(),
        created_at: now,
        expires_at: now.after(IDLE_LIFETIME),
        last_used_at: now,
        user_agent: client.user_agent.clone(),
        address: Some(client.address.to_string()),
        revoked_at: None,
    };
    browser_sessions::insert(tx, &row).await?;
    users::touch(tx, user.id, now).await?;
    let cx = browser(app, Principal::User(user.id));
    let values = vec![("how", Value::from(how)), ("address", json!(row.address))];
    note(
        app,
        tx,
        &cx,
        "session.sign_in",
        "browser_session",
        row.id.to_string(),
        values,
    )
    .await?;
    Ok((row.id, token.into_secret()))
}

/// Evidence of something that has no proposal: signing in and out, claiming.
pub(crate) async fn note(
    app: &App,
    tx: &Tx,
    cx: &Context,
    action: &str,
    resource_kind: &str,
    resource_id: String,
    values: Vec<(&str, Value)>,
) -> Result<()> {
    let entry = NewEntry {
        organization_id: cx.actor.organization_id,
        principal: cx.actor.principal,
        via: cx.actor.via,
        action,
        resource_kind,
        resource_id,
        outcome: "done",
        decision: json!({}),
        values,
        request_id: cx.request_id.clone(),
    };
    evidence::append(tx, &*app.clock, &*app.entropy, entry).await?;
    Ok(())
}

/// The answer to a sign-in, after its transaction.
pub(crate) async fn signed_in(
    app: &App,
    user: &User,
    (id, token): (BrowserSessionId, SecretString),
) -> Result<SignedIn> {
    let cx = at_browser(user, Some(id));
    let me = me::view(app, &cx).await?;
    Ok(SignedIn {
        me,
        token,
        lifetime: TOTAL_LIFETIME,
    })
}

/// Ends the caller's own session, if they use one.
///
/// # Errors
///
/// When the database fails.
pub async fn sign_out(app: &App, cx: &Context) -> Result<()> {
    let Some(id) = cx.session_id else {
        return Ok(());
    };
    let now = app.clock.now();
    app.store
        .tx("session.sign_out", async |tx: Tx| {
            if browser_sessions::revoke(&tx, id, now).await? {
                let text = id.to_string();
                note(
                    app,
                    &tx,
                    cx,
                    "session.sign_out",
                    "browser_session",
                    text,
                    Vec::new(),
                )
                .await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    app.sessions.end(Revoked::Session(id));
    Ok(())
}

/// The caller's signed-in browsers, newest first.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &PageQuery) -> Result<Page<BrowserSessionView>> {
    let owner = cx.user_id()?;
    app.require(
        cx,
        Action::SessionList,
        &Resource::BrowserSession { id: None, owner },
    )?;
    let request = page_request(query)?;
    let mut rows = browser_sessions::list_live(&app.store.read(), owner, app.clock.now()).await?;
    rows.reverse();
    if let Some(after) = &request.after {
        rows.retain(|row| row.id.to_string() < *after);
    }
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    let items = rows.into_iter().map(|row| view_of(cx, row)).collect();
    Ok(Page { items, next_cursor })
}

fn view_of(cx: &Context, row: BrowserSession) -> BrowserSessionView {
    BrowserSessionView {
        current: cx.session_id == Some(row.id),
        id: row.id,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
        user_agent: row.user_agent,
        address: row.address,
    }
}

/// Signs a browser of the caller out; its open streams end.
///
/// # Errors
///
/// See [`submit`].
pub async fn revoke(app: &App, cx: &Context, id: BrowserSessionId) -> Result<()> {
    submit(
        app,
        cx,
        Revoke {
            id,
            now: app.clock.now(),
        },
    )
    .await?;
    app.sessions.end(Revoked::Session(id));
    Ok(())
}

struct Revoke {
    id: BrowserSessionId,
    now: Timestamp,
}

#[async_trait]
impl Change for Revoke {
    type Output = ();

    fn action(&self) -> Action {
        Action::SessionRevoke
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = browser_sessions::find(tx, self.id)
            .await?
            .filter(|row| row.is_live(self.now));
        let row = row.ok_or_else(Error::not_found)?;
        Ok(Resource::BrowserSession {
            id: Some(row.id),
            owner: row.user_id,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        browser_sessions::revoke(door.tx, self.id, self.now).await?;
        Ok(())
    }
}
