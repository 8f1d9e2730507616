//! The master key: the one secret an operator keeps.
//!
//! It never encrypts a value. It wraps the owners' keys and proves itself against a stored check value, so that a wrong key
//! is refused at start and not discovered by the first person whose secret does not open.

use std::fmt;

use base64::{Engine, engine::general_purpose};
use fractal_clock::{Entropy, random};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::SecretString;
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A master key that is not one, or not the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MasterKeyError {
    /// Not 32 bytes of base64 or hex.
    #[error(
        "the secret key must be 32 bytes as base64 (44 characters) or hex (64 characters); make one with `openssl rand -base64 32`"
    )]
    Shape,
    /// All bytes the same: a placeholder, not a key.
    #[error("the secret key is a placeholder; make a real one with `openssl rand -base64 32`")]
    Placeholder,
    /// The database was written with another key.
    #[error(
        "this secret key is not the one this database was made with (generation {generation}); \
         put back the key file or FRACTAL_SECRET_KEY of that installation, or import an export with `fractal keys import FILE`"
    )]
    Wrong {
        /// The generation the database expects.
        generation: u32,
    },
    /// The stored check value is damaged.
    #[error("the stored key check value is damaged; restore the database from a backup")]
    Check,
}

/// 32 secret bytes with their generation; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct MasterKey {
    bytes: [u8; 32],
    generation: u32,
}

impl MasterKey {
    /// A new random key.
    #[must_use]
    pub fn generate(generation: u32, entropy: &dyn Entropy) -> Self {
        Self {
            bytes: random(entropy),
            generation,
        }
    }

    /// Reads base64 (standard or URL-safe, padded or not) or hex.
    ///
    /// # Errors
    /// [`MasterKeyError::Shape`] or [`MasterKeyError::Placeholder`].
    pub fn parse(text: &str, generation: u32) -> Result<Self, MasterKeyError> {
        let bytes = decode(text.trim()).ok_or(MasterKeyError::Shape)?;
        if bytes.iter().all(|byte| *byte == bytes[0]) {
            return Err(MasterKeyError::Placeholder);
        }
        Ok(Self {
            bytes: *bytes,
            generation,
        })
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32], generation: u32) -> Self {
        Self { bytes, generation }
    }

    pub(crate) const fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Which key of the installation this is, from 1; grows with `fractal keys rotate`.
    #[must_use]
    pub const fn generation(&self) -> u32 {
        self.generation
    }

    /// The same key under another generation number (the number is stored beside the check value).
    #[must_use]
    pub fn with_generation(&self, generation: u32) -> Self {
        Self {
            bytes: self.bytes,
            generation,
        }
    }

    /// The key as base64, for the key file.
    #[must_use]
    pub fn to_base64(&self) -> SecretString {
        general_purpose::STANDARD.encode(self.bytes).into()
    }

    /// A key for one purpose, so that no two uses share key material (RFC 5869).
    pub(crate) fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        let mut out = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &self.bytes)
            .expand(purpose.as_bytes(), &mut *out)
            .expect("HKDF-SHA256 gives up to 8160 bytes, so 32 never fail");
        out
    }

    /// The value that is stored to recognise this key again: `v1.<generation>.<base64 tag>`. It reveals nothing of the key.
    #[must_use]
    pub fn check_value(&self) -> String {
        let tag = self.check_mac(self.generation).finalize().into_bytes();
        format!(
            "v1.{}.{}",
            self.generation,
            general_purpose::STANDARD_NO_PAD.encode(tag)
        )
    }

    /// Compares this key with a stored check value, and returns it with the generation recorded there.
    ///
    /// # Errors
    /// [`MasterKeyError::Wrong`] for another key, [`MasterKeyError::Check`] for a damaged value.
    pub fn checked(&self, check_value: &str) -> Result<Self, MasterKeyError> {
        let mut parts = check_value.split('.');
        let (Some("v1"), Some(generation), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(MasterKeyError::Check);
        };
        let generation = generation.parse().map_err(|_| MasterKeyError::Check)?;
        let tag = general_purpose::STANDARD_NO_PAD
            .decode(tag)
            .map_err(|_| MasterKeyError::Check)?;
        self.check_mac(generation)
            .verify_slice(&tag)
            .map_err(|_| MasterKeyError::Wrong { generation })?;
        Ok(self.with_generation(generation))
    }

    fn check_mac(&self, generation: u32) -> Hmac<Sha256> {
        // HMAC pads a key to the block of the hash with zeros (RFC 2104); done here, so that nothing can fail.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&*self.derive("fractal key check 1"));
        let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
        mac.update(&generation.to_be_bytes());
        mac
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MasterKey(generation {})", self.generation)
    }
}

fn decode(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let mut out = Zeroizing::new([0; 32]);
        for (byte, pair) in out.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            // Both are hex digits as checked above.
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        return Some(out);
    }
    let plain: Zeroizing<String> = Zeroizing::new(
        text.trim_end_matches('=')
            .chars()
            .map(|c| match c {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .collect(),
    );
    let bytes = Zeroizing::new(general_purpose::STANDARD_NO_PAD.decode(&*plain).ok()?);
    Some(Zeroizing::new(bytes.as_slice().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_key_reads_back_from_base64_and_hex() {
        let key = MasterKey::generate(1, &SeededEntropy::new(1));
        let base64 = key.to_base64();
        let hex: String = key.bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let url_safe = base64
            .expose_secret()
            .replace('+', "-")
            .replace('/', "_")
            .replace('=', "");
        for text in [
            base64.expose_secret(),
            &hex,
            &url_safe,
            &format!(" {hex}\n"),
        ] {
            assert_eq!(MasterKey::parse(text, 1).unwrap().bytes, key.bytes);
        }
    }

    #[test]
    fn what_is_not_a_key_is_refused_with_the_remedy() {
        for bad in ["", "changeme", &"a".repeat(63), &"a".repeat(45)] {
            let error = MasterKey::parse(bad, 1).unwrap_err();
            assert!(error.to_string().contains("openssl rand"), "{bad}");
        }
        assert_eq!(
            MasterKey::parse(&"00".repeat(32), 1).unwrap_err(),
            MasterKeyError::Placeholder
        );
    }

    #[test]
    fn the_wrong_key_is_told_from_the_right_one() {
        let entropy = SeededEntropy::new(2);
        let right = MasterKey::generate(3, &entropy);
        let wrong = MasterKey::generate(3, &entropy);
        let check = right.check_value();
        assert_eq!(
            right
                .with_generation(1)
                .checked(&check)
                .unwrap()
                .generation(),
            3
        );
        assert_eq!(
            wrong.checked(&check).unwrap_err(),
            MasterKeyError::Wrong { generation: 3 }
        );
        // Somebody who edits the generation does not get the right key accepted under it.
        assert!(right.checked(&check.replace("v1.3.", "v1.4.")).is_err());
        for damaged in ["", "v1.3", "v2.3.AAAA", "v1.x.AAAA", "v1.3.*"] {
            assert_eq!(right.checked(damaged).unwrap_err(), MasterKeyError::Check);
        }
        assert_eq!(format!("{right:?}"), "MasterKey(generation 3)");
    }
}
