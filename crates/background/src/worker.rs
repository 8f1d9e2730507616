//! The worker: claims due jobs, runs their behaviour, records the outcome once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use fractal_clock::{SharedClock, SharedEntropy};
use fractal_types::{JobId, Timestamp};
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Backoff, ClaimedJob, JobSource, SourceError, task::AbortOnDrop};

/// What a behaviour is told besides its data.
#[derive(Debug, Clone)]
pub struct JobContext {
    /// Cancelled when the process stops or the lease is lost; finish or leave soon after.
    pub stop: CancellationToken,
    /// The job, for idempotency keys and fences.
    pub job: ClaimedJob,
}

/// Why a job did not succeed.
#[derive(Debug)]
pub enum Failure {
    /// May work another time; waits as the backoff says.
    Retry(String),
    /// May work another time, but not before this much has passed.
    RetryAfter(Duration, String),
    /// Nothing went wrong, but what it waits for has not happened; this is no attempt.
    NotYet(Duration),
    /// Will never work.
    GiveUp(String),
}

/// The behaviour of one queue.
#[async_trait::async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// Does the job. May be called again after an outcome was lost, so the effect must be safe to repeat.
    async fn run(&self, context: &JobContext) -> Result<(), Failure>;
}

/// How a worker works.
#[derive(Debug, Clone, Copy)]
pub struct WorkerOptions {
    /// How many jobs at once.
    pub concurrency: usize,
    /// How long a claimed job is ours; prolonged at a third of it.
    pub lease: Duration,
    /// How often to look when nobody wakes us.
    pub poll: Duration,
    /// The wait after failures.
    pub backoff: Backoff,
    /// How long running jobs may go on after the stop signal; then they are dropped and
    /// their leases run out.
    pub grace: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            concurrency: 4,
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(5),
            backoff: Backoff::default(),
            grace: Duration::from_secs(10),
        }
    }
}

/// Claims jobs and runs them.
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    source: Arc<dyn JobSource>,
    handlers: BTreeMap<&'static str, Arc<dyn JobHandler>>,
    clock: SharedClock,
    entropy: SharedEntropy,
    holder: String,
    options: WorkerOptions,
    wake: Arc<Notify>,
    running: Mutex<BTreeSet<JobId>>,
    /// When jobs that we put off are due again: the next look is not later than the first of them.
    upcoming: Mutex<BTreeSet<Timestamp>>,
}

impl std::fmt::Debug for Worker {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Worker")
            .field("queues", &self.inner.handlers.keys())
            .finish_non_exhaustive()
    }
}

impl Worker {
    /// A worker over these queues. `holder` names the process in leases.
    #[must_use]
    pub fn new(
        source: Arc<dyn JobSource>,
        handlers: impl IntoIterator<Item = (&'static str, Arc<dyn JobHandler>)>,
        clock: SharedClock,
        entropy: SharedEntropy,
        holder: impl Into<String>,
        options: WorkerOptions,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                source,
                handlers: handlers.into_iter().collect(),
                clock,
                entropy,
                holder: holder.into(),
                options,
                wake: Arc::default(),
                running: Mutex::default(),
                upcoming: Mutex::default(),
            }),
        }
    }

    /// Notify it after enqueuing, to spare the wait for the next look.
    #[must_use]
    pub fn waker(&self) -> Arc<Notify> {
        Arc::clone(&self.inner.wake)
    }

    /// Works until `stop`, then lets running jobs end within the grace.
    pub async fn run(&self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let slots = Arc::new(Semaphore::new(self.inner.options.concurrency.max(1)));
        // Jobs outlive the stop signal by the grace; this token ends them for good.
        let kill = CancellationToken::new();
        let mut failures = 0;
        while !stop.is_cancelled() {
            let Some(Ok(slot)) = stop
                .run_until_cancelled(Arc::clone(&slots).acquire_owned())
                .await
            else {
                break;
            };
            let wait = match self.inner.claim(1).await {
                Ok(jobs) => {
                    failures = 0;
                    if let Some(job) = jobs.into_iter().next() {
                        let (inner, stop, kill) =
                            (Arc::clone(&self.inner), stop.clone(), kill.clone());
                        tasks.spawn(async move {
                            let _slot = slot;
                            kill.run_until_cancelled(inner.work(job, stop)).await;
                        });
                        continue;
                    }
                    self.inner.until_next_look()
                }
                Err(why) => {
                    failures += 1;
                    tracing::warn!(
                        error = &why as &dyn std::error::Error,
                        "jobs cannot be claimed"
                    );
                    let entropy = &*self.inner.entropy;
                    self.inner.options.backoff.spread(failures, entropy)
                }
            };
            drop(slot);
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.inner.wake.notified() => {}
                () = self.inner.clock.sleep(wait) => {}
            }
        }
        tasks.close();
        if tokio::time::timeout(self.inner.options.grace, tasks.wait())
            .await
            .is_err()
        {
            kill.cancel();
            tasks.wait().await;
        }
    }

    /// Runs everything that is due now, and what that makes due, one after the other; returns how
    /// many jobs ran. For tests and for commands that finish what they began.
    ///
    /// # Errors
    /// When the source fails.
    pub async fn run_all_due(&self) -> Result<usize, SourceError> {
        let mut ran = 0;
        while let Some(job) = self.inner.claim(1).await?.into_iter().next() {
            let inner = Arc::clone(&self.inner);
            inner.work(job, CancellationToken::new()).await;
            ran += 1;
        }
        Ok(ran)
    }
}

