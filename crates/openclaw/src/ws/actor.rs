//! The task behind a [`super::Gateway`]: dial, serve, wait, again.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures::{SinkExt, StreamExt};
use secrecy::SecretString;
use serde_json::Value;
use tokio::{
    sync::{Notify, broadcast, mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::{Message, protocol::CloseFrame};

use super::{
    error::{RpcError, codes},
    frame::{self, Event, Frame},
    gateway::{CloseReason, ConnectionState, GatewayOptions},
    handshake::{self, Hello, OpenError, Socket},
    subscription::Signal,
};
use crate::dial::Dialer;

/// What we say when the gateway fell silent, as its own clients do.
const TICK_TIMEOUT: u16 = 4000;

/// How long closing politely may take.
const CLOSE_GRACE: Duration = Duration::from_millis(500);

/// One request on its way to the task.
pub(super) struct Command {
    pub(super) method: String,
    pub(super) params: Value,
    pub(super) reply: oneshot::Sender<Result<Value, RpcError>>,
}

pub(super) struct Actor {
    pub(super) dialer: Arc<dyn Dialer>,
    pub(super) token: watch::Receiver<SecretString>,
    pub(super) frozen: watch::Receiver<bool>,
    pub(super) wake: Arc<Notify>,
    pub(super) requests: mpsc::Receiver<Command>,
    pub(super) state: watch::Sender<ConnectionState>,
    pub(super) hello: watch::Sender<Option<Arc<Hello>>>,
    pub(super) signals: broadcast::Sender<Signal>,
    pub(super) options: GatewayOptions,
}

/// What a phase ended with.
enum Next<T> {
    Go(T),
    /// The last handle is gone.
    Stop,
}

impl Actor {
    pub(super) async fn run(mut self) {
        let mut backoff = self.options.retry_min;
        loop {
            let token = self.token.borrow_and_update().clone();
            let dialer = Arc::clone(&self.dialer);
            let limit = self.options.open_timeout;
            let opening = async move {
                timeout(limit, handshake::open(&*dialer, &token))
                    .await
                    .unwrap_or(Err(OpenError::Slow))
            };
            if !matches!(*self.state.borrow(), ConnectionState::Starting) {
                self.state.send_replace(ConnectionState::Connecting);
            }
            let opened = match self.refusing_requests(opening).await {
                Next::Go(opened) => opened,
                Next::Stop => return,
            };
            let pause = match opened {
                Ok((socket, hello)) => {
                    backoff = self.options.retry_min;
                    match self.serve(socket, Arc::new(hello)).await {
                        Next::Stop => return,
                        Next::Go(reason) => {
                            match reason {
                                // The token may already be the new one.
                                CloseReason::AuthChanged => Some(Duration::ZERO),
                                CloseReason::Restarting { expected } => {
                                    Some(expected.unwrap_or(backoff).min(self.options.retry_max))
                                }
                                _ => Some(backoff),
                            }
                        }
                    }
                }
                Err(error) => {
                    if let Some(after) = error.starting() {
                        self.state.send_replace(ConnectionState::Starting);
                        Some(after)
                    } else if error.is_final() {
                        self.close(CloseReason::Refused(error.to_string()));
                        None
                    } else {
                        self.close(CloseReason::Unreachable(error.to_string()));
                        let pause = backoff;
                        backoff = (backoff * 2).min(self.options.retry_max);
                        Some(pause)
                    }
                }
            };
            if let Next::Stop = self.pause(pause).await {
                return;
            }
        }
    }

    fn close(&self, reason: CloseReason) {
        tracing::debug!(%reason, "gateway connection closed");
        self.state.send_replace(ConnectionState::Closed { reason });
    }

    /// Waits before the next try; for ever when only a new token can help.
    async fn pause(&mut self, span: Option<Duration>) -> Next<()> {
        let wake = Arc::clone(&self.wake);
        let mut token = self.token.clone();
        let waiting = async move {
            let rest = async {
                match span {
                    Some(span) => sleep(span).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = rest => {}
                () = wake.notified() => {}
                Ok(()) = token.changed() => {}
            }
        };
        self.refusing_requests(waiting).await
    }

    /// Runs `work` while every request fails at once: there is no connection to send it on, and only
    /// the caller knows how long waiting makes sense.
    async fn refusing_requests<T>(&mut self, work: impl Future<Output = T>) -> Next<T> {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return Next::Go(done),
                command = self.requests.recv() => match command {
                    None => return Next::Stop,
                    Some(command) => {
                        let why = match &*self.state.borrow() {
                            ConnectionState::Closed { reason } => reason.to_string(),
                            ConnectionState::Starting => "the gateway is starting".to_owned(),
                            _ => "there is no connection to the gateway yet".to_owned(),
                        };
                        let mut error =
                            RpcError::local(&command.method, codes::DISCONNECTED, why, true);
                        error.retry_after = Some(self.options.retry_min);
                        let _ = command.reply.send(Err(error));
                    }
                },
            }
        }
    }

    /// Serves one connection until it ends.
    async fn serve(&mut self, socket: Socket, hello: Arc<Hello>) -> Next<CloseReason> {
        let mut connection = Connection::new(socket, &hello);
        self.hello.send_replace(Some(Arc::clone(&hello)));
        self.state.send_replace(ConnectionState::Ready {
            boot_id: hello.boot_id.clone(),
        });
        let _ = self.signals.send(Signal::Connected(hello));
        let end = self.exchange(&mut connection).await;
        let reason = match &end {
            Next::Go(reason) => reason.clone(),
            Next::Stop => CloseReason::Closed(1000),
        };
        self.hello.send_replace(None);
        // Before requests fail, so that whoever then waits for readiness waits for the next connection.
        self.close(reason.clone());
        connection.finish(&reason).await;
        let _ = self.signals.send(Signal::Disconnected(reason));
        end
    }

    async fn exchange(&mut self, connection: &mut Connection) -> Next<CloseReason> {
        loop {
            let silent_at = connection.heard + connection.patience;
            let frozen = *self.frozen.borrow();
            tokio::select! {
                // Our own come first, and they are few: a gateway that never stops talking must not keep us from asking, or from letting
                // go. What it says comes before its silence, whose clock it sets back.
                biased;
                command = self.requests.recv() => match command {
                    None => return Next::Stop,
                    Some(command) => connection.ask(command).await,
                },
                Ok(()) = self.frozen.changed() => {
                    // After a thaw the gateway gets its full patience again.
                    connection.heard = Instant::now();
                }
                message = connection.incoming.next() => {
                    connection.heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => {
                            if let Some(event) = connection.take(&text) {
                                self.announce(connection, event);
                            }
                        }
                        Some(Ok(Message::Close(frame))) => {
                            return Next::Go(connection.reason_of(frame.as_ref()));
                        }
                        Some(Ok(_)) => {}
                        Some(Err(error)) => {
                            return Next::Go(connection.broken(error.to_string()));
                        }
                        None => return Next::Go(connection.broken("the stream ended".to_owned())),
                    }
                }
                () = sleep_until(silent_at), if !frozen => {
                    return Next::Go(CloseReason::Silent);
                }
            }
        }
    }

    fn announce(&self, connection: &mut Connection, event: Event) {
        if let Some(seq) = event.seq {
            let missed = seq.saturating_sub(connection.last_seq.map_or(seq, |last| last + 1));
            connection.last_seq = Some(seq);
            if missed > 0 {
                let _ = self.signals.send(Signal::Gap { missed });
            }
        }
        if event.event == "shutdown" {
            connection.shutdown = Some(
                event.payload["restartExpectedMs"]
                    .as_u64()
                    .map(Duration::from_millis),
            );
        }
        if event.event != "tick" {
            let _ = self.signals.send(Signal::Event(Arc::new(event)));
        }
    }
}

