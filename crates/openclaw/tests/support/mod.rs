//! A model server that speaks every wire, and a gateway process.

use std::{
    collections::HashMap,
    net::SocketAddr,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex},
    time::Duration,
};

use fractal_openclaw::{
    dial::TcpDialer,
    document::{AgentSettings, BrokerEndpoint, GatewaySettings, ModelRef, Rendered, ToolPolicy},
    engine::EngineInfo,
    http::readyz,
};
use futures::StreamExt;
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response,
    body::{Bytes, Frame, Incoming},
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

/// The engine to test with, or the reason why there is none, printed.
pub async fn engine() -> Option<EngineInfo> {
    let Some(root) = std::env::var_os("FRACTAL_TEST_ENGINE") else {
        let why = "FRACTAL_TEST_ENGINE names no engine";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
        eprintln!("skipped: {why}");
        return None;
    };
    Some(
        EngineInfo::at(root)
            .await
            .expect("FRACTAL_TEST_ENGINE names a working engine"),
    )
}

/// Settings of a throw-away gateway below `home`.
pub fn settings(home: &Path, broker: String) -> GatewaySettings {
    GatewaySettings {
        port: free_port(),
        gateway_token: SecretString::from("gateway-secret"),
        broker: BrokerEndpoint {
            base_url: broker,
            instance_token: SecretString::from("instance-secret"),
        },
        wires: Vec::new(),
        primary: ModelRef::standard(),
        agent: AgentSettings {
            name: "Ada".into(),
            emoji: None,
            workspace: home.join("workspace"),
        },
        tools: ToolPolicy::default(),
        skills: std::collections::BTreeMap::new(),
        heartbeat_every: None,
        cron_enabled: false,
        log_file: home.join("gateway.log"),
    }
}

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A gateway process; killed when dropped.
pub struct RealGateway {
    address: SocketAddr,
    child: Child,
}

impl RealGateway {
    /// Starts it and waits until it serves HTTP.
    pub async fn start(engine: &EngineInfo, home: &Path, document: &Rendered) -> Self {
        let port = u16::try_from(document.config["gateway"]["port"].as_u64().unwrap()).unwrap();
        let config = home.join("openclaw.json");
        std::fs::create_dir_all(home.join("workspace")).unwrap();
        std::fs::create_dir_all(home.join("state")).unwrap();
        std::fs::write(&config, document.config.to_string()).unwrap();
        let log = std::fs::File::create(home.join("output.log")).unwrap();
        let child = Command::new(&engine.node)
            .arg(&engine.entry)
            .args(["gateway", "run"])
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home)
            .env("OPENCLAW_HOME", home)
            .env("OPENCLAW_STATE_DIR", home.join("state"))
            .env("OPENCLAW_CONFIG_PATH", &config)
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
            .unwrap();
        let mut gateway = Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            child,
        };
        gateway.wait(|readiness| readiness.is_some()).await;
        gateway
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until `/readyz` is true.
    pub async fn wait_ready(&self) {
        wait(self.address, |seen| seen == Some(true)).await;
    }

    async fn wait(&mut self, wanted: impl Fn(Option<bool>) -> bool) {
        tokio::select! {
            () = wait(self.address, wanted) => {}
            status = self.child.wait() => panic!("the gateway ended: {status:?}"),
        }
    }
}

async fn wait(address: SocketAddr, wanted: impl Fn(Option<bool>) -> bool) {
    let look = async {
        while !wanted(
            readyz(&TcpDialer(address))
                .await
                .ok()
                .map(|seen| seen.ready),
        ) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(120), look)
        .await
        .expect("the gateway came up");
}

/// What the model server received.
#[derive(Debug, Clone)]
pub struct Received {
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: Value,
}

/// A server that answers every wire with a fixed text, and some words in a message with a tool call.
pub struct ModelServer {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
}

impl ModelServer {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let received = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let log = Arc::clone(&log);
                let service = service_fn(move |request| answer(request, Arc::clone(&log)));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, received }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn last(&self) -> Received {
        self.received
            .lock()
            .unwrap()
            .last()
            .expect("a request came")
            .clone()
    }
}

type Body = BoxBody<Bytes, std::convert::Infallible>;

