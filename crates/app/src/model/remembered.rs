//! What the broker is answered, remembered, so that a model call costs no query.
//!
//! Every change goes through the door, so a change forgets everything here, and the next call asks the database again. Changes made by
//! another process on the same database are seen when an answer has grown old.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fractal_crypto::TokenHash;
use fractal_types::{InstanceId, ProviderId, Timestamp, Wire};

use super::Route;

/// How long an answer is good for when no change of our own forgets it earlier: as long as a session's.
const GOOD_FOR: Duration = Duration::from_secs(2);

/// The state of the memory when a question was asked; an answer that was overtaken by a change is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked(u64);

/// The memory. One per house.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    changes: u64,
    owners: HashMap<[u8; 32], (Timestamp, InstanceId)>,
    routes: HashMap<(InstanceId, Wire), (Timestamp, Route)>,
    outcomes: HashMap<ProviderId, (Timestamp, Option<String>)>,
}

impl Remembered {
    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something has changed; nothing that was remembered counts any more.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        *known = Known {
            changes: known.changes.wrapping_add(1),
            ..Known::default()
        };
    }

    /// To be called before the database is asked.
    pub(super) fn asked(&self) -> Asked {
        Asked(self.known().changes)
    }

    pub(super) fn owner(&self, hash: TokenHash, now: Timestamp) -> Option<InstanceId> {
        fresh(&self.known().owners, hash.as_bytes(), now)
    }

    pub(super) fn keep_owner(
        &self,
        asked: Asked,
        hash: TokenHash,
        owner: InstanceId,
        now: Timestamp,
    ) {
        let mut known = self.known();
        if known.changes == asked.0 {
            known.owners.insert(*hash.as_bytes(), (now, owner));
        }
    }

    pub(super) fn route(&self, id: InstanceId, wire: Wire, now: Timestamp) -> Option<Route> {
        fresh(&self.known().routes, &(id, wire), now)
    }

    pub(super) fn keep_route(
        &self,
        asked: Asked,
        id: InstanceId,
        wire: Wire,
        route: &Route,
        now: Timestamp,
    ) {
        let mut known = self.known();
        if known.changes == asked.0 {
            known.routes.insert((id, wire), (now, route.clone()));
        }
    }

    /// Whether this is what the database says of the provider already.
    pub(super) fn knows_outcome(
        &self,
        provider: ProviderId,
        problem: Option<&str>,
        now: Timestamp,
    ) -> bool {
        fresh(&self.known().outcomes, &provider, now)
            .is_some_and(|known| known.as_deref() == problem)
    }

    pub(super) fn keep_outcome(
        &self,
        asked: Asked,
        provider: ProviderId,
        problem: Option<String>,
        now: Timestamp,
    ) {
        let mut known = self.known();
        if known.changes == asked.0 {
            known.outcomes.insert(provider, (now, problem));
        }
    }
}

fn fresh<K: Hash + Eq, V: Clone>(
    map: &HashMap<K, (Timestamp, V)>,
    key: &K,
    now: Timestamp,
) -> Option<V> {
    let (at, value) = map.get(key)?;
    (now.since(*at) < GOOD_FOR).then(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_forgotten_by_a_change_and_by_age_and_not_kept_when_overtaken() {
        let memory = Remembered::default();
        let (hash, owner) = (TokenHash::of("a"), InstanceId::from(uuid::Uuid::nil()));
        let now = Timestamp::from_micros(1_000_000_000);
        let asked = memory.asked();
        memory.keep_owner(asked, hash, owner, now);
        assert_eq!(memory.owner(hash, now), Some(owner));
        assert_eq!(memory.owner(TokenHash::of("b"), now), None);
        assert_eq!(memory.owner(hash, now.after(GOOD_FOR)), None);
        memory.forget();
        assert_eq!(memory.owner(hash, now), None);
        memory.keep_owner(asked, hash, owner, now);
        assert_eq!(
            memory.owner(hash, now),
            None,
            "asked before the change, answered after"
        );
    }
}
