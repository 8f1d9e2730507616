//! Connections whose handshake is done where they are served.
//!
//! A listener that shook hands itself would make everybody wait for one slow client, or keep connections that are counted nowhere. So it
//! hands out a connection at once; the handshake happens at its first use, within the places and shares of `proxy::serve`.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::serve::Listener;
use futures::future::BoxFuture;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// The first byte of every TLS connection: a record of the handshake.
const HANDSHAKE_RECORD: u8 = 22;

/// What somebody is told who speaks plain HTTP.
const PLAIN: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 65\r\n\r\n\
     This address speaks HTTPS; open it with https:// before the name\n";

/// Listens with TLS.
pub struct TlsListener<L> {
    inner: L,
    acceptor: TlsAcceptor,
    pub(super) handshake: Duration,
}

impl<L> TlsListener<L> {
    /// Over a listener for plain connections.
    pub const fn new(inner: L, acceptor: TlsAcceptor) -> Self {
        Self {
            inner,
            acceptor,
            handshake: HANDSHAKE,
        }
    }
}

impl<L: Listener<Io = TcpStream, Addr = SocketAddr>> Listener for TlsListener<L> {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, peer) = self.inner.accept().await;
        let handshake = shake_hands(stream, self.acceptor.clone(), self.handshake);
        (Connection(State::Handshake(Box::pin(handshake))), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// A connection before, in and after its handshake.
pub struct Connection(State);

enum State {
    Handshake(BoxFuture<'static, io::Result<TlsStream<TcpStream>>>),
    Open(Box<TlsStream<TcpStream>>),
    /// It failed, and the error was told.
    Over,
}

impl Connection {
    /// The stream, when the handshake is done.
    fn open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut TlsStream<TcpStream>>>> {
        if let State::Handshake(handshake) = &mut self.0 {
            match ready!(handshake.as_mut().poll(cx)) {
                Ok(stream) => self.0 = State::Open(Box::new(stream)),
                Err(error) => {
                    self.0 = State::Over;
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(match &mut self.0 {
            State::Open(stream) => Ok(Pin::new(stream)),
            _ => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.open(cx))?.poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.open(cx))?.poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            State::Open(stream) => Pin::new(stream).poll_flush(cx),
            // Nothing was written yet.
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.0 {
            State::Open(stream) => Pin::new(stream).poll_shutdown(cx),
            _ => Poll::Ready(Ok(())),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.open(cx))?.poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        // What the stream says whatever its state is.
        true
    }
}

async fn shake_hands(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    within: Duration,
) -> io::Result<TlsStream<TcpStream>> {
    let attempt = async {
        let mut first = [0];
        match stream.peek(&mut first).await {
            Ok(0) => return Err(("left", io::ErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(error) => return Err(("left", error)),
        }
        if first != [HANDSHAKE_RECORD] {
            turn_away(stream).await;
            return Err(("plain", io::Error::other("plain HTTP on a TLS port")));
        }
        acceptor
            .accept(stream)
            .await
            .map_err(|error| ("failed", error))
    };
    let (outcome, result) = match tokio::time::timeout(within, attempt).await {
        Ok(Ok(stream)) => ("done", Ok(stream)),
        Ok(Err((outcome, error))) => (outcome, Err(error)),
        Err(_) => ("slow", Err(io::ErrorKind::TimedOut.into())),
    };
    metrics::counter!("fractal_tls_handshakes_total", "outcome" => outcome).increment(1);
    result
}

/// Tells somebody who speaks plain HTTP what to do. What they sent is read, because a connection that is closed with something unread
/// is reset, and the answer lost.
async fn turn_away(mut stream: TcpStream) {
    let mut sent = vec![0; 16 << 10];
    let _ = stream.read(&mut sent).await;
    if stream.write_all(PLAIN.as_bytes()).await.is_err() || stream.shutdown().await.is_err() {
        return;
    }
    while stream.read(&mut sent).await.is_ok_and(|read| read > 0) {}
}
