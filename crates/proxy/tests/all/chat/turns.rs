//! Turns: streamed in order, resumed, stopped, and asking their person.

use std::{sync::atomic::Ordering, time::Duration};

use axum::response::IntoResponse;
use fractal_api_types::{ApprovalDecision, ChatEvent, ChatPhase, ProblemCode, ToolPhase};
use fractal_proxy::chat::chat_events;
use fractal_types::Actor;
use futures::StreamExt;
use http_body_util::BodyExt;
use serde_json::json;

use super::{all, final_text, last, person, until, world, world_with};

#[tokio::test]
async fn a_turn_is_streamed_in_order_and_ends_once() {
    let world = world().await;
    let run = world.say("Work", "hello");
    let turn = world.gateway.take_message().await;
    assert_eq!(
        (turn.session.as_str(), turn.run.as_str()),
        ("agent:main:work", run.id().to_string().as_str())
    );
    turn.chat(json!({"state": "status", "phase": "preparing_workspace"}));
    turn.chat(json!({"state": "status", "phase": "starting_model"}));
    turn.say("Hel", "Hel");
    turn.agent(
        "tool",
        json!({"phase": "start", "name": "exec", "toolCallId": "c1", "args": {"command": "ls -l"}}),
    );
    turn.agent("tool", json!({"phase": "result", "name": "exec", "toolCallId": "c1", "isError": true, "result": {"content": [{"type": "text", "text": "no"}]}}));
    turn.say("lo", "Hello");
    turn.chat(json!({"state": "delta", "replace": true, "deltaText": "Bye", "message": {"content": [{"type": "text", "text": "Bye"}]}}));
    turn.finish("Bye.");
    turn.fail("again, without detail");
    let events = all(run.events()).await;
    let names: Vec<_> = events.iter().map(ChatEvent::name).collect();
    assert_eq!(
        names,
        [
            "run", "status", "status", "status", "delta", "tool", "tool", "delta", "delta",
            "usage", "final"
        ]
    );
    assert!(matches!(
        &events[1],
        ChatEvent::Status {
            phase: ChatPhase::Queued,
            queue_position: Some(2),
            ..
        }
    ));
    assert!(
        matches!(&events[5], ChatEvent::Tool { phase: ToolPhase::Start, summary: Some(line), .. } if line == "ls -l")
    );
    assert!(matches!(
        &events[6],
        ChatEvent::Tool {
            phase: ToolPhase::Failed,
            ..
        }
    ));
    assert_eq!(
        events[7],
        ChatEvent::Delta {
            text: "lo".into(),
            replace: false
        }
    );
    assert_eq!(
        events[8],
        ChatEvent::Delta {
            text: "Bye".into(),
            replace: true
        }
    );
    assert_eq!(final_text(&events), "Bye.");
    assert_eq!(
        world.access.busy.load(Ordering::SeqCst),
        0,
        "the instance may sleep again"
    );
}

#[tokio::test]
async fn turns_are_counted_by_how_they_end_and_timed_to_their_first_word() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let world = world().await;
    // This fake says that every agent waits for a start slot first.
    let run = world.say("main", "private words");
    let turn = world.gateway.take_message().await;
    turn.say("One", "One");
    turn.say(" two", "One two");
    turn.finish("One two");
    all(run.events()).await;
    let failed = world.say("main", "again");
    world.gateway.take_message().await.fail("it broke");
    all(failed.events()).await;
    let stopped = world.say("main", "again");
    let turn = world.gateway.take_message().await;
    turn.say("Once", "Once");
    until(&stopped, |event| event.name() == "delta").await;
    world.hub.abort(&person(1), stopped.id()).unwrap();
    let asked = world.gateway.expect("chat.abort").await;
    world
        .gateway
        .ok(&asked, json!({"ok": true, "aborted": true}));
    turn.chat(json!({"state": "aborted"}));
    all(stopped.events()).await;
    let text = handle.render();
    for line in [
        r#"fractal_chat_turns_total{outcome="answered"} 1"#,
        r#"fractal_chat_turns_total{outcome="failed"} 1"#,
        r#"fractal_chat_turns_total{outcome="stopped"} 1"#,
        // Once a turn, and not for one that said nothing.
        r#"fractal_chat_first_delta_seconds_count{agent="asleep"} 2"#,
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("private"), "{text}");
}

