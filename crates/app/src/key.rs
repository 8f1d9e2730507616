//! The master key of the installation: replacing it while everything runs.
//!
//! A new master key wraps every owner's key anew and gives every owner a new one, in one transaction that touches no value;
//! [`crate::reseal`] moves the values afterwards. The files follow the order of `fractal_crypto::stage_key_file`, so a crash at
//! any moment leaves a key that opens the database.

use std::{collections::BTreeMap, path::Path};

use async_trait::async_trait;
use fractal_api_types::{KeyRotation, KeyStatus};
use fractal_clock::{Clock, Entropy, new_id};
use fractal_crypto::{
    KeyFileError, MasterKey, OwnerKey, WrappedKey, drop_staged_key, finish_key_swap, stage_key_file,
};
use fractal_policy::{Action, Resource};
use fractal_store::{OwnerKeyRow, PageRequest, Reads, Tx, owner_keys, system_config};

use crate::{
    App, Context,
    change::{Change, Door, submit},
    error::{Error, Result},
};

/// Owner keys that are wrapped anew between two looks at the database.
const BATCH: u32 = 200;

/// Replaces the master key. Nothing stops meanwhile: both keys are known in memory until the new one is in force.
///
/// # Errors
///
/// `conflict` when the key does not come from a file; see [`submit`].
pub async fn rotate(app: &App, cx: &Context) -> Result<KeyRotation> {
    let _one_at_a_time = app.keys.rotating.lock().await;
    // Refusals are recorded at the door; they need no file.
    let allowed = app.may(cx, Action::KeyRotate, &Resource::Settings);
    let file = app.keys.file().map(Path::to_owned);
    if let (true, Some(file)) = (allowed, &file) {
        settle(app, file).await?;
    }
    let old = app.keys.current_master();
    let new = MasterKey::generate(old.generation() + 1, &*app.entropy);
    let generation = new.generation();
    if let (true, Some(file)) = (allowed, &file) {
        let (path, key) = (file.clone(), new.clone());
        on_disk(move || stage_key_file(&path, &key)).await?;
        app.keys.expect(new.clone());
    }
    let has_file = file.is_some();
    let outcome = submit(app, cx, Rotate { has_file, old, new }).await;
    if let (true, Some(file)) = (allowed, &file) {
        // Asked also after a failure, because a lost connection can hide a commit.
        settle(app, file).await?;
    }
    if app.keys.current_master().generation() != generation {
        outcome?;
    }
    app.keys.rotated.notify_one();
    Ok(KeyRotation { generation })
}

/// Which master key is in force, and whether values wait to be moved to the newest keys of their owners.
///
/// # Errors
///
/// See [`App::require`].
pub async fn status(app: &App, cx: &Context) -> Result<KeyStatus> {
    app.require(cx, Action::KeyRotate, &Resource::Settings)?;
    let generation = app.keys.current_master().generation();
    Ok(KeyStatus {
        generation,
        waiting: waiting(&app.store.read()).await?,
    })
}

/// How many older keys still seal something.
///
/// # Errors
///
/// When the database fails.
pub async fn waiting(db: &dyn Reads) -> Result<u64> {
    Ok(owner_keys::count_waiting(db).await?)
}

/// Brings files and memory to what the database says is in force.
async fn settle(app: &App, file: &Path) -> Result<()> {
    let check = system_config::find(&app.store.read(), &system_config::KEY_CHECK).await?;
    let path = file.to_owned();
    if check.is_some_and(|check| app.keys.expects(&check)) {
        let before = app.keys.current_master().generation();
        on_disk(move || finish_key_swap(&path, before)).await?;
        app.keys.adopt();
    } else {
        on_disk(move || drop_staged_key(&path)).await?;
        app.keys.forget_other();
    }
    Ok(())
}

async fn on_disk(
    work: impl FnOnce() -> std::result::Result<(), KeyFileError> + Send + 'static,
) -> Result<()> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::internal)?
        .map_err(Error::internal)
}

struct Rotate {
    has_file: bool,
    old: MasterKey,
    new: MasterKey,
}

#[async_trait]
impl Change for Rotate {
    type Output = ();

    fn action(&self) -> Action {
        Action::KeyRotate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::Settings)
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        if !self.has_file {
            return Err(
                Error::conflict("the secret key comes from FRACTAL_SECRET_KEY").remedy(
                    "rotate it where it is kept, or give it as a file (FRACTAL_SECRET_KEY_FILE)",
                ),
            );
        }
        let app = door.app;
        put_in_force(door.tx, &self.old, &self.new, &*app.entropy, &*app.clock).await?;
        door.note("generation", self.new.generation());
        Ok(())
    }
}

