//! The log.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `fractal evidence`.
#[derive(Debug, Subcommand)]
pub enum Evidence {
    /// List what happened, newest first
    List(ListEvidence),
    /// Show one entry
    Show {
        /// Its position
        seq: u64,
    },
    /// Print the newest signed head of the log; keep it somewhere else
    Checkpoint {
        /// The newest that a witness cosigned instead
        #[arg(long)]
        witnessed: bool,
    },
    /// Print the key that verifies this log; keep it somewhere else
    Key,
    /// Prove that an entry is in the signed log
    Prove {
        /// Its position
        seq: u64,
        /// The verification key, or a file with it; the server's own word when absent
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Export the log as JSON Lines that verify without the server
    Export {
        /// The position of the first entry
        #[arg(long, value_name = "SEQ", value_parser = clap::value_parser!(u64).range(1..))]
        first: Option<u64>,
        /// With the values you may see, not only their commitments
        #[arg(long)]
        values: bool,
        /// Write to a new file instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Verify an export, on any machine: needs no server and no account
    Verify {
        /// The export; - for standard input
        file: PathBuf,
        /// The verification key, or a file with it
        #[arg(long, value_name = "KEY")]
        key: String,
        /// A checkpoint that was kept, to be sure that nothing was cut off or rewritten; may be given several times
        #[arg(long = "checkpoint", value_name = "FILE")]
        checkpoints: Vec<PathBuf>,
        /// The key of a witness that must have cosigned, or a file with it; may be given several times
        #[arg(long = "witness", value_name = "KEY")]
        witnesses: Vec<String>,
    },
    /// Third parties that cosign the log
    #[command(subcommand)]
    Witnesses(Witnesses),
    /// Show what happens, as it happens
    Watch,
}

/// `fractal evidence witnesses`.
#[derive(Debug, Subcommand)]
pub enum Witnesses {
    /// List them, what each vouches for and why one does not cosign
    List,
    /// Add one; its operator must know the key that `fractal evidence key` prints
    Add {
        /// What its addresses begin with; /add-checkpoint is added
        #[arg(value_name = "URL")]
        address: String,
        /// The key of its cosignatures, or a file with it
        #[arg(value_name = "KEY")]
        key: String,
        /// It may be on a private or loopback address, and plain http
        #[arg(long)]
        allow_private_network: bool,
    },
    /// Remove one; what it cosigned stays
    Remove {
        /// Its id or name
        witness: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// `fractal evidence list`.
#[derive(Debug, Clone, Args)]
pub struct ListEvidence {
    /// By this principal: an id, or system
    #[arg(long, value_name = "ID")]
    pub actor: Option<String>,
    /// This action, like instance.start, or a kind of them: instance.
    #[arg(long, value_name = "ACTION")]
    pub action: Option<String>,
    /// About this thing, by id
    #[arg(long, value_name = "ID")]
    pub on: Option<String>,
    /// That ended like this: done, refused, failed
    #[arg(long, value_name = "OUTCOME")]
    pub outcome: Option<String>,
    /// How many at most
    #[arg(long, short, value_name = "NUMBER", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub number: u32,
}
