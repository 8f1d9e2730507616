//! Durable background work: enqueued in the transaction of the change that needs it, claimed under a fenced lease, done at least once.

use std::time::Duration;

use fractal_types::{JobId, Timestamp};
use sea_orm::{
    Condition, Value,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Error, Page, PageRequest, Reads, Result, Store, Tx, dialect,
    field::Field,
    table::{self, Table, equals, table, verbs},
    tx::Conn,
};

table! {
    /// A piece of background work.
    Job in "jobs" {
        /// Its id.
        id: JobId,
        /// Who does it, e.g. `install-engine`.
        queue: String,
        /// What to do; no secrets.
        payload: serde_json::Value,
        /// Not before then.
        run_at: Timestamp,
        /// How often it was begun.
        attempts: u32,
        /// How often it may be begun.
        max_attempts: u32,
        /// Who does it now.
        lease_owner: Option<String>,
        /// Until when they have it.
        lease_until: Option<Timestamp>,
        /// Grows with every claim.
        lease_fence: u64,
        /// Why it failed last.
        last_error: Option<String>,
        /// When it was enqueued.
        created_at: Timestamp,
        /// When it was done.
        done_at: Option<Timestamp>,
        /// When it was given up.
        dead_at: Option<Timestamp>,
    }
}

verbs!(Job, JobId, find);

/// Work to enqueue.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub id: JobId,
    /// Who does it.
    pub queue: String,
    /// What to do; no secrets.
    pub payload: serde_json::Value,
    /// Not before then.
    pub run_at: Timestamp,
    /// How often it may be begun; at least 1.
    pub max_attempts: u32,
}

/// The right to finish one attempt of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The job.
    pub id: JobId,
    /// The number of the claim; a later one outruns it.
    pub fence: u64,
}

/// What follows a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again then, if attempts are left.
    RetryAt(Timestamp),
    /// It can never work.
    GiveUp,
}

impl Job {
    /// The claim this job was handed out with.
    #[must_use]
    pub const fn claim(&self) -> Claim {
        Claim {
            id: self.id,
            fence: self.lease_fence,
        }
    }
}

/// Enqueues work in the caller's transaction.
///
/// # Errors
/// Only when the database fails.
pub async fn enqueue(tx: &Tx, job: &NewJob, now: Timestamp) -> Result<()> {
    let row = Job {
        id: job.id,
        queue: job.queue.clone(),
        payload: job.payload.clone(),
        run_at: job.run_at,
        attempts: 0,
        max_attempts: Ord::max(job.max_attempts, 1),
        lease_owner: None,
        lease_until: None,
        lease_fence: 0,
        last_error: None,
        created_at: now,
        done_at: None,
        dead_at: None,
    };
    table::insert(tx, &row).await
}

/// Takes the next due job of a queue, if there is one. A job whose holder went away is due again when its lease ends.
///
/// One statement outside a transaction: claimants do not wait for each other.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn claim(
    store: &Store,
    queue: &str,
    owner: &str,
    now: Timestamp,
    span: Duration,
) -> Result<Option<Job>> {
    let conn = Conn::plain(&store.writer);
    let sql = format!(
        "UPDATE jobs SET lease_owner = $1, lease_until = $2, lease_fence = lease_fence + 1, attempts = attempts + 1 \
         WHERE id = (SELECT id FROM jobs WHERE queue = $3 AND done_at IS NULL AND dead_at IS NULL \
           AND run_at <= $4 AND (lease_until IS NULL OR lease_until <= $4) AND attempts < max_attempts \
           ORDER BY run_at, id LIMIT 1{}) \
         RETURNING {}",
        dialect::skip_locked(conn.backend()),
        Job::COLUMNS.join(", "),
    );
    let values: Vec<Value> = vec![
        owner.into(),
        now.after(span).as_micros().into(),
        queue.into(),
        now.as_micros().into(),
    ];
    let claiming = conn.one_raw(conn.statement(&sql, values));
    let row = store.statement("jobs.claim", claiming).await?;
    row.as_ref().map(Job::from_row).transpose()
}

/// Finishes a job, in the same transaction as its effect.
///
/// # Errors
/// [`Error::LeaseLost`] when somebody else claimed it in between: the transaction must not commit.
pub async fn complete(tx: &Tx, claim: &Claim, now: Timestamp) -> Result<()> {
    let values = vec![
        ("done_at", Some(now).to_value()),
        ("lease_owner", None::<String>.to_value()),
        ("lease_until", None::<Timestamp>.to_value()),
        ("last_error", None::<String>.to_value()),
    ];
    finish(tx, claim, values).await
}

