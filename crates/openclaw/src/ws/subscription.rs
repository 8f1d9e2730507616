//! What a listener hears from a gateway.

use std::sync::Arc;

use tokio::sync::broadcast::{self, error::RecvError};

use super::{CloseReason, Event, Hello};

/// One thing a listener hears. Connection changes are in the same order as the events around them, so
/// a listener knows exactly between which events something may be missing.
#[derive(Debug, Clone)]
pub enum Signal {
    /// The gateway said something.
    Event(Arc<Event>),
    /// Events were lost, by the gateway (its numbering jumped) or because this listener was slow.
    Gap {
        /// How many.
        missed: u64,
    },
    /// The connection opened; compare [`Hello::boot_id`] to see whether the gateway restarted.
    Connected(Arc<Hello>),
    /// The connection ended; runs in progress may have gone on or may be lost.
    Disconnected(CloseReason),
}

/// A listener. Dropping it is all it takes to stop listening.
#[derive(Debug)]
pub struct Events(broadcast::Receiver<Signal>);

impl Events {
    pub(super) fn new(receiver: broadcast::Receiver<Signal>) -> Self {
        Self(receiver)
    }

    /// The next signal; `None` when the handle's last clone is gone.
    pub async fn next(&mut self) -> Option<Signal> {
        match self.0.recv().await {
            Ok(signal) => Some(signal),
            Err(RecvError::Lagged(missed)) => Some(Signal::Gap { missed }),
            Err(RecvError::Closed) => None,
        }
    }
}
