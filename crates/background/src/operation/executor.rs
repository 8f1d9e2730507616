//! Carries operations out: the handler of their jobs.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fractal_clock::SharedClock;
use fractal_store::{NewJob, Operation, OperationStep, Store, Tx, operations};
use fractal_types::{JobId, OperationId, OperationState, StepState, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    At, Guard, Journal, Kind, Progress, Step, Trouble,
    machine::{Machine, Outcome},
};
use crate::{Backoff, Failure, JobContext, JobHandler};

/// The queue of this work.
pub const QUEUE: &str = "operations";

/// How often the work on one operation may begin. A worker that is killed uses one up; what a step may fail is counted with the step.
const ATTEMPTS: u32 = 1_000_000;

/// How long one that has to wait for others waits between two looks.
const TURN: Duration = Duration::from_secs(1);

/// How long one that this release does not know is left to others.
const UNKNOWN: Duration = Duration::from_secs(30);

#[derive(Serialize, Deserialize)]
struct Payload {
    operation: OperationId,
}

/// The job that has an operation carried on.
#[must_use]
pub fn job(id: JobId, operation: OperationId, run_at: Timestamp) -> NewJob {
    NewJob {
        id,
        queue: QUEUE.to_owned(),
        payload: serde_json::to_value(Payload { operation }).unwrap_or_default(),
        run_at,
        max_attempts: ATTEMPTS,
    }
}

/// How many operations are at work at once.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// For one person.
    pub per_person: usize,
    /// On one machine surface.
    pub per_asset: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_person: 2,
            per_asset: 8,
        }
    }
}

/// Carries operations out.
#[derive(Debug)]
pub struct Executor {
    store: Store,
    clock: SharedClock,
    kinds: BTreeMap<&'static str, Arc<dyn Kind>>,
    guard: Arc<dyn Guard>,
    journal: Arc<dyn Journal>,
    limits: Limits,
    /// Kinds that take no turn.
    without_a_turn: Vec<&'static str>,
    backoff: Backoff,
}

/// What is to be written.
enum Next {
    /// It was cancelled.
    Turn,
    /// Its step came to this.
    Advance(Outcome),
}

/// What is stored about one.
struct Rows {
    operation: Operation,
    steps: Vec<OperationStep>,
}

impl Executor {
    /// For these kinds.
    #[must_use]
    pub fn new(
        store: Store,
        clock: SharedClock,
        kinds: impl IntoIterator<Item = Arc<dyn Kind>>,
        guard: Arc<dyn Guard>,
        journal: Arc<dyn Journal>,
        limits: Limits,
    ) -> Self {
        let kinds: Vec<_> = kinds.into_iter().collect();
        let waiting = kinds.iter().filter(|kind| !kind.takes_a_turn());
        let without_a_turn = waiting.map(|kind| kind.name()).collect();
        let kinds = kinds.into_iter().map(|kind| (kind.name(), kind));
        Self {
            without_a_turn,
            store,
            clock,
            kinds: kinds.collect(),
            guard,
            journal,
            limits,
            backoff: Backoff {
                first: Duration::from_secs(1),
                longest: Duration::from_secs(30),
            },
        }
    }

    /// Takes the operation, and begins it when it is its turn.
    async fn take(&self, id: OperationId) -> Result<Option<Rows>, fractal_store::Error> {
        self.store
            .tx("operations.take", async |tx: Tx| {
                if operations::find(&tx, id).await?.is_none() {
                    return Ok(None);
                }
                let mut operation = operations::take(&tx, id).await?;
                let mut steps = operations::steps(&tx, id).await?;
                if operation.state == OperationState::Pending {
                    let (of_person, on_asset) =
                        operations::count_at_work(&tx, &operation, &self.without_a_turn).await?;
                    if of_person < self.limits.per_person && on_asset < self.limits.per_asset {
                        let mut machine = self.machine(&mut operation, &mut steps, &[]);
                        machine.begin();
                        operations::update(&tx, &operation).await?;
                        operations::update_step(&tx, &steps[0]).await?;
                    }
                }
                Ok(Some(Rows { operation, steps }))
            })
            .await
    }

