//! Who somebody is: passwords, the login limit, and sign-in through OpenID providers.
//!
//! Everything here is about proof, nothing about rights (`policy`) or rows (`store`): counts and
//! flows in progress are handed in and out. Time, randomness and the way out are arguments.

mod limit;
pub mod oidc;
mod password;

pub use fractal_connect::network;
pub use limit::{LoginAttempts, LoginLimit, LoginSource, TooMany};
pub use password::{PasswordError, check_password_rule, hash, verify, verify_nobody};
