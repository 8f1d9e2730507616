//! The keys of witnesses, who cosign checkpoints of logs that are not theirs (C2SP tlog-cosignature).
//!
//! Ed25519 like the keys of notes, under another algorithm's byte: a signature of the one kind is never taken for one of the other.

use std::fmt;

use crate::sign::{SignKeyError, key_id, read_key, write_key};

/// The byte of timestamped Ed25519 cosignatures among the algorithms of signed notes.
const COSIGNATURE: u8 = 4;

/// Checks the cosignatures of a witness; written as `name+id+key` (C2SP signed-note).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    id: [u8; 4],
    key: ed25519_dalek::VerifyingKey,
}

impl WitnessKey {
    pub(crate) fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Self {
        Self {
            name: name.to_owned(),
            id: key_id(name, COSIGNATURE, &key),
            key,
        }
    }

    /// Which witness: often an address without its scheme.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The short id that stands in front of every cosignature.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    /// Whether the signature is of this key over this message. Strict: no malleable signature passes.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.key.verify_strict(message, &signature).is_ok()
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(out, &self.name, self.id, COSIGNATURE, &self.key)
    }
}

/// Why a text is no key of a witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessKeyError {
    /// Not `name+id+key`.
    #[error("a witness's key has the form NAME+ID+KEY, as its operator publishes it")]
    Shape,
    /// The id does not belong to name and key: a typing error or a forgery.
    #[error("the id of the witness's key does not fit its name and key; copy it again as a whole")]
    Id,
    /// Another algorithm, or no point of the curve. A key that signs logs begins with another byte.
    #[error("this is no key for Ed25519 cosignatures, whose third part begins with B")]
    Algorithm,
}

impl std::str::FromStr for WitnessKey {
    type Err = WitnessKeyError;

    fn from_str(text: &str) -> Result<Self, WitnessKeyError> {
        let (name, id, key) = read_key(text, COSIGNATURE).map_err(|why| match why {
            SignKeyError::Algorithm => WitnessKeyError::Algorithm,
            _ => WitnessKeyError::Shape,
        })?;
        let known = Self::new(name, key);
        if id != known.id {
            return Err(WitnessKeyError::Id);
        }
        Ok(known)
    }
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;

    use super::*;
    use crate::SignKey;

    #[test]
    fn the_written_key_reads_back_and_a_key_of_notes_is_refused() {
        let signer = SignKey::generate("witness.example/w1", &SeededEntropy::new(1));
        let key = signer.witness_key();
        let text = key.to_string();
        assert!(text.contains("+B"), "{text}");
        assert_eq!(text.parse(), Ok(key.clone()));
        assert_ne!(key.id(), signer.verify_key().id());
        for (wrong, why) in [
            ("witness.example/w1".to_owned(), WitnessKeyError::Shape),
            (text.replace("/w1", "/w2"), WitnessKeyError::Id),
            (signer.verify_key().to_string(), WitnessKeyError::Algorithm),
        ] {
            assert_eq!(wrong.parse::<WitnessKey>(), Err(why), "{wrong}");
        }
    }
}
