//! The connection against a scripted gateway: each test says, frame by frame, what the other side does.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use async_trait::async_trait;
use futures::{SinkExt, StreamExt};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf},
    sync::{Mutex, mpsc},
};
use tokio_tungstenite::{
    WebSocketStream, accept_async,
    tungstenite::{Message, protocol::CloseFrame},
};

use super::*;
use crate::{
    dial::{ByteStream, Dialer},
    document::{Secrets, apply_live},
};

/// Makes duplex streams and hands their far ends to the script.
#[derive(Debug)]
struct ScriptDialer(mpsc::UnboundedSender<DuplexStream>);

#[async_trait]
impl Dialer for ScriptDialer {
    async fn dial(&self) -> io::Result<Box<dyn ByteStream>> {
        let (near, far) = tokio::io::duplex(1 << 16);
        self.0
            .send(far)
            .map_err(|_| io::Error::from(io::ErrorKind::ConnectionRefused))?;
        Ok(Box::new(near))
    }
}

/// Whether a gateway talks without end. It stops with the test, or a failed one would never end.
#[derive(Debug, Default)]
struct Talking(Arc<AtomicBool>);

impl Drop for Talking {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

/// Dials a gateway from which there is always something more to read, once it talks.
#[derive(Debug)]
struct TalkativeDialer(ScriptDialer, Arc<AtomicBool>);

#[async_trait]
impl Dialer for TalkativeDialer {
    async fn dial(&self) -> io::Result<Box<dyn ByteStream>> {
        Ok(Box::new(Talkative {
            inner: self.0.dial().await?,
            talks: Arc::clone(&self.1),
            rest: &[],
        }))
    }
}

struct Talkative {
    inner: Box<dyn ByteStream>,
    talks: Arc<AtomicBool>,
    /// What is left of the frame that it is saying.
    rest: &'static [u8],
}

impl AsyncRead for Talkative {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        /// A whole text frame (RFC 6455, 5.2).
        const FRAME: &[u8] = b"\x81\x2c{\"type\":\"event\",\"event\":\"tick\",\"payload\":{}}";

        // As a socket of tokio's does, which has its task give way to others now and then.
        ready!(std::pin::pin!(tokio::task::coop::consume_budget()).poll(context));
        if self.rest.is_empty() {
            if !self.talks.load(Ordering::SeqCst) {
                return Pin::new(&mut self.inner).poll_read(context, buffer);
            }
            self.rest = FRAME;
        }
        let (now, later) = self.rest.split_at(self.rest.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.rest = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Talkative {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// The far end of one connection.
struct Peer(WebSocketStream<DuplexStream>);

struct Script(mpsc::UnboundedReceiver<DuplexStream>);

impl Script {
    fn start() -> (Self, Gateway) {
        let (far_ends, incoming) = mpsc::unbounded_channel();
        let gateway = Gateway::connect(
            Arc::new(ScriptDialer(far_ends)),
            SecretString::from("right"),
            GatewayOptions::default(),
        );
        (Self(incoming), gateway)
    }

    /// The next connection, up to the client's `connect` request.
    async fn greet(&mut self) -> (Peer, Value) {
        let mut peer = Peer(accept_async(self.0.recv().await.unwrap()).await.unwrap());
        peer.send(json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 1}}))
            .await;
        let connect = peer.request().await;
        assert_eq!(connect["method"], "connect");
        (peer, connect)
    }

    /// The next connection, accepted.
    async fn accept(&mut self, boot: &str) -> Peer {
        let (mut peer, connect) = self.greet().await;
        let hello = json!({"type": "hello-ok", "protocol": 4,
            "server": {"version": "2026.9.6", "bootId": boot, "connId": "c"},
            "features": {"methods": ["chat.send"], "events": []},
            "snapshot": {"uptimeMs": 1}, "auth": {"scopes": ["operator.read"]},
            "policy": {"maxPayload": 2000, "tickIntervalMs": 30000, "attachments": {"maxBytes": 10, "maxImageBytes": 5}}});
        peer.answer(&connect, hello).await;
        peer
    }
}

impl Peer {
    async fn send(&mut self, frame: Value) {
        self.0.send(Message::text(frame.to_string())).await.unwrap();
    }

