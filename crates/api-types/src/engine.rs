//! Engines.

use fractal_types::{EngineId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An installable OpenClaw version.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EngineView {
    /// Its id.
    pub id: EngineId,
    /// OpenClaw's version.
    pub version: String,
    /// Node's version.
    pub node_version: Option<String>,
    /// Whether it can be used.
    pub state: EngineState,
    /// How far the installation is.
    pub progress: Option<EngineProgress>,
    /// What is wrong, with the remedy.
    pub error: Option<String>,
    /// Digest of its files.
    pub digest: Option<String>,
    /// When it was first known.
    pub created_at: Timestamp,
}

/// Whether an engine can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EngineState {
    /// Being installed.
    Installing,
    /// Ready for use.
    Installed,
    /// Could not be installed.
    Failed,
}

/// How far an installation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EngineProgress {
    /// `prepare`, `download`, `unpack`, `verify` or `done`.
    pub phase: String,
    /// Packages present.
    pub packages_done: u32,
    /// Packages in all.
    pub packages_total: u32,
    /// Bytes on disk so far.
    pub bytes: u64,
    /// Bytes there will be, roughly; 0 while that is not known.
    #[serde(default)]
    pub bytes_total: u64,
}