#[tokio::test]
async fn turns_of_one_session_follow_one_another_and_other_sessions_do_not_wait() {
    let world = world().await;
    let first = world.say("main", "one");
    let turn = world.gateway.take_message().await;
    let second = world.say("main", "two");
    until(&second, |event| {
        matches!(
            event,
            ChatEvent::Status {
                phase: ChatPhase::Waiting,
                ..
            }
        )
    })
    .await;
    let other = world.say("other", "three");
    let elsewhere = world.gateway.take_message().await;
    assert_eq!(elsewhere.params["message"], "three");
    elsewhere.finish("3");
    assert_eq!(final_text(&all(other.events()).await), "3");
    assert!(
        world.gateway.is_quiet().await,
        "the second message must wait"
    );
    turn.finish("1");
    assert_eq!(final_text(&all(first.events()).await), "1");
    world.gateway.take_message().await.finish("2");
    assert_eq!(final_text(&all(second.events()).await), "2");
}

#[tokio::test]
async fn several_readers_hear_the_same_and_one_can_resume() {
    let world = world().await;
    let run = world.say("main", "hi");
    let early = tokio::spawn(all(run.events()));
    let turn = world.gateway.take_message().await;
    turn.say("a", "a");
    until(&run, |event| event.name() == "delta").await;
    let (id, actor) = (run.id(), person(1));
    // The browser that began it goes away; the run does not.
    drop(run);
    turn.say("b", "ab");
    turn.finish("ab");
    let whole = early.await.unwrap();
    let resumed: Vec<_> = world.hub.subscribe(&actor, id, 3).unwrap().collect().await;
    assert_eq!(resumed[0].0, 4, "numbers go on");
    assert_eq!(
        resumed
            .into_iter()
            .map(|(_, event)| event)
            .collect::<Vec<_>>(),
        whole[3..]
    );
    assert!(
        world
            .hub
            .subscribe(&actor, id, 999)
            .unwrap()
            .next()
            .await
            .is_none()
    );
}

#[tokio::test]
async fn a_run_is_its_persons_alone_and_is_forgotten_after_its_end() {
    let world = world_with(|settings| settings.keep = Duration::from_millis(1), false).await;
    let run = world.say("main", "hi");
    let gone = |actor: &Actor| match world.hub.subscribe(actor, run.id(), 0) {
        Ok(_) => None,
        Err(failure) => Some(failure.problem),
    };
    assert_eq!(gone(&person(2)), Some(ProblemCode::RunGone));
    assert!(world.hub.abort(&person(2), run.id()).is_err());
    assert_eq!(gone(&person(1)), None);
    world.gateway.take_message().await.finish("x");
    all(run.events()).await;
    let forgotten = async {
        while gone(&person(1)).is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), forgotten)
        .await
        .expect("it is forgotten");
}

#[tokio::test]
async fn stopping_ends_a_running_turn_and_one_that_waits() {
    let world = world().await;
    let run = world.say("main", "long story");
    let turn = world.gateway.take_message().await;
    turn.say("Once", "Once");
    until(&run, |event| event.name() == "delta").await;
    let waiting = world.say("main", "next");
    until(&waiting, |event| {
        matches!(
            event,
            ChatEvent::Status {
                phase: ChatPhase::Waiting,
                ..
            }
        )
    })
    .await;
    world.hub.abort(&person(1), waiting.id()).unwrap();
    assert!(matches!(
        last(&all(waiting.events()).await),
        ChatEvent::Final { aborted: true, .. }
    ));
    world.hub.abort(&person(1), run.id()).unwrap();
    let asked = world.gateway.expect("chat.abort").await;
    assert_eq!(asked["params"]["runId"], run.id().to_string());
    world.gateway.ok(
        &asked,
        json!({"ok": true, "aborted": true, "runIds": [run.id().to_string()]}),
    );
    turn.chat(
        json!({"state": "aborted", "message": {"content": [{"type": "text", "text": "Once"}]}}),
    );
    assert_eq!(
        *last(&all(run.events()).await),
        ChatEvent::Final {
            text: "Once".into(),
            usage: None,
            aborted: true
        }
    );
}

