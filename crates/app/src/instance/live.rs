//! What is known in memory about instances that are awake: connection, proof, activity, and who watches.
//!
//! None of this is state that must survive: after a restart it is rebuilt from the runtime and the gateways.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use fractal_openclaw::ws::Gateway;
use fractal_types::{InstanceId, SeenState, Timestamp};
use tokio::sync::watch;

/// What watchers are told.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// The state; `None` until the reconciler has looked once.
    pub seen: Option<SeenState>,
    /// Cause and remedy, or what is going on.
    pub reason: Option<String>,
    /// Place in the queue for a start slot.
    pub queue_position: Option<u32>,
    /// Grows with every change, so that watchers notice also what these fields do not show.
    pub version: u64,
}

/// A connection to a gateway and what was proven over it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The start of the process it belongs to.
    pub boot: u64,
    /// The client.
    pub gateway: Gateway,
    /// The proof.
    pub proof: Proof,
}

/// The state of the proving turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// Not tried.
    None,
    /// On its way.
    Running,
    /// A turn came back.
    Done(Proven),
    /// It failed; not before then is it tried again.
    Failed(Timestamp),
}

/// What a proving turn has shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// Identifies the wires and models it ran over; empty when the gateway did not have the rendered ones.
    pub wires: String,
    /// The gateway's own name for its run.
    pub boot_id: String,
}

/// Everything in memory about one instance.
#[derive(Debug)]
struct Entry {
    connection: Option<Connection>,
    status: watch::Sender<Status>,
    busy: Arc<AtomicUsize>,
    last_active: AtomicI64,
    started_at: Option<Timestamp>,
    provider_ok: Option<bool>,
    /// Since when a boot of the process is running without being connected and proven.
    unproven: Option<(u64, Timestamp)>,
    /// The configuration the running gateway is known to have; `None` means: compare.
    config_hash: Option<String>,
    /// Grows whenever something changes that the configuration is rendered from.
    config_version: u64,
    measured_at: Option<Timestamp>,
}

impl Default for Entry {
    fn default() -> Self {
        Self {
            connection: None,
            status: watch::Sender::new(Status::default()),
            busy: Arc::default(),
            last_active: AtomicI64::new(0),
            started_at: None,
            provider_ok: None,
            unproven: None,
            config_hash: None,
            config_version: 0,
            measured_at: None,
        }
    }
}

/// All instances in memory.
#[derive(Debug, Default)]
pub struct Live {
    entries: Mutex<HashMap<InstanceId, Entry>>,
}

/// Keeps an instance from being put to sleep while it lives.
#[derive(Debug)]
pub struct BusyGuard(Arc<AtomicUsize>);

