//! The handle: what the rest of the house holds of a gateway.

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{Notify, broadcast, mpsc, oneshot, watch};

use super::{
    actor::{Actor, Command},
    error::{RpcError, codes},
    handshake::Hello,
    subscription::{Events, Signal},
};
use crate::dial::Dialer;

/// How many signals a slow listener may fall behind before it gets a [`Signal::Gap`]. One turn makes
/// some dozens.
const LISTENER_BACKLOG: usize = 4096;

/// How many requests may wait to be written; beyond it callers wait.
const REQUEST_BACKLOG: usize = 256;

/// Times of a connection. All run on tokio's clock, which tests pause.
#[derive(Debug, Clone, Copy)]
pub struct GatewayOptions {
    /// How long one request may take unless the caller says otherwise. A patch that waits for a plugin
    /// takes up to 7 s (`openclaw.md` section 10.4), and a busy machine triples that.
    pub request_timeout: Duration,
    /// How long dialing and shaking hands may take.
    pub open_timeout: Duration,
    /// The first wait before dialing again; doubled up to [`Self::retry_max`].
    pub retry_min: Duration,
    /// The longest wait before dialing again.
    pub retry_max: Duration,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            request_timeout: Duration::from_secs(30),
            open_timeout: Duration::from_secs(10),
            retry_min: Duration::from_millis(100),
            retry_max: Duration::from_secs(5),
        }
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CloseReason {
    /// The gateway restarts inside its process and says when it expects to be back.
    #[error("the gateway restarts")]
    Restarting {
        /// Its own estimate, when it gave one.
        expected: Option<Duration>,
    },
    /// The gateway's token was changed; give the new one with [`Gateway::set_token`].
    #[error("the gateway's token was changed")]
    AuthChanged,
    /// Nothing was heard for more than two ticks.
    #[error("the gateway fell silent")]
    Silent,
    /// The gateway refused us for good: wrong token, wrong protocol, no scopes.
    #[error("the gateway refused the connection: {0}")]
    Refused(String),
    /// Nothing answers at its port, or the stream broke.
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(String),
    /// The gateway closed the connection with a code we give no meaning.
    #[error("the gateway closed the connection (code {0})")]
    Closed(u16),
}

/// The state of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectionState {
    /// Dialing or shaking hands.
    Connecting,
    /// The gateway listens but is not ready; we ask again by itself.
    Starting,
    /// Requests are served.
    Ready {
        /// The gateway's generation.
        boot_id: String,
    },
    /// No connection. It is tried again by itself, except after [`CloseReason::Refused`].
    Closed {
        /// Why.
        reason: CloseReason,
    },
}

/// A gateway we keep a connection to. Clones share the connection; it ends with the last clone.
#[derive(Debug, Clone)]
pub struct Gateway {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<ConnectionState>,
    hello: watch::Receiver<Option<Arc<Hello>>>,
    signals: broadcast::WeakSender<Signal>,
    token: Arc<watch::Sender<SecretString>>,
    frozen: Arc<watch::Sender<bool>>,
    wake: Arc<Notify>,
    options: GatewayOptions,
}

impl Gateway {
    /// Starts connecting; returns at once. Must be called inside a tokio runtime.
    #[must_use]
    pub fn connect(dialer: Arc<dyn Dialer>, token: SecretString, options: GatewayOptions) -> Self {
        let (commands, requests) = mpsc::channel(REQUEST_BACKLOG);
        let (state_tx, state) = watch::channel(ConnectionState::Connecting);
        let (hello_tx, hello) = watch::channel(None);
        let (signals, _) = broadcast::channel(LISTENER_BACKLOG);
        let (token, token_rx) = watch::channel(token);
        let (frozen, frozen_rx) = watch::channel(false);
        let wake = Arc::new(Notify::new());
        let gateway = Self {
            commands,
            state,
            hello,
            signals: signals.downgrade(),
            token: Arc::new(token),
            frozen: Arc::new(frozen),
            wake: Arc::clone(&wake),
            options,
        };
        tokio::spawn(
            Actor {
                dialer,
                token: token_rx,
                frozen: frozen_rx,
                wake,
                requests,
                state: state_tx,
                hello: hello_tx,
                signals,
                options,
            }
            .run(),
        );
        gateway
    }

