//! What slow and many clients get.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::ConnectInfo,
    response::IntoResponse,
    routing::{get, post},
};
use fractal_proxy::serve::{Bounds, Place, Share, serve};
use futures::{StreamExt, future::join_all};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(100);

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn served(router: Router, bounds: Bounds) -> Served {
    served_to(router, bounds, |at| Some(*at), None).await
}

async fn served_to(
    router: Router,
    bounds: Bounds,
    peer: fn(&SocketAddr) -> Option<SocketAddr>,
    share: Option<Share>,
) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let serving = serve(listener, router, peer, bounds, share, "test", stop.clone());
    Served {
        address,
        stop,
        task: tokio::spawn(serving),
    }
}

impl Served {
    async fn connect(&self, first: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(first.as_bytes()).await.unwrap();
        stream
    }
}

/// Everything until the other side closes.
async fn until_closed(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    let read = stream.read_to_end(&mut all);
    // A reset is a close too.
    let _ = timeout(PATIENCE, read).await.expect("it is closed");
    String::from_utf8(all).unwrap()
}

const GET: &str = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

#[tokio::test]
async fn who_does_not_finish_the_head_or_body_of_a_request_in_time_is_cut_off() {
    let router = Router::new().route(
        "/",
        post(|body: Bytes| async move { body.len().to_string() }),
    );
    let long = Bounds::default();
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nConnection: close\r\n\r\n";
    for (bounds, sent) in [
        (
            Bounds {
                head: SHORT,
                ..long
            },
            "",
        ),
        (
            Bounds {
                head: SHORT,
                ..long
            },
            "POST / HTTP/1.1\r\nHost:",
        ),
        (
            Bounds {
                pause: SHORT,
                ..long
            },
            head,
        ),
        (
            Bounds {
                body: SHORT,
                ..long
            },
            head,
        ),
    ] {
        let served = served(router.clone(), bounds).await;
        let said = until_closed(served.connect(sent).await).await;
        assert!(!said.contains("200 OK"), "{sent:?}: {said}");
        // The same in one piece is served.
        let said = until_closed(served.connect(&format!("{head}123456789")).await).await;
        assert!(said.contains("200 OK") && said.ends_with('9'), "{said}");
    }
}

#[tokio::test]
async fn a_connection_that_became_something_else_keeps_its_place_until_it_closes() {
    let router = Router::new().route(
        "/",
        get(|mut request: axum::extract::Request| async move {
            let Some(place) = request.extensions().get::<Place>().cloned() else {
                return http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
            };
            if !request.headers().contains_key(http::header::UPGRADE) {
                return "served".into_response();
            }
            let upgrade = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let mut taken = hyper_util::rt::TokioIo::new(upgrade.await.unwrap());
                // Until the client leaves.
                let _ = taken.read(&mut [0]).await;
                drop(place);
            });
            let headers = [("connection", "upgrade"), ("upgrade", "other")];
            (http::StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
        }),
    );
    let bounds = Bounds {
        connections: 1,
        ..Bounds::default()
    };
    let served = served(router, bounds).await;
    let asked = "GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n";
    let mut taken = served.connect(asked).await;
    let mut head = [0; 12];
    timeout(PATIENCE, taken.read_exact(&mut head))
        .await
        .expect("it is answered")
        .unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    let mut next = std::pin::pin!(until_closed(served.connect(GET).await));
    assert!(
        timeout(SHORT, &mut next).await.is_err(),
        "there is no place"
    );
    drop(taken);
    assert!(next.await.ends_with("served"));
}

#[tokio::test]
async fn a_body_that_goes_on_without_a_pause_still_has_to_end() {
    let router = Router::new().route(
        "/",
        post(|body: Bytes| async move { body.len().to_string() }),
    );
    let bounds = Bounds {
        body: SHORT,
        ..Bounds::default()
    };
    let served = served(router, bounds).await;
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n";
    let mut stream = served.connect(head).await;
    let send = async {
        while stream.write_all(b"x").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, send).await.expect("it is closed");
}

