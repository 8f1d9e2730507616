//! Named leases with a growing fence: who holds one does the work, and effects carry the fence so that a holder who was away too long
//! is refused.

use std::time::Duration;

use fractal_types::Timestamp;
use sea_orm::Value;

use crate::{
    Error, Reads, Result, Tx,
    table::{self, Table, table},
};

table! {
    /// A lease.
    Lease in "leases" {
        /// What it is on, e.g. `sealer` or `instance:<id>`.
        name: String,
        /// Who has it.
        holder: String,
        /// Grows with every acquisition.
        fence: u64,
        /// When it ends unless renewed.
        until: Timestamp,
    }
}

/// Takes a lease that is free, has ended, or is the same holder's; `None` when somebody else has it. Always a new fence: a holder
/// that comes back after a restart outruns what it left behind.
///
/// # Errors
/// Only when the database fails.
pub async fn acquire(
    tx: &Tx,
    name: &str,
    holder: &str,
    now: Timestamp,
    span: Duration,
) -> Result<Option<Lease>> {
    let sql = "INSERT INTO leases (name, holder, fence, until) VALUES ($1, $2, 1, $3) \
               ON CONFLICT (name) DO UPDATE \
               SET holder = excluded.holder, fence = leases.fence + 1, until = excluded.until \
               WHERE leases.until <= $4 OR leases.holder = excluded.holder \
               RETURNING name, holder, fence, until";
    let values: Vec<Value> = vec![
        name.into(),
        holder.into(),
        now.after(span).as_micros().into(),
        now.as_micros().into(),
    ];
    let conn = tx.conn();
    let row = conn.one_raw(conn.statement(sql, values)).await?;
    row.as_ref().map(Lease::from_row).transpose()
}

/// Keeps a lease longer.
///
/// # Errors
/// [`Error::LeaseLost`] when it ended or somebody else took it.
pub async fn renew(tx: &Tx, lease: &Lease, now: Timestamp, span: Duration) -> Result<Lease> {
    let until = now.after(span);
    let sql = "UPDATE leases SET until = $1 WHERE name = $2 AND fence = $3 AND until > $4";
    let values: Vec<Value> = vec![
        until.as_micros().into(),
        lease.name.as_str().into(),
        i64::try_from(lease.fence).unwrap_or(i64::MAX).into(),
        now.as_micros().into(),
    ];
    let conn = tx.conn();
    if conn.execute_raw(conn.statement(sql, values)).await? == 0 {
        return Err(lost(lease));
    }
    Ok(Lease {
        until,
        ..lease.clone()
    })
}

/// Asserts, inside a transaction that writes, that the lease is still held.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn check(tx: &Tx, lease: &Lease, now: Timestamp) -> Result<()> {
    match table::find_by_key::<Lease>(tx, &lease.name).await? {
        Some(current) if current.fence == lease.fence && now < current.until => Ok(()),
        _ => Err(lost(lease)),
    }
}

/// Gives a lease back; whether it was still held. The row stays, so that the fence keeps growing.
///
/// # Errors
/// Only when the database fails.
pub async fn release(tx: &Tx, lease: &Lease) -> Result<bool> {
    let sql = "UPDATE leases SET until = 0, holder = '' WHERE name = $1 AND fence = $2";
    let values: Vec<Value> = vec![
        lease.name.as_str().into(),
        i64::try_from(lease.fence).unwrap_or(i64::MAX).into(),
    ];
    let conn = tx.conn();
    Ok(conn.execute_raw(conn.statement(sql, values)).await? > 0)
}

fn lost(lease: &Lease) -> Error {
    Error::LeaseLost {
        what: lease.name.clone(),
    }
}
