//! Changes that wait for approval because a rule asks for it.
//!
//! Whoever asks for such a change is answered 202 with the proposal. Once it has its approvals the change is carried out as they asked for
//! it, under the rules as they are then.

use fractal_types::{ProposalId, ProposalState, Role, Timestamp, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::{DryRun, OwnerRef, PolicyApproval};

/// A change that waits for approval, or waited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProposalView {
    /// Its id.
    pub id: ProposalId,
    /// How far it is.
    pub state: ProposalState,
    /// Who asked for it.
    pub requester: OwnerRef,
    /// What it does, like `provider.delete`.
    pub action: String,
    /// To which kind of thing.
    pub resource_kind: String,
    /// To which thing; absent for one that will be made.
    pub resource_id: Option<String>,
    /// What the thing is called, where that may be seen.
    pub resource_name: Option<String>,
    /// Whether it touches what is private to who asked; then nobody else sees what would happen.
    pub private: bool,
    /// What was asked for, where that may be seen. An approval binds to it.
    pub request: Option<ProposalRequest>,
    /// What would happen, as it was when it was asked for.
    pub simulation: Option<DryRun>,
    /// The approvals that rules ask for.
    pub demands: Vec<PolicyApproval>,
    /// The rules that ask for them.
    pub policies: Vec<String>,
    /// What was said about it, oldest first.
    pub votes: Vec<ProposalVoteView>,
    /// What an approval binds to; give it back when you approve.
    pub digest: String,
    /// Why it ended as it did.
    pub reason: Option<String>,
    /// What the caller may do about it now.
    pub can: ProposalAbilities,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it had its approvals.
    pub approved_at: Option<Timestamp>,
    /// When nothing happened to it any more.
    pub settled_at: Option<Timestamp>,
}

/// What was asked for, as a call of this API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalRequest {
    /// The operation of the API document, like `deleteProvider`.
    pub operation: String,
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path and query.
    pub address: String,
    /// The body with every field that was given, but without its secrets; absent when there is none.
    #[schema(value_type = Option<Object>)]
    pub body: Option<Value>,
    /// The secrets that were given, as JSON pointers into the body.
    pub secrets: Vec<String>,
}

/// What somebody said about a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalVoteView {
    /// Who; absent for somebody who is deleted.
    pub by: Option<OwnerRef>,
    /// Their role then.
    pub role: Role,
    /// What they said.
    pub verdict: Verdict,
    /// In their words; may be empty.
    pub comment: String,
    /// When.
    pub at: Timestamp,
}

/// What the caller may do about a proposal now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProposalAbilities {
    /// Approve it.
    pub approve: bool,
    /// Reject it.
    pub reject: bool,
    /// Withdraw it.
    pub withdraw: bool,
    /// Fetch what the change answered.
    pub collect: bool,
}

/// Which proposals.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ProposalQuery {
    /// Only those of this state.
    pub state: Option<ProposalState>,
    /// Only what the caller asked for.
    pub mine: Option<bool>,
    /// Only those that wait for the caller's approval.
    pub awaiting_me: Option<bool>,
    /// Where the page begins: the `next_cursor` of the one before.
    pub cursor: Option<String>,
    /// How many at most, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Approves a proposal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveProposal {
    /// The proposal's digest as you saw it; refused with `conflict` when it is another.
    #[schema(min_length = 64, max_length = 64)]
    pub digest: String,
    /// Why, for who asked and for the log.
    #[schema(max_length = 500)]
    pub comment: Option<String>,
}

/// Rejects a proposal.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RejectProposal {
    /// Why, for who asked and for the log.
    #[schema(min_length = 1, max_length = 500)]
    pub comment: String,
}

/// What a change would do now, beside what it would have done when it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProposalSimulation {
    /// What would happen now; absent when it could not be carried out.
    pub now: Option<DryRun>,
    /// Why it could not be carried out now.
    pub problem: Option<String>,
    /// What would have happened then.
    pub then: Option<DryRun>,
    /// Whether the two differ.
    pub changed: bool,
}

/// What a carried out change answered. It is given out once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProposalAnswer {
    /// The body that the change's own call answers, new secrets included.
    #[schema(value_type = Object)]
    pub answer: Value,
}