/// Wraps every owner's key anew, gives every owner a new one, and notes the new master key as the one in force, within one
/// transaction. The older keys stay until nothing needs them.
///
/// # Errors
///
/// When an owner's key cannot be opened with the old master key, or the database fails.
pub async fn put_in_force(
    tx: &Tx,
    old: &MasterKey,
    new: &MasterKey,
    entropy: &dyn Entropy,
    clock: &dyn Clock,
) -> Result<()> {
    let now = clock.now();
    let mut newest: BTreeMap<String, u32> = BTreeMap::new();
    let mut request = PageRequest {
        limit: BATCH,
        ..PageRequest::default()
    };
    loop {
        let page = owner_keys::list(tx, &request).await?;
        for row in page.items {
            let wrapped = WrappedKey(row.wrapped.clone());
            let key = OwnerKey::unwrap(&row.owner, row.version, &wrapped, old)
                .map_err(Error::internal)?;
            let anew = key.wrap(new, entropy).0;
            if !owner_keys::rewrap(tx, row.id, &row.wrapped, &anew).await? {
                return Err(Error::conflict("an owner's key was changed meanwhile"));
            }
            let version = newest.entry(row.owner).or_default();
            *version = row.version.max(*version);
        }
        match page.next_cursor {
            Some(cursor) => request.after = Some(cursor),
            None => break,
        }
    }
    for (owner, version) in newest {
        let key = OwnerKey::generate(&owner, version + 1, entropy);
        let row = OwnerKeyRow {
            id: new_id(clock, entropy),
            wrapped: key.wrap(new, entropy).0,
            owner,
            version: key.version(),
            created_at: now,
            retired_at: None,
        };
        owner_keys::insert(tx, &row).await?;
    }
    system_config::set(tx, &system_config::KEY_CHECK, &new.check_value(), now).await?;
    system_config::delete(tx, &system_config::KEYS_EXPORTED_AT).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fractal_clock::{Entropy, ManualClock, SeededEntropy};
    use fractal_crypto::Place;
    use fractal_store::{OpenOptions, Store};
    use fractal_types::Timestamp;
    use secrecy::{ExposeSecret, SecretString};

    use super::*;
    use crate::Keys;

    const fn place(owner: &'static str) -> Place<'static> {
        Place {
            owner,
            table: "providers",
            column: "api_key",
            row: "r",
        }
    }

    async fn seal(
        store: &Store,
        keys: &Keys,
        entropy: &dyn Entropy,
        owner: &'static str,
    ) -> Vec<u8> {
        let clock = ManualClock::default();
        store
            .tx("test", async |tx: Tx| {
                keys.seal(
                    &tx,
                    &clock,
                    entropy,
                    place(owner),
                    &SecretString::from(owner),
                )
                .await
            })
            .await
            .unwrap()
    }

    async fn opened(store: &Store, keys: &Keys, owner: &'static str, sealed: &[u8]) -> String {
        keys.forget(owner);
        let value = keys.open(&store.read(), place(owner), sealed).await;
        value.unwrap().expose_secret().to_owned()
    }

    #[tokio::test]
    async fn no_owners_key_stays_behind_when_the_master_key_is_replaced_under_way() {
        let folder = tempfile::tempdir().unwrap();
        let entropy = SeededEntropy::new(1);
        let url = format!("sqlite://{}/test.db", folder.path().display());
        let clock = Arc::new(ManualClock::default());
        let store = Store::open(&url, &OpenOptions::new(clock)).await.unwrap();
        let (old, new) = (
            MasterKey::generate(1, &entropy),
            MasterKey::generate(2, &entropy),
        );
        let now = Timestamp::from_micros(1);
        store
            .tx("test", async |tx: Tx| {
                system_config::set(&tx, &system_config::KEY_CHECK, &old.check_value(), now).await
            })
            .await
            .unwrap();
        let keys = Keys::new(old.clone());
        let before = seal(&store, &keys, &entropy, "before").await;

        keys.expect(new.clone());
        let announced = seal(&store, &keys, &entropy, "announced").await;
        store
            .tx("test", async |tx: Tx| {
                put_in_force(&tx, &old, &new, &entropy, &ManualClock::default()).await
            })
            .await
            .unwrap();
        // Committed, and memory does not know yet.
        let between = seal(&store, &keys, &entropy, "between").await;
        assert_eq!(opened(&store, &keys, "before", &before).await, "before");
        keys.adopt();
        let after = seal(&store, &keys, &entropy, "after").await;

        // As after a restart: only the new key is known.
        let keys = Keys::new(new);
        for (owner, sealed) in [
            ("before", before),
            ("announced", announced),
            ("between", between),
            ("after", after),
        ] {
            assert_eq!(opened(&store, &keys, owner, &sealed).await, owner);
        }
    }
}
