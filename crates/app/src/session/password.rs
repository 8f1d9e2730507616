//! Passwords as fields of a request: hashed off the async threads, refused with the field named.

use fractal_api_types::ProblemCode;
use fractal_identity::PasswordError;
use secrecy::SecretString;

use crate::{App, Error, Result};

/// Checks the rule for a new password and hashes it.
///
/// # Errors
///
/// The broken rule, at `field`.
pub(crate) async fn hash(
    app: &App,
    field: &str,
    password: String,
    username: &str,
) -> Result<String> {
    fractal_identity::hash(SecretString::from(password), username, app.entropy.clone())
        .await
        .map_err(|error| match error {
            PasswordError::Hash | PasswordError::Stored => {
                Error::new(ProblemCode::Internal).because(error)
            }
            rule => Error::field(field, rule.to_string()),
        })
}

/// Whether the password fits; takes as long without a stored hash.
///
/// # Errors
///
/// When the stored hash is damaged.
pub(crate) async fn verify(password: SecretString, stored: Option<String>) -> Result<bool> {
    match stored {
        Some(stored) => fractal_identity::verify(password, stored)
            .await
            .map_err(Error::internal),
        None => {
            fractal_identity::verify_nobody(password).await;
            Ok(false)
        }
    }
}
