//! Giving an instance another engine: stop it, switch, start it, have it prove that it answers; else everything back.
//!
//! The operation holds the instance meanwhile (`held_by`), so nobody else changes what is wanted of it; a chat that needs it waits.

use std::time::Duration;

use async_trait::async_trait;
use fractal_api_types::{ChangeEngine as Body, OperationView, ProblemCode};
use fractal_background::operation::{At, Kind, Progress, Step, Trouble};
use fractal_policy::{Action, Resource};
use fractal_store::{EngineState, Instance, Operation, Tx, engines, instances, operations};
use fractal_types::{
    EngineId, InstanceId, OperationId, SeenState, StopReason, Timestamp, WantedState,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::wanted::{SetWanted, Wish};
use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
    engine,
    lookup::instance_resource,
    operation::{Wanted, view_of},
    user,
};

/// Its name as an operation.
const NAME: &str = "instance.change_engine";

const STOP: &str = "stop";
const SWITCH: &str = "switch";
const START: &str = "start";
const RESTORE: &str = "restore";

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

const STEPS: &[Step] = &[
    Step {
        name: STOP,
        limit: minutes(10),
        is_final: false,
    },
    Step {
        name: SWITCH,
        limit: minutes(5),
        is_final: false,
    },
    // With its place in the queue for a start slot.
    Step {
        name: START,
        limit: minutes(30),
        is_final: false,
    },
    Step {
        name: RESTORE,
        limit: minutes(10),
        is_final: false,
    },
];

/// Between two looks at what is seen.
const LOOK: Duration = Duration::from_secs(1);

/// What the steps are given.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    engine_id: EngineId,
    engine_version: String,
    from_engine_id: EngineId,
    from_engine_version: String,
    /// What was wanted before, and is wanted afterwards.
    wanted: WantedState,
    stop_reason: Option<StopReason>,
    next_wake_at: Option<Timestamp>,
}

/// Begins to give an instance another engine.
///
/// # Errors
///
/// Names `/engine_id` when there is no such engine, or it is not installed; `conflict` when it has this engine already, is being deleted, or
/// an operation works on it; see [`submit`].
pub async fn change_engine(
    app: &App,
    cx: &Context,
    id: InstanceId,
    body: Body,
) -> Result<OperationView> {
    let change = Begin {
        id,
        operation_id: app.new_id(),
        engine_id: body.engine_id,
    };
    let row = submit(app, cx, change).await?;
    view_of(app, cx, &app.store.read(), row).await
}

struct Begin {
    id: InstanceId,
    operation_id: OperationId,
    engine_id: EngineId,
}

#[async_trait]
impl Change for Begin {
    type Output = Operation;

    fn action(&self) -> Action {
        Action::InstanceChangeEngine
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(instance_resource(&existing(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Operation> {
        let tx = door.tx;
        let row = existing(tx, self.id).await?;
        if row.wanted == WantedState::Deleted {
            return Err(Error::conflict("it is being deleted"));
        }
        if !user::is_active(tx, row.user_id).await? {
            return Err(Error::conflict("its owner is suspended").remedy("let them back in first"));
        }
        let engine = engines::find(tx, self.engine_id)
            .await?
            .ok_or_else(|| Error::field("/engine_id", "there is no such engine"))?;
        if engine.state != EngineState::Installed {
            return Err(Error::field("/engine_id", "is not installed"));
        }
        if let Some(why) = engine::missing(door.app, engine.id) {
            return Err(Error::field("/engine_id", why));
        }
        if engine.id == row.engine_id {
            return Err(Error::conflict(format!(
                "it runs engine {} already",
                engine.version
            )));
        }
        let from = engines::get(tx, row.engine_id).await?;
        if !instances::hold(tx, row.id, &self.operation_id.to_string(), true).await? {
            return Err(held(&row));
        }
        let input = Input {
            engine_id: engine.id,
            engine_version: engine.version,
            from_engine_id: from.id,
            from_engine_version: from.version,
            wanted: row.wanted,
            stop_reason: row.stop_reason,
            next_wake_at: row.next_wake_at,
        };
        door.note("engine_version", input.engine_version.as_str());
        door.note("from_engine_version", input.from_engine_version.as_str());
        door.begin(Wanted {
            id: self.operation_id,
            kind: &ChangeEngine::new(door.app.clone()),
            owner: row.user_id,
            asset: Some(row.runtime_asset_id),
            input: serde_json::to_value(&input).map_err(Error::internal)?,
        })
        .await
    }
}

/// What is answered while an operation works on an instance.
pub(super) fn held(row: &Instance) -> Error {
    let by = row.held_by.as_deref().unwrap_or_default();
    Error::conflict(format!("operation {by} is working on it"))
        .remedy("wait until it is over, or cancel it")
}

async fn existing(tx: &Tx, id: InstanceId) -> Result<Instance> {
    instances::find(tx, id)
        .await?
        .filter(|row| row.deleted_at.is_none())
        .ok_or_else(Error::not_found)
}

/// The kind of operation.
#[derive(Clone)]
pub struct ChangeEngine {
    app: App,
}

impl std::fmt::Debug for ChangeEngine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(NAME)
    }
}

/// A step and what it works on.
struct Work<'a> {
    app: &'a App,
    operation: &'a Operation,
    input: Input,
    row: Instance,
}

impl ChangeEngine {
    /// Of this house.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app }
    }

