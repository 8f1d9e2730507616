//! Many operations, two workers, lost leases, jumps of the clock: every effect happens once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fractal_app::operation;
use fractal_background::{
    ClaimedJob, JobSource, SourceError, StoredJobs, Worker, WorkerOptions,
    operation::{At, Kind, Limits, Progress, Step, Trouble, job},
};
use fractal_clock::{Entropy, SeededEntropy};
use fractal_store::{Operation, OperationFilter, OperationStep, PageRequest, Tx, jobs, operations};
use fractal_testing::{
    house::{House, house},
    on_postgresql,
};
use fractal_types::{OperationId, OperationState, StepState, Timestamp, UserId};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

on_postgresql! {
    a_thousand_operations_of_two_workers_have_each_effect_once
}

/// How many. On SQLite, where there is one writer anyway, fewer.
const fn count(on_postgresql: bool) -> usize {
    if on_postgresql { 1_000 } else { 100 }
}

const LEASE: Duration = Duration::from_secs(15);

const STEPS: &[Step] = &[
    Step::new("take", Duration::from_secs(1 << 30)),
    Step::new("give", Duration::from_secs(1 << 30)),
];

/// The outside: it counts what is done to it, and refuses whoever comes with an older fence than somebody it has seen.
#[derive(Debug, Default)]
struct Peer {
    accounts: Mutex<BTreeMap<OperationId, Account>>,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Account {
    fence: u64,
    effects: BTreeMap<&'static str, u32>,
}

impl Peer {
    fn with<T>(&self, at: &At<'_>, act: impl FnOnce(&mut Account) -> T) -> Result<T, Trouble> {
        let mut accounts = self.accounts.lock().unwrap();
        let account = accounts.entry(at.operation.id).or_default();
        if at.operation.fence < account.fence {
            self.refused.fetch_add(1, Ordering::SeqCst);
            return Err(Trouble::Unrecorded("a later one has acted".into()));
        }
        account.fence = at.operation.fence;
        Ok(act(account))
    }
}

#[derive(Debug)]
struct Move(Arc<Peer>);

#[async_trait]
impl Kind for Move {
    fn name(&self) -> &'static str {
        "test.move"
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    async fn run(&self, step: &'static str, at: At<'_>) -> Result<Progress, Trouble> {
        // It looks before it acts, and others come in between.
        let there = self
            .0
            .with(&at, |account| account.effects.contains_key(step))?;
        tokio::task::yield_now().await;
        if !there {
            self.0.with(&at, |account| {
                *account.effects.entry(step).or_default() += 1;
            })?;
            tokio::task::yield_now().await;
        }
        Ok(Progress::Done(json!({})))
    }

    async fn undo(&self, _: &'static str, _: At<'_>) -> Result<Progress, Trouble> {
        Ok(Progress::Done(Value::Null))
    }

