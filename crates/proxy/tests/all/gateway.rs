//! A gateway that does what the test says, behind protocol 4.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use fractal_openclaw::{
    dial::{ByteStream, Dialer},
    ws::{Gateway, GatewayOptions},
};
use futures::{SinkExt, StreamExt};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::DuplexStream,
    sync::{Mutex as AsyncMutex, broadcast, mpsc},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

#[derive(Debug, Clone)]
enum Order {
    Send(Value),
    Close,
}

#[derive(Debug)]
struct Far {
    asked: mpsc::UnboundedSender<Value>,
    orders: broadcast::Sender<Order>,
    boot: Arc<Mutex<String>>,
}

#[async_trait]
impl Dialer for Far {
    async fn dial(&self) -> io::Result<Box<dyn ByteStream>> {
        let (near, far) = tokio::io::duplex(1 << 20);
        let boot = self.boot.lock().unwrap().clone();
        if boot.is_empty() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        tokio::spawn(converse(
            far,
            self.asked.clone(),
            self.orders.subscribe(),
            boot,
        ));
        Ok(Box::new(near))
    }
}

async fn converse(
    stream: DuplexStream,
    asked: mpsc::UnboundedSender<Value>,
    mut orders: broadcast::Receiver<Order>,
    boot: String,
) {
    let mut socket = accept_async(stream).await.unwrap();
    let challenge =
        json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 1}});
    socket
        .send(Message::text(challenge.to_string()))
        .await
        .unwrap();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Ok(Order::Send(frame)) => {
                    if socket.send(Message::text(frame.to_string())).await.is_err() {
                        return;
                    }
                }
                Ok(Order::Close) | Err(_) => {
                    let _ = socket.close(None).await;
                    return;
                }
            },
            message = socket.next() => {
                let Some(Ok(message)) = message else { return };
                let Message::Text(text) = message else { continue };
                let request: Value = serde_json::from_str(&text).unwrap();
                if request["method"] == "connect" {
                    let hello = json!({"type": "hello-ok", "protocol": 4,
                        "server": {"version": "2026.9.6", "bootId": boot, "connId": "c"},
                        "features": {"methods": ["chat.send"], "events": []}, "snapshot": {"uptimeMs": 1},
                        "auth": {"scopes": ["operator.read", "operator.write", "operator.admin", "operator.approvals", "operator.questions", "operator.pairing"]},
                        "policy": {"maxPayload": 26_214_400, "tickIntervalMs": 30000, "attachments": {"maxBytes": 20_000_000, "maxImageBytes": 10_000_000}}});
                    let answer = json!({"type": "res", "id": request["id"], "ok": true, "payload": hello});
                    socket.send(Message::text(answer.to_string())).await.unwrap();
                } else {
                    let _ = asked.send(request);
                }
            }
        }
    }
}

pub struct FakeGateway {
    pub handle: Gateway,
    asked: AsyncMutex<mpsc::UnboundedReceiver<Value>>,
    orders: broadcast::Sender<Order>,
    boot: Arc<Mutex<String>>,
}

impl FakeGateway {
    pub async fn start() -> Self {
        let (asked, requests) = mpsc::unbounded_channel();
        let orders = broadcast::Sender::new(256);
        let boot = Arc::new(Mutex::new("boot-1".to_owned()));
        let far = Far {
            asked,
            orders: orders.clone(),
            boot: Arc::clone(&boot),
        };
        let options = GatewayOptions {
            retry_min: Duration::from_millis(5),
            retry_max: Duration::from_millis(20),
            ..GatewayOptions::default()
        };
        let handle = Gateway::connect(Arc::new(far), SecretString::from("t"), options);
        handle.wait_ready(Duration::from_secs(10)).await.unwrap();
        Self {
            handle,
            asked: AsyncMutex::new(requests),
            orders,
            boot,
        }
    }

    /// The next request, which must be of this method.
    pub async fn expect(&self, method: &str) -> Value {
        let next = async { self.asked.lock().await.recv().await.unwrap() };
        let request = tokio::time::timeout(Duration::from_secs(10), next)
            .await
            .unwrap_or_else(|_| panic!("no {method} within 10 seconds"));
        assert_eq!(request["method"], method, "{request}");
        request
    }

    /// Whether anything is being asked right now.
    pub async fn is_quiet(&self) -> bool {
        self.asked.lock().await.try_recv().is_err()
    }

    fn order(&self, frame: Value) {
        self.orders.send(Order::Send(frame)).unwrap();
    }

    pub fn ok(&self, request: &Value, payload: Value) {
        self.order(json!({"type": "res", "id": request["id"], "ok": true, "payload": payload}));
    }

    pub fn refuse(&self, request: &Value, error: Value) {
        self.order(json!({"type": "res", "id": request["id"], "ok": false, "error": error}));
    }

    pub fn event(&self, name: &str, payload: Value) {
        self.order(json!({"type": "event", "event": name, "payload": payload}));
    }

    /// Takes a message and returns its run and session.
    pub async fn take_message(&self) -> Taken<'_> {
        let request = self.expect("chat.send").await;
        let run = request["params"]["idempotencyKey"]
            .as_str()
            .unwrap()
            .to_owned();
        let session = request["params"]["sessionKey"].as_str().unwrap().to_owned();
        self.ok(&request, json!({"runId": run, "status": "started"}));
        Taken {
            gateway: self,
            run,
            session,
            params: request["params"].clone(),
        }
    }

    /// Breaks the connection; the next one meets a gateway of this generation, none when empty.
    pub fn restart_as(&self, boot: &str) {
        *self.boot.lock().unwrap() = boot.to_owned();
        self.orders.send(Order::Close).unwrap();
    }
}

pub struct Taken<'a> {
    gateway: &'a FakeGateway,
    pub run: String,
    pub session: String,
    pub params: Value,
}

impl Taken<'_> {
    pub fn chat(&self, mut payload: Value) {
        payload["runId"] = json!(self.run);
        payload["sessionKey"] = json!(self.session);
        self.gateway.event("chat", payload);
    }

    pub fn agent(&self, stream: &str, data: Value) {
        self.gateway.event(
            "agent",
            json!({"runId": self.run, "sessionKey": self.session, "stream": stream, "data": data}),
        );
    }

    pub fn say(&self, new: &str, whole: &str) {
        self.chat(json!({"state": "delta", "deltaText": new,
            "message": {"role": "assistant", "content": [{"type": "text", "text": whole}]}}));
    }

    pub fn finish(&self, whole: &str) {
        self.chat(json!({"state": "final", "stopReason": "stop",
            "message": {"role": "assistant", "content": [{"type": "text", "text": whole}], "usage": {"input": 5, "output": 2}}}));
    }

    pub fn fail(&self, message: &str) {
        self.chat(json!({"state": "error", "errorMessage": message, "errorDetail": {"provider": "fractal"}}));
    }
}
