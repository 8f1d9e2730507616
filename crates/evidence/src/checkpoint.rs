//! A signed tree head: what the log was at a moment (C2SP tlog-checkpoint).
//!
//! The text is the log's origin, its number of entries and its root in base64, a line each. Lines after these are extensions
//! and are kept under the signature without a meaning for us.

use base64::{Engine, engine::general_purpose::STANDARD};
use fractal_crypto::{SignKey, VerifyKey};

use crate::{
    merkle::Hash,
    note::{self, NoteError},
};

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log: the name of the key that signs it.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, key: &SignKey) -> String {
        note::sign(&self.text(), key)
    }

    /// Reads a note that this key signed. The log's origin must be the key's name, so that a head of another log under the same
    /// key is not taken for this one's.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn open(signed: &str, key: &VerifyKey) -> Result<Self, NoteError> {
        let text = note::open(signed, key)?;
        let mut lines = text.lines();
        let origin = lines
            .next()
            .filter(|origin| *origin == key.name())
            .ok_or(NoteError::Shape("its first line is not the log's name"))?;
        let size = lines
            .next()
            // One spelling only: no sign, no leading zero.
            .filter(|line| line.bytes().all(|byte| byte.is_ascii_digit()))
            .filter(|line| *line == "0" || !line.starts_with('0'))
            .and_then(|line| line.parse().ok())
            .ok_or(NoteError::Shape("its second line is no number of entries"))?;
        let root = lines
            .next()
            .and_then(|line| STANDARD.decode(line).ok())
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(NoteError::Shape("its third line is no root"))?;
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;

    use super::*;

    fn key() -> SignKey {
        SignKey::generate("fractal/test", &SeededEntropy::new(1))
    }

    fn head() -> Checkpoint {
        Checkpoint {
            origin: "fractal/test".into(),
            size: 42,
            root: [7; 32],
        }
    }

    #[test]
    fn a_signed_head_reads_back() {
        let signed = head().sign(&key());
        assert!(signed.starts_with("fractal/test\n42\nBwcH"), "{signed}");
        assert_eq!(Checkpoint::open(&signed, &key().verify_key()), Ok(head()));
    }

    #[test]
    fn a_head_of_another_log_or_with_an_odd_number_is_refused() {
        let key = key();
        for text in [
            "other\n42\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
            "fractal/test\n042\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
            "fractal/test\n+42\nBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\n",
            "fractal/test\n42\nBwcH\n",
        ] {
            let signed = note::sign(text, &key);
            assert!(
                matches!(
                    Checkpoint::open(&signed, &key.verify_key()),
                    Err(NoteError::Shape(_))
                ),
                "{text}"
            );
        }
    }
}
