//! Makes what is seen of an instance equal what is wanted. The only caller of the runtime's actions.
//!
//! One bounded step at a time, chosen by [`super::plan`]; the driver comes back by signal and by timer. Every action carries the
//! row's generation as its fence, and what was seen is written under it, so a late reconciler changes nothing.

mod configure;
mod end;
mod look;
mod see;
mod start;

use std::{io, time::Duration};

use async_trait::async_trait;
use fractal_background::{Next, Reconcile};
use fractal_runtime::contract::{self, ErrorClass, Observation};
use fractal_store::{Instance, Tx, instances};
use fractal_types::{Generation, InstanceId, SeenState, StopReason, WantedState};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    all_live,
    config::STOP_GRACE,
    idle,
    plan::{Step, WELL_AFTER, next_step},
    wanted::{stop_for_disk, wake},
};
use crate::{App, Context, Error, Result, engine, session::note, user};

/// While something starts or stops, it is looked at this often.
const SOON: Duration = Duration::from_millis(400);

/// While an instance is awake, it is looked at this often: sizes, idleness, and the supervisor's life sign.
const AWAKE: Duration = Duration::from_secs(5);

/// The pause after a proof that failed.
const PROOF_PAUSE: Duration = Duration::from_secs(2);

/// How often sizes are written down.
const MEASURE_EVERY: Duration = Duration::from_secs(15);

/// Serves the instance listener in an instance's folder. The data plane implements it; doing it again is no harm.
#[async_trait]
pub trait Listeners: Send + Sync + std::fmt::Debug {
    /// Serves it from now on.
    ///
    /// # Errors
    ///
    /// When the socket cannot be bound.
    async fn serve(&self, id: InstanceId, dir: &std::path::Path) -> io::Result<()>;

    /// Ends it.
    async fn end(&self, id: InstanceId);
}

/// The reconciler of instances.
#[derive(Debug)]
pub struct InstanceReconciler {
    app: App,
}

impl InstanceReconciler {
    /// A reconciler over the house.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Reconcile for InstanceReconciler {
    type Key = InstanceId;

