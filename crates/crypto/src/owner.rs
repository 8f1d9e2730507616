//! Owner keys: one random data key per owner and version, wrapped by the master key.
//!
//! A new master key re-wraps these and touches no value; a new owner key re-encrypts that owner's values and nobody
//! else's. Erasing an owner's keys makes every copy of their secrets unreadable, backups included.

use std::fmt;

use fractal_clock::{Entropy, random};
use secrecy::{ExposeSecret, SecretString};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    MasterKey,
    cipher::{self, OpenError, Place},
};

/// First byte of an encrypted value: format 1, AES-256-GCM.
const VALUE_FORMAT: u8 = 1;
const WRAP_FORMAT: u8 = 1;

/// The data key of one owner; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct OwnerKey {
    #[zeroize(skip)]
    owner: String,
    #[zeroize(skip)]
    version: u32,
    bytes: [u8; 32],
}

/// An owner key as it is stored: `format || generation of the master key || nonce || ciphertext`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey(pub Vec<u8>);

impl WrappedKey {
    /// The generation of the master key that wrapped it; `None` when the bytes are damaged.
    #[must_use]
    pub fn master_generation(&self) -> Option<u32> {
        let (format, rest) = self.0.split_first()?;
        let (generation, _) = rest.split_first_chunk::<4>()?;
        (*format == WRAP_FORMAT).then(|| u32::from_be_bytes(*generation))
    }
}

impl OwnerKey {
    /// A new random key for `owner` (their id as text).
    #[must_use]
    pub fn generate(owner: &str, version: u32, entropy: &dyn Entropy) -> Self {
        Self {
            owner: owner.to_owned(),
            version,
            bytes: random(entropy),
        }
    }

    /// Whose key it is.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Which of the owner's keys it is, from 1.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// Wraps the key for storage.
    #[must_use]
    pub fn wrap(&self, master: &MasterKey, entropy: &dyn Entropy) -> WrappedKey {
        let mut out = vec![WRAP_FORMAT];
        out.extend_from_slice(&master.generation().to_be_bytes());
        out.extend(cipher::seal(
            &master.derive("fractal key wrap 1"),
            &wrap_data(&self.owner, self.version, master.generation()),
            &self.bytes,
            entropy,
        ));
        WrappedKey(out)
    }

    /// Unwraps a stored key.
    ///
    /// # Errors
    /// [`OpenError::KeyVersion`] when another generation of the master key wrapped it, [`OpenError::Refused`] when it
    /// belongs to another owner or version or was changed.
    pub fn unwrap(
        owner: &str,
        version: u32,
        wrapped: &WrappedKey,
        master: &MasterKey,
    ) -> Result<Self, OpenError> {
        let needed = wrapped.master_generation().ok_or(OpenError::Format)?;
        if needed != master.generation() {
            return Err(OpenError::KeyVersion {
                needed,
                given: master.generation(),
            });
        }
        let plain = cipher::open(
            &master.derive("fractal key wrap 1"),
            &wrap_data(owner, version, needed),
            &wrapped.0[5..],
        )?;
        Ok(Self {
            owner: owner.to_owned(),
            version,
            bytes: plain.as_slice().try_into().map_err(|_| OpenError::Format)?,
        })
    }
}

impl fmt::Debug for OwnerKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "OwnerKey({}, version {})", self.owner, self.version)
    }
}

fn wrap_data(owner: &str, version: u32, generation: u32) -> Vec<u8> {
    let mut out = b"fractal wrap 1".to_vec();
    out.extend_from_slice(&generation.to_be_bytes());
    out.extend_from_slice(&version.to_be_bytes());
    cipher::push_part(&mut out, owner);
    out
}

/// Encrypts a value for its place: `format || key version || nonce || ciphertext`.
///
/// `place.owner` is replaced by the key's owner, so that the two cannot differ.
#[must_use]
pub fn encrypt(
    key: &OwnerKey,
    place: Place<'_>,
    value: &SecretString,
    entropy: &dyn Entropy,
) -> Vec<u8> {
    let place = Place {
        owner: &key.owner,
        ..place
    };
    let mut out = vec![VALUE_FORMAT];
    out.extend_from_slice(&key.version.to_be_bytes());
    out.extend(cipher::seal(
        &key.bytes,
        &place.associated_data(key.version),
        value.expose_secret().as_bytes(),
        entropy,
    ));
    out
}

/// Decrypts a value at its place.
///
/// # Errors
/// See [`OpenError`]; a value moved to another owner, table, column or row is refused.
pub fn decrypt(key: &OwnerKey, place: Place<'_>, sealed: &[u8]) -> Result<SecretString, OpenError> {
    let needed = key_version_of(sealed).ok_or(OpenError::Format)?;
    if needed != key.version {
        return Err(OpenError::KeyVersion {
            needed,
            given: key.version,
        });
    }
    if place.owner != key.owner {
        return Err(OpenError::Refused);
    }
    let plain = cipher::open(&key.bytes, &place.associated_data(needed), &sealed[5..])?;
    std::str::from_utf8(&plain)
        .map(SecretString::from)
        .map_err(|_| OpenError::Format)
}

