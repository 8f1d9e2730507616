//! The chat hub against a gateway that follows a script.

use std::{
    any::Any,
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::response::IntoResponse;
use fractal_api_types::{
    ApprovalDecision, Attachment, ChatEvent, ChatPhase, ChatRequest, CompletionRequest,
    ProblemCode, ProviderFault, ProviderFaultCode, SessionEvent, ToolPhase,
};
use fractal_clock::{Clock, SystemClock, SystemEntropy};
use fractal_openclaw::ws::Gateway;
use fractal_proxy::{
    chat::{ChatHub, ChatSettings, RunHandle, chat_events},
    faults::Faults,
    ports::{ChatFailure, InstanceAccess, Progress},
};
use fractal_types::{Actor, InstanceId, OrganizationId, Principal, Role, Via};
use futures::{Stream, StreamExt};
use http_body_util::BodyExt;
use serde_json::json;
use uuid::Uuid;

use crate::{gateway::FakeGateway, support::mine};

fn person(number: u128) -> Actor {
    Actor {
        principal: Principal::User(Uuid::from_u128(number).into()),
        organization_id: OrganizationId::from_uuid(Uuid::from_u128(1)),
        role: Some(Role::Member),
        via: Via::Browser,
        scopes: None,
    }
}

#[derive(Debug)]
struct Access {
    gateway: Gateway,
    /// What the next calls of `ensure_ready` fail with.
    failures: Mutex<VecDeque<ChatFailure>>,
    readied: AtomicUsize,
    busy: Arc<AtomicUsize>,
    asleep: bool,
    /// Never becomes ready.
    stuck: bool,
}

struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl InstanceAccess for Access {
    async fn ensure_ready(
        &self,
        _: &Actor,
        _: InstanceId,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Gateway, ChatFailure> {
        self.readied.fetch_add(1, Ordering::SeqCst);
        progress(Progress {
            phase: ChatPhase::Queued,
            state: None,
            queue_position: Some(2),
            typical_ms: None,
            installing: None,
        });
        if self.stuck {
            std::future::pending::<()>().await;
        }
        let failure = self.failures.lock().unwrap().pop_front();
        failure.map_or_else(|| Ok(self.gateway.clone()), Err)
    }

    async fn if_awake(&self, _: &Actor, _: InstanceId) -> Result<Option<Gateway>, ChatFailure> {
        Ok((!self.asleep).then(|| self.gateway.clone()))
    }

    fn busy(&self, _: InstanceId) -> Box<dyn Any + Send + Sync> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        Box::new(Busy(Arc::clone(&self.busy)))
    }
}

struct World {
    gateway: FakeGateway,
    access: Arc<Access>,
    faults: Arc<Faults>,
    hub: ChatHub,
}

async fn world() -> World {
    world_with(|_| {}, false).await
}

async fn world_with(change: impl FnOnce(&mut ChatSettings), asleep: bool) -> World {
    let gateway = FakeGateway::start().await;
    let access = Arc::new(Access {
        gateway: gateway.handle.clone(),
        failures: Mutex::default(),
        readied: AtomicUsize::new(0),
        busy: Arc::default(),
        asleep,
        stuck: asleep,
    });
    let faults = Arc::new(Faults::default());
    let mut settings = ChatSettings {
        recover: Duration::from_millis(10),
        ..ChatSettings::default()
    };
    change(&mut settings);
    let hub = ChatHub::new(
        access.clone(),
        faults.clone(),
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        settings,
    );
    World {
        gateway,
        access,
        faults,
        hub,
    }
}

fn message(session: &str, text: &str) -> ChatRequest {
    ChatRequest {
        session: Some(session.to_owned()),
        message: Some(text.to_owned()),
        ..ChatRequest::default()
    }
}

impl World {
    fn say(&self, session: &str, text: &str) -> RunHandle {
        self.hub
            .start(person(1), mine(), message(session, text))
            .unwrap()
    }
}

async fn all(events: impl Stream<Item = (u64, ChatEvent)>) -> Vec<ChatEvent> {
    let all = events.map(|(_, event)| event).collect();
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .expect("a run ends")
}

/// Waits until a run has said something that fits.
async fn until(run: &RunHandle, fits: impl Fn(&ChatEvent) -> bool) -> ChatEvent {
    let mut events = Box::pin(run.events());
    let found = async {
        loop {
            let (_, event) = events.next().await.expect("it was never said");
            if fits(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .expect("it was not said in time")
}

fn last(events: &[ChatEvent]) -> &ChatEvent {
    assert_eq!(
        events.iter().filter(|event| event.is_last()).count(),
        1,
        "{events:?}"
    );
    events.last().unwrap()
}

fn final_text(events: &[ChatEvent]) -> &str {
    match last(events) {
        ChatEvent::Final { text, .. } => text,
        other => panic!("no answer: {other:?}"),
    }
}

fn error_code(events: &[ChatEvent]) -> &str {
    match last(events) {
        ChatEvent::Error { code, remedy, .. } => {
            assert!(remedy.is_some(), "an error without remedy");
            code
        }
        other => panic!("no error: {other:?}"),
    }
}

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
async fn a_superseded_turn_is_sent_once_more_and_only_once() {
    let text = "Error: prepared model runtime plugin generation was superseded for main";
    let world = world().await;
    let run = world.say("main", "hi");
    world.gateway.take_message().await.fail(text);
    let again = world.gateway.take_message().await;
    assert_eq!(again.run, format!("{}-again", run.id()));
    again.finish("there");
    assert_eq!(final_text(&all(run.events()).await), "there");
    let run = world.say("main", "hi");
    world.gateway.take_message().await.fail(text);
    world.gateway.take_message().await.fail(text);
    assert_eq!(error_code(&all(run.events()).await), "turn-failed");
}

#[tokio::test]
async fn an_answer_that_came_while_the_connection_was_lost_is_found() {
    let world = world().await;
    let run = world.say("main", "hi");
    let turn = world.gateway.take_message().await;
    turn.say("par", "par");
    until(&run, |event| event.name() == "delta").await;
    world.gateway.restart_as("boot-1");
    let asked = world.gateway.expect("chat.history").await;
    world.gateway.ok(&asked, json!({"messages": [{"role": "assistant", "content": [{"type": "text", "text": "partial no more"}],
        "stopReason": "stop", "usage": {"input": 1, "output": 2}, "__openclaw": {"runId": turn.run}}]}));
    assert_eq!(final_text(&all(run.events()).await), "partial no more");
}

#[tokio::test]
async fn a_run_goes_on_after_a_short_break_of_the_connection() {
    let world = world().await;
    let run = world.say("main", "hi");
    let turn = world.gateway.take_message().await;
    world.gateway.restart_as("boot-1");
    let asked = world.gateway.expect("chat.history").await;
    world.gateway.ok(&asked, json!({"messages": []}));
    turn.say("rest", "rest");
    turn.finish("rest");
    assert_eq!(final_text(&all(run.events()).await), "rest");
}

#[tokio::test]
async fn a_turn_lost_with_its_gateway_says_so_with_a_remedy() {
    let world = world().await;
    let run = world.say("main", "hi");
    world.gateway.take_message().await;
    world.gateway.restart_as("boot-2");
    let events = tokio::spawn(all(run.events()));
    let answered = async {
        loop {
            let asked = world.gateway.expect("chat.history").await;
            world.gateway.ok(&asked, json!({"messages": []}));
        }
    };
    let events = tokio::select! {
        events = events => events.unwrap(),
        () = answered => unreachable!(),
    };
    assert_eq!(error_code(&events), "interrupted");
}

#[tokio::test]
async fn a_gateway_that_never_comes_back_ends_the_turn() {
    let world = world_with(
        |settings| settings.reconnect = Duration::from_millis(50),
        false,
    )
    .await;
    let run = world.say("main", "hi");
    world.gateway.take_message().await;
    world.gateway.restart_as("");
    assert_eq!(error_code(&all(run.events()).await), "interrupted");
}

#[tokio::test]
async fn a_message_is_held_while_the_gateway_is_suspended_or_restarts() {
    let world = world().await;
    let run = world.say("main", "hi");
    for reason in [
        "gateway-suspending",
        "startup-sidecars",
        "gateway-restarting",
    ] {
        let asked = world.gateway.expect("chat.send").await;
        world.gateway.refuse(&asked, json!({"code": "UNAVAILABLE", "message": "not now", "retryable": true, "retryAfterMs": 1,
            "details": {"reason": reason}}));
    }
    let turn = world.gateway.take_message().await;
    assert_eq!(turn.run, run.id().to_string(), "under the same key");
    turn.finish("now");
    assert_eq!(final_text(&all(run.events()).await), "now");
    assert_eq!(
        world.access.readied.load(Ordering::SeqCst),
        2,
        "whoever suspended it was asked to lift it"
    );
}

#[tokio::test]
async fn a_refused_message_and_an_instance_that_does_not_wake_are_errors() {
    let world = world().await;
    let run = world.say("main", "hi");
    let asked = world.gateway.expect("chat.send").await;
    world.gateway.refuse(
        &asked,
        json!({"code": "INVALID_REQUEST", "message": "no such agent"}),
    );
    assert_eq!(error_code(&all(run.events()).await), "refused");
    let stopped =
        ChatFailure::new(ProblemCode::InstanceStopped, "The agent is stopped.").remedy("Start it.");
    world.access.failures.lock().unwrap().push_back(stopped);
    assert_eq!(
        error_code(&all(world.say("main", "hi").events()).await),
        "instance-stopped"
    );
}

#[tokio::test]
async fn the_providers_true_fault_is_shown_instead_of_the_gateways_text() {
    let world = world().await;
    let run = world.say("main", "hi");
    let turn = world.gateway.take_message().await;
    let fault = ProviderFault {
        code: ProviderFaultCode::KeyRefused,
        message: "The provider refused the key.".into(),
        remedy: "Enter a valid key.".into(),
    };
    world.faults.note(mine(), SystemClock.now(), fault.clone());
    turn.fail("LLM request failed: provider rejected the request schema or tool payload.");
    let events = all(run.events()).await;
    let ChatEvent::Error {
        code,
        message,
        provider,
        ..
    } = last(&events)
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        (code.as_str(), message.as_str(), provider),
        (
            "provider-failed",
            "The provider refused the key.",
            &Some(fault)
        )
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
async fn a_message_taken_into_another_turn_finds_its_answer_in_the_transcript() {
    let world = world().await;
    let run = world.say("main", "hi");
    let turn = world.gateway.take_message().await;
    turn.chat(json!({"state": "final"}));
    let asked = world.gateway.expect("chat.history").await;
    world.gateway.ok(&asked, json!({"messages": [{"role": "user", "content": "hi", "idempotencyKey": format!("{}:user", turn.run)},
        {"role": "assistant", "content": [{"type": "text", "text": "both answered"}], "stopReason": "stop", "__openclaw": {"runId": "cron-1"}}],
        "sessionInfo": {"status": "done"}}));
    assert_eq!(final_text(&all(run.events()).await), "both answered");
}

#[tokio::test]
async fn attachments_travel_and_wrong_requests_are_refused_at_once() {
    let world = world().await;
    let file = |content: &str| Attachment {
        name: "a.txt".into(),
        mime_type: "text/plain".into(),
        content: content.into(),
    };
    let with = |content: &str| ChatRequest {
        attachments: Some(vec![file(content)]),
        ..message("main", "see")
    };
    let run = world.hub.start(person(1), mine(), with("aGk=")).unwrap();
    let turn = world.gateway.take_message().await;
    assert_eq!(
        turn.params["attachments"][0],
        json!({"type": "file", "mimeType": "text/plain", "fileName": "a.txt", "content": "aGk="})
    );
    turn.finish("seen");
    all(run.events()).await;
    let refused = |request| {
        world
            .hub
            .start(person(1), mine(), request)
            .unwrap_err()
            .problem
    };
    assert_eq!(refused(with("not base64!")), ProblemCode::InvalidFields);
    assert_eq!(refused(message("a b", "x")), ProblemCode::InvalidFields);
    assert_eq!(refused(message("main", " ")), ProblemCode::InvalidFields);
    assert_eq!(refused(ChatRequest::default()), ProblemCode::InvalidFields);
}

#[tokio::test]
async fn a_file_that_the_gateway_would_not_take_is_named_before_it_is_sent() {
    let world = world().await;
    // The scripted gateway takes pictures of ten million bytes, and other files of twice that.
    let large = "A".repeat(14_000_000);
    let file = |name: &str, mime_type: &str| Attachment {
        name: name.into(),
        mime_type: mime_type.into(),
        content: large.clone(),
    };
    let see = |file| ChatRequest {
        attachments: Some(vec![file]),
        ..message("main", "see")
    };
    let picture = see(file("dot.png", "image/png"));
    let run = world.hub.start(person(1), mine(), picture).unwrap();
    let told = all(run.events()).await;
    let Some(ChatEvent::Error { message, code, .. }) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(code, "invalid-fields");
    assert_eq!(
        message,
        "dot.png has 10 MiB; the agent's gateway takes at most 9 MiB of such a file."
    );
    let other = see(file("dot.bin", "application/octet-stream"));
    let run = world.hub.start(person(1), mine(), other).unwrap();
    let turn = world.gateway.take_message().await;
    assert_eq!(turn.params["attachments"][0]["fileName"], "dot.bin");
    turn.finish("seen");
    assert_eq!(final_text(&all(run.events()).await), "seen");
}

fn completion(messages: serde_json::Value) -> CompletionRequest {
    serde_json::from_value(
        json!({"model": "agent", "messages": messages, "stream_options": {"include_usage": true}}),
    )
    .unwrap()
}

#[tokio::test]
async fn a_completion_has_a_session_of_its_own_that_is_deleted_afterwards() {
    let world = world().await;
    let request = completion(
        json!([{"role": "system", "content": "be short"}, {"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
    );
    let asked = world.hub.complete(person(1), mine(), &request).unwrap();
    let gateway = async {
        let turn = world.gateway.take_message().await;
        assert!(
            turn.session.starts_with("agent:main:api-crun_"),
            "{}",
            turn.session
        );
        assert!(
            turn.params["message"]
                .as_str()
                .unwrap()
                .contains("system: be short")
        );
        turn.finish("hello");
        let deleted = world.gateway.expect("sessions.delete").await;
        assert_eq!(deleted["params"]["key"], turn.session);
        world
            .gateway
            .ok(&deleted, json!({"ok": true, "deleted": true}));
    };
    let (answer, ()) = tokio::join!(asked.collect(), gateway);
    let answer = answer.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "hello");
    assert_eq!(answer["usage"]["total_tokens"], 7);
}

#[tokio::test]
async fn completion_chunks_join_to_the_answer() {
    let world = world().await;
    let asked = world
        .hub
        .complete(
            person(1),
            mine(),
            &completion(json!([{"role": "user", "content": "hi"}])),
        )
        .unwrap();
    let gateway = async {
        let turn = world.gateway.take_message().await;
        turn.say("Hel", "Hel");
        turn.finish("Hello");
        let deleted = world.gateway.expect("sessions.delete").await;
        world.gateway.ok(&deleted, json!({"deleted": true}));
    };
    let (chunks, ()) = tokio::join!(asked.chunks().collect::<Vec<_>>(), gateway);
    assert_eq!(chunks.last().unwrap(), "[DONE]");
    let text: String = chunks
        .iter()
        .filter_map(|chunk| serde_json::from_str::<serde_json::Value>(chunk).ok())
        .filter_map(|chunk| {
            chunk["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(text, "Hello");
    assert!(chunks[chunks.len() - 2].contains("total_tokens"));
}

#[tokio::test]
async fn a_client_of_the_compatible_form_that_leaves_stops_its_turn() {
    let world = world().await;
    let asked = world
        .hub
        .complete(
            person(1),
            mine(),
            &completion(json!([{"role": "user", "content": "hi"}])),
        )
        .unwrap();
    let turn = world.gateway.take_message().await;
    drop(asked);
    let abort = world.gateway.expect("chat.abort").await;
    assert_eq!(abort["params"]["runId"], turn.run);
    world.gateway.ok(&abort, json!({"ok": true, "runIds": []}));
    world.gateway.expect("sessions.delete").await;
}

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