#[tokio::test]
async fn no_more_connections_are_served_at_once_than_there_are_places_and_all_get_their_turn() {
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let gate = Arc::new(Semaphore::new(0));
    let (entered, highest, doors) = (inside.clone(), most.clone(), gate.clone());
    let handler = async move || {
        highest.fetch_max(entered.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        doors.acquire().await.unwrap().forget();
        entered.fetch_sub(1, Ordering::SeqCst);
        "done"
    };
    let bounds = Bounds {
        connections: 2,
        ..Bounds::default()
    };
    let served = served(Router::new().route("/", get(handler)), bounds).await;
    let streams: Vec<_> = join_all((0..5).map(|_| served.connect(GET))).await;
    let full = async {
        while inside.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, full).await.expect("two are served");
    // Time enough for a third to slip in: another listener of this thread serves a whole request.
    let other = self::served(Router::new().route("/", get(|| async { "x" })), bounds).await;
    until_closed(other.connect(GET).await).await;
    assert_eq!(inside.load(Ordering::SeqCst), 2);
    gate.add_permits(5);
    for said in join_all(streams.into_iter().map(until_closed)).await {
        assert!(said.ends_with("done"), "{said}");
    }
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_has_a_quarter_of_the_connections_is_refused_more_until_one_ends() {
    let router = Router::new().route("/", get(|| async { "done" }));
    let bounds = Bounds {
        connections: 64,
        ..Bounds::default()
    };
    let one = |_: &SocketAddr| Some(SocketAddr::from(([203, 0, 113, 9], 1)));
    let served = served_to(router, bounds, one, Some(Share::new(|_| false))).await;
    let mut kept = join_all((0..16).map(|_| served.connect(""))).await;
    let said = until_closed(served.connect("").await).await;
    assert_eq!(said, "", "closed at once, not after the deadline of a head");
    drop(kept.pop());
    let again = async {
        loop {
            let mut stream = TcpStream::connect(served.address).await.unwrap();
            // A refused one may be closed before all is written.
            let _ = stream.write_all(GET.as_bytes()).await;
            if until_closed(stream).await.ends_with("done") {
                break;
            }
        }
    };
    timeout(PATIENCE, again).await.expect("its place is free");
}

#[tokio::test]
async fn an_answer_may_last_and_is_not_cut_off_when_the_listener_stops() {
    let begun = Arc::new(Notify::new());
    let go_on = Arc::new(Notify::new());
    let (told, wait) = (begun.clone(), go_on.clone());
    let handler = async move |ConnectInfo(peer): ConnectInfo<SocketAddr>| {
        let words = futures::stream::iter([peer.ip().to_string(), " the end".to_owned()]);
        Body::from_stream(words.enumerate().then(move |(n, word)| {
            let (told, wait) = (told.clone(), wait.clone());
            async move {
                if n > 0 {
                    told.notify_one();
                    wait.notified().await;
                }
                Ok::<_, std::convert::Infallible>(word)
            }
        }))
    };
    let bounds = Bounds {
        head: SHORT,
        pause: SHORT,
        body: SHORT,
        ..Bounds::default()
    };
    let served = served(Router::new().route("/", get(handler)), bounds).await;
    let stream = served.connect(GET).await;
    timeout(PATIENCE, begun.notified()).await.unwrap();
    // Longer than every deadline for requests: one that begins now runs into it first.
    until_closed(served.connect("").await).await;
    served.stop.cancel();
    // Nobody is let in any more; the answer goes on.
    let refused = async {
        while TcpStream::connect(served.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, refused).await.expect("it is closed");
    assert!(!served.task.is_finished());
    go_on.notify_one();
    let said = until_closed(stream).await;
    assert!(
        said.contains("127.0.0.1") && said.contains(" the end"),
        "{said}"
    );
    timeout(PATIENCE, served.task).await.unwrap().unwrap();
}
