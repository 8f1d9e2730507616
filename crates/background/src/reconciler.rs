//! The driver of reconcilers: which keys are due, at most one run per key, a bounded number at once.

use std::{fmt, sync::Arc, time::Duration};

use fractal_clock::{SharedClock, SharedEntropy};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Backoff, board::Board, task::AbortOnDrop};

/// When a key should be looked at again if nobody wakes it before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// At the next sweep: seen equals wanted.
    Settled,
    /// After this much: something is under way.
    After(Duration),
    /// As the backoff says: it failed. The reason was recorded by the reconciler.
    Failed,
    /// Never: the key is gone.
    Forget,
}

/// Makes seen equal wanted for one key, a bounded amount per call.
#[async_trait::async_trait]
pub trait Reconcile: Send + Sync + 'static {
    /// What is reconciled, by an ordered id.
    type Key: Clone + Ord + Send + Sync + fmt::Debug + fmt::Display + 'static;

    /// One word for spans and metrics.
    fn name(&self) -> &'static str;

    /// Every key there is; asked at start and at every sweep. What is missing is forgotten.
    ///
    /// # Errors
    /// A message when they cannot be read; the sweep is tried again.
    async fn keys(&self) -> Result<Vec<Self::Key>, String>;

    /// Looks at one key and acts. Never called twice at once for one key.
    async fn run_once(&self, key: &Self::Key, stop: &CancellationToken) -> Next;
}

/// How a reconciler is driven.
#[derive(Debug, Clone, Copy)]
pub struct ReconcilerOptions {
    /// How many keys at once.
    pub concurrency: usize,
    /// How often every key is looked at without being woken.
    pub sweep: Duration,
    /// The wait after failures of one key.
    pub backoff: Backoff,
    /// How long running keys may go on after the stop signal.
    pub grace: Duration,
}

impl Default for ReconcilerOptions {
    fn default() -> Self {
        Self {
            concurrency: 16,
            sweep: Duration::from_secs(60),
            backoff: Backoff {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(60),
            },
            grace: Duration::from_secs(20),
        }
    }
}

/// Wakes keys. Cheap to clone; a wake is never lost and never runs a key twice at once.
#[derive(Debug)]
pub struct Signal<K>(Arc<Board<K>>);

impl<K> Clone for Signal<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Ord + Clone> Signal<K> {
    /// Has the key looked at now; if it is being looked at, once more afterwards.
    pub fn wake(&self, key: K) {
        self.0.wake(key);
    }
}

/// Drives one reconciler.
pub struct Reconciler<R: Reconcile> {
    reconcile: Arc<R>,
    board: Arc<Board<R::Key>>,
    entropy: SharedEntropy,
    options: ReconcilerOptions,
}

impl<R: Reconcile> fmt::Debug for Reconciler<R> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reconciler")
            .field("name", &self.reconcile.name())
            .finish_non_exhaustive()
    }
}

impl<R: Reconcile> Reconciler<R> {
    /// A driver that knows no key yet.
    #[must_use]
    pub fn new(
        reconcile: Arc<R>,
        clock: SharedClock,
        entropy: SharedEntropy,
        options: ReconcilerOptions,
    ) -> Self {
        Self {
            reconcile,
            board: Arc::new(Board::new(clock)),
            entropy,
            options,
        }
    }

    /// What wakes its keys.
    #[must_use]
    pub fn signal(&self) -> Signal<R::Key> {
        Signal(Arc::clone(&self.board))
    }

    /// Works until `stop`, then lets running keys end within the grace.
    pub async fn run(&self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        let kill = CancellationToken::new();
        let clock = Arc::clone(&self.board.clock);
        let mut next_sweep = clock.now();
        while !stop.is_cancelled() {
            if clock.now() >= next_sweep {
                let swept = self.sweep().await;
                let wait = if swept {
                    self.options.sweep
                } else {
                    self.options.backoff.first
                };
                next_sweep = clock.now().after(wait);
            }
            let limit = self.options.concurrency.max(1);
            while let Some(key) = self.board.take_due(limit) {
                let (run, stop, kill) = (self.one(key), stop.clone(), kill.clone());
                tasks.spawn(async move {
                    kill.run_until_cancelled(run(stop)).await;
                });
            }
            // With every slot taken, only the end of a run matters, and that notifies.
            let until = self
                .board
                .next_due(limit)
                .map_or(next_sweep, |due| due.min(next_sweep));
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.board.changed.notified() => {}
                () = clock.sleep(until.since(clock.now())) => {}
            }
        }
        tasks.close();
        if tokio::time::timeout(self.options.grace, tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                reconciler = self.reconcile.name(),
                "some work was cut off at shutdown"
            );
            kill.cancel();
            tasks.wait().await;
        }
    }

    /// Sweeps, then runs everything that is due until nothing is; returns how many runs there were.
    /// For tests. Stops after `10_000` runs, because a reconciler that never settles would hang it.
    pub async fn run_all_due(&self) -> usize {
        self.sweep().await;
        let mut runs = 0;
        while runs < 10_000 {
            let Some(key) = self.board.take_due(usize::MAX) else {
                break;
            };
            self.one(key)(CancellationToken::new()).await;
            runs += 1;
        }
        runs
    }

    async fn sweep(&self) -> bool {
        match self.reconcile.keys().await {
            Ok(keys) => {
                metrics::gauge!("fractal_reconciler_keys", "reconciler" => self.reconcile.name())
                    .set(keys.len() as f64);
                self.board.sweep(keys);
                true
            }
            Err(why) => {
                tracing::warn!(
                    reconciler = self.reconcile.name(),
                    "keys cannot be listed: {why}"
                );
                false
            }
        }
    }

    /// One run of one key; whatever happens to it, the key ends up not running.
    fn one(
        &self,
        key: R::Key,
    ) -> impl FnOnce(CancellationToken) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + use<R>
    {
        let reconcile = Arc::clone(&self.reconcile);
        let board = Arc::clone(&self.board);
        let (entropy, backoff) = (Arc::clone(&self.entropy), self.options.backoff);
        move |stop| {
            Box::pin(async move {
                let (name, began) = (reconcile.name(), board.clock.now());
                let (task_key, task_stop) = (key.clone(), stop);
                // A task of its own turns a panic into a failure of this key alone.
                let task =
                    tokio::spawn(async move { reconcile.run_once(&task_key, &task_stop).await });
                let mut task = AbortOnDrop(task);
                let next = match (&mut task.0).await {
                    Ok(next) => next,
                    Err(why) => {
                        tracing::error!(reconciler = name, key = %key, "a reconciler failed: {why}");
                        Next::Failed
                    }
                };
                let word = match next {
                    Next::Settled => "settled",
                    Next::After(_) => "pending",
                    Next::Failed => "failed",
                    Next::Forget => "forgotten",
                };
                let spent = board.clock.now().since(began);
                board.ended(&key, next, |failures| backoff.spread(failures, &*entropy));
                metrics::counter!("fractal_reconciler_runs_total", "reconciler" => name, "outcome" => word)
                    .increment(1);
                metrics::histogram!("fractal_reconciler_duration_seconds", "reconciler" => name)
                    .record(spent.as_secs_f64());
            })
        }
    }
}
