//! What a change would do, asked with `dry_run=true`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::PolicyDecision;

/// What would happen. Nothing did, and nothing was written to the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DryRun {
    /// What would be done.
    pub action: String,
    /// To which kind of thing.
    pub resource_kind: String,
    /// To which thing; absent for one that would be made.
    pub resource_id: Option<String>,
    /// Whether it touches what is private to somebody; then nobody else sees the values.
    pub private: bool,
    /// Whether it is allowed, and by which rules.
    pub decision: PolicyDecision,
    /// What the log would commit to, by name: the new values. Secrets are not among them.
    pub values: BTreeMap<String, Value>,
    /// Which of the values are made anew each time, like the end of a new token's life; the change itself will have others.
    #[serde(default)]
    pub fresh: Vec<String>,
    /// The steps of the operation that would be begun, in order.
    #[serde(default)]
    pub steps: Vec<String>,
    /// The instances that would be looked at afterwards, because what they should be changes.
    pub instances: Vec<String>,
}
