//! The runtime contract (`design.md` sections 5 and 6).
//!
//! Rules every driver keeps:
//!
//! - **Actions are fenced.** Each carries a [`Fence`]; a driver that has already seen a higher
//!   generation for the instance answers [`ErrorClass::Stale`] and does nothing.
//! - **Actions are idempotent.** Starting what runs with the same generation, stopping what is
//!   stopped, removing what is gone: all succeed and change nothing.
//! - **Observing never changes anything**, and is cheap enough to do every second.
//! - **Success of `start` proves nothing.** It says that a process was launched; readiness is
//!   proven by the control plane through [`Runtime::dial`].
//! - **Volumes survive** everything but `remove` with [`Volumes::Remove`].

use std::{fmt, path::PathBuf, pin::Pin, time::Duration};

use async_trait::async_trait;
use fractal_types::{Enforcement, Generation, InstanceId, Limits, Timestamp};
use futures::Stream;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::machine::Remark;

/// A byte stream to something inside an instance.
pub trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// A boxed byte stream.
pub type BoxByteStream = Box<dyn ByteStream>;

/// Log lines, oldest first; endless when following.
pub type LogStream = Pin<Box<dyn Stream<Item = Result<LogLine>> + Send>>;

/// One line of an instance's log, already redacted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When the supervisor read it.
    pub at: Timestamp,
    /// Which output it came from.
    pub source: LogSource,
    /// The line, without its end.
    pub text: String,
}

/// Where a log line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogSource {
    /// Standard output of the gateway.
    Stdout,
    /// Standard error of the gateway.
    Stderr,
    /// The supervisor's own remarks.
    Supervisor,
}

/// What to read of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogQuery {
    /// At most this many of the newest lines first.
    pub tail: usize,
    /// Whether to stay and deliver new lines as they come.
    pub follow: bool,
}

/// What fences an action: who wants it (a lease's fencing number grows with every new holder) is
/// folded by the caller into one growing generation per instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fence(pub Generation);

/// The engine an instance runs, as paths on the asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineFiles {
    /// The Node binary.
    pub node: PathBuf,
    /// The entry file, `…/openclaw/openclaw.mjs`.
    pub entry: PathBuf,
    /// The folder that holds both; mounted read-only.
    pub root: PathBuf,
    /// OpenClaw's version, for messages.
    pub version: String,
}

/// Everything a driver needs to start an instance.
///
/// The gateway's configuration is *not* here: the entry process inside fetches it from the
/// instance listener (`GET /api/internal/agent-config/{id}`) with `instance_token`.
#[derive(Debug, Clone)]
pub struct InstanceSpec {
    /// Which instance.
    pub id: InstanceId,
    /// The engine.
    pub engine: EngineFiles,
    /// Limits to declare or enforce.
    pub limits: Limits,
    /// The instance's own token, known to its entry process and to the broker.
    pub instance_token: SecretString,
    /// More strings that must never appear in a log line of this instance.
    pub redact: Vec<SecretString>,
    /// Extra environment for the gateway (never a secret).
    pub env: Vec<(String, String)>,
}

/// What was seen of an instance on the asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// Which instance.
    pub id: InstanceId,
    /// What its process does.
    pub process: ProcessState,
    /// The highest generation acted upon; 0 when none.
    pub generation: Generation,
    /// Resident memory of all its processes, in bytes, when known.
    pub memory_bytes: Option<u64>,
    /// CPU time used by all its processes since start, when known.
    pub cpu: Option<Duration>,
    /// Bytes on disk under its home, when known (may be minutes old).
    pub disk_bytes: Option<u64>,
    /// The host user id it runs as, when it has one of its own.
    pub uid: Option<u32>,
}

/// The state of an instance's process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ProcessState {
    /// The asset knows nothing of it, or only its volumes.
    Absent,
    /// Running; `boot` counts starts on this asset and changes with every new process.
    Running {
        /// The number of this start.
        boot: u64,
        /// Host process id of the supervisor, for operators.
        pid: Option<u32>,
        /// When it was started.
        since: Timestamp,
    },
    /// Asked to stop and not gone yet.
    Stopping {
        /// The number of this start.
        boot: u64,
    },
    /// Ended.
    Exited {
        /// The number of the start that ended.
        boot: u64,
        /// How.
        exit: Exit,
        /// When.
        at: Timestamp,
    },
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// Exit code, when it ended by itself.
    pub code: Option<i32>,
    /// Signal number, when one killed it.
    pub signal: Option<i32>,
    /// Whether the control plane had asked for it.
    pub asked: bool,
    /// Whether the kernel killed it for memory.
    pub out_of_memory: bool,
    /// One readable, redacted sentence: the cause as far as the supervisor can tell.
    pub reason: String,
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// It was not running.
    WasNotRunning,
    /// It ended within the grace period.
    Gracefully,
    /// It had to be killed.
    Killed,
}

