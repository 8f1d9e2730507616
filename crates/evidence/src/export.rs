//! The form in which the log leaves the house: JSON Lines that verify by themselves.
//!
//! ```text
//! {"fractal_evidence":1,"origin":"…","key":"…","first":1,"frontier":[]}
//! {"hash":"…","leaf":{…},"openings":{"name":{"salt":"…","value":"Ada"}}}
//! …
//! {"checkpoint":"fractal/…\n120\n…"}
//! ```
//!
//! The first line says where the export begins, and the right edge of the log before it. A leaf is hashed exactly as its bytes
//! stand there. A checkpoint stands right after the last entry it covers; the last line is one.

use std::collections::BTreeMap;

use fractal_crypto::VerifyKey;
use fractal_store::evidence::Opening;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    hex,
    merkle::{Frontier, leaf_hash},
};

/// The version of the form.
pub const FORMAT: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The version of the form.
    #[serde(rename = "fractal_evidence")]
    pub format: u32,
    /// Which log.
    pub origin: String,
    /// Its verification key, for people; whoever verifies brings their own.
    pub key: String,
    /// The position of the first entry.
    pub first: u64,
    /// The complete subtrees before it, largest first.
    pub frontier: Vec<String>,
}

impl Header {
    /// The first line of an export that begins after `before`.
    #[must_use]
    pub fn new(key: &VerifyKey, before: &Frontier) -> Self {
        Self {
            format: FORMAT,
            origin: key.name().to_owned(),
            key: key.to_string(),
            first: before.size() + 1,
            frontier: before.peaks().iter().map(|hash| hex(hash)).collect(),
        }
    }

    /// The line, ended.
    #[must_use]
    pub fn line(&self) -> String {
        // Strings and numbers always have a JSON form.
        format!("{}\n", serde_json::to_string(self).unwrap_or_default())
    }
}

/// What opens a commitment, as it is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WrittenOpening {
    /// The salt in hexadecimal digits.
    pub salt: String,
    /// The value.
    pub value: Value,
}

/// The line of an entry, ended. `leaf` is canonical JSON and stands in it as it is. `erased` names values that would stand here and were
/// erased; it is our word, and verifies as no more than that.
#[must_use]
pub fn entry_line(leaf: &str, openings: &[Opening], erased: &[String]) -> String {
    let hash = hex(&leaf_hash(leaf.as_bytes()));
    let erased = if erased.is_empty() {
        String::new()
    } else {
        format!(",\"erased\":{}", json!(erased))
    };
    if openings.is_empty() {
        return format!("{{\"hash\":\"{hash}\",\"leaf\":{leaf}{erased}}}\n");
    }
    let openings: BTreeMap<&str, WrittenOpening> = openings
        .iter()
        .map(|opening| {
            let written = WrittenOpening {
                salt: hex(&opening.salt),
                value: opening.value.clone(),
            };
            (opening.field.as_str(), written)
        })
        .collect();
    format!(
        "{{\"hash\":\"{hash}\",\"leaf\":{leaf},\"openings\":{}{erased}}}\n",
        json!(openings)
    )
}

/// The line of a checkpoint, ended.
#[must_use]
pub fn checkpoint_line(note: &str) -> String {
    format!("{}\n", json!({ "checkpoint": note }))
}
