//! From a wish to an answer, and back.

use fractal_api_types::ChatPhase;
use fractal_app::instance;
use fractal_runtime::{contract::Volumes, fake::Action};
use fractal_store::instances;
use fractal_testing::gateway::Turns;
use fractal_types::{SeenState, StopReason, WantedState};

use crate::support::home;

#[tokio::test]
async fn an_instance_is_ready_only_after_a_turn_came_back() {
    let home = home().await;
    home.gateways.behave(|all| all.turns = Turns::Hold);
    let id = home.create("ada").await;
    assert_eq!(home.row(id).await.seen, SeenState::Pending);
    home.until("asked for a turn", || async {
        home.gateways.count(id, "chat.send") == 1
    })
    .await;
    assert_eq!(home.row(id).await.seen, SeenState::Starting);
    home.gateways.behave(|all| all.turns = Turns::Wrong);
    home.until("asked again", || async {
        home.gateways.count(id, "chat.send") == 2
    })
    .await;
    assert_eq!(home.row(id).await.seen, SeenState::Starting);
    home.gateways.behave(|all| all.turns = Turns::Fail);
    home.until("asked a third time", || async {
        home.gateways.count(id, "chat.send") == 3
    })
    .await;
    assert_eq!(home.row(id).await.seen, SeenState::Starting);
    home.gateways.behave(|all| all.turns = Turns::Echo);
    home.until_seen(id, SeenState::Ready).await;
    assert_eq!(home.transitions(id).await, ["starting", "ready"]);
    assert_eq!(home.starts(id), 1);
    assert_eq!(
        home.gateways.count(id, "sessions.delete"),
        home.gateways.count(id, "chat.send"),
        "no test session stays"
    );
}

#[tokio::test]
async fn the_wait_for_a_start_slot_is_measured_from_the_first_asking() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let home = home().await;
    home.gateways.behave(|all| all.turns = Turns::Hold);
    for name in ["a", "b", "c"] {
        home.create(name).await;
        home.go_on().await;
    }
    assert_eq!(home.house.app.queue.lengths(), (2, 1));
    home.house.pass(40);
    home.gateways.behave(|all| all.turns = Turns::Echo);
    home.until("all have started", || async {
        home.house.app.queue.lengths() == (0, 0)
    })
    .await;
    let text = handle.render();
    let value = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("{name}: {text}"))
            .trim()
            .parse()
            .unwrap()
    };
    assert_eq!(value("fractal_start_wait_seconds_count"), 3.0, "{text}");
    assert!(value("fractal_start_wait_seconds_sum") >= 40.0, "{text}");
}

#[tokio::test]
async fn no_more_start_at_once_than_there_are_slots_and_the_others_wait_in_order() {
    let home = home().await;
    home.gateways.behave(|all| all.turns = Turns::Hold);
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d"] {
        ids.push(home.create(name).await);
        home.go_on().await;
    }
    let position = |n: usize| home.house.app.queue.position(ids[n]);
    assert_eq!([2, 3].map(position), [Some(1), Some(2)]);
    let (chat, told) = home.chat(ids[3]);
    home.go_on().await;
    let starts: usize = ids.iter().map(|id| home.starts(*id)).sum();
    assert_eq!(starts, 2, "the others wait");
    // Somebody who leaves the queue does not keep those behind waiting.
    instance::stop(&home.house.app, &home.cx, ids[2])
        .await
        .unwrap();
    home.go_on().await;
    assert_eq!(position(3), Some(1));
    home.gateways.behave(|all| all.turns = Turns::Echo);
    home.until_seen(ids[3], SeenState::Ready).await;
    assert_eq!(home.starts(ids[2]), 0);
    chat.await.unwrap().unwrap();
    let told = told.0.lock().unwrap();
    assert_eq!(
        (told[0].phase, told[0].queue_position),
        (ChatPhase::Queued, Some(2))
    );
    assert!(told.iter().any(|one| one.phase == ChatPhase::Starting));
}

#[tokio::test]
async fn what_a_person_stopped_stays_stopped_and_a_restart_is_a_new_process() {
    let home = home().await;
    let app = &home.house.app;
    let id = home.ready("ada").await;
    let before = home.row(id).await.generation;
    instance::restart(app, &home.cx, id).await.unwrap();
    home.until("restarted", || async {
        home.starts(id) == 2 && home.row(id).await.seen == SeenState::Ready
    })
    .await;
    assert!(home.row(id).await.generation > before);
    instance::stop(app, &home.cx, id).await.unwrap();
    home.until_seen(id, SeenState::Stopped).await;
    let (chat, _) = home.chat(id);
    assert_eq!(chat.await.unwrap().unwrap_err(), "instance-stopped");
    home.house.pass(3_600);
    home.go_on().await;
    assert_eq!(home.row(id).await.seen, SeenState::Stopped);
    assert_eq!(home.starts(id), 2);
    instance::start(app, &home.cx, id).await.unwrap();
    home.until_seen(id, SeenState::Ready).await;
    assert_eq!(
        home.transitions(id).await,
        [
            "starting", "ready", "stopping", "starting", "ready", "stopping", "stopped", "pending",
            "starting", "ready"
        ]
    );
}

