//! The worker over the queue in memory, with a clock that only moves when told to.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fractal_background::{
    Failure, JobContext, JobHandler, JobSource, MemorySource, SourceError, Worker, WorkerOptions,
};
use fractal_clock::{Clock, ManualClock, SeededEntropy};
use fractal_types::JobId;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

fn id(number: u128) -> JobId {
    JobId::from_uuid(Uuid::from_u128(number))
}

/// What the payload says: `ok`, `retry`, `later`, `never`, `panic`, `hang`.
#[derive(Default)]
struct Obeying {
    runs: AtomicUsize,
    began: Notify,
}

#[async_trait::async_trait]
impl JobHandler for Obeying {
    async fn run(&self, context: &JobContext) -> Result<(), Failure> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        self.began.notify_one();
        match context.job.payload.as_str().unwrap() {
            "ok" => Ok(()),
            "retry" => Err(Failure::Retry("not yet".into())),
            "later" => Err(Failure::RetryAfter(
                Duration::from_secs(3600),
                "busy".into(),
            )),
            "waits" => Err(Failure::NotYet(Duration::from_secs(2))),
            "never" => Err(Failure::GiveUp("impossible".into())),
            "hang" => {
                context.stop.cancelled().await;
                Err(Failure::Retry("stopped".into()))
            }
            other => panic!("told to: {other}"),
        }
    }
}

struct House {
    clock: ManualClock,
    source: Arc<MemorySource>,
    handler: Arc<Obeying>,
    worker: Arc<Worker>,
}

fn house() -> House {
    let clock = ManualClock::default();
    let source = Arc::new(MemorySource::default());
    let handler = Arc::new(Obeying::default());
    let worker = Worker::new(
        Arc::clone(&source) as Arc<dyn JobSource>,
        [("obey", Arc::clone(&handler) as Arc<dyn JobHandler>)],
        Arc::new(clock.clone()),
        Arc::new(SeededEntropy::new(1)),
        "test",
        WorkerOptions::default(),
    );
    House {
        clock,
        source,
        handler,
        worker: Arc::new(worker),
    }
}

impl House {
    fn enqueue(&self, number: u128, payload: &str) -> JobId {
        self.source
            .enqueue(id(number), "obey", payload.into(), self.clock.now(), 3);
        id(number)
    }
}

#[tokio::test]
async fn due_jobs_run_once_and_others_are_left_alone() {
    let house = house();
    let done = house.enqueue(1, "ok");
    house
        .source
        .enqueue(id(2), "somebody-else's", "ok".into(), house.clock.now(), 3);
    let future = house.clock.now().after(Duration::from_secs(10));
    house.source.enqueue(id(3), "obey", "ok".into(), future, 3);
    assert_eq!(house.worker.run_all_due().await.unwrap(), 1);
    assert_eq!(house.worker.run_all_due().await.unwrap(), 0);
    assert_eq!(house.source.ended(done), Some(Ok(())));
    assert_eq!(house.source.ended(id(2)), None);
    assert_eq!(house.source.ended(id(3)), None);
}

#[tokio::test]
async fn a_failing_job_waits_longer_each_time_and_is_given_up_at_last() {
    let house = house();
    let job = house.enqueue(1, "retry");
    assert_eq!(house.worker.run_all_due().await.unwrap(), 1);
    assert_eq!(house.worker.run_all_due().await.unwrap(), 0, "it waits");
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.worker.run_all_due().await.unwrap(), 1);
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.worker.run_all_due().await.unwrap(), 0, "longer now");
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.worker.run_all_due().await.unwrap(), 1);
    assert_eq!(house.source.ended(job), Some(Err("not yet".into())));
}

#[tokio::test]
async fn a_job_may_say_when_or_that_it_never_will() {
    let house = house();
    let (never, later) = (house.enqueue(1, "never"), house.enqueue(2, "later"));
    house.worker.run_all_due().await.unwrap();
    assert_eq!(house.source.ended(never), Some(Err("impossible".into())));
    house.clock.advance(Duration::from_secs(3599));
    assert_eq!(house.worker.run_all_due().await.unwrap(), 0);
    house.clock.advance(Duration::from_secs(1));
    assert_eq!(house.worker.run_all_due().await.unwrap(), 1);
    assert_eq!(house.source.ended(later), None);
}

