//! Many streams over one WebSocket: each is what its route would have been by itself.

use std::net::SocketAddr;

use fractal_app::session;
use futures::{SinkExt as _, StreamExt as _};
use http::{HeaderValue, Method, header};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, client::IntoClientRequest as _},
};

use crate::world::{PATIENCE, World, request};

/// The client's end.
pub struct Live(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Live {
    /// As a page at this address would open it.
    pub async fn open(address: &str, cookie: &str) -> Result<Self, Box<tungstenite::Error>> {
        let origin = address.replacen("ws", "http", 1);
        let origin = url::Url::parse(&origin).unwrap().origin();
        Self::open_from(address, cookie, &origin.ascii_serialization()).await
    }

    async fn open_from(
        address: &str,
        cookie: &str,
        origin: &str,
    ) -> Result<Self, Box<tungstenite::Error>> {
        let mut request = address.into_client_request().unwrap();
        let headers = request.headers_mut();
        headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
        headers.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        let (socket, _) = tokio_tungstenite::connect_async(request)
            .await
            .map_err(Box::new)?;
        Ok(Self(socket))
    }

    pub async fn ask(&mut self, request: Value) {
        self.0
            .send(Message::text(request.to_string()))
            .await
            .unwrap();
    }

    /// The next thing the server says.
    pub async fn next(&mut self) -> Value {
        match self.frame().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} is no message"),
        }
    }

    async fn frame(&mut self) -> Message {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.0.next()).await;
            match frame.expect("something is said").unwrap().unwrap() {
                Message::Ping(_) | Message::Pong(_) => {}
                frame => return frame,
            }
        }
    }

    /// Reads on until a stream says something with these words.
    async fn until(&mut self, stream: u32, words: &str) {
        let mut heard = Vec::new();
        let listen = async {
            loop {
                let said = self.next().await;
                let is_it = said["stream"] == stream;
                if is_it
                    && said["text"]
                        .as_str()
                        .is_some_and(|text| text.contains(words))
                {
                    return;
                }
                heard.push(said.to_string());
            }
        };
        if tokio::time::timeout(PATIENCE, listen).await.is_err() {
            panic!("{stream} never says {words:?}, but: {heard:#?}");
        }
    }
}

/// The router behind a listener, as the server serves it. The address of the socket.
async fn served(world: &World) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(fractal_proxy::serve::serve(
        listener,
        world.router.clone(),
        |peer: &SocketAddr| Some(*peer),
        fractal_proxy::serve::Bounds::default(),
        None,
        "test",
        tokio_util::sync::CancellationToken::new(),
    ));
    format!("ws://{address}/api/v1/live")
}

fn status_of(refused: Result<Live, Box<tungstenite::Error>>) -> u16 {
    match refused.err().map(|error| *error) {
        Some(tungstenite::Error::Http(answer)) => answer.status().as_u16(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_socket_carries_many_streams_and_each_is_asked_for_by_its_own_route() {
    let world = World::new().await;
    let (mine, theirs) = (
        world.instance(&world.ada).await,
        world.instance(&world.bob).await,
    );
    let address = served(&world).await;
    let mut live = Live::open(&address, &world.ada.cookie).await.unwrap();

    let events = |id: &str| format!("/api/v1/instances/{id}/events");
    live.ask(json!({ "type": "open", "stream": 1, "path": events(&mine.to_string()) }))
        .await;
    assert_eq!(live.next().await, json!({ "type": "opened", "stream": 1 }));
    live.until(1, "event: instance").await;
    live.ask(json!({ "type": "open", "stream": 2, "path": "/api/v1/events" }))
        .await;
    assert_eq!(live.next().await, json!({ "type": "opened", "stream": 2 }));

    // Another's is refused as it is over HTTP, and what is no stream is not carried.
    for (path, code) in [
        (events(&theirs.to_string()), "not-found"),
        ("/api/v1/instances".to_owned(), "invalid-parameter"),
        ("/api/v1/live".to_owned(), "upgrade-required"),
        ("/livez".to_owned(), "invalid-parameter"),
        (
            "https://other.example/api/v1/events".to_owned(),
            "invalid-parameter",
        ),
    ] {
        live.ask(json!({ "type": "open", "stream": 3, "path": path }))
            .await;
        let said = live.next().await;
        assert_eq!(
            (&said["type"], &said["stream"], &said["problem"]["code"]),
            (&json!("refused"), &json!(3), &json!(code)),
            "{path}: {said}"
        );
    }

    // Both streams go on.
    let rename = json!({ "name": "renamed live" });
    let patch = request(
        Method::PATCH,
        &format!("/api/v1/instances/{mine}"),
        &world.ada.proof(),
        Some(&rename),
    );
    assert_eq!(world.send(patch).await.status, 200);
    live.until(1, "renamed live").await;
    world.house.app.sealer.seal_all().await.unwrap();
    live.until(2, "renamed live").await;

    // Told where it was, a stream goes on after that; a left one says nothing any more.
    live.ask(json!({ "type": "close", "stream": 2 })).await;
    live.ask(
        json!({ "type": "open", "stream": 4, "path": "/api/v1/events", "last_event_id": "0" }),
    )
    .await;
    live.until(4, "user.create").await;
}

#[tokio::test]
async fn a_socket_ends_with_the_session_that_opened_it() {
    let world = World::new().await;
    let address = served(&world).await;
    let mut live = Live::open(&address, &world.ada.cookie).await.unwrap();
    live.ask(json!({ "type": "open", "stream": 1, "path": "/api/v1/events" }))
        .await;
    assert_eq!(live.next().await["type"], "opened");
    session::sign_out(&world.house.app, &world.ada.cx)
        .await
        .unwrap();
    loop {
        match live.frame().await {
            // The stream's own end may come first.
            Message::Text(text) => assert!(text.contains("ended"), "{text}"),
            Message::Close(Some(frame)) => {
                assert_eq!(u16::from(frame.code), 1008);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        status_of(Live::open(&address, &world.ada.cookie).await),
        401
    );
}

#[tokio::test]
async fn a_page_of_another_site_opens_no_socket() {
    let world = World::new().await;
    let address = served(&world).await;
    let cookie = &world.ada.cookie;
    for origin in ["https://evil.example", "http://127.0.0.1:1", "null"] {
        let refused = Live::open_from(&address, cookie, origin).await;
        assert_eq!(status_of(refused), 403, "{origin}");
    }
    assert_eq!(status_of(Live::open(&address, "").await), 401);
}

#[tokio::test]
async fn what_is_no_message_of_a_client_ends_the_socket_with_the_reason() {
    let world = World::new().await;
    let address = served(&world).await;
    let open = |stream: u32| json!({ "type": "open", "stream": stream, "path": "/api/v1/events" });
    let twice = [open(1), open(1)];
    let many: Vec<Value> = (0..33).map(open).collect();
    for (messages, reason) in [
        (&[json!("open")][..], "not a LiveRequest"),
        (&twice[..], "too many streams, or two with one number"),
        (&many[..], "too many streams, or two with one number"),
    ] {
        let mut live = Live::open(&address, &world.ada.cookie).await.unwrap();
        for message in messages {
            live.ask(message.clone()).await;
        }
        loop {
            match live.frame().await {
                Message::Text(_) => {}
                Message::Close(Some(frame)) => {
                    assert_eq!(frame.reason.as_str(), reason);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
    }
    // Plain HTTP is told what is spoken here.
    let plain = world.get("/api/v1/live", &world.ada.proof()).await;
    assert_eq!(plain.status, 426);
    assert_eq!(plain.headers[header::UPGRADE], "websocket");
}
