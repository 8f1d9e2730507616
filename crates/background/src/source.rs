//! Where jobs come from and go back to.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use fractal_types::{JobId, Timestamp};

/// A job under a lease of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    /// Which.
    pub id: JobId,
    /// The queue, which names the behaviour (`send-invoice`).
    pub queue: String,
    /// Its data.
    pub payload: serde_json::Value,
    /// How many times it was begun, this time included.
    pub attempt: u32,
    /// How many times it may be begun.
    pub max_attempts: u32,
    /// The lease's fencing number: a later holder has a higher one, and writes with a lower one are refused.
    pub fence: u64,
}

/// The source cannot be used right now, or refuses a stale lease.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The lease is no longer ours; somebody else has the job.
    #[error("the lease of job {0} was lost to a later holder")]
    LeaseLost(JobId),
    /// The database.
    #[error("jobs cannot be read or written")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A durable queue of jobs. Implemented over the job table; see [`MemorySource`] for the meaning.
#[async_trait::async_trait]
pub trait JobSource: Send + Sync + 'static {
    /// Leases up to `limit` due jobs of these queues until `now + lease`, oldest first; jobs whose
    /// lease ran out are due again.
    async fn claim(
        &self,
        queues: &[&str],
        holder: &str,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<ClaimedJob>, SourceError>;

    /// Prolongs the lease.
    async fn extend(&self, job: &ClaimedJob, until: Timestamp) -> Result<(), SourceError>;

    /// The job is done.
    async fn complete(&self, job: &ClaimedJob, now: Timestamp) -> Result<(), SourceError>;

    /// The job is to be looked at again at `run_at`; this run of it does not count.
    async fn postpone(&self, job: &ClaimedJob, run_at: Timestamp) -> Result<(), SourceError>;

    /// The job failed; it becomes due at `retry_at`, or is given up when that is `None`.
    async fn fail(
        &self,
        job: &ClaimedJob,
        error: &str,
        retry_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), SourceError>;
}

/// A queue in memory, for tests of workers and for their conformance.
#[derive(Debug, Default)]
pub struct MemorySource(Mutex<BTreeMap<JobId, Entry>>);

#[derive(Debug)]
struct Entry {
    job: ClaimedJob,
    run_at: Timestamp,
    leased_until: Option<Timestamp>,
    ended: Option<Result<(), String>>,
}

impl MemorySource {
    /// Puts a job in.
    pub fn enqueue(
        &self,
        id: JobId,
        queue: &str,
        payload: serde_json::Value,
        run_at: Timestamp,
        max_attempts: u32,
    ) {
        let entry = Entry {
            job: ClaimedJob {
                id,
                queue: queue.to_owned(),
                payload,
                attempt: 0,
                max_attempts,
                fence: 0,
            },
            run_at,
            leased_until: None,
            ended: None,
        };
        self.entries().insert(id, entry);
    }

    /// How a job ended: `None` while it has not, `Err` with the last error when it was given up.
    #[must_use]
    pub fn ended(&self, id: JobId) -> Option<Result<(), String>> {
        self.entries()
            .get(&id)
            .and_then(|entry| entry.ended.clone())
    }

    fn entries(&self) -> std::sync::MutexGuard<'_, BTreeMap<JobId, Entry>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn held<T>(
        &self,
        job: &ClaimedJob,
        act: impl FnOnce(&mut Entry) -> T,
    ) -> Result<T, SourceError> {
        match self.entries().get_mut(&job.id) {
            Some(entry) if entry.job.fence == job.fence && entry.ended.is_none() => Ok(act(entry)),
            _ => Err(SourceError::LeaseLost(job.id)),
        }
    }
}

#[async_trait::async_trait]
impl JobSource for MemorySource {
    async fn claim(
        &self,
        queues: &[&str],
        _holder: &str,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<ClaimedJob>, SourceError> {
        let mut entries = self.entries();
        let mut due: Vec<&mut Entry> = entries
            .values_mut()
            .filter(|entry| {
                entry.ended.is_none()
                    && entry.run_at <= now
                    && entry.leased_until.is_none_or(|until| until <= now)
                    && queues.contains(&entry.job.queue.as_str())
            })
            .collect();
        due.sort_by_key(|entry| (entry.run_at, entry.job.id));
        Ok(due
            .into_iter()
            .take(limit)
            .map(|entry| {
                entry.job.attempt += 1;
                entry.job.fence += 1;
                entry.leased_until = Some(now.after(lease));
                entry.job.clone()
            })
            .collect())
    }

    async fn extend(&self, job: &ClaimedJob, until: Timestamp) -> Result<(), SourceError> {
        self.held(job, |entry| entry.leased_until = Some(until))
    }

    async fn complete(&self, job: &ClaimedJob, _now: Timestamp) -> Result<(), SourceError> {
        self.held(job, |entry| entry.ended = Some(Ok(())))
    }

    async fn postpone(&self, job: &ClaimedJob, run_at: Timestamp) -> Result<(), SourceError> {
        self.held(job, |entry| {
            entry.leased_until = None;
            entry.job.attempt -= 1;
            entry.run_at = run_at;
        })
    }

    async fn fail(
        &self,
        job: &ClaimedJob,
        error: &str,
        retry_at: Option<Timestamp>,
        _now: Timestamp,
    ) -> Result<(), SourceError> {
        self.held(job, |entry| {
            entry.leased_until = None;
            match retry_at {
                Some(at) => entry.run_at = at,
                None => entry.ended = Some(Err(error.to_owned())),
            }
        })
    }
}