/// Moves a value from one of the owner's keys to another, at the same place.
///
/// # Errors
/// As [`decrypt`] with the old key.
pub fn reencrypt(
    old: &OwnerKey,
    new: &OwnerKey,
    place: Place<'_>,
    sealed: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, OpenError> {
    if old.owner != new.owner {
        return Err(OpenError::Refused);
    }
    let value = decrypt(old, place, sealed)?;
    Ok(encrypt(new, place, &value, entropy))
}

/// Which version of the owner's key a stored value needs; `None` when it is no encrypted value.
#[must_use]
pub fn key_version_of(sealed: &[u8]) -> Option<u32> {
    let (format, rest) = sealed.split_first()?;
    let (version, _) = rest.split_first_chunk::<4>()?;
    (*format == VALUE_FORMAT).then(|| u32::from_be_bytes(*version))
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    const PLACE: Place<'static> = Place {
        owner: "user_1",
        table: "providers",
        column: "api_key",
        row: "prov_1",
    };

    #[test]
    fn a_value_opens_only_at_its_place() {
        let entropy = SeededEntropy::new(1);
        let key = OwnerKey::generate("user_1", 1, &entropy);
        let sealed = encrypt(&key, PLACE, &"sk-secret".into(), &entropy);
        assert_eq!(
            decrypt(&key, PLACE, &sealed).unwrap().expose_secret(),
            "sk-secret"
        );
        for moved in [
            Place {
                owner: "user_2",
                ..PLACE
            },
            Place {
                table: "instances",
                ..PLACE
            },
            Place {
                column: "base_url",
                ..PLACE
            },
            Place {
                row: "prov_2",
                ..PLACE
            },
            // The same text cut elsewhere is another place.
            Place {
                table: "providersapi",
                column: "_key",
                ..PLACE
            },
        ] {
            assert_eq!(
                decrypt(&key, moved, &sealed).unwrap_err(),
                OpenError::Refused
            );
        }
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let entropy = SeededEntropy::new(2);
        let key = OwnerKey::generate("user_1", 1, &entropy);
        let sealed = encrypt(&key, PLACE, &"x".into(), &entropy);
        for bit in 0..sealed.len() * 8 {
            let mut wrong = sealed.clone();
            wrong[bit / 8] ^= 1 << (bit % 8);
            assert!(decrypt(&key, PLACE, &wrong).is_err(), "bit {bit}");
        }
        for cut in 0..sealed.len() {
            assert!(decrypt(&key, PLACE, &sealed[..cut]).is_err());
        }
    }

    #[test]
    fn one_value_twice_is_two_ciphertexts() {
        let entropy = SeededEntropy::new(3);
        let key = OwnerKey::generate("user_1", 1, &entropy);
        let value = "same".into();
        assert_ne!(
            encrypt(&key, PLACE, &value, &entropy),
            encrypt(&key, PLACE, &value, &entropy)
        );
    }

    #[test]
    fn a_new_master_key_rewraps_and_the_values_stay() {
        let entropy = SeededEntropy::new(4);
        let (old, new) = (
            MasterKey::generate(1, &entropy),
            MasterKey::generate(2, &entropy),
        );
        let key = OwnerKey::generate("user_1", 7, &entropy);
        let sealed = encrypt(&key, PLACE, &"kept".into(), &entropy);
        let opened = OwnerKey::unwrap("user_1", 7, &key.wrap(&old, &entropy), &old).unwrap();
        let rewrapped = opened.wrap(&new, &entropy);
        assert_eq!(rewrapped.master_generation(), Some(2));
        assert_eq!(
            OwnerKey::unwrap("user_1", 7, &rewrapped, &old).unwrap_err(),
            OpenError::KeyVersion {
                needed: 2,
                given: 1
            }
        );
        let key = OwnerKey::unwrap("user_1", 7, &rewrapped, &new).unwrap();
        assert_eq!(
            decrypt(&key, PLACE, &sealed).unwrap().expose_secret(),
            "kept"
        );
        assert!(OwnerKey::unwrap("user_2", 7, &rewrapped, &new).is_err());
        assert!(OwnerKey::unwrap("user_1", 8, &rewrapped, &new).is_err());
    }

    #[test]
    fn a_value_of_an_older_key_says_which_it_needs() {
        let entropy = SeededEntropy::new(5);
        let old = OwnerKey::generate("user_1", 1, &entropy);
        let new = OwnerKey::generate("user_1", 2, &entropy);
        let sealed = encrypt(&old, PLACE, &"v".into(), &entropy);
        assert_eq!(key_version_of(&sealed), Some(1));
        assert_eq!(
            decrypt(&new, PLACE, &sealed).unwrap_err(),
            OpenError::KeyVersion {
                needed: 1,
                given: 2
            }
        );
        let moved = reencrypt(&old, &new, PLACE, &sealed, &entropy).unwrap();
        assert_eq!(key_version_of(&moved), Some(2));
        let opened = decrypt(&new, PLACE, &moved).unwrap();
        assert_eq!(opened.expose_secret(), "v");
        let somebody = OwnerKey::generate("user_2", 3, &entropy);
        let given_away = reencrypt(&old, &somebody, PLACE, &sealed, &entropy);
        assert_eq!(given_away.unwrap_err(), OpenError::Refused);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
            let key = OwnerKey::generate("user_1", 1, &SeededEntropy::new(6));
            prop_assert!(decrypt(&key, PLACE, &bytes).is_err());
            let master = MasterKey::generate(1, &SeededEntropy::new(7));
            prop_assert!(OwnerKey::unwrap("user_1", 1, &WrappedKey(bytes), &master).is_err());
        }
    }
}
