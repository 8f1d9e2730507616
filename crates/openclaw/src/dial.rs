//! The way to a gateway: a byte stream, made anew for every connection.
//!
//! Runtimes implement this (a loopback socket, a relay's socket directory, a tunnel); nothing here
//! assumes TCP. The stream must arrive at the gateway as loopback and without any forwarded header,
//! or the connection loses its scopes (`openclaw.md` section 2).

use std::{fmt, io, net::SocketAddr};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream to a gateway.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// What opens byte streams to one gateway.
#[async_trait]
pub trait Dialer: Send + Sync + fmt::Debug + 'static {
    /// Opens a new stream to the gateway's port.
    ///
    /// # Errors
    ///
    /// Whatever keeps the stream from opening; the caller treats every error as "not there yet".
    async fn dial(&self) -> io::Result<Box<dyn ByteStream>>;
}

/// Dials a TCP address; for gateways whose port this process can reach itself.
#[derive(Debug, Clone, Copy)]
pub struct TcpDialer(
    /// Where the gateway listens.
    pub SocketAddr,
);

#[async_trait]
impl Dialer for TcpDialer {
    async fn dial(&self) -> io::Result<Box<dyn ByteStream>> {
        let stream = tokio::net::TcpStream::connect(self.0).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}
