//! Ed25519 signatures (RFC 8032) of the house's checkpoints.
//!
//! A key is known by a name and a four-byte id, as signed notes spell it (C2SP signed-note): the id is the beginning of
//! SHA-256 over the name, a line feed, the algorithm's byte and the public key.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::Signer;
use fractal_clock::{Entropy, random};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::WitnessKey;

/// The byte of Ed25519 among the algorithms of signed notes.
const ED25519: u8 = 1;

/// A key that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignKeyError {
    /// Not `name+id+key`.
    #[error("a verification key has the form NAME+ID+KEY, as `fractal evidence key` prints it")]
    Shape,
    /// The id does not belong to name and key: a typing error or a forgery.
    #[error("the verification key's id does not fit its name and key; copy it again as a whole")]
    Id,
    /// Another algorithm, or no point of the curve.
    #[error("the verification key is not an Ed25519 key")]
    Algorithm,
    /// The stored secret is damaged.
    #[error("the stored signing key is damaged; restore the database from a backup")]
    Secret,
}

/// Signs under a name. The secret half is wiped when dropped.
pub struct SignKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl SignKey {
    /// A new random key. The name has neither white space nor a plus.
    #[must_use]
    pub fn generate(name: &str, entropy: &dyn Entropy) -> Self {
        let seed = Zeroizing::new(random::<32>(entropy));
        Self {
            name: name.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
        }
    }

    /// Reads what [`SignKey::to_secret`] wrote.
    ///
    /// # Errors
    /// [`SignKeyError::Secret`].
    pub fn from_secret(name: &str, secret: &SecretString) -> Result<Self, SignKeyError> {
        let bytes = Zeroizing::new(
            STANDARD
                .decode(secret.expose_secret())
                .map_err(|_| SignKeyError::Secret)?,
        );
        let seed: &[u8; 32] = bytes
            .as_slice()
            .try_into()
            .map_err(|_| SignKeyError::Secret)?;
        Ok(Self {
            name: name.to_owned(),
            key: ed25519_dalek::SigningKey::from_bytes(seed),
        })
    }

    /// The secret half, to be sealed.
    #[must_use]
    pub fn to_secret(&self) -> SecretString {
        STANDARD.encode(*Zeroizing::new(self.key.to_bytes())).into()
    }

    /// The public half.
    #[must_use]
    pub fn verify_key(&self) -> VerifyKey {
        VerifyKey::new(&self.name, self.key.verifying_key())
    }

    /// The public half as witnesses are known by: with this key it cosigns checkpoints of others instead of signing its own.
    #[must_use]
    pub fn witness_key(&self) -> WitnessKey {
        WitnessKey::new(&self.name, self.key.verifying_key())
    }

    /// The signature of a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }
}

impl fmt::Debug for SignKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("SignKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Checks signatures; written as `name+id+key` (C2SP signed-note).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyKey {
    name: String,
    id: [u8; 4],
    key: ed25519_dalek::VerifyingKey,
}

impl VerifyKey {
    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Self {
        Self {
            name: name.to_owned(),
            id: key_id(name, ED25519, &key),
            key,
        }
    }

    /// Whose signatures it checks.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The short id that stands in front of every signature.
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

impl fmt::Display for VerifyKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(out, &self.name, self.id, ED25519, &self.key)
    }
}

impl std::str::FromStr for VerifyKey {
    type Err = SignKeyError;

    fn from_str(text: &str) -> Result<Self, SignKeyError> {
        let (name, id, key) = read_key(text, ED25519)?;
        let known = Self::new(name, key);
        if id != known.id {
            return Err(SignKeyError::Id);
        }
        Ok(known)
    }
}

/// The short id of a key: what is hashed is its name, a line feed, the algorithm's byte and the public key.
pub(crate) fn key_id(name: &str, algorithm: u8, key: &ed25519_dalek::VerifyingKey) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([b'\n', algorithm]);
    hash.update(key.as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// Writes `name+id+key`.
pub(crate) fn write_key(
    out: &mut fmt::Formatter<'_>,
    name: &str,
    id: [u8; 4],
    algorithm: u8,
    key: &ed25519_dalek::VerifyingKey,
) -> fmt::Result {
    write!(out, "{name}+")?;
    for byte in id {
        write!(out, "{byte:02x}")?;
    }
    let mut bytes = vec![algorithm];
    bytes.extend(key.as_bytes());
    write!(out, "+{}", STANDARD.encode(bytes))
}

/// Reads `name+id+key`: the parts, of which the id is still to be held against the others.
pub(crate) fn read_key(
    text: &str,
    algorithm: u8,
) -> Result<(&str, [u8; 4], ed25519_dalek::VerifyingKey), SignKeyError> {
    // The key is base64, which may hold a plus; neither name nor id does.
    let mut parts = text.trim().splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(SignKeyError::Shape);
    };
    let is_wrong = |one: char| one.is_whitespace() || one.is_control();
    if name.is_empty() || name.contains(is_wrong) || id.len() != 8 {
        return Err(SignKeyError::Shape);
    }
    let id = u32::from_str_radix(id, 16).map_err(|_| SignKeyError::Shape)?;
    let bytes = STANDARD.decode(key).map_err(|_| SignKeyError::Shape)?;
    let rest = bytes
        .strip_prefix(&[algorithm])
        .ok_or(SignKeyError::Algorithm)?;
    let key: [u8; 32] = rest.try_into().map_err(|_| SignKeyError::Algorithm)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| SignKeyError::Algorithm)?;
    Ok((name, id.to_be_bytes(), key))
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;

    use super::*;

    fn key() -> SignKey {
        SignKey::generate("fractal/test", &SeededEntropy::new(1))
    }

    #[test]
    fn a_signature_is_of_one_key_and_one_message() {
        let key = key();
        let other = SignKey::generate("fractal/test", &SeededEntropy::new(2));
        let signature = key.sign(b"hello");
        assert!(key.verify_key().verifies(b"hello", &signature));
        assert!(!key.verify_key().verifies(b"hellO", &signature));
        assert!(!other.verify_key().verifies(b"hello", &signature));
    }

    #[test]
    fn the_written_key_reads_back_and_a_wrong_one_is_refused() {
        let key = key().verify_key();
        let text = key.to_string();
        assert_eq!(text.parse(), Ok(key));
        for (wrong, why) in [
            ("fractal/test".to_owned(), SignKeyError::Shape),
            (
                text.replace("fractal/test", "fractal/tesT"),
                SignKeyError::Id,
            ),
            (text.replace('+', " "), SignKeyError::Shape),
            // A terminal would act on it, and no note may hold it.
            (text.replace("fractal", "\u{1b}[2J"), SignKeyError::Shape),
            // Another algorithm: base64 of a first byte 2.
            (text.replacen("+A", "+I", 1), SignKeyError::Algorithm),
        ] {
            assert_eq!(wrong.parse::<VerifyKey>().unwrap_err(), why, "{wrong}");
        }
    }

    /// The example key of the signed-note specification (c2sp.org/signed-note).
    #[test]
    fn a_key_of_other_tools_is_read() {
        let text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let key: VerifyKey = text.parse().unwrap();
        assert_eq!(key.name(), "PeterNeumann");
        assert_eq!(key.to_string(), text);
    }

    #[test]
    fn the_secret_half_is_restored_and_never_printed() {
        let key = key();
        let secret = key.to_secret();
        let back = SignKey::from_secret("fractal/test", &secret).unwrap();
        assert_eq!(back.verify_key(), key.verify_key());
        assert!(!format!("{key:?}").contains(secret.expose_secret()));
    }
}
