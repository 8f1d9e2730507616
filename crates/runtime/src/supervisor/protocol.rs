//! What the control plane and a supervisor say to each other over `control.sock`: one JSON document per
//! line. The supervisor greets first; every request gets one answer, in order.
//!
//! Secrets travel here and nowhere else: never in an argument list, an environment or a file.

use std::{path::PathBuf, time::Duration};

use fractal_types::{Generation, InstanceId, Limits};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixStream, unix::OwnedWriteHalf};

use crate::contract::{EngineFiles, Error, ErrorClass, Observation, Result};

/// The protocol's version. A supervisor started by an older release may be met; one with a different
/// number is not spoken to but left alone until it ends.
pub const VERSION: u32 = 1;

/// The longest line. A start request with everything its owner stored for skills fits many times, also when every character of it has
/// to be escaped.
const LONGEST_LINE: u64 = 4 << 20;

/// How long a supervisor may take to greet; one that was halted never does.
const GREETING: Duration = Duration::from_secs(5);

/// The supervisor's greeting.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`].
    pub protocol: u32,
    /// The supervisor's process id.
    pub pid: u32,
}

/// A request. Those that change something carry the generation that fences them.
#[derive(Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum Request {
    /// What is seen.
    Status,
    /// Launch the instance.
    Start {
        /// The fence.
        generation: Generation,
        /// With what.
        launch: Box<Launch>,
    },
    /// End it, gently at first.
    Stop {
        /// The fence.
        generation: Generation,
        /// How long it may take before it is killed.
        grace_ms: u64,
    },
    /// End it at once.
    Kill {
        /// The fence.
        generation: Generation,
    },
    /// Keep these strings, too, out of the log. A supervisor of an older version ends the conversation instead.
    Redact {
        /// The strings.
        secrets: Vec<String>,
    },
    /// The control plane lives.
    Heartbeat,
    /// End the instance, if it runs, and the supervisor.
    Shutdown {
        /// The fence.
        generation: Generation,
        /// How long it may take before it is killed.
        grace_ms: u64,
    },
}

/// An answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Done, or nothing to do.
    Done,
    /// What is seen.
    Status {
        /// The observation.
        seen: Box<Observation>,
    },
    /// How a stop went.
    Stopped {
        /// It was not running.
        was_running: bool,
        /// It had to be killed.
        killed: bool,
    },
    /// This supervisor is about to end; ask the next one.
    Ending,
    /// Refused or failed.
    Failed {
        /// What to do about it.
        class: ErrorClass,
        /// Cause and remedy.
        message: String,
    },
}

/// Everything a supervisor needs to launch its instance.
#[derive(Serialize, Deserialize)]
pub struct Launch {
    /// Which instance.
    pub id: InstanceId,
    /// The engine, as paths on the host.
    pub engine: EngineFiles,
    /// Limits.
    pub limits: Limits,
    /// The instance's own token.
    pub instance_token: String,
    /// More strings to keep out of the log.
    pub redact: Vec<String>,
    /// Extra environment of the gateway.
    pub env: Vec<(String, String)>,
    /// The host user (and group) id of its own, when it has one.
    pub uid: Option<u32>,
    /// The bubblewrap binary; `None` runs reduced.
    pub bubblewrap: Option<PathBuf>,
    /// Our own program and the arguments that come before `relay`.
    pub program: PathBuf,
    /// See `program`.
    pub program_args: Vec<String>,
    /// How long the supervisor does without the control plane before it stops its instance.
    pub ttl_ms: u64,
}

impl From<Error> for Answer {
    fn from(error: Error) -> Self {
        Self::Failed {
            class: error.class,
            message: error.message,
        }
    }
}

/// A reader of lines that refuses endless ones.
#[derive(Debug)]
pub struct Lines<R>(BufReader<tokio::io::Take<R>>);

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        use tokio::io::AsyncReadExt as _;
        Self(BufReader::new(inner.take(LONGEST_LINE)))
    }

    /// The next document; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks or the line is no such document.
    pub async fn next<T: DeserializeOwned>(&mut self) -> std::io::Result<Option<T>> {
        let mut line = Vec::new();
        self.0.get_mut().set_limit(LONGEST_LINE);
        if self.0.read_until(b'\n', &mut line).await? == 0 {
            return Ok(None);
        }
        // The text of a parse error may quote the line, which may hold a secret: it is not passed on.
        serde_json::from_slice(&line)
            .map(Some)
            .map_err(|_| std::io::Error::from(std::io::ErrorKind::InvalidData))
    }
}