    async fn settle(&self, _: &Tx, _: &Operation) -> fractal_store::Result<()> {
        Ok(())
    }
}

/// The queue, of a worker that now and then learns that its lease is gone, and then loses what it works on wherever that is.
#[derive(Debug)]
struct Flaky {
    inner: StoredJobs,
    entropy: SeededEntropy,
}

#[async_trait]
impl JobSource for Flaky {
    async fn claim(
        &self,
        queues: &[&str],
        holder: &str,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<ClaimedJob>, SourceError> {
        self.inner.claim(queues, holder, now, lease, limit).await
    }

    async fn extend(&self, job: &ClaimedJob, until: Timestamp) -> Result<(), SourceError> {
        let mut dice = [0];
        self.entropy.fill(&mut dice);
        if dice[0] < 64 {
            return Err(SourceError::LeaseLost(job.id));
        }
        self.inner.extend(job, until).await
    }

    async fn complete(&self, job: &ClaimedJob, now: Timestamp) -> Result<(), SourceError> {
        self.inner.complete(job, now).await
    }

    async fn postpone(&self, job: &ClaimedJob, run_at: Timestamp) -> Result<(), SourceError> {
        self.inner.postpone(job, run_at).await
    }

    async fn fail(
        &self,
        job: &ClaimedJob,
        error: &str,
        retry_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), SourceError> {
        self.inner.fail(job, error, retry_at, now).await
    }
}

async fn begin(house: &House, user_id: UserId, count: usize) {
    let app = &house.app;
    app.store
        .tx("test", async |tx: Tx| {
            for _ in 0..count {
                let row = Operation {
                    id: app.new_id(),
                    organization_id: app.organization_id,
                    user_id,
                    kind: "test.move".into(),
                    resource_kind: "instance".into(),
                    resource_id: "one".into(),
                    runtime_asset_id: None,
                    actor: Value::Null,
                    proposal_id: None,
                    request_id: None,
                    input: Value::Null,
                    state: OperationState::Pending,
                    stuck_undoing: false,
                    step: 0,
                    fence: 0,
                    cancelled_by: None,
                    reason: None,
                    created_at: app.clock.now(),
                    started_at: None,
                    settled_at: None,
                };
                operations::insert(&tx, &row).await?;
                for (step, number) in STEPS.iter().zip(0..) {
                    let step = OperationStep {
                        id: app.new_id(),
                        operation_id: row.id,
                        number,
                        name: step.name.into(),
                        state: StepState::Pending,
                        output: Value::Null,
                        error: None,
                        attempts: 0,
                        started_at: None,
                        ended_at: None,
                        undone_at: None,
                    };
                    operations::insert_step(&tx, &step).await?;
                }
                let now = app.clock.now();
                jobs::enqueue(&tx, &job(app.new_id(), row.id, now), now).await?;
            }
            Ok::<_, fractal_store::Error>(())
        })
        .await
        .unwrap();
}

fn worker(house: &House, peer: &Arc<Peer>, number: u64) -> Worker {
    let app = &house.app;
    let kinds: Vec<Arc<dyn Kind>> = vec![Arc::new(Move(peer.clone()))];
    let limits = Limits {
        per_person: usize::MAX,
        per_asset: usize::MAX,
    };
    let source = Flaky {
        inner: StoredJobs::new(app.store.clone()),
        entropy: SeededEntropy::new(number),
    };
    Worker::new(
        Arc::new(source),
        [(
            operation::QUEUE,
            Arc::new(operation::work_with(app, kinds, limits)) as _,
        )],
        app.clock.clone(),
        app.entropy.clone(),
        format!("worker {number}"),
        WorkerOptions {
            concurrency: 4,
            lease: LEASE,
            poll: Duration::from_secs(1),
            ..WorkerOptions::default()
        },
    )
}

async fn unsettled(house: &House) -> usize {
    let mut open = 0;
    for state in [OperationState::Pending, OperationState::Running] {
        let filter = OperationFilter {
            state: Some(state),
            ..OperationFilter::default()
        };
        let one = PageRequest {
            limit: 1,
            ..PageRequest::default()
        };
        let db = house.app.store.read();
        let page = operations::list(&db, house.app.organization_id, &filter, &one).await;
        open += page.unwrap().items.len();
    }
    open
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_operations_of_two_workers_have_each_effect_once() {
    let house = house().await;
    let owner = house.context(&house.claim().await).await;
    let count = count(house.is_on_postgresql());
    begin(&house, owner.user_id().unwrap(), count).await;
    let peer = Arc::new(Peer::default());
    let stop = CancellationToken::new();
    let running: Vec<_> = [1, 2]
        .into_iter()
        .map(|number| {
            let (worker, stop) = (worker(&house, &peer, number), stop.clone());
            tokio::spawn(async move { worker.run(stop).await })
        })
        .collect();
    let dice = SeededEntropy::new(3);
    for _ in 0..100_000 {
        if unsettled(&house).await == 0 {
            break;
        }
        // A beat of the leases; now and then so far that they all run out under those who hold them.
        let mut roll = [0];
        dice.fill(&mut roll);
        let jump = if roll[0] < 16 { LEASE * 2 } else { LEASE / 3 };
        house.clock.advance(jump);
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    assert_eq!(unsettled(&house).await, 0);
    stop.cancel();
    for worker in running {
        worker.await.unwrap();
    }
    let accounts = std::mem::take(&mut *peer.accounts.lock().unwrap());
    assert_eq!(accounts.len(), count);
    for (id, account) in &accounts {
        for step in STEPS {
            assert_eq!(
                account.effects.get(step.name),
                Some(&1),
                "{id} {}",
                step.name
            );
        }
    }
    // And the log has each step and each end once.
    assert_eq!(house.log("operation.step").await.len(), count * STEPS.len());
    assert_eq!(house.log("operation.settle").await.len(), count);
    let interrupted = accounts.values().filter(|account| account.fence > 1);
    assert!(interrupted.count() > 0, "nothing was interrupted");
}
