//! The pinned gateway itself: started on loopback with our rendered document and a small model server
//! inside the test. Runs when `FRACTAL_TEST_ENGINE` names a folder that holds `node_modules`.

mod support;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use fractal_openclaw::{
    dial::TcpDialer,
    document::{
        ApplyError, ExecMode, ModelAlias, ModelRef, Secrets, WireModels, apply_live, differences,
        render,
    },
    http::{healthz, readyz},
    ws::{
        AgentActivity, Attachment, ChatKind, ChatSend, Gateway, GatewayOptions, Incoming, Signal,
        Suspension,
    },
};
use fractal_types::Wire;
use secrecy::SecretString;
use support::{ModelServer, RealGateway, settings};

const LONG: Duration = Duration::from_secs(120);

fn send(session: &str, message: &str, key: &str) -> ChatSend {
    ChatSend {
        session_key: format!("agent:main:{session}"),
        message: message.to_owned(),
        idempotency_key: key.to_owned(),
        ..ChatSend::default()
    }
}

/// Waits for the first event of a conversation that `pick` wants.
async fn until<T>(
    events: &mut fractal_openclaw::ws::Events,
    mut pick: impl FnMut(Incoming) -> Option<T>,
) -> T {
    let looking = async {
        loop {
            if let Some(Signal::Event(event)) = events.next().await
                && let Some(found) = Incoming::read(&event).and_then(&mut pick)
            {
                return found;
            }
        }
    };
    tokio::time::timeout(LONG, looking)
        .await
        .expect("the event came in time")
}

/// One gateway serves the whole walk, because a start costs 6 CPU-seconds.
#[tokio::test]
async fn a_rendered_gateway_chats_asks_and_changes() {
    let Some(engine) = support::engine().await else {
        return;
    };
    let models = ModelServer::start().await;
    let home = tempfile::tempdir().unwrap();
    let mut settings = settings(home.path(), models.base_url());
    settings.wires = [
        Wire::OpenaiResponses,
        Wire::AnthropicMessages,
        Wire::GoogleGenerativeAi,
    ]
    .map(|wire| WireModels {
        wire,
        aliases: vec![ModelAlias::new("default")],
    })
    .to_vec();
    let document = render(&settings).unwrap();
    let running = RealGateway::start(&engine, home.path(), &document).await;
    let dialer = TcpDialer(running.address());
    assert!(healthz(&dialer).await.unwrap());
    let gateway = Gateway::connect(
        Arc::new(dialer),
        settings.gateway_token.clone(),
        GatewayOptions::default(),
    );
    let hello = gateway.wait_ready(LONG).await.unwrap();
    assert_eq!(hello.version, engine.version);
    assert!(hello.scopes.contains(&"operator.admin".to_owned()));
    running.wait_ready().await;
    let readiness = readyz(&dialer).await.unwrap();
    assert!(
        readiness.ready && readiness.suppressed.is_empty(),
        "{readiness:?}"
    );

    chats_on_every_wire(&gateway, &models).await;
    aborts_and_remembers(&gateway).await;
    takes_attachments(&gateway, &models).await;
    asks_before_a_command(&gateway).await;
    asks_the_person(&gateway).await;
    suspends_and_resumes(&gateway).await;
    gives_a_skill_its_variables(&gateway, &settings, home.path()).await;
    keeps_its_document(&gateway, &settings, &running).await;
}

async fn chats_on_every_wire(gateway: &Gateway, models: &ModelServer) {
    let turn = gateway
        .turn(&send("main", "good morning", "t1"), LONG)
        .await
        .unwrap();
    assert_eq!(turn.text, "Hello world");
    let wires = [
        (
            "fractal",
            "/llm/openai/v1/chat/completions",
            "authorization",
        ),
        (
            "fractal-responses",
            "/llm/responses/v1/responses",
            "authorization",
        ),
        (
            "fractal-anthropic",
            "/llm/anthropic/v1/messages",
            "x-api-key",
        ),
        (
            "fractal-google",
            "/llm/google/v1beta/models/default:streamGenerateContent?alt=sse",
            "x-goog-api-key",
        ),
    ];
    for (provider, path, header) in wires {
        let key = format!("agent:main:{provider}");
        gateway
            .request(
                "sessions.create",
                serde_json::json!({"key": key, "agentId": "main"}),
            )
            .await
            .unwrap();
        gateway
            .sessions_patch(
                &key,
                serde_json::json!({"model": format!("{provider}/default")}),
            )
            .await
            .unwrap();
        let turn = gateway
            .turn(&send(provider, "over this wire", provider), LONG)
            .await
            .unwrap();
        assert!(turn.text.starts_with("Hello"), "{provider}: {}", turn.text);
        let request = models.last();
        assert_eq!(request.target, path);
        assert!(
            request.headers[header].ends_with("instance-secret"),
            "{provider}"
        );
        assert!(request.body.to_string().contains("UTC] over this wire"));
    }
}

