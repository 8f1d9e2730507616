//! The instance listener: one Unix socket per instance, in a directory that only the instance's relay
//! can reach. Which socket a call comes in on says which instance it is from.

use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use axum::Router;
use tokio::{net::UnixListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::serve::{Bounds, serve};

/// The socket's name inside its directory. The directory is mounted, not the socket: a socket made anew
/// would leave a stale mount behind (design section 6).
pub const SOCKET_NAME: &str = "listener.sock";

/// What one instance may hold open. A gateway has a handful of model calls at a time; descriptors are everybody's.
const MOST_CONNECTIONS: usize = 128;

/// A serving listener. Dropping it stops it; [`Listener::shutdown`] lets calls end first.
#[derive(Debug)]
pub struct Listener {
    path: PathBuf,
    stop: CancellationToken,
    served: Option<JoinHandle<()>>,
}

impl Listener {
    /// Binds `listener.sock` in `directory` and serves `router` on it. A socket left by an earlier
    /// process is replaced.
    ///
    /// # Errors
    ///
    /// When the directory does not exist or cannot be written, or another file is in the way.
    pub fn bind(directory: &Path, router: Router) -> io::Result<Self> {
        let path = directory.join(SOCKET_NAME);
        // Bound under another name and renamed into place, so that a connection never finds a gap.
        let fresh = directory.join(".listener.sock.new");
        for stale in [&fresh, &path] {
            match std::fs::symlink_metadata(stale) {
                Ok(found) if !std::os::unix::fs::FileTypeExt::is_socket(&found.file_type()) => {
                    return Err(io::Error::new(
                        io::ErrorKind::AlreadyExists,
                        format!("{} is not a socket; move it away", stale.display()),
                    ));
                }
                _ => {}
            }
        }
        if let Err(error) = std::fs::remove_file(&fresh)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let socket = UnixListener::bind(&fresh)?;
        // Everybody may connect who gets here; the directory decides who does.
        std::fs::set_permissions(&fresh, std::fs::Permissions::from_mode(0o666))?;
        std::fs::rename(&fresh, &path)?;
        let stop = CancellationToken::new();
        let bounds = Bounds {
            connections: MOST_CONNECTIONS,
            ..Bounds::default()
        };
        let serving = serve(
            socket,
            router,
            |_| None,
            bounds,
            None,
            "instance",
            stop.clone(),
        );
        let served = tokio::spawn(serving);
        Ok(Self {
            path,
            stop,
            served: Some(served),
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes no more connections, lets running calls end, and removes the socket.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        if let Some(served) = self.served.take() {
            let _ = served.await;
        }
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(served) = self.served.take() {
            served.abort();
        }
    }
}
