//! The relay: the first process inside a sandbox, and the only way in and out of it.
//!
//! It fetches the agent configuration, writes it, starts the gateway, carries bytes between the loopback
//! ports inside and the Unix sockets outside, buries the dead (it is process 1), and ends as the
//! gateway ended. Its orders and the instance's token come over its standard input, a socket shared
//! with the supervisor alone, so neither appears in an argument list or an environment. When that
//! socket closes, the supervisor is gone or wants an end, and the relay ends the gateway.

mod document;
mod fetch;
mod forward;

use std::{
    io::{self, Write as _},
    os::{
        fd::AsFd as _, unix::net::UnixListener as StdListener, unix::net::UnixStream as StdStream,
    },
    path::PathBuf,
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

use fractal_types::InstanceId;
use rustix::{
    fs::Mode,
    process::{Pid, Resource, Rlimit, Signal, WaitOptions},
};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    net::{TcpListener, UnixListener, UnixStream},
    signal::unix::{SignalKind, signal},
};

pub use self::{
    document::{AgentConfig, AgentFile},
    forward::{ANSWERS, SILENT},
};
use crate::{layout, socket};

/// The exit code for failures of the configuration class, like the gateway's own.
const CONFIGURATION: u8 = 78;

/// How long the gateway may take to end when nobody is left who would kill it.
const GRACE: Duration = Duration::from_secs(30);

/// The longest orders.
const LONGEST: u64 = 1 << 20;

/// `fractal relay`: takes no arguments, its orders come over standard input.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct RelayArgs {}

/// The relay's orders.
#[derive(Serialize, Deserialize)]
pub struct Init {
    /// Which instance.
    pub id: InstanceId,
    /// Its token.
    pub token: String,
    /// The Node binary, as seen from here.
    pub node: PathBuf,
    /// The gateway's entry file, as seen from here.
    pub entry: PathBuf,
    /// The home, as seen from here.
    pub home: PathBuf,
    /// The instance listener's socket, as seen from here.
    pub listener: PathBuf,
    /// Whether there is no sandbox, so that ports must be shared with the host.
    pub reduced: bool,
    /// The limit of open files per process.
    pub open_files: Option<u32>,
    /// The limit of processes, when it can only be set here.
    pub processes: Option<u32>,
    /// Extra environment of the gateway.
    pub env: Vec<(String, String)>,
}

/// Relays until the gateway ends. Blocks; makes a runtime of its own.
#[must_use]
pub fn main(_args: RelayArgs) -> ExitCode {
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let outcome = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| runtime.block_on(run()));
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("relay: {error}");
            ExitCode::from(CONFIGURATION)
        }
    }
}

async fn run() -> io::Result<u8> {
    // Installed before the greeting, so that no request to end is lost afterwards.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut children = signal(SignalKind::child())?;
    let channel = StdStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    channel.set_nonblocking(false)?;
    (&channel).write_all(b"r")?;
    let gateway_socket = StdListener::from(socket::receive_file(&channel)?);
    channel.set_nonblocking(true)?;
    let mut channel = BufReader::new(UnixStream::from_std(channel)?);
    let init = read_orders(&mut channel).await?;
    set_limits(&init)?;

    let listener = TcpListener::bind((
        "127.0.0.1",
        if init.reduced {
            0
        } else {
            layout::LISTENER_PORT
        },
    ))
    .await?;
    let listener_port = listener.local_addr()?.port();
    tokio::spawn(forward::outwards(listener, init.listener.clone()));

    let mut ended = Ended::new(channel);
    let config = tokio::select! {
        config = fetch::agent_config(&init.listener, init.id, &init.token) => config?,
        _ = terminate.recv() => return Ok(0),
        () = ended.wait() => return Ok(0),
    };
    let gateway_port = if init.reduced {
        // Free a moment ago; the gateway says so in its log should somebody else have been faster.
        TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port()
    } else {
        config.gateway_port.unwrap_or(layout::GATEWAY_PORT)
    };
    let revision = config.revision.clone();
    document::write_all(&init.home, config, &|text| {
        localise(&init, text, listener_port)
    })?;

    gateway_socket.set_nonblocking(true)?;
    tokio::spawn(forward::inwards(
        UnixListener::from_std(gateway_socket)?,
        gateway_port,
    ));
    let gateway = spawn_gateway(&init, gateway_port)?;
    println!("relay: the gateway starts with revision {revision}");
    drop(init);
    loop {
        tokio::select! {
            _ = children.recv() => {
                if let Some(code) = bury(gateway) {
                    return Ok(code);
                }
            }
            _ = terminate.recv() => { let _ = rustix::process::kill_process(gateway, Signal::TERM); }
            () = ended.wait() => {
                let _ = rustix::process::kill_process(gateway, Signal::TERM);
                tokio::spawn(async move {
                    tokio::time::sleep(GRACE).await;
                    let _ = rustix::process::kill_process(gateway, Signal::KILL);
                });
            }
        }
    }
}

