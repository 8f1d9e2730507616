//! Chat.
//!
//! A turn is a *run*. `POST /api/v1/chat/stream` starts one and streams its events; a lost browser
//! keeps the run for a minute and resumes with `Last-Event-ID` at
//! `GET /api/v1/chat/runs/{id}/events`.

use fractal_types::{ChatRunId, InstanceId, Label, SeenState, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::{EngineProgress, ProviderFault};

/// Sends a message to an agent.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatRequest {
    /// The agent: an instance id. May be absent when the caller has exactly one.
    pub agent_id: Option<InstanceId>,
    /// The session's key; the agent's main session when absent.
    #[schema(max_length = 200, pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]*$")]
    pub session: Option<String>,
    /// The message. Either this or `messages`.
    #[schema(max_length = 200_000)]
    pub message: Option<String>,
    /// A conversation, of which the last user entry is sent.
    #[schema(max_items = 1000)]
    pub messages: Option<Vec<ChatMessageIn>>,
    /// Files to go with the message.
    #[schema(max_items = 10)]
    pub attachments: Option<Vec<Attachment>>,
}

/// One entry of `messages`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatMessageIn {
    /// `user`, `assistant` or `system`.
    pub role: String,
    /// The text.
    pub content: String,
}

/// A file that goes with a message.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its name.
    #[schema(max_length = 255)]
    pub name: String,
    /// Its media type.
    #[schema(max_length = 255)]
    pub mime_type: String,
    /// Its content, base64; at most 20 MiB decoded.
    pub content: String,
}

/// A file that went with a message, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AttachmentNote {
    /// Its name, while it is known: transcripts do not keep it.
    pub name: Option<String>,
    /// Its media type.
    pub mime_type: String,
}

/// One event of a run. On the wire the SSE `event` field carries the type and `data` the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ChatEvent {
    /// The run exists.
    Run {
        /// Its id.
        run_id: ChatRunId,
        /// The session's key.
        session: String,
        /// The agent.
        agent_id: InstanceId,
        /// What the agent was asked, for those who did not ask it.
        #[serde(default)]
        message: String,
        /// The files that went with it.
        #[serde(default)]
        attachments: Vec<AttachmentNote>,
    },
    /// What happens before the first word.
    Status {
        /// `waking`, `installing`, `queued`, `starting`, `connecting`, `waiting`, `preparing` or `thinking`.
        phase: ChatPhase,
        /// The instance's state.
        state: Option<SeenState>,
        /// Place in the queue for a start slot.
        queue_position: Option<u32>,
        /// How long this usually takes, in milliseconds.
        typical_ms: Option<u64>,
        /// How far the engine is, in the phase `installing`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        installing: Option<EngineProgress>,
    },
    /// More text. `replace` means: forget the text so far.
    Delta {
        /// The new text.
        text: String,
        /// Whether it replaces everything so far.
        #[serde(default)]
        replace: bool,
    },
    /// A tool call began or ended.
    Tool {
        /// The call's id.
        id: String,
        /// The tool.
        name: String,
        /// Whether it runs or has ended.
        phase: ToolPhase,
        /// One line: what it was asked, or what came of it.
        summary: Option<String>,
    },
    /// A command waits for its person's word.
    Approval {
        /// Answer at `POST /api/v1/chat/runs/{run}/approvals/{id}`.
        id: String,
        /// What it wants to do.
        command: String,
        /// When the question lapses.
        expires_at: Option<Timestamp>,
        /// The decision, once made.
        decision: Option<String>,
    },
    /// The agent asks its person something.
    Question {
        /// Answer at `POST /api/v1/chat/runs/{run}/questions/{id}`.
        id: String,
        /// The question.
        text: String,
        /// Offered answers.
        options: Vec<String>,
        /// Whether it has been answered.
        answered: bool,
    },
    /// What the turn used.
    Usage {
        /// The figures.
        #[serde(flatten)]
        usage: TokenUsage,
    },
    /// The whole answer; the run is over.
    Final {
        /// The text.
        text: String,
        /// What it used, when known.
        usage: Option<TokenUsage>,
        /// Whether it was stopped before its end.
        #[serde(default)]
        aborted: bool,
    },
    /// No answer; the run is over.
    Error {
        /// A stable code.
        code: String,
        /// Cause in words.
        message: String,
        /// What to do about it.
        remedy: Option<String>,
        /// The provider's fault, when it was one.
        provider: Option<ProviderFault>,
    },
}

