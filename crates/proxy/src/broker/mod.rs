//! The model broker: gateways call it with their own token, it calls the provider with the real key.
//!
//! # What a gateway does with a refusal
//!
//! Measured with engine 2026.9.6, one failing turn per wire, then a good one at once. "Requests" is how
//! often the gateway called for the one failing turn.
//!
//! | Answer | Requests | The turn ends after | Next turn |
//! |---|---|---|---|
//! | 401 (`openclaw.md` section 5, not measured again) | ? | ? | blocked for about a minute |
//! | 500, completions wire only | 9 and more | over 60 s | waits behind the failing one |
//! | 424, error type `upstream_error`, OpenAI wires | 7 to 13 | over 60 s | waits behind the failing one |
//! | 424, error type `api_error`, Anthropic and Google wires | 4 | 0.7 to 2.9 s | sent at once |
//! | the same with the header `x-should-retry: false`, OpenAI wires | 4 and more | over 12 s | sent at once after an abort |
//! | **424, error type `invalid_request_error`, neutral text** | **1** | **0.3 s** | **sent at once** |
//! | 400 or 422, with the same bodies as the 424 above them | 1 | 0.3 s | sent at once |
//! | an error event of that type inside a stream (Google: a `finishReason` of `OTHER`) | 1 | 0.5 s | sent at once |
//! | an error object inside a Google stream | 4 and more | over 40 s | waits behind the failing one |
//!
//! So every refusal leaves as 424 with `invalid_request_error` and one neutral sentence: the gateway
//! files it under "format", which neither repeats nor blocks. The true reason goes to the person by
//! [`crate::faults::Faults`]. The words `context_length_exceeded` are the one exception, meant
//! to let the gateway compact the conversation; that it does so has not been measured. On the Google wire the type stands in `error.type`, which Google itself does
//! not send; without it the gateway calls four times.

mod demo;
mod fault;
mod flow;
mod listener;
mod meter;
mod prompt;
mod reply;
mod tap;
mod test;
mod upstream;
mod usage;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
    routing::{any, get},
};
use fractal_api_types::{Problem, ProblemCode};
use fractal_clock::{SharedClock, SharedEntropy, new_id};
use fractal_connect::Outbound;
use fractal_types::{InstanceId, RequestId};
use http::{HeaderMap, StatusCode, header};
use secrecy::SecretString;
use tokio::sync::Semaphore;

pub use demo::{LABEL as DEMO_LABEL, MODEL as DEMO_MODEL};
pub use listener::{Listener, SOCKET_NAME};
pub use test::{ProviderTarget, test_provider};

use crate::{
    faults::Faults,
    ports::{BrokerPorts, NoConfig},
};

/// The alias that is answered here, without any provider.
pub const PROBE_ALIAS: &str = "probe";

/// Settings of the broker.
#[derive(Debug, Clone, Copy)]
pub struct BrokerSettings {
    /// The largest request body, in bytes. Images travel inside.
    pub max_body: usize,
    /// How long the demo waits between words, so that streaming can be seen.
    pub demo_pace: Duration,
}

impl Default for BrokerSettings {
    fn default() -> Self {
        Self {
            max_body: 64 << 20,
            demo_pace: Duration::from_millis(12),
        }
    }
}

/// The broker. Cheap to clone; one serves every instance.
#[derive(Debug, Clone)]
pub struct Broker {
    pub(crate) ports: Arc<dyn BrokerPorts>,
    pub(crate) outbound: Outbound,
    pub(crate) faults: Arc<Faults>,
    pub(crate) clock: SharedClock,
    pub(crate) entropy: SharedEntropy,
    pub(crate) settings: BrokerSettings,
}

#[derive(Debug, Clone)]
struct Socket {
    broker: Broker,
    instance: InstanceId,
    /// Mebibytes of request bodies that this instance may have in our memory at once.
    room: Arc<Semaphore>,
}

/// What the presented token says.
pub(crate) enum Identity {
    /// The instance of this socket.
    Right,
    /// Nobody.
    Unknown,
    /// Somebody else: an incident.
    Other,
}