/// Notices once that the supervisor closed its end.
struct Ended(Option<BufReader<UnixStream>>);

impl Ended {
    const fn new(channel: BufReader<UnixStream>) -> Self {
        Self(Some(channel))
    }

    async fn wait(&mut self) {
        let Some(channel) = &mut self.0 else {
            return std::future::pending().await;
        };
        let mut line = Vec::new();
        while matches!(channel.read_until(b'\n', &mut line).await, Ok(1..)) {
            line.clear();
        }
        self.0 = None;
    }
}

async fn read_orders(channel: &mut BufReader<UnixStream>) -> io::Result<Init> {
    use tokio::io::AsyncReadExt as _;
    let mut line = Vec::new();
    channel.take(LONGEST).read_until(b'\n', &mut line).await?;
    // The error's text may quote the line, which holds the token.
    serde_json::from_slice(&line).map_err(|_| {
        io::Error::other("the orders make no sense; supervisor and relay are of different versions")
    })
}

fn set_limits(init: &Init) -> io::Result<()> {
    let set = |resource, most: Option<u32>| -> io::Result<()> {
        let Some(most) = most.map(u64::from) else {
            return Ok(());
        };
        let highest = rustix::process::getrlimit(resource)
            .maximum
            .unwrap_or(u64::MAX);
        let limit = Some(most.min(highest));
        let limit = Rlimit {
            current: limit,
            maximum: limit,
        };
        Ok(rustix::process::setrlimit(resource, limit)?)
    };
    set(Resource::Nofile, init.open_files)?;
    set(Resource::Nproc, init.processes)
}

/// Without a sandbox the fixed places of [`layout`] do not exist, so that the document's texts are
/// put right before it is written.
fn localise(init: &Init, text: &str, listener_port: u16) -> Option<String> {
    if !init.reduced {
        return None;
    }
    let fixed = format!("127.0.0.1:{}", layout::LISTENER_PORT);
    let home = init.home.to_string_lossy();
    let at_home = text == layout::HOME || text.starts_with(&format!("{}/", layout::HOME));
    (at_home || text.contains(&fixed)).then(|| {
        let text = text.replace(&fixed, &format!("127.0.0.1:{listener_port}"));
        if at_home {
            text.replacen(layout::HOME, &home, 1)
        } else {
            text
        }
    })
}

fn spawn_gateway(init: &Init, port: u16) -> io::Result<Pid> {
    let home = &init.home;
    let temporary = if init.reduced {
        home.join("tmp")
    } else {
        PathBuf::from("/tmp")
    };
    std::fs::create_dir_all(&temporary)?;
    let mut path = String::from("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    if let Some(folder) = init.node.parent() {
        path = format!("{}:{path}", folder.display());
    }
    let mut command = Command::new(&init.node);
    command
        .arg(&init.entry)
        .args([
            "gateway",
            "run",
            "--port",
            &port.to_string(),
            "--bind",
            "loopback",
        ])
        .env_clear()
        .env("HOME", home)
        .env("USER", "agent")
        .env("PATH", path)
        .env("LANG", "C.UTF-8")
        .env("TMPDIR", temporary)
        .env("OPENCLAW_HOME", home)
        .env("OPENCLAW_STATE_DIR", home.join("state"))
        .env("OPENCLAW_CONFIG_PATH", home.join("openclaw.json"))
        .env("OPENCLAW_NO_RESPAWN", "1")
        .env("OPENCLAW_DISABLE_BONJOUR", "1")
        .env("OPENCLAW_EXEC_SHELL_SNAPSHOT", "0")
        .env("OPENCLAW_OFFLINE", "1")
        .env("OPENCLAW_NO_AUTO_UPDATE", "1")
        .env("NODE_COMPILE_CACHE", home.join(".cache/node-compile"))
        .envs(init.env.iter().map(|(name, value)| (name, value)))
        .current_dir(home)
        .stdin(Stdio::null());
    let child = command.spawn().map_err(|error| {
        io::Error::other(format!("cannot start {}: {error}", init.node.display()))
    })?;
    i32::try_from(child.id())
        .ok()
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("the gateway has no process id"))
}

/// Buries every process that has ended; the gateway's exit code once it is among them.
fn bury(gateway: Pid) -> Option<u8> {
    let mut code = None;
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == gateway {
            // The way shells report a signal.
            let by_signal = status.terminating_signal().map(|signal| 128 + signal);
            let raw = status.exit_status().or(by_signal).unwrap_or(1);
            code = Some(u8::try_from(raw).unwrap_or(u8::MAX));
        }
    }
    code
}