async fn aborts_and_remembers(gateway: &Gateway) {
    let mut events = gateway.subscribe();
    gateway
        .chat_send(&send("slow", "TRIGGER SLOW", "slow-1"))
        .await
        .unwrap();
    until(&mut events, |event| {
        matches!(&event, Incoming::Chat(chat) if chat.run_id == "slow-1" && matches!(chat.kind, ChatKind::Delta { .. }))
            .then_some(())
    })
    .await;
    assert_eq!(
        gateway
            .chat_abort("agent:main:slow", Some("slow-1"))
            .await
            .unwrap(),
        ["slow-1"]
    );
    let text = until(&mut events, |event| match event {
        Incoming::Chat(chat) if chat.run_id == "slow-1" => match chat.kind {
            ChatKind::Aborted { text } => Some(text),
            _ => None,
        },
        _ => None,
    })
    .await;
    assert!(text.starts_with("Slow"), "{text}");
    let history = gateway
        .chat_history("agent:main:main", Some(10), None)
        .await
        .unwrap();
    let messages = history["messages"].as_array().unwrap();
    assert_eq!(messages[0]["content"], "good morning");
    assert!(gateway.sessions_delete("agent:main:slow").await.unwrap());
    assert!(
        !gateway
            .sessions_list(50, 0)
            .await
            .unwrap()
            .to_string()
            .contains("agent:main:slow\"")
    );
}

async fn takes_attachments(gateway: &Gateway, models: &ModelServer) {
    let mut message = send("files", "see the files", "files-1");
    message.attachments = vec![
        Attachment {
            file_name: "note.txt".into(),
            mime_type: "text/plain".into(),
            base64: "aGVsbG8gbm90ZQ==".into(),
        },
        Attachment {
            file_name: "dot.png".into(),
            mime_type: "image/png".into(),
            base64: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==".into(),
        },
    ];
    gateway.turn(&message, LONG).await.unwrap();
    let body = models.last().body.to_string();
    assert!(body.contains("hello note") && body.contains("data:image/png;base64,"));
}

async fn asks_before_a_command(gateway: &Gateway) {
    let mut events = gateway.subscribe();
    gateway
        .chat_send(&send("exec", "TRIGGER EXEC", "exec-1"))
        .await
        .unwrap();
    let approval = until(&mut events, |event| match event {
        Incoming::ApprovalRequested(approval) => Some(approval),
        _ => None,
    })
    .await;
    assert_eq!(approval.command, "echo hello-from-exec");
    assert_eq!(approval.run_id.as_deref(), Some("exec-1"));
    assert_eq!(
        gateway.exec_approval_list().await.unwrap(),
        std::slice::from_ref(&approval)
    );
    gateway
        .exec_approval_resolve(&approval.id, "allow-once")
        .await
        .unwrap();
    let output = until(&mut events, |event| match event {
        Incoming::Agent(agent) => match agent.activity {
            AgentActivity::ToolEnded {
                output,
                failed: false,
                ..
            } => Some(output),
            _ => None,
        },
        _ => None,
    })
    .await;
    assert_eq!(output, "hello-from-exec");
    wait_for_end(&mut events, "exec-1").await;
}

async fn asks_the_person(gateway: &Gateway) {
    let mut events = gateway.subscribe();
    gateway
        .chat_send(&send("ask", "TRIGGER ASK", "ask-1"))
        .await
        .unwrap();
    let question = until(&mut events, |event| match event {
        Incoming::QuestionRequested(question) => Some(question),
        _ => None,
    })
    .await;
    assert_eq!(question.items[0].question, "Which color?");
    assert_eq!(
        gateway.question_list().await.unwrap(),
        std::slice::from_ref(&question)
    );
    let answers = BTreeMap::from([(question.items[0].id.clone(), vec!["Red".to_owned()])]);
    gateway
        .question_resolve(&question.id, Some(&answers))
        .await
        .unwrap();
    until(&mut events, |event| {
        matches!(&event, Incoming::QuestionResolved(resolved) if resolved.outcome == "answered")
            .then_some(())
    })
    .await;
    wait_for_end(&mut events, "ask-1").await;
}

