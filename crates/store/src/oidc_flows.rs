//! Sign-ins on their way through an OIDC provider; minutes old at most.

use fractal_types::{BrowserSessionId, IdentityProviderId, Timestamp, UserId};
use sea_orm::sea_query::{Expr, ExprTrait, Func, Order, Query};

use crate::{
    Reads, Result, Tx,
    table::{self, table},
};

table! {
    /// A sign-in on its way.
    OidcFlow in "oidc_flows" {
        /// The hash of the `state` parameter, as hex.
        state_hash: String,
        /// Through which provider.
        identity_provider_id: IdentityProviderId,
        /// What must come back in the id token.
        nonce: String,
        /// The PKCE verifier, sealed with the organization's key.
        pkce_verifier: Vec<u8>,
        /// Where the browser goes afterwards; a path on our own origin.
        return_to: String,
        /// Set when a signed-in person links an account.
        link_user_id: Option<UserId>,
        /// The browser session in which they do; the flow ends with it.
        link_session_id: Option<BrowserSessionId>,
        /// When it began.
        created_at: Timestamp,
        /// When it is too late.
        expires_at: Timestamp,
    }
}

/// Begins a flow.
///
/// # Errors
/// [`crate::Error::Reference`] when there is no such provider.
pub async fn insert(tx: &Tx, flow: &OidcFlow) -> Result<()> {
    table::insert(tx, flow).await
}

/// Ends a flow and returns it, also when it is too late for it; of several at once exactly one gets it.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn take(tx: &Tx, state_hash: &str) -> Result<Option<OidcFlow>> {
    let found: Option<OidcFlow> = table::find_by_key(tx, state_hash).await?;
    if found.is_none() || !table::delete_by_key::<OidcFlow>(tx, state_hash).await? {
        return Ok(None);
    }
    Ok(found)
}

/// Forgets flows that nobody finished and that were over by `until`; how many.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_expired(tx: &Tx, until: Timestamp) -> Result<u64> {
    let condition = sea_orm::Condition::all().add(Expr::col("expires_at").lte(until.as_micros()));
    table::delete_where::<OidcFlow>(tx, condition).await
}

/// Forgets the oldest flows until no more than `most` are left; how many went.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_oldest(tx: &Tx, most: u64) -> Result<u64> {
    let mut count = Query::select();
    count
        .expr_as(Func::count(Expr::col("state_hash")), "n")
        .from("oidc_flows");
    let there = match tx.conn().one(&count).await? {
        Some(row) => u64::try_from(row.try_get_by::<i64, _>("n")?).unwrap_or(0),
        None => 0,
    };
    if there <= most {
        return Ok(0);
    }
    let mut oldest = Query::select();
    oldest
        .column("state_hash")
        .from("oidc_flows")
        .order_by("created_at", Order::Asc)
        .order_by("state_hash", Order::Asc)
        .limit(there - most);
    let condition =
        sea_orm::Condition::all().add(Expr::col("state_hash").in_subquery(oldest.take()));
    table::delete_where::<OidcFlow>(tx, condition).await
}