/// Writes one document as a line.
///
/// # Errors
/// When the connection breaks.
pub async fn write_line(to: &mut OwnedWriteHalf, document: &impl Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(document)?;
    line.push(b'\n');
    to.write_all(&line).await
}

/// A connection to a supervisor.
#[derive(Debug)]
pub struct Connection {
    lines: Lines<tokio::net::unix::OwnedReadHalf>,
    to: OwnedWriteHalf,
    /// The supervisor's process id.
    pub pid: u32,
}

impl Connection {
    /// Greets the supervisor behind `socket`. `None` when none listens there.
    ///
    /// # Errors
    /// [`ErrorClass::Unreachable`] when something listens that does not speak our version.
    pub async fn open(socket: &std::path::Path) -> Result<Option<Self>> {
        let stream = match crate::socket::connect(socket).await {
            Ok(stream) => stream,
            Err(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound
                        | std::io::ErrorKind::ConnectionRefused
                        // It ended with us still in its queue.
                        | std::io::ErrorKind::ConnectionReset
                ) =>
            {
                return Ok(None);
            }
            Err(error) => return Err(broken("reach", error)),
        };
        Self::greet(stream).await
    }

    async fn greet(stream: UnixStream) -> Result<Option<Self>> {
        let (from, to) = stream.into_split();
        let mut lines = Lines::new(from);
        let heard = tokio::time::timeout(GREETING, lines.next())
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()));
        let hello: Hello = match heard {
            Ok(Some(hello)) => hello,
            // It ended between accepting and greeting.
            Ok(None) => return Ok(None),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return Ok(None),
            Err(error) => return Err(broken("greet", error)),
        };
        if hello.protocol != VERSION {
            return Err(Error::new(
                ErrorClass::Unreachable,
                format!(
                    "the supervisor (process {}) speaks version {} of its protocol and this program version {VERSION}; \
                     end it with SIGTERM, its instance stops gracefully",
                    hello.pid, hello.protocol
                ),
            ));
        }
        Ok(Some(Self {
            lines,
            to,
            pid: hello.pid,
        }))
    }

    /// Asks and waits for the answer. `None` when the supervisor ended before it answered.
    ///
    /// # Errors
    /// What the supervisor refused, or a broken connection.
    pub async fn ask(&mut self, request: &Request) -> Result<Option<Answer>> {
        if write_line(&mut self.to, request).await.is_err() {
            return Ok(None);
        }
        match self.lines.next().await {
            Ok(Some(Answer::Failed { class, message })) => Err(Error::new(class, message)),
            Ok(answer) => Ok(answer),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(broken("hear", error)),
        }
    }
}

fn broken(what: &str, error: std::io::Error) -> Error {
    Error::new(
        ErrorClass::Unreachable,
        format!("cannot {what} the instance's supervisor"),
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_supervisor_that_ends_with_a_caller_in_its_queue_is_one_that_does_not_listen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("control.sock");
        let listener = crate::socket::bind(&path).unwrap();
        let mut opening = std::pin::pin!(Connection::open(&path));
        // Once: it stands in the queue, and whether it was taken is heard the next time.
        assert!(futures::poll!(&mut opening).is_pending());
        drop(listener);
        assert!(opening.await.unwrap().is_none());
    }

    #[tokio::test]
    async fn all_that_was_ever_allowed_to_be_stored_fits_into_a_line_and_an_endless_one_is_refused()
    {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (_, mut to) = ours.into_split();
        let mut lines = Lines::new(theirs);
        let send = async {
            let secrets = vec!["\"\n".repeat(4096); 100];
            let request = Request::Redact { secrets };
            write_line(&mut to, &request).await.unwrap();
            // The reader leaves in the middle of it.
            let _ = write_line(&mut to, &"x".repeat(8 << 20)).await;
        };
        let hear = async move {
            let heard: Option<Request> = lines.next().await.unwrap();
            let Some(Request::Redact { secrets }) = heard else {
                panic!("another request");
            };
            assert_eq!(secrets.len(), 100);
            assert!(lines.next::<Request>().await.is_err());
        };
        tokio::join!(send, hear);
    }
}