    /// Nothing when the instance is gone, or going.
    async fn work<'a>(
        &'a self,
        operation: &'a Operation,
    ) -> std::result::Result<Option<Work<'a>>, Trouble> {
        let wrong = || Trouble::Lasting("what it was given cannot be read".to_owned());
        let input = serde_json::from_value(operation.input.clone()).map_err(|_| wrong())?;
        let id: InstanceId = operation.resource_id.parse().map_err(|_| wrong())?;
        let row = instances::find(&self.app.store.read(), id).await?;
        let row = row.filter(|row| row.deleted_at.is_none() && row.wanted != WantedState::Deleted);
        Ok(row.map(|row| Work {
            app: &self.app,
            operation,
            input,
            row,
        }))
    }
}

#[async_trait]
impl Kind for ChangeEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    async fn run(&self, step: &'static str, at: At<'_>) -> std::result::Result<Progress, Trouble> {
        let Some(work) = self.work(at.operation).await? else {
            return Err(Trouble::Lasting(
                "the agent was deleted meanwhile".to_owned(),
            ));
        };
        match step {
            STOP => work.stopped().await,
            SWITCH => work.switched_to(work.input.engine_id).await,
            START => work.started().await,
            _ => work.as_before().await,
        }
    }

    async fn undo(&self, step: &'static str, at: At<'_>) -> std::result::Result<Progress, Trouble> {
        let Some(work) = self.work(at.operation).await? else {
            return Ok(done());
        };
        match step {
            START => work.stopped().await,
            SWITCH => work.switched_to(work.input.from_engine_id).await,
            STOP => work.wished_as_before().await,
            // What it did, the undo of the start takes back.
            _ => Ok(done()),
        }
    }

    async fn settle(&self, tx: &Tx, operation: &Operation) -> fractal_store::Result<()> {
        if let Ok(id) = operation.resource_id.parse() {
            instances::hold(tx, id, &operation.id.to_string(), false).await?;
        }
        Ok(())
    }
}

const fn done() -> Progress {
    Progress::Done(Value::Null)
}

