//! A model provider on loopback that speaks every wire, does what it is told and remembers what it was
//! asked. It shares no code with the broker, so that the two check each other.

mod wires;

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, StatusCode, header};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};

pub use wires::FakeWire;

/// What the provider does with a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Behaviour {
    /// Answers this text.
    Answer(String),
    /// Calls a tool; when the request already holds a tool's result, answers the text.
    ToolThenAnswer {
        /// The tool.
        tool: String,
        /// Its arguments.
        args: Value,
        /// The text afterwards.
        answer: String,
    },
    /// Answers with this status and body.
    Status(u16, Value),
    /// Takes the request and never answers.
    Hang,
    /// Streams the words with this wait before each.
    Slow(String, Duration),
    /// Streams this many words of the text, then never goes on.
    Stall(String, usize),
    /// Streams this many words of the text, then breaks the connection.
    Drop(String, usize),
    /// Streams one word, then an error inside the stream.
    ErrorInStream(Value),
}

impl Behaviour {
    /// Quota used up, as `OpenAI` says it.
    #[must_use]
    pub fn quota() -> Self {
        Self::Status(
            429,
            json!({"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "code": "insufficient_quota"}}),
        )
    }

    /// Too many requests.
    #[must_use]
    pub fn rate_limited() -> Self {
        Self::Status(
            429,
            json!({"error": {"message": "Rate limit reached", "type": "rate_limit_error"}}),
        )
    }

    /// A fault of the provider itself.
    #[must_use]
    pub fn broken() -> Self {
        Self::Status(
            500,
            json!({"error": {"message": "internal", "type": "server_error"}}),
        )
    }
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// Its method.
    pub method: String,
    /// Its path without the query.
    pub path: String,
    /// Its query.
    pub query: Option<String>,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; `null` when it was not JSON.
    pub body: Value,
}

impl Recorded {
    /// The key it came with, wherever the wire puts it.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        let text = |name: &str| self.headers.get(name)?.to_str().ok().map(str::to_owned);
        text("authorization")
            .and_then(|value| value.strip_prefix("Bearer ").map(str::to_owned))
            .or_else(|| text("x-api-key"))
            .or_else(|| text("x-goog-api-key"))
    }
}

#[derive(Debug)]
struct Inner {
    usual: Behaviour,
    next: VecDeque<Behaviour>,
    keys: Vec<String>,
    models: Option<Vec<String>>,
    requests: Vec<Recorded>,
}

#[derive(Debug, Clone)]
struct Shared {
    inner: Arc<Mutex<Inner>>,
    arrived: Arc<Notify>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The provider. It ends when dropped.
#[derive(Debug)]
pub struct FakeProvider {
    port: u16,
    shared: Shared,
    served: JoinHandle<()>,
}

impl FakeProvider {
    /// Starts one on a free port. It accepts every key and answers "Hello from the fake provider".
    ///
    /// # Errors
    ///
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let shared = Shared {
            inner: Arc::new(Mutex::new(Inner {
                usual: Behaviour::Answer("Hello from the fake provider".to_owned()),
                next: VecDeque::new(),
                keys: Vec::new(),
                models: Some(vec!["fake-1".to_owned(), "fake-2".to_owned()]),
                requests: Vec::new(),
            })),
            arrived: Arc::default(),
        };
        let router = Router::new().fallback(serve).with_state(shared.clone());
        let served = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self {
            port,
            shared,
            served,
        })
    }

    /// Its address without a version: what Anthropic and Google bases look like.
    #[must_use]
    pub fn root_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Its address with `/v1`: what `OpenAI`-compatible bases look like.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("{}/v1", self.root_url())
    }

    /// From now on only these keys are accepted; none at all means every key is.
    pub fn accept_keys(&self, keys: &[&str]) {
        self.shared.lock().keys = keys.iter().map(|key| (*key).to_owned()).collect();
    }

    /// The models it lists; `None`: it does not know how to list.
    pub fn list_models(&self, models: Option<&[&str]>) {
        self.shared.lock().models =
            models.map(|models| models.iter().map(|name| (*name).to_owned()).collect());
    }

    /// What it does unless told otherwise.
    pub fn usually(&self, behaviour: Behaviour) {
        self.shared.lock().usual = behaviour;
    }

    /// What it does with the next call; several are taken in order.
    pub fn next(&self, behaviour: Behaviour) {
        self.shared.lock().next.push_back(behaviour);
    }

    /// Every request so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.lock().requests.clone()
    }

    /// The model calls so far, without lists of models.
    #[must_use]
    pub fn calls(&self) -> Vec<Recorded> {
        let mut all = self.requests();
        all.retain(|request| request.method == "POST");
        all
    }

    /// Waits until this many requests have arrived.
    ///
    /// # Panics
    ///
    /// When that takes longer than 30 seconds.
    pub async fn wait_for(&self, count: usize) {
        let all_there = async {
            loop {
                let arrived = self.shared.arrived.notified();
                tokio::pin!(arrived);
                arrived.as_mut().enable();
                if self.shared.lock().requests.len() >= count {
                    return;
                }
                arrived.await;
            }
        };
        assert!(
            tokio::time::timeout(Duration::from_secs(30), all_there)
                .await
                .is_ok(),
            "fewer than {count} requests arrived in 30 seconds"
        );
    }
}

