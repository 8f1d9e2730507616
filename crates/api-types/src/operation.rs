//! What takes longer than a call: ordered steps, each with an undo.

use fractal_types::{EngineId, OperationId, OperationState, ProposalId, StepState, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::OwnerRef;

/// The durable execution of a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationView {
    /// Its id.
    pub id: OperationId,
    /// What is done, like `instance.change_engine`.
    pub kind: String,
    /// How far it is.
    pub state: OperationState,
    /// To which kind of thing.
    pub resource_kind: String,
    /// To which thing.
    pub resource_id: String,
    /// Whose thing it is; absent for somebody who is deleted.
    pub owner: Option<OwnerRef>,
    /// Who wanted it; absent for Fractal itself and for somebody who is deleted.
    pub by: Option<OwnerRef>,
    /// The proposal behind it.
    pub proposal_id: Option<ProposalId>,
    /// What the steps were given.
    #[schema(value_type = Object)]
    pub input: Value,
    /// Its steps, in order.
    pub steps: Vec<OperationStepView>,
    /// Who cancelled it.
    pub cancelled_by: Option<String>,
    /// Why it did not go as wanted.
    pub reason: Option<String>,
    /// What the caller may do about it now.
    pub can: OperationAbilities,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its first step began.
    pub started_at: Option<Timestamp>,
    /// When nothing happened to it any more.
    pub settled_at: Option<Timestamp>,
}

/// One step of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationStepView {
    /// What it does, by name.
    pub name: String,
    /// How far it is.
    pub state: StepState,
    /// What came out of it; null while nothing has.
    #[schema(value_type = Option<Object>)]
    pub output: Value,
    /// Why it failed last.
    pub error: Option<String>,
    /// How often it failed in the present direction.
    pub attempts: u32,
    /// When it was begun.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// When it was taken back.
    pub undone_at: Option<Timestamp>,
}

/// What the caller may do about an operation now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OperationAbilities {
    /// Have it taken back.
    pub cancel: bool,
    /// Try the step again that it got stuck in.
    pub retry: bool,
    /// Go on without that step.
    pub skip: bool,
    /// Take back what was done, instead of going on.
    pub undo: bool,
}

/// Which operations.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct OperationQuery {
    /// Only those of this state.
    pub state: Option<OperationState>,
    /// Only those about what is the caller's.
    pub mine: Option<bool>,
    /// Only those about this thing.
    #[param(max_length = 100)]
    pub resource_id: Option<String>,
    /// Where the page begins: the `next_cursor` of the one before.
    pub cursor: Option<String>,
    /// How many at most, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Gives an instance another engine.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeEngine {
    /// An installed engine.
    pub engine_id: EngineId,
}
