//! Quantities and limits of an instance.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instance::words;

/// What one instance may use. `None` means no limit is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// Resident memory in bytes.
    pub memory_bytes: Option<u64>,
    /// CPU time in thousandths of one core.
    pub cpu_millis: Option<u32>,
    /// Processes and threads.
    pub processes: Option<u32>,
    /// Bytes on disk under the instance's home.
    pub disk_bytes: Option<u64>,
    /// Open files per process.
    pub open_files: Option<u32>,
}

impl Default for Limits {
    /// The floor that OpenClaw's own fleet command gives a cell (`openclaw.md` section 1): 2 GiB, 2 CPUs.
    fn default() -> Self {
        Self {
            memory_bytes: Some(2 << 30),
            cpu_millis: Some(2_000),
            processes: Some(512),
            disk_bytes: Some(5 << 30),
            open_files: Some(8_192),
        }
    }
}

/// How near an instance's files are to what they may take.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum DiskPressure {
    /// There is room.
    #[default]
    Ok,
    /// Nine tenths are taken; at the limit it is stopped.
    Near,
    /// The limit was reached; it was stopped for that.
    Full,
}

words!(DiskPressure, "disk pressure", "ok, near or full", {
    Ok = "ok", Near = "near", Full = "full",
});

/// How a runtime treats one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Enforcement {
    /// The kernel refuses more.
    Enforced,
    /// More is noticed and reported.
    Watched,
    /// Nothing happens.
    None,
}
