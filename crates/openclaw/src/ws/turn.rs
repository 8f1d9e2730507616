//! One whole turn: send, wait for the end, once more when a change of configuration got in between.
//! For proofs of readiness and for callers that do not stream.

use std::time::Duration;

use super::{
    ChatKind, ChatSend, CloseReason, Gateway, Incoming, RpcError, Signal, Usage,
    chat::is_superseded,
};

/// A finished turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The run that carried it.
    pub run_id: String,
    /// The answer.
    pub text: String,
    /// What it cost, when the gateway says.
    pub usage: Option<Usage>,
}

/// Why a turn has no answer.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The gateway did not take the message.
    #[error("the gateway did not take the message")]
    Rpc(#[from] RpcError),
    /// The run ended with an error.
    #[error("the gateway answered with an error: {0}")]
    Failed(String),
    /// The run was stopped.
    #[error("the run was stopped")]
    Aborted,
    /// The message went into a run in progress. Wait for that run's end before sending.
    #[error("the session was busy: the message was taken into the run in progress")]
    Steered,
    /// The connection ended meanwhile; the history tells whether an answer came.
    #[error("the connection to the gateway ended during the run: {0}")]
    Disconnected(CloseReason),
    /// The time was over.
    #[error("no answer within {0:?}")]
    Slow(Duration),
}

impl Gateway {
    /// Sends a message and waits for the whole answer, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`TurnError`]. A run that lost against a change of configuration is sent once more, under the key
    /// with `-again` appended.
    pub async fn turn(&self, send: &ChatSend, limit: Duration) -> Result<Turn, TurnError> {
        let attempts = async {
            match self.attempt(send).await {
                Err(TurnError::Failed(message)) if is_superseded(&message) => {
                    let mut again = send.clone();
                    again.idempotency_key.push_str("-again");
                    self.attempt(&again).await
                }
                other => other,
            }
        };
        tokio::time::timeout(limit, attempts)
            .await
            .unwrap_or(Err(TurnError::Slow(limit)))
    }

    async fn attempt(&self, send: &ChatSend) -> Result<Turn, TurnError> {
        let mut events = self.subscribe();
        let run_id = self.chat_send(send).await?;
        while let Some(signal) = events.next().await {
            let event = match signal {
                Signal::Event(event) => event,
                Signal::Disconnected(reason) => return Err(TurnError::Disconnected(reason)),
                Signal::Gap { .. } | Signal::Connected(_) => continue,
            };
            let Some(Incoming::Chat(chat)) = Incoming::read(&event) else {
                continue;
            };
            if chat.run_id != run_id {
                continue;
            }
            match chat.kind {
                ChatKind::Final {
                    text: Some(text),
                    usage,
                    ..
                } => {
                    return Ok(Turn {
                        run_id,
                        text,
                        usage,
                    });
                }
                ChatKind::Final { text: None, .. } => return Err(TurnError::Steered),
                ChatKind::Aborted { .. } => return Err(TurnError::Aborted),
                ChatKind::Error { message, .. } => return Err(TurnError::Failed(message)),
                ChatKind::Status { .. } | ChatKind::Delta { .. } | ChatKind::Other { .. } => {}
            }
        }
        Err(TurnError::Disconnected(CloseReason::Unreachable(
            "the connection was given up".to_owned(),
        )))
    }
}