impl ChatEvent {
    /// The SSE event name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Run { .. } => "run",
            Self::Status { .. } => "status",
            Self::Delta { .. } => "delta",
            Self::Tool { .. } => "tool",
            Self::Approval { .. } => "approval",
            Self::Question { .. } => "question",
            Self::Usage { .. } => "usage",
            Self::Final { .. } => "final",
            Self::Error { .. } => "error",
        }
    }

    /// Whether nothing comes after it.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Final { .. } | Self::Error { .. })
    }
}

/// What happens before the first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChatPhase {
    /// The agent was asleep.
    Waking,
    /// Its engine is being installed.
    Installing,
    /// It waits for a start slot.
    Queued,
    /// Its gateway starts.
    Starting,
    /// The connection to it is made.
    Connecting,
    /// Another turn of the session comes first.
    Waiting,
    /// It prepares the turn.
    Preparing,
    /// The model thinks.
    Thinking,
}

/// Whether a tool runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolPhase {
    /// It runs.
    Start,
    /// It went well.
    Done,
    /// It failed.
    Failed,
}

/// Tokens of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct TokenUsage {
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
}

/// Answers an approval.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveApproval {
    /// The word.
    pub decision: ApprovalDecision,
}

/// The word on an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalDecision {
    /// Do it this once.
    AllowOnce,
    /// Do it now and from now on.
    AllowAlways,
    /// Do not.
    Deny,
}

/// Answers a question.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerQuestion {
    /// The answer.
    #[schema(min_length = 1, max_length = 20_000)]
    pub answer: String,
}

/// Which sessions.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SessionsQuery {
    /// The agent; the caller's only one when absent.
    pub agent_id: Option<InstanceId>,
    /// Sessions per page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(max_length = 512)]
    pub cursor: Option<String>,
    /// Wake the agent when it sleeps; no when absent. A sleeping agent's sessions cannot be listed.
    pub wake: Option<bool>,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatSession {
    /// Its key, as in `ChatRequest::session`.
    pub key: String,
    /// Its name.
    pub title: Option<String>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// The model it used last.
    pub model: Option<String>,
    /// Tokens so far.
    pub total_tokens: Option<u64>,
    /// Where it came from: `chat`, `cron`, `room`, `api` or `other`.
    pub origin: String,
    /// The run that is going on in it, if one is.
    pub active_run: Option<ChatRunId>,
}

/// Renames a session.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateChatSession {
    /// Its new name.
    pub title: Label,
}

/// Which part of a conversation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// The agent; the caller's only one when absent.
    pub agent_id: Option<InstanceId>,
    /// Messages, newest last, 1 to 500; 100 when absent.
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// How many of the newest to skip.
    #[param(maximum = 1_000_000)]
    pub offset: Option<u32>,
    /// Wake the agent when it sleeps; no when absent.
    pub wake: Option<bool>,
}

/// A conversation, oldest message first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatHistory {
    /// The session's key.
    pub session: String,
    /// The messages.
    pub messages: Vec<ChatMessage>,
    /// Whether older ones exist.
    pub has_more: bool,
    /// The run that is going on, if one is.
    pub active_run: Option<ChatRunId>,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatMessage {
    /// Its id within the session.
    pub id: String,
    /// `user` or `assistant`.
    pub role: String,
    /// The text.
    pub text: String,
    /// When.
    pub at: Option<Timestamp>,
    /// The run that made it, for assistants; the run that answered it, for users.
    pub run_id: Option<String>,
    /// The model that made it, for assistants.
    pub model: Option<String>,
    /// Tools it used.
    #[serde(default)]
    pub tools: Vec<ToolUse>,
    /// Files that went with it, for users.
    #[serde(default)]
    pub attachments: Vec<AttachmentNote>,
    /// What it used.
    pub usage: Option<TokenUsage>,
    /// Why it failed, when it did.
    pub error: Option<String>,
}

/// A tool used in a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ToolUse {
    /// The call's id.
    pub id: String,
    /// The tool.
    pub name: String,
    /// One line.
    pub summary: Option<String>,
    /// Whether it failed.
    pub failed: bool,
}

/// An event of a session that another tab, a timer or a room caused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SessionEvent {
    /// A run began; follow it.
    RunStarted {
        /// Its id.
        run_id: ChatRunId,
    },
    /// The history grew.
    Changed {},
}