/// What becomes of an instance's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volumes {
    /// Kept for a later instance or for export.
    Keep,
    /// Removed for good.
    Remove,
}

/// What a driver promises on this asset; shown to people and readable by policies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Whether instances are kept apart: own namespaces, allow-listed mounts, no network.
    pub isolation: Isolation,
    /// Whether each instance has a host user id of its own.
    pub own_uid: bool,
    /// How memory limits work.
    pub memory: Enforcement,
    /// How CPU limits work.
    pub cpu: Enforcement,
    /// How process limits work.
    pub processes: Enforcement,
    /// How disk limits work.
    pub disk: Enforcement,
    /// How open-file limits work.
    pub open_files: Enforcement,
    /// Whether it can freeze.
    pub freeze: bool,
    /// Named reasons why something above is less than it could be, with the remedy.
    pub remarks: Vec<String>,
}

/// How far instances are kept apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Isolation {
    /// Namespaces, allow-listed mounts, default-deny network.
    Sandboxed,
    /// Plain processes: one trust domain only.
    Reduced,
}

/// What went wrong, in the terms a reconciler acts upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// A higher generation has acted; give up, somebody else is in charge.
    Stale,
    /// May work later without a change.
    Retry,
    /// Will not work until somebody changes something.
    Permanent,
    /// The asset itself cannot be asked.
    Unreachable,
    /// The instance is not running, so it cannot be dialled.
    NotRunning,
}

/// A failed action. The message is for operators: cause and remedy, never a secret.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// What to do about it.
    pub class: ErrorClass,
    /// Cause and remedy.
    pub message: String,
    /// The error underneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a class with a message.
    pub fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Self {
            class,
            message: message.into(),
            source: None,
        }
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.source = Some(source.into());
        self
    }
}

/// The result of an action.
pub type Result<T> = std::result::Result<T, Error>;

/// A machine surface that hosts instances.
#[async_trait]
pub trait Runtime: Send + Sync + fmt::Debug + 'static {
    /// What this asset promises.
    fn capabilities(&self) -> Capabilities;

    /// Where the control plane must serve the instance listener, so that the instance reaches it:
    /// a folder that exists after the call and that the control plane may bind `listener.sock` in.
    async fn listener_dir(&self, id: InstanceId) -> Result<PathBuf>;

    /// Launches the instance. Returns once the process exists.
    async fn start(&self, spec: &InstanceSpec, fence: Fence) -> Result<()>;

    /// Asks the instance to end, waits up to `grace`, then kills it. Volumes stay.
    async fn stop(&self, id: InstanceId, grace: Duration, fence: Fence) -> Result<Stopped>;

    /// Stops the instance if need be and forgets it.
    async fn remove(&self, id: InstanceId, volumes: Volumes, fence: Fence) -> Result<()>;

    /// What is seen of one instance.
    async fn observe(&self, id: InstanceId) -> Result<Observation>;

    /// Everything this asset knows about, for adoption and for finding orphans.
    async fn list(&self) -> Result<Vec<Observation>>;

    /// A byte stream to the gateway's port. [`ErrorClass::NotRunning`] while nothing listens.
    async fn dial(&self, id: InstanceId) -> Result<BoxByteStream>;

    /// Reads or follows the log.
    async fn logs(&self, id: InstanceId, query: LogQuery) -> Result<LogStream>;

    /// Keeps these strings, too, out of the log of a running instance. Nothing to do for one that does not run: its
    /// next start brings them along.
    async fn redact(&self, id: InstanceId, secrets: &[SecretString]) -> Result<()>;

    /// What of the machine is not as it should be; nothing when all is well.
    async fn machine(&self) -> Vec<Remark>;

    /// Lets every supervisor know that the control plane lives (see the 15-minute rule, `design.md`
    /// section 5).
    async fn heartbeat(&self) -> Result<()>;
}
