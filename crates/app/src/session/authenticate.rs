//! Who a request comes from: a cookie or a bearer token becomes a context.
//!
//! A request costs no write and usually no read: what was found is believed for a few seconds, and uses are noted to the minute.

use std::{net::IpAddr, time::Duration};

use fractal_api_types::ProblemCode;
use fractal_crypto::{Token, TokenHash, TokenKind};
use fractal_store::{Reads, Tx, User, api_tokens, browser_sessions, users};
use fractal_types::{Actor, ApiTokenId, BrowserSessionId, Principal, Scope, Timestamp, Via};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::{IDLE_LIFETIME, TOTAL_LIFETIME};
use crate::{App, Context, Error, Result};

/// Uses are noted this finely.
const MINUTE: Duration = Duration::from_secs(60);

/// The context of a person.
pub(super) fn context_of(
    user: &User,
    via: Via,
    session_id: Option<BrowserSessionId>,
    token_id: Option<ApiTokenId>,
    scopes: Option<Vec<Scope>>,
) -> Context {
    let actor = Actor {
        principal: Principal::User(user.id),
        organization_id: user.organization_id,
        role: Some(user.role),
        via,
        scopes,
    };
    Context {
        breakglass: user.breakglass,
        session_id,
        token_id,
        ..Context::of(actor)
    }
}

/// What a context rests on now.
#[derive(Debug)]
pub(crate) struct Standing {
    /// The person, as they are now.
    pub(crate) user: User,
    /// When the session or token ends by itself, as far as is known now.
    pub(crate) ends_at: Option<Timestamp>,
}

/// What the context of a person rests on now; `None` when their session or token has ended or their account is suspended or gone.
/// A context was true when it was made; whatever happens later than that asks again.
///
/// # Errors
///
/// When the database fails, or nobody is behind the context.
pub(crate) async fn standing(
    db: &dyn Reads,
    cx: &Context,
    now: Timestamp,
) -> Result<Option<Standing>> {
    let id = cx.user_id()?;
    let mut ends_at = None;
    if let Some(session) = cx.session_id {
        let row = browser_sessions::find(db, session).await?;
        let Some(row) = row.filter(|row| row.user_id == id && row.is_live(now)) else {
            return Ok(None);
        };
        ends_at = Some(row.expires_at);
    }
    if let Some(token) = cx.token_id {
        let row = api_tokens::find(db, token).await?;
        let Some(row) = row.filter(|row| row.user_id == id && row.is_live(now)) else {
            return Ok(None);
        };
        ends_at = [ends_at, row.ends_at()].into_iter().flatten().min();
    }
    let user = users::find(db, id)
        .await?
        .filter(|user| user.active && user.organization_id == cx.actor.organization_id);
    Ok(user.map(|user| Standing { user, ends_at }))
}

impl App {
    /// The person behind a session cookie; nobody when it has ended, was revoked, or the account is suspended.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn authenticate_session(&self, cookie: &SecretString) -> Result<Option<Context>> {
        let Ok(token) = Token::parse_kind(cookie.expose_secret(), TokenKind::Session) else {
            return Ok(None);
        };
        let (hash, now) = (token.hash(), self.clock.now());
        if let Some(context) = self.sessions.find(hash, now) {
            return Ok(Some(context));
        }
        let epoch = self.sessions.epoch();
        let read = self.store.read();
        let row = browser_sessions::find_by_hash(&read, hash)
            .await?
            .filter(|row| row.is_live(now));
        let Some(row) = row else { return Ok(None) };
        let Some(user) = self.active_user(row.user_id).await? else {
            return Ok(None);
        };
        let mut ends_at = row.expires_at;
        if now.since(row.last_used_at) >= MINUTE {
            ends_at = now
                .after(IDLE_LIFETIME)
                .min(row.created_at.after(TOTAL_LIFETIME));
            self.note_use(async |tx: Tx| {
                browser_sessions::touch(&tx, row.id, now, ends_at).await?;
                users::touch(&tx, row.user_id, now).await
            })
            .await;
        }
        let context = context_of(&user, Via::Browser, Some(row.id), None, None);
        self.sessions
            .keep(epoch, hash, &context, now, Some(ends_at));
        Ok(Some(context))
    }

    /// The person behind an API token, narrowed to its scopes.
    ///
    /// # Errors
    ///
    /// `unauthenticated` for a token that opens nothing.
    pub async fn authenticate_token(
        &self,
        bearer: &SecretString,
        address: IpAddr,
    ) -> Result<Context> {
        let token = match Token::parse_kind(bearer.expose_secret(), TokenKind::Api) {
            Ok(token) => token,
            // A typo says nothing about which tokens exist, so it may be named.
            Err(error) => return self.refuse_token(address, None, &error.to_string()).await,
        };
        let (hash, now) = (token.hash(), self.clock.now());
        if let Some(context) = self.sessions.find(hash, now) {
            return Ok(context);
        }
        self.read_token(hash, now, address).await
    }

    async fn read_token(
        &self,
        hash: TokenHash,
        now: Timestamp,
        address: IpAddr,
    ) -> Result<Context> {
        let epoch = self.sessions.epoch();
        let row = api_tokens::find_by_hash(&self.store.read(), hash).await?;
        let id = row.as_ref().map(|row| row.id);
        let user = match row.as_ref().filter(|row| row.is_live(now)) {
            Some(row) => self.active_user(row.user_id).await?,
            None => None,
        };
        let (Some(row), Some(user)) = (row, user) else {
            return self
                .refuse_token(address, id, "this token is not valid, or not any more")
                .await;
        };
        if row.last_used_at.is_none_or(|at| now.since(at) >= MINUTE) {
            self.note_use(async |tx: Tx| {
                api_tokens::touch(&tx, row.id, now).await?;
                users::touch(&tx, row.user_id, now).await
            })
            .await;
        }
        let ends_at = row.ends_at();
        let context = context_of(&user, Via::ApiToken, None, Some(row.id), Some(row.scopes));
        self.sessions.keep(epoch, hash, &context, now, ends_at);
        Ok(context)
    }

    async fn active_user(&self, id: fractal_types::UserId) -> Result<Option<User>> {
        let user = users::find(&self.store.read(), id).await?;
        Ok(user.filter(|user| user.active && user.organization_id == self.organization_id))
    }

    /// An observation: that it could not be written is no reason to turn somebody away.
    async fn note_use<F, Fut>(&self, work: F)
    where
        F: Fn(Tx) -> Fut + Send,
        Fut: Future<Output = fractal_store::Result<()>> + Send,
    {
        if let Err(error) = self.store.tx("session.touch", work).await {
            tracing::warn!(error = %error, "the use of a session or token could not be noted");
        }
    }

    async fn refuse_token<T>(
        &self,
        address: IpAddr,
        id: Option<ApiTokenId>,
        why: &str,
    ) -> Result<T> {
        if self.sessions.should_note_refusal(address, self.clock.now()) {
            let mut cx = Context::system(self.organization_id);
            cx.actor.via = Via::ApiToken;
            let values = vec![("address", Value::from(address.to_string()))];
            let id = id.map(|id| id.to_string()).unwrap_or_default();
            self.record(
                &cx,
                "token.use",
                "api_token",
                id,
                "refused",
                json!({}),
                values,
            )
            .await?;
        }
        Err(Error::new(ProblemCode::Unauthenticated)
            .detail(why)
            .remedy("make a new token under Settings / Tokens"))
    }
}
