//! The health page of the seeds' form (`requirements.md` F31).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the service is up. Counts are told to callers on the same machine only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// Fractal's version.
    pub version: String,
    /// How many instances there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instances: Option<InstanceCounts>,
    /// How many incidents are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incidents: Option<u64>,
}

/// How many instances there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InstanceCounts {
    /// Those that answer or are on their way to it.
    pub active: u32,
    /// All that are not deleted.
    pub total: u32,
    /// How many there may be: what the present accounts may have together.
    pub max: u32,
}
