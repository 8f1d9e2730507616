//! What tests of several crates share.

/// What verifies the log, for tests of crates that may not depend on it.
#[cfg(feature = "house")]
pub use fractal_evidence as evidence;

#[cfg(feature = "data-plane")]
pub mod data_plane;
pub mod exposition;
pub mod fake_provider;
#[cfg(feature = "house")]
pub mod gateway;
#[cfg(feature = "house")]
pub mod house;
#[cfg(feature = "oidc-provider")]
pub mod oidc_provider;
pub mod postgres;
#[cfg(feature = "serve")]
pub mod serve;
#[cfg(feature = "house")]
pub mod witness;

/// Says why a test, or a part of one, does not run on this machine.
///
/// # Panics
///
/// With `CI=true`: there nothing may be missing.
pub fn skipped(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    eprintln!("skipped: {why}");
}