/// One open connection.
struct Connection {
    incoming: futures::stream::SplitStream<Socket>,
    /// Writing has its own task, so that a large request and a large answer cannot wait for each other.
    outgoing: mpsc::Sender<Message>,
    writer: JoinHandle<()>,
    pending: HashMap<String, (String, oneshot::Sender<Result<Value, RpcError>>)>,
    next_id: u64,
    last_seq: Option<u64>,
    heard: Instant,
    patience: Duration,
    max_payload: usize,
    /// The gateway announced its end; inside is when it expects to be back.
    shutdown: Option<Option<Duration>>,
}

impl Connection {
    fn new(socket: Socket, hello: &Hello) -> Self {
        let (mut sink, incoming) = socket.split();
        let (outgoing, mut queue) = mpsc::channel::<Message>(64);
        let writer = tokio::spawn(async move {
            while let Some(message) = queue.recv().await {
                let last = message.is_close();
                if sink.send(message).await.is_err() || last {
                    break;
                }
            }
            let _ = sink.close().await;
        });
        Self {
            incoming,
            outgoing,
            writer,
            pending: HashMap::new(),
            next_id: 0,
            last_seq: None,
            heard: Instant::now(),
            // Two ticks and a little: one tick may be late on a busy machine.
            patience: hello.policy.tick_interval * 2 + Duration::from_secs(5),
            max_payload: hello.policy.max_payload,
            shutdown: None,
        }
    }

