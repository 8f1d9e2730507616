//! Bearer tokens of programs: scoped, expiring, replaceable with an overlap. A secret is shown once.
//!
//! A token that was made by means of another one ends with that one at the latest and may no more than it, or a token that leaked for
//! an hour would be one for ever.

use std::time::Duration;

use async_trait::async_trait;
use fractal_api_types::{
    ApiTokenView, CreateApiToken, NewApiToken, Page, PageQuery, ProblemCode, RotateApiToken,
};
use fractal_crypto::{Token, TokenKind};
use fractal_policy::{Action, Resource};
use fractal_store::{ApiToken, Tx, api_tokens};
use fractal_types::{ApiTokenId, Scope, Timestamp, UserId};
use secrecy::ExposeSecret;
use serde_json::json;

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, check, submit},
    lookup::{page_of, page_request},
    session::Revoked,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DEFAULT_DAYS: u32 = 90;
const MOST_DAYS: u32 = 3650;
const DEFAULT_OVERLAP_MINUTES: u32 = 60;
const MOST_OVERLAP_MINUTES: u32 = 10_080;

fn view_of(row: ApiToken) -> ApiTokenView {
    ApiTokenView {
        // A token that was rotated ends with its overlap.
        expires_at: row.ends_at(),
        id: row.id,
        name: row.name,
        hint: row.hint,
        scopes: row.scopes,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
    }
}

/// The caller's tokens that still work, newest first. A page may be shorter than asked for, because ended ones are left out.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &PageQuery) -> Result<Page<ApiTokenView>> {
    let owner = cx.user_id()?;
    app.require(
        cx,
        Action::TokenList,
        &Resource::ApiToken { id: None, owner },
    )?;
    let mut rows = api_tokens::list(&app.store.read(), owner, &page_request(query)?).await?;
    let now = app.clock.now();
    rows.items.retain(|row| row.is_live(now));
    Ok(page_of(rows, view_of))
}

/// Makes a token.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn create(app: &App, cx: &Context, body: CreateApiToken) -> Result<NewApiToken> {
    let days = body.expires_in_days.unwrap_or(DEFAULT_DAYS);
    check(
        days <= MOST_DAYS,
        "/expires_in_days",
        "must be 1 to 3650, or 0 for never",
    )?;
    let mut scopes = body.scopes.unwrap_or_else(|| vec![Scope::All]);
    check(!scopes.is_empty(), "/scopes", "must name at least one")?;
    scopes.sort_unstable();
    scopes.dedup();
    let (now, token) = (
        app.clock.now(),
        Token::generate(TokenKind::Api, &*app.entropy),
    );
    let row = ApiToken {
        id: app.new_id(),
        user_id: cx.user_id()?,
        name: body.name,
        token_hash: token.hash(),
        hint: token.hint(),
        scopes,
        created_at: now,
        expires_at: (days > 0).then(|| now.after(DAY * days)),
        last_used_at: None,
        revoked_at: None,
        rotated_from: None,
    };
    let row = submit(app, cx, Create { row }).await?;
    Ok(shown_once(row, &token))
}

/// The new token within the bounds of the one that asks for it; as it is when a person at a browser asks.
async fn within_bounds(door: &Door<'_>, row: ApiToken) -> Result<ApiToken> {
    let Some(asking) = door.cx.token_id else {
        return Ok(row);
    };
    let asking = api_tokens::get(door.tx, asking).await?;
    let covers =
        |scope: &Scope| asking.scopes.contains(&Scope::All) || asking.scopes.contains(scope);
    if !row.scopes.iter().all(covers) {
        return Err(Error::new(ProblemCode::Forbidden)
            .detail("a token makes none that may do more than itself")
            .remedy("make it in the Portal under Settings / Tokens"));
    }
    Ok(ApiToken {
        expires_at: [row.expires_at, asking.ends_at()]
            .into_iter()
            .flatten()
            .min(),
        ..row
    })
}

fn shown_once(row: ApiToken, token: &Token) -> NewApiToken {
    NewApiToken {
        token: view_of(row),
        secret: token.secret().expose_secret().to_owned(),
    }
}

struct Create {
    row: ApiToken,
}

#[async_trait]
impl Change for Create {
    type Output = ApiToken;

