//! The three frames of protocol 4. Unknown fields and unknown frame types are passed over, because a
//! newer gateway may say more than we know.

use serde::Deserialize;
use serde_json::{Value, json};

/// Something the gateway said by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its name, such as `chat` or `config.changed`.
    pub event: String,
    /// Its content; `null` when there is none.
    pub payload: Value,
    /// Its number on this connection.
    pub seq: Option<u64>,
}

/// A frame as it was received.
#[derive(Debug)]
pub(super) enum Frame {
    Event(Event),
    Answer {
        id: String,
        result: Result<Value, Value>,
    },
    /// A type we do not know.
    Other,
}

#[derive(Deserialize)]
struct Raw {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    event: String,
    #[serde(default)]
    ok: bool,
    #[serde(default)]
    payload: Value,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    seq: Option<u64>,
}

/// Reads one text message.
pub(super) fn parse(text: &str) -> Result<Frame, serde_json::Error> {
    let raw: Raw = serde_json::from_str(text)?;
    Ok(match raw.kind.as_str() {
        "event" => Frame::Event(Event {
            event: raw.event,
            payload: raw.payload,
            seq: raw.seq,
        }),
        "res" => Frame::Answer {
            id: raw.id,
            result: if raw.ok {
                Ok(raw.payload)
            } else {
                Err(raw.error)
            },
        },
        _ => Frame::Other,
    })
}

/// Writes a request.
pub(super) fn request(id: &str, method: &str, params: &Value) -> String {
    json!({"type": "req", "id": id, "method": method, "params": params}).to_string()
}
