//! Somebody who uses a server over HTTP.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use fractal_api_types::{ChatEvent, ChatRequest, ProviderFault};
use fractal_client::{ChatStream, Client};
use futures::StreamExt;
use http::{Method, header};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Serve, eventually};

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";

/// How long one turn may take, a cold start of its gateway included.
const TURN: Duration = Duration::from_secs(240);

/// Every answer of a server, as text.
#[derive(Debug, Clone, Default)]
pub struct Transcript(Arc<Mutex<String>>);

impl Transcript {
    fn add(&self, text: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.push_str(text);
        all.push('\n');
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// A person with a token.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their id.
    pub id: String,
    /// Their API token.
    pub token: String,
    base: String,
    http: reqwest::Client,
    client: Client,
    transcript: Transcript,
}

/// How a turn went.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    /// The run.
    pub run: Option<String>,
    /// How many pieces of text came.
    pub pieces: usize,
    /// The whole text, when there was an answer.
    pub text: Option<String>,
    /// Code, message and remedy, when there was none.
    pub error: Option<(String, String, Option<String>)>,
    /// The provider's fault behind the error.
    pub fault: Option<ProviderFault>,
    /// Whether it was stopped before its end.
    pub aborted: bool,
    /// The tools that ran.
    pub tools: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl Person {
    /// Claims a new installation: its owner.
    ///
    /// # Panics
    ///
    /// When that is refused.
    pub async fn claim(server: &Serve, username: &str) -> Self {
        let token = std::fs::read_to_string(server.data_dir().join("setup-token"))
            .expect("an unclaimed installation has a setup token");
        let request = http_client()
            .post(format!("{}/api/onboarding/breakglass", server.url()))
            .header("x-setup-token", token.trim())
            .json(&json!({"username": username, "password": PASSWORD}));
        Self::signed_in(server, request).await
    }

    /// Signs in with [`PASSWORD`].
    ///
    /// # Panics
    ///
    /// When that is refused.
    pub async fn sign_in(server: &Serve, username: &str) -> Self {
        let request = http_client()
            .post(format!("{}/api/v1/auth/login", server.url()))
            .json(&json!({"username": username, "password": PASSWORD}));
        Self::signed_in(server, request).await
    }

    /// Trades the cookie of a sign-in for a token, as a program would.
    async fn signed_in(server: &Serve, request: reqwest::RequestBuilder) -> Self {
        let answer = request.send().await.expect("the server answers");
        assert!(answer.status().is_success(), "sign-in: {}", answer.status());
        let cookie = answer.headers()[header::SET_COOKIE]
            .to_str()
            .ok()
            .and_then(|cookie| cookie.split(';').next())
            .expect("a cookie")
            .to_owned();
        let me: Value = answer.json().await.expect("the caller");
        let made: Value = http_client()
            .post(format!("{}/api/v1/tokens", server.url()))
            .header(header::COOKIE, cookie)
            .header(header::ORIGIN, server.url())
            .json(&json!({"name": "end to end"}))
            .send()
            .await
            .expect("the server answers")
            .json()
            .await
            .expect("a token");
        let token = text(&made, "/secret");
        let client = Client::new(&server.url(), Some(SecretString::from(token.clone())))
            .expect("a good address");
        Self {
            id: text(&me, "/id"),
            token,
            base: server.url(),
            http: http_client(),
            client,
            transcript: server.transcript.clone(),
        }
    }

    /// Calls a route; status and body. The body is kept in the server's transcript.
    ///
    /// # Panics
    ///
    /// When nothing answers.
    pub async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.base))
            .bearer_auth(&self.token)
            .timeout(Duration::from_secs(60));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        let body = answer.text().await.unwrap_or_default();
        self.transcript.add(&body);
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    /// Calls a route that must do as asked.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub async fn must(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let (status, answer) = self.call(method.clone(), path, body).await;
        assert!(
            (200..300).contains(&status),
            "{method} {path}: {status} {answer}"
        );
        answer
    }

    /// Reads a route.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub async fn get(&self, path: &str) -> Value {
        self.must(Method::GET, path, None).await
    }

    /// Posts to a route.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub async fn post(&self, path: &str, body: Value) -> Value {
        self.must(Method::POST, path, Some(&body)).await
    }

    /// Changes something at a route.
    ///
    /// # Panics
    ///
    /// When it refuses.
    pub async fn patch(&self, path: &str, body: Value) -> Value {
        self.must(Method::PATCH, path, Some(&body)).await
    }

    /// Waits until an instance is seen so.
    ///
    /// # Panics
    ///
    /// When that takes too long.
    pub async fn wait_for(&self, instance: &str, state: &str, within: Duration) -> Value {
        let path = format!("/api/v1/instances/{instance}");
        eventually(&format!("{instance} is {state}"), within, async || {
            let view = self.get(&path).await;
            (view["seen"] == state).then_some(view)
        })
        .await
    }

    /// Sends a message; the stream of the turn.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub async fn begin(
        &self,
        instance: &str,
        session: &str,
        message: &str,
    ) -> Result<ChatStream, fractal_client::Error> {
        let body = ChatRequest {
            agent_id: Some(instance.parse().expect("an instance id")),
            session: Some(session.to_owned()),
            message: Some(message.to_owned()),
            ..ChatRequest::default()
        };
        self.send(&body).await
    }

    /// Sends a message with all that goes with it; the stream of the turn.
    ///
    /// # Errors
    ///
    /// The refusal.
    pub async fn send(&self, body: &ChatRequest) -> Result<ChatStream, fractal_client::Error> {
        self.client.chat(body).await
    }

    /// Sends a message and reads to the end of the turn.
    ///
    /// # Panics
    ///
    /// When the turn is refused before it begins, or does not end.
    pub async fn say(&self, instance: &str, session: &str, message: &str) -> Reply {
        let stream = self
            .begin(instance, session, message)
            .await
            .expect("the turn begins");
        self.finish(stream).await
    }

    /// Reads a turn to its end.
    ///
    /// # Panics
    ///
    /// When it does not end in time.
    pub async fn finish(&self, mut stream: ChatStream) -> Reply {
        let started = Instant::now();
        let mut reply = Reply::default();
        let read = async {
            while let Some(event) = stream.next().await {
                let event = event.expect("the stream can be read");
                self.transcript
                    .add(&serde_json::to_string(&event).unwrap_or_default());
                match event {
                    ChatEvent::Run { run_id, .. } => reply.run = Some(run_id.to_string()),
                    ChatEvent::Delta { .. } => reply.pieces += 1,
                    ChatEvent::Tool { name, .. } => reply.tools.push(name),
                    ChatEvent::Final { text, aborted, .. } => {
                        reply.text = Some(text);
                        reply.aborted = aborted;
                    }
                    ChatEvent::Error {
                        code,
                        message,
                        remedy,
                        provider,
                    } => {
                        reply.error = Some((code, message, remedy));
                        reply.fault = provider;
                    }
                    _ => {}
                }
            }
        };
        assert!(
            tokio::time::timeout(TURN, read).await.is_ok(),
            "the turn does not end"
        );
        reply.took = started.elapsed();
        reply
    }

    /// The texts of a conversation.
    ///
    /// # Panics
    ///
    /// When it cannot be read.
    pub async fn history(&self, instance: &str, session: &str) -> Vec<String> {
        let path = format!("/api/v1/chat/sessions/{session}/history?agent_id={instance}&wake=true");
        let history = self.get(&path).await;
        let messages = history["messages"].as_array().into_iter().flatten();
        messages.map(|message| text(message, "/text")).collect()
    }
}

pub(super) fn http_client() -> reqwest::Client {
    // The typed client has installed the cryptography of TLS, or will; this one only speaks to loopback.
    let _ = Client::new("http://127.0.0.1:1", None);
    reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client without special needs")
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
