//! The master key of the installation: replacing it while everything runs.
//!
//! A new master key wraps every owner's key anew and gives every owner a new one, in one transaction that touches no value. The same
//! transaction begins the operation that follows the values: [`Rotation`] sees them moved by [`crate::reseal`] and the older keys gone.
//! The files follow the order of `fractal_crypto::stage_key_file`, so a crash at any moment leaves a key that opens the database.

use std::{collections::BTreeMap, path::Path, time::Duration};

use async_trait::async_trait;
use fractal_api_types::{KeyStatus, OperationView};
use fractal_background::operation::{At, Kind, Progress, Step, Trouble};
use fractal_clock::{Clock, Entropy, new_id};
use fractal_crypto::{
    KeyFileError, MasterKey, OwnerKey, WrappedKey, drop_staged_key, finish_key_swap, stage_key_file,
};
use fractal_policy::{Action, Resource};
use fractal_store::{
    Operation, OwnerKeyRow, PageRequest, Reads, Tx, operations, owner_keys, system_config,
};
use fractal_types::OperationId;
use serde_json::{Value, json};

use crate::{
    App, Context,
    change::{Change, Door, submit},
    error::{Error, Result},
    operation::{Wanted, view_of},
    reseal,
};

/// Its name as an operation.
const NAME: &str = "key.rotate";

const MOVE: &str = "move";
const RETIRE: &str = "retire";

/// Values are few and small; hours are for a database that is away meanwhile.
const LIMIT: Duration = Duration::from_secs(12 * 60 * 60);

/// The new key is in force before the first of them, so there is no way back from any.
const STEPS: &[Step] = &[
    Step::new(MOVE, LIMIT).without_a_way_back(),
    Step::new(RETIRE, LIMIT).without_a_way_back(),
];

/// Between two looks for what has not moved.
const LOOK: Duration = Duration::from_secs(5);

/// Between two looks for keys whose time is not over: it takes minutes, and every look is a transaction.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Owner keys that are wrapped anew between two looks at the database.
const BATCH: u32 = 200;

/// Replaces the master key, and begins to follow what is stored under older keys. Nothing stops meanwhile: both keys are known in memory
/// until the new one is in force, which it is when this comes back.
///
/// # Errors
///
/// `conflict` when the key does not come from a file; see [`submit`].
pub async fn rotate(app: &App, cx: &Context) -> Result<OperationView> {
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
    let operation_id = app.new_id();
    let change = Rotate {
        has_file,
        old,
        new,
        operation_id,
    };
    let outcome = submit(app, cx, change).await;
    if let (true, Some(file)) = (allowed, &file) {
        // Asked also after a failure, because a lost connection can hide a commit.
        settle(app, file).await?;
    }
    if app.keys.current_master().generation() != generation {
        outcome?;
    }
    app.keys.rotated.notify_one();
    let db = app.store.read();
    let row = operations::find(&db, operation_id).await?;
    view_of(app, cx, &db, row.ok_or_else(Error::not_found)?).await
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
    operation_id: OperationId,
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
        let owner = door.cx.user_id()?;
        door.begin(Wanted {
            id: self.operation_id,
            kind: &Rotation::new(app.clone()),
            owner,
            asset: None,
            input: json!({ "generation": self.new.generation() }),
        })
        .await?;
        Ok(())
    }
}

/// The kind of operation that follows a replaced key until nothing is left under older ones.
#[derive(Debug, Clone)]
pub struct Rotation {
    app: App,
}

impl Rotation {
    /// Of this house.
    #[must_use]
    pub const fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Kind for Rotation {
    fn name(&self) -> &'static str {
        NAME
    }

    fn steps(&self) -> &'static [Step] {
        STEPS
    }

    fn takes_a_turn(&self) -> bool {
        // Values move anyway, also after a rotation without a server.
        false
    }

    async fn run(&self, step: &'static str, _at: At<'_>) -> std::result::Result<Progress, Trouble> {
        // The same as in the background; of two at once each finds what the other left.
        let damaged = reseal::work(&self.app).await.map_err(passing)?;
        if damaged > 0 {
            let values = if damaged == 1 { "value" } else { "values" };
            return Err(Trouble::Lasting(format!(
                "{damaged} stored {values} cannot be opened and stay under an older key; the server's log names them: \
                 store them anew, then try again"
            )));
        }
        let db = self.app.store.read();
        let (is_over, wait) = match step {
            MOVE => (owner_keys::count_waiting(&db).await? == 0, LOOK),
            _ => {
                let older = owner_keys::list_older(&db, None, 1).await?;
                (older.is_empty(), LOOK_AGAIN)
            }
        };
        Ok(if is_over {
            Progress::Done(Value::Null)
        } else {
            Progress::Wait(wait)
        })
    }

    async fn undo(&self, _: &'static str, _: At<'_>) -> std::result::Result<Progress, Trouble> {
        Ok(Progress::Done(Value::Null))
    }

    async fn settle(&self, _tx: &Tx, _operation: &Operation) -> fractal_store::Result<()> {
        Ok(())
    }
}

fn passing(error: Error) -> Trouble {
    Trouble::Passing(
        error
            .detail
            .unwrap_or_else(|| error.code.title().to_owned()),
    )
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
