//! Signed-in browsers.

use fractal_crypto::TokenHash;
use fractal_types::{BrowserSessionId, Timestamp, UserId};
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::{
    Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A signed-in browser.
    BrowserSession in "browser_sessions" {
        /// Its id; not the secret.
        id: BrowserSessionId,
        /// Who.
        user_id: UserId,
        /// The hash of the secret in the cookie.
        token_hash: TokenHash,
        /// When they signed in.
        created_at: Timestamp,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// When it was last used.
        last_used_at: Timestamp,
        /// What the browser calls itself.
        user_agent: Option<String>,
        /// Where from.
        address: Option<String>,
        /// When it was ended by a person.
        revoked_at: Option<Timestamp>,
    }
}

verbs!(BrowserSession, BrowserSessionId, insert find);

impl BrowserSession {
    /// Whether it still opens anything.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

/// The session of a cookie, live or not.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_hash(db: &dyn Reads, hash: TokenHash) -> Result<Option<BrowserSession>> {
    table::find_where(db, equals("token_hash", hash.to_value())).await
}

/// The live sessions of a person.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_live(
    db: &dyn Reads,
    user_id: UserId,
    now: Timestamp,
) -> Result<Vec<BrowserSession>> {
    let condition = equals("user_id", user_id.to_value())
        .add(Expr::col("revoked_at").is_null())
        .add(Expr::col("expires_at").gt(now.as_micros()));
    table::list_where(db, condition).await
}

/// Notes a use and moves the end.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn touch(
    tx: &Tx,
    id: BrowserSessionId,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    let values = vec![
        ("last_used_at", now.to_value()),
        ("expires_at", expires_at.to_value()),
    ];
    table::set::<BrowserSession>(tx, &id.to_string(), values).await
}

/// Ends a session; whether it was live.
///
/// # Errors
/// Only when the database fails.
pub async fn revoke(tx: &Tx, id: BrowserSessionId, now: Timestamp) -> Result<bool> {
    let condition = equals("id", id.to_value()).add(Expr::col("revoked_at").is_null());
    let values = vec![("revoked_at", Some(now).to_value())];
    Ok(table::set_where::<BrowserSession>(tx, condition, values).await? > 0)
}

/// Ends all sessions of a person, except one; how many were live.
///
/// # Errors
/// Only when the database fails.
pub async fn revoke_all(
    tx: &Tx,
    user_id: UserId,
    except: Option<BrowserSessionId>,
    now: Timestamp,
) -> Result<u64> {
    let mut condition =
        equals("user_id", user_id.to_value()).add(Expr::col("revoked_at").is_null());
    if let Some(except) = except {
        condition = condition.add(Expr::col("id").ne(except.to_string()));
    }
    let values = vec![("revoked_at", Some(now).to_value())];
    table::set_where::<BrowserSession>(tx, condition, values).await
}

/// Forgets sessions that ended before; how many.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_ended_before(tx: &Tx, before: Timestamp) -> Result<u64> {
    let condition = sea_orm::Condition::any()
        .add(Expr::col("expires_at").lt(before.as_micros()))
        .add(Expr::col("revoked_at").lt(before.as_micros()));
    table::delete_where::<BrowserSession>(tx, condition).await
}
