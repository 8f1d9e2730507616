//! The log as something that can be proven to others (design section 10): a Merkle tree over sealed entries, signed heads of
//! it, proofs, exports that verify without us, and readers with a cursor.
//!
//! The pure parts ([`merkle`], [`tiles`], [`note`], [`checkpoint`], [`cosignature`], [`witness`], [`export`], [`verify`]) know no database: `fractal evidence verify`
//! runs them on another machine.

mod leaf;
mod prove;
mod seal;

pub mod checkpoint;
pub mod cosignature;
pub mod export;
pub mod merkle;
pub mod note;
pub mod tiles;
pub mod verify;
pub mod witness;

pub use checkpoint::Checkpoint;
pub use fractal_crypto::{SignKey, SignKeyError, VerifyKey, WitnessKey, WitnessKeyError};
pub use leaf::leaf;
pub use merkle::Hash;
pub use prove::{consistency, frontier, inclusion};
pub use seal::{Sealer, SealerOptions};

/// What the evidence of a log could not do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] fractal_store::Error),
    /// What is stored contradicts itself.
    #[error(
        "the tree over the log is damaged at size {size} ({what}); restore the database from a backup, or verify an export to find out since when"
    )]
    Damaged {
        /// The size of the tree.
        size: u64,
        /// What is missing or wrong.
        what: &'static str,
    },
}

/// The result of a call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// A hash written as 64 hexadecimal digits.
#[must_use]
pub fn unhex(text: &str) -> Option<Hash> {
    let mut out = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(out)
}