    async fn ask(&mut self, command: Command) {
        self.pending.retain(|_, (_, reply)| !reply.is_closed());
        self.next_id += 1;
        let id = format!("r{}", self.next_id);
        let text = frame::request(&id, &command.method, &command.params);
        if text.len() > self.max_payload {
            let why = format!(
                "the request has {} bytes, the gateway takes {}",
                text.len(),
                self.max_payload
            );
            let error = RpcError::local(&command.method, codes::TOO_LARGE, why, false);
            let _ = command.reply.send(Err(error));
            return;
        }
        self.pending.insert(id, (command.method, command.reply));
        // A writer that is gone shows itself as the end of the incoming side.
        let _ = self.outgoing.send(Message::text(text)).await;
    }

    /// Takes one text message: an answer goes to whoever waits for it, an event is returned.
    fn take(&mut self, text: &str) -> Option<Event> {
        match frame::parse(text) {
            Ok(Frame::Event(event)) => Some(event),
            Ok(Frame::Answer { id, result }) => {
                if let Some((method, reply)) = self.pending.remove(&id) {
                    let _ =
                        reply.send(result.map_err(|error| RpcError::from_wire(&method, &error)));
                }
                None
            }
            Ok(Frame::Other) => None,
            Err(error) => {
                tracing::warn!(%error, bytes = text.len(), "a gateway sent something unreadable");
                None
            }
        }
    }

    fn reason_of(&self, frame: Option<&CloseFrame>) -> CloseReason {
        match frame.map(|frame| u16::from(frame.code)) {
            Some(4001) => CloseReason::AuthChanged,
            // A final stop is code 1012 too, but without an expected return.
            Some(1012 | 1013) => CloseReason::Restarting {
                expected: self.shutdown.flatten(),
            },
            Some(code) => CloseReason::Closed(code),
            None => self.broken("closed without a code".to_owned()),
        }
    }

    fn broken(&self, why: String) -> CloseReason {
        match self.shutdown {
            Some(expected) => CloseReason::Restarting { expected },
            None => CloseReason::Unreachable(why),
        }
    }

    /// Ends the connection: everything in flight fails, and the gateway is told when the end is ours.
    async fn finish(mut self, reason: &CloseReason) {
        for (_, (method, reply)) in self.pending.drain() {
            let why = format!("the connection ended before the answer came: {reason}");
            let _ = reply.send(Err(RpcError::local(
                &method,
                codes::DISCONNECTED,
                why,
                true,
            )));
        }
        let code = match reason {
            CloseReason::Silent => TICK_TIMEOUT,
            _ => 1000,
        };
        let goodbye = Message::Close(Some(CloseFrame {
            code: code.into(),
            reason: "".into(),
        }));
        let _ = self.outgoing.try_send(goodbye);
        drop(self.outgoing);
        if timeout(CLOSE_GRACE, &mut self.writer).await.is_err() {
            self.writer.abort();
        }
    }
}
