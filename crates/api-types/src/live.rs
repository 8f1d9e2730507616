//! Many event streams over one WebSocket.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Problem;

/// What a client says over the socket of `GET /api/v1/live`, as JSON, one a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LiveRequest {
    /// Open an event stream.
    Open {
        /// A number of the client's own choice; it names the stream until its end. At most 32 are open at once.
        stream: u32,
        /// The address of a route that answers with an event stream, from `/api/v1/` on and with its query.
        #[schema(max_length = 2000)]
        path: String,
        /// The id of the last event that was read, where the stream is to go on after it.
        #[serde(default)]
        #[schema(max_length = 200)]
        last_event_id: Option<String>,
    },
    /// Leave a stream. Nothing answers; what was on its way may still arrive.
    Close {
        /// Its number.
        stream: u32,
    },
}

/// What the server says over it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveMessage {
    /// The stream is open; its events follow.
    Opened {
        /// Its number.
        stream: u32,
    },
    /// Events, as they would arrive over HTTP (HTML standard, 9.2.5).
    Text {
        /// The stream's number.
        stream: u32,
        /// Whole lines.
        text: String,
    },
    /// The route refused; nothing more comes.
    Refused {
        /// The stream's number.
        stream: u32,
        /// Why.
        problem: Problem,
    },
    /// The stream is over.
    Ended {
        /// Its number.
        stream: u32,
    },
}
