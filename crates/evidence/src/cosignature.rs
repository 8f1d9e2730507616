//! Cosignatures: what a witness says of a checkpoint that is not its own (C2SP tlog-cosignature, Ed25519).
//!
//! It says that, at that second, this was the largest head of the log that it knew, and that every head it cosigned before is a
//! beginning of it. A cosignature is one more signature line of the checkpoint's note.

use std::fmt;

use fractal_crypto::{SignKey, WitnessKey};

use crate::note::{self, NoteError};

/// A cosignature that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// When it was given, in seconds since 1970, by the witness's clock.
    pub time: u64,
    /// Its line in the note, ended.
    pub line: String,
}

/// A cosignature that is wanted and cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CosignatureError {
    /// The lines are no signatures.
    Shape(NoteError),
    /// None is by this witness.
    Missing(String),
    /// One is by this witness's name and key's id, and not over this text.
    Forged(String),
}

impl fmt::Display for CosignatureError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape(why) => why.fmt(out),
            Self::Missing(name) => write!(out, "there is no cosignature by {name}"),
            Self::Forged(name) => write!(
                out,
                "the cosignature by {name} does not fit the checkpoint: it was changed, or another key gave it"
            ),
        }
    }
}

impl std::error::Error for CosignatureError {}

/// What is signed: two lines with domain and second, then the checkpoint's whole text.
fn message(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// Cosigns the text of a checkpoint: the line for its note, ended.
#[must_use]
pub fn cosign(text: &str, time: u64, key: &SignKey) -> String {
    let public = key.witness_key();
    let mut bytes = time.to_be_bytes().to_vec();
    bytes.extend(key.sign(&message(text, time)));
    note::signature_line(public.name(), public.id(), &bytes)
}

/// The newest cosignature by this witness over the text, among lines of signatures. Those by others are passed over.
///
/// # Errors
/// [`CosignatureError`].
pub fn find(text: &str, lines: &str, key: &WitnessKey) -> Result<Cosignature, CosignatureError> {
    let mut found: Option<Cosignature> = None;
    let mut forged = false;
    for signature in note::signatures(lines).map_err(CosignatureError::Shape)? {
        if signature.name != key.name() || signature.id != key.id() {
            continue;
        }
        let Some(time) = given(text, &signature.bytes, key) else {
            forged = true;
            continue;
        };
        if found.as_ref().is_none_or(|known| known.time < time) {
            found = Some(Cosignature {
                time,
                line: signature.line.to_owned(),
            });
        }
    }
    let name = || key.name().to_owned();
    match found {
        Some(found) => Ok(found),
        None if forged => Err(CosignatureError::Forged(name())),
        None => Err(CosignatureError::Missing(name())),
    }
}

/// When the cosignature was given, if it fits.
fn given(text: &str, bytes: &[u8], key: &WitnessKey) -> Option<u64> {
    let (time, signature) = bytes.split_first_chunk::<8>()?;
    let time = u64::from_be_bytes(*time);
    let signature: &[u8; 64] = signature.try_into().ok()?;
    // The specification's bound; what lies above is no time.
    let sane = i64::try_from(time).is_ok();
    (sane && key.verifies(&message(text, time), signature)).then_some(time)
}

/// [`find`] in a whole note.
///
/// # Errors
/// [`CosignatureError`].
pub fn of_note(note: &str, key: &WitnessKey) -> Result<Cosignature, CosignatureError> {
    let (text, lines) = note::split(note).map_err(CosignatureError::Shape)?;
    find(text, lines, key)
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;
    use fractal_crypto::VerifyKey;
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str =
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";

    fn witness(seed: u64) -> SignKey {
        SignKey::generate("witness.example.com/w1", &SeededEntropy::new(seed))
    }

    /// The note that the specification shows (c2sp.org/tlog-cosignature): its witness's key is not given there, its form is.
    #[test]
    fn the_example_of_the_specification_has_our_form() {
        let line = "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
        let read = note::signatures(line).unwrap();
        assert_eq!(read[0].name, "witness.example.com/w1");
        assert_eq!(read[0].bytes.len(), 8 + 64);
        let time = u64::from_be_bytes(read[0].bytes[..8].try_into().unwrap());
        assert_eq!(time, 1_679_315_147, "the second that its text names");
        assert!(message(TEXT, time).starts_with(b"cosignature/v1\ntime 1679315147\nexample.com/"));
        let key = witness(1).witness_key();
        // Same name, another key: passed over.
        assert_eq!(
            find(TEXT, line, &key),
            Err(CosignatureError::Missing("witness.example.com/w1".into()))
        );
    }

    /// Made from the specification's words by a program of its own (the reference code of RFC 8032 section 6 over SHA-256 and
    /// base64), with the first secret key of RFC 8032 section 7.1.
    #[test]
    fn a_line_made_by_other_hands_is_accepted() {
        const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
        const KEY: &str = "w.example+4a98ebc3+BNdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea";
        const LINE: &str = "\u{2014} w.example SpjrwwAAAABlU/EAi5gU6YaG9nHH7cS2vxCkuyXgoBsN1mvBEx39nIS4IFxXArQ5k5h40a8aEley1heAmZ3M+b9bf/0wJc856RUuAg==\n";
        let key: WitnessKey = KEY.parse().unwrap();
        let found = find(TEXT, LINE, &key).unwrap();
        assert_eq!((found.time, found.line.as_str()), (1_700_000_000, LINE));
        // Ours is the same.
        let ours = SignKey::from_secret("w.example", &SEED.to_owned().into()).unwrap();
        assert_eq!(ours.witness_key(), key);
        assert_eq!(cosign(TEXT, 1_700_000_000, &ours), LINE);
    }

    #[test]
    fn a_note_with_cosignatures_still_opens_and_each_is_found() {
        let log = SignKey::generate("example.com/behind-the-sofa", &SeededEntropy::new(9));
        let (one, two) = (witness(1), SignKey::generate("w2", &SeededEntropy::new(2)));
        let note = note::sign(TEXT, &log)
            + &cosign(TEXT, 7, &one)
            + &cosign(TEXT, 9, &two)
            + &cosign(TEXT, 8, &one);
        let key: VerifyKey = log.verify_key();
        assert_eq!(note::open(&note, &key), Ok(TEXT));
        assert_eq!(of_note(&note, &one.witness_key()).unwrap().time, 8);
        assert_eq!(of_note(&note, &two.witness_key()).unwrap().time, 9);
        // Over another text it is no cosignature, and one that signs notes is none either.
        let moved = note.replacen("20852163", "20852164", 1);
        assert_eq!(
            of_note(&moved, &two.witness_key()),
            Err(CosignatureError::Forged("w2".into()))
        );
        let signed = note::sign(TEXT, &two);
        assert_eq!(
            of_note(&signed, &two.witness_key()),
            Err(CosignatureError::Missing("w2".into()))
        );
    }

    proptest! {
        #[test]
        fn every_time_reads_back_and_none_beyond_the_bound(time: u64, other: u64) {
            let key = witness(1);
            let line = cosign(TEXT, time, &key);
            let found = find(TEXT, &line, &key.witness_key());
            if time <= i64::MAX as u64 {
                prop_assert_eq!(found.unwrap().time, time);
            } else {
                prop_assert!(found.is_err());
            }
            if other != time {
                // The second is signed, too.
                let read = note::signatures(&line).unwrap().remove(0);
                let mut bytes = other.to_be_bytes().to_vec();
                bytes.extend(&read.bytes[8..]);
                let forged = note::signature_line(read.name, read.id, &bytes);
                prop_assert!(find(TEXT, &forged, &key.witness_key()).is_err());
            }
        }

        #[test]
        fn arbitrary_lines_never_panic(lines: String) {
            let _ = find(TEXT, &lines, &witness(1).witness_key());
        }
    }
}