    fn action(&self) -> Action {
        Action::TokenCreate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::ApiToken {
            id: None,
            owner: self.row.user_id,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<ApiToken> {
        let row = within_bounds(door, self.row.clone()).await?;
        api_tokens::insert(door.tx, &row).await?;
        door.made(row.id);
        door.note("name", row.name.as_str());
        door.note("scopes", json!(row.scopes));
        door.note_fresh("expires_at", json!(row.expires_at));
        Ok(row)
    }
}

/// Replaces a token. The new one has the same name, scopes and lifetime, within the bounds of the token that asks; the old one works until the overlap is over.
///
/// # Errors
///
/// Names the field that breaks its rule; `conflict` when the token was rotated already; see [`submit`].
pub async fn rotate(
    app: &App,
    cx: &Context,
    id: ApiTokenId,
    body: RotateApiToken,
) -> Result<NewApiToken> {
    let minutes = body.overlap_minutes.unwrap_or(DEFAULT_OVERLAP_MINUTES);
    check(
        minutes <= MOST_OVERLAP_MINUTES,
        "/overlap_minutes",
        "must be 0 to 10080",
    )?;
    let now = app.clock.now();
    let token = Token::generate(TokenKind::Api, &*app.entropy);
    let change = Rotate {
        id,
        new_id: app.new_id(),
        token: &token,
        ends_at: now.after(Duration::from_secs(60) * minutes),
        now,
    };
    let row = submit(app, cx, change).await?;
    // The old one is in the cache without its new end.
    app.sessions.refresh(row.user_id);
    if minutes == 0 {
        app.sessions.end(Revoked::Token(id));
    }
    Ok(shown_once(row, &token))
}

struct Rotate<'a> {
    id: ApiTokenId,
    new_id: ApiTokenId,
    token: &'a Token,
    ends_at: Timestamp,
    now: Timestamp,
}

/// A token that works, as policies see it. One that has ended is as good as gone.
async fn resource_of(tx: &Tx, id: ApiTokenId, now: Timestamp) -> Result<Resource> {
    let row = api_tokens::find(tx, id)
        .await?
        .filter(|row| row.is_live(now));
    let owner: UserId = row.ok_or_else(Error::not_found)?.user_id;
    Ok(Resource::ApiToken {
        id: Some(id),
        owner,
    })
}

#[async_trait]
impl Change for Rotate<'_> {
    type Output = ApiToken;

    fn action(&self) -> Action {
        Action::TokenRotate
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        resource_of(tx, self.id, self.now).await
    }

    async fn apply(&self, door: &Door<'_>) -> Result<ApiToken> {
        let old = api_tokens::get(door.tx, self.id).await?;
        if old.revoked_at.is_some() {
            return Err(Error::new(ProblemCode::Conflict)
                .detail("this token was replaced already and ends soon")
                .remedy("rotate the token that replaced it"));
        }
        let lifetime = old.expires_at.map(|end| end.since(old.created_at));
        let row = ApiToken {
            id: self.new_id,
            token_hash: self.token.hash(),
            hint: self.token.hint(),
            created_at: self.now,
            expires_at: lifetime.map(|span| self.now.after(span)),
            last_used_at: None,
            revoked_at: None,
            rotated_from: Some(self.id),
            ..old
        };
        let row = within_bounds(door, row).await?;
        api_tokens::revoke(door.tx, self.id, self.ends_at).await?;
        api_tokens::insert(door.tx, &row).await?;
        door.note_fresh("replaced_by", row.id.to_string());
        door.note_fresh("expires_at", json!(row.expires_at));
        door.note_fresh("old_ends_at", json!(self.ends_at));
        Ok(row)
    }
}

/// Revokes a token at once; open streams of it end.
///
/// # Errors
///
/// See [`submit`].
pub async fn revoke(app: &App, cx: &Context, id: ApiTokenId) -> Result<()> {
    submit(
        app,
        cx,
        Revoke {
            id,
            now: app.clock.now(),
        },
    )
    .await?;
    app.sessions.end(Revoked::Token(id));
    Ok(())
}

struct Revoke {
    id: ApiTokenId,
    now: Timestamp,
}

#[async_trait]
impl Change for Revoke {
    type Output = ();

    fn action(&self) -> Action {
        Action::TokenRevoke
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        resource_of(tx, self.id, self.now).await
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        api_tokens::revoke(door.tx, self.id, self.now).await?;
        Ok(())
    }
}
