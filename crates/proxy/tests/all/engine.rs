//! Broker and chat with a real gateway between them. Needs `FRACTAL_TEST_ENGINE`, the folder of an engine.

use std::{any::Any, path::Path, process::Stdio, sync::Arc, time::Duration};

use async_trait::async_trait;
use fractal_api_types::{ApprovalDecision, ChatEvent, ChatRequest, ProviderFaultCode, ToolPhase};
use fractal_clock::{SystemClock, SystemEntropy};
use fractal_openclaw::{
    dial::TcpDialer,
    document::{
        AgentSettings, BrokerEndpoint, GatewaySettings, ModelAlias, ModelRef, ToolPolicy,
        WireModels, render,
    },
    engine::EngineInfo,
    http::readyz,
    ws::{Gateway, GatewayOptions},
};
use fractal_proxy::{
    broker::DEMO_LABEL,
    chat::{ChatHub, ChatSettings},
    ports::{ChatFailure, InstanceAccess, Progress},
};
use fractal_testing::fake_provider::{Behaviour, FakeProvider};
use fractal_types::{Actor, InstanceId, OrganizationId, ProviderKind, Wire};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::json;
use tokio::process::{Child, Command};
use uuid::Uuid;

use crate::support::{Ports, Served, TOKEN, WIRES, base, mine, serve};

#[derive(Debug)]
struct Awake(Gateway);

#[async_trait]
impl InstanceAccess for Awake {
    async fn ensure_ready(
        &self,
        _: &Actor,
        _: InstanceId,
        _: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Gateway, ChatFailure> {
        Ok(self.0.clone())
    }

    async fn if_awake(&self, _: &Actor, _: InstanceId) -> Result<Option<Gateway>, ChatFailure> {
        Ok(Some(self.0.clone()))
    }

    fn busy(&self, _: InstanceId) -> Box<dyn Any + Send + Sync> {
        Box::new(())
    }
}

struct Real {
    served: Served,
    hub: ChatHub,
    gateway: Gateway,
    _process: Child,
    _home: tempfile::TempDir,
}

fn me() -> Actor {
    Actor::system(OrganizationId::from_uuid(Uuid::from_u128(1)))
}

impl Real {
    async fn start() -> Option<Self> {
        let Some(root) = std::env::var_os("FRACTAL_TEST_ENGINE") else {
            fractal_testing::skipped("FRACTAL_TEST_ENGINE names no engine");
            return None;
        };
        let engine = EngineInfo::at(root)
            .await
            .expect("FRACTAL_TEST_ENGINE names a working engine");
        let served = serve(Ports::routed_to(ProviderKind::Demo, ""));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let broker = format!("http://{}", listener.local_addr().unwrap());
        let router = served.broker.router(mine());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let home = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let settings = GatewaySettings {
            port,
            gateway_token: SecretString::from("gateway-secret"),
            broker: BrokerEndpoint {
                base_url: broker,
                instance_token: SecretString::from(TOKEN),
            },
            wires: WIRES
                .map(|wire| WireModels {
                    wire,
                    aliases: vec![ModelAlias::new("default")],
                })
                .to_vec(),
            primary: ModelRef::standard(),
            agent: AgentSettings {
                name: "Ada".into(),
                emoji: None,
                workspace: home.path().join("workspace"),
            },
            tools: ToolPolicy::default(),
            skills: std::collections::BTreeMap::new(),
            heartbeat_every: None,
            cron_enabled: false,
            log_file: home.path().join("gateway.log"),
        };
        let process = spawn(
            &engine,
            home.path(),
            &render(&settings).unwrap().config.to_string(),
        );
        let dialer = TcpDialer(([127, 0, 0, 1], port).into());
        let up = async {
            while !readyz(&dialer).await.is_ok_and(|seen| seen.ready) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(120), up)
            .await
            .expect("the gateway came up");
        let gateway = Gateway::connect(
            Arc::new(dialer),
            settings.gateway_token.clone(),
            GatewayOptions::default(),
        );
        gateway.wait_ready(Duration::from_secs(30)).await.unwrap();
        let hub = ChatHub::new(
            Arc::new(Awake(gateway.clone())),
            served.faults.clone(),
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
            ChatSettings::default(),
        );
        Some(Self {
            served,
            hub,
            gateway,
            _process: process,
            _home: home,
        })
    }

