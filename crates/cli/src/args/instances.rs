//! Agents.

use clap::{Args, Subcommand};
use fractal_types::Label;

/// `fractal instances`.
#[derive(Debug, Subcommand)]
pub enum Instances {
    /// List instances
    List {
        /// Everybody's (administrators)
        #[arg(long)]
        all: bool,
    },
    /// Show one instance
    Show(Which),
    /// Make an instance and start it
    Create {
        /// Its name
        name: Label,
        /// The engine, by id; the newest installed when absent
        #[arg(long, value_name = "ID")]
        engine: Option<fractal_types::EngineId>,
        /// Do not start it yet
        #[arg(long)]
        no_start: bool,
    },
    /// Start an instance
    Start(WhichAndWait),
    /// Stop an instance; its files stay
    Stop(WhichAndWait),
    /// Stop and start an instance
    Restart(WhichAndWait),
    /// Set what an instance's files may take (administrators)
    Limit {
        /// Its id, or the name of one of yours
        instance: String,
        /// Disk in MiB
        #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(256..=67_108_864))]
        disk: u64,
    },
    /// Give an instance another engine; it is taken back if the agent does not come up with it
    ChangeEngine {
        /// Its id or name
        instance: String,
        /// An installed engine, by id
        #[arg(long, value_name = "ID")]
        engine: fractal_types::EngineId,
        /// Wait until it is over, and tell each step
        #[arg(long)]
        wait: bool,
    },
    /// Delete an instance
    Delete {
        /// Its id or name
        instance: String,
        /// Keep its files on the machine
        #[arg(long)]
        keep_volumes: bool,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Show an instance's log (its owner only)
    Logs {
        /// Its id or name
        instance: String,
        /// How many of the newest lines
        #[arg(long, short = 'n', value_name = "LINES", value_parser = clap::value_parser!(u32).range(0..=5000))]
        tail: Option<u32>,
        /// Stay and show new lines
        #[arg(long, short)]
        follow: bool,
    },
    /// Show what happened to an instance
    Timeline(Which),
}

/// One instance.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// Its id or name
    pub instance: String,
}

/// One instance, and whether to wait for the outcome.
#[derive(Debug, Clone, Args)]
pub struct WhichAndWait {
    /// Its id or name
    pub instance: String,
    /// Wait until it is there
    #[arg(long)]
    pub wait: bool,
}
