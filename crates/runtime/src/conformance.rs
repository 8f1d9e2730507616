//! What every driver must pass, as functions that any driver's tests call; the fake passes too.
//!
//! A driver's tests provide a [`Harness`]: how to get the driver, how to reopen it over the same data, and
//! how to prepare an instance whose stand-in gateway behaves in one of three ways.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fractal_clock::{ManualClock, SeededEntropy, new_id};
use fractal_types::{Generation, InstanceId};
use futures::{FutureExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::contract::{
    ErrorClass, Exit, Fence, InstanceSpec, LogQuery, Observation, ProcessState, Runtime, Stopped,
    Volumes,
};

/// How long anything may take before the suite gives up on it.
const BOUND: Duration = Duration::from_secs(30);

/// A grace nobody needs who ends when asked.
const GRACE: Duration = Duration::from_secs(20);

/// How a stand-in gateway behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// Listens on its port and sends back what it gets; prints `hello from the gateway`; ends with
    /// code 0 on SIGTERM.
    Echo,
    /// Like `Echo`, but ignores SIGTERM; prints `hello from the gateway` once it does.
    Stubborn,
    /// Prints `a bad end` to standard error and ends with code 3.
    Crash,
}

/// A driver under test.
#[async_trait]
pub trait Harness: Send + Sync {
    /// The driver.
    fn runtime(&self) -> Arc<dyn Runtime>;

    /// Another driver object over the same data, as after a restart of the control plane.
    async fn reopen(&self) -> Arc<dyn Runtime>;

    /// An instance that was never started, with what it needs outside (its listener) in place.
    async fn prepare(&self, behaviour: Behaviour) -> InstanceSpec;

    /// Called after `start`. Drivers with real processes have nothing to do; the fake plays the behaviour.
    async fn started(&self, _spec: &InstanceSpec, _behaviour: Behaviour) {}
}

/// Runs every check, each with a harness of its own.
///
/// # Panics
/// When the driver breaks the contract.
pub async fn run_all<H, Made>(make: impl Fn() -> Made)
where
    H: Harness,
    Made: Future<Output = H>,
{
    an_unknown_instance_is_absent_and_not_listed(&make().await).await;
    a_started_instance_runs_and_is_listed(&make().await).await;
    starting_what_runs_changes_nothing(&make().await).await;
    a_stale_generation_does_nothing(&make().await).await;
    the_fence_holds_while_nothing_runs(&make().await).await;
    the_fence_of_a_removal_holds_for_what_never_ran(&make().await).await;
    stopping_is_graceful_and_idempotent(&make().await).await;
    a_stubborn_instance_is_killed_after_the_grace(&make().await).await;
    a_stopped_instance_starts_again_as_a_new_boot(&make().await).await;
    a_crash_is_reported_with_its_exit(&make().await).await;
    dialling_works_exactly_while_it_runs(&make().await).await;
    the_log_can_be_read_and_followed(&make().await).await;
    removing_keeps_or_removes_the_volume(&make().await).await;
    another_driver_object_adopts_what_runs(&make().await).await;
}

const fn fence(generation: u64) -> Fence {
    Fence(Generation(generation))
}

async fn start(harness: &impl Harness, behaviour: Behaviour, generation: u64) -> InstanceSpec {
    let spec = harness.prepare(behaviour).await;
    start_again(harness, &spec, behaviour, generation).await;
    spec
}

async fn start_again(
    harness: &impl Harness,
    spec: &InstanceSpec,
    behaviour: Behaviour,
    generation: u64,
) {
    harness
        .runtime()
        .start(spec, fence(generation))
        .await
        .unwrap();
    harness.started(spec, behaviour).await;
}

async fn observe(runtime: &dyn Runtime, id: InstanceId) -> Observation {
    runtime.observe(id).await.unwrap()
}

