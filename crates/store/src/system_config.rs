//! Settings of the installation, edited in the Portal; one typed key each.

use std::marker::PhantomData;

use fractal_types::Timestamp;
use serde::{Serialize, de::DeserializeOwned};

use crate::{Error, Reads, Result, Tx};

const TABLE: &str = "system_config";

/// The name of a setting and the type of its value.
#[derive(Debug)]
pub struct Key<T> {
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// A key. Names are unique in the installation.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            value: PhantomData,
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }
}

/// The installation's own id; also in the cookie's name.
pub const INSTALLATION_ID: Key<String> = Key::new("installation_id");
/// What recognises the master key (`fractal_crypto::MasterKey::check_value`).
pub const KEY_CHECK: Key<String> = Key::new("key_check");
/// Whether the first steps are done.
pub const ONBOARDING_COMPLETED: Key<bool> = Key::new("onboarding_completed");
/// The hash of the setup token as hex, until the installation is claimed.
pub const SETUP_TOKEN_HASH: Key<String> = Key::new("setup_token_hash");
/// Whether signing in by OIDC was set up or skipped in the first steps.
pub const OIDC_STEP_DONE: Key<bool> = Key::new("oidc_step_done");
/// Where people reach the Portal.
pub const PUBLIC_URL: Key<String> = Key::new("public_url");
/// Address ranges whose forwarded headers count.
pub const TRUSTED_PROXIES: Key<Vec<String>> = Key::new("trusted_proxies");
/// Minutes without use after which an instance is stopped, unless it says otherwise.
pub const IDLE_TIMEOUT_MIN: Key<u32> = Key::new("idle_timeout_min");
/// When the master key was last exported under a passphrase.
pub const KEYS_EXPORTED_AT: Key<Timestamp> = Key::new("keys_exported_at");

/// The value of a setting, if it was ever set.
///
/// # Errors
/// [`Error::Corrupt`] when the stored value is of another type.
pub async fn find<T: DeserializeOwned>(db: &dyn Reads, key: &Key<T>) -> Result<Option<T>> {
    let conn = db.conn();
    let sql = "SELECT value FROM system_config WHERE key = $1";
    let Some(row) = conn
        .one_raw(conn.statement(sql, vec![key.name.into()]))
        .await?
    else {
        return Ok(None);
    };
    let corrupt = |reason: String| Error::Corrupt {
        table: TABLE,
        column: "value",
        row: key.name.to_owned(),
        reason,
    };
    let text: String = row
        .try_get_by("value")
        .map_err(|_| corrupt("it is of another type".to_owned()))?;
    serde_json::from_str(&text)
        .map(Some)
        .map_err(|error| corrupt(format!("the JSON breaks at column {}", error.column())))
}

/// Sets a setting.
///
/// # Errors
/// [`Error::Settings`] when the value has no JSON form.
pub async fn set<T: Serialize>(tx: &Tx, key: &Key<T>, value: &T, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO system_config (key, value, updated_at) VALUES ($1, $2, $3) \
               ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at";
    write(tx, sql, key, value, now).await.map(|_| ())
}

/// Sets a setting that was not set; whether it was us. Of several at once exactly one gets `true`.
///
/// # Errors
/// [`Error::Settings`] when the value has no JSON form.
pub async fn insert<T: Serialize>(
    tx: &Tx,
    key: &Key<T>,
    value: &T,
    now: Timestamp,
) -> Result<bool> {
    let sql = "INSERT INTO system_config (key, value, updated_at) VALUES ($1, $2, $3) \
               ON CONFLICT (key) DO NOTHING";
    Ok(write(tx, sql, key, value, now).await? > 0)
}

async fn write<T: Serialize>(
    tx: &Tx,
    sql: &str,
    key: &Key<T>,
    value: &T,
    now: Timestamp,
) -> Result<u64> {
    let text = serde_json::to_string(value).map_err(|error| {
        Error::Settings(format!("setting {} cannot be stored: {error}", key.name))
    })?;
    let conn = tx.conn();
    let values = vec![key.name.into(), text.into(), now.as_micros().into()];
    conn.execute_raw(conn.statement(sql, values)).await
}

/// Removes a setting; whether it was set. Of several at once exactly one gets `true`.
///
/// # Errors
/// Only when the database fails.
pub async fn delete<T>(tx: &Tx, key: &Key<T>) -> Result<bool> {
    let conn = tx.conn();
    let sql = "DELETE FROM system_config WHERE key = $1";
    let done = conn
        .execute_raw(conn.statement(sql, vec![key.name.into()]))
        .await?;
    Ok(done > 0)
}
