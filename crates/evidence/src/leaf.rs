//! What of an entry goes into the tree: its canonical JSON. The bytes are what counts; whoever verifies hashes them as they stand.

use fractal_crypto::canonical_json;
use fractal_store::EvidenceEntry;
use serde_json::json;

/// The leaf of an entry at its position. Everything but the openings is in it, so none of it can change later without notice.
#[must_use]
pub fn leaf(entry: &EvidenceEntry, seq: u64) -> String {
    canonical_json(&json!({
        "seq": seq,
        "id": entry.id,
        "organization_id": entry.organization_id,
        "at": entry.at,
        "actor_kind": entry.actor_kind,
        "actor_id": entry.actor_id,
        "via": entry.via,
        "action": entry.action,
        "resource_kind": entry.resource_kind,
        "resource_id": entry.resource_id,
        "outcome": entry.outcome,
        "decision": entry.decision,
        "commitments": entry.commitments,
        "request_id": entry.request_id,
    }))
}
