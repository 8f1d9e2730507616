//! What runs inside this process but lives in the composition root. Only this file knows how to get there.

use fractal_clock::{Clock, SystemClock};
use fractal_config::{Settings, TlsFiles};
use secrecy::SecretString;

/// Serves until asked to end.
pub async fn serve(settings: Settings) -> anyhow::Result<()> {
    fractal_server::serve(settings).await
}

/// Shows the whole path once and cleans up.
pub async fn demo(settings: Settings) -> anyhow::Result<()> {
    fractal_server::demo(settings).await
}

/// Replaces the master key and re-wraps the keys below it.
pub async fn rotate_keys(settings: Settings) -> anyhow::Result<()> {
    fractal_server::rotate_keys(settings).await
}

/// Which master key is in force, and what still waits to be moved to newer keys.
pub async fn key_status(settings: Settings) -> anyhow::Result<fractal_api_types::KeyStatus> {
    fractal_server::key_status(settings).await
}

/// Whether a server runs on this data folder.
pub fn in_use(settings: &Settings) -> bool {
    fractal_server::in_use(settings)
}

/// The master key under a passphrase, as text.
pub async fn export_key(settings: Settings, passphrase: SecretString) -> anyhow::Result<String> {
    fractal_server::export_key(settings, passphrase).await
}

/// Puts an exported master key in force.
pub async fn import_key(
    settings: Settings,
    text: String,
    passphrase: SecretString,
) -> anyhow::Result<fractal_server::Imported> {
    fractal_server::import_key(settings, text, passphrase).await
}

/// The access rules that every release carries.
pub fn builtin_policies() -> anyhow::Result<Vec<fractal_server::BuiltinPolicy>> {
    fractal_server::builtin_policies()
}

/// Whether a text of access rules could be put in force, and what is wrong with it.
pub fn check_policies(text: &str) -> anyhow::Result<fractal_server::Checked> {
    fractal_server::check_policies(text)
}

/// Goes back to the built-in access rules while no server runs; whether there were added ones.
pub async fn reset_policy(settings: &Settings) -> anyhow::Result<bool> {
    fractal_server::reset_policy(settings).await
}

/// Which `pg_dump` would back PostgreSQL up before its schema changes.
pub async fn pg_dump_version(settings: &Settings) -> Option<String> {
    fractal_server::pg_dump_version(settings).await
}

/// What stands in the certificate of the main listener.
pub fn inspect_tls(files: &TlsFiles) -> anyhow::Result<fractal_server::TlsReport> {
    fractal_server::inspect_tls(files, SystemClock.now())
}

/// What the database says about itself; `None` when it can only be looked at from outside.
pub async fn look_into_database(settings: &Settings) -> Option<anyhow::Result<String>> {
    fractal_server::look_into_database(settings).await
}
