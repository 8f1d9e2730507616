//! `/api/v1/live`: many event streams over one WebSocket.
//!
//! Over HTTP/1.1 a browser opens six connections to a host for all its tabs together, and every event stream keeps one of them;
//! WebSockets are not counted among the six. Each stream is opened by the very route that serves it by itself, with the credentials the
//! socket was opened with, so that who may read it, and when that ends, is decided in one place.

use std::{collections::HashMap, time::Duration};

use axum::{
    Router,
    body::{Body, BodyDataStream, to_bytes},
    extract::{Request, State},
    http::Extensions,
    middleware,
    response::{IntoResponse, Response},
};
use fractal_api_types::{LiveMessage, LiveRequest, Problem, ProblemCode};
use fractal_app::{App, chat};
use fractal_proxy::serve::Place;
use futures::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::sync::mpsc;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Message,
        handshake::server::create_response_with_body,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};
use tokio_util::task::AbortOnDropHandle;
use tower::ServiceExt;
use utoipa_axum::routes;

use crate::{
    Server, api,
    document::Routes,
    extract::Caller,
    guard, measure,
    problem::{ApiError, ApiResult},
};

/// How many streams a socket carries. A page of the Portal needs four.
const MOST_STREAMS: usize = 32;
/// The longest message a client may send: an address with ids in it.
const LONGEST: usize = 8 << 10;
/// Between two pings. They keep proxies from closing a silent socket, and whoever answers none until the next is gone.
const PING: Duration = Duration::from_secs(15);
/// Messages that wait for a slow client; after these its streams wait.
const WAITING: usize = 64;
/// The largest refusal that is passed on.
const REFUSAL: usize = 64 << 10;

/// Headers that say who calls and from where. Everything else of a stream's request is its own.
const CALLER: [HeaderName; 8] = [
    header::HOST,
    header::COOKIE,
    header::AUTHORIZATION,
    header::USER_AGENT,
    header::FORWARDED,
    header::VIA,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];

pub fn routes() -> Routes {
    Routes::new().routes(routes!(live))
}

/// Carry several event streams over one WebSocket.
///
/// The client sends `LiveRequest` as JSON, one a message, and gets `LiveMessage`. Any route that answers with an event stream can be
/// opened; its events arrive as text, as they would over HTTP.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", operation_id = "openLive",
    responses((status = 101, description = "a WebSocket of `LiveRequest` and `LiveMessage`"),
        (status = 426, description = "this is no WebSocket handshake (RFC 6455, 4.2.1)", body = Problem, content_type = "application/problem+json")))]
async fn live(
    State(server): State<Server>,
    Caller(cx): Caller,
    mut request: Request,
) -> ApiResult<Response> {
    // Without the streams it was asked over a socket, which is no handshake either.
    let (Ok(answer), Some(streams)) = (
        create_response_with_body(&request, Body::empty),
        request.extensions().get::<Streams>().cloned(),
    ) else {
        let mut refused = ApiError::new(
            ProblemCode::UpgradeRequired,
            "this address speaks WebSocket, version 13",
        )
        .into_response();
        refused
            .headers_mut()
            .insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        return Ok(refused);
    };
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    let upgrade = hyper::upgrade::on(&mut request);
    // It counts as a connection until the socket closes.
    let place = request.extensions().get::<Place>().cloned();
    let opener = Opener {
        streams,
        headers: request
            .headers()
            .iter()
            .filter(|(name, _)| CALLER.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        origin: request.extensions().get::<Peer>().copied(),
    };
    tokio::spawn(async move {
        let Ok(upgraded) = upgrade.await else { return };
        let config = WebSocketConfig::default()
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config))
                .await;
        metrics::gauge!("fractal_live_sockets").increment(1);
        talk(socket, opener, server.app, signed_out).await;
        metrics::gauge!("fractal_live_sockets").decrement(1);
        drop(place);
    });
    Ok(answer)
}

type Peer = axum::extract::ConnectInfo<std::net::SocketAddr>;
type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

/// The API as a socket calls it.
#[derive(Debug, Clone)]
pub struct Streams(Router);

impl Streams {
    /// Over the same use cases, guarded and counted like a request that comes by itself.
    #[must_use]
    pub fn new(server: Server) -> Self {
        let (router, _) = api().split_for_parts();
        Self(
            router
                .layer(middleware::from_fn_with_state(server.clone(), guard::guard))
                .layer(middleware::from_fn(measure::measure))
                .with_state(server),
        )
    }
}

/// Opens streams for whoever opened the socket.
#[derive(Clone)]
struct Opener {
    streams: Streams,
    headers: HeaderMap,
    origin: Option<Peer>,
}

impl Opener {
    async fn open(self, path: &str, last: Option<&str>) -> Result<BodyDataStream, Problem> {
        let response = match self.request(path, last) {
            Ok(request) => {
                let Ok(response) = self.streams.0.oneshot(request).await;
                response
            }
            Err(error) => error.into_response(),
        };
        let is_stream = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if response.status().is_success() {
            if is_stream {
                return Ok(response.into_body().into_data_stream());
            }
            return Err(problem_of(no_stream().into_response()).await);
        }
        Err(problem_of(response).await)
    }

