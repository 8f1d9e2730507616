//! Two who look at one instance: a process stood still for a while, and another was started meanwhile. Found by the simulation.

use fractal_api_types::CreateInstance;
use fractal_app::instance::{self, reconcile::InstanceReconciler};
use fractal_background::Reconcile;
use fractal_runtime::contract::ErrorClass;
use fractal_store::{Tx, instances, instances::Seen};
use fractal_types::{SeenState, StopReason, WantedState};
use tokio_util::sync::CancellationToken;

use crate::support::home;

#[tokio::test]
async fn a_transition_is_told_from_the_state_that_was_there_not_from_the_one_that_was_read() {
    let home = home().await;
    home.house.runtime.hold_starts();
    let id = home.create("ada").await;
    let app = &home.house.app;
    let (late, stop) = (
        InstanceReconciler::new(app.clone()),
        CancellationToken::new(),
    );
    // It has noted that the gateway starts, and hangs in the start.
    let look = late.run_once(&id, &stop);
    tokio::pin!(look);
    while home.row(id).await.seen != SeenState::Starting {
        assert!(futures::poll!(&mut look).is_pending());
    }
    let by_another = Seen {
        seen: SeenState::Ready,
        seen_reason: None,
        generation: home.row(id).await.generation,
        proved_hash: None,
        boot_id: None,
        next_wake_at: None,
        restarts: Vec::new(),
        failure_count: 0,
        next_attempt_at: None,
        seen_at: app.clock.now(),
    };
    // The one that looks goes on meanwhile: it may hold the database for something else.
    tokio::select! {
        _ = &mut look => panic!("it hangs in the start"),
        noted = app.store.tx("test", async |tx: Tx| instances::observe(&tx, id, &by_another).await) => assert!(noted.unwrap()),
    }
    home.house.runtime.fail_next(1, ErrorClass::Retry);
    home.house.runtime.release_starts();
    look.await;
    let log = home.house.log("instance.seen").await;
    let last = log.last().unwrap();
    assert_eq!(last.entry.outcome, "pending");
    assert_eq!(last.values["from"], "ready");
}

#[tokio::test]
async fn who_removes_an_instance_after_another_did_does_not_tell_of_it_again() {
    let home = home().await;
    let app = &home.house.app;
    let body = CreateInstance {
        name: "ada".parse().unwrap(),
        engine_id: None,
        start: Some(false),
    };
    let id = instance::create(app, &home.cx, body).await.unwrap().0.id;
    let now = app.clock.now();
    app.store
        .tx("test", async |tx: Tx| {
            let reason = Some(StopReason::Person);
            instances::set_wanted(&tx, id, WantedState::Deleted, reason, now).await
        })
        .await
        .unwrap();
    let (one, other) = (
        InstanceReconciler::new(app.clone()),
        InstanceReconciler::new(app.clone()),
    );
    let stop = CancellationToken::new();
    tokio::join!(one.run_once(&id, &stop), other.run_once(&id, &stop));
    assert!(home.row(id).await.deleted_at.is_some());
    let removals = home.house.runtime.actions();
    assert_eq!(
        removals.len(),
        2,
        "both have looked before either was done: {removals:?}"
    );
    assert_eq!(home.house.log("instance.seen").await.len(), 1);
}