    /// Asks one thing, with the default time limit.
    ///
    /// # Errors
    ///
    /// The gateway's refusal, or a retryable [`codes::DISCONNECTED`] or [`codes::TIMEOUT`].
    pub async fn request(&self, method: &str, params: Value) -> Result<Value, RpcError> {
        self.request_within(method, params, self.options.request_timeout)
            .await
    }

    /// Asks one thing, waiting at most `limit` for the answer.
    ///
    /// # Errors
    ///
    /// As [`Gateway::request`].
    pub async fn request_within(
        &self,
        method: &str,
        params: Value,
        limit: Duration,
    ) -> Result<Value, RpcError> {
        let (reply, answer) = oneshot::channel();
        let command = Command {
            method: method.to_owned(),
            params,
            reply,
        };
        let gone = || RpcError::local(method, codes::DISCONNECTED, "the connection ended", true);
        let ask = async {
            self.commands.send(command).await.map_err(|_| gone())?;
            answer.await.map_err(|_| gone())?
        };
        tokio::time::timeout(limit, ask).await.map_err(|_| {
            RpcError::local(
                method,
                codes::TIMEOUT,
                format!("no answer within {limit:?}; it may still take effect"),
                true,
            )
        })?
    }

    /// Listens from now on.
    #[must_use]
    pub fn subscribe(&self) -> Events {
        Events::new(self.signals.upgrade().map_or_else(
            // The task is gone: a listener that hears the end at once.
            || broadcast::channel(1).1,
            |signals| signals.subscribe(),
        ))
    }

    /// The greeting of the current connection, `None` while there is none.
    #[must_use]
    pub fn hello(&self) -> Option<Arc<Hello>> {
        self.hello.borrow().clone()
    }

    /// The state now.
    #[must_use]
    pub fn state(&self) -> ConnectionState {
        self.state.borrow().clone()
    }

    /// A watch over the state.
    #[must_use]
    pub fn watch_state(&self) -> watch::Receiver<ConnectionState> {
        self.state.clone()
    }

    /// Waits until requests are served.
    ///
    /// # Errors
    ///
    /// The last known reason when that takes longer than `limit`, at once when the gateway refused us.
    pub async fn wait_ready(&self, limit: Duration) -> Result<Arc<Hello>, CloseReason> {
        let mut state = self.state.clone();
        let ready = state.wait_for(|state| {
            matches!(
                state,
                ConnectionState::Ready { .. }
                    | ConnectionState::Closed {
                        reason: CloseReason::Refused(_)
                    }
            )
        });
        let reached = tokio::time::timeout(limit, ready)
            .await
            .map(|seen| seen.map(|state| state.clone()));
        match reached {
            Ok(Ok(ConnectionState::Closed { reason })) => return Err(reason),
            Ok(Ok(_)) => {
                if let Some(hello) = self.hello() {
                    return Ok(hello);
                }
            }
            Ok(Err(_)) | Err(_) => {}
        }
        Err(match self.state() {
            ConnectionState::Closed { reason } => reason,
            other => CloseReason::Unreachable(format!("still {other:?} after {limit:?}")),
        })
    }

    /// Uses another token from the next connection on, and dials at once if there is none.
    pub fn set_token(&self, token: SecretString) {
        self.replace_token(token);
        self.reconnect_now();
    }

    /// Uses another token from the next connection on, and returns the one before.
    pub(crate) fn replace_token(&self, token: SecretString) -> SecretString {
        self.token.send_replace(token)
    }

    /// Ends a wait before the next try; without a wait it does nothing.
    pub fn reconnect_now(&self) {
        self.wake.notify_one();
    }

    /// Tells whether the gateway's process is frozen on purpose. A frozen gateway is silent but its
    /// connection survives (`openclaw.md` section 9.2), so the silence is not taken for a loss.
    pub fn set_frozen(&self, frozen: bool) {
        self.frozen.send_replace(frozen);
    }
}
