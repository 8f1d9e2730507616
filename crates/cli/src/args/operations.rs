//! What takes longer than a call.

use clap::{Args, Subcommand, ValueEnum};
use fractal_types::OperationId;

/// `fractal operations`.
#[derive(Debug, Subcommand)]
pub enum Operations {
    /// List what is being done and was done, newest first
    List {
        /// Only those of this state
        #[arg(long, value_enum, value_name = "STATE")]
        state: Option<OperationStateArg>,
        /// Only those about what is yours
        #[arg(long)]
        mine: bool,
    },
    /// Show an operation, step by step
    Show(WhichOperation),
    /// Watch an operation until it is over
    Watch(WhichOperation),
    /// Have an operation taken back, as far as it has come
    Cancel(WhichOperation),
    /// Try the step again that a stuck operation got stuck in
    Retry(WhichOperation),
    /// Have a stuck operation go on without the step that it got stuck in
    Skip {
        /// Its id
        operation: OperationId,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Have a stuck operation take back what it has done
    Undo(WhichOperation),
}

/// One operation.
#[derive(Debug, Clone, Copy, Args)]
pub struct WhichOperation {
    /// Its id
    pub operation: OperationId,
}

/// How far an operation is.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OperationStateArg {
    /// Waits for its turn
    Pending,
    /// Is being carried out
    Running,
    /// Is being taken back
    Undoing,
    /// All steps are done
    Done,
    /// Everything is taken back
    Undone,
    /// Somebody has to choose
    Stuck,
}
