//! Passwords off the async threads: Argon2id takes tens of milliseconds and 19 MiB by design, and
//! a few sign-ins at once must neither stall the server nor eat its memory.

use std::sync::LazyLock;

use fractal_clock::SharedEntropy;
pub use fractal_crypto::{PasswordError, check_password_rule};
use secrecy::SecretString;
use tokio::sync::Semaphore;

/// How many hashes are computed at once; the others wait their turn.
static SLOTS: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(
        std::thread::available_parallelism()
            .map_or(2, usize::from)
            .max(2),
    )
});

/// A hash (with the house's own parameters) of a password nobody has.
static NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$\
                       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Checks the rule for a new password and hashes it to a PHC string.
///
/// # Errors
/// The rule that is broken, or that hashing failed.
pub async fn hash(
    password: SecretString,
    username: &str,
    entropy: SharedEntropy,
) -> Result<String, PasswordError> {
    check_password_rule(&password, username)?;
    computed(move || fractal_crypto::hash_password(&password, &*entropy)).await
}

/// Whether the password belongs to the stored hash.
///
/// # Errors
/// When the stored hash is damaged.
pub async fn verify(password: SecretString, stored: String) -> Result<bool, PasswordError> {
    computed(move || fractal_crypto::verify_password(&password, &stored)).await
}

/// Takes as long as [`verify`], for usernames that do not exist: the time of an answer must not
/// tell who has an account.
pub async fn verify_nobody(password: SecretString) {
    let _ = verify(password, NOBODY.to_owned()).await;
}

async fn computed<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
) -> Result<T, PasswordError> {
    let _slot = SLOTS.acquire().await.map_err(|_| PasswordError::Hash)?;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| PasswordError::Hash)?
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fractal_clock::SeededEntropy;

    use super::*;

    #[tokio::test]
    async fn a_password_is_checked_hashed_and_verified() {
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(1));
        let short = hash("short".into(), "ada", Arc::clone(&entropy)).await;
        assert_eq!(short, Err(PasswordError::TooShort));
        let stored = hash("correct horse battery".into(), "ada", entropy)
            .await
            .unwrap();
        assert!(
            verify("correct horse battery".into(), stored.clone())
                .await
                .unwrap()
        );
        assert!(!verify("wrong horse battery".into(), stored).await.unwrap());
    }

    #[tokio::test]
    async fn a_stranger_costs_a_real_hash_that_never_fits() {
        let same = verify("correct horse battery".into(), NOBODY.to_owned()).await;
        assert_eq!(same, Ok(false), "a damaged hash would be refused at once");
    }
}
