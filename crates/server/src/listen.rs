//! The main listener, and the internal ones.

use std::{net::SocketAddr, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, serve::ListenerExt as _};
use fractal_proxy::serve::{Bounds, Share};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::{
    limits,
    tls::{Tls, TlsListener},
};

/// Binds an address, with the remedy when it is taken.
///
/// # Errors
///
/// When the address cannot be bound.
pub async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen on {address}; if another program uses the port, choose another with --listen 127.0.0.1:PORT")
    })
}

/// Serves a router until stopped, by TLS when there is a certificate; running answers may end. `share` is what one client may take,
/// `name` says in the log which listener it is.
pub fn serve(
    listener: TcpListener,
    tls: Option<&Tls>,
    router: Router,
    share: Share,
    name: &'static str,
    stop: CancellationToken,
) -> tokio::task::JoinHandle<()> {
    let bounds = Bounds {
        connections: limits::most_connections(),
        ..Bounds::default()
    };
    let listener = listener.tap_io(|stream| end_when_unread(stream, UNREAD));
    let share = Some(share);
    match tls {
        Some(tls) => {
            let listener = TlsListener::new(listener, tls.acceptor());
            tokio::spawn(fractal_proxy::serve::serve(
                listener,
                router,
                |peer| Some(*peer),
                bounds,
                share,
                name,
                stop,
            ))
        }
        None => tokio::spawn(fractal_proxy::serve::serve(
            listener,
            router,
            |peer| Some(*peer),
            bounds,
            share,
            name,
            stop,
        )),
    }
}

/// How long a client may leave unread what was sent to it. Answers have no deadline, so that nothing else would end a connection whose
/// client stopped reading or vanished.
const UNREAD: Duration = Duration::from_secs(60);

/// Lets the kernel end the connection when nothing of what was sent is taken for so long. One on which nothing is sent is not meant.
fn end_when_unread(stream: &TcpStream, after: Duration) {
    let millis = u32::try_from(after.as_millis()).unwrap_or(u32::MAX);
    if let Err(error) = rustix::net::sockopt::set_tcp_user_timeout(stream, millis) {
        tracing::debug!("a client that does not read will keep its connection: {error}");
    }
}

/// Serves a router on a Unix socket that only this user may open, until stopped. A socket left by an earlier process is replaced.
///
/// # Errors
///
/// When the socket cannot be made.
pub fn serve_socket(
    path: &Path,
    router: Router,
    name: &'static str,
    stop: CancellationToken,
) -> Result<tokio::task::JoinHandle<()>> {
    let listener = fractal_runtime::socket::listen(path)
        .and_then(|listener| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
            Ok(listener)
        })
        .with_context(|| format!("cannot listen on {}", path.display()))?;
    let bounds = Bounds {
        connections: MOST_INTERNAL,
        ..Bounds::default()
    };
    let serving = fractal_proxy::serve::serve(listener, router, |_| None, bounds, None, name, stop);
    let path = path.to_owned();
    Ok(tokio::spawn(async move {
        serving.await;
        let _ = std::fs::remove_file(path);
    }))
}

/// Connections of what is for this machine only: a scraper or two.
const MOST_INTERNAL: usize = 16;

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    /// Longer than anything here takes; only a hang reaches it.
    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_client_that_does_not_read_loses_its_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let (_client, mut stream) = (client.unwrap(), accepted.unwrap().0);
        end_when_unread(&stream, Duration::from_millis(300));
        let fill = async { while stream.write_all(&[0; 1 << 16]).await.is_ok() {} };
        tokio::time::timeout(PATIENCE, fill)
            .await
            .expect("it is ended");
    }
}
