//! Passwords: the rule, and Argon2id with the parameters OWASP recommends.
//!
//! Hashing takes tens of milliseconds and 19 MiB by design; callers run it off the async threads.

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use fractal_clock::{Entropy, random};
use secrecy::{ExposeSecret, SecretString};

/// Shortest password, in characters. Length beats composition rules (NIST SP 800-63B section 5.1.1.2).
const MIN: usize = 12;
/// Longest, so that nobody makes the server hash megabytes.
const MAX: usize = 256;

/// A password that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer than 12 characters.
    #[error("the password must have at least 12 characters")]
    TooShort,
    /// More than 256 characters.
    #[error("the password must have at most 256 characters")]
    TooLong,
    /// The username.
    #[error("the password must not be the username")]
    IsUsername,
    /// One character again and again.
    #[error("the password must not be one character repeated")]
    Repeated,
    /// Hashing failed.
    #[error("the password could not be hashed")]
    Hash,
    /// The stored hash is none.
    #[error("the stored password hash is damaged; reset the password")]
    Stored,
}

/// Checks the rule for a new password.
///
/// # Errors
/// The rule that is broken.
pub fn check_password_rule(password: &SecretString, username: &str) -> Result<(), PasswordError> {
    let text = password.expose_secret();
    let length = text.chars().count();
    if length < MIN {
        return Err(PasswordError::TooShort);
    }
    if length > MAX {
        return Err(PasswordError::TooLong);
    }
    if text.to_lowercase() == username.to_lowercase() {
        return Err(PasswordError::IsUsername);
    }
    let mut chars = text.chars();
    let first = chars.next();
    if chars.all(|c| Some(c) == first) {
        return Err(PasswordError::Repeated);
    }
    Ok(())
}

/// Hashes a password to a PHC string (`$argon2id$v=19$m=19456,t=2,p=1$…`).
///
/// # Errors
/// [`PasswordError::TooLong`], [`PasswordError::Hash`].
pub fn hash_password(
    password: &SecretString,
    entropy: &dyn Entropy,
) -> Result<String, PasswordError> {
    let text = password.expose_secret();
    if text.chars().count() > MAX {
        return Err(PasswordError::TooLong);
    }
    let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
    let params = params()?;
    let salt = Salt::new(&random::<16>(entropy)).map_err(|_| PasswordError::Hash)?;
    let stored = PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: ParamsString::try_from(&params).map_err(|_| PasswordError::Hash)?,
        salt: Some(salt),
        hash: Some(compute(algorithm, version, params, text, &salt)?),
    };
    Ok(stored.to_string())
}

/// Whether the password belongs to the hash. The parameters stored in the hash count.
///
/// # Errors
/// [`PasswordError::Stored`] when the hash is damaged.
pub fn verify_password(password: &SecretString, hash: &str) -> Result<bool, PasswordError> {
    let stored = PasswordHash::new(hash).map_err(|_| PasswordError::Stored)?;
    let text = password.expose_secret();
    if text.chars().count() > MAX {
        return Ok(false);
    }
    let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else {
        return Err(PasswordError::Stored);
    };
    let algorithm =
        Algorithm::try_from(stored.algorithm.as_str()).map_err(|_| PasswordError::Stored)?;
    let version = match stored.version {
        Some(version) => Version::try_from(version).map_err(|_| PasswordError::Stored)?,
        None => Version::default(),
    };
    let params = Params::try_from(&stored).map_err(|_| PasswordError::Stored)?;
    // `Output` compares in constant time.
    Ok(compute(algorithm, version, params, text, salt)? == *expected)
}

fn compute(
    algorithm: Algorithm,
    version: Version,
    params: Params,
    text: &str,
    salt: &Salt,
) -> Result<Output, PasswordError> {
    let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
    let mut memory = memory(params.block_count());
    let argon2 = Argon2::new(algorithm, version, params);
    let mut out = [0; Output::MAX_LENGTH];
    let out = out.get_mut(..length).ok_or(PasswordError::Hash)?;
    argon2
        .hash_password_into_with_memory(text.as_bytes(), salt, out, &mut memory[..])
        .map_err(|_| PasswordError::Hash)?;
    Output::new(out).map_err(|_| PasswordError::Hash)
}

/// Memory that goes back to the system with the last use of it. The usual allocator keeps what was freed for the next request of that
/// size, in each thread's own arena, unless it is larger than its largest threshold of 32 MiB (`M_MMAP_THRESHOLD` in mallopt(3)). A
/// dozen sign-ins left a server 130 MB fuller. What is reserved beyond the blocks is never touched, so it costs nothing.
fn memory(blocks: usize) -> Vec<Block> {
    const KEPT_BY_NOBODY: usize = 33 * 1024 * 1024 / Block::SIZE;
    let mut memory = Vec::with_capacity(blocks.max(KEPT_BY_NOBODY));
    memory.resize(blocks, Block::new());
    memory
}

/// OWASP password storage: Argon2id, 19 MiB, 2 passes, 1 lane.
fn params() -> Result<Params, PasswordError> {
    Params::new(19_456, 2, 1, None).map_err(|_| PasswordError::Hash)
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;
    use fractal_clock::SeededEntropy;

    use super::*;

    #[test]
    fn a_password_verifies_against_its_own_hash_only() {
        let entropy = SeededEntropy::new(1);
        let password = "correct horse battery".into();
        let hash = hash_password(&password, &entropy).unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert!(verify_password(&password, &hash).unwrap());
        let theirs = PasswordHash::new(&hash).unwrap();
        Argon2::default()
            .verify_password(b"correct horse battery", &theirs)
            .expect("the library agrees");
        assert!(!verify_password(&"correct horse batterz".into(), &hash).unwrap());
        assert_ne!(hash, hash_password(&password, &entropy).unwrap());
        assert_eq!(
            verify_password(&password, "nonsense").unwrap_err(),
            PasswordError::Stored
        );
    }

    #[test]
    fn the_rule_names_what_is_wrong() {
        let check = |text: &str| check_password_rule(&text.into(), "ada.lovelace@example.org");
        assert_eq!(check("elevenchars"), Err(PasswordError::TooShort));
        assert_eq!(check(&"ab".repeat(129)), Err(PasswordError::TooLong));
        assert_eq!(
            check("Ada.Lovelace@example.org"),
            Err(PasswordError::IsUsername)
        );
        assert_eq!(check("aaaaaaaaaaaaaaa"), Err(PasswordError::Repeated));
        assert_eq!(check("ein Satz mit Umläuten"), Ok(()));
    }
}
