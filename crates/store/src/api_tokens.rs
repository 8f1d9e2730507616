//! Bearer tokens of programs: hashed, scoped, expiring, rotatable with overlap.

use fractal_crypto::TokenHash;
use fractal_types::{ApiTokenId, Label, Scope, Timestamp, UserId};
use sea_orm::sea_query::{Expr, ExprTrait};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A bearer token of a program.
    ApiToken in "api_tokens" {
        /// Its id; not the secret.
        id: ApiTokenId,
        /// Whose.
        user_id: UserId,
        /// What the owner calls it.
        name: Label,
        /// The hash of the token.
        token_hash: TokenHash,
        /// Its last characters, to tell tokens apart.
        hint: String,
        /// What it may be used for.
        scopes: Vec<Scope>,
        /// When it was made.
        created_at: Timestamp,
        /// When it ends by itself.
        expires_at: Option<Timestamp>,
        /// When it was last used.
        last_used_at: Option<Timestamp>,
        /// When it was ended by a person, or ends because it was rotated.
        revoked_at: Option<Timestamp>,
        /// The token it replaces.
        rotated_from: Option<ApiTokenId>,
    }
}

verbs!(ApiToken, ApiTokenId, insert find);

impl ApiToken {
    /// Whether it still opens anything. A rotated token may end later than now: that is the overlap.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at().is_none_or(|at| now < at)
    }

    /// When it ends or has ended; `None` for one that never does.
    #[must_use]
    pub fn ends_at(&self) -> Option<Timestamp> {
        [self.expires_at, self.revoked_at]
            .into_iter()
            .flatten()
            .min()
    }
}

/// The token with this hash, live or not.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_hash(db: &dyn Reads, hash: TokenHash) -> Result<Option<ApiToken>> {
    table::find_where(db, equals("token_hash", hash.to_value())).await
}

/// One page of a person's tokens.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    user_id: UserId,
    request: &PageRequest,
) -> Result<Page<ApiToken>> {
    table::page_where(db, equals("user_id", user_id.to_value()), request).await
}

/// Notes a use.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn touch(tx: &Tx, id: ApiTokenId, at: Timestamp) -> Result<()> {
    table::set::<ApiToken>(
        tx,
        &id.to_string(),
        vec![("last_used_at", Some(at).to_value())],
    )
    .await
}

/// Ends a token at a point in time, unless it ends earlier; whether anything changed.
///
/// # Errors
/// Only when the database fails.
pub async fn revoke(tx: &Tx, id: ApiTokenId, at: Timestamp) -> Result<bool> {
    let condition = equals("id", id.to_value()).add(
        sea_orm::Condition::any()
            .add(Expr::col("revoked_at").is_null())
            .add(Expr::col("revoked_at").gt(at.as_micros())),
    );
    let values = vec![("revoked_at", Some(at).to_value())];
    Ok(table::set_where::<ApiToken>(tx, condition, values).await? > 0)
}

/// Ends all tokens of a person.
///
/// # Errors
/// Only when the database fails.
pub async fn revoke_all(tx: &Tx, user_id: UserId, at: Timestamp) -> Result<u64> {
    let condition = equals("user_id", user_id.to_value()).add(
        sea_orm::Condition::any()
            .add(Expr::col("revoked_at").is_null())
            .add(Expr::col("revoked_at").gt(at.as_micros())),
    );
    let values = vec![("revoked_at", Some(at).to_value())];
    table::set_where::<ApiToken>(tx, condition, values).await
}
