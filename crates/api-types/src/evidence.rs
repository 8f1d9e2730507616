//! The log: entries, signed heads, proofs.

use std::collections::BTreeMap;

use fractal_types::{EvidenceId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which entries; an absent part means any.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EvidenceQuery {
    /// By this principal, an id or `system`.
    #[param(max_length = 128)]
    pub actor: Option<String>,
    /// This action, like `instance.start`, or all of a kind: `instance.`
    #[param(max_length = 128)]
    pub action: Option<String>,
    /// About this kind of thing, like `instance`.
    #[param(max_length = 64)]
    pub resource_kind: Option<String>,
    /// About this thing, by id.
    #[param(max_length = 128)]
    pub resource_id: Option<String>,
    /// That ended like this: `done`, `refused`, `failed`, …
    #[param(max_length = 64)]
    pub outcome: Option<String>,
    /// Not before then.
    pub from: Option<Timestamp>,
    /// Before then.
    pub to: Option<Timestamp>,
    /// The `next_cursor` of the page before.
    #[param(max_length = 32)]
    pub cursor: Option<String>,
    /// Entries per page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceView {
    /// Its position, gapless from 1.
    pub seq: u64,
    /// Its id.
    pub id: EvidenceId,
    /// When it happened.
    pub at: Timestamp,
    /// Which kind of principal acted.
    pub actor_kind: String,
    /// Which; empty for the system.
    pub actor_id: String,
    /// The sign-in name of a person who is still there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor_name: Option<String>,
    /// How they proved it.
    pub via: String,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub resource_kind: String,
    /// To which.
    pub resource_id: String,
    /// How it ended.
    pub outcome: String,
    /// Why: the deciding policies.
    #[schema(value_type = Object)]
    pub decision: serde_json::Value,
    /// What changed, as far as it may be seen by the caller and was not erased.
    #[schema(value_type = Object)]
    pub values: BTreeMap<String, serde_json::Value>,
    /// Every value's commitment, also of those not shown: field to hexadecimal digits.
    #[schema(value_type = Object)]
    pub commitments: serde_json::Value,
    /// Names of values that the caller may see and that were erased. It is the server's word: a commitment alone tells nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub erased: Vec<String>,
    /// The request that caused it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// The newest signed head of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EvidenceHead {
    /// How many entries it covers; 0 before the first was sealed.
    pub size: u64,
    /// The signed note (C2SP tlog-checkpoint), with the lines of witnesses that cosigned it; absent while `size` is 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// When it was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// The newest signed head that a witness cosigned; absent while none has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witnessed: Option<WitnessedHead>,
    /// The key that verifies it, `name+id+key`. Keep it somewhere else than here.
    pub key: String,
    /// Entries that happened and have no position yet.
    pub waiting: u64,
}

/// A signed head that witnesses cosigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WitnessedHead {
    /// How many entries it covers.
    pub size: u64,
    /// The signed note, with a line of each of them (C2SP tlog-cosignature).
    pub note: String,
    /// Their names.
    pub witnesses: Vec<String>,
}

/// Under which head a proof is wanted.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProofQuery {
    /// A head that covers this many entries; the newest when absent.
    #[param(minimum = 1)]
    pub size: Option<u64>,
}

/// The proof that an entry is in the log (RFC 6962 section 2.1.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InclusionProof {
    /// The entry's position, from 1; its index in the tree is one less.
    pub seq: u64,
    /// What is hashed: the entry as canonical JSON. The leaf's hash is SHA-256 over a zero byte and these bytes.
    pub leaf: String,
    /// The leaf's hash, hexadecimal.
    pub leaf_hash: String,
    /// How many entries the head covers.
    pub size: u64,
    /// The hashes from the leaf upwards, hexadecimal.
    pub hashes: Vec<String>,
    /// The signed head.
    pub note: String,
}

/// Between which heads.
#[derive(Debug, Clone, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConsistencyQuery {
    /// The size of the earlier head.
    #[param(minimum = 1)]
    pub from: u64,
    /// The size of the later head; the newest when absent.
    #[param(minimum = 1)]
    pub to: Option<u64>,
}

/// The proof that an earlier log is the beginning of a later one (RFC 6962 section 2.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ConsistencyProof {
    /// The size of the earlier log.
    pub from: u64,
    /// The size of the later log.
    pub to: u64,
    /// The hashes, hexadecimal.
    pub hashes: Vec<String>,
    /// The later signed head.
    pub note: String,
}

/// What to export.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// The position of the first entry; 1 when absent.
    #[param(minimum = 1)]
    pub first: Option<u64>,
    /// With the values that the caller may see, not only their commitments.
    pub values: Option<bool>,
}
