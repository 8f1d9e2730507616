//! The OpenAI-compatible form: `POST /v1/chat/completions` and `GET /v1/models`.
//!
//! Field names and shapes are those of the OpenAI chat completions API. Fields that have no meaning
//! for an agent (`temperature` and so on) are accepted and ignored, as other compatible servers do.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A chat completion request. Unlike our own requests it is open: clients send fields we ignore.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CompletionRequest {
    /// The agent id.
    pub model: String,
    /// The conversation; its last user entry is sent, earlier ones go along as context.
    #[schema(min_items = 1, max_items = 1000)]
    pub messages: Vec<CompletionMessage>,
    /// Whether to stream.
    #[serde(default)]
    pub stream: Option<bool>,
    /// Streaming options.
    #[serde(default)]
    pub stream_options: Option<StreamOptions>,
}

/// Streaming options.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StreamOptions {
    /// Whether a last chunk carries the usage.
    #[serde(default)]
    pub include_usage: Option<bool>,
}

/// One entry of the conversation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CompletionMessage {
    /// `system`, `user` or `assistant`.
    pub role: String,
    /// Text, or a list of parts of which the text ones are read.
    #[serde(default)]
    pub content: Option<serde_json::Value>,
}
