//! Sessions: read, renamed, deleted, and heard from other tabs.

use std::{sync::atomic::Ordering, time::Duration};

use fractal_api_types::{ProblemCode, SessionEvent};
use fractal_proxy::chat::ChatSettings;
use futures::StreamExt;
use serde_json::json;

use super::{person, world, world_with};
use crate::support::mine;

#[tokio::test]
async fn sessions_and_history_are_read_renamed_and_deleted() {
    let world = world().await;
    let (me, hub) = (person(1), &world.hub);
    let gateway = async {
        let asked = world.gateway.expect("sessions.list").await;
        world.gateway.ok(&asked, json!({"sessions": [
            {"key": "agent:main:cron:daily", "label": "Daily", "updatedAt": 1000, "totalTokens": 5, "model": "default"},
            {"key": "agent:another:main"}], "hasMore": true, "nextOffset": 2}));
        let asked = world.gateway.expect("chat.history").await;
        assert_eq!(asked["params"]["sessionKey"], "agent:main:work");
        world.gateway.ok(
            &asked,
            json!({"messages": [{"role": "user", "content": "hi"}], "hasMore": false}),
        );
        let asked = world.gateway.expect("sessions.patch").await;
        assert_eq!(
            asked["params"],
            json!({"label": "New", "key": "agent:main:work"})
        );
        world.gateway.ok(&asked, json!({}));
        let asked = world.gateway.expect("sessions.reset").await;
        world.gateway.ok(&asked, json!({}));
        let asked = world.gateway.expect("sessions.delete").await;
        world.gateway.ok(&asked, json!({"deleted": false}));
    };
    let person = async {
        let page = hub.sessions(&me, mine(), 50, 0, false).await.unwrap();
        assert_eq!((page.items.len(), page.next), (1, Some(2)));
        assert_eq!(
            (page.items[0].key.as_str(), page.items[0].origin.as_str()),
            ("cron:daily", "cron")
        );
        let history = hub
            .history(&me, mine(), "work", 100, 0, false)
            .await
            .unwrap();
        assert_eq!(history.messages[0].text, "hi");
        hub.rename_session(&me, mine(), "work", "New")
            .await
            .unwrap();
        hub.delete_session(&me, mine(), "main").await.unwrap();
        let missing = hub.delete_session(&me, mine(), "gone").await.unwrap_err();
        assert_eq!(missing.problem, ProblemCode::NotFound);
    };
    tokio::join!(gateway, person);
}

#[tokio::test]
async fn a_sleeping_instance_is_not_woken_by_reading() {
    let world = world_with(|_| {}, true).await;
    let asleep = world
        .hub
        .sessions(&person(1), mine(), 50, 0, false)
        .await
        .unwrap_err();
    assert_eq!(
        (asleep.problem, asleep.code),
        (ProblemCode::Conflict, "asleep")
    );
    assert_eq!(world.access.readied.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_without_progress_does_not_wait_for_ever_for_a_wake() {
    let soon = |settings: &mut ChatSettings| settings.wake = Duration::from_millis(20);
    let world = world_with(soon, true).await;
    let late = world
        .hub
        .rename_session(&person(1), mine(), "main", "Plans")
        .await
        .unwrap_err();
    assert_eq!(late.problem, ProblemCode::Unavailable);
    assert_eq!(world.access.readied.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn other_tabs_hear_of_runs_and_of_what_timers_say() {
    let world = world().await;
    let mut heard = Box::pin(
        world
            .hub
            .session_events(&person(1), mine(), "main")
            .await
            .unwrap(),
    );
    let run = world.say("main", "hi");
    assert_eq!(
        heard.next().await,
        Some(SessionEvent::RunStarted { run_id: run.id() })
    );
    world.gateway.take_message().await.finish("x");
    assert_eq!(heard.next().await, Some(SessionEvent::Changed {}));
    world.gateway.event("chat", json!({"runId": "cron-1", "sessionKey": "agent:main:main", "state": "final", "message": {"content": "tick"}}));
    let next = tokio::time::timeout(Duration::from_secs(10), heard.next())
        .await
        .unwrap();
    assert_eq!(next, Some(SessionEvent::Changed {}));
}