fn boot_of(seen: &Observation) -> u64 {
    match &seen.process {
        ProcessState::Absent => 0,
        ProcessState::Running { boot, .. }
        | ProcessState::Stopping { boot }
        | ProcessState::Exited { boot, .. } => *boot,
    }
}

fn is_running(seen: &Observation) -> bool {
    matches!(seen.process, ProcessState::Running { .. })
}

/// Waits until a condition holds.
async fn until<T, Asked>(what: &str, ask: impl Fn() -> Asked) -> T
where
    Asked: Future<Output = Option<T>>,
{
    let mut pause = Duration::from_millis(5);
    let wait = async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(200));
        }
    };
    match tokio::time::timeout(BOUND, wait).await {
        Ok(answer) => answer,
        Err(_) => panic!("waited too long for {what}"),
    }
}

/// Waits for the exit of an instance that ends by itself.
pub async fn exit_of(runtime: &dyn Runtime, id: InstanceId) -> Exit {
    until("the exit", || async {
        match observe(runtime, id).await.process {
            ProcessState::Exited { exit, .. } => Some(exit),
            _ => None,
        }
    })
    .await
}

/// Waits until the gateway's port answers.
pub async fn dialled(runtime: &dyn Runtime, id: InstanceId) -> crate::contract::BoxByteStream {
    until("the gateway's port", || runtime.dial(id).map(Result::ok)).await
}

async fn said_hello(runtime: &dyn Runtime, id: InstanceId) {
    until("a hello in the log", || async {
        let query = LogQuery {
            tail: 100,
            follow: false,
        };
        let lines = runtime.logs(id, query).await.unwrap();
        lines
            .any(|line| async move { line.unwrap().text.contains("hello from the gateway") })
            .await
            .then_some(())
    })
    .await;
}

async fn stop(harness: &impl Harness, id: InstanceId, generation: u64) {
    harness
        .runtime()
        .stop(id, GRACE, fence(generation))
        .await
        .unwrap();
}

async fn an_unknown_instance_is_absent_and_not_listed(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = harness.prepare(Behaviour::Echo).await;
    let seen = observe(&*runtime, spec.id).await;
    assert_eq!(seen.process, ProcessState::Absent);
    assert_eq!(seen.generation, Generation(0));
    let stopped = runtime.stop(spec.id, GRACE, fence(1)).await.unwrap();
    assert_eq!(stopped, Stopped::WasNotRunning);
    runtime
        .remove(spec.id, Volumes::Remove, fence(1))
        .await
        .unwrap();
    assert_eq!(runtime.list().await.unwrap(), []);
}

async fn a_started_instance_runs_and_is_listed(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Echo, 3).await;
    let seen = observe(&*runtime, spec.id).await;
    assert!(is_running(&seen), "{seen:?}");
    assert_eq!((boot_of(&seen), seen.generation), (1, Generation(3)));
    let listed: Vec<InstanceId> = runtime
        .list()
        .await
        .unwrap()
        .iter()
        .map(|seen| seen.id)
        .collect();
    assert_eq!(listed, [spec.id]);
    stop(harness, spec.id, 3).await;
}

async fn starting_what_runs_changes_nothing(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Echo, 1).await;
    let before = observe(&*runtime, spec.id).await;
    runtime.start(&spec, fence(1)).await.unwrap();
    runtime.start(&spec, fence(2)).await.unwrap();
    let after = observe(&*runtime, spec.id).await;
    assert_eq!(after.process, before.process);
    assert_eq!(
        after.generation,
        Generation(2),
        "a higher generation is taken note of"
    );
    stop(harness, spec.id, 2).await;
}

async fn a_stale_generation_does_nothing(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Echo, 5).await;
    let id = spec.id;
    let class = |result: Result<(), crate::contract::Error>| result.unwrap_err().class;
    assert_eq!(
        class(runtime.start(&spec, fence(4)).await),
        ErrorClass::Stale
    );
    assert_eq!(
        class(runtime.stop(id, GRACE, fence(4)).await.map(drop)),
        ErrorClass::Stale
    );
    assert_eq!(
        class(runtime.remove(id, Volumes::Remove, fence(4)).await),
        ErrorClass::Stale
    );
    let seen = observe(&*runtime, id).await;
    assert!(
        is_running(&seen) && seen.generation == Generation(5),
        "{seen:?}"
    );
    stop(harness, id, 5).await;
}

