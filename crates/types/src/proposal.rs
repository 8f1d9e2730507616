//! A wanted change that waits for approval.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instance::words;

/// How far a proposal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProposalState {
    /// Waits for approvals.
    Open,
    /// Has them; is being carried out.
    Approved,
    /// Was carried out.
    Done,
    /// Could not be carried out; the reason says why.
    Failed,
    /// Somebody who could have approved it said no.
    Rejected,
    /// Who asked for it thought better of it.
    Withdrawn,
    /// Nobody approved it in time.
    Expired,
}

words!(ProposalState, "state of a proposal", "open, approved, done, failed, rejected, withdrawn or expired", {
    Open = "open", Approved = "approved", Done = "done", Failed = "failed", Rejected = "rejected",
    Withdrawn = "withdrawn", Expired = "expired",
});

impl ProposalState {
    /// Whether nothing happens to it any more.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Open | Self::Approved)
    }

    /// Whether it may go on to this state.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Open => !matches!(next, Self::Open | Self::Done | Self::Failed),
            Self::Approved => matches!(next, Self::Done | Self::Failed),
            _ => false,
        }
    }
}

/// What somebody said about a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Do it.
    Approve,
    /// Do not.
    Reject,
}

words!(Verdict, "verdict", "approve or reject", { Approve = "approve", Reject = "reject" });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_carried_out_unapproved_and_what_is_settled_stays() {
        for state in ProposalState::ALL.iter().copied() {
            let next: Vec<_> = ProposalState::ALL
                .iter()
                .copied()
                .filter(|next| state.may_become(*next))
                .collect();
            assert_eq!(next.is_empty(), state.is_settled(), "{state}");
            if next.contains(&ProposalState::Done) {
                assert_eq!(state, ProposalState::Approved);
            }
        }
    }
}
