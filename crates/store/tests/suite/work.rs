//! Jobs and leases.

use std::{collections::HashSet, time::Duration};

use fractal_clock::Clock;
use fractal_store::{
    DeliveryState, Error, NewJob, Webhook, WebhookDelivery,
    jobs::{self, AfterFailure},
    leases, webhooks,
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

pub async fn a_job_that_is_put_off_was_not_begun(db: &Db) {
    let id = enqueue(db, 1).await;
    for _ in 0..3 {
        let job = claim(db, "worker").await.unwrap();
        assert_eq!((job.id, job.attempts), (id, 1));
        let (stale, at) = (job.claim(), db.now().after(MINUTE));
        db.store
            .tx("test", async |tx| jobs::postpone(&tx, &stale, at).await)
            .await
            .unwrap();
        assert_eq!(claim(db, "worker").await, None, "not before then");
        db.clock.advance(MINUTE);
        // The claim went with it.
        let again = db
            .store
            .tx("test", async |tx| jobs::postpone(&tx, &stale, at).await)
            .await;
        assert!(matches!(again, Err(Error::LeaseLost { .. })));
    }
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

pub async fn a_delivery_waits_for_the_older_ones_of_its_thing(db: &Db) {
    let organization = db.organization().await;
    let now = db.now();
    let hook = Webhook {
        id: db.id(),
        organization_id: organization.id,
        name: "receiver".parse().unwrap(),
        url: "https://example.org/".into(),
        events: vec!["*".into()],
        secret: vec![1, 2, 3],
        enabled: true,
        private_network: false,
        last_status: None,
        last_error: None,
        last_delivered_at: None,
        created_at: now,
        updated_at: now,
    };
    let delivery = |seq: u64, resource: &str| WebhookDelivery {
        id: db.id(),
        webhook_id: hook.id,
        seq,
        event: "instance.start".into(),
        resource: resource.into(),
        state: DeliveryState::Pending,
        attempts: 0,
        next_at: now,
        last_status: None,
        last_error: None,
        created_at: now,
        done_at: None,
    };
    let mut rows = vec![delivery(1, "a"), delivery(2, "a"), delivery(3, "b")];
    rows[2].next_at = now.after(Duration::from_secs(60));
    db.store
        .tx("test", async |tx| {
            webhooks::insert(&tx, &hook).await?;
            webhooks::enqueue(&tx, &rows).await
        })
        .await
        .unwrap();
    let read = db.store.read();
    let due = async |at| -> Vec<u64> {
        let due = webhooks::due(&read, hook.id, at, 10).await.unwrap();
        due.into_iter().map(|row| row.seq).collect()
    };
    assert_eq!(due(now).await, [1]);
    assert_eq!(webhooks::next_due(&read).await.unwrap(), Some(now));
    rows[0].state = DeliveryState::Delivered;
    rows[0].done_at = Some(now);
    db.store
        .tx("test", async |tx| {
            webhooks::update_delivery(&tx, &rows[0]).await?;
            webhooks::note_outcome(&tx, hook.id, Some(204), None, now).await
        })
        .await
        .unwrap();
    assert_eq!(due(now).await, [2]);
    assert_eq!(due(now.after(Duration::from_secs(60))).await, [2, 3]);
    let again = db
        .store
        .tx("test", async |tx| webhooks::enqueue(&tx, &rows[..1]).await)
        .await;
    assert!(
        again.unwrap_err().is_conflict(),
        "an entry is on its way once"
    );
    let stored = webhooks::get(&read, hook.id).await.unwrap();
    assert_eq!(
        (stored.last_status, stored.last_delivered_at),
        (Some(204), Some(now))
    );
    let waiting = webhooks::count_deliveries(&read, hook.id, DeliveryState::Pending);
    assert_eq!(waiting.await.unwrap(), 2);
    db.store
        .tx("test", async |tx| webhooks::delete(&tx, hook.id).await)
        .await
        .unwrap();
    assert_eq!(webhooks::next_due(&read).await.unwrap(), None);
}
