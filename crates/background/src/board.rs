//! Which keys are due, which are running. Ordered by due time, so that taking the next of ten
//! thousand keys costs no more than of ten.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fractal_clock::SharedClock;
use fractal_types::Timestamp;
use tokio::sync::Notify;

use crate::Next;

#[derive(Debug, Default)]
struct Entry {
    due: Option<Timestamp>,
    running: bool,
    /// Woken while running: run again, because the run may have read the old state.
    again: bool,
    /// Missing in the last sweep while running: forget afterwards unless woken.
    gone: bool,
    failures: u32,
}

#[derive(Debug)]
struct State<K> {
    entries: BTreeMap<K, Entry>,
    due: BTreeSet<(Timestamp, K)>,
    running: usize,
}

impl<K: Ord + Clone> State<K> {
    fn set_due(&mut self, key: &K, at: Option<Timestamp>) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        if let Some(old) = std::mem::replace(&mut entry.due, at) {
            self.due.remove(&(old, key.clone()));
        }
        if let Some(at) = at {
            self.due.insert((at, key.clone()));
        }
    }
}

#[derive(Debug)]
pub(crate) struct Board<K> {
    state: Mutex<State<K>>,
    pub(crate) changed: Notify,
    pub(crate) clock: SharedClock,
}

impl<K: Ord + Clone> Board<K> {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self {
            state: Mutex::new(State {
                entries: BTreeMap::new(),
                due: BTreeSet::new(),
                running: 0,
            }),
            changed: Notify::new(),
            clock,
        }
    }

    fn state(&self) -> MutexGuard<'_, State<K>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a key due now, or again after its present run.
    pub(crate) fn wake(&self, key: K) {
        let now = self.clock.now();
        {
            let mut state = self.state();
            let entry = state.entries.entry(key.clone()).or_default();
            entry.gone = false;
            if entry.running {
                entry.again = true;
            } else {
                state.set_due(&key, Some(now));
            }
        }
        self.changed.notify_one();
    }

    /// Takes the key that is due longest and marks it running, unless `limit` are running already.
    pub(crate) fn take_due(&self, limit: usize) -> Option<K> {
        let now = self.clock.now();
        let mut state = self.state();
        if state.running >= limit {
            return None;
        }
        let key = state.due.first().filter(|(at, _)| *at <= now)?.1.clone();
        state.set_due(&key, None);
        state.running += 1;
        if let Some(entry) = state.entries.get_mut(&key) {
            entry.running = true;
        }
        Some(key)
    }

    /// When to look again; `None` while nothing waits or every slot is taken.
    pub(crate) fn next_due(&self, limit: usize) -> Option<Timestamp> {
        let state = self.state();
        if state.running >= limit {
            return None;
        }
        state.due.first().map(|(at, _)| *at)
    }

    /// A run ended. `wait` turns the number of failures in a row into the time to the next try.
    pub(crate) fn ended(&self, key: &K, next: Next, wait: impl FnOnce(u32) -> Duration) {
        let now = self.clock.now();
        {
            let mut state = self.state();
            state.running = state.running.saturating_sub(1);
            let Some(entry) = state.entries.get_mut(key) else {
                return;
            };
            entry.running = false;
            entry.failures = match next {
                Next::Failed => entry.failures.saturating_add(1),
                Next::Settled | Next::After(_) | Next::Forget => 0,
            };
            let (failures, gone) = (entry.failures, entry.gone);
            let again = std::mem::take(&mut entry.again);
            if !again && (next == Next::Forget || gone) {
                state.entries.remove(key);
            } else {
                let due = match next {
                    _ if again => Some(now),
                    Next::Settled | Next::Forget => None,
                    Next::After(span) => Some(now.after(span)),
                    Next::Failed => Some(now.after(wait(failures))),
                };
                state.set_due(key, due);
            }
        }
        self.changed.notify_one();
    }

    /// Makes every listed key due, and forgets the others.
    pub(crate) fn sweep(&self, keys: Vec<K>) {
        let now = self.clock.now();
        let keys: BTreeSet<K> = keys.into_iter().collect();
        let mut state = self.state();
        let missing: Vec<K> = state
            .entries
            .keys()
            .filter(|key| !keys.contains(*key))
            .cloned()
            .collect();
        for key in missing {
            let Some(entry) = state.entries.get_mut(&key) else {
                continue;
            };
            if entry.running {
                entry.gone = true;
            } else if entry.due.is_none_or(|at| at > now) {
                state.set_due(&key, None);
                state.entries.remove(&key);
            }
            // Otherwise it was woken after the list was read and finds out by itself.
        }
        for key in keys {
            let entry = state.entries.entry(key.clone()).or_default();
            entry.gone = false;
            // A key that waits after a failure keeps waiting: the sweep is no way around the backoff.
            if !entry.running && entry.due.is_none() {
                state.set_due(&key, Some(now));
            }
        }
    }
}
