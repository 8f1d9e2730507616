//! Where things are: inside a sandbox (the same for every instance, so that a configuration document
//! can be rendered without knowing the host) and in an instance's folder on the host.

use std::path::{Path, PathBuf};

/// The instance's home inside the sandbox.
pub const HOME: &str = "/home/agent";

/// Where the engine's folder is mounted inside the sandbox.
pub const ENGINE: &str = "/opt/engine";

/// Where our own program is mounted inside the sandbox.
pub const PROGRAM: &str = "/opt/fractal/fractal";

/// Where the folder with `listener.sock` is mounted inside the sandbox, read-only: connecting to a
/// socket needs no writable mount, creating one does.
pub const LISTENER: &str = "/run/fractal";

/// The loopback port inside that leads to the instance listener.
pub const LISTENER_PORT: u16 = 18_790;

/// The loopback port inside that the gateway listens on, when its document names no other.
pub const GATEWAY_PORT: u16 = 18_789;

/// The name of the instance listener's socket in its folder.
pub const LISTENER_SOCKET: &str = "listener.sock";

/// The folders of one instance on the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceDirs {
    root: PathBuf,
}

impl InstanceDirs {
    /// The folders below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder that holds the others.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The volume: the only folder the instance may write.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// Where the control plane binds `listener.sock`.
    #[must_use]
    pub fn listener(&self) -> PathBuf {
        self.root.join("listener")
    }

    /// Sockets, lock and record of the supervisor; nobody else may look inside.
    #[must_use]
    pub fn supervisor(&self) -> PathBuf {
        self.root.join("supervisor")
    }

    /// The log files.
    #[must_use]
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Made-up files for `/etc` inside the sandbox.
    #[must_use]
    pub fn etc(&self) -> PathBuf {
        self.root.join("etc")
    }

    /// The supervisor's control socket.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.supervisor().join("control.sock")
    }

    /// The socket that leads to the gateway's port.
    #[must_use]
    pub fn gateway_socket(&self) -> PathBuf {
        self.supervisor().join("gateway.sock")
    }
}
