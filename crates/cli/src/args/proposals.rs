//! Changes that wait for approval.

use clap::{Subcommand, ValueEnum};
use fractal_types::ProposalId;

/// `fractal proposals`.
#[derive(Debug, Subcommand)]
pub enum Proposals {
    /// List the changes that wait or waited for approval
    List {
        /// Only those of this state
        #[arg(long, value_enum, value_name = "STATE")]
        state: Option<ProposalStateArg>,
        /// Only those that wait for your approval
        #[arg(long)]
        awaiting_me: bool,
        /// Only what you asked for
        #[arg(long, conflicts_with = "awaiting_me")]
        mine: bool,
    },
    /// Show a proposal: who asked for what, what would happen, who said what
    Show {
        /// Its id
        proposal: ProposalId,
    },
    /// Find out what a proposal would do now
    Simulate {
        /// Its id
        proposal: ProposalId,
    },
    /// Approve a proposal; with its last approval it is carried out
    Approve {
        /// Its id
        proposal: ProposalId,
        /// Why, for who asked and for the log
        #[arg(long, short = 'm')]
        comment: Option<String>,
        /// The digest you have seen, when you looked at it elsewhere; otherwise the proposal is shown first
        #[arg(long)]
        digest: Option<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Reject a proposal
    Reject {
        /// Its id
        proposal: ProposalId,
        /// Why, for who asked and for the log
        #[arg(long, short = 'm')]
        comment: String,
    },
    /// Take back what you asked for
    Withdraw {
        /// Its id
        proposal: ProposalId,
    },
    /// Fetch, once, what your change answered when it was carried out, new secrets included
    Collect {
        /// Its id
        proposal: ProposalId,
    },
}

/// How far a proposal is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ProposalStateArg {
    /// Waits for approvals
    Open,
    /// Has them; is being carried out
    Approved,
    /// Was carried out
    Done,
    /// Could not be carried out
    Failed,
    /// Somebody said no
    Rejected,
    /// Was taken back
    Withdrawn,
    /// Nobody approved it in time
    Expired,
}