impl Work<'_> {
    async fn wish(
        &self,
        wish: Wish,
        next_wake_at: Option<Timestamp>,
    ) -> std::result::Result<(), Trouble> {
        let action = match wish {
            Wish::Run { .. } => Action::InstanceStart,
            _ => Action::InstanceStop,
        };
        let change = SetWanted {
            id: self.row.id,
            action,
            wish,
            only_in: None,
            operation: Some((self.operation.id, self.operation.fence)),
            next_wake_at,
            cause: Some("operation"),
        };
        self.submit(change).await
    }

    async fn submit<C: Change>(&self, change: C) -> std::result::Result<(), Trouble> {
        let system = Context {
            request_id: self.operation.request_id.clone(),
            ..Context::system(self.operation.organization_id)
        };
        submit(self.app, &system, change)
            .await
            .map(|_| ())
            .map_err(trouble)
    }

    async fn stopped(&self) -> std::result::Result<Progress, Trouble> {
        if self.row.wanted != WantedState::Stopped {
            self.wish(Wish::Stop(StopReason::Operation), None).await?;
            return Ok(Progress::Wait(LOOK));
        }
        Ok(self.without_a_process())
    }

    fn without_a_process(&self) -> Progress {
        if self.row.seen.has_process() {
            Progress::Wait(LOOK)
        } else {
            done()
        }
    }

    async fn switched_to(&self, engine_id: EngineId) -> std::result::Result<Progress, Trouble> {
        if self.row.engine_id != engine_id {
            self.submit(Switch {
                id: self.row.id,
                engine_id,
                operation: (self.operation.id, self.operation.fence),
            })
            .await?;
        }
        Ok(done())
    }

    async fn started(&self) -> std::result::Result<Progress, Trouble> {
        if self.row.wanted != WantedState::Running {
            self.wish(Wish::Run { again: false }, None).await?;
            return Ok(Progress::Wait(LOOK));
        }
        match self.row.seen {
            SeenState::CrashLooping | SeenState::Failed => {
                let reason = self.row.seen_reason.as_deref();
                Err(Trouble::Lasting(format!(
                    "it does not come up with engine {}: {}",
                    self.input.engine_version,
                    reason.unwrap_or("it could not be started")
                )))
            }
            seen if seen.answers() => Ok(Progress::Done(
                json!({ "engine_version": self.input.engine_version }),
            )),
            _ => Ok(Progress::Wait(LOOK)),
        }
    }

    /// Asleep again, if it was.
    async fn as_before(&self) -> std::result::Result<Progress, Trouble> {
        if self.input.wanted == WantedState::Running {
            return Ok(done());
        }
        if self.row.wanted == WantedState::Running {
            return self.wished_as_before().await.map(|_| Progress::Wait(LOOK));
        }
        Ok(self.without_a_process())
    }

    async fn wished_as_before(&self) -> std::result::Result<Progress, Trouble> {
        let input = &self.input;
        if input.wanted == WantedState::Running {
            // Of somebody who is suspended by now it stays down.
            if self.row.wanted != WantedState::Running
                && user::is_active(&self.app.store.read(), self.row.user_id)
                    .await
                    .map_err(trouble)?
            {
                self.wish(Wish::Run { again: false }, None).await?;
            }
        } else if (self.row.wanted, self.row.stop_reason)
            != (WantedState::Stopped, input.stop_reason)
        {
            let reason = input.stop_reason.unwrap_or(StopReason::Person);
            self.wish(Wish::Stop(reason), input.next_wake_at).await?;
        }
        Ok(done())
    }
}

/// What an error of a use case means for a step.
fn trouble(error: Error) -> Trouble {
    let source = error.source.as_deref();
    let store = source.and_then(|source| source.downcast_ref::<fractal_store::Error>());
    if matches!(store, Some(fractal_store::Error::LeaseLost { .. })) {
        return Trouble::Unrecorded(Box::new(error));
    }
    let words = error
        .detail
        .clone()
        .unwrap_or_else(|| error.code.title().to_owned());
    match error.code {
        ProblemCode::Unavailable | ProblemCode::Internal => Trouble::Passing(words),
        _ => Trouble::Lasting(words),
    }
}

struct Switch {
    id: InstanceId,
    engine_id: EngineId,
    operation: (OperationId, u64),
}

#[async_trait]
impl Change for Switch {
    type Output = ();

    fn action(&self) -> Action {
        Action::InstanceChangeEngine
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(instance_resource(&existing(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        let (operation_id, fence) = self.operation;
        operations::check(door.tx, operation_id, fence).await?;
        let mut row = existing(door.tx, self.id).await?;
        row.engine_id = self.engine_id;
        row.generation = row.generation.next();
        row.updated_at = door.app.clock.now();
        instances::update(door.tx, &row).await?;
        door.note("engine_id", row.engine_id.to_string());
        door.note("operation", operation_id.to_string());
        door.wake(row.id);
        Ok(())
    }
}
