//! Failed sign-ins, counted per address and per account (5 in 15 minutes, design section 8).

use fractal_types::Timestamp;

use crate::{Reads, Result, Tx};

/// Notes a failed try under a key, e.g. `address:192.0.2.1` or `account:ada`.
///
/// # Errors
/// Only when the database fails.
pub async fn insert(tx: &Tx, key: &str, at: Timestamp) -> Result<()> {
    let conn = tx.conn();
    let sql = "INSERT INTO login_attempts (key, at) VALUES ($1, $2)";
    let values = vec![key.into(), at.as_micros().into()];
    conn.execute_raw(conn.statement(sql, values))
        .await
        .map(|_| ())
}

/// How many tries failed under a key since then.
///
/// # Errors
/// Only when the database fails.
pub async fn count_since(db: &dyn Reads, key: &str, since: Timestamp) -> Result<u64> {
    let conn = db.conn();
    let sql = "SELECT COUNT(*) AS n FROM login_attempts WHERE key = $1 AND at >= $2";
    let values = vec![key.into(), since.as_micros().into()];
    let row = conn.one_raw(conn.statement(sql, values)).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by("n"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Forgets the tries of a key, after a success.
///
/// # Errors
/// Only when the database fails.
pub async fn clear(tx: &Tx, key: &str) -> Result<()> {
    let conn = tx.conn();
    let statement = conn.statement(
        "DELETE FROM login_attempts WHERE key = $1",
        vec![key.into()],
    );
    conn.execute_raw(statement).await.map(|_| ())
}

/// Forgets old tries; how many.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_before(tx: &Tx, before: Timestamp) -> Result<u64> {
    let conn = tx.conn();
    let sql = "DELETE FROM login_attempts WHERE at < $1";
    conn.execute_raw(conn.statement(sql, vec![before.as_micros().into()]))
        .await
}

/// Takes one noted try back: it was right after all. `at` must be what was noted.
///
/// # Errors
/// Only when the database fails.
pub async fn delete(tx: &Tx, key: &str, at: Timestamp) -> Result<u64> {
    let conn = tx.conn();
    let sql = "DELETE FROM login_attempts WHERE key = $1 AND at = $2";
    conn.execute_raw(conn.statement(sql, vec![key.into(), at.as_micros().into()]))
        .await
}
