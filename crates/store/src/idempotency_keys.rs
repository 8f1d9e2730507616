//! Changes that were made under a key of their caller's.

use fractal_types::Timestamp;
use sea_orm::sea_query::{Condition, Expr, ExprTrait};

use crate::{
    Reads, Result, Tx,
    field::Field,
    table::{self, table},
};

table! {
    /// A change and its answer.
    IdempotencyKey in "idempotency_keys" {
        /// Hash of who, what and the key.
        id: String,
        /// Hash of the key and the body.
        body_hash: String,
        /// What was done.
        action: String,
        /// To which thing.
        resource_id: String,
        /// The status of the answer; none while it is on its way, or when it was lost.
        status: Option<u16>,
        /// The answer, without secrets.
        answer: Option<String>,
        /// When.
        created_at: Timestamp,
    }
}

/// Takes a key, in the transaction of the change it stands for.
///
/// # Errors
/// [`crate::Error::Conflict`] when it is taken.
pub async fn insert(tx: &Tx, row: &IdempotencyKey) -> Result<()> {
    table::insert(tx, row).await
}

/// The change that was made under a key.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find(db: &dyn Reads, id: &str) -> Result<Option<IdempotencyKey>> {
    table::find_by_key(db, id).await
}

/// Keeps the answer. Nothing when the key was forgotten meanwhile.
///
/// # Errors
/// Only when the database fails.
pub async fn answered(tx: &Tx, id: &str, status: u16, answer: &str) -> Result<()> {
    let values = vec![
        ("status", Some(status).to_value()),
        ("answer", Some(answer.to_owned()).to_value()),
    ];
    table::set_where::<IdempotencyKey>(tx, table::equals("id", id), values)
        .await
        .map(|_| ())
}

/// Forgets a key from before; whether there was one.
///
/// # Errors
/// Only when the database fails.
pub async fn forget(tx: &Tx, id: &str, before: Timestamp) -> Result<bool> {
    let older = Expr::col("created_at").lt(before.as_micros());
    let condition = table::equals("id", id).add(older);
    Ok(table::delete_where::<IdempotencyKey>(tx, condition).await? > 0)
}

/// Forgets keys from before; how many.
///
/// # Errors
/// Only when the database fails.
pub async fn forget_before(tx: &Tx, before: Timestamp) -> Result<u64> {
    let older = Expr::col("created_at").lt(before.as_micros());
    table::delete_where::<IdempotencyKey>(tx, Condition::all().add(older)).await
}