#[tokio::test]
async fn waiting_is_no_attempt_and_a_running_worker_comes_back_for_it_in_time() {
    let house = house();
    let stop = CancellationToken::new();
    let (worker, token) = (Arc::clone(&house.worker), stop.clone());
    let run = tokio::spawn(async move { worker.run(token).await });
    // Far more often than it may fail.
    let job = house.enqueue(1, "waits");
    house.worker.waker().notify_one();
    for n in 1..=20 {
        settle().await;
        assert_eq!(house.handler.runs.load(Ordering::SeqCst), n);
        // Sooner than it would look by itself.
        house.clock.advance(Duration::from_secs(2));
    }
    assert_eq!(house.source.ended(job), None);
    stop.cancel();
    run.await.unwrap();
}

#[tokio::test]
async fn a_panic_is_an_outcome_of_its_job_alone() {
    let house = house();
    let (bad, good) = (house.enqueue(1, "panic"), house.enqueue(2, "ok"));
    house.worker.run_all_due().await.unwrap();
    assert_eq!(house.source.ended(good), Some(Ok(())));
    for _ in 0..2 {
        house.clock.advance(Duration::from_secs(60));
        house.worker.run_all_due().await.unwrap();
    }
    assert_eq!(
        house.source.ended(bad),
        Some(Err("the job panicked".into()))
    );
}

#[tokio::test]
async fn a_stale_holder_cannot_record_an_outcome() {
    let house = house();
    house.enqueue(1, "ok");
    let lease = Duration::from_secs(5);
    let claim = |now| house.source.claim(&["obey"], "x", now, lease, 1);
    let first = claim(house.clock.now()).await.unwrap().remove(0);
    assert!(claim(house.clock.now()).await.unwrap().is_empty());
    house.clock.advance(lease);
    let second = claim(house.clock.now()).await.unwrap().remove(0);
    assert!(second.fence > first.fence);
    let stale = house.source.complete(&first, house.clock.now()).await;
    assert!(matches!(stale, Err(SourceError::LeaseLost(_))));
    house
        .source
        .complete(&second, house.clock.now())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_long_job_keeps_its_lease_and_a_lost_lease_stops_it() {
    let house = house();
    let job = house.enqueue(1, "hang");
    let stop = CancellationToken::new();
    let (worker, token) = (Arc::clone(&house.worker), stop.clone());
    let run = tokio::spawn(async move { worker.run(token).await });
    house.handler.began.notified().await;
    // Three beats of twenty seconds: the first lease of sixty would have run out.
    for _ in 0..4 {
        house.clock.advance(Duration::from_secs(20));
        settle().await;
    }
    assert_eq!(house.handler.runs.load(Ordering::SeqCst), 1);
    stop.cancel();
    run.await.unwrap();
    assert_eq!(house.source.ended(job), None, "it is retried, not lost");
    house.clock.advance(Duration::from_secs(60));
    let again = house
        .source
        .claim(&["obey"], "x", house.clock.now(), Duration::from_secs(1), 1)
        .await
        .unwrap();
    assert_eq!(again.len(), 1);
}

#[tokio::test]
async fn a_running_worker_is_woken_by_notice_without_the_clock_moving() {
    let house = house();
    let stop = CancellationToken::new();
    let (worker, token) = (Arc::clone(&house.worker), stop.clone());
    let run = tokio::spawn(async move { worker.run(token).await });
    settle().await;
    let job = house.enqueue(1, "ok");
    house.worker.waker().notify_one();
    house.handler.began.notified().await;
    settle().await;
    assert_eq!(house.source.ended(job), Some(Ok(())));
    stop.cancel();
    run.await.unwrap();
}

/// Lets every task that can go on do so: on one thread, yielding runs the others first.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
