//! Witnesses: third parties that cosign the signed heads of the log.

use fractal_types::{Timestamp, WitnessId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the last time ended that a witness was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WitnessStateView {
    /// It was not asked yet.
    New,
    /// It cosigned.
    Cosigned,
    /// It did not answer, or not in time.
    Unreachable,
    /// It does not know this log or its key, or is no witness.
    Refused,
    /// It holds another history of this log, or a longer one.
    Conflict,
    /// It answered with a cosignature that does not fit.
    Forged,
}

/// A witness.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WitnessView {
    /// Its id.
    pub id: WitnessId,
    /// The name in its key.
    pub name: String,
    /// What its addresses begin with; `/add-checkpoint` is added.
    pub url: String,
    /// The key that verifies its cosignatures, `name+id+key`.
    pub key: String,
    /// Whether it may be on a private or loopback address.
    pub allow_private_network: bool,
    /// How the last time ended that it was asked.
    pub state: WitnessStateView,
    /// The size it cosigned last: it vouches for so many entries. 0 before the first.
    pub size: u64,
    /// When it cosigned last.
    pub cosigned_at: Option<Timestamp>,
    /// Why it did not cosign; absent when it did.
    pub last_error: Option<String>,
    /// When the first failure was since it cosigned last.
    pub failing_since: Option<Timestamp>,
    /// It is not asked before.
    pub next_at: Timestamp,
    /// When it was added.
    pub created_at: Timestamp,
}

/// Adds a witness.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AddWitness {
    /// What its addresses begin with, an https address; `/add-checkpoint` is added.
    #[schema(max_length = 2048)]
    pub url: String,
    /// The key that verifies its cosignatures, `name+id+key`, as its operator publishes it.
    #[schema(max_length = 512)]
    pub key: String,
    /// Whether it may be on a private or loopback address, and plain http.
    pub allow_private_network: Option<bool>,
}
