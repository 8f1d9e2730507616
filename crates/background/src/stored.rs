//! The durable queue over the table `jobs`.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use fractal_store::{
    Store,
    jobs::{self, AfterFailure, Claim},
};
use fractal_types::Timestamp;

use crate::{ClaimedJob, JobSource, SourceError};

/// Jobs in the database.
#[derive(Debug)]
pub struct StoredJobs {
    store: Store,
    /// Which queue is asked first, so that a busy one does not starve the others.
    turn: AtomicUsize,
}

impl StoredJobs {
    /// The jobs of this database.
    #[must_use]
    pub const fn new(store: Store) -> Self {
        Self {
            store,
            turn: AtomicUsize::new(0),
        }
    }
}

const fn claim_of(job: &ClaimedJob) -> Claim {
    Claim {
        id: job.id,
        fence: job.fence,
    }
}

fn sort(job: &ClaimedJob, error: fractal_store::Error) -> SourceError {
    match error {
        fractal_store::Error::LeaseLost { .. } => SourceError::LeaseLost(job.id),
        other => SourceError::Unavailable(Box::new(other)),
    }
}

#[async_trait::async_trait]
impl JobSource for StoredJobs {
    async fn claim(
        &self,
        queues: &[&str],
        holder: &str,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<ClaimedJob>, SourceError> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut claimed = Vec::new();
        for offset in 0..queues.len() {
            let queue = queues[first.wrapping_add(offset) % queues.len()];
            while claimed.len() < limit {
                let job = jobs::claim(&self.store, queue, holder, now, lease)
                    .await
                    .map_err(|why| SourceError::Unavailable(Box::new(why)))?;
                let Some(job) = job else { break };
                claimed.push(ClaimedJob {
                    id: job.id,
                    queue: job.queue,
                    payload: job.payload,
                    attempt: job.attempts,
                    max_attempts: job.max_attempts,
                    fence: job.lease_fence,
                });
            }
        }
        Ok(claimed)
    }

    async fn extend(&self, job: &ClaimedJob, until: Timestamp) -> Result<(), SourceError> {
        let claim = claim_of(job);
        self.store
            .tx("jobs.extend", async |tx| {
                jobs::extend(&tx, &claim, until).await
            })
            .await
            .map_err(|why| sort(job, why))
    }

    async fn complete(&self, job: &ClaimedJob, now: Timestamp) -> Result<(), SourceError> {
        let claim = claim_of(job);
        self.store
            .tx("jobs.complete", async |tx| {
                jobs::complete(&tx, &claim, now).await
            })
            .await
            .map_err(|why| sort(job, why))
    }

    async fn postpone(&self, job: &ClaimedJob, run_at: Timestamp) -> Result<(), SourceError> {
        let claim = claim_of(job);
        self.store
            .tx("jobs.postpone", async |tx| {
                jobs::postpone(&tx, &claim, run_at).await
            })
            .await
            .map_err(|why| sort(job, why))
    }

    async fn fail(
        &self,
        job: &ClaimedJob,
        error: &str,
        retry_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), SourceError> {
        let claim = claim_of(job);
        let after = retry_at.map_or(AfterFailure::GiveUp, AfterFailure::RetryAt);
        self.store
            .tx("jobs.fail", async |tx| {
                jobs::fail(&tx, &claim, error, after, now).await.map(|_| ())
            })
            .await
            .map_err(|why| sort(job, why))
    }
}
