//! Key work that is done on the machine itself, against the data folder.

use std::sync::Arc;

use anyhow::{Result, bail};
use fractal_api_types::KeyStatus;
use fractal_clock::{Clock, SharedClock, SystemClock, SystemEntropy};
use fractal_config::{SecretKeySource, Settings};
use fractal_crypto::{
    MasterKey, drop_staged_key, export_master_key, find_key, finish_key_swap, settle_key_file,
    stage_key_file,
};
use fractal_store::{NewEntry, Store, Tx, evidence, organizations, system_config};
use fractal_types::{Principal, Via};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{database, installation::take_folder};

/// The database with the check value of its key.
async fn open(settings: &Settings) -> Result<(Store, String)> {
    let clock: SharedClock = Arc::new(SystemClock);
    let store = Store::open(
        settings.database_url.expose_secret(),
        &database::options(settings, clock),
    )
    .await?;
    match system_config::find(&store.read(), &system_config::KEY_CHECK).await? {
        Some(check) => Ok((store, check)),
        None => {
            bail!("there is no installation in this data folder yet; start `fractal serve` first")
        }
    }
}

/// The master key under a passphrase, as text to keep somewhere safe.
///
/// # Errors
///
/// When the key or the database cannot be opened, or the passphrase is too weak.
pub async fn export(settings: Settings, passphrase: SecretString) -> Result<String> {
    let (store, check) = open(&settings).await?;
    let key = match &settings.secret_key {
        SecretKeySource::File(path) => find_key(path, &check)?,
        SecretKeySource::Variable(text) => {
            MasterKey::parse(text.expose_secret(), 1)?.checked(&check)?
        }
    };
    let text =
        tokio::task::spawn_blocking(move || export_master_key(&key, &passphrase, &SystemEntropy))
            .await??;
    let now = SystemClock.now();
    store
        .tx("keys.exported", async |tx: Tx| {
            system_config::set(&tx, &system_config::KEYS_EXPORTED_AT, &now, now).await
        })
        .await?;
    Ok(text)
}

/// Replaces the master key while nothing runs: a new one wraps every owner's key, and every owner is given a new
/// one. The values follow when the server runs again (`fractal_app::reseal`). A running server does the same by
/// `fractal_app::key::rotate`.
///
/// A crash at any moment leaves either the old key or the new one in force; the next start puts the files right.
///
/// # Errors
///
/// When the key comes from a variable (nobody but the operator can change that), another process uses the folder, or the
/// database fails.
pub async fn rotate(settings: Settings) -> Result<()> {
    let SecretKeySource::File(path) = &settings.secret_key else {
        bail!(
            "the key comes from FRACTAL_SECRET_KEY; unset it and give the key as a file to rotate it, or rotate it where it is kept"
        );
    };
    let _lock = take_folder(&settings.data_dir)?;
    let (store, check) = open(&settings).await?;
    let old = settle_key_file(path, &check)?;
    let new = MasterKey::generate(old.generation() + 1, &SystemEntropy);
    stage_key_file(path, &new)?;
    let entropy = SystemEntropy;
    let outcome = store
        .tx("keys.rotate", async |tx: Tx| {
            fractal_app::key::put_in_force(&tx, &old, &new, &entropy, &SystemClock).await?;
            let Some(organization) = organizations::list(&tx).await?.into_iter().next() else {
                return Ok(());
            };
            let entry = NewEntry {
                organization_id: organization.id,
                principal: Principal::System,
                via: Via::Console,
                action: fractal_policy::Action::KeyRotate.as_str(),
                resource_kind: fractal_policy::Resource::Settings.kind(),
                resource_id: String::new(),
                outcome: "done",
                // Whoever holds the folder holds the key: there is nobody to ask.
                decision: Value::Null,
                values: vec![("generation", json!(new.generation()))],
                request_id: None,
            };
            evidence::append(&tx, &SystemClock, &entropy, entry).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await;
    // Asked instead of believed: a lost connection can hide a commit.
    let check = system_config::find(&store.read(), &system_config::KEY_CHECK).await?;
    if check.is_some_and(|check| new.checked(&check).is_ok()) {
        finish_key_swap(path, old.generation())?;
        return Ok(());
    }
    drop_staged_key(path)?;
    outcome.map_err(Into::into)
}

/// Which master key is in force, and how many older keys of owners still seal something, while nothing runs.
///
/// # Errors
///
/// When the key or the database cannot be opened.
pub async fn status(settings: Settings) -> Result<KeyStatus> {
    let (store, check) = open(&settings).await?;
    let generation = match &settings.secret_key {
        SecretKeySource::File(path) => find_key(path, &check)?.generation(),
        SecretKeySource::Variable(_) => 1,
    };
    let waiting = fractal_app::key::waiting(&store.read()).await?;
    Ok(KeyStatus {
        generation,
        waiting,
    })
}

/// Whether a running server (or another command) holds the data folder.
#[must_use]
pub fn in_use(settings: &Settings) -> bool {
    std::fs::File::open(settings.data_dir.join("lock"))
        .is_ok_and(|file| matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)))
}

/// Goes back to the built-in access rules. Operators cannot add rules yet, so the built-in ones are in force already.
///
/// # Errors
///
/// When the built-in rules do not hold against their schema.
pub async fn reset_policy(_settings: Settings) -> Result<()> {
    fractal_policy::PolicySet::builtin()?;
    Ok(())
}