async fn the_fence_holds_while_nothing_runs(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Echo, 5).await;
    stop(harness, spec.id, 6).await;
    let stale = runtime.start(&spec, fence(5)).await.unwrap_err();
    assert_eq!(stale.class, ErrorClass::Stale);
    runtime.stop(spec.id, GRACE, fence(8)).await.unwrap();
    let stale = harness
        .reopen()
        .await
        .start(&spec, fence(7))
        .await
        .unwrap_err();
    assert_eq!(stale.class, ErrorClass::Stale);
    runtime
        .remove(spec.id, Volumes::Remove, fence(9))
        .await
        .unwrap();
    let stale = runtime.start(&spec, fence(8)).await.unwrap_err();
    assert_eq!(stale.class, ErrorClass::Stale, "also after it is gone");
}

/// A start that hangs on its way comes after the removal, also when files would have been kept and there are none.
async fn the_fence_of_a_removal_holds_for_what_never_ran(harness: &impl Harness) {
    let runtime = harness.runtime();
    for (volumes, seed) in [(Volumes::Keep, 1), (Volumes::Remove, 2)] {
        let mut spec = harness.prepare(Behaviour::Echo).await;
        // Of the one that was prepared a driver may have a record already.
        spec.id = new_id(&ManualClock::default(), &SeededEntropy::new(seed));
        runtime.remove(spec.id, volumes, fence(3)).await.unwrap();
        let stale = runtime.start(&spec, fence(1)).await.unwrap_err();
        assert_eq!(stale.class, ErrorClass::Stale, "{volumes:?}");
        // It is a fence and no end: what comes after it is no stale start.
        let later = runtime.start(&spec, fence(4)).await;
        let class = later.err().map(|error| error.class);
        assert_ne!(class, Some(ErrorClass::Stale), "{volumes:?}");
        let removed = runtime.remove(spec.id, Volumes::Remove, fence(5)).await;
        removed.unwrap();
    }
}

async fn stopping_is_graceful_and_idempotent(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Echo, 1).await;
    said_hello(&*runtime, spec.id).await;
    let stopped = runtime.stop(spec.id, GRACE, fence(2)).await.unwrap();
    assert_eq!(stopped, Stopped::Gracefully);
    let exit = exit_of(&*runtime, spec.id).await;
    assert!(exit.asked && exit.code == Some(0), "{exit:?}");
    let again = runtime.stop(spec.id, GRACE, fence(2)).await.unwrap();
    assert_eq!(again, Stopped::WasNotRunning);
}

async fn a_stubborn_instance_is_killed_after_the_grace(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Stubborn, 1).await;
    said_hello(&*runtime, spec.id).await;
    let grace = Duration::from_millis(300);
    let stopped = runtime.stop(spec.id, grace, fence(1)).await.unwrap();
    assert_eq!(stopped, Stopped::Killed);
    let exit = exit_of(&*runtime, spec.id).await;
    assert!(exit.asked && exit.signal == Some(9), "{exit:?}");
}

async fn a_stopped_instance_starts_again_as_a_new_boot(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Echo, 1).await;
    stop(harness, spec.id, 1).await;
    start_again(harness, &spec, Behaviour::Echo, 1).await;
    let seen = observe(&*runtime, spec.id).await;
    assert!(is_running(&seen) && boot_of(&seen) == 2, "{seen:?}");
    stop(harness, spec.id, 1).await;
}