    async fn request(&mut self) -> Value {
        loop {
            match self.0.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Close(_) => panic!("the client closed"),
                _ => {}
            }
        }
    }

    async fn answer(&mut self, request: &Value, payload: Value) {
        self.send(json!({"type": "res", "id": request["id"], "ok": true, "payload": payload}))
            .await;
    }

    async fn refuse(&mut self, request: &Value, error: Value) {
        self.send(json!({"type": "res", "id": request["id"], "ok": false, "error": error}))
            .await;
    }

    async fn event(&mut self, name: &str, seq: u64) {
        self.send(json!({"type": "event", "event": name, "payload": {}, "seq": seq}))
            .await;
    }

    async fn close(mut self, code: u16) {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        let _ = self.0.close(Some(frame)).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }
}

const SOON: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn the_handshake_presents_a_backend_with_token_scopes_and_capabilities() {
    let (mut script, gateway) = Script::start();
    let (mut peer, connect) = script.greet().await;
    let params = &connect["params"];
    assert_eq!(params["client"]["id"], "gateway-client");
    assert_eq!(params["client"]["mode"], "backend");
    assert_eq!(params["auth"]["token"], "right");
    assert_eq!(params["caps"], json!(["tool-events", "approvals"]));
    assert!(
        params["scopes"]
            .as_array()
            .unwrap()
            .contains(&json!("operator.admin"))
    );
    peer.answer(&connect, json!({"type": "hello-ok", "protocol": 4, "auth": {"scopes": ["operator.read"]},
        "server": {"version": "2026.9.6", "bootId": "b1", "connId": "c"}, "policy": {"maxPayload": 9}}))
        .await;
    let hello = gateway.wait_ready(SOON).await.unwrap();
    assert_eq!(
        (hello.boot_id.as_str(), hello.policy.max_payload),
        ("b1", 9)
    );
    assert_eq!(
        gateway.state(),
        ConnectionState::Ready {
            boot_id: "b1".into()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn answers_find_their_requests_in_any_order() {
    let (mut script, gateway) = Script::start();
    let mut peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    let asks = async {
        tokio::join!(
            gateway.request("one", json!({})),
            gateway.request("two", json!({}))
        )
    };
    let answers = async {
        let (first, second) = (peer.request().await, peer.request().await);
        let say = |request: &Value| json!({"said": request["method"]});
        peer.answer(&second, say(&second)).await;
        peer.answer(&first, say(&first)).await;
    };
    let ((one, two), ()) = tokio::join!(asks, answers);
    assert_eq!(one.unwrap()["said"], "one");
    assert_eq!(two.unwrap()["said"], "two");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_never_stops_talking_keeps_nobody_from_asking_or_letting_go() {
    let talking = Talking::default();
    let (far_ends, incoming) = mpsc::unbounded_channel();
    let gateway = Gateway::connect(
        Arc::new(TalkativeDialer(
            ScriptDialer(far_ends),
            Arc::clone(&talking.0),
        )),
        SecretString::from("right"),
        GatewayOptions::default(),
    );
    let mut peer = Script(incoming).accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    talking.0.store(true, Ordering::SeqCst);
    let ask = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.request("anything", json!({})).await }
    });
    let asked = tokio::time::timeout(SOON, peer.request()).await;
    let asked = asked.expect("it is asked while the gateway talks");
    assert_eq!(asked["method"], "anything");
    ask.abort();
    let _ = ask.await;
    drop(gateway);
    let closed = async { while let Some(Ok(_)) = peer.0.next().await {} };
    tokio::time::timeout(SOON, closed)
        .await
        .expect("it is let go of while the gateway talks");
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_fails_what_was_in_flight_and_comes_back_with_a_new_boot_id() {
    let (mut script, gateway) = Script::start();
    let mut peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    let mut events = gateway.subscribe();
    let ask = tokio::spawn({
        let gateway = gateway.clone();
        async move { gateway.request("slow", json!({})).await }
    });
    peer.request().await;
    peer.send(json!({"type": "event", "event": "shutdown", "payload": {"reason": "gateway restarting", "restartExpectedMs": 1500}, "seq": 1})).await;
    tokio::join!(peer.close(1012), async {
        let error = ask.await.unwrap().unwrap_err();
        assert_eq!(error.code, codes::DISCONNECTED);
        assert!(error.retryable);
    });
    script.accept("b2").await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        match events.next().await.unwrap() {
            Signal::Event(event) => seen.push(event.event.clone()),
            Signal::Disconnected(reason) => seen.push(format!("{reason:?}")),
            Signal::Connected(hello) => seen.push(hello.boot_id.clone()),
            Signal::Gap { .. } => panic!("no gap here"),
        }
    }
    assert_eq!(
        seen,
        ["shutdown", "Restarting { expected: Some(1.5s) }", "b2"]
    );
}

#[tokio::test(start_paused = true)]
async fn a_jump_in_the_numbering_is_reported_as_a_gap() {
    let (mut script, gateway) = Script::start();
    let mut peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    let mut events = gateway.subscribe();
    for (name, seq) in [("a", 7), ("tick", 8), ("b", 9), ("c", 12)] {
        peer.event(name, seq).await;
    }
    let mut seen = Vec::new();
    while seen.len() < 4 {
        match events.next().await.unwrap() {
            Signal::Event(event) => seen.push(event.event.clone()),
            Signal::Gap { missed } => seen.push(format!("gap {missed}")),
            _ => {}
        }
    }
    assert_eq!(seen, ["a", "b", "gap 2", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_starting_gateway_is_asked_again_when_it_says() {
    let (mut script, gateway) = Script::start();
    let (mut peer, connect) = script.greet().await;
    peer.refuse(
        &connect,
        json!({"code": "UNAVAILABLE", "message": "gateway starting; retry shortly",
        "retryAfterMs": 500, "details": {"reason": "startup-sidecars"}}),
    )
    .await;
    let began = tokio::time::Instant::now();
    let mut state = gateway.watch_state();
    state
        .wait_for(|state| *state == ConnectionState::Starting)
        .await
        .unwrap();
    let _peer = script.accept("b1").await;
    assert!(began.elapsed() >= Duration::from_millis(500));
    gateway.wait_ready(SOON).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_wrong_token_is_final_until_another_is_given() {
    let (mut script, gateway) = Script::start();
    let (mut peer, connect) = script.greet().await;
    peer.refuse(
        &connect,
        json!({"code": "INVALID_REQUEST", "message": "unauthorized",
        "details": {"code": "AUTH_TOKEN_MISMATCH"}}),
    )
    .await;
    let refused = gateway.wait_ready(SOON).await.unwrap_err();
    assert!(matches!(refused, CloseReason::Refused(_)));
    assert!(
        tokio::time::timeout(Duration::from_secs(3600), script.0.recv())
            .await
            .is_err()
    );
    gateway.set_token(SecretString::from("new"));
    let (_, connect) = script.greet().await;
    assert_eq!(connect["params"]["auth"]["token"], "new");
}

#[tokio::test(start_paused = true)]
async fn a_silent_gateway_is_left_unless_it_is_frozen_on_purpose() {
    let (mut script, gateway) = Script::start();
    let _frozen_peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    gateway.set_frozen(true);
    assert!(
        tokio::time::timeout(Duration::from_secs(3600), script.0.recv())
            .await
            .is_err()
    );
    let mut events = gateway.subscribe();
    gateway.set_frozen(false);
    loop {
        if let Signal::Disconnected(reason) = events.next().await.unwrap() {
            assert_eq!(reason, CloseReason::Silent);
            break;
        }
    }
    script.accept("b1").await;
}

#[tokio::test(start_paused = true)]
async fn without_a_connection_requests_fail_at_once_and_retryably() {
    let (_script, gateway) = Script::start();
    let error = gateway.request("chat.send", json!({})).await.unwrap_err();
    assert_eq!(error.code, codes::DISCONNECTED);
    assert!(error.retryable && error.retry_after.is_some());
}

#[tokio::test(start_paused = true)]
async fn a_request_larger_than_the_gateway_takes_is_not_sent() {
    let (mut script, gateway) = Script::start();
    let _peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    let error = gateway
        .request("x", json!({"big": "x".repeat(3000)}))
        .await
        .unwrap_err();
    assert_eq!(error.code, codes::TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_never_comes_is_a_timeout() {
    let (mut script, gateway) = Script::start();
    let _peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    let error = gateway.request("x", json!({})).await.unwrap_err();
    assert_eq!(error.code, codes::TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn dropping_every_handle_closes_the_connection() {
    let (mut script, gateway) = Script::start();
    let mut peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    drop(gateway);
    assert!(matches!(peer.0.next().await, Some(Ok(Message::Close(_)))));
}

#[tokio::test(start_paused = true)]
async fn a_superseded_run_is_sent_once_more() {
    let (mut script, gateway) = Script::start();
    let mut peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    let send = ChatSend {
        session_key: "agent:main:main".into(),
        message: "hi".into(),
        idempotency_key: "k".into(),
        ..ChatSend::default()
    };
    let play = async {
        for (key, end) in [
            (
                "k",
                json!({"state": "error", "errorMessage": "Error: prepared model runtime plugin generation was superseded for x"}),
            ),
            (
                "k-again",
                json!({"state": "final", "message": {"content": [{"type": "text", "text": "hello"}]}}),
            ),
        ] {
            let request = peer.request().await;
            assert_eq!(request["params"]["idempotencyKey"], key);
            peer.answer(&request, json!({"runId": key, "status": "started"}))
                .await;
            let mut payload = end;
            payload["runId"] = json!(key);
            payload["sessionKey"] = json!("agent:main:main");
            peer.send(json!({"type": "event", "event": "chat", "payload": payload}))
                .await;
        }
    };
    let (turn, ()) = tokio::join!(gateway.turn(&send, SOON), play);
    assert_eq!(turn.unwrap().text, "hello");
}

/// Plays a gateway's configuration methods from a list of refusals, then takes the patch.
async fn apply_against(
    refusals: Vec<Value>,
    restart: bool,
) -> Result<crate::document::Applied, crate::document::ApplyError> {
    let (mut script, gateway) = Script::start();
    let mut peer = script.accept("b1").await;
    gateway.wait_ready(SOON).await.unwrap();
    let rendered = crate::document::render(&crate::document::render_tests::settings()).unwrap();
    let document = Arc::new(Mutex::new(rendered.config.clone()));
    document.lock().await["tools"]["exec"]["mode"] = json!("full");
    let play = async {
        let mut refusals = VecDeque::from(refusals);
        loop {
            let Some(Ok(Message::Text(text))) = peer.0.next().await else {
                return;
            };
            let request: Value = serde_json::from_str(&text).unwrap();
            if request["method"] == "config.get" {
                let source = document.lock().await.clone();
                peer.answer(
                    &request,
                    json!({"hash": "h", "valid": true, "sourceConfig": source}),
                )
                .await;
            } else if let Some(refusal) = refusals.pop_front() {
                peer.refuse(&request, refusal).await;
            } else {
                let patch: Value =
                    serde_json::from_str(request["params"]["raw"].as_str().unwrap()).unwrap();
                assert_eq!(patch, json!({"tools": {"exec": {"mode": "ask"}}}));
                crate::document::merge_patch(&mut *document.lock().await, &patch);
                peer.answer(&request, json!({"ok": true, "sentinel": {"payload": {"stats": {"requiresRestart": restart}}}})).await;
            }
        }
    };
    tokio::select! {
        result = apply_live(&gateway, &rendered, Secrets::Unchanged) => result,
        () = play => panic!("the script ended first"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_stale_hash_is_read_again_and_only_the_difference_is_sent() {
    let stale = json!({"code": "INVALID_REQUEST", "message": "config changed since last load; re-run config.get and retry"});
    let applied = apply_against(vec![stale], false).await.unwrap();
    assert_eq!(applied.changed, ["/tools/exec/mode"]);
    assert!(!applied.restart_required);
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_handed_to_the_caller_with_its_wait() {
    let limit = json!({"code": "UNAVAILABLE", "message": "rate limit exceeded for config.patch; retry after 60s",
        "retryable": true, "retryAfterMs": 60000});
    match apply_against(vec![limit], false).await.unwrap_err() {
        crate::document::ApplyError::Rpc(error) => {
            assert!(error.is_rate_limit());
            assert_eq!(error.retry_after, Some(Duration::from_secs(60)));
        }
        other => panic!("{other}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_needs_a_restart_says_so() {
    assert!(
        apply_against(Vec::new(), true)
            .await
            .unwrap()
            .restart_required
    );
}
