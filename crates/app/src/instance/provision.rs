//! Making an agent ready for the first time: its engine is there, it starts, it proves that it answers.
//!
//! Unlike other operations this one does not hold the instance: whoever made it may stop, change or delete it at once. When it
//! does not come up nothing is taken back by itself, because people have put a name and a persona into it; they choose.

use async_trait::async_trait;
use fractal_background::operation::{At, Kind, Progress, Step, Trouble};
use fractal_store::{Instance, Operation, Tx, Volumes, operations};
use fractal_types::{OperationId, OperationState, SeenState, WantedState};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    operated::{Hands, LOOK, done, minutes},
    wanted::Wish,
};
use crate::{
    App, Error, Result,
    change::Door,
    engine,
    operation::{self, Choice, Wanted},
};

/// Its name as an operation.
pub(crate) const NAME: &str = "instance.create";

const ENGINE: &str = "engine";
const START: &str = "start";

const STEPS: &[Step] = &[
    // Over a slow line an engine takes its time.
    Step::new(ENGINE, minutes(60)).asking(),
    // With its place in the queue for a start slot.
    Step::new(START, minutes(30)).asking(),
];

/// What the steps are given.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    /// What it is called; when it is taken back, nothing else tells.
    name: String,
}

/// Begins it for a new instance.
///
/// # Errors
///
/// When the database fails.
pub(super) async fn begin(door: &Door<'_>, row: &Instance) -> Result<OperationId> {
    let input = Input {
        name: row.name.to_string(),
    };
    let begun = door
        .begin_about(
            &row.id.to_string(),
            Wanted {
                id: door.app.new_id(),
                kind: &Provision::new(door.app.clone()),
                owner: row.user_id,
                asset: Some(row.runtime_asset_id),
                input: serde_json::to_value(&input).map_err(Error::internal)?,
            },
        )
        .await?;
    Ok(begun.id)
}

/// Somebody wishes something of an instance: that answers the question of one that did not come up.
///
/// # Errors
///
/// When the database fails.
pub(super) async fn answer(door: &Door<'_>, row: &Instance, wish: &Wish) -> Result<()> {
    let open = operations::find_open(door.tx, NAME, &row.id.to_string()).await?;
    for operation in open {
        if operation.state != OperationState::Stuck || operation.stuck_undoing {
            continue;
        }
        let choice = match wish {
            Wish::Run { .. } => Choice::Retry,
            Wish::Stop(_) | Wish::Delete(_) => Choice::Skip,
        };
        operation::make(door, operation, &choice).await?;
    }
    Ok(())
}

/// The kind of operation.
#[derive(Debug, Clone)]
pub struct Provision {
    app: App,
}

impl Provision {
    /// Of this house.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app }
    }

    fn has_engine(&self, row: &Instance) -> std::result::Result<Progress, Trouble> {
        if !engine::is_awaited(&self.app, row.engine_id) {
            return Ok(done());
        }
        match engine::trouble(&self.app, row.engine_id) {
            Some(why) => Err(Trouble::Lasting(format!(
                "its engine could not be installed: {why}"
            ))),
            None => Ok(Progress::Wait(LOOK)),
        }
    }
}

fn started(row: &Instance) -> std::result::Result<Progress, Trouble> {
    match row.seen {
        SeenState::CrashLooping | SeenState::Failed => Err(Trouble::Lasting(format!(
            "it does not come up: {}",
            row.seen_reason
                .as_deref()
                .unwrap_or("it could not be started")
        ))),
        seen if seen.answers() => Ok(done()),
        _ => Ok(Progress::Wait(LOOK)),
    }
}

#[async_trait]
impl Kind for Provision {
    fn name(&self) -> &'static str {
        NAME
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    // The instance itself waits for its place in the queue.
    fn takes_a_turn(&self) -> bool {
        false
    }

    async fn run(&self, step: &'static str, at: At<'_>) -> std::result::Result<Progress, Trouble> {
        let Some(hands) = Hands::on(&self.app, at.operation).await? else {
            return Ok(Progress::Done(json!({ "overtaken": "deleted" })));
        };
        let row = &hands.row;
        // Somebody has wished something else meanwhile; then there is nothing to wait for.
        if row.wanted != WantedState::Running {
            return Ok(Progress::Done(json!({ "overtaken": row.wanted.as_str() })));
        }
        match step {
            ENGINE => self.has_engine(row),
            _ => started(row),
        }
    }

    async fn undo(&self, step: &'static str, at: At<'_>) -> std::result::Result<Progress, Trouble> {
        let hands = match Hands::on(&self.app, at.operation).await? {
            Some(hands) if step == ENGINE => hands,
            // Removing it takes back all.
            _ => return Ok(done()),
        };
        if hands.row.wanted != WantedState::Deleted {
            // Whoever has it now decides what becomes of it. And one that has answered is in use: it may have come up by itself
            // long after this got stuck, and is deleted by deleting it, which rules decide about.
            if hands.row.held_by.is_some() || hands.row.proved_hash.is_some() {
                return Ok(done());
            }
            hands.wish(Wish::Delete(Volumes::Remove), None).await?;
        }
        Ok(Progress::Wait(LOOK))
    }

    async fn settle(&self, _tx: &Tx, _operation: &Operation) -> fractal_store::Result<()> {
        Ok(())
    }
}
