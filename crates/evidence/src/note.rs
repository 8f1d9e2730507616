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
    let line = signature_line(public.name(), public.id(), &key.sign(text.as_bytes()));
    format!("{text}\n{line}")
}

/// One line of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature<'a> {
    /// Who signed, as they say.
    pub name: &'a str,
    /// The short id of their key.
    pub id: [u8; 4],
    /// What follows the id; its form is the algorithm's.
    pub bytes: Vec<u8>,
    /// The line as it stands, ended.
    pub line: &'a str,
}

/// A note's text, and the lines of its signatures, of which none was checked.
///
/// # Errors
/// [`NoteError::Shape`].
pub fn split(note: &str) -> Result<(&str, &str), NoteError> {
    let end = note
        .rfind("\n\n")
        .ok_or(NoteError::Shape("it has no signatures"))?;
    let (text, signatures) = (&note[..=end], &note[end + 2..]);
    if text.chars().any(|c| c < ' ' && c != '\n') {
        return Err(NoteError::Shape("its text holds control characters"));
    }
    Ok((text, signatures))
}

/// The signatures in lines of them.
///
/// # Errors
/// [`NoteError::Shape`].
pub fn signatures(lines: &str) -> Result<Vec<Signature<'_>>, NoteError> {
    if !lines.ends_with('\n') {
        return Err(NoteError::Shape("its last line is not ended"));
    }
    lines.split_inclusive('\n').map(signature).collect()
}

fn signature(line: &str) -> Result<Signature<'_>, NoteError> {
    let (name, encoded) = line
        .trim_end_matches('\n')
        .strip_prefix(MARK)
        .and_then(|line| line.split_once(' '))
        .ok_or(NoteError::Shape("a line of a signature is broken"))?;
    let bytes = STANDARD
        .decode(encoded)
        .map_err(|_| NoteError::Shape("a signature is not base64"))?;
    let Some((id, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(NoteError::Shape("a signature is too short"));
    };
    Ok(Signature {
        name,
        id: *id,
        bytes: rest.to_vec(),
        line,
    })
}

/// The line of a signature, ended.
pub(crate) fn signature_line(name: &str, id: [u8; 4], signature: &[u8]) -> String {
    let mut bytes = id.to_vec();
    bytes.extend(signature);
    format!("{MARK}{name} {}\n", STANDARD.encode(bytes))
}

/// The text of a note that this key signed. Signatures by others are passed over.
///
/// # Errors
/// [`NoteError`].
pub fn open<'a>(note: &'a str, key: &VerifyKey) -> Result<&'a str, NoteError> {
    let (text, lines) = split(note)?;
    let mut forged = false;
    for signature in signatures(lines)? {
        if signature.name != key.name() || signature.id != key.id() {
            continue;
        }
        match <&[u8; 64]>::try_from(signature.bytes.as_slice()) {
            Ok(bytes) if key.verifies(text.as_bytes(), bytes) => return Ok(text),
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