impl Inner {
    async fn claim(&self, limit: usize) -> Result<Vec<ClaimedJob>, SourceError> {
        let queues: Vec<&str> = self.handlers.keys().copied().collect();
        self.source
            .claim(
                &queues,
                &self.holder,
                self.clock.now(),
                self.options.lease,
                limit,
            )
            .await
    }

    async fn work(self: Arc<Self>, job: ClaimedJob, stop: CancellationToken) {
        // Claimed again although we still run it: our own lease ran out. The first run lost it.
        if !self.running().insert(job.id) {
            return;
        }
        let began = self.clock.now();
        let outcome = self.run_leased(&job, &stop).await;
        self.running().remove(&job.id);
        let word = match outcome {
            Ok(word) => word,
            Err(SourceError::LeaseLost(_)) => {
                tracing::warn!(job.id = %job.id, queue = job.queue, "the lease of a job was lost; its outcome is not recorded");
                "lost"
            }
            Err(why) => {
                tracing::error!(
                    job.id = %job.id, queue = job.queue, error = &why as &dyn std::error::Error,
                    "the outcome of a job could not be recorded; it will run again"
                );
                "unrecorded"
            }
        };
        let spent = self.clock.now().since(began);
        metrics::counter!("fractal_jobs_total", "queue" => job.queue.clone(), "outcome" => word)
            .increment(1);
        metrics::histogram!("fractal_job_duration_seconds", "queue" => job.queue.clone())
            .record(spent.as_secs_f64());
    }

    /// Runs the behaviour while prolonging the lease, and records what came out.
    async fn run_leased(
        &self,
        job: &ClaimedJob,
        stop: &CancellationToken,
    ) -> Result<&'static str, SourceError> {
        let Some(handler) = self.handlers.get(job.queue.as_str()) else {
            // Sources give only what was asked for; an unknown queue is left to others.
            return Ok("unknown");
        };
        let context = JobContext {
            stop: stop.child_token(),
            job: job.clone(),
        };
        // A task of its own, so that a panic in one job is an outcome and not the end of the worker.
        let (behaviour, given) = (Arc::clone(handler), context.clone());
        let mut task = AbortOnDrop(tokio::spawn(async move { behaviour.run(&given).await }));
        let result = loop {
            tokio::select! {
                // An outcome that is there counts, also when the lease is to be prolonged.
                biased;
                ended = &mut task.0 => {
                    break ended.unwrap_or_else(|_| Err(Failure::Retry("the job panicked".into())));
                }
                () = self.clock.sleep(self.options.lease / 3) => {
                    let until = self.clock.now().after(self.options.lease);
                    match self.source.extend(job, until).await {
                        Ok(()) => {}
                        Err(lost @ SourceError::LeaseLost(_)) => {
                            context.stop.cancel();
                            return Err(lost);
                        }
                        // The lease still has two thirds; the next beat tries again.
                        Err(why) => tracing::warn!(
                            job.id = %job.id, error = &why as &dyn std::error::Error,
                            "the lease of a job could not be prolonged"
                        ),
                    }
                }
            }
        };
        let now = self.clock.now();
        let (error, wait) = match result {
            Ok(()) => {
                self.source.complete(job, now).await?;
                return Ok("done");
            }
            Err(Failure::NotYet(wait)) => {
                let at = now.after(wait);
                self.source.postpone(job, at).await?;
                self.look_again(Some(at));
                return Ok("waiting");
            }
            Err(Failure::GiveUp(error)) => (error, None),
            Err(Failure::Retry(error)) => {
                let wait = self.options.backoff.spread(job.attempt, &*self.entropy);
                (error, Some(wait))
            }
            Err(Failure::RetryAfter(wait, error)) => (error, Some(wait)),
        };
        let retry_at = wait
            .filter(|_| job.attempt < job.max_attempts)
            .map(|wait| now.after(wait));
        if retry_at.is_none() {
            tracing::error!(job.id = %job.id, queue = job.queue, attempt = job.attempt, "a job was given up: {error}");
        }
        self.source.fail(job, &error, retry_at, now).await?;
        self.look_again(retry_at);
        Ok(if retry_at.is_some() { "retry" } else { "dead" })
    }

    fn upcoming(&self) -> std::sync::MutexGuard<'_, BTreeSet<Timestamp>> {
        self.upcoming
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn look_again(&self, at: Option<Timestamp>) {
        if let Some(at) = at {
            self.upcoming().insert(at);
            // The loop may sleep already, for longer.
            self.wake.notify_one();
        }
    }

    fn until_next_look(&self) -> Duration {
        let now = self.clock.now();
        let mut upcoming = self.upcoming();
        *upcoming = upcoming.split_off(&now.after(Duration::from_micros(1)));
        let first = upcoming.first().map(|at| at.since(now));
        first.map_or(self.options.poll, |wait| wait.min(self.options.poll))
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeSet<JobId>> {
        self.running
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
