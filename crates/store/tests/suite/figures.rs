//! Sums for operators.

use fractal_store::{figures, instances, jobs};
use fractal_types::{DiskPressure, SeenState};

use crate::fixture::Db;

pub async fn what_is_counted_is_what_is_there(db: &Db) {
    let before = figures::gather(&db.store.read()).await.unwrap();
    let row = db.instance().await;
    let other = fractal_store::Instance {
        seen: SeenState::Ready,
        disk_pressure: DiskPressure::Near,
        ..row.clone()
    };
    let job = jobs::NewJob {
        id: db.id(),
        queue: "send".to_owned(),
        payload: serde_json::json!({}),
        run_at: db.now(),
        max_attempts: 1,
    };
    let now = db.now();
    db.store
        .tx("test", async |tx| {
            instances::update(&tx, &other).await?;
            jobs::enqueue(&tx, &job, now).await
        })
        .await
        .unwrap();
    let after = figures::gather(&db.store.read()).await.unwrap();
    let of = |found: &figures::Figures, seen, pressure| -> u64 {
        (found.instances.iter())
            .filter(|(one, near, _)| (*one, *near) == (seen, pressure))
            .map(|(.., count)| count)
            .sum()
    };
    let ready = |found| of(found, SeenState::Ready, DiskPressure::Near);
    assert_eq!(ready(&after), ready(&before) + 1);
    assert_eq!(after.jobs_waiting, before.jobs_waiting + 1);
    db.store
        .tx("test", async |tx| {
            instances::set_deleted(&tx, row.id, now).await
        })
        .await
        .unwrap();
    let gone = figures::gather(&db.store.read()).await.unwrap();
    assert_eq!(ready(&gone), ready(&before), "deleted ones do not count");
}

pub async fn every_pool_tells_its_connections(db: &Db) {
    let _ = db.store.ping().await;
    let pools = db.store.pools();
    assert!(!pools.is_empty());
    for pool in pools {
        assert!(pool.open >= 1 && pool.free <= pool.open, "{pool:?}");
    }
}