impl Broker {
    /// Makes the broker.
    #[must_use]
    pub fn new(
        ports: Arc<dyn BrokerPorts>,
        outbound: Outbound,
        faults: Arc<Faults>,
        clock: SharedClock,
        entropy: SharedEntropy,
        settings: BrokerSettings,
    ) -> Self {
        Self {
            ports,
            outbound,
            faults,
            clock,
            entropy,
            settings,
        }
    }

    /// Everything an instance may ask on its own socket, and nothing else.
    pub fn router(&self, instance: InstanceId) -> Router {
        Router::new()
            .route("/llm/{wire}/{*rest}", any(flow::serve))
            .route("/api/internal/agent-config/{id}", get(agent_config))
            .fallback(nowhere)
            .with_state(Socket {
                broker: self.clone(),
                instance,
                room: Arc::new(Semaphore::new(
                    mebibytes(self.settings.max_body).max(64) * 2,
                )),
            })
    }

    pub(crate) async fn identify(
        &self,
        socket: InstanceId,
        headers: &HeaderMap,
        query: Option<&str>,
    ) -> Identity {
        let Some(token) = token(headers, query) else {
            return Identity::Unknown;
        };
        match self.ports.token_owner(&token).await {
            None => Identity::Unknown,
            Some(owner) if owner == socket => Identity::Right,
            Some(owner) => {
                tracing::warn!(instance.id = %socket, token.instance.id = %owner, "a token was used on another instance's socket");
                self.ports.mismatch(socket, owner).await;
                Identity::Other
            }
        }
    }

    pub(crate) fn problem(&self, code: ProblemCode, detail: &str) -> Response {
        let problem = Problem {
            kind: format!("/docs/problems#{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: Some(detail.to_owned()),
            remedy: None,
            errors: Vec::new(),
            request_id: new_id::<RequestId>(&*self.clock, &*self.entropy).to_string(),
        };
        let status =
            StatusCode::from_u16(code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(problem)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            http::HeaderValue::from_static("application/problem+json"),
        );
        response
    }
}

/// How many mebibytes a body of this many bytes counts, at least one.
const fn mebibytes(bytes: usize) -> usize {
    (bytes >> 20) + 1
}

/// The token, wherever this wire's client puts it.
fn token(headers: &HeaderMap, query: Option<&str>) -> Option<SecretString> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    bearer
        .or_else(|| header("x-api-key"))
        .or_else(|| header("x-goog-api-key"))
        .map(SecretString::from)
        .or_else(|| {
            url::form_urlencoded::parse(query?.as_bytes())
                .find(|(name, _)| name == "key")
                .map(|(_, value)| SecretString::from(value.into_owned()))
        })
}

async fn agent_config(
    State(socket): State<Socket>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let broker = &socket.broker;
    match broker
        .identify(socket.instance, request.headers(), None)
        .await
    {
        Identity::Right => {}
        Identity::Unknown => {
            return broker.problem(
                ProblemCode::Unauthenticated,
                "The instance's token is missing or not valid.",
            );
        }
        Identity::Other => {
            return broker.problem(
                ProblemCode::WrongInstance,
                "The token belongs to another instance than this socket.",
            );
        }
    }
    if id.parse::<InstanceId>() != Ok(socket.instance) {
        return broker.problem(
            ProblemCode::WrongInstance,
            "An instance can only read its own configuration.",
        );
    }
    match broker.ports.agent_config(socket.instance).await {
        Ok(document) => {
            ([(header::CACHE_CONTROL, "no-store")], axum::Json(document)).into_response()
        }
        Err(NoConfig::Gone) => broker.problem(ProblemCode::NotFound, "There is no such instance."),
        Err(error @ NoConfig::Unavailable(_)) => {
            tracing::warn!(instance.id = %socket.instance, %error, "a configuration was asked for in vain");
            broker.problem(
                ProblemCode::Unavailable,
                "The configuration cannot be read at the moment.",
            )
        }
    }
}

async fn nowhere(State(socket): State<Socket>) -> Response {
    socket.broker.problem(
        ProblemCode::NotFound,
        "This socket serves model calls and the instance's own configuration only.",
    )
}