    /// One turn; approvals are given.
    async fn turn(&self, session: &str, text: &str) -> Vec<ChatEvent> {
        let request = ChatRequest {
            session: Some(session.to_owned()),
            message: Some(text.to_owned()),
            ..ChatRequest::default()
        };
        let run = self.hub.start(me(), mine(), request).unwrap();
        let mut events = run.events();
        let mut heard = Vec::new();
        let all = async {
            while let Some((_, event)) = events.next().await {
                if let ChatEvent::Approval {
                    id, decision: None, ..
                } = &event
                {
                    self.hub
                        .resolve_approval(&me(), run.id(), id, ApprovalDecision::AllowOnce)
                        .await
                        .unwrap();
                }
                heard.push(event);
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(40), all).await;
        if ended.is_err() {
            self.hub.abort(&me(), run.id()).unwrap();
        }
        assert!(
            ended.is_ok(),
            "the turn {text:?} in {session} does not end: {heard:?}"
        );
        heard
    }

    fn use_provider(&self, wire: Wire, provider: &FakeProvider) {
        let (kind, address) = base(wire, provider);
        let mut route = self.served.ports.route.lock().unwrap();
        let route = route.as_mut().unwrap();
        (route.kind, route.base_url) = (kind, address);
    }
}

fn spawn(engine: &EngineInfo, home: &Path, config: &str) -> Child {
    let path = home.join("openclaw.json");
    std::fs::create_dir_all(home.join("workspace")).unwrap();
    std::fs::write(&path, config).unwrap();
    let log = std::fs::File::create(home.join("output.log")).unwrap();
    Command::new(&engine.node)
        .arg(&engine.entry)
        .args(["gateway", "run"])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", home)
        .env("OPENCLAW_HOME", home)
        .env("OPENCLAW_STATE_DIR", home.join("state"))
        .env("OPENCLAW_CONFIG_PATH", &path)
        .env("OPENCLAW_NO_RESPAWN", "1")
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .env("OPENCLAW_EXEC_SHELL_SNAPSHOT", "0")
        .env("OPENCLAW_OFFLINE", "1")
        .env("OPENCLAW_NO_AUTO_UPDATE", "1")
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

fn answer(events: &[ChatEvent]) -> &str {
    match events.last() {
        Some(ChatEvent::Final { text, .. }) => text,
        _ => panic!("no answer: {events:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_gateway_lets_the_demo_talk_and_forgives_every_refusal() {
    let Some(real) = Real::start().await else {
        return;
    };

    let first = real.turn("main", "good morning").await;
    let said = answer(&first);
    assert!(
        said.contains(DEMO_LABEL)
            && said.contains("“good morning”")
            && said.contains("no earlier message"),
        "{said}"
    );
    assert!(
        first.iter().filter(|event| event.name() == "delta").count() > 1,
        "streamed: {first:?}"
    );
    let said = real.turn("main", "and again").await;
    assert!(
        answer(&said).contains("1 earlier message of yours"),
        "{said:?}"
    );
    let tool = real.turn("tools", "please use a tool").await;
    assert!(
        tool.iter().any(|event| matches!(
            event,
            ChatEvent::Tool {
                phase: ToolPhase::Done,
                ..
            }
        )),
        "{tool:?}"
    );
    assert!(answer(&tool).contains("The tool call worked"), "{tool:?}");
    let command = real.turn("tools", "please run a command").await;
    assert!(
        answer(&command).contains("hello from the demo"),
        "{command:?}"
    );
    let history = real
        .hub
        .history(&me(), mine(), "tools", 50, 0, false)
        .await
        .unwrap();
    assert_eq!(
        history
            .messages
            .iter()
            .map(|message| message.role.as_str())
            .collect::<Vec<_>>(),
        ["user", "assistant", "user", "assistant"]
    );
    assert_eq!(history.messages[0].text, "please use a tool");
    assert_eq!(history.messages[1].tools.len(), 1);

    let mut measured = Vec::new();
    for wire in WIRES {
        let session = format!("w-{}", wire.path_segment());
        let key = format!("agent:main:{session}");
        real.gateway
            .request("sessions.create", json!({"key": key, "agentId": "main"}))
            .await
            .unwrap();
        let model = format!("{}/default", wire.gateway_provider_id());
        real.gateway
            .sessions_patch(&key, json!({"model": model}))
            .await
            .unwrap();
        for (behaviour, code) in [
            (
                Behaviour::Status(401, json!({"error": {"message": "Incorrect API key"}})),
                ProviderFaultCode::KeyRefused,
            ),
            (Behaviour::quota(), ProviderFaultCode::QuotaExceeded),
            (Behaviour::rate_limited(), ProviderFaultCode::RateLimited),
            (Behaviour::broken(), ProviderFaultCode::ProviderError),
            (
                Behaviour::ErrorInStream(
                    json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
                ),
                ProviderFaultCode::ProviderError,
            ),
        ] {
            let provider = FakeProvider::start().await.unwrap();
            // Told once only: a gateway that repeats the call gets its answer and is found out.
            provider.usually(behaviour.clone());
            real.use_provider(wire, &provider);
            let began = std::time::Instant::now();
            let failed = real.turn(&session, "hello").await;
            let took = began.elapsed();
            let Some(ChatEvent::Error {
                provider: Some(fault),
                ..
            }) = failed.last()
            else {
                panic!("{wire:?} {behaviour:?}: {failed:?}");
            };
            assert_eq!(fault.code, code, "{wire:?} {behaviour:?}");
            let calls = provider.calls().len();
            provider.usually(Behaviour::Answer("mended".to_owned()));
            let began = std::time::Instant::now();
            let good = real.turn(&session, "hello again").await;
            assert_eq!(answer(&good), "mended");
            eprintln!(
                "{wire:?} {behaviour:?}: {calls} calls in {took:?}, then {:?}",
                began.elapsed()
            );
            measured.push((
                wire,
                behaviour,
                calls,
                took,
                provider.calls().len() - calls,
                began.elapsed(),
            ));
        }
    }
    for (wire, behaviour, calls, took, next, next_took) in measured {
        assert!(
            next_took < Duration::from_secs(10),
            "{wire:?} {behaviour:?}: the next turn waited"
        );
        assert_eq!(next, 1, "{wire:?} {behaviour:?}");
        assert!(took < Duration::from_secs(10), "{wire:?} {behaviour:?}");
        assert_eq!(
            calls, 1,
            "{wire:?} {behaviour:?}: the gateway repeated a refused call"
        );
    }
}
