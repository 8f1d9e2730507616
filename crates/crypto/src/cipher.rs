//! AES-256-GCM as the house uses it: a random nonce in front, the place of the value as associated data.
//!
//! A random 96-bit nonce is safe for about 2^32 messages under one key (NIST SP 800-38D section 8.3); every owner has
//! a key of their own and rotates it, which stays far below.

use aes_gcm::{
    Aes256Gcm,
    aead::{Aead, KeyInit, Payload},
};
use fractal_clock::{Entropy, random};
use zeroize::Zeroizing;

pub(crate) const NONCE: usize = 12;
pub(crate) const TAG: usize = 16;

/// Where a value lives. It is bound to the ciphertext, so that a value copied to another row, column or owner does not
/// open there.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Whose key is used: the owner's id as text, e.g. a user's or an organization's.
    pub owner: &'a str,
    /// The table.
    pub table: &'a str,
    /// The column.
    pub column: &'a str,
    /// The row's id as text.
    pub row: &'a str,
}

impl Place<'_> {
    /// Unambiguous bytes: every part is preceded by its length.
    pub(crate) fn associated_data(&self, key_version: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.extend_from_slice(b"fractal value 1");
        out.extend_from_slice(&key_version.to_be_bytes());
        for part in [self.owner, self.table, self.column, self.row] {
            push_part(&mut out, part);
        }
        out
    }
}

pub(crate) fn push_part(out: &mut Vec<u8>, part: &str) {
    out.extend_from_slice(&(part.len() as u64).to_be_bytes());
    out.extend_from_slice(part.as_bytes());
}

/// A value that cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Cut off, or written by something else.
    #[error("the stored value is not an encrypted value of a known format")]
    Format,
    /// Another version of the key is needed.
    #[error(
        "the stored value needs version {needed} of the owner's key, and version {given} was given"
    )]
    KeyVersion {
        /// The version in the value.
        needed: u32,
        /// The version offered.
        given: u32,
    },
    /// The key is another one, or the value was changed or moved.
    #[error(
        "the stored value does not open with this key; it was changed, moved to another row, or the key is wrong"
    )]
    Refused,
}

/// `nonce || ciphertext || tag`.
pub(crate) fn seal(
    key: &[u8; 32],
    associated_data: &[u8],
    plain: &[u8],
    entropy: &dyn Entropy,
) -> Vec<u8> {
    let nonce = random::<NONCE>(entropy);
    let sealed = Aes256Gcm::new(key.into())
        .encrypt(
            &nonce.into(),
            Payload {
                msg: plain,
                aad: associated_data,
            },
        )
        // AES-GCM refuses only messages beyond 64 GiB; no secret is that long.
        .expect("a secret is shorter than 64 GiB");
    let mut out = Vec::with_capacity(NONCE + sealed.len());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    out
}

pub(crate) fn open(
    key: &[u8; 32],
    associated_data: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (nonce, message) = sealed
        .split_first_chunk::<NONCE>()
        .ok_or(OpenError::Format)?;
    if message.len() < TAG {
        return Err(OpenError::Format);
    }
    Aes256Gcm::new(key.into())
        .decrypt(
            &(*nonce).into(),
            Payload {
                msg: message,
                aad: associated_data,
            },
        )
        .map(Zeroizing::new)
        .map_err(|_| OpenError::Refused)
}