async fn wait_for_end(events: &mut fractal_openclaw::ws::Events, run: &str) {
    until(events, |event| {
        matches!(&event, Incoming::Chat(chat) if chat.run_id == run && chat.kind.is_end())
            .then_some(())
    })
    .await;
}

async fn suspends_and_resumes(gateway: &Gateway) {
    assert_eq!(
        gateway.suspend_status("none").await.unwrap(),
        Suspension::Running
    );
    let fence = async {
        loop {
            match gateway.suspend_prepare("request-1", true).await.unwrap() {
                Suspension::Ready { id: Some(id), .. } => return id,
                // Preparing is limited to 30 a minute.
                _ => tokio::time::sleep(Duration::from_secs(2)).await,
            }
        }
    };
    let id = tokio::time::timeout(LONG, fence).await.unwrap();
    let refused = gateway.cron_status().await.unwrap_err();
    assert!(refused.is_suspended() && refused.retryable, "{refused}");
    assert!(gateway.suspend_resume(&id).await.unwrap());
    assert!(!gateway.cron_status().await.unwrap().enabled);
    assert!(gateway.restart_preflight().await.unwrap().safe);
}

/// Whether the skill can be used, and the variables it lacks.
async fn trello(gateway: &Gateway) -> (bool, Vec<String>) {
    let answer = gateway.skills_status().await.unwrap();
    let skills = answer["skills"].as_array().unwrap();
    let skill = skills.iter().find(|skill| skill["skillKey"] == "trello");
    let skill = skill.expect("it is one of the gateway's own");
    let env = skill["missing"]["env"].as_array().unwrap();
    let env = env.iter().map(|name| name.as_str().unwrap().to_owned());
    (skill["eligible"] == true, env.collect())
}

/// What a command of the agent finds in its environment.
async fn environment(gateway: &Gateway, session: &str) -> String {
    let mut events = gateway.subscribe();
    gateway
        .chat_send(&send(session, "TRIGGER ENV", session))
        .await
        .unwrap();
    let output = until(&mut events, |event| match event {
        Incoming::Agent(agent) => match agent.activity {
            AgentActivity::ToolEnded { output, .. } => Some(output),
            _ => None,
        },
        _ => None,
    })
    .await;
    wait_for_end(&mut events, session).await;
    output
}

