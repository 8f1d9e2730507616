//! What becomes of the agents of somebody who is suspended.

use fractal_api_types::{CreateUser, ProblemCode, UpdateUser};
use fractal_app::{Context, instance, user};
use fractal_testing::house::{PASSWORD, name};
use fractal_types::{Role, SeenState, StopReason, UserId};

use crate::support::{Home, home};

/// A home whose agents are a member's, and the administrator.
async fn home_of_mia() -> (Home, Context, UserId) {
    let mut home = home().await;
    let root = home.cx.clone();
    let body = CreateUser {
        username: name("mia"),
        display_name: None,
        role: Some(Role::Member),
        password: PASSWORD.into(),
    };
    let mia = user::create(&home.house.app, &root, body).await.unwrap().id;
    home.cx = home.house.sign_in("mia").await;
    (home, root, mia)
}

async fn set_active(home: &Home, root: &Context, id: UserId, active: bool) {
    let body = UpdateUser {
        active: Some(active),
        ..UpdateUser::default()
    };
    user::update(&home.house.app, root, id, body).await.unwrap();
}

#[tokio::test]
async fn what_runs_goes_to_sleep_and_comes_back_with_its_owner() {
    let (home, root, mia) = home_of_mia().await;
    let id = home.ready("ada").await;
    set_active(&home, &root, mia, false).await;
    home.until_seen(id, SeenState::Stopped).await;
    assert_eq!(home.row(id).await.stop_reason, Some(StopReason::Idle));
    // Neither an appointment nor a chat nor an administrator wakes it.
    home.house.pass(3_600);
    home.go_on().await;
    let (chat, _) = home.chat(id);
    assert_eq!(chat.await.unwrap(), Err("forbidden".into()));
    let error = instance::start(&home.house.app, &root, id)
        .await
        .unwrap_err();
    assert_eq!(error.code, ProblemCode::Conflict);
    assert_eq!(
        (home.row(id).await.seen, home.starts(id)),
        (SeenState::Stopped, 1)
    );
    let stops = home.house.log("instance.stop").await;
    assert_eq!(stops.last().unwrap().values["cause"], "owner suspended");

    set_active(&home, &root, mia, true).await;
    home.until_seen(id, SeenState::Ready).await;
    assert_eq!(home.starts(id), 2, "it may have timers");
}

#[tokio::test]
async fn what_slept_wakes_with_the_next_chat_and_what_was_stopped_does_not() {
    let (mut home, root, mia) = home_of_mia().await;
    let (asleep, stopped) = (home.ready("ada").await, home.ready("bob").await);
    instance::stop(&home.house.app, &home.cx, stopped)
        .await
        .unwrap();
    home.until_seen(stopped, SeenState::Stopped).await;
    home.house.pass(3_600);
    home.until_seen(asleep, SeenState::Stopped).await;
    set_active(&home, &root, mia, false).await;
    home.go_on().await;
    set_active(&home, &root, mia, true).await;
    home.go_on().await;
    assert_eq!((home.starts(asleep), home.starts(stopped)), (1, 1));
    home.cx = home.house.sign_in("mia").await;
    let (chat, _) = home.chat(asleep);
    home.until("answered", || async { chat.is_finished() })
        .await;
    chat.await.unwrap().unwrap();
    let (chat, _) = home.chat(stopped);
    assert_eq!(chat.await.unwrap(), Err("instance-stopped".into()));
}

#[tokio::test]
async fn somebody_who_waits_for_an_agent_is_told_when_they_are_suspended() {
    let (home, root, mia) = home_of_mia().await;
    let id = home.create("ada").await;
    let (chat, told) = home.chat(id);
    while told.0.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(!chat.is_finished());
    set_active(&home, &root, mia, false).await;
    home.until("answered", || async { chat.is_finished() })
        .await;
    assert_eq!(chat.await.unwrap(), Err("forbidden".into()));
    home.until_seen(id, SeenState::Stopped).await;
}

fractal_testing::on_postgresql! {
    what_runs_goes_to_sleep_and_comes_back_with_its_owner
    what_slept_wakes_with_the_next_chat_and_what_was_stopped_does_not
    somebody_who_waits_for_an_agent_is_told_when_they_are_suspended
}
