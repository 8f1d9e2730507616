//! What was asked for and what was acknowledged, compared with the log of the installation.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, OnceLock},
};

use fractal_clock::SystemClock;
use fractal_openclaw::engine::EngineInfo;
use fractal_store::{
    EvidenceEntry, OpenOptions, Store, Tx, engines, evidence, owner_keys, system_config,
};
use fractal_types::{EngineId, Timestamp};

/// How often something surely happened, and how often it may have happened besides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Count {
    pub sure: u64,
    pub perhaps: u64,
}

/// Changes by action and thing.
#[derive(Debug, Default)]
pub struct Ledger(BTreeMap<(&'static str, String), Count>);

impl Ledger {
    /// Notes a change that was asked for.
    pub fn note(&mut self, action: &'static str, thing: &str, acknowledged: bool) {
        let count = self.0.entry((action, thing.to_owned())).or_default();
        if acknowledged {
            count.sure += 1;
        } else {
            count.perhaps += 1;
        }
    }

    /// How often something of any thing surely happened.
    pub fn sure(&self, action: &'static str) -> u64 {
        self.0
            .get(&(action, String::new()))
            .map_or(0, |count| count.sure)
    }

    /// Compares with the log. Asked while the server is down, so that nothing is under way; what may have happened is
    /// decided then.
    pub fn compare(&mut self, found: &Found) {
        for ((action, thing), count) in &mut self.0 {
            let logged = found
                .done
                .iter()
                .filter(|(done, about)| done == action && (thing.is_empty() || about == thing))
                .count() as u64;
            assert!(
                (count.sure..=count.sure + count.perhaps).contains(&logged),
                "{action} of {thing:?}: {count:?} was asked for, but the log has {logged} entries"
            );
            *count = Count {
                sure: logged,
                perhaps: 0,
            };
        }
    }
}

/// Whether Fractal did it by itself, in the course of an operation that somebody had asked for.
fn is_a_part(entry: &EvidenceEntry) -> bool {
    entry.actor_kind == "system" && entry.action.starts_with("instance.")
}

/// What the database holds.
pub struct Found {
    /// Action and thing of every change that was asked for and is logged as done.
    done: Vec<(String, String)>,
    /// The check value of the key in force.
    pub key_check: String,
    /// Generations of the master key that wrapped the owners' keys.
    pub wrapped_by: Vec<u32>,
}

/// Works on the database of a server that does not run.
fn with<T>(url: &str, work: impl AsyncFnOnce(&Store) -> T) -> T {
    // One for the whole program: the database's pools need it beyond their end.
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    });
    runtime.block_on(async {
        let store = Store::open(url, &OpenOptions::new(Arc::new(SystemClock)))
            .await
            .unwrap();
        let found = work(&store).await;
        store.close().await.unwrap();
        found
    })
}

/// Notes an engine in this folder as installed before every other.
pub fn add_engine(url: &str, folder: &Path) {
    with(url, async |store| {
        let info = EngineInfo::at(folder).await.unwrap();
        let mut row = engines::list(&store.read()).await.unwrap().remove(0);
        row.id = "eng_00000000000000000000000001"
            .parse::<EngineId>()
            .unwrap();
        row.version = info.version;
        row.digest = info.digest;
        row.path = folder.to_string_lossy().into_owned();
        row.created_at = Timestamp::from_micros(0);
        let insert = async |tx: Tx| engines::insert(&tx, &row).await;
        store.tx("test", insert).await.unwrap();
    });
}

/// Looks into the database of a server that does not run.
pub fn look(url: &str) -> Found {
    with(url, async |store| {
        let db = store.read();
        let entries = evidence::list_unsealed(&db, u32::MAX).await.unwrap();
        let sealed = evidence::list_sealed(&db, None, 0, u32::MAX).await.unwrap();
        let page = fractal_store::PageRequest {
            limit: 200,
            ..fractal_store::PageRequest::default()
        };
        let keys = owner_keys::list(&db, &page).await.unwrap();
        Found {
            done: entries
                .into_iter()
                .chain(sealed)
                .filter(|entry| entry.outcome == "done" && !is_a_part(entry))
                .map(|entry| (entry.action, entry.resource_id))
                .collect(),
            key_check: system_config::find(&db, &system_config::KEY_CHECK)
                .await
                .unwrap()
                .unwrap(),
            wrapped_by: keys
                .items
                .iter()
                .map(|row| u32::from_be_bytes(row.wrapped[1..5].try_into().unwrap()))
                .collect(),
        }
    })
}
