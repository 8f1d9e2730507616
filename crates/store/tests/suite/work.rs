//! Jobs and leases.

use std::{collections::HashSet, time::Duration};

use fractal_clock::Clock;
use fractal_store::{
    Error, NewJob,
    jobs::{self, AfterFailure},
    leases,
};
use fractal_types::JobId;
use serde_json::json;

use crate::fixture::Db;

const MINUTE: Duration = Duration::from_secs(60);

async fn enqueue(db: &Db, max_attempts: u32) -> JobId {
    let job = NewJob {
        id: db.id(),
        queue: "test".into(),
        payload: json!({"do": "it"}),
        run_at: db.now(),
        max_attempts,
    };
    db.store
        .tx("test", async |tx| jobs::enqueue(&tx, &job, db.now()).await)
        .await
        .unwrap();
    job.id
}

async fn claim(db: &Db, owner: &str) -> Option<fractal_store::Job> {
    jobs::claim(&db.store, "test", owner, db.now(), MINUTE)
        .await
        .unwrap()
}

pub async fn a_job_is_claimed_by_one_worker_only(db: &Db) {
    let mut expected = HashSet::new();
    for _ in 0..40 {
        expected.insert(enqueue(db, 1).await);
    }
    let workers: Vec<_> = (0..8)
        .map(|n| {
            let (store, clock) = (db.store.clone(), db.clock.clone());
            tokio::spawn(async move {
                let mut mine = Vec::new();
                let owner = format!("worker {n}");
                while let Some(job) = jobs::claim(&store, "test", &owner, clock.now(), MINUTE)
                    .await
                    .unwrap()
                {
                    let claim = job.claim();
                    store
                        .tx("complete", async |tx| {
                            jobs::complete(&tx, &claim, clock.now()).await
                        })
                        .await
                        .unwrap();
                    mine.push(job.id);
                }
                mine
            })
        })
        .collect();
    let mut done = Vec::new();
    for worker in workers {
        done.extend(worker.await.unwrap());
    }
    assert_eq!(done.len(), 40, "none twice");
    assert_eq!(done.into_iter().collect::<HashSet<_>>(), expected);
}

pub async fn an_abandoned_job_is_claimed_again_and_its_first_holder_is_refused(db: &Db) {
    let id = enqueue(db, 3).await;
    let first = claim(db, "first").await.unwrap();
    assert_eq!((first.id, first.attempts), (id, 1));
    assert_eq!(claim(db, "second").await, None, "held");
    db.clock.advance(MINUTE);
    let second = claim(db, "second").await.unwrap();
    assert!(second.lease_fence > first.lease_fence);
    for stale in [
        db.store
            .tx("test", async |tx| {
                jobs::complete(&tx, &first.claim(), db.now()).await
            })
            .await,
        db.store
            .tx("test", async |tx| {
                jobs::extend(&tx, &first.claim(), db.now()).await
            })
            .await,
    ] {
        assert!(matches!(stale, Err(Error::LeaseLost { .. })), "{stale:?}");
    }
    db.store
        .tx("test", async |tx| {
            jobs::extend(&tx, &second.claim(), db.now().after(MINUTE)).await?;
            jobs::complete(&tx, &second.claim(), db.now()).await
        })
        .await
        .unwrap();
    let twice = db
        .store
        .tx("test", async |tx| {
            jobs::complete(&tx, &second.claim(), db.now()).await
        })
        .await;
    assert!(matches!(twice, Err(Error::LeaseLost { .. })));
}

pub async fn a_job_is_tried_as_often_as_it_may_and_then_given_up(db: &Db) {
    let id = enqueue(db, 2).await;
    let fail = async |job: fractal_store::Job, after| {
        db.store
            .tx("test", async |tx| {
                jobs::fail(&tx, &job.claim(), "no luck", after, db.now()).await
            })
            .await
            .unwrap()
    };
    let first = claim(db, "w").await.unwrap();
    assert!(fail(first, AfterFailure::RetryAt(db.now().after(MINUTE))).await);
    assert_eq!(claim(db, "w").await, None, "not due yet");
    db.clock.advance(MINUTE);
    let second = claim(db, "w").await.unwrap();
    assert!(
        !fail(second, AfterFailure::RetryAt(db.now())).await,
        "no attempt left"
    );
    let job = jobs::get(&db.store.read(), id).await.unwrap();
    assert_eq!(
        (job.dead_at, job.last_error.as_deref()),
        (Some(db.now()), Some("no luck"))
    );
    // A worker that dies in the last attempt leaves a job that nobody may begin; it is given up too.
    let id = enqueue(db, 1).await;
    claim(db, "w").await.unwrap();
    db.clock.advance(MINUTE);
    assert_eq!(claim(db, "w").await, None);
    let buried = db
        .store
        .tx("test", async |tx| jobs::bury_abandoned(&tx, db.now()).await)
        .await;
    assert_eq!(buried.unwrap(), 1);
    assert!(
        jobs::get(&db.store.read(), id)
            .await
            .unwrap()
            .dead_at
            .is_some()
    );
}

pub async fn a_job_of_a_transaction_that_failed_does_not_exist(db: &Db) {
    let job = NewJob {
        id: db.id(),
        queue: "test".into(),
        payload: json!(null),
        run_at: db.now(),
        max_attempts: 1,
    };
    let result: Result<(), Error> = db
        .store
        .tx("test", async |tx| {
            jobs::enqueue(&tx, &job, db.now()).await?;
            Err(Error::Reference)
        })
        .await;
    assert!(result.is_err());
    assert_eq!(claim(db, "w").await, None);
}

pub async fn a_worker_knows_when_the_next_job_is_due(db: &Db) {
    let due = async || jobs::next_due(&db.store.read(), "test").await.unwrap();
    assert_eq!(due().await, None);
    enqueue(db, 2).await;
    assert_eq!(due().await, Some(db.now()));
    claim(db, "w").await.unwrap();
    assert_eq!(
        due().await,
        Some(db.now().after(MINUTE)),
        "when the lease ends"
    );
}

pub async fn a_lease_fences_off_the_holder_before(db: &Db) {
    let acquire = async |holder: &'static str| {
        db.store
            .tx("test", async |tx| {
                leases::acquire(&tx, "sealer", holder, db.now(), MINUTE).await
            })
            .await
            .unwrap()
    };
    let first = acquire("a").await.unwrap();
    assert_eq!(acquire("b").await, None);
    let first = db
        .store
        .tx("test", async |tx| {
            leases::renew(&tx, &first, db.now(), MINUTE).await
        })
        .await
        .unwrap();
    db.clock.advance(MINUTE);
    let second = acquire("b").await.unwrap();
    assert!(second.fence > first.fence);
    let renewed = db
        .store
        .tx("test", async |tx| {
            leases::renew(&tx, &first, db.now(), MINUTE).await
        })
        .await;
    assert!(matches!(renewed, Err(Error::LeaseLost { .. })));
    let checked = db
        .store
        .tx("test", async |tx| {
            leases::check(&tx, &first, db.now()).await
        })
        .await;
    assert!(matches!(checked, Err(Error::LeaseLost { .. })));
    let released = async |lease: &fractal_store::Lease| {
        db.store
            .tx("test", async |tx| leases::release(&tx, lease).await)
            .await
            .unwrap()
    };
    assert!(!released(&first).await);
    assert!(released(&second).await);
    let third = acquire("a").await.unwrap();
    assert!(
        third.fence > second.fence,
        "the fence grows across a release"
    );
}