#[tokio::test]
async fn a_deleted_instance_goes_with_or_without_its_files() {
    let home = home().await;
    for (name, keep, volumes) in [("a", true, Volumes::Keep), ("b", false, Volumes::Remove)] {
        let id = home.ready(name).await;
        instance::delete(&home.house.app, &home.cx, id, keep)
            .await
            .unwrap();
        home.until("gone", || async { home.row(id).await.deleted_at.is_some() })
            .await;
        let last = home.house.runtime.actions().pop();
        assert!(matches!(last, Some(Action::Remove(of, how, _)) if of == id && how == volumes));
    }
}

#[tokio::test]
async fn a_control_plane_that_lost_its_memory_adopts_without_a_second_start_or_proof() {
    let home = home().await;
    let id = home.ready("ada").await;
    let turns = home.gateways.count(id, "chat.send");
    home.house.app.live.forget(id);
    // Longer away than a start may take: that says nothing about the gateway.
    home.house.pass(1_000);
    home.until("connected again", || async {
        home.gateways.count(id, "connect") == 2
    })
    .await;
    home.go_on().await;
    let (chat, _) = home.chat(id);
    home.until("answered", || async { chat.is_finished() })
        .await;
    assert_eq!(home.starts(id), 1);
    assert_eq!(home.gateways.count(id, "chat.send"), turns);
    assert_eq!(home.row(id).await.failure_count, 0);
    assert_eq!(home.transitions(id).await, ["starting", "ready"]);
}

#[tokio::test]
async fn an_operation_has_an_instance_to_itself() {
    let home = home().await;
    let id = home.create("ada").await;
    let hold = |held| {
        let store = &home.house.app.store;
        store.tx("test.hold", move |tx| async move {
            instances::hold(&tx, id, "operation", held).await
        })
    };
    assert!(hold(true).await.unwrap());
    // What is wanted is made so; only, nobody else wishes anything.
    home.until_seen(id, SeenState::Ready).await;
    let (app, cx) = (&home.house.app, &home.cx);
    let refused = [
        instance::stop(app, cx, id).await,
        instance::restart(app, cx, id).await,
        instance::delete(app, cx, id, true).await,
    ];
    for answer in refused {
        let detail = answer.unwrap_err().detail.unwrap();
        assert_eq!(detail, "operation operation is working on it");
    }
    // Nor does Fractal by itself: it would sleep by now.
    home.house.pass(3_600);
    home.go_on().await;
    assert_eq!(home.row(id).await.wanted, WantedState::Running);
    assert!(hold(false).await.unwrap());
    home.until_seen(id, SeenState::Stopped).await;
    assert_eq!(home.row(id).await.stop_reason, Some(StopReason::Idle));
}

#[tokio::test]
async fn a_wish_of_a_person_is_not_undone_by_sleep() {
    let home = home().await;
    let id = home.ready("ada").await;
    home.gateways.behave(|all| all.slow_fence = true);
    home.house.pass(3_600);
    // The reaper has asked for the fence; before it stands, a person stops the instance.
    let person = async {
        while !home.gateways.seen(id).fenced {
            tokio::task::yield_now().await;
        }
        instance::stop(&home.house.app, &home.cx, id).await.unwrap();
        home.gateways.behave(|all| all.slow_fence = false);
    };
    tokio::join!(home.work(), person);
    home.until_seen(id, SeenState::Stopped).await;
    assert_eq!(home.row(id).await.stop_reason, Some(StopReason::Person));
}

fractal_testing::on_postgresql! {
    an_instance_is_ready_only_after_a_turn_came_back
    no_more_start_at_once_than_there_are_slots_and_the_others_wait_in_order
    what_a_person_stopped_stays_stopped_and_a_restart_is_a_new_process
    a_deleted_instance_goes_with_or_without_its_files
    a_control_plane_that_lost_its_memory_adopts_without_a_second_start_or_proof
    an_operation_has_an_instance_to_itself
    a_wish_of_a_person_is_not_undone_by_sleep
}
