//! Something found broken, from its finding to its end.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instance::words;

/// How bad a finding is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Good,
    /// Works, but somebody should look.
    Attention,
    /// Does not work.
    Failed,
}

words!(Severity, "severity", "good, attention or failed", {
    Good = "good", Attention = "attention", Failed = "failed",
});

/// Whether an incident goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// A check still finds it.
    Open,
    /// It is not found any more.
    Resolved,
}

words!(IncidentState, "state of an incident", "open or resolved", {
    Open = "open", Resolved = "resolved",
});