#[tokio::test]
async fn a_command_waits_for_its_persons_word() {
    let world = world().await;
    let run = world.say("main", "run it");
    let turn = world.gateway.take_message().await;
    world.gateway.event("exec.approval.requested", json!({"id": "ap1", "createdAtMs": 1, "expiresAtMs": 2000,
        "request": {"command": "rm x", "runId": turn.run, "sessionKey": turn.session, "allowedDecisions": ["allow-once", "deny"]}}));
    let asked = until(&run, |event| event.name() == "approval").await;
    assert!(
        matches!(asked, ChatEvent::Approval { id, command, decision: None, .. } if id == "ap1" && command == "rm x")
    );
    let (me, id) = (person(1), run.id());
    let always = world
        .hub
        .resolve_approval(&me, id, "ap1", ApprovalDecision::AllowAlways)
        .await;
    assert_eq!(always.unwrap_err().problem, ProblemCode::InvalidFields);
    let unknown = world
        .hub
        .resolve_approval(&me, id, "ap2", ApprovalDecision::Deny)
        .await;
    assert_eq!(unknown.unwrap_err().problem, ProblemCode::NotFound);
    let stranger = world
        .hub
        .resolve_approval(&person(2), id, "ap1", ApprovalDecision::AllowOnce)
        .await;
    assert_eq!(stranger.unwrap_err().problem, ProblemCode::RunGone);
    let gateway = async {
        let asked = world.gateway.expect("exec.approval.resolve").await;
        assert_eq!(
            asked["params"],
            json!({"id": "ap1", "decision": "allow-once"})
        );
        world.gateway.ok(&asked, json!({}));
    };
    let (resolved, ()) = tokio::join!(
        world
            .hub
            .resolve_approval(&me, id, "ap1", ApprovalDecision::AllowOnce),
        gateway
    );
    resolved.unwrap();
    world.gateway.event(
        "exec.approval.resolved",
        json!({"id": "ap1", "decision": "allow-once"}),
    );
    until(&run, |event| matches!(event, ChatEvent::Approval { decision: Some(word), .. } if word == "allow_once")).await;
    turn.finish("done");
    assert_eq!(final_text(&all(run.events()).await), "done");
}

#[tokio::test]
async fn questions_are_answered_together() {
    let world = world().await;
    let run = world.say("main", "ask me");
    let turn = world.gateway.take_message().await;
    world.gateway.event("question.requested", json!({"id": "q1", "sessionKey": turn.session, "runId": turn.run, "questions": [
        {"questionId": "color", "question": "Which color?", "options": [{"label": "Red"}, {"label": "Blue"}]},
        {"questionId": "size", "question": "Which size?", "options": []}]}));
    let asked = until(
        &run,
        |event| matches!(event, ChatEvent::Question { text, .. } if text == "Which size?"),
    )
    .await;
    assert!(matches!(asked, ChatEvent::Question { id, answered: false, .. } if id == "q1:1"));
    world
        .hub
        .answer_question(&person(1), run.id(), "q1:1", "large")
        .await
        .unwrap();
    let gateway = async {
        let asked = world.gateway.expect("question.resolve").await;
        assert_eq!(
            asked["params"]["answers"]["answers"],
            json!({"color": ["Red"], "size": ["large"]})
        );
        world.gateway.ok(&asked, json!({}));
    };
    let (me, id) = (person(1), run.id());
    let (answered, ()) = tokio::join!(world.hub.answer_question(&me, id, "q1:0", "Red"), gateway);
    answered.unwrap();
    world.gateway.event(
        "question.resolved",
        json!({"id": "q1", "status": "answered"}),
    );
    until(&run, |event| {
        matches!(event, ChatEvent::Question { answered: true, .. })
    })
    .await;
    turn.finish("ok");
    all(run.events()).await;
}

#[tokio::test]
async fn events_are_written_as_server_sent_events() {
    let world = world().await;
    let run = world.say("main", "hi");
    world.gateway.take_message().await.finish("x");
    let response = chat_events(run.events()).into_response();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let text = std::str::from_utf8(&body).unwrap();
    let first = text.split("\n\n").next().unwrap();
    for line in [
        "event: run",
        "id: 1",
        "data: {\"type\":\"run\",\"run_id\":\"crun_",
    ] {
        assert!(
            first.lines().any(|found| found.starts_with(line)),
            "{first}"
        );
    }
    assert!(text.contains("event: final"));
}
