//! Signed notes: a text and who signed it, in the form that transparency logs share (C2SP signed-note).
//!
//! ```text
//! <text, every line ended by a line feed>
//! <empty line>
//! — <name> <base64 of key id and signature>
//! ```

use base64::{Engine, engine::general_purpose::STANDARD};
use fractal_crypto::{SignKey, VerifyKey};

/// Begins a line of a signature: an em dash and a space.
const MARK: &str = "\u{2014} ";

/// A note that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not in the form of a signed note.
    #[error("this is not a signed note: {0}")]
    Shape(&'static str),
    /// Nobody signed whose key we were given.
    #[error("the note carries no signature by {0}; is it the key of this installation?")]
    Unsigned(String),
    /// Signed in that name, but not by that key over this text.
    #[error("the signature by {0} does not fit the text: it was changed, or another key signed it")]
    Forged(String),
}

/// Signs a text, which ends with a line feed.
#[must_use]
pub fn sign(text: &str, key: &SignKey) -> String {
    let public = key.verify_key();
    let mut bytes = public.id().to_vec();
    bytes.extend(key.sign(text.as_bytes()));
    format!(
        "{text}\n{MARK}{} {}\n",
        public.name(),
        STANDARD.encode(bytes)
    )
}

/// The text of a note that this key signed. Signatures by others are passed over.
///
/// # Errors
/// [`NoteError`].
pub fn open<'a>(note: &'a str, key: &VerifyKey) -> Result<&'a str, NoteError> {
    let end = note
        .rfind("\n\n")
        .ok_or(NoteError::Shape("it has no signatures"))?;
    let (text, signatures) = (&note[..=end], &note[end + 2..]);
    if text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Shape("its text holds control characters"));
    }
    if !signatures.ends_with('\n') {
        return Err(NoteError::Shape("its last line is not ended"));
    }
    let mut forged = false;
    for line in signatures.lines() {
        let (name, encoded) = line
            .strip_prefix(MARK)
            .and_then(|line| line.split_once(' '))
            .ok_or(NoteError::Shape("a line of a signature is broken"))?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| NoteError::Shape("a signature is not base64"))?;
        let Some((id, signature)) = bytes.split_first_chunk::<4>() else {
            return Err(NoteError::Shape("a signature is too short"));
        };
        if name != key.name() || *id != key.id() {
            continue;
        }
        match <&[u8; 64]>::try_from(signature) {
            Ok(signature) if key.verifies(text.as_bytes(), signature) => return Ok(text),
            _ => forged = true,
        }
    }
    let name = key.name().to_owned();
    Err(if forged {
        NoteError::Forged(name)
    } else {
        NoteError::Unsigned(name)
    })
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;

    use super::*;

    fn key(seed: u64) -> SignKey {
        SignKey::generate("fractal/test", &SeededEntropy::new(seed))
    }

    #[test]
    fn a_note_opens_with_its_key_only() {
        let (ours, theirs) = (key(1), key(2));
        let note = sign("fractal/test\n3\nAAAA\n", &ours);
        assert_eq!(
            open(&note, &ours.verify_key()),
            Ok("fractal/test\n3\nAAAA\n")
        );
        assert_eq!(
            open(&note, &theirs.verify_key()),
            Err(NoteError::Unsigned("fractal/test".into()))
        );
        let changed = note.replacen("\n3\n", "\n4\n", 1);
        assert_eq!(
            open(&changed, &ours.verify_key()),
            Err(NoteError::Forged("fractal/test".into()))
        );
    }

    #[test]
    fn a_witness_may_sign_below_us() {
        let (ours, witness) = (key(1), SignKey::generate("witness", &SeededEntropy::new(3)));
        let text = "fractal/test\n3\nAAAA\n";
        let theirs = sign(text, &witness);
        let note = format!("{}{}", sign(text, &ours), &theirs[text.len() + 1..]);
        assert_eq!(open(&note, &ours.verify_key()), Ok(text));
        assert_eq!(open(&note, &witness.verify_key()), Ok(text));
    }

    /// The example of Go's package `golang.org/x/mod/sumdb/note`.
    #[test]
    fn a_note_of_other_tools_opens() {
        let key = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
            .parse()
            .unwrap();
        let text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
        let note = format!(
            "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
        );
        assert_eq!(open(&note, &key), Ok(text));
    }

    #[test]
    fn broken_notes_say_what_is_broken() {
        let key = key(1);
        for broken in [
            "",
            "text\n",
            "text\n\nno mark\n",
            "a\tb\n\n\u{2014} x AAAA\n",
        ] {
            assert!(
                matches!(open(broken, &key.verify_key()), Err(NoteError::Shape(_))),
                "{broken:?}"
            );
        }
    }
}
