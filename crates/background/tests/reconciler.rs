//! The driver with a reconciler that counts, under a clock that only moves when told to.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use fractal_background::{Next, Reconcile, Reconciler, ReconcilerOptions};
use fractal_clock::{ManualClock, SeededEntropy};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

struct Counting {
    keys: Mutex<Vec<u32>>,
    runs: Mutex<BTreeMap<u32, usize>>,
    answer: Mutex<Next>,
    gate: Semaphore,
    began: Notify,
    at_once: AtomicUsize,
    most_at_once: AtomicUsize,
    panics: AtomicBool,
}

impl Counting {
    fn new(keys: &[u32], gates: usize) -> Arc<Self> {
        Arc::new(Self {
            keys: Mutex::new(keys.to_vec()),
            runs: Mutex::default(),
            answer: Mutex::new(Next::Settled),
            gate: Semaphore::new(gates),
            began: Notify::new(),
            at_once: AtomicUsize::new(0),
            most_at_once: AtomicUsize::new(0),
            panics: AtomicBool::new(false),
        })
    }

    fn runs(&self, key: u32) -> usize {
        self.runs.lock().unwrap().get(&key).copied().unwrap_or(0)
    }

    fn answer(&self, next: Next) {
        *self.answer.lock().unwrap() = next;
    }
}

#[async_trait::async_trait]
impl Reconcile for Counting {
    type Key = u32;

    fn name(&self) -> &'static str {
        "counting"
    }

    async fn keys(&self) -> Result<Vec<u32>, String> {
        Ok(self.keys.lock().unwrap().clone())
    }

    async fn run_once(&self, key: &u32, _stop: &CancellationToken) -> Next {
        let now = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(now, Ordering::SeqCst);
        *self.runs.lock().unwrap().entry(*key).or_default() += 1;
        self.began.notify_one();
        if let Ok(pass) = self.gate.acquire().await {
            pass.forget();
        }
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        assert!(!self.panics.load(Ordering::SeqCst), "told to");
        *self.answer.lock().unwrap()
    }
}

fn driver(counting: &Arc<Counting>, concurrency: usize) -> (ManualClock, Reconciler<Counting>) {
    let clock = ManualClock::default();
    let options = ReconcilerOptions {
        concurrency,
        ..ReconcilerOptions::default()
    };
    let reconciler = Reconciler::new(
        Arc::clone(counting),
        Arc::new(clock.clone()),
        Arc::new(SeededEntropy::new(1)),
        options,
    );
    (clock, reconciler)
}

#[tokio::test]
async fn a_sweep_looks_at_every_key_once() {
    let counting = Counting::new(&[1, 2, 3], 100);
    let (_, reconciler) = driver(&counting, 2);
    assert_eq!(reconciler.run_all_due().await, 3);
    assert_eq!([1, 2, 3].map(|key| counting.runs(key)), [1, 1, 1]);
}

#[tokio::test]
async fn a_key_that_asked_for_more_time_is_looked_at_then() {
    let counting = Counting::new(&[1], 100);
    let (clock, reconciler) = driver(&counting, 2);
    counting.answer(Next::After(Duration::from_secs(5)));
    assert_eq!(reconciler.run_all_due().await, 1);
    clock.advance(Duration::from_secs(4));
    assert_eq!(reconciler.run_all_due().await, 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(reconciler.run_all_due().await, 1);
}

#[tokio::test]
async fn failures_back_off_and_neither_a_sweep_nor_a_panic_gets_around_that_but_a_wake_does() {
    let counting = Counting::new(&[1], 100);
    let (clock, reconciler) = driver(&counting, 2);
    counting.answer(Next::Failed);
    assert_eq!(reconciler.run_all_due().await, 1);
    assert_eq!(reconciler.run_all_due().await, 0);
    clock.advance(Duration::from_secs(1));
    counting.panics.store(true, Ordering::SeqCst);
    assert_eq!(reconciler.run_all_due().await, 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(reconciler.run_all_due().await, 0, "two seconds by now");
    reconciler.signal().wake(1);
    assert_eq!(reconciler.run_all_due().await, 1);
}

#[tokio::test]
async fn a_key_woken_while_it_runs_runs_once_more_and_never_twice_at_once() {
    let counting = Counting::new(&[1], 0);
    let (_, reconciler) = driver(&counting, 8);
    let reconciler = Arc::new(reconciler);
    let stop = CancellationToken::new();
    let (task, token) = (Arc::clone(&reconciler), stop.clone());
    let run = tokio::spawn(async move { task.run(token).await });
    counting.began.notified().await;
    for _ in 0..10 {
        reconciler.signal().wake(1);
    }
    counting.gate.add_permits(1);
    counting.began.notified().await;
    counting.gate.add_permits(10);
    settle().await;
    assert_eq!(counting.runs(1), 2);
    assert_eq!(counting.most_at_once.load(Ordering::SeqCst), 1);
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn no_more_keys_run_at_once_than_permitted_and_shutdown_waits_for_them() {
    let keys: Vec<u32> = (0..20).collect();
    let counting = Counting::new(&keys, 0);
    let (_, reconciler) = driver(&counting, 3);
    let stop = CancellationToken::new();
    let token = stop.clone();
    let run = tokio::spawn(async move { reconciler.run(token).await });
    settle().await;
    assert_eq!(counting.at_once.load(Ordering::SeqCst), 3);
    counting.gate.add_permits(10);
    settle().await;
    stop.cancel();
    settle().await;
    assert!(!run.is_finished(), "three are still at it");
    counting.gate.add_permits(3);
    run.await.unwrap();
    assert_eq!(counting.most_at_once.load(Ordering::SeqCst), 3);
    assert_eq!(counting.runs.lock().unwrap().values().sum::<usize>(), 13);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_end_within_the_grace_is_cut_off() {
    let counting = Counting::new(&[1], 0);
    let (_, reconciler) = driver(&counting, 3);
    let stop = CancellationToken::new();
    let token = stop.clone();
    let run = tokio::spawn(async move { reconciler.run(token).await });
    counting.began.notified().await;
    stop.cancel();
    // Paused time jumps over the grace as soon as nothing else can happen.
    run.await.unwrap();
    assert_eq!(counting.runs(1), 1);
}

#[tokio::test]
async fn a_key_that_is_gone_is_forgotten_and_a_new_one_is_found_by_the_next_sweep() {
    let counting = Counting::new(&[1], 100);
    let (_, reconciler) = driver(&counting, 2);
    reconciler.run_all_due().await;
    *counting.keys.lock().unwrap() = vec![2];
    reconciler.run_all_due().await;
    assert_eq!((counting.runs(1), counting.runs(2)), (1, 1));
    counting.answer(Next::Forget);
    reconciler.signal().wake(2);
    *counting.keys.lock().unwrap() = vec![];
    assert_eq!(reconciler.run_all_due().await, 1);
    assert_eq!(reconciler.run_all_due().await, 0);
}

#[tokio::test]
async fn ten_thousand_keys_are_swept_in_a_moment() {
    let keys: Vec<u32> = (0..10_000).collect();
    let counting = Counting::new(&keys, 100_000);
    let (_, reconciler) = driver(&counting, 16);
    let began = std::time::Instant::now();
    assert_eq!(reconciler.run_all_due().await, 10_000);
    // The target is half a second on an optimised build; this bound only catches quadratic work.
    assert!(began.elapsed() < Duration::from_secs(10));
}

/// Lets every task that can go on do so: on one thread, yielding runs the others first.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}
