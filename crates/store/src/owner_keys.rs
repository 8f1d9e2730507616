//! Wrapped data keys, one per owner and version.

use fractal_types::{KeyId, Timestamp};
use sea_orm::{
    Order,
    sea_query::{Alias, Expr, ExprTrait, Func, Query, SelectStatement},
};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A wrapped data key.
    OwnerKeyRow in "owner_keys" {
        /// Its id.
        id: KeyId,
        /// Whose: the id of a user or an organization as text.
        owner: String,
        /// Which of the owner's keys, from 1.
        version: u32,
        /// The key, wrapped by the master key (`fractal_crypto::WrappedKey`).
        wrapped: Vec<u8>,
        /// When it was made.
        created_at: Timestamp,
        /// When the last value was moved to a newer one.
        retired_at: Option<Timestamp>,
    }
}

verbs!(OwnerKeyRow, KeyId, insert find delete);

/// One version of an owner's key.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_version(
    db: &dyn Reads,
    owner: &str,
    version: u32,
) -> Result<Option<OwnerKeyRow>> {
    let condition = equals("owner", owner).add(Expr::col("version").eq(i64::from(version)));
    table::find_where(db, condition).await
}

/// The newest key of an owner: what new values are encrypted with.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_latest(db: &dyn Reads, owner: &str) -> Result<Option<OwnerKeyRow>> {
    let mut query = table::select::<OwnerKeyRow>();
    query
        .cond_where(equals("owner", owner))
        .order_by("version", Order::Desc)
        .limit(1);
    table::one(db.conn(), &query).await
}

/// One page of all keys, for wrapping them anew.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(db: &dyn Reads, request: &PageRequest) -> Result<Page<OwnerKeyRow>> {
    table::page_where(db, sea_orm::Condition::all(), request).await
}

/// Whether there is a newer key of the same owner.
fn has_newer() -> Expr {
    let newer = Alias::new("newer");
    let mut query: SelectStatement = Query::select();
    query
        .expr(Expr::val(1))
        .from_as("owner_keys", newer.clone())
        .and_where(Expr::col((newer.clone(), "owner")).equals(("owner_keys", "owner")))
        .and_where(Expr::col((newer, "version")).gt(Expr::col(("owner_keys", "version"))));
    Expr::exists(query)
}

/// Keys that are not their owner's newest, oldest first, up to `limit` after one of them.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_older(
    db: &dyn Reads,
    after: Option<KeyId>,
    limit: u32,
) -> Result<Vec<OwnerKeyRow>> {
    let mut query = table::select::<OwnerKeyRow>();
    query
        .and_where(has_newer())
        .order_by("id", Order::Asc)
        .limit(u64::from(limit));
    if let Some(after) = after {
        query.and_where(Expr::col("id").gt(after.to_string()));
    }
    table::all(db.conn(), &query).await
}

/// How many keys that are not their owner's newest still seal something, as far as is known.
///
/// # Errors
/// Only when the database fails.
pub async fn count_waiting(db: &dyn Reads) -> Result<u64> {
    let mut query = Query::select();
    query
        .expr_as(Func::count(Expr::col("id")), "n")
        .from("owner_keys")
        .and_where(has_newer())
        .and_where(Expr::col("retired_at").is_null());
    let Some(row) = db.conn().one(&query).await? else {
        return Ok(0);
    };
    Ok(u64::try_from(row.try_get_by::<i64, _>("n")?).unwrap_or(0))
}

/// Replaces the wrapping, unless somebody else did in between; whether it was us.
///
/// # Errors
/// Only when the database fails.
pub async fn rewrap(tx: &Tx, id: KeyId, old: &[u8], new: &[u8]) -> Result<bool> {
    let condition = equals("id", id.to_value()).add(Expr::col("wrapped").eq(old.to_vec()));
    let values = vec![("wrapped", new.to_vec().into())];
    Ok(table::set_where::<OwnerKeyRow>(tx, condition, values).await? > 0)
}

/// Notes that no value needs this key any more.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn retire(tx: &Tx, id: KeyId, now: Timestamp) -> Result<()> {
    table::set::<OwnerKeyRow>(
        tx,
        &id.to_string(),
        vec![("retired_at", Some(now).to_value())],
    )
    .await
}

/// Forgets all keys of an owner: every copy of their secrets becomes unreadable, backups without these rows included.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_all(tx: &Tx, owner: &str) -> Result<u64> {
    table::delete_where::<OwnerKeyRow>(tx, equals("owner", owner)).await
}
