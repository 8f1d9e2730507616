//! Opening the connection: challenge, `connect`, `hello-ok`.
//!
//! We are `gateway-client`/`backend` with the shared token: the only pair a program may use without a
//! signed device. No `Origin` and no forwarded header may be sent, or the gateway clears the scopes
//! (`openclaw.md` section 2). The capability `approvals` is not decoration: without a connected client
//! that has it, a command that needs approval is refused at once as a headless run.

use std::{collections::HashSet, time::Duration};

use futures::{SinkExt, StreamExt};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, protocol::WebSocketConfig},
};

use super::{
    error::RpcError,
    frame::{self, Event, Frame},
};
use crate::dial::{ByteStream, Dialer};

/// The largest message we take from a gateway. Its own limit is 25 MiB; the whole configuration schema
/// is 2 MB.
const MAX_INCOMING: usize = 64 << 20;

/// What we ask to be allowed.
const SCOPES: [&str; 5] = [
    "operator.read",
    "operator.write",
    "operator.admin",
    "operator.approvals",
    "operator.questions",
];

/// What the gateway told about itself when the connection opened.
#[derive(Debug, Clone, PartialEq)]
pub struct Hello {
    /// The engine's version.
    pub version: String,
    /// The gateway's generation: it changes with every restart, also one inside the same process.
    pub boot_id: String,
    /// This connection.
    pub conn_id: String,
    /// The methods it advertises; not complete (`openclaw.md` section 3).
    pub methods: HashSet<String>,
    /// The scopes it granted.
    pub scopes: Vec<String>,
    /// State at the moment of connecting.
    pub snapshot: Value,
    /// Limits of the connection.
    pub policy: Policy,
}

/// Limits the gateway sets for one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The largest request in bytes.
    pub max_payload: usize,
    /// How often it sends a `tick`.
    pub tick_interval: Duration,
    /// The largest attachments; `None` when it does not say.
    pub attachments: Option<AttachmentLimits>,
}

/// The largest attachments, decoded, in bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttachmentLimits {
    /// Of any kind.
    pub max_bytes: u64,
    /// Of images.
    pub max_image_bytes: u64,
}

impl AttachmentLimits {
    /// The most bytes a file of this MIME type may have.
    #[must_use]
    pub fn of(&self, mime_type: &str) -> u64 {
        if mime_type.starts_with("image/") {
            self.max_image_bytes
        } else {
            self.max_bytes
        }
    }
}

/// Why a connection did not open.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("the gateway cannot be reached: {0}")]
    Dial(#[from] std::io::Error),
    #[error("the WebSocket did not open: {0}")]
    WebSocket(#[from] tungstenite::Error),
    #[error("{0}")]
    Refused(RpcError),
    #[error("the gateway closed the connection during the handshake")]
    Closed,
    #[error("the gateway did not finish the handshake in time")]
    Slow,
    #[error("the gateway's greeting is not protocol 4: {0}")]
    Malformed(&'static str),
    #[error(
        "the gateway granted no scopes: something on the way added an Origin or forwarded header"
    )]
    NoScopes,
}

impl OpenError {
    /// The gateway is up and only needs a moment.
    pub(super) fn starting(&self) -> Option<Duration> {
        match self {
            Self::Refused(error) if error.reason() == Some("startup-sidecars") => {
                Some(error.retry_after.unwrap_or(Duration::from_millis(500)))
            }
            _ => None,
        }
    }

    /// Asking again with the same token and protocol cannot help.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Refused(error) => !error.retryable && error.code != super::codes::UNAVAILABLE,
            Self::NoScopes => true,
            _ => false,
        }
    }
}

pub(super) type Socket = WebSocketStream<Box<dyn ByteStream>>;

/// Dials and shakes hands.
pub(super) async fn open(
    dialer: &dyn Dialer,
    token: &SecretString,
) -> Result<(Socket, Hello), OpenError> {
    let stream = dialer.dial().await?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(MAX_INCOMING))
        .max_frame_size(Some(MAX_INCOMING));
    let (mut socket, _) = client_async_with_config("ws://127.0.0.1/", stream, Some(config)).await?;
    let connect = frame::request("connect", "connect", &connect_params(token));
    loop {
        match next_frame(&mut socket).await? {
            Frame::Event(Event { event, .. }) if event == "connect.challenge" => {
                socket.send(Message::text(connect.clone())).await?;
            }
            Frame::Answer { id, result } if id == "connect" => {
                let payload = result
                    .map_err(|error| OpenError::Refused(RpcError::from_wire("connect", &error)))?;
                return Ok((socket, read_hello(&payload)?));
            }
            Frame::Event(_) | Frame::Answer { .. } | Frame::Other => {}
        }
    }
}

async fn next_frame(socket: &mut Socket) -> Result<Frame, OpenError> {
    loop {
        match socket.next().await.ok_or(OpenError::Closed)?? {
            Message::Text(text) => {
                return frame::parse(&text).map_err(|_| OpenError::Malformed("not a JSON frame"));
            }
            Message::Close(_) => return Err(OpenError::Closed),
            _ => {}
        }
    }
}

fn connect_params(token: &SecretString) -> Value {
    let version = env!("CARGO_PKG_VERSION");
    json!({
        "minProtocol": 4, "maxProtocol": 4,
        "client": {"id": "gateway-client", "version": version, "platform": "linux", "mode": "backend"},
        "role": "operator",
        "scopes": SCOPES,
        "caps": ["tool-events", "approvals"],
        "auth": {"token": token.expose_secret()},
        "locale": "en-US",
        "userAgent": format!("fractal/{version}"),
    })
}

fn read_hello(payload: &Value) -> Result<Hello, OpenError> {
    if payload["type"] != "hello-ok" || payload["protocol"] != 4 {
        return Err(OpenError::Malformed("expected hello-ok of protocol 4"));
    }
    let server = |key: &'static str| payload["server"][key].as_str().map(str::to_owned);
    let words = |list: &Value| -> Vec<String> {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    };
    let policy = &payload["policy"];
    let scopes = words(&payload["auth"]["scopes"]);
    if scopes.is_empty() {
        return Err(OpenError::NoScopes);
    }
    let limit = |key: &str| policy["attachments"][key].as_u64();
    Ok(Hello {
        version: server("version").ok_or(OpenError::Malformed("no server version"))?,
        boot_id: server("bootId").ok_or(OpenError::Malformed("no bootId"))?,
        conn_id: server("connId").unwrap_or_default(),
        methods: words(&payload["features"]["methods"]).into_iter().collect(),
        scopes,
        snapshot: payload["snapshot"].clone(),
        policy: Policy {
            max_payload: policy["maxPayload"]
                .as_u64()
                .and_then(|bytes| usize::try_from(bytes).ok())
                .unwrap_or(25 << 20),
            tick_interval: Duration::from_millis(
                policy["tickIntervalMs"].as_u64().unwrap_or(30_000),
            ),
            attachments: limit("maxBytes").zip(limit("maxImageBytes")).map(
                |(max_bytes, max_image_bytes)| AttachmentLimits {
                    max_bytes,
                    max_image_bytes,
                },
            ),
        },
    })
}
