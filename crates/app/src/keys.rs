//! Encryption at rest with one key per owner (design section 8).
//!
//! Owner keys are made when first needed, wrapped by the master key, and cached in memory once unwrapped.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, RwLock},
};

use fractal_clock::{Clock, Entropy, new_id};
use fractal_crypto::{MasterKey, OwnerKey, Place, WrappedKey, decrypt, encrypt, key_version_of};
use fractal_store::{OwnerKeyRow, Reads, Tx, owner_keys, system_config};
use fractal_types::KeyId;
use secrecy::SecretString;

use crate::error::{Error, Result};

/// The master key and what it opened.
#[derive(Debug)]
pub struct Keys {
    ring: RwLock<Ring>,
    /// By the id of the row, which is new in every attempt of a transaction: an owner and a version alone may name a key that was
    /// made, used and rolled back with its transaction.
    cache: Mutex<HashMap<KeyId, OwnerKey>>,
    /// Where the master key stands, when it is a file that we may replace.
    file: Option<PathBuf>,
    /// Held by the one rotation on its way.
    pub(crate) rotating: tokio::sync::Mutex<()>,
    /// Told when there is something to move to newer keys.
    pub(crate) rotated: tokio::sync::Notify,
}

/// The master key in force and, around a rotation, the one before or after it: between the commit and the change in memory both
/// kinds of rows are met.
#[derive(Debug)]
struct Ring {
    current: MasterKey,
    other: Option<MasterKey>,
}

impl Keys {
    /// Keys under this master key.
    #[must_use]
    pub fn new(master: MasterKey) -> Self {
        Self {
            ring: RwLock::new(Ring {
                current: master,
                other: None,
            }),
            cache: Mutex::default(),
            file: None,
            rotating: tokio::sync::Mutex::default(),
            rotated: tokio::sync::Notify::new(),
        }
    }

    /// Names the file that holds the master key; without one it cannot be replaced.
    #[must_use]
    pub fn kept_in(mut self, file: Option<PathBuf>) -> Self {
        self.file = file;
        self
    }

    /// The file of the master key.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    fn ring<T>(&self, look: impl FnOnce(&Ring) -> T) -> T {
        look(&self.ring.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change_ring(&self, change: impl FnOnce(&mut Ring)) {
        change(&mut self.ring.write().unwrap_or_else(PoisonError::into_inner));
    }

    /// Makes a key known that may come into force.
    pub(crate) fn expect(&self, next: MasterKey) {
        self.change_ring(|ring| ring.other = Some(next));
    }

    /// Puts the expected key in force. The one before stays known for those who read before the commit.
    pub(crate) fn adopt(&self) {
        self.change_ring(|ring| {
            if let Some(next) = ring.other.take() {
                ring.other = Some(std::mem::replace(&mut ring.current, next));
            }
        });
    }

    /// Forgets every key but the one in force.
    pub(crate) fn forget_other(&self) {
        self.change_ring(|ring| ring.other = None);
    }

    /// Whether the expected key is the one with this check value.
    pub(crate) fn expects(&self, check: &str) -> bool {
        self.ring(|ring| {
            ring.other
                .as_ref()
                .is_some_and(|other| other.checked(check).is_ok())
        })
    }

    /// The key that wrapped this; the one in force when the wrapping does not say.
    fn master_of(&self, wrapped: &WrappedKey) -> MasterKey {
        let generation = wrapped.master_generation();
        self.ring(|ring| match &ring.other {
            Some(other) if Some(other.generation()) == generation => other.clone(),
            _ => ring.current.clone(),
        })
    }

    /// The key that is in force in this transaction. Reading the check value makes the database notice a rotation that commits
    /// meanwhile, so that no owner's key stays behind under the old one.
    async fn master_in(&self, tx: &Tx) -> Result<MasterKey> {
        let check = system_config::find(tx, &system_config::KEY_CHECK).await?;
        Ok(match check {
            Some(check) if self.expects(&check) => {
                self.ring(|ring| ring.other.clone().unwrap_or_else(|| ring.current.clone()))
            }
            _ => self.current_master(),
        })
    }

    fn remember(&self, id: KeyId, key: &OwnerKey) {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, key.clone());
    }

    /// The key of a row.
    pub(crate) fn unwrap(&self, row: &OwnerKeyRow) -> Result<OwnerKey> {
        let cached = self
            .cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&row.id)
            .cloned();
        if let Some(key) = cached {
            return Ok(key);
        }
        let wrapped = WrappedKey(row.wrapped.clone());
        let master = self.master_of(&wrapped);
        let key = OwnerKey::unwrap(&row.owner, row.version, &wrapped, &master)
            .map_err(Error::internal)?;
        self.remember(row.id, &key);
        Ok(key)
    }

    /// Encrypts a value for its place; makes the owner's key when there is none yet.
    ///
    /// # Errors
    ///
    /// When the database fails or the owner's key cannot be opened.
    pub async fn seal(
        &self,
        tx: &Tx,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
        place: Place<'_>,
        value: &SecretString,
    ) -> Result<Vec<u8>> {
        let key = match owner_keys::find_latest(tx, place.owner).await? {
            Some(row) => self.unwrap(&row)?,
            None => {
                let key = OwnerKey::generate(place.owner, 1, entropy);
                let row = OwnerKeyRow {
                    id: new_id(clock, entropy),
                    owner: place.owner.to_owned(),
                    version: key.version(),
                    wrapped: key.wrap(&self.master_in(tx).await?, entropy).0,
                    created_at: clock.now(),
                    retired_at: None,
                };
                owner_keys::insert(tx, &row).await?;
                // Not cached: this transaction may still be rolled back.
                key
            }
        };
        Ok(encrypt(&key, place, value, entropy))
    }

    /// Decrypts a stored value.
    ///
    /// # Errors
    ///
    /// When the owner's key is missing or the value does not belong to this place.
    pub async fn open(
        &self,
        db: &dyn Reads,
        place: Place<'_>,
        sealed: &[u8],
    ) -> Result<SecretString> {
        let damaged = || {
            Error::internal(format!(
                "{}.{} of {} holds a damaged ciphertext",
                place.table, place.column, place.row
            ))
        };
        let version = key_version_of(sealed).ok_or_else(damaged)?;
        let row = owner_keys::find_version(db, place.owner, version)
            .await?
            .ok_or_else(damaged)?;
        let key = self.unwrap(&row)?;
        decrypt(&key, place, sealed).map_err(|error| damaged().because(error))
    }

    /// Forgets the keys of an owner who is gone, or whose keys were rotated.
    pub fn forget(&self, owner: &str) {
        self.cache
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|_, known| known.owner() != owner);
    }

    /// The key that wraps the others, for rotation and export.
    #[must_use]
    pub fn current_master(&self) -> MasterKey {
        self.ring(|ring| ring.current.clone())
    }
}
