//! Giving an instance another engine: stop it, switch, start it, have it prove that it answers; else everything back.
//!
//! The operation holds the instance meanwhile (`held_by`), so nobody else changes what is wanted of it; a chat that needs it waits.

use async_trait::async_trait;
use fractal_api_types::{ChangeEngine as Body, OperationView};
use fractal_background::operation::{At, Kind, Progress, Step, Trouble};
use fractal_policy::{Action, Resource};
use fractal_store::{EngineState, Operation, Tx, engines, instances, operations};
use fractal_types::{EngineId, InstanceId, OperationId, SeenState, WantedState};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    operated::{Before, Hands, LOOK, done, existing, held, input_of, let_go, minutes},
    wanted::Wish,
};
use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
    engine,
    lookup::instance_resource,
    operation::{Wanted, view_of},
    user,
};

/// Its name as an operation.
pub(crate) const NAME: &str = "instance.change_engine";

const STOP: &str = "stop";
const SWITCH: &str = "switch";
const START: &str = "start";
const RESTORE: &str = "restore";

const STEPS: &[Step] = &[
    Step::new(STOP, minutes(10)),
    Step::new(SWITCH, minutes(5)),
    // With its place in the queue for a start slot.
    Step::new(START, minutes(30)),
    Step::new(RESTORE, minutes(10)),
];

/// What the steps are given.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    engine_id: EngineId,
    engine_version: String,
    from_engine_id: EngineId,
    from_engine_version: String,
    /// What was wanted before, and is wanted afterwards.
    #[serde(flatten)]
    before: Before,
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
            before: Before::of(&row),
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

/// The kind of operation.
#[derive(Debug, Clone)]
pub struct ChangeEngine {
    app: App,
}

impl ChangeEngine {
    /// Of this house.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app }
    }

    async fn hands<'a>(
        &'a self,
        operation: &'a Operation,
    ) -> std::result::Result<(Input, Option<Hands<'a>>), Trouble> {
        let input: Input = input_of(operation)?;
        let hands = Hands::on(&self.app, operation).await?;
        // One that goes is as good as gone.
        let stays = hands.filter(|hands| hands.row.wanted != WantedState::Deleted);
        Ok((input, stays))
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
        let (input, Some(hands)) = self.hands(at.operation).await? else {
            return Err(Trouble::Lasting(
                "the agent was deleted meanwhile".to_owned(),
            ));
        };
        match step {
            STOP => hands.stopped().await,
            SWITCH => switched(&hands, input.engine_id).await,
            START => started(&hands, &input).await,
            _ => as_before(&hands, &input).await,
        }
    }

    async fn undo(&self, step: &'static str, at: At<'_>) -> std::result::Result<Progress, Trouble> {
        let (input, Some(hands)) = self.hands(at.operation).await? else {
            return Ok(done());
        };
        match step {
            START => hands.stopped().await,
            SWITCH => switched(&hands, input.from_engine_id).await,
            STOP => hands.wished(&input.before).await,
            // What it did, the undo of the start takes back.
            _ => Ok(done()),
        }
    }

    async fn settle(&self, tx: &Tx, operation: &Operation) -> fractal_store::Result<()> {
        let_go(tx, operation).await
    }
}

async fn switched(
    hands: &Hands<'_>,
    engine_id: EngineId,
) -> std::result::Result<Progress, Trouble> {
    if hands.row.engine_id != engine_id {
        let switch = Switch {
            id: hands.row.id,
            engine_id,
            operation: hands.operation(),
        };
        hands.submit(switch).await?;
    }
    Ok(done())
}

async fn started(hands: &Hands<'_>, input: &Input) -> std::result::Result<Progress, Trouble> {
    let row = &hands.row;
    if row.wanted != WantedState::Running {
        hands.wish(Wish::Run { again: false }, None).await?;
        return Ok(Progress::Wait(LOOK));
    }
    match row.seen {
        SeenState::CrashLooping | SeenState::Failed => {
            let reason = row.seen_reason.as_deref();
            Err(Trouble::Lasting(format!(
                "it does not come up with engine {}: {}",
                input.engine_version,
                reason.unwrap_or("it could not be started")
            )))
        }
        seen if seen.answers() => Ok(Progress::Done(
            json!({ "engine_version": input.engine_version }),
        )),
        _ => Ok(Progress::Wait(LOOK)),
    }
}

/// Asleep again, if it was.
async fn as_before(hands: &Hands<'_>, input: &Input) -> std::result::Result<Progress, Trouble> {
    if input.before.wanted == WantedState::Running {
        return Ok(done());
    }
    if hands.row.wanted == WantedState::Running {
        hands.wished(&input.before).await?;
        return Ok(Progress::Wait(LOOK));
    }
    Ok(hands.without_a_process())
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