impl Drop for BusyGuard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, when there is one.
    #[must_use]
    pub fn connection(&self, id: InstanceId) -> Option<Connection> {
        self.lock().get(&id)?.connection.clone()
    }

    /// Replaces the connection.
    pub fn connect(&self, id: InstanceId, connection: Connection) {
        self.lock().entry(id).or_default().connection = Some(connection);
    }

    /// Drops the connection.
    pub fn disconnect(&self, id: InstanceId) {
        if let Some(entry) = self.lock().get_mut(&id) {
            entry.connection = None;
        }
    }

    /// Notes how the proof of a boot stands; a proof of an earlier boot is ignored.
    pub fn note_proof(&self, id: InstanceId, boot: u64, proof: Proof) {
        if let Some(connection) = self
            .lock()
            .get_mut(&id)
            .and_then(|entry| entry.connection.as_mut())
            && connection.boot == boot
        {
            connection.proof = proof;
        }
    }

    /// Tells watchers; returns whether anything they see has changed.
    pub fn publish(
        &self,
        id: InstanceId,
        seen: SeenState,
        reason: Option<String>,
        queue_position: Option<u32>,
    ) -> bool {
        self.lock()
            .entry(id)
            .or_default()
            .status
            .send_if_modified(|status| {
                let next = Status {
                    seen: Some(seen),
                    reason,
                    queue_position,
                    version: status.version,
                };
                let changed = *status != next;
                if changed {
                    *status = Status {
                        version: next.version + 1,
                        ..next
                    };
                }
                changed
            })
    }

    /// Wakes watchers without a change of state (a rename, new sizes).
    pub fn nudge(&self, id: InstanceId) {
        if let Some(entry) = self.lock().get(&id) {
            entry.status.send_modify(|status| status.version += 1);
        }
    }

    /// Watches an instance.
    #[must_use]
    pub fn watch(&self, id: InstanceId) -> watch::Receiver<Status> {
        self.lock().entry(id).or_default().status.subscribe()
    }

    /// Notes that it is being used.
    pub fn touch(&self, id: InstanceId, now: Timestamp) {
        self.lock()
            .entry(id)
            .or_default()
            .last_active
            .fetch_max(now.as_micros(), Ordering::SeqCst);
    }

    /// When it was last used, as far as memory goes.
    #[must_use]
    pub fn last_active(&self, id: InstanceId) -> Option<Timestamp> {
        let micros = self.lock().get(&id)?.last_active.load(Ordering::SeqCst);
        (micros > 0).then(|| Timestamp::from_micros(micros))
    }

    /// Marks it as busy until the guard is dropped.
    #[must_use]
    pub fn busy(&self, id: InstanceId) -> BusyGuard {
        let counter = self.lock().entry(id).or_default().busy.clone();
        counter.fetch_add(1, Ordering::SeqCst);
        BusyGuard(counter)
    }

    /// Whether a turn is on its way.
    #[must_use]
    pub fn is_busy(&self, id: InstanceId) -> bool {
        self.lock()
            .get(&id)
            .is_some_and(|entry| entry.busy.load(Ordering::SeqCst) > 0)
    }

    /// Notes when its process was started.
    pub fn note_started(&self, id: InstanceId, at: Option<Timestamp>) {
        self.lock().entry(id).or_default().started_at = at;
    }

    /// When its process was started.
    #[must_use]
    pub fn started_at(&self, id: InstanceId) -> Option<Timestamp> {
        self.lock().get(&id)?.started_at
    }

    /// Notes whether its model provider answered.
    pub fn note_provider(&self, id: InstanceId, ok: bool) {
        self.lock().entry(id).or_default().provider_ok = Some(ok);
    }

    /// Whether its model provider answered last time.
    #[must_use]
    pub fn provider_ok(&self, id: InstanceId) -> Option<bool> {
        self.lock().get(&id)?.provider_ok
    }

    /// For how long a running boot has not been connected and proven; asking with `settled` starts anew.
    pub fn unproven_for(
        &self,
        id: InstanceId,
        boot: u64,
        settled: bool,
        now: Timestamp,
    ) -> std::time::Duration {
        let mut entries = self.lock();
        let unproven = &mut entries.entry(id).or_default().unproven;
        if settled {
            *unproven = None;
            return std::time::Duration::ZERO;
        }
        match unproven {
            Some((known, since)) if *known == boot => now.since(*since),
            _ => {
                *unproven = Some((boot, now));
                std::time::Duration::ZERO
            }
        }
    }

    /// Grows whenever something changes that the configuration is rendered from. Read it before rendering.
    #[must_use]
    pub fn config_version(&self, id: InstanceId) -> u64 {
        self.lock().get(&id).map_or(0, |entry| entry.config_version)
    }

    /// Notes which configuration the running gateway has, unless something has changed since `version` was read.
    pub fn note_config(&self, id: InstanceId, hash: &str, version: u64) {
        let mut entries = self.lock();
        let entry = entries.entry(id).or_default();
        if entry.config_version == version {
            entry.config_hash = Some(hash.to_owned());
        }
    }

    /// Something the configuration is rendered from has changed, or the process is new.
    pub fn note_config_changed(&self, id: InstanceId) {
        let mut entries = self.lock();
        let entry = entries.entry(id).or_default();
        entry.config_version += 1;
        entry.config_hash = None;
    }

    /// Which configuration the running gateway is known to have; `None` means: compare.
    #[must_use]
    pub fn config_hash(&self, id: InstanceId) -> Option<String> {
        self.lock().get(&id)?.config_hash.clone()
    }

    /// Whether sizes are due to be written down; then they count as written.
    pub fn take_measuring(
        &self,
        id: InstanceId,
        now: Timestamp,
        every: std::time::Duration,
    ) -> bool {
        let mut entries = self.lock();
        let entry = entries.entry(id).or_default();
        let due = entry.measured_at.is_none_or(|at| now.since(at) >= every);
        if due {
            entry.measured_at = Some(now);
        }
        due
    }

    /// Forgets an instance that is gone; its watchers see the end.
    pub fn forget(&self, id: InstanceId) {
        self.lock().remove(&id);
    }
}
