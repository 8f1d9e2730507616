//! The worker over the real job table: what the queue in memory promises, the database keeps.

use std::{sync::Arc, time::Duration};

use fractal_background::{
    Failure, JobContext, JobHandler, JobSource, SourceError, StoredJobs, Worker, WorkerOptions,
};
use fractal_clock::{Clock, ManualClock, SeededEntropy};
use fractal_store::{
    OpenOptions, Store,
    jobs::{self, NewJob},
};
use fractal_types::JobId;
use uuid::Uuid;

struct Twice;

#[async_trait::async_trait]
impl JobHandler for Twice {
    async fn run(&self, context: &JobContext) -> Result<(), Failure> {
        match (context.job.payload.as_str(), context.job.attempt) {
            (Some("second time"), 1) => Err(Failure::Retry("not yet".into())),
            (Some("never"), _) => Err(Failure::GiveUp("impossible".into())),
            _ => Ok(()),
        }
    }
}

#[tokio::test]
async fn jobs_in_the_database_are_done_retried_given_up_and_fenced() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::default();
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let store = Store::open(&url, &OpenOptions::new(Arc::new(clock.clone())))
        .await
        .unwrap();
    let id = |number| JobId::from_uuid(Uuid::from_u128(number));
    let enqueue = async |number, queue: &str, payload: &str| {
        let job = NewJob {
            id: id(number),
            queue: queue.into(),
            payload: payload.into(),
            run_at: clock.now(),
            max_attempts: 3,
        };
        let now = clock.now();
        store
            .tx("test.enqueue", async |tx| {
                jobs::enqueue(&tx, &job, now).await
            })
            .await
            .unwrap();
    };
    enqueue(1, "first", "second time").await;
    enqueue(2, "second", "never").await;
    enqueue(3, "second", "at once").await;

    let source = Arc::new(StoredJobs::new(store.clone()));
    let handler: Arc<dyn JobHandler> = Arc::new(Twice);
    let worker = Worker::new(
        Arc::clone(&source) as Arc<dyn JobSource>,
        [("first", Arc::clone(&handler)), ("second", handler)],
        Arc::new(clock.clone()),
        Arc::new(SeededEntropy::new(1)),
        "test",
        WorkerOptions::default(),
    );
    assert_eq!(worker.run_all_due().await.unwrap(), 3);
    clock.advance(Duration::from_secs(1));
    assert_eq!(worker.run_all_due().await.unwrap(), 1);
    for (number, done, dead) in [(1, true, false), (2, false, true), (3, true, false)] {
        let job = jobs::find(&store.read(), id(number))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (job.done_at.is_some(), job.dead_at.is_some()),
            (done, dead),
            "{number}"
        );
    }

    enqueue(4, "first", "fenced").await;
    let lease = Duration::from_secs(5);
    let claim = async || {
        let claimed = source.claim(&["first"], "x", clock.now(), lease, 1).await;
        claimed.unwrap().pop()
    };
    let stale = claim().await.unwrap();
    assert_eq!(claim().await, None);
    clock.advance(lease);
    let fresh = claim().await.unwrap();
    for refused in [
        source.complete(&stale, clock.now()).await,
        source.extend(&stale, clock.now()).await,
        source.fail(&stale, "late", None, clock.now()).await,
    ] {
        assert!(
            matches!(refused, Err(SourceError::LeaseLost(_))),
            "{refused:?}"
        );
    }
    source.complete(&fresh, clock.now()).await.unwrap();
}
