//! What the steps of operations do to an instance: set what is wanted of it, and await that it is seen.
//!
//! An operation holds its instance meanwhile (`held_by`), so nobody else changes what is wanted of it; a chat that needs it waits.
//! Only the reconciler calls the runtime.

use std::time::Duration;

use fractal_api_types::ProblemCode;
use fractal_background::operation::{Progress, Trouble};
use fractal_policy::Action;
use fractal_store::{Instance, Operation, Tx, instances};
use fractal_types::{InstanceId, OperationId, StopReason, Timestamp, WantedState};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::wanted::{SetWanted, Wish};
use crate::{
    App, Context, Error, Result,
    change::{Change, submit},
    user,
};

/// Between two looks at what is seen.
pub(super) const LOOK: Duration = Duration::from_secs(1);

pub(super) const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// What was wanted of an instance before an operation began.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Before {
    pub(super) wanted: WantedState,
    stop_reason: Option<StopReason>,
    next_wake_at: Option<Timestamp>,
}

impl Before {
    pub(super) const fn of(row: &Instance) -> Self {
        Self {
            wanted: row.wanted,
            stop_reason: row.stop_reason,
            next_wake_at: row.next_wake_at,
        }
    }
}

/// What is answered while an operation works on an instance.
pub(super) fn held(row: &Instance) -> Error {
    let by = row.held_by.as_deref().unwrap_or_default();
    Error::conflict(format!("operation {by} is working on it"))
        .remedy("wait until it is over, or cancel it")
}

/// An instance that is not deleted.
///
/// # Errors
///
/// `not-found` when there is none.
pub(super) async fn existing(tx: &Tx, id: InstanceId) -> Result<Instance> {
    instances::find(tx, id)
        .await?
        .filter(|row| row.deleted_at.is_none())
        .ok_or_else(Error::not_found)
}

/// What the steps of an operation were given.
pub(super) fn input_of<T: DeserializeOwned>(
    operation: &Operation,
) -> std::result::Result<T, Trouble> {
    serde_json::from_value(operation.input.clone()).map_err(|_| unreadable())
}

fn unreadable() -> Trouble {
    Trouble::Lasting("what it was given cannot be read".to_owned())
}

/// Lets others wish again.
pub(super) async fn let_go(tx: &Tx, operation: &Operation) -> fractal_store::Result<()> {
    if let Ok(id) = operation.resource_id.parse() {
        instances::hold(tx, id, &operation.id.to_string(), false).await?;
    }
    Ok(())
}

pub(super) const fn done() -> Progress {
    Progress::Done(Value::Null)
}

/// An instance in the hands of an operation.
pub(super) struct Hands<'a> {
    app: &'a App,
    operation: &'a Operation,
    pub(super) row: Instance,
}

impl<'a> Hands<'a> {
    /// Nothing when the instance is gone.
    pub(super) async fn on(
        app: &'a App,
        operation: &'a Operation,
    ) -> std::result::Result<Option<Self>, Trouble> {
        let id: InstanceId = operation.resource_id.parse().map_err(|_| unreadable())?;
        let row = instances::find(&app.store.read(), id).await?;
        Ok(row.filter(|row| row.deleted_at.is_none()).map(|row| Self {
            app,
            operation,
            row,
        }))
    }

    /// The operation with its fence, which goes into every change.
    pub(super) const fn operation(&self) -> (OperationId, u64) {
        (self.operation.id, self.operation.fence)
    }

    pub(super) async fn wish(
        &self,
        wish: Wish,
        next_wake_at: Option<Timestamp>,
    ) -> std::result::Result<(), Trouble> {
        let action = match wish {
            Wish::Run { .. } => Action::InstanceStart,
            Wish::Stop(_) => Action::InstanceStop,
            Wish::Delete(_) => Action::InstanceDelete,
        };
        let change = SetWanted {
            id: self.row.id,
            action,
            wish,
            only_in: None,
            operation: Some(self.operation()),
            next_wake_at,
            cause: Some("operation"),
        };
        self.submit(change).await
    }

    pub(super) async fn submit<C: Change>(&self, change: C) -> std::result::Result<(), Trouble> {
        let system = Context {
            request_id: self.operation.request_id.clone(),
            ..Context::system(self.operation.organization_id)
        };
        submit(self.app, &system, change)
            .await
            .map(|_| ())
            .map_err(trouble)
    }

    /// Stops it for the operation.
    pub(super) async fn stopped(&self) -> std::result::Result<Progress, Trouble> {
        if self.row.wanted != WantedState::Stopped {
            self.wish(Wish::Stop(StopReason::Operation), None).await?;
            return Ok(Progress::Wait(LOOK));
        }
        Ok(self.without_a_process())
    }

    pub(super) const fn without_a_process(&self) -> Progress {
        if self.row.seen.has_process() {
            Progress::Wait(LOOK)
        } else {
            done()
        }
    }

    /// Wishes what was wished before.
    pub(super) async fn wished(&self, before: &Before) -> std::result::Result<Progress, Trouble> {
        if before.wanted == WantedState::Running {
            // Of somebody who is suspended by now it stays down.
            if self.row.wanted != WantedState::Running
                && user::is_active(&self.app.store.read(), self.row.user_id)
                    .await
                    .map_err(trouble)?
            {
                self.wish(Wish::Run { again: false }, None).await?;
            }
        } else if (self.row.wanted, self.row.stop_reason)
            != (WantedState::Stopped, before.stop_reason)
        {
            let reason = before.stop_reason.unwrap_or(StopReason::Person);
            self.wish(Wish::Stop(reason), before.next_wake_at).await?;
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
