//! Carries bytes between loopback ports inside and Unix sockets outside.

use std::{path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UnixListener},
};

use crate::socket;

/// What the relay says first on a connection from outside: whether the gateway's port answers. Without
/// it the caller could not tell a gateway that is still booting from one that hung up.
pub const ANSWERS: u8 = b'+';
/// See [`ANSWERS`].
pub const SILENT: u8 = b'-';

/// The buffer per direction; streams of tokens are small, downloads of attachments are not.
const BUFFER: usize = 16 << 10;

/// How long to rest when no file descriptor is left.
const REST: Duration = Duration::from_millis(100);

/// From the loopback port to the instance listener.
pub async fn outwards(listener: TcpListener, socket: PathBuf) {
    let socket = Arc::new(socket);
    loop {
        let Ok((near, _)) = listener.accept().await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        let socket = Arc::clone(&socket);
        tokio::spawn(async move {
            // Connected anew each time: the control plane may have restarted.
            if let Ok(far) = socket::connect(&socket).await {
                let _ = near.set_nodelay(true);
                copy(near, far).await;
            }
        });
    }
}

/// From the control plane to the gateway's port.
pub async fn inwards(listener: UnixListener, port: u16) {
    loop {
        let Ok((mut near, _)) = listener.accept().await else {
            tokio::time::sleep(REST).await;
            continue;
        };
        tokio::spawn(async move {
            let Ok(far) = TcpStream::connect(("127.0.0.1", port)).await else {
                let _ = near.write_all(&[SILENT]).await;
                return;
            };
            let _ = far.set_nodelay(true);
            if near.write_all(&[ANSWERS]).await.is_ok() {
                copy(near, far).await;
            }
        });
    }
}

async fn copy(
    mut near: impl AsyncRead + AsyncWrite + Unpin,
    mut far: impl AsyncRead + AsyncWrite + Unpin,
) {
    // A broken connection is the business of its two ends.
    let _ = tokio::io::copy_bidirectional_with_sizes(&mut near, &mut far, BUFFER, BUFFER).await;
}