impl Drop for FakeProvider {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn serve(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = axum::body::to_bytes(body, 256 << 20)
        .await
        .unwrap_or_default();
    let recorded = Recorded {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    };
    let (key, path, body) = (recorded.key(), recorded.path.clone(), recorded.body.clone());
    let listing = recorded.method == "GET" && path.ends_with("/models");
    let behaviour = {
        let mut inner = shared.lock();
        inner.requests.push(recorded);
        let refused = !inner.keys.is_empty() && key.is_none_or(|key| !inner.keys.contains(&key));
        if refused {
            Behaviour::Status(
                401,
                json!({"error": {"message": "Incorrect API key provided: sk-***", "type": "invalid_request_error", "code": "invalid_api_key"}}),
            )
        } else if listing {
            match &inner.models {
                Some(models) => Behaviour::Status(200, wires::list(&path, models)),
                None => Behaviour::Status(404, json!({"error": {"message": "no such page"}})),
            }
        } else {
            let usual = inner.usual.clone();
            inner.next.pop_front().unwrap_or(usual)
        }
    };
    shared.arrived.notify_waiters();
    let Some(wire) = FakeWire::of(&path) else {
        return match behaviour {
            Behaviour::Status(status, body) => status_response(status, body),
            _ => StatusCode::NOT_FOUND.into_response(),
        };
    };
    answer(wire, &path, &body, behaviour).await
}

async fn answer(wire: FakeWire, path: &str, body: &Value, behaviour: Behaviour) -> Response {
    let streams = body["stream"] == true || path.ends_with(":streamGenerateContent");
    let say = |text: &str| wire.text(body, text);
    let cut = |text: &str, words: usize| -> Vec<String> {
        say(text).into_iter().take(wire.opening() + words).collect()
    };
    let (events, pace, end) = match behaviour {
        Behaviour::Status(status, body) => return status_response(status, body),
        Behaviour::Hang => std::future::pending().await,
        Behaviour::Answer(text) if !streams => {
            return axum::Json(wire.whole_text(body, &text)).into_response();
        }
        Behaviour::Answer(text) => (say(&text), Duration::ZERO, End::Clean),
        Behaviour::ToolThenAnswer { tool, args, answer } => {
            let events = if wire.has_result(body) {
                say(&answer)
            } else {
                wire.call(body, &tool, &args)
            };
            (events, Duration::ZERO, End::Clean)
        }
        Behaviour::Slow(text, pace) => (say(&text), pace, End::Clean),
        Behaviour::Stall(text, words) => (cut(&text, words), Duration::ZERO, End::Stall),
        Behaviour::Drop(text, words) => (cut(&text, words), Duration::ZERO, End::Break),
        Behaviour::ErrorInStream(error) => {
            let mut events = cut("one two", 1);
            events.push(format!("event: error\ndata: {error}\n\n"));
            (events, Duration::ZERO, End::Clean)
        }
    };
    let words = futures::stream::iter(events).then(move |event| async move {
        if !pace.is_zero() {
            tokio::time::sleep(pace).await;
        }
        Ok::<_, io::Error>(Bytes::from(event))
    });
    let tail = futures::stream::once(async move {
        match end {
            End::Clean => None,
            End::Stall => std::future::pending().await,
            End::Break => Some(Err(io::Error::other("broken on purpose"))),
        }
    })
    .filter_map(std::future::ready);
    (
        [(header::CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(words.chain(tail)),
    )
        .into_response()
}

enum End {
    Clean,
    Stall,
    Break,
}

fn status_response(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, axum::Json(body)).into_response()
}
