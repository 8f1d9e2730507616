//! Sleep and waking.

use std::time::Duration;

use fractal_app::instance;
use fractal_types::{SeenState, StopReason};

use crate::support::home;

#[tokio::test]
async fn only_an_idle_instance_sleeps_and_a_chat_wakes_it() {
    let home = home().await;
    let id = home.ready("ada").await;
    let busy = instance::note_use(&home.house.app, id);
    home.house.pass(3_600);
    home.go_on().await;
    assert_eq!(home.row(id).await.seen, SeenState::Ready, "a turn runs");
    drop(busy);
    home.go_on().await;
    assert_eq!(
        home.row(id).await.seen,
        SeenState::Ready,
        "the time begins when the turn ends"
    );
    home.gateways.behave(|all| all.working = true);
    home.house.pass(3_600);
    home.go_on().await;
    assert_eq!(home.row(id).await.seen, SeenState::Ready, "a job runs");
    home.gateways.behave(|all| {
        all.working = false;
        all.next_wake_at_ms = Some(home.house.app.clock.now().as_millis() + 3_700_000);
    });
    home.house.pass(3_600);
    home.go_on().await;
    assert_eq!(
        home.row(id).await.seen,
        SeenState::Ready,
        "an appointment is near"
    );
    home.gateways.behave(|all| all.next_wake_at_ms = None);
    home.house.pass(3_600);
    home.until_seen(id, SeenState::Stopped).await;
    assert_eq!(home.row(id).await.stop_reason, Some(StopReason::Idle));
    let (chat, _) = home.chat(id);
    home.until("answered", || async { chat.is_finished() })
        .await;
    chat.await.unwrap().unwrap();
    assert_eq!(home.starts(id), 2);
}

#[tokio::test]
async fn a_sleeping_instance_is_awake_for_its_appointment() {
    let home = home().await;
    let id = home.ready("ada").await;
    let at = home.house.app.clock.now().after(Duration::from_secs(9_000));
    home.gateways
        .behave(|all| all.next_wake_at_ms = Some(at.as_millis()));
    home.house.pass(3_600);
    home.until_seen(id, SeenState::Stopped).await;
    home.house.pass(5_000);
    home.go_on().await;
    assert_eq!(home.row(id).await.seen, SeenState::Stopped);
    home.house.pass(380);
    home.until_seen(id, SeenState::Ready).await;
    assert!(home.house.app.clock.now() < at);
}

#[tokio::test]
async fn somebody_who_comes_while_the_fence_goes_up_keeps_it_awake() {
    let home = home().await;
    let id = home.ready("ada").await;
    home.gateways.behave(|all| all.slow_fence = true);
    home.house.pass(3_600);
    let person = async {
        while !home.gateways.seen(id).fenced {
            tokio::task::yield_now().await;
        }
        let busy = instance::note_use(&home.house.app, id);
        home.gateways.behave(|all| all.slow_fence = false);
        busy
    };
    let ((), _busy) = tokio::join!(home.work(), person);
    assert!(!home.gateways.seen(id).fenced, "the message gets through");
    home.go_on().await;
    assert_eq!(home.row(id).await.seen, SeenState::Ready);
    assert_eq!(home.starts(id), 1);
}

fractal_testing::on_postgresql! {
    only_an_idle_instance_sleeps_and_a_chat_wakes_it
    a_sleeping_instance_is_awake_for_its_appointment
    somebody_who_comes_while_the_fence_goes_up_keeps_it_awake
}
