//! What ends unasked, and what cannot be started.

use std::sync::PoisonError;

use fractal_api_types::{ChatPhase, CreateInstance, CreateUser, EngineProgress};
use fractal_app::{engine, instance, user};
use fractal_runtime::contract::ErrorClass;
use fractal_store::{Tx, instances};
use fractal_testing::house::{PASSWORD, name};
use fractal_types::{Generation, Role, SeenState};

use crate::support::{crash, home};

#[tokio::test]
async fn an_unasked_end_is_counted_once_and_started_again_after_a_growing_pause() {
    let home = home().await;
    let id = home.ready("ada").await;
    let mut pauses = Vec::new();
    for n in 1..=3 {
        home.gateways.crash(id, crash(1));
        home.until("counted", || async {
            home.row(id).await.failure_count == n
        })
        .await;
        let row = home.row(id).await;
        assert_eq!(row.restarts.len(), usize::try_from(n).unwrap());
        let ended = row.restarts.last().copied().unwrap();
        pauses.push(row.next_attempt_at.unwrap().since(ended).as_millis() / 1_000);
        home.until_seen(id, SeenState::Ready).await;
    }
    assert_eq!(pauses, [1, 2, 4]);
    assert_eq!(home.starts(id), 4);
    home.house.pass(700);
    home.until("forgiven", || async {
        home.row(id).await.failure_count == 0
    })
    .await;
}

#[tokio::test]
async fn five_ends_in_a_row_are_given_up_with_the_cause_until_a_person_starts_it() {
    let home = home().await;
    let id = home.ready("ada").await;
    for n in 1..=5 {
        home.gateways.crash(id, crash(1));
        home.until("counted", || async {
            home.row(id).await.failure_count == n
        })
        .await;
        if n < 5 {
            home.until_seen(id, SeenState::Ready).await;
        }
    }
    home.until_seen(id, SeenState::CrashLooping).await;
    home.house.pass(3_600);
    home.go_on().await;
    let row = home.row(id).await;
    assert!(row.seen_reason.unwrap().contains("it fell over"));
    assert_eq!(home.starts(id), 5);
    let (chat, _) = home.chat(id);
    assert_eq!(chat.await.unwrap().unwrap_err(), "instance-failed");
    instance::start(&home.house.app, &home.cx, id)
        .await
        .unwrap();
    assert!(home.row(id).await.generation > row.generation, "fenced off");
    home.until_seen(id, SeenState::Ready).await;
    assert_eq!(home.row(id).await.failure_count, 0);
}

#[tokio::test]
async fn a_refused_configuration_is_tried_twice() {
    let home = home().await;
    let id = home.ready("ada").await;
    home.gateways.crash(id, crash(78));
    home.until("counted", || async {
        home.row(id).await.failure_count == 1
    })
    .await;
    home.until_seen(id, SeenState::Ready).await;
    home.gateways.crash(id, crash(78));
    home.until_seen(id, SeenState::Failed).await;
    home.house.pass(3_600);
    home.go_on().await;
    assert_eq!(home.starts(id), 2);
}

#[tokio::test]
async fn refusals_of_the_runtime_are_met_by_their_class() {
    let home = home().await;
    let runtime = &home.house.runtime;
    runtime.fail_next(1, ErrorClass::Stale);
    let stale = home.ready("stale").await;
    assert_eq!(home.row(stale).await.failure_count, 0);
    runtime.fail_next(2, ErrorClass::Retry);
    let retried = home.ready("retried").await;
    assert_eq!(home.row(retried).await.failure_count, 2);
    // What needs somebody to change something is said, without a new entry at every try, and free for others to start.
    runtime.fail_next(3, ErrorClass::Permanent);
    let id = home.create("permanent").await;
    home.until_seen(id, SeenState::Failed).await;
    for _ in 0..2 {
        home.house.pass(31);
        home.work().await;
    }
    assert_eq!(home.transitions(id).await, ["starting", "failed"]);
    home.house.pass(31);
    home.until_seen(id, SeenState::Ready).await;
}

#[tokio::test]
async fn a_gateway_that_never_answers_is_abandoned_and_gives_its_slot_back() {
    let home = home().await;
    home.gateways.behave(|all| all.deaf = true);
    let id = home.create("ada").await;
    home.go_on().await;
    assert_eq!(home.row(id).await.seen, SeenState::Starting);
    home.house.pass(200);
    home.until("abandoned", || async {
        home.row(id).await.failure_count == 1
    })
    .await;
    home.gateways.behave(|all| all.deaf = false);
    home.until_seen(id, SeenState::Ready).await;
    assert_eq!(home.starts(id), 2);
}

