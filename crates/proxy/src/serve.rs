//! How a listener serves: with a bound on what slow and many clients may take.
//!
//! Every open connection costs memory and a descriptor, and a client that sends a byte a minute keeps it for ever. So the head of a
//! request has a deadline, its body a deadline and a pause it may make, and there is a bound on open connections; whoever comes when it
//! is reached waits in the kernel's queue. Where strangers call, one of them gets a [`Share`] of it, or a single one could keep out all
//! others. Answers have no deadline: an event stream may last as long as its session. HTTP/1.1 only: that is what browsers, gateways
//! and proxies speak to us, and telling two protocols apart would be a wait of its own.

mod share;

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, extract::ConnectInfo, serve::Listener};
use http::Request;
use hyper::{body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;
use tower_http::timeout::{RequestBodyDeadlineLayer, RequestBodyTimeoutLayer};

pub use share::Share;

/// What clients may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long the head of a request may take, from the opening of the connection or the end of the answer before. So it is also how
    /// long a connection may be kept without use.
    pub head: Duration,
    /// How long a body may pause.
    pub pause: Duration,
    /// How long a body may take in all.
    pub body: Duration,
    /// How many connections may be open.
    pub connections: usize,
}

impl Default for Bounds {
    /// For a listener of this machine or of a local network: attachments of 30 MiB over a slow line take minutes.
    fn default() -> Self {
        Self {
            head: Duration::from_secs(30),
            pause: Duration::from_secs(30),
            body: Duration::from_secs(15 * 60),
            connections: 4096,
        }
    }
}

/// When the log heard about something last, so that it does not fill with it.
#[derive(Debug, Default)]
struct Said(Option<Instant>);

impl Said {
    /// Between two lines of the log about the same thing.
    const EVERY: Duration = Duration::from_secs(60);

    /// Whether to say it now.
    fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|at| at.elapsed() >= Self::EVERY);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

/// A connection's place among those that may be open. Whoever takes a connection over from HTTP finds it in the request's extensions and
/// keeps it until the connection closes.
#[derive(Debug, Clone)]
pub struct Place(
    #[expect(dead_code, reason = "held, not read")]
    Arc<(Option<OwnedSemaphorePermit>, Option<share::Part>)>,
);

/// Serves a router on a listener until `stop`; then takes no more connections, and ends when the running answers have. `name` says in
/// the log whose listener it is, `peer` who calls; `share` is what one of those may take, where they are strangers to each other.
pub async fn serve<L: Listener>(
    mut listener: L,
    router: Router,
    peer: fn(&L::Addr) -> Option<SocketAddr>,
    bounds: Bounds,
    share: Option<Share>,
    name: &'static str,
    stop: CancellationToken,
) {
    let router = router
        .layer(RequestBodyTimeoutLayer::new(bounds.pause))
        .layer(RequestBodyDeadlineLayer::new(bounds.body));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(bounds.head);
    let mut room = Room::new(bounds.connections, name);
    let mut share = share.map(|share| share.of(bounds.connections, name));
    let connections = TaskTracker::new();
    loop {
        let (permit, (io, address)) = tokio::select! {
            both = async {
                // Room first: a connection that was taken must be served.
                let permit = room.take().await;
                (permit, listener.accept().await)
            } => both,
            () = stop.cancelled() => break,
        };
        let peer = peer(&address);
        let part = match (&mut share, peer) {
            (Some(share), Some(peer)) => match share.take(peer.ip()) {
                Some(part) => Some(part),
                // Closed at once: in a queue it would keep its place all the same.
                None => continue,
            },
            _ => None,
        };
        let place = Place(Arc::new((permit, part)));
        let held = place.clone();
        let service = router
            .clone()
            .map_request(move |request: Request<Incoming>| {
                let mut request = request.map(Body::new);
                request.extensions_mut().insert(held.clone());
                if let Some(peer) = peer {
                    request.extensions_mut().insert(ConnectInfo(peer));
                }
                request
            });
        let connection = http
            .serve_connection(TokioIo::new(io), TowerToHyperService::new(service))
            .with_upgrades();
        let stopping = stop.clone();
        connections.spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = stopping.cancelled() => {
                    // The answer that runs may end.
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            // A client that left or was too slow is nobody's fault here.
            if let Err(error) = ended {
                tracing::debug!(listener = name, "a connection ended: {error}");
            }
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// Places for connections.
struct Room {
    places: Arc<Semaphore>,
    most: usize,
    name: &'static str,
    said: Said,
}

impl Room {
    fn new(most: usize, name: &'static str) -> Self {
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
            name,
            said: Said::default(),
        }
    }

    /// Waits for a place.
    async fn take(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(permit) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(permit);
        }
        if self.said.is_due() {
            tracing::warn!(
                listener = self.name,
                connections = self.most,
                "all connections of this listener are in use; new ones wait until one ends"
            );
        }
        // Nobody closes it.
        Arc::clone(&self.places).acquire_owned().await.ok()
    }
}
