//! The durable execution of an allowed change: ordered steps, each with an undo.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instance::words;

/// How far an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OperationState {
    /// Waits for its turn.
    Pending,
    /// Its steps are being carried out.
    Running,
    /// A step failed, or somebody cancelled it; what was done is being taken back.
    Undoing,
    /// All steps are done.
    Done,
    /// Everything that was done is taken back; the reason says why.
    Undone,
    /// It can neither go on nor be undone by itself; somebody has to choose.
    Stuck,
}

words!(OperationState, "state of an operation", "pending, running, undoing, done, undone or stuck", {
    Pending = "pending", Running = "running", Undoing = "undoing", Done = "done", Undone = "undone", Stuck = "stuck",
});

impl OperationState {
    /// Whether nothing happens to it any more.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Undone)
    }

    /// Whether it may go on to this state.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            // Cancelled before it began, there is nothing to take back.
            Self::Pending => matches!(next, Self::Running | Self::Undone),
            Self::Running => matches!(next, Self::Undoing | Self::Done | Self::Stuck),
            Self::Undoing => matches!(next, Self::Undone | Self::Stuck),
            // Skipping the last step ends it.
            Self::Stuck => !matches!(next, Self::Pending | Self::Stuck),
            Self::Done | Self::Undone => false,
        }
    }
}

/// How far a step of an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Its turn has not come.
    Pending,
    /// It was begun; its effect may have happened.
    Running,
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// It is being taken back.
    Undoing,
    /// It is taken back.
    Undone,
    /// Somebody decided to go on without it.
    Skipped,
}

words!(StepState, "state of a step", "pending, running, done, failed, undoing, undone or skipped", {
    Pending = "pending", Running = "running", Done = "done", Failed = "failed", Undoing = "undoing", Undone = "undone",
    Skipped = "skipped",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_settled_stays_and_everything_else_goes_on() {
        for state in OperationState::ALL.iter().copied() {
            let goes_on = OperationState::ALL
                .iter()
                .any(|next| state.may_become(*next));
            assert_eq!(goes_on, !state.is_settled(), "{state}");
            assert!(!state.may_become(state), "{state}");
        }
    }
}
