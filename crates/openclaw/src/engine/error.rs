//! Why there is no engine, and what to do about it.

use std::{io, path::PathBuf};

/// Why an engine could not be installed, named or verified.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A version without a lockfile of ours.
    #[error("no lockfile for OpenClaw {version}; choose one of: {known}", known = super::pin::known())]
    UnknownVersion {
        /// What was asked for.
        version: String,
    },
    /// No Node binary is pinned for this machine.
    #[error(
        "OpenClaw is pinned for Linux on x64 and arm64, this machine is {os} on {arch}; run Fractal on one of those"
    )]
    Platform {
        /// The operating system.
        os: &'static str,
        /// The processor.
        arch: &'static str,
    },
    /// npm is not there.
    #[error(
        "npm was not found; install Node 20 or newer with npm, or name an engine that is already on this machine"
    )]
    NoNpm,
    /// The package registry cannot be reached.
    #[error(
        "npm cannot reach its registry; check network, proxy and npm's registry setting, then try again (what was downloaded is kept): {0}"
    )]
    Network(String),
    /// Not enough space.
    #[error("{} has {} MB free, an engine needs {} MB; free some space, or choose a folder on another disk with --engines, then try again (what was downloaded is kept)", .path.display(), .free >> 20, .needed >> 20)]
    DiskFull {
        /// The engines folder.
        path: PathBuf,
        /// Bytes free.
        free: u64,
        /// Bytes needed.
        needed: u64,
    },
    /// A downloaded package is not the one in the lockfile.
    #[error(
        "a downloaded package is not the pinned one; delete the npm-cache folder in the engines folder and try again: {0}"
    )]
    Integrity(String),
    /// npm failed otherwise.
    #[error("npm failed: {0}")]
    Npm(String),
    /// The tree is not a working engine.
    #[error("the engine in {} is damaged: {why}; remove that folder and install again", .path.display())]
    Damaged {
        /// Where it is.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Its Node is one that this `OpenClaw` does not run on.
    #[error("OpenClaw here needs Node {needed}, but {} is Node {found}; put a Node of that range beside it, name another engine, or none so that Fractal installs its own", .node.display())]
    WrongNode {
        /// The Node binary.
        node: PathBuf,
        /// Its version.
        found: String,
        /// The range the engine asks for.
        needed: String,
    },
    /// The file system refused.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// A background thread ended unexpectedly.
    #[error("a file system task ended unexpectedly")]
    Interrupted(#[from] tokio::task::JoinError),
}

impl EngineError {
    pub(super) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| {
            if source.kind() == io::ErrorKind::StorageFull {
                Self::DiskFull {
                    path,
                    free: 0,
                    needed: super::install::NEEDED_BYTES,
                }
            } else {
                Self::Io { what, path, source }
            }
        }
    }

    pub(super) fn damaged(path: impl Into<PathBuf>, why: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.into(),
            why: why.into(),
        }
    }
}