async fn a_crash_is_reported_with_its_exit(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Crash, 1).await;
    let exit = exit_of(&*runtime, spec.id).await;
    assert_eq!(
        (exit.code, exit.asked, exit.out_of_memory),
        (Some(3), false, false),
        "{exit:?}"
    );
    assert!(exit.reason.contains("a bad end"), "{}", exit.reason);
    let stopped = runtime.stop(spec.id, GRACE, fence(1)).await.unwrap();
    assert_eq!(stopped, Stopped::WasNotRunning);
}

async fn dialling_works_exactly_while_it_runs(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = harness.prepare(Behaviour::Echo).await;
    let class = |dialled: Result<crate::contract::BoxByteStream, crate::contract::Error>| {
        dialled.err().map(|error| error.class)
    };
    assert_eq!(
        class(runtime.dial(spec.id).await),
        Some(ErrorClass::NotRunning)
    );
    start_again(harness, &spec, Behaviour::Echo, 1).await;
    let mut stream = dialled(&*runtime, spec.id).await;
    stream.write_all(b"ping").await.unwrap();
    let mut got = [0; 4];
    let read = stream.read_exact(&mut got);
    tokio::time::timeout(BOUND, read).await.unwrap().unwrap();
    assert_eq!(&got, b"ping");
    stop(harness, spec.id, 1).await;
    assert_eq!(
        class(runtime.dial(spec.id).await),
        Some(ErrorClass::NotRunning)
    );
}

async fn the_log_can_be_read_and_followed(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Echo, 1).await;
    let query = LogQuery {
        tail: 0,
        follow: true,
    };
    said_hello(&*runtime, spec.id).await;
    let mut news = runtime.logs(spec.id, query).await.unwrap();
    assert!(news.next().now_or_never().is_none(), "nothing new yet");
    stop(harness, spec.id, 1).await;
    start_again(harness, &spec, Behaviour::Echo, 1).await;
    let hello = async {
        while let Some(line) = news.next().await {
            if line.unwrap().text.contains("hello from the gateway") {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(BOUND, hello).await.unwrap());
    stop(harness, spec.id, 1).await;
}

async fn removing_keeps_or_removes_the_volume(harness: &impl Harness) {
    let runtime = harness.runtime();
    let spec = start(harness, Behaviour::Echo, 1).await;
    runtime
        .remove(spec.id, Volumes::Keep, fence(2))
        .await
        .unwrap();
    assert_eq!(
        observe(&*runtime, spec.id).await.process,
        ProcessState::Absent
    );
    assert_eq!(
        runtime.list().await.unwrap().len(),
        1,
        "what takes space is listed"
    );
    start_again(harness, &spec, Behaviour::Echo, 3).await;
    assert!(is_running(&observe(&*runtime, spec.id).await));
    for _ in 0..2 {
        runtime
            .remove(spec.id, Volumes::Remove, fence(4))
            .await
            .unwrap();
        assert_eq!(
            observe(&*runtime, spec.id).await.process,
            ProcessState::Absent
        );
        assert_eq!(runtime.list().await.unwrap(), []);
    }
}

async fn another_driver_object_adopts_what_runs(harness: &impl Harness) {
    let spec = start(harness, Behaviour::Echo, 1).await;
    said_hello(&*harness.runtime(), spec.id).await;
    let before = observe(&*harness.runtime(), spec.id).await;
    let adopted = harness.reopen().await;
    let after = observe(&*adopted, spec.id).await;
    assert_eq!(
        (&after.process, after.generation),
        (&before.process, before.generation)
    );
    assert_eq!(adopted.list().await.unwrap().len(), 1);
    adopted.heartbeat().await.unwrap();
    dialled(&*adopted, spec.id).await;
    let stopped = adopted.stop(spec.id, GRACE, fence(2)).await.unwrap();
    assert_eq!(stopped, Stopped::Gracefully);
    let seen = observe(&*harness.runtime(), spec.id).await;
    assert!(
        matches!(seen.process, ProcessState::Exited { .. }),
        "{seen:?}"
    );
}