    fn request(&self, path: &str, last: Option<&str>) -> ApiResult<Request> {
        let address: Uri = path
            .starts_with("/api/v1/")
            .then(|| path.parse().ok())
            .flatten()
            .ok_or_else(no_stream)?;
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = address;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert(
            header::ACCEPT,
            HeaderValue::from_static("text/event-stream"),
        );
        if let Some(last) = last {
            let value = HeaderValue::from_str(last)
                .map_err(|_| ApiError::parameter("last_event_id", "must be the id of an event"))?;
            request
                .headers_mut()
                .insert(HeaderName::from_static("last-event-id"), value);
        }
        let extensions: &mut Extensions = request.extensions_mut();
        if let Some(origin) = self.origin {
            extensions.insert(origin);
        }
        Ok(request)
    }
}

fn no_stream() -> ApiError {
    ApiError::parameter(
        "path",
        "must be the address of an event stream, like /api/v1/events",
    )
}

/// What a route refused with.
async fn problem_of(response: Response) -> Problem {
    let status = response.status();
    let body = to_bytes(response.into_body(), REFUSAL)
        .await
        .unwrap_or_default();
    serde_json::from_slice(&body).unwrap_or_else(|_| Problem {
        kind: format!("/docs/problems#{}", ProblemCode::Internal.as_str()),
        title: ProblemCode::Internal.title().to_owned(),
        status: status.as_u16(),
        code: ProblemCode::Internal,
        detail: None,
        remedy: None,
        errors: Vec::new(),
        request_id: String::new(),
    })
}

/// Serves a socket until its client leaves or is signed out.
async fn talk(
    socket: Socket,
    opener: Opener,
    app: App,
    signed_out: impl Future<Output = ()> + Send,
) {
    let (mut to, mut from) = socket.split();
    let (tell, mut told) = mpsc::channel(WAITING);
    let mut open: HashMap<u32, AbortOnDropHandle<()>> = HashMap::new();
    let mut signed_out = std::pin::pin!(signed_out);
    let mut is_there = true;
    let mut ping = app.clock.sleep(PING);
    let farewell = loop {
        tokio::select! {
            () = &mut signed_out => break Some((CloseCode::Policy, "signed out")),
            heard = from.next() => {
                let request = match heard {
                    Some(Ok(Message::Text(text))) => serde_json::from_str(&text),
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {
                        is_there = true;
                        continue;
                    }
                    Some(Ok(Message::Binary(_))) => break Some((CloseCode::Unsupported, "text only")),
                    Some(Ok(Message::Close(_) | Message::Frame(_)) | Err(_)) | None => break None,
                };
                is_there = true;
                match request {
                    Ok(LiveRequest::Open { stream, path, last_event_id }) => {
                        open.retain(|_, task| !task.is_finished());
                        // Two streams under one number could not be told apart.
                        if open.len() >= MOST_STREAMS || open.contains_key(&stream) {
                            break Some((CloseCode::Policy, "too many streams, or two with one number"));
                        }
                        let task = carry(stream, path, last_event_id, opener.clone(), tell.clone());
                        open.insert(stream, AbortOnDropHandle::new(tokio::spawn(task)));
                    }
                    Ok(LiveRequest::Close { stream }) => drop(open.remove(&stream)),
                    Err(_) => break Some((CloseCode::Policy, "not a LiveRequest")),
                }
            }
            Some(message) = told.recv() => {
                if to.send(text_of(&message)).await.is_err() {
                    break None;
                }
            }
            () = &mut ping => {
                if !is_there || to.send(Message::Ping(Vec::new().into())).await.is_err() {
                    break None;
                }
                is_there = false;
                ping = app.clock.sleep(PING);
            }
        }
    };
    drop(open);
    if let Some((code, reason)) = farewell {
        let reason = reason.into();
        let _ = to
            .send(Message::Close(Some(CloseFrame { code, reason })))
            .await;
    }
}

fn text_of(message: &LiveMessage) -> Message {
    // These types serialise without fail.
    Message::text(serde_json::to_string(message).unwrap_or_default())
}

/// Carries one stream from its opening to its end.
async fn carry(
    stream: u32,
    path: String,
    last: Option<String>,
    opener: Opener,
    tell: mpsc::Sender<LiveMessage>,
) {
    let mut body = match opener.open(&path, last.as_deref()).await {
        Ok(body) => body,
        Err(problem) => {
            let _ = tell.send(LiveMessage::Refused { stream, problem }).await;
            return;
        }
    };
    if tell.send(LiveMessage::Opened { stream }).await.is_err() {
        return;
    }
    while let Some(Ok(chunk)) = body.next().await {
        // A comment keeps a connection open; here pings do.
        if chunk.starts_with(b":") {
            continue;
        }
        // Routes write whole events, so that no character is cut.
        let Ok(text) = String::from_utf8(chunk.into()) else {
            break;
        };
        if tell.send(LiveMessage::Text { stream, text }).await.is_err() {
            return;
        }
    }
    let _ = tell.send(LiveMessage::Ended { stream }).await;
}
