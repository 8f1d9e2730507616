//! What was used.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which usage.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// Days back from today, 1 to 366; 30 when absent.
    #[param(minimum = 1, maximum = 366)]
    pub days: Option<u32>,
    /// Everybody's sums (administrators) instead of the caller's own.
    pub all: Option<bool>,
}

/// Usage by day and model.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UsageReport {
    /// One row per day and model, newest first.
    pub rows: Vec<UsageRow>,
    /// Calls in all.
    pub calls: u64,
    /// Tokens in, in all.
    pub input_tokens: u64,
    /// Tokens out, in all.
    pub output_tokens: u64,
}

/// Usage of one model on one day (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UsageRow {
    /// The day, `YYYY-MM-DD`.
    pub day: String,
    /// The model.
    pub model: String,
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
}
