//! What an operator may set.

use std::{ops::RangeInclusive, path::PathBuf, time::Duration};

/// The settings of the process runtime.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where volumes, sockets and logs are kept.
    pub data_dir: PathBuf,
    /// Our own program; it is started as `program program_args… supervise --dir …` and
    /// `program program_args… relay`.
    pub program: PathBuf,
    /// See `program`.
    pub program_args: Vec<String>,
    /// The host user ids that instances get when this process is root.
    pub uids: RangeInclusive<u32>,
    /// How long a supervisor does without the control plane before it stops its instance.
    pub ttl: Duration,
    /// Whether to use bubblewrap.
    pub bubblewrap: Bubblewrap,
}

/// Whether to use bubblewrap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bubblewrap {
    /// When it is installed and works.
    Auto,
    /// This one, or not at all.
    At(PathBuf),
    /// Never: reduced isolation.
    Off,
}

impl Settings {
    /// The defaults of design section 5 and 6 over a data folder, with a program to start.
    pub fn new(data_dir: impl Into<PathBuf>, program: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            program: program.into(),
            program_args: Vec::new(),
            uids: 600_000..=665_535,
            ttl: Duration::from_secs(15 * 60),
            bubblewrap: Bubblewrap::Auto,
        }
    }
}
