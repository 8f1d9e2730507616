//! What was found broken.

use clap::{Subcommand, ValueEnum};
use fractal_types::IncidentId;

/// `fractal incidents`.
#[derive(Debug, Subcommand)]
pub enum Incidents {
    /// List what was found broken, newest first
    List {
        /// Only those of this state
        #[arg(long, value_enum, value_name = "STATE")]
        state: Option<IncidentStateArg>,
    },
    /// Show an incident: what was found, what to do, and what was done
    Show {
        /// Its id
        incident: IncidentId,
    },
    /// Say that you look after an incident
    Acknowledge {
        /// Its id
        incident: IncidentId,
        /// What you say about it
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// List the checks that look for them, with what each found last
    Checks {
        /// Have everything looked at now
        #[arg(long)]
        run: bool,
    },
}

/// Whether an incident goes on.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum IncidentStateArg {
    /// A check still finds it
    Open,
    /// It is not found any more
    Resolved,
}