async fn gives_a_skill_its_variables(
    gateway: &Gateway,
    settings: &fractal_openclaw::document::GatewaySettings,
    home: &std::path::Path,
) {
    let boot = gateway.hello().unwrap().boot_id.clone();
    let mut wanted = settings.clone();
    wanted.tools.exec = ExecMode::Full;
    let apply = async |wanted: &fractal_openclaw::document::GatewaySettings| {
        let document = render(wanted).unwrap();
        let applied = apply_live(gateway, &document, Secrets::Variables).await;
        assert!(!applied.unwrap().restart_required);
    };
    let needs = ["TRELLO_API_KEY", "TRELLO_TOKEN"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(trello(gateway).await, (false, needs.clone()));
    gateway
        .turn(&send("before", "hello", "before-1"), LONG)
        .await
        .unwrap();

    let variable = |name: &str, value: &str| (name.parse().unwrap(), SecretString::from(value));
    let odd = r#"a "b" 'c' \d $1 ${HOME} $${HOME} ${lower}"#;
    let variables = BTreeMap::from([
        variable("TRELLO_API_KEY", "first-value"),
        variable("TRELLO_TOKEN", odd),
        variable("TRELLO_BOARD", "a ${HOME} b"),
        // A name that looks secret and that the skill does not ask for is held back by the gateway.
        variable("OTHER_TOKEN", "other-value"),
    ]);
    wanted.skills = BTreeMap::from([("trello".parse().unwrap(), variables)]);
    apply(&wanted).await;
    assert_eq!(trello(gateway).await, (true, Vec::new()));
    let expected = format!("first-value\n{odd}\na ${{HOME}} b");
    assert_eq!(environment(gateway, "before").await, expected);

    // Another value, though a gateway shows neither.
    let skill = wanted.skills.values_mut().next().unwrap();
    skill.extend([variable("TRELLO_API_KEY", "second-value")]);
    skill.remove(&"TRELLO_BOARD".parse().unwrap());
    apply(&wanted).await;
    let expected = format!("second-value\n{odd}");
    assert_eq!(environment(gateway, "second").await, expected);

    // One taken away: the skill cannot be used, so it gets none. Then all of them.
    skill_without_token(&mut wanted);
    apply(&wanted).await;
    assert_eq!(trello(gateway).await, (false, needs[1..].to_vec()));
    assert_eq!(environment(gateway, "third").await, "(no output)");
    wanted.skills.clear();
    apply(&wanted).await;
    assert_eq!(trello(gateway).await, (false, needs));
    let document = std::fs::read_to_string(home.join("openclaw.json")).unwrap();
    assert!(!document.contains("-value"), "{document}");
    apply(settings).await;
    assert_eq!(gateway.hello().unwrap().boot_id, boot, "without a restart");
    for log in ["gateway.log", "output.log"] {
        let text = std::fs::read_to_string(home.join(log)).unwrap_or_default();
        assert!(!text.contains("-value"), "{log} shows a value");
    }
}

fn skill_without_token(settings: &mut fractal_openclaw::document::GatewaySettings) {
    for skill in settings.skills.values_mut() {
        skill.remove(&"TRELLO_TOKEN".parse().unwrap());
    }
}

async fn keeps_its_document(
    gateway: &Gateway,
    settings: &fractal_openclaw::document::GatewaySettings,
    running: &RealGateway,
) {
    let mut wanted = settings.clone();
    let document = render(&wanted).unwrap();
    let snapshot = gateway.config_get().await.unwrap();
    assert!(snapshot.applied && snapshot.valid);
    assert_eq!(
        differences(&document, &snapshot.source),
        [],
        "the gateway keeps what we rendered"
    );
    let unchanged = apply_live(gateway, &document, Secrets::Unchanged)
        .await
        .unwrap();
    assert_eq!(unchanged.changed, Vec::<String>::new());

    // Hot: another model, a wire less, other rules for commands. Same process, same generation.
    let before = gateway.hello().unwrap().boot_id.clone();
    wanted.wires = vec![WireModels {
        wire: Wire::AnthropicMessages,
        aliases: vec![ModelAlias::new("other")],
    }];
    wanted.primary = ModelRef {
        wire: Wire::AnthropicMessages,
        alias: "other".into(),
    };
    wanted.tools.exec = ExecMode::Deny;
    let document = render(&wanted).unwrap();
    let applied = apply_live(gateway, &document, Secrets::Unchanged)
        .await
        .unwrap();
    assert!(!applied.restart_required, "{applied:?}");
    assert!(
        applied
            .changed
            .contains(&"/models/providers/fractal-google".to_owned()),
        "{applied:?}"
    );
    let turn = gateway
        .turn(&send("hot", "hello", "hot-1"), LONG)
        .await
        .unwrap();
    assert_eq!(turn.text, "Hello anthropic");

    // The token too; the connection comes back with the new one.
    wanted.gateway_token = SecretString::from("another-gateway-secret");
    let document = render(&wanted).unwrap();
    apply_live(gateway, &document, Secrets::Changed)
        .await
        .unwrap();
    let fresh = Gateway::connect(
        Arc::new(TcpDialer(running.address())),
        wanted.gateway_token.clone(),
        GatewayOptions::default(),
    );
    let hello = fresh.wait_ready(LONG).await.unwrap();
    assert_eq!(hello.boot_id, before);
    gateway.wait_ready(LONG).await.unwrap();
    assert!(gateway.system_info().await.unwrap()["pid"].is_number());

    // What a gateway refuses is named.
    let mut bad = render(&wanted).unwrap();
    bad.config["tools"]["profile"] = serde_json::json!("no-such-profile");
    match apply_live(gateway, &bad, Secrets::Unchanged)
        .await
        .unwrap_err()
    {
        ApplyError::Rpc(error) => assert!(error.message.contains("invalid config"), "{error}"),
        other => panic!("{other}"),
    }
}