    fn machine<'a>(
        &self,
        row: &'a mut Operation,
        steps: &'a mut [OperationStep],
        kind: &'a [Step],
    ) -> Machine<'a> {
        Machine {
            row,
            steps,
            kind,
            now: self.clock.now(),
        }
    }

    /// Writes what follows, if the operation is still ours.
    async fn write(
        &self,
        kind: &dyn Kind,
        rows: &Rows,
        next: &Next,
    ) -> Result<Rows, fractal_store::Error> {
        let id = rows.operation.id;
        let written = self
            .store
            .tx("operations.write", async |tx: Tx| {
                let mut operation = operations::check(&tx, id, rows.operation.fence).await?;
                let mut steps = operations::steps(&tx, id).await?;
                let before = steps.clone();
                let mut machine = self.machine(&mut operation, &mut steps, kind.steps());
                let events = match next {
                    Next::Turn => machine.heed_cancel(),
                    Next::Advance(outcome) => machine.advance(outcome.clone()),
                };
                operations::update(&tx, &operation).await?;
                for (step, _) in steps.iter().zip(&before).filter(|(now, then)| now != then) {
                    operations::update_step(&tx, step).await?;
                }
                if operation.state.is_settled() {
                    kind.settle(&tx, &operation).await?;
                }
                for event in &events {
                    self.journal.note(&tx, &operation, event).await?;
                }
                Ok::<_, fractal_store::Error>(Rows { operation, steps })
            })
            .await?;
        self.journal.written();
        Ok(written)
    }

    /// Works on the step that it is the turn of.
    async fn work(&self, kind: &dyn Kind, rows: &Rows) -> Result<Progress, Trouble> {
        let (operation, steps) = (&rows.operation, &rows.steps);
        let Some(step) = kind.steps().get(operation.step as usize) else {
            return Err(Trouble::Lasting(
                "this release knows no such step of it".to_owned(),
            ));
        };
        let since = Machine::since(operation, steps).unwrap_or(operation.created_at);
        let left = step.limit.checked_sub(self.clock.now().since(since));
        let Some(left) = left.filter(|left| !left.is_zero()) else {
            let minutes = step.limit.as_secs().div_ceil(60);
            let why = format!("it took longer than {minutes} minutes");
            // What it was last told is what people need.
            let last = steps.get(operation.step as usize);
            return Err(Trouble::Lasting(
                match last.and_then(|step| step.error.clone()) {
                    Some(last) => format!("{why}: {last}"),
                    None => why,
                },
            ));
        };
        let at = At { operation, steps };
        let doing = async {
            if operation.state == OperationState::Undoing {
                kind.undo(step.name, at).await
            } else {
                if operation.step == 0 {
                    self.guard.before(operation).await?;
                }
                kind.run(step.name, at).await
            }
        };
        tokio::select! {
            // What came out in time counts.
            biased;
            outcome = doing => outcome,
            () = self.clock.sleep(left) => Ok(Progress::Wait(Duration::ZERO)),
        }
    }

    async fn carry_on(&self, id: OperationId, context: &JobContext) -> Result<(), Failure> {
        let unrecorded = |error: fractal_store::Error| Failure::Retry(error.to_string());
        let Some(mut rows) = self.take(id).await.map_err(unrecorded)? else {
            return Ok(());
        };
        let Some(kind) = self.kinds.get(rows.operation.kind.as_str()).cloned() else {
            // During an upgrade another process may know it already.
            let kind = &rows.operation.kind;
            tracing::warn!(operation.id = %id, "this release knows no operation {kind}");
            return Err(Failure::NotYet(UNKNOWN));
        };
        let kind = &*kind;
        loop {
            match rows.operation.state {
                OperationState::Pending => return Err(Failure::NotYet(TURN)),
                OperationState::Running | OperationState::Undoing => {}
                OperationState::Done | OperationState::Undone | OperationState::Stuck => {
                    return Ok(());
                }
            }
            if context.stop.is_cancelled() {
                return Err(Failure::NotYet(Duration::ZERO));
            }
            if rows.operation.cancelled_by.is_some()
                && rows.operation.state == OperationState::Running
            {
                let turned = self.write(kind, &rows, &Next::Turn).await;
                rows = turned.map_err(unrecorded)?;
            }
            let outcome = match self.work(kind, &rows).await {
                Ok(Progress::Wait(wait)) => return Err(Failure::NotYet(wait)),
                Ok(Progress::Done(output)) => Outcome::Done(output),
                Err(Trouble::Passing(why)) => Outcome::Passing(why),
                Err(Trouble::Lasting(why)) => Outcome::Lasting(why),
                Err(Trouble::Unrecorded(error)) => return Err(Failure::Retry(error.to_string())),
            };
            let passing = matches!(outcome, Outcome::Passing(_));
            let written = self.write(kind, &rows, &Next::Advance(outcome)).await;
            rows = written.map_err(unrecorded)?;
            let step = rows.steps.get(rows.operation.step as usize);
            let tries = step.map_or(0, |step| step.attempts);
            let again = step
                .is_some_and(|step| matches!(step.state, StepState::Running | StepState::Undoing));
            if passing && again && tries > 0 {
                return Err(Failure::NotYet(self.backoff.plain(tries)));
            }
        }
    }
}

#[async_trait::async_trait]
impl JobHandler for Executor {
    async fn run(&self, context: &JobContext) -> Result<(), Failure> {
        let payload: Payload = serde_json::from_value(context.job.payload.clone())
            .map_err(|error| Failure::GiveUp(error.to_string()))?;
        self.carry_on(payload.operation, context).await
    }
}
