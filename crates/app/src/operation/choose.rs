//! What people do about operations: cancel one, choose for one that is stuck.

use async_trait::async_trait;
use fractal_api_types::OperationView;
use fractal_background::operation::{
    job,
    machine::{Choice, Machine},
};
use fractal_policy::{Action, Resource};
use fractal_store::{Operation, Tx, operations, users};
use fractal_types::{OperationId, OperationState};

use super::{journal, read::view_of, resource_of};
use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
};

/// Has it taken back, as far as it has come.
///
/// # Errors
///
/// `conflict` when it is over, or cannot be undone any more; see [`submit`].
pub async fn cancel(app: &App, cx: &Context, id: OperationId) -> Result<OperationView> {
    let by = match cx.actor.user_id() {
        Some(user) => users::get(&app.store.read(), user)
            .await?
            .username
            .to_string(),
        None => "Fractal".to_owned(),
    };
    choose(app, cx, id, Choice::Cancel { by }).await
}

/// Tries the step again that it got stuck in.
///
/// # Errors
///
/// `conflict` when it is not stuck; see [`submit`].
pub async fn retry(app: &App, cx: &Context, id: OperationId) -> Result<OperationView> {
    choose(app, cx, id, Choice::Retry).await
}

/// Goes on without the step that it got stuck in.
///
/// # Errors
///
/// As for [`retry`].
pub async fn skip(app: &App, cx: &Context, id: OperationId) -> Result<OperationView> {
    choose(app, cx, id, Choice::Skip).await
}

/// Takes back what was done, instead of going on.
///
/// # Errors
///
/// As for [`retry`]; also when it cannot be undone any more.
pub async fn undo(app: &App, cx: &Context, id: OperationId) -> Result<OperationView> {
    choose(app, cx, id, Choice::Undo).await
}

async fn choose(app: &App, cx: &Context, id: OperationId, choice: Choice) -> Result<OperationView> {
    let row = submit(app, cx, Choose { id, choice }).await?;
    view_of(app, cx, &app.store.read(), row).await
}

struct Choose {
    id: OperationId,
    choice: Choice,
}

#[async_trait]
impl Change for Choose {
    type Output = Operation;

    fn action(&self) -> Action {
        match self.choice {
            Choice::Cancel { .. } => Action::OperationCancel,
            Choice::Retry | Choice::Skip | Choice::Undo => Action::OperationResolve,
        }
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = operations::find(tx, self.id)
            .await?
            .ok_or_else(Error::not_found)?;
        Ok(resource_of(&row))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Operation> {
        let row = operations::get(door.tx, self.id).await?;
        let row = make(door, row, &self.choice).await?;
        door.note("choice", word(&self.choice));
        door.note("state", row.state.as_str());
        Ok(row)
    }
}

/// Does what somebody chose, as a part of the change of `door`.
///
/// # Errors
///
/// `conflict` when it is not open; when the database fails.
pub(crate) async fn make(
    door: &Door<'_>,
    mut row: Operation,
    choice: &Choice,
) -> Result<Operation> {
    let (app, tx) = (door.app, door.tx);
    let mut steps = operations::steps(tx, row.id).await?;
    let kinds = super::kinds(app);
    let kind = kinds.iter().find(|kind| kind.name() == row.kind);
    let kind = kind.ok_or_else(|| Error::conflict("this release knows no such operation"))?;
    let was_stuck = row.state == OperationState::Stuck;
    let mut machine = Machine {
        row: &mut row,
        steps: &mut steps,
        kind: kind.steps(),
        now: app.clock.now(),
    };
    let events = machine
        .choose(choice)
        .map_err(|refused| Error::conflict(refused.to_string()))?;
    operations::update(tx, &row).await?;
    for step in &steps {
        operations::update_step(tx, step).await?;
    }
    if row.state.is_settled() {
        kind.settle(tx, &row).await?;
    }
    for event in &events {
        journal::note(app, tx, &row, event).await?;
    }
    // The work on one that got stuck had come to an end.
    if was_stuck && !row.state.is_settled() {
        door.enqueue(&job(app.new_id(), row.id, app.clock.now()))
            .await?;
    }
    Ok(row)
}

const fn word(choice: &Choice) -> &'static str {
    match choice {
        Choice::Cancel { .. } => "cancel",
        Choice::Retry => "retry",
        Choice::Skip => "skip",
        Choice::Undo => "undo",
    }
}