async fn answer(
    request: Request<Incoming>,
    log: Arc<Mutex<Vec<Received>>>,
) -> Result<Response<Body>, hyper::Error> {
    let (parts, body) = request.into_parts();
    let body: Value = serde_json::from_slice(&body.collect().await?.to_bytes()).unwrap_or_default();
    let target = parts.uri.path_and_query().unwrap().to_string();
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| {
            (
                name.to_string(),
                String::from_utf8_lossy(value.as_bytes()).into_owned(),
            )
        })
        .collect();
    log.lock().unwrap().push(Received {
        target: target.clone(),
        headers,
        body: body.clone(),
    });
    let (frames, endless) = match target.as_str() {
        path if path.ends_with("/chat/completions") => completions(&body),
        path if path.ends_with("/responses") => (responses(&body), false),
        path if path.ends_with("/messages") => (messages(&body), false),
        _ => (google(), false),
    };
    let frames = futures::stream::iter(frames);
    let frames = if endless {
        frames.chain(futures::stream::pending()).left_stream()
    } else {
        frames.right_stream()
    };
    let body = StreamBody::new(frames.map(|text| Ok(Frame::data(Bytes::from(text)))));
    Ok(Response::builder()
        .header("content-type", "text/event-stream")
        .body(BodyExt::boxed(body))
        .unwrap())
}

fn plain(frame: &Value) -> String {
    format!("data: {frame}\n\n")
}

fn named(frame: &Value) -> String {
    format!(
        "event: {}\ndata: {frame}\n\n",
        frame["type"].as_str().unwrap()
    )
}

/// Frames, and whether the stream then stays open.
fn completions(body: &Value) -> (Vec<String>, bool) {
    let chunk = |delta: Value, end: Value| {
        plain(
            &json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": body["model"],
            "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}),
        )
    };
    let usage = plain(
        &json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": body["model"],
        "choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}),
    );
    let done = "data: [DONE]\n\n".to_owned();
    let messages = body["messages"].as_array().unwrap();
    let answered = messages.iter().any(|message| message["role"] == "tool");
    let said = |word: &str| {
        !answered
            && messages
                .iter()
                .any(|message| message["role"] == "user" && message.to_string().contains(word))
    };
    let call = |name: &str, args: Value| {
        let call = json!({"role": "assistant", "tool_calls": [{"index": 0, "id": "call_1", "type": "function",
            "function": {"name": name, "arguments": args.to_string()}}]});
        vec![
            chunk(call, Value::Null),
            chunk(json!({}), json!("tool_calls")),
            usage.clone(),
            done.clone(),
        ]
    };
    if said("TRIGGER EXEC") {
        return (
            call("exec", json!({"command": "echo hello-from-exec"})),
            false,
        );
    }
    if said("TRIGGER ENV") {
        // What a skill's program would find.
        return (
            call(
                "exec",
                json!({"command": "printenv TRELLO_API_KEY TRELLO_TOKEN TRELLO_BOARD OTHER_TOKEN || true"}),
            ),
            false,
        );
    }
    if said("TRIGGER ASK") {
        // Less common tools are called through the gateway's own search.
        let question = json!({"id": "color", "header": "Color", "question": "Which color?",
            "options": [{"label": "Red"}, {"label": "Blue"}]});
        return (
            call(
                "tool_call",
                json!({"id": "ask_user", "args": {"questions": [question]}}),
            ),
            false,
        );
    }
    if said("TRIGGER SLOW") {
        return (
            vec![chunk(
                json!({"role": "assistant", "content": "Slow words"}),
                Value::Null,
            )],
            true,
        );
    }
    (
        vec![
            chunk(
                json!({"role": "assistant", "content": "Hello "}),
                Value::Null,
            ),
            chunk(json!({"content": "world"}), Value::Null),
            chunk(json!({}), json!("stop")),
            usage,
            done,
        ],
        false,
    )
}

fn responses(body: &Value) -> Vec<String> {
    let part = json!({"type": "output_text", "text": "Hello responses", "annotations": []});
    let item = json!({"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]});
    let mut response = json!({"id": "r", "object": "response", "created_at": 1, "model": body["model"],
        "status": "in_progress", "output": []});
    let created = json!({"type": "response.created", "response": response});
    response["status"] = json!("completed");
    response["output"] = json!([item]);
    response["usage"] = json!({"input_tokens": 3, "output_tokens": 2, "total_tokens": 5});
    let opened = json!({"type": "message", "id": "m", "role": "assistant", "status": "in_progress", "content": []});
    [
        created,
        json!({"type": "response.output_item.added", "output_index": 0, "item": opened}),
        json!({"type": "response.content_part.added", "item_id": "m", "output_index": 0, "content_index": 0,
            "part": {"type": "output_text", "text": "", "annotations": []}}),
        json!({"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "content_index": 0,
            "delta": "Hello responses"}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": response}),
    ]
    .iter()
    .map(named)
    .collect()
}

fn messages(body: &Value) -> Vec<String> {
    [
        json!({"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
            "model": body["model"], "content": [], "stop_reason": null, "usage": {"input_tokens": 3, "output_tokens": 0}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hello anthropic"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 3}}),
        json!({"type": "message_stop"}),
    ]
    .iter()
    .map(named)
    .collect()
}

fn google() -> Vec<String> {
    vec![plain(
        &json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello google"}]},
        "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}}),
    )]
}
