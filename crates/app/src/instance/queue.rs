//! Start slots: about one per core, first come first served.
//!
//! A gateway start costs 5 to 8 CPU-seconds (`openclaw.md` section 1), so starting many at once makes all of them
//! late and can starve the control plane itself. A slot is held from launch until the gateway has answered or ended.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fractal_types::{InstanceId, Timestamp};

/// Who starts and who waits.
#[derive(Debug)]
pub struct StartQueue {
    slots: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    starting: HashSet<InstanceId>,
    /// Who waits, and since when.
    waiting: VecDeque<(InstanceId, Timestamp)>,
}

impl State {
    fn place(&self, id: InstanceId) -> Option<usize> {
        self.waiting.iter().position(|(waiting, _)| *waiting == id)
    }

    fn ids(&self) -> Vec<InstanceId> {
        self.waiting.iter().map(|(id, _)| *id).collect()
    }
}

impl StartQueue {
    /// A queue with this many slots, at least one.
    #[must_use]
    pub fn new(slots: usize) -> Self {
        Self {
            slots: slots.max(1),
            state: Mutex::default(),
        }
    }

    /// How many may start at the same time.
    #[must_use]
    pub const fn slots(&self) -> usize {
        self.slots
    }

    /// Takes a slot and says how long that took (`None` for somebody who has one), or takes a place in the queue and says which, from
    /// 1. Asking again keeps the place.
    pub fn take(&self, id: InstanceId, now: Timestamp) -> Result<Option<Duration>, u32> {
        let mut state = self.lock();
        if state.starting.contains(&id) {
            return Ok(None);
        }
        let place = state.place(id).unwrap_or_else(|| {
            state.waiting.push_back((id, now));
            state.waiting.len() - 1
        });
        if place < self.slots.saturating_sub(state.starting.len()) {
            let since = state.waiting.remove(place).map_or(now, |(_, since)| since);
            state.starting.insert(id);
            Ok(Some(now.since(since)))
        } else {
            Err(u32::try_from(place + 1).unwrap_or(u32::MAX))
        }
    }

    /// Gives a slot or a place back; returns who may try now.
    pub fn release(&self, id: InstanceId) -> Vec<InstanceId> {
        let mut state = self.lock();
        let had = state.starting.remove(&id);
        let waited = state.place(id);
        if let Some(place) = waited {
            state.waiting.remove(place);
        }
        if had || waited.is_some() {
            state.ids()
        } else {
            Vec::new()
        }
    }

    /// Gives up a place in the queue, but not a slot; returns who may try now. For somebody who cannot start at the moment
    /// and would otherwise keep those behind waiting.
    pub fn leave(&self, id: InstanceId) -> Vec<InstanceId> {
        let mut state = self.lock();
        let before = state.waiting.len();
        state.waiting.retain(|(waiting, _)| *waiting != id);
        if state.waiting.len() == before {
            return Vec::new();
        }
        state.ids()
    }

    /// The place in the queue, from 1, for those who wait.
    #[must_use]
    pub fn position(&self, id: InstanceId) -> Option<u32> {
        let place = self.lock().place(id)?;
        u32::try_from(place + 1).ok()
    }

    /// How many hold a slot, and how many wait for one.
    #[must_use]
    pub fn lengths(&self) -> (usize, usize) {
        let state = self.lock();
        (state.starting.len(), state.waiting.len())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> InstanceId {
        InstanceId::from_uuid(u128::to_be_bytes(n).into_uuid())
    }

    trait IntoUuid {
        fn into_uuid(self) -> uuid::Uuid;
    }

    impl IntoUuid for [u8; 16] {
        fn into_uuid(self) -> uuid::Uuid {
            uuid::Uuid::from_bytes(self)
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn slots_are_given_in_order_and_places_are_kept() {
        let queue = StartQueue::new(2);
        let take = |n, seconds| queue.take(id(n), at(seconds));
        assert_eq!(take(1, 0), Ok(Some(Duration::ZERO)));
        assert_eq!(take(2, 0), Ok(Some(Duration::ZERO)));
        assert_eq!(take(3, 1), Err(1));
        assert_eq!(take(4, 2), Err(2));
        assert_eq!(take(3, 3), Err(1), "asking again keeps the place");
        assert_eq!(queue.lengths(), (2, 2));
        assert_eq!(queue.release(id(1)), vec![id(3), id(4)]);
        assert_eq!(take(4, 4), Err(2), "nobody overtakes");
        assert_eq!(
            take(3, 9),
            Ok(Some(Duration::from_secs(8))),
            "from the first time it asked"
        );
        assert_eq!(queue.position(id(4)), Some(1));
    }

    #[test]
    fn a_holder_may_ask_again_and_leaving_the_queue_frees_the_place() {
        let queue = StartQueue::new(1);
        let take = |n| queue.take(id(n), at(0));
        assert_eq!(take(1), Ok(Some(Duration::ZERO)));
        assert_eq!(take(1), Ok(None));
        assert_eq!(take(2), Err(1));
        assert_eq!(take(3), Err(2));
        queue.release(id(2));
        assert_eq!(queue.position(id(3)), Some(1));
    }
}
