//! The installation: settings, usage, the secret key, engines.

use std::path::PathBuf;

use super::Machine;
use clap::{Args, Subcommand};

/// `fractal settings`.
#[derive(Debug, Subcommand)]
pub enum SettingsCommand {
    /// Show the settings
    Show,
    /// Change settings; what is not given stays
    Set(SetSettings),
}

/// `fractal settings set`.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = true)]
pub struct SetSettings {
    /// The address people use; empty to clear
    #[arg(long, value_name = "URL")]
    pub public_url: Option<String>,
    /// Further host names to answer, comma-separated; empty for none
    #[arg(long, value_name = "NAMES")]
    pub allowed_hosts: Option<String>,
    /// Networks whose forwarded addresses are believed, comma-separated; empty for none
    #[arg(long, value_name = "NETWORKS")]
    pub trusted_proxies: Option<String>,
    /// Minutes without use after which a new instance goes to sleep
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10080))]
    pub idle_timeout_minutes: Option<u32>,
    /// Seconds between two times that a witness of the log is asked
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(10..=86400))]
    pub witness_interval: Option<u32>,
    /// Days that values of the log are kept; 0 keeps them for ever. Older ones are erased for good
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=36500))]
    pub value_retention_days: Option<u32>,
    /// Do not ask before values of the log are erased
    #[arg(long, short, requires = "value_retention_days")]
    pub yes: bool,
    /// Accept that agents of several people share one trust domain on a machine without a sandbox
    #[arg(long, value_name = "BOOL")]
    pub accept_reduced_isolation: Option<bool>,
}

/// `fractal usage`.
#[derive(Debug, Clone, Args)]
pub struct UsageArgs {
    /// Days back from today
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=366))]
    pub days: u32,
    /// Everybody's sums (administrators)
    #[arg(long)]
    pub all: bool,
}

/// `fractal keys`.
#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Replace the secret key, and give every owner a new one
    ///
    /// A running server is asked to do it and goes on serving; without one it is done on the data folder. What is stored
    /// moves to the new keys in the background while the server runs; `fractal keys status` says how far it is.
    Rotate {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
    /// Say which secret key is in force, and whether stored secrets still move to newer keys
    Status {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
    /// Print the secret key under a passphrase, which is asked for. Keep the text and the passphrase apart
    Export {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
        /// Write to a new file instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Put an exported secret key in force again; its passphrase is asked for, or read from standard input
    ///
    /// The key must be the one that the database was made with. A key file that does not open the database is kept
    /// beside the imported one. The server must not run.
    Import {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
        /// The file that `fractal keys export` wrote
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// `fractal engine`.
#[derive(Debug, Subcommand)]
pub enum Engine {
    /// List installed engines
    List {
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
    /// Install an engine
    Install {
        /// OpenClaw's version; this release's own when absent
        version: Option<String>,
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
    /// Check that installed engines are as they were installed
    Verify {
        /// OpenClaw's version; all when absent
        version: Option<String>,
        /// Where things are.
        #[command(flatten)]
        machine: Machine,
    },
}
