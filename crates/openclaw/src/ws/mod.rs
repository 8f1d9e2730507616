//! Protocol 4: one WebSocket to a gateway, kept alive.
//!
//! [`Gateway`] is a cheap handle to a task that dials, shakes hands, sends requests, hands out events
//! and starts again when the connection ends. It never repeats a request by itself: what was in flight
//! when the connection ended fails with a retryable [`RpcError`], and only the caller knows whether
//! asking twice is harmless (`chat.send` is, by its idempotency key).

mod actor;
mod chat;
mod error;
mod frame;
mod gateway;
mod handshake;
mod methods;
mod subscription;
#[cfg(test)]
mod tests;
mod turn;

pub use chat::{
    AgentActivity, AgentEvent, Approval, ChatEvent, ChatKind, ErrorDetail, Incoming, Question,
    QuestionItem, Resolution, Usage,
};
pub use error::{RpcError, codes};
pub use frame::Event;
pub use gateway::{CloseReason, ConnectionState, Gateway, GatewayOptions};
pub use handshake::{AttachmentLimits, Hello, Policy};
pub use methods::{
    Attachment, ChatSend, ConfigPatch, ConfigSnapshot, CronStatus, Preflight, Suspension,
};
pub use subscription::{Events, Signal};
pub use turn::{Turn, TurnError};