#[tokio::test]
async fn a_ready_gateway_that_falls_silent_for_good_is_replaced() {
    let home = home().await;
    let id = home.ready("ada").await;
    home.gateways.behave(|all| all.deaf = true);
    home.gateways.cut();
    home.go_on().await;
    assert_eq!(home.starts(id), 1, "it may come back by itself");
    home.house.pass(200);
    home.until("abandoned", || async {
        home.row(id).await.failure_count == 1
    })
    .await;
    home.gateways.behave(|all| all.deaf = false);
    home.until_seen(id, SeenState::Ready).await;
    assert_eq!(home.starts(id), 2);
}

#[tokio::test]
async fn a_caller_hears_at_once_that_the_engine_is_not_to_be_had() {
    let home = home().await;
    let app = &home.house.app;
    app.engine_files
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .clear();
    let id = home.create("ada").await;
    let (chat, _) = home.chat(id);
    home.go_on().await;
    assert!(!chat.is_finished(), "an installation under way is awaited");
    app.installation
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .error = Some("no space left".to_owned());
    app.wake_instance(id);
    home.go_on().await;
    assert_eq!(chat.await.unwrap().unwrap_err(), "instance-failed");
    let reason = home.row(id).await.seen_reason.unwrap();
    assert!(reason.contains("no space left"), "{reason}");
}

#[tokio::test]
async fn whoever_waits_for_the_engine_sees_how_far_it_is_without_the_right_to_list_engines() {
    let home = home().await;
    let app = &home.house.app;
    let member = CreateUser {
        username: name("bob"),
        display_name: None,
        role: Some(Role::Member),
        password: PASSWORD.into(),
    };
    user::create(app, &home.cx, member).await.unwrap();
    let bob = home.house.sign_in("bob").await;
    assert!(engine::list(app, &bob).await.is_err());
    let files = std::mem::take(
        &mut *app
            .engine_files
            .write()
            .unwrap_or_else(PoisonError::into_inner),
    );
    let far = EngineProgress {
        phase: "unpack".into(),
        packages_done: 12,
        packages_total: 334,
        bytes: 40 << 20,
        bytes_total: 736 << 20,
    };
    app.installation
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .progress = Some(far.clone());
    let body = CreateInstance {
        name: "agent".parse().unwrap(),
        engine_id: None,
        start: None,
    };
    let id = instance::create(app, &bob, body).await.unwrap().0.id;
    let (chat, told) = home.chat_as(&bob, id);
    home.go_on().await;
    let view = instance::view(app, &bob, id).await.unwrap();
    assert_eq!(view.engine_progress.as_ref(), Some(&far));
    assert!(view.reason.unwrap().contains("12 of 334 packages"));
    {
        let told = told.0.lock().unwrap();
        let last = told.last().unwrap();
        assert_eq!(last.phase, ChatPhase::Installing);
        assert_eq!(last.installing.as_ref(), Some(&far));
    }
    *app.engine_files
        .write()
        .unwrap_or_else(PoisonError::into_inner) = files;
    home.until_seen(id, SeenState::Ready).await;
    chat.await.unwrap().unwrap();
    let view = instance::view(app, &bob, id).await.unwrap();
    assert_eq!(view.engine_progress, None);
}

#[tokio::test]
async fn a_database_that_was_put_back_gets_ahead_of_what_runs() {
    let home = home().await;
    let id = home.ready("ada").await;
    let app = &home.house.app;
    for starts in 2..=4 {
        instance::restart(app, &home.cx, id).await.unwrap();
        home.until("restarted", || async {
            home.starts(id) == starts && home.row(id).await.seen == SeenState::Ready
        })
        .await;
    }
    let acted = home.row(id).await.generation;
    app.store
        .tx("test.put_back", async |tx: Tx| {
            let mut row = instances::get(&tx, id).await?;
            row.generation = Generation(1);
            instances::update(&tx, &row).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .unwrap();
    instance::stop(app, &home.cx, id).await.unwrap();
    home.until_seen(id, SeenState::Stopped).await;
    assert!(home.row(id).await.generation > acted);
    let log = home.house.log("instance.catch_up").await;
    assert_eq!(log.len(), 1, "said once");
    instance::start(app, &home.cx, id).await.unwrap();
    home.until_seen(id, SeenState::Ready).await;
    assert_eq!(home.starts(id), 5);
}

fractal_testing::on_postgresql! {
    an_unasked_end_is_counted_once_and_started_again_after_a_growing_pause
    five_ends_in_a_row_are_given_up_with_the_cause_until_a_person_starts_it
    a_refused_configuration_is_tried_twice
    refusals_of_the_runtime_are_met_by_their_class
    a_gateway_that_never_answers_is_abandoned_and_gives_its_slot_back
    a_ready_gateway_that_falls_silent_for_good_is_replaced
    a_caller_hears_at_once_that_the_engine_is_not_to_be_had
    a_database_that_was_put_back_gets_ahead_of_what_runs
}
