//! Deleting an instance: stop it, then remove it. Until the removal begins, it can be called off.

use async_trait::async_trait;
use fractal_api_types::InstanceView;
use fractal_background::operation::{At, Kind, Progress, Step, Trouble};
use fractal_policy::{Action, Resource};
use fractal_store::{Instance, Operation, Tx, Volumes, instances, operations};
use fractal_types::{InstanceId, OperationId, WantedState};
use serde::{Deserialize, Serialize};

use super::{
    operated::{Before, Hands, LOOK, done, existing, held, input_of, let_go, minutes},
    provision,
    read::view_of,
    wanted::Wish,
};
use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
    lookup::instance_resource,
    operation::Wanted,
};

/// Its name as an operation.
const NAME: &str = "instance.delete";

const STOP: &str = "stop";
const REMOVE: &str = "remove";

const STEPS: &[Step] = &[
    Step::new(STOP, minutes(10)),
    // Large homes are removed file by file.
    Step::new(REMOVE, minutes(30)).without_a_way_back(),
];

/// What the steps are given.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Input {
    /// What it was called; by then nothing else tells.
    name: String,
    keep_volumes: bool,
    /// What was wanted before, for when it is called off.
    #[serde(flatten)]
    before: Before,
}

/// Begins to delete an instance, with its files unless they are to be kept. Its `operation_id` is that of the operation.
///
/// # Errors
///
/// `conflict` when another operation works on it; see [`submit`].
pub async fn delete(
    app: &App,
    cx: &Context,
    id: InstanceId,
    keep_volumes: bool,
) -> Result<InstanceView> {
    let change = Begin {
        id,
        operation_id: app.new_id(),
        keep_volumes,
    };
    view_of(app, submit(app, cx, change).await?).await
}

struct Begin {
    id: InstanceId,
    operation_id: OperationId,
    keep_volumes: bool,
}

impl Begin {
    /// Whether the very same was begun before.
    async fn is_under_way(&self, tx: &Tx, row: &Instance) -> Result<bool> {
        let Some(Ok(by)) = row.held_by.as_deref().map(str::parse) else {
            return Ok(false);
        };
        let same = |operation: Operation| {
            operation.kind == NAME
                && input_of::<Input>(&operation)
                    .is_ok_and(|input| input.keep_volumes == self.keep_volumes)
        };
        Ok(operations::find(tx, by).await?.is_some_and(same))
    }
}

#[async_trait]
impl Change for Begin {
    type Output = Instance;

    fn action(&self) -> Action {
        Action::InstanceDelete
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(instance_resource(&existing(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Instance> {
        let tx = door.tx;
        let row = existing(tx, self.id).await?;
        if row.wanted == WantedState::Deleted && row.held_by.is_none() {
            return Err(Error::conflict("it is being deleted"));
        }
        // Asked twice is deleted once.
        if self.is_under_way(tx, &row).await? {
            return Ok(row);
        }
        provision::answer(door, &row, &Wish::Delete(Volumes::Keep)).await?;
        if !instances::hold(tx, row.id, &self.operation_id.to_string(), true).await? {
            return Err(held(&row));
        }
        let input = Input {
            name: row.name.to_string(),
            keep_volumes: self.keep_volumes,
            before: Before::of(&row),
        };
        door.note("name", row.name.as_str());
        door.note("keep_volumes", self.keep_volumes);
        door.begin(Wanted {
            id: self.operation_id,
            kind: &Delete::new(door.app.clone()),
            owner: row.user_id,
            asset: Some(row.runtime_asset_id),
            input: serde_json::to_value(&input).map_err(Error::internal)?,
        })
        .await?;
        existing(tx, self.id).await
    }
}

/// The kind of operation.
#[derive(Debug, Clone)]
pub struct Delete {
    app: App,
}

impl Delete {
    /// Of this house.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Kind for Delete {
    fn name(&self) -> &'static str {
        NAME
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    async fn run(&self, step: &'static str, at: At<'_>) -> std::result::Result<Progress, Trouble> {
        let input: Input = input_of(at.operation)?;
        // Gone, or going because its owner goes: that is what is wanted.
        let Some(hands) = Hands::on(&self.app, at.operation).await? else {
            return Ok(done());
        };
        let is_going = hands.row.wanted == WantedState::Deleted;
        match step {
            STOP if is_going => Ok(done()),
            STOP => hands.stopped().await,
            _ => {
                if !is_going {
                    let volumes = if input.keep_volumes {
                        Volumes::Keep
                    } else {
                        Volumes::Remove
                    };
                    hands.wish(Wish::Delete(volumes), None).await?;
                }
                Ok(Progress::Wait(LOOK))
            }
        }
    }

    async fn undo(&self, step: &'static str, at: At<'_>) -> std::result::Result<Progress, Trouble> {
        let input: Input = input_of(at.operation)?;
        match Hands::on(&self.app, at.operation).await? {
            Some(hands) if step == STOP && hands.row.wanted != WantedState::Deleted => {
                hands.wished(&input.before).await
            }
            _ => Ok(done()),
        }
    }

    async fn settle(&self, tx: &Tx, operation: &Operation) -> fractal_store::Result<()> {
        let_go(tx, operation).await
    }
}
