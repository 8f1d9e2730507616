//! The time of a run: tokio's own, which stands still and is moved by whoever has nothing else to do.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use fractal_clock::Clock;
use fractal_types::Timestamp;
use tokio::time::Instant;

/// Nobody holds it.
const FREE: i64 = i64::MIN;

/// How far the run is.
#[derive(Debug)]
pub struct Time {
    began: Instant,
    /// What it is while database work is done, whose helpers live in the time of the machine.
    held: AtomicI64,
}

impl Time {
    pub fn begin() -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            held: AtomicI64::new(FREE),
        })
    }

    /// Since the beginning, in microseconds.
    pub fn micros(&self) -> i64 {
        match self.held.load(Ordering::SeqCst) {
            FREE => i64::try_from(self.began.elapsed().as_micros()).expect("a run is short"),
            held => held,
        }
    }

    pub fn elapsed(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros()).expect("it does not go back"))
    }

    /// Has it stand still during some work.
    pub fn hold<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.held.swap(self.micros(), Ordering::SeqCst);
        let done = work();
        self.held.store(before, Ordering::SeqCst);
        done
    }
}

/// The clock of one process, which may go wrong by a little, and be put right.
#[derive(Debug, Clone)]
pub struct SimulatedClock {
    pub time: Arc<Time>,
    pub start: Timestamp,
    /// By how many microseconds it is ahead.
    pub skew: Arc<AtomicI64>,
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        let micros = self.time.micros() + self.skew.load(Ordering::SeqCst);
        Timestamp::from_micros(self.start.as_micros() + micros)
    }

    fn sleep(&self, span: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(span))
    }
}
