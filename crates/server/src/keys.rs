//! Key work that is done on the machine itself, against the data folder.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Result, anyhow, bail};
use fractal_api_types::KeyStatus;
use fractal_clock::{Clock, SharedClock, SystemClock, SystemEntropy};
use fractal_config::{SecretKeySource, Settings};
use fractal_crypto::{
    KeyFileError, MasterKey, MasterKeyError, drop_staged_key, export_master_key, find_key,
    finish_key_swap, import_master_key, read_key_file, replace_key_file, settle_key_file,
    stage_key_file, write_key_file,
};
use fractal_store::{NewEntry, OpenOptions, Store, Tx, evidence, organizations, system_config};
use fractal_types::{Principal, Via};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

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

/// What became of an exported key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The key file.
    pub path: PathBuf,
    /// The generation of the key.
    pub generation: u32,
    /// Whether the file was written; otherwise this very key stood in it already.
    pub written: bool,
    /// Whether there is a database, and the key opens it.
    pub checked: bool,
}

/// Puts an exported key in force. The database says whether it is the right one; as long as there is none, a key file that holds
/// another key is left alone.
///
/// # Errors
///
/// When the text does not open, the key is not the one of the database, another process uses the folder, or the key comes from a
/// variable.
pub async fn import(
    settings: Settings,
    text: String,
    passphrase: SecretString,
) -> Result<Imported> {
    let SecretKeySource::File(path) = &settings.secret_key else {
        bail!(
            "the key comes from FRACTAL_SECRET_KEY, so no key file is used; unset it to keep the key in a file"
        );
    };
    let imported =
        tokio::task::spawn_blocking(move || import_master_key(&text, &passphrase)).await??;
    let _lock = take_folder(&settings.data_dir)?;
    let done = |key: &MasterKey, written, checked| Imported {
        path: path.clone(),
        generation: key.generation(),
        written,
        checked,
    };
    let Some(check) = check_value(&settings).await? else {
        return match load_key_file(path)? {
            None => {
                write_key_file(path, &imported)?;
                Ok(done(&imported, true, false))
            }
            Some(present) if present.checked(&imported.check_value()).is_ok() => {
                Ok(done(&imported, false, false))
            }
            Some(_) => bail!(
                "the key file {} holds another key, and there is no database here that could say which of the two is right; \
                 restore the database first, or move that file away",
                path.display()
            ),
        };
    };
    let key = imported.checked(&check).map_err(|error| match error {
        MasterKeyError::Wrong { generation } if imported.generation() < generation => anyhow!(
            "this export holds the secret key of generation {}, but the database needs that of generation {generation}; take the \
             export that was made after the last rotation, or restore the backup of the database that belongs to this one",
            imported.generation()
        ),
        MasterKeyError::Wrong { .. } => anyhow!(
            "this export holds the secret key of another installation; take the one of this database, or name the right data folder \
             with --data"
        ),
        error => error.into(),
    })?;
    match settle_key_file(path, &check) {
        Ok(_) => Ok(done(&key, false, true)),
        // Kept beside the imported one it would still be open.
        Err(error @ KeyFileError::Open { .. }) => Err(error.into()),
        Err(_) => {
            replace_key_file(path, &key)?;
            Ok(done(&key, true, true))
        }
    }
}

/// The check value of the database's key; `None` while there is no installation. Makes no database.
pub(crate) async fn check_value(settings: &Settings) -> Result<Option<String>> {
    if database::is_missing(settings) {
        return Ok(None);
    }
    let url = settings.database_url.expose_secret();
    let options = database::options(settings, Arc::new(SystemClock));
    let look = OpenOptions {
        migrate: false,
        ..options.clone()
    };
    let store = match Store::open(url, &look).await {
        Err(fractal_store::Error::Pending { used: false, .. }) => return Ok(None),
        Err(fractal_store::Error::Pending { used: true, .. }) => Store::open(url, &options).await?,
        opened => opened?,
    };
    let check = system_config::find(&store.read(), &system_config::KEY_CHECK).await?;
    store.close().await?;
    Ok(check)
}

fn load_key_file(path: &Path) -> Result<Option<MasterKey>> {
    match read_key_file(path, 1) {
        Ok(key) => Ok(Some(key)),
        Err(KeyFileError::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
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
                decision: json!({}),
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
