//! Who goes on when: everybody who reaches a point waits there until the draw falls on them.
//!
//! Everything runs on one thread, on a runtime whose time stands still until nobody has anything to do. Only then is the next one drawn, who
//! goes on until their next point. Database work is done without a break, though its drivers have threads of their own. So one
//! seed gives one run, to the last step.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Wake, Waker},
    thread::Thread,
    time::Duration,
};

use tokio::sync::{Notify, oneshot};

use crate::{chance::Chance, time::Time};

impl Parked {
    fn order(&self) -> (u64, Life, &str) {
        (self.round, self.life, &self.what)
    }
}

/// One life of a process: from its start to its death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Life(pub usize);

/// Whoever looks from outside, waits nowhere and does not die.
pub const OUTSIDE: Life = Life(0);

/// A gap in which everybody comes to rest.
const REST: Duration = Duration::from_millis(1);

pub struct Stage {
    pub time: Arc<Time>,
    state: Mutex<State>,
    arrived: Notify,
    /// Where the pools of the database live.
    drivers: tokio::runtime::Handle,
}

struct State {
    chance: Chance,
    parked: Vec<Parked>,
    round: u64,
    dead: BTreeSet<Life>,
    stalled: BTreeMap<Life, Duration>,
    told: Vec<String>,
    hash: u64,
    calm: bool,
    /// When the slowest call comes back that is on its way.
    slowest: Duration,
}

struct Parked {
    /// Before which draw they came. Who woke whom first in between is nobody's choice: receivers of a `watch` wake in any order.
    round: u64,
    life: Life,
    what: String,
    go: oneshot::Sender<()>,
}

impl fmt::Debug for Stage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Stage")
    }
}

impl Stage {
    pub fn new(seed: u64, drivers: tokio::runtime::Handle) -> Arc<Self> {
        Arc::new(Self {
            time: Time::begin(),
            state: Mutex::new(State {
                chance: Chance::new(seed),
                parked: Vec::new(),
                round: 0,
                dead: BTreeSet::new(),
                stalled: BTreeMap::new(),
                told: Vec::new(),
                hash: 0xcbf2_9ce4_8422_2325,
                calm: false,
                slowest: Duration::ZERO,
            }),
            arrived: Notify::new(),
            drivers,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Draws something.
    pub fn draw<T>(&self, from: impl FnOnce(&mut Chance) -> T) -> T {
        from(&mut self.state().chance)
    }

    /// Whether a fault happens, which none does once it is calm.
    pub fn strikes(&self, permille: usize) -> bool {
        let mut state = self.state();
        !state.calm && state.chance.happens(permille)
    }

    /// From now on nothing goes wrong any more.
    pub fn calm_down(&self) {
        self.tell("from here on nothing goes wrong any more");
        let mut state = self.state();
        state.calm = true;
        state.stalled.clear();
    }

    pub fn is_calm(&self) -> bool {
        self.state().calm
    }

    /// Writes a line of the trace.
    pub fn tell(&self, what: impl fmt::Display) {
        let micros = self.time.micros();
        let line = format!("{:>5}.{:06} {what}", micros / 1_000_000, micros % 1_000_000);
        let mut state = self.state();
        for byte in line.bytes() {
            // FNV-1a: the same everywhere, and in every process.
            state.hash = (state.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        state.told.push(line);
    }

    /// The whole trace, and one number that tells it from others.
    pub fn trace(&self) -> (Vec<String>, u64) {
        let state = self.state();
        (state.told.clone(), state.hash)
    }

    /// Waits for the draw. Who dies never comes back from here, and does nothing on the way out, like a process that is killed.
    pub async fn point(&self, life: Life, what: String) {
        if life == OUTSIDE {
            return;
        }
        let turn = {
            let mut state = self.state();
            if state.dead.contains(&life) {
                None
            } else {
                let (go, turn) = oneshot::channel();
                let round = state.round;
                state.parked.push(Parked {
                    round,
                    life,
                    what,
                    go,
                });
                Some(turn)
            }
        };
        self.arrived.notify_one();
        let gone_on = match turn {
            Some(turn) => turn.await.is_ok(),
            None => false,
        };
        if !gone_on {
            std::future::pending::<()>().await;
        }
    }

    /// Something takes that long.
    pub async fn linger(&self, span: Duration) {
        let end = self.time.elapsed() + span;
        {
            let mut state = self.state();
            state.slowest = state.slowest.max(end);
        }
        tokio::time::sleep(span).await;
    }

    /// Whether something is on its way that was slow.
    pub fn is_lingering(&self) -> bool {
        self.state().slowest >= self.time.elapsed()
    }

    /// Ends a process where it stands.
    pub fn kill(&self, life: Life) {
        let mut state = self.state();
        state.dead.insert(life);
        state.parked.retain(|one| one.life != life);
    }

    /// Has a process do nothing for a while, as one that is out of memory or on a machine that stands still. It does not notice.
    pub fn stall(&self, life: Life, span: Duration) {
        let until = self.time.elapsed() + span;
        self.state().stalled.insert(life, until);
    }

    /// Waits until everybody has come to rest.
    pub async fn rest(&self) {
        tokio::time::sleep(REST).await;
    }

    /// Who is drawn next and where they stand; `None` while nobody waits who could go on.
    pub fn next(&self) -> Option<(usize, Life, String)> {
        let now = self.time.elapsed();
        let mut state = self.state();
        state.round += 1;
        state.stalled.retain(|_, until| *until > now);
        state
            .parked
            .sort_by(|one, other| one.order().cmp(&other.order()));
        let ready: Vec<usize> = (0..state.parked.len())
            .filter(|place| !state.stalled.contains_key(&state.parked[*place].life))
            .collect();
        if ready.is_empty() {
            return None;
        }
        let place = ready[state.chance.below(ready.len())];
        let one = &state.parked[place];
        Some((place, one.life, one.what.clone()))
    }

    /// Has the one at this place go on.
    pub fn release(&self, place: usize) {
        let one = self.state().parked.remove(place);
        // Whoever has given up meanwhile, because it took too long, does not wait any more.
        let _ = one.go.send(());
    }

    /// Waits until somebody reaches a point, but not longer than until then.
    pub async fn arrival(&self, until: Duration) {
        let stalled = self.state().stalled.values().min().copied();
        let until = stalled.map_or(until, |end| end.min(until));
        let left = until.saturating_sub(self.time.elapsed());
        // How it ends does not matter: everything is looked at again.
        let _ = tokio::time::timeout(left.max(REST), self.arrived.notified()).await;
    }

    /// Does database work to its end. Meanwhile it is nobody else's turn, and time stands still.
    pub fn drive(&self, mut work: Pin<&mut (dyn Future<Output = ()> + Send)>) {
        self.time.hold(|| {
            // What a pool does by itself, like taking back a connection, happens there.
            let _there = self.drivers.enter();
            let bell = Arc::new(Bell {
                thread: std::thread::current(),
                rung: AtomicBool::new(false),
            });
            let waker = Waker::from(Arc::clone(&bell));
            let mut context = Context::from_waker(&waker);
            while work.as_mut().poll(&mut context).is_pending() {
                while !bell.rung.swap(false, Ordering::SeqCst) {
                    std::thread::park();
                }
            }
        });
    }
}

/// Wakes the thread that waits for a driver.
struct Bell {
    thread: Thread,
    rung: AtomicBool,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}
