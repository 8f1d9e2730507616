//! What was found broken, and the checks that look for it.

use fractal_types::{IncidentId, IncidentState, Severity, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::OwnerRef;

/// Something found broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IncidentView {
    /// Its id.
    pub id: IncidentId,
    /// The check that found it.
    pub check: String,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it goes on.
    pub state: IncidentState,
    /// What was found, in words.
    pub finding: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// What Fractal did about it at once, in words.
    pub patch: Option<String>,
    /// How often it did.
    pub attempts: u32,
    /// About which kind of thing.
    pub resource_kind: String,
    /// About which thing.
    pub resource_id: String,
    /// Whose thing it is; absent for what belongs to everybody, and for somebody who is deleted.
    pub owner: Option<OwnerRef>,
    /// Who looks after it; absent also for somebody who is deleted.
    pub acknowledged_by: Option<OwnerRef>,
    /// Since when.
    pub acknowledged_at: Option<Timestamp>,
    /// What they say about it.
    pub note: Option<String>,
    /// Whether the caller may say that they look after it.
    pub can_acknowledge: bool,
    /// When it was found.
    pub opened_at: Timestamp,
    /// When it was found last, to within five minutes.
    pub seen_at: Timestamp,
    /// When it was not found any more.
    pub resolved_at: Option<Timestamp>,
}

/// Which incidents.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct IncidentQuery {
    /// Only those of this state.
    pub state: Option<IncidentState>,
    /// Only those about this thing.
    #[param(max_length = 100)]
    pub resource_id: Option<String>,
    /// Where the page begins: the `next_cursor` of the one before.
    pub cursor: Option<String>,
    /// How many at most, 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// Says that somebody looks after an incident.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeIncident {
    /// What they say about it.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub note: Option<String>,
}

/// A check, and what it found last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CheckView {
    /// The check, a stable word.
    pub id: String,
    /// What it looks at, in words.
    pub about: String,
    /// The worst it found; absent until it has looked since the start.
    pub outcome: Option<Severity>,
    /// How much it found.
    pub findings: u32,
    /// When it looked last.
    pub looked_at: Option<Timestamp>,
    /// Why it could not look.
    pub error: Option<String>,
}