/// Notes that an attempt failed; whether it will be tried again. The text must not hold secrets.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn fail(
    tx: &Tx,
    claim: &Claim,
    error: &str,
    after: AfterFailure,
    now: Timestamp,
) -> Result<bool> {
    let job = get(tx, claim.id).await?;
    let mut values = vec![
        ("lease_owner", None::<String>.to_value()),
        ("lease_until", None::<Timestamp>.to_value()),
        ("last_error", Some(error.to_owned()).to_value()),
    ];
    let again = match after {
        AfterFailure::RetryAt(at) if job.attempts < job.max_attempts => {
            values.push(("run_at", at.to_value()));
            true
        }
        AfterFailure::RetryAt(_) | AfterFailure::GiveUp => {
            values.push(("dead_at", Some(now).to_value()));
            false
        }
    };
    finish(tx, claim, values).await?;
    Ok(again)
}

/// Has a job looked at again later, as if it had not been begun.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn postpone(tx: &Tx, claim: &Claim, run_at: Timestamp) -> Result<()> {
    let job = get(tx, claim.id).await?;
    let values = vec![
        ("lease_owner", None::<String>.to_value()),
        ("lease_until", None::<Timestamp>.to_value()),
        ("run_at", run_at.to_value()),
        ("attempts", job.attempts.saturating_sub(1).to_value()),
    ];
    finish(tx, claim, values).await
}

/// Keeps a claim longer.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn extend(tx: &Tx, claim: &Claim, until: Timestamp) -> Result<()> {
    finish(tx, claim, vec![("lease_until", Some(until).to_value())]).await
}

async fn finish(tx: &Tx, claim: &Claim, values: Vec<(&'static str, Value)>) -> Result<()> {
    let condition = equals("id", claim.id.to_value())
        .add(Expr::col("lease_fence").eq(Expr::val(claim.fence.to_value())))
        .add(Expr::col("lease_owner").is_not_null())
        .add(Expr::col("done_at").is_null())
        .add(Expr::col("dead_at").is_null());
    if table::set_where::<Job>(tx, condition, values).await? == 0 {
        return Err(Error::LeaseLost {
            what: claim.id.to_string(),
        });
    }
    Ok(())
}

/// Gives up jobs that used all their attempts and whose last holder went away; how many.
///
/// # Errors
/// Only when the database fails.
pub async fn bury_abandoned(tx: &Tx, now: Timestamp) -> Result<u64> {
    let condition = unfinished()
        .add(Expr::col("attempts").gte(Expr::col("max_attempts")))
        .add(Expr::col("lease_until").lte(now.as_micros()));
    let values = vec![
        ("dead_at", Some(now).to_value()),
        ("lease_owner", None::<String>.to_value()),
        ("lease_until", None::<Timestamp>.to_value()),
        (
            "last_error",
            Some("the worker went away during the last attempt".to_owned()).to_value(),
        ),
    ];
    table::set_where::<Job>(tx, condition, values).await
}

/// When the next job of a queue is due, for the worker to sleep until then.
///
/// # Errors
/// Only when the database fails.
pub async fn next_due(db: &dyn Reads, queue: &str) -> Result<Option<Timestamp>> {
    let conn = db.conn();
    let sql = "SELECT MIN(CASE WHEN lease_until > run_at THEN lease_until ELSE run_at END) AS at FROM jobs \
               WHERE queue = $1 AND done_at IS NULL AND dead_at IS NULL AND attempts < max_attempts";
    let row = conn
        .one_raw(conn.statement(sql, vec![queue.into()]))
        .await?;
    let at: Option<i64> = row.map_or(Ok(None), |row| row.try_get_by("at"))?;
    Ok(at.map(Timestamp::from_micros))
}

/// One page of a queue's jobs, finished ones included.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(db: &dyn Reads, queue: &str, request: &PageRequest) -> Result<Page<Job>> {
    table::page_where(db, equals("queue", queue), request).await
}

/// How many were given up since.
///
/// # Errors
/// Only when the database fails.
pub async fn count_dead_since(db: &dyn Reads, since: Timestamp) -> Result<u64> {
    let conn = db.conn();
    let sql = "SELECT COUNT(*) AS dead FROM jobs WHERE dead_at >= $1";
    let row = conn
        .one_raw(conn.statement(sql, vec![since.as_micros().into()]))
        .await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by("dead"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Forgets jobs done before; given-up ones stay for somebody to look at. How many.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_done_before(tx: &Tx, before: Timestamp) -> Result<u64> {
    let condition = Condition::all().add(Expr::col("done_at").lt(before.as_micros()));
    table::delete_where::<Job>(tx, condition).await
}

fn unfinished() -> Condition {
    Condition::all()
        .add(Expr::col("done_at").is_null())
        .add(Expr::col("dead_at").is_null())
}