    fn name(&self) -> &'static str {
        "instance"
    }

    async fn keys(&self) -> std::result::Result<Vec<InstanceId>, String> {
        let _ = self.app.runtime.heartbeat().await;
        let rows = all_live(&self.app)
            .await
            .map_err(|error| error.to_string())?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    async fn run_once(&self, id: &InstanceId, _stop: &CancellationToken) -> Next {
        match self.app.reconcile(*id).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(instance.id = %id, "the instance could not be brought into its wanted state: {}", chain(&error));
                Next::Failed
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// A runtime that cannot be asked, as people see it.
pub(crate) fn unavailable(error: contract::Error) -> Error {
    Error::new(fractal_api_types::ProblemCode::Unavailable)
        .detail(error.message.clone())
        .because(error)
}

impl App {
    /// Looks at one instance and takes one step.
    async fn reconcile(&self, id: InstanceId) -> Result<Next> {
        let Some(mut row) = instances::find(&self.store.read(), id).await? else {
            self.let_go(id).await;
            self.live.forget(id);
            return Ok(Next::Forget);
        };
        if row.deleted_at.is_some() {
            return self.forget(&row).await;
        }
        if let Some(next) = self.appointment(&row).await? {
            return Ok(next);
        }
        let observation = match self.runtime.observe(id).await {
            Ok(observation) => observation,
            Err(error) if error.class == ErrorClass::Unreachable => {
                self.see(&mut row, SeenState::Unreachable, Some(error.message))
                    .await?;
                return Ok(Next::Failed);
            }
            Err(error) => return Err(unavailable(error)),
        };
        if observation.generation > row.generation {
            return self.catch_up(&row, observation.generation).await;
        }
        self.attend(&row, &observation).await?;
        let facts = self.facts(&row, &observation).await?;
        let step = next_step(&facts);
        tracing::debug!(instance.id = %id, ?step, link = ?facts.link, "reconcile");
        self.carry_out(&mut row, &observation, step).await
    }

    /// Gets ahead of a runtime that has acted in a generation which the database does not know: then the database was put back to an
    /// earlier state, for nobody else acts on it. Without this every action would be refused as late, for ever. What runs was wished by
    /// what is forgotten, so it is started anew if it is wanted at all.
    async fn catch_up(&self, row: &Instance, acted: Generation) -> Result<Next> {
        let raised = self
            .store
            .tx("instances.catch_up", async |tx: Tx| {
                let mut row = instances::get(&tx, row.id).await?;
                if acted <= row.generation {
                    return Ok(false);
                }
                let values = vec![("from", json!(row.generation)), ("to", json!(acted.next()))];
                row.generation = acted.next();
                row.updated_at = self.clock.now();
                instances::update(&tx, &row).await?;
                let system = Context::system(row.organization_id);
                let id = row.id.to_string();
                note(
                    self,
                    &tx,
                    &system,
                    "instance.catch_up",
                    "instance",
                    id,
                    values,
                )
                .await?;
                Ok::<_, Error>(true)
            })
            .await?;
        if raised {
            tracing::warn!(instance.id = %row.id, acted = %acted, known = %row.generation, "the database is older than what runs; its generation was raised");
        }
        Ok(Next::After(Duration::ZERO))
    }

    /// Wakes a sleeping instance whose own appointment is near.
    async fn appointment(&self, row: &Instance) -> Result<Option<Next>> {
        let Some(at) = row.next_wake_at.filter(|_| {
            row.wanted == WantedState::Stopped && row.stop_reason == Some(StopReason::Idle)
        }) else {
            return Ok(None);
        };
        if at <= self.clock.now() && user::is_active(&self.store.read(), row.user_id).await? {
            // When somebody came first, the next look sees their wish.
            let _ = wake(self, row, "appointment").await?;
            return Ok(Some(Next::After(Duration::ZERO)));
        }
        Ok(None)
    }

    async fn carry_out(
        &self,
        row: &mut Instance,
        observation: &Observation,
        step: Step,
    ) -> Result<Next> {
        match step {
            Step::Rest => self.rest(row).await,
            Step::WaitUntil(at) => Ok(Next::After(
                at.since(self.clock.now()).max(Duration::from_millis(50)),
            )),
            Step::AwaitEngine => {
                let reason = engine::waiting_reason(self, row.engine_id);
                self.see(row, SeenState::Pending, Some(reason)).await?;
                Ok(Next::After(Duration::from_secs(2)))
            }
            Step::Start => self.launch(row).await,
            Step::Connect => self.connect(row, observation).await,
            Step::Prove => self.begin_proof(row, observation).await,
            Step::AwaitProof => {
                self.see_starting(row, "its gateway is up and answers a test turn")
                    .await?;
                Ok(Next::After(SOON))
            }
            Step::NoteReady => self.note_ready(row).await,
            Step::Configure => self.configure(row).await,
            Step::Stop => self.end(row, STOP_GRACE, None).await,
            Step::NoteDisk(pressure) => {
                row.disk_bytes = observation.disk_bytes;
                self.note_disk(row, pressure).await?;
                Ok(Next::After(Duration::ZERO))
            }
            Step::StopForDisk => {
                // The size that it is stopped for is the one that is shown.
                self.measure(row, observation).await?;
                // When somebody came first, the next look sees their wish.
                if stop_for_disk(self, row).await? {
                    tracing::warn!(instance.id = %row.id, disk_bytes = observation.disk_bytes, "stopped, because its files have reached their limit");
                    metrics::counter!("fractal_instance_disk_stops_total").increment(1);
                }
                Ok(Next::After(Duration::ZERO))
            }
            Step::Abandon(reason) => self.end(row, Duration::from_secs(5), Some(reason)).await,
            Step::Remove => self.remove(row).await,
            Step::CountEnd(exit, at) => self.count_end(row, &exit, at).await,
            Step::NoteStopped => {
                self.let_go(row.id).await;
                self.see(row, SeenState::Stopped, None).await?;
                Ok(Next::After(Duration::ZERO))
            }
            Step::GiveUp(seen, reason) => {
                self.let_go(row.id).await;
                // Said once, with what was known then.
                if row.seen == seen {
                    return Ok(Next::Settled);
                }
                self.see(row, seen, Some(reason)).await?;
                Ok(Next::Settled)
            }
        }
    }

    /// Everything is as wanted.
    async fn rest(&self, row: &mut Instance) -> Result<Next> {
        if row.wanted != WantedState::Running {
            self.let_go(row.id).await;
            self.live
                .publish(row.id, row.seen, row.seen_reason.clone(), None);
            return Ok(match row.next_wake_at {
                Some(at) if at > self.clock.now() => Next::After(at.since(self.clock.now())),
                // Its owner is suspended, and letting them back in signals.
                _ => Next::Settled,
            });
        }
        self.release_slot(row.id);
        let well = self
            .live
            .started_at(row.id)
            .is_some_and(|since| self.clock.now().since(since) >= WELL_AFTER);
        if well && row.failure_count > 0 {
            row.failure_count = 0;
            self.see(row, SeenState::Ready, None).await?;
        }
        self.live.publish(row.id, SeenState::Ready, None, None);
        let now = self.clock.now();
        if self.live.is_busy(row.id) {
            // The time until it sleeps begins when the turn ends, however long that took.
            self.live.touch(row.id, now);
        }
        match idle::due_at(self, row) {
            Some(due) if due <= now => {
                if let Some(connection) = self.live.connection(row.id)
                    && idle::try_sleep(self, row, &connection.gateway).await?
                {
                    return Ok(Next::After(Duration::ZERO));
                }
                Ok(Next::After(AWAKE))
            }
            Some(due) => Ok(Next::After(due.since(now).min(AWAKE))),
            None => Ok(Next::After(AWAKE)),
        }
    }
}
