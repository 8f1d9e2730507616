//! Launches the relay, in a bubblewrap sandbox or, reduced, as a plain process.
//!
//! Everything the sandbox sees is listed here: system libraries, a few made-up files of `/etc`, the
//! engine, our own program, the listener's folder (all read-only) and the home. No network device but
//! loopback, no `/sys`, no capability, no way to a socket folder of the host that it could write.

use std::{
    ffi::OsString,
    fs, io,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::{
            fs::PermissionsExt as _,
            net::{UnixListener, UnixStream},
            process::CommandExt as _,
        },
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rustix::io::FdFlags;
use tokio::{io::AsyncReadExt as _, process::Child};

use super::protocol::Launch;
use crate::{
    layout::{self, InstanceDirs},
    relay::Init,
    socket,
};

/// How long bubblewrap may take to set up; it takes milliseconds on an idle machine.
const SETUP: Duration = Duration::from_secs(20);

/// The size of `/tmp` inside, in bytes; it lives in memory and counts as such.
const TMP_BYTES: &str = "268435456";

/// What was launched.
#[derive(Debug)]
pub struct Launched {
    /// bubblewrap, or the relay itself when reduced.
    pub child: Child,
    /// Host process id of the relay.
    pub relay: u32,
    /// To the relay; it ends the gateway when this closes.
    pub channel: UnixStream,
}

/// Launches up to the point where the relay greets; [`hand_over`] then lets it begin.
///
/// # Errors
/// When a file cannot be made, a program is missing, or the sandbox cannot be set up. The cause, if
/// bubblewrap names one, is on the child's standard error.
pub async fn launch(
    dirs: &InstanceDirs,
    launch: &Launch,
) -> io::Result<(Launched, Option<Failed>)> {
    let (ours, theirs) = UnixStream::pair()?;
    let (info, info_writer) = io::pipe()?;
    let mut command = match &launch.bubblewrap {
        Some(bubblewrap) => {
            write_etc(&dirs.etc(), user_of(launch))?;
            let mut command = Command::new(bubblewrap);
            // The child inherits this end under the same number. Nothing else is started here, so no
            // other program can catch it.
            rustix::io::fcntl_setfd(&info_writer, FdFlags::empty())?;
            let info = info_writer.as_raw_fd().to_string();
            command.args(sandbox_args(dirs, launch, &info));
            command
        }
        None => {
            let mut command = Command::new(&launch.program);
            command.args(&launch.program_args).arg("relay");
            command.process_group(0).current_dir(dirs.home());
            command
        }
    };
    command
        .env_clear()
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if let Some(uid) = launch.uid {
        // The standard library also drops all supplementary groups then.
        command.uid(uid).gid(uid);
    }
    let child = tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()?;
    drop(info_writer);
    let outer = child.id().unwrap_or_default();
    let relay = match &launch.bubblewrap {
        Some(_) => inner_pid(OwnedFd::from(info)).await,
        None => Ok(outer),
    };
    ours.set_nonblocking(true)?;
    let greeted = match &relay {
        Ok(_) => greeting(&ours).await,
        Err(_) => false,
    };
    let launched = Launched {
        child,
        relay: relay.unwrap_or(outer),
        channel: ours,
    };
    Ok((launched, (!greeted).then_some(Failed)))
}

/// The relay did not come up.
#[derive(Debug, Clone, Copy)]
pub struct Failed;

/// Gives the relay its socket, its token and its orders.
///
/// # Errors
/// When the relay is gone.
pub async fn hand_over(
    launched: &Launched,
    gateway: &UnixListener,
    dirs: &InstanceDirs,
    launch: &Launch,
    limit_processes: bool,
) -> io::Result<()> {
    socket::send_file(&launched.channel, gateway)?;
    let mut line = serde_json::to_vec(&init(dirs, launch, limit_processes))?;
    line.push(b'\n');
    let channel = tokio::net::UnixStream::from_std(launched.channel.try_clone()?)?;
    let mut rest = line.as_slice();
    while !rest.is_empty() {
        channel.writable().await?;
        match channel.try_write(rest) {
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn init(dirs: &InstanceDirs, launch: &Launch, limit_processes: bool) -> Init {
    let reduced = launch.bubblewrap.is_none();
    let root = &launch.engine.root;
    let place = |path: &Path| match path.strip_prefix(root) {
        Ok(rest) if !reduced => engine_place(root).join(rest),
        _ => path.to_owned(),
    };
    let listener = if reduced {
        dirs.listener()
    } else {
        PathBuf::from(layout::LISTENER)
    };
    Init {
        id: launch.id,
        token: launch.instance_token.clone(),
        node: place(&launch.engine.node),
        entry: place(&launch.engine.entry),
        home: if reduced {
            dirs.home()
        } else {
            PathBuf::from(layout::HOME)
        },
        listener: listener.join(layout::LISTENER_SOCKET),
        reduced,
        open_files: launch.limits.open_files,
        processes: launch.limits.processes.filter(|_| limit_processes),
        env: launch.env.clone(),
    }
}

/// Where the engine's folder is inside. Node finds packages by the name of the folder they are in, so
/// that one is kept.
fn engine_place(root: &Path) -> PathBuf {
    let place = PathBuf::from(layout::ENGINE);
    if root.ends_with("node_modules") {
        place.join("node_modules")
    } else {
        place
    }
}

async fn greeting(channel: &UnixStream) -> bool {
    let read = async {
        let mut channel = tokio::net::UnixStream::from_std(channel.try_clone()?)?;
        channel.read_u8().await
    };
    matches!(tokio::time::timeout(SETUP, read).await, Ok(Ok(_)))
}

/// bubblewrap tells the host process id of what it started.
async fn inner_pid(info: OwnedFd) -> io::Result<u32> {
    let mut info = tokio::net::unix::pipe::Receiver::from_owned_fd(info)?;
    let mut text = Vec::new();
    tokio::time::timeout(SETUP, info.read_to_end(&mut text)).await??;
    let document: serde_json::Value = serde_json::from_slice(&text)?;
    document["child-pid"]
        .as_u64()
        .and_then(|pid| u32::try_from(pid).ok())
        .ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

fn user_of(launch: &Launch) -> u32 {
    launch
        .uid
        .unwrap_or_else(|| rustix::process::geteuid().as_raw())
}

fn sandbox_args(dirs: &InstanceDirs, launch: &Launch, info: &str) -> Vec<OsString> {
    let mut args = Args(Vec::new());
    for flag in [
        "--unshare-user",
        "--unshare-pid",
        "--unshare-ipc",
        "--unshare-uts",
        "--unshare-net",
        "--unshare-cgroup-try",
        "--disable-userns",
        "--die-with-parent",
        "--new-session",
        "--as-pid-1",
    ] {
        args.add([flag]);
    }
    args.add(["--cap-drop", "ALL"]);
    args.add(["--hostname", "fractal"]);
    args.add(["--info-fd", info]);
    args.add(["--ro-bind", "/usr", "/usr"]);
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        let path = Path::new("/").join(name);
        match fs::read_link(&path) {
            Ok(target) => args.add([OsString::from("--symlink"), target.into(), path.into()]),
            Err(_) if path.is_dir() => args.bind("--ro-bind", &path, &path),
            Err(_) => {}
        }
    }
    for name in [
        "ld.so.cache",
        "ssl/certs",
        "ca-certificates",
        "pki",
        "alternatives",
        "localtime",
    ] {
        let path = Path::new("/etc").join(name);
        args.bind("--ro-bind-try", &path, &path);
    }
    for (name, _) in etc_files(user_of(launch)) {
        args.bind(
            "--ro-bind",
            &dirs.etc().join(name),
            &Path::new("/etc").join(name),
        );
    }
    args.add(["--proc", "/proc"]);
    args.add(["--dev", "/dev"]);
    args.add(["--perms", "1777", "--size", TMP_BYTES, "--tmpfs", "/tmp"]);
    let engine = &launch.engine;
    args.bind("--ro-bind", &engine.root, &engine_place(&engine.root));
    for file in [&engine.node, &engine.entry] {
        // An engine that is already on the machine may keep its Node elsewhere.
        if !file.starts_with(&engine.root) && !file.starts_with("/usr") {
            args.bind("--ro-bind", file, file);
        }
    }
    args.bind("--ro-bind", &launch.program, Path::new(layout::PROGRAM));
    args.bind("--ro-bind", &dirs.listener(), Path::new(layout::LISTENER));
    args.bind("--bind", &dirs.home(), Path::new(layout::HOME));
    // The root is made of memory and would otherwise be writable.
    args.add(["--remount-ro", "/"]);
    args.add(["--chdir", layout::HOME]);
    args.add(["--", layout::PROGRAM]);
    for argument in &launch.program_args {
        args.add([argument]);
    }
    args.add(["relay"]);
    args.0
}

struct Args(Vec<OsString>);

impl Args {
    fn add<T: Into<OsString>>(&mut self, words: impl IntoIterator<Item = T>) {
        self.0.extend(words.into_iter().map(Into::into));
    }

    fn bind(&mut self, how: &str, from: &Path, to: &Path) {
        self.add([OsString::from(how), from.into(), to.into()]);
    }
}

/// The files of `/etc` that programs expect, saying nothing about the host.
fn etc_files(uid: u32) -> [(&'static str, String); 5] {
    let home = layout::HOME;
    [
        (
            "passwd",
            format!(
                "agent:x:{uid}:{uid}:agent:{home}:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
            ),
        ),
        ("group", format!("agent:x:{uid}:\nnogroup:x:65534:\n")),
        (
            "hosts",
            "127.0.0.1 localhost fractal\n::1 localhost\n".to_owned(),
        ),
        (
            "nsswitch.conf",
            "passwd: files\ngroup: files\nhosts: files\n".to_owned(),
        ),
        ("resolv.conf", String::new()),
    ]
}

fn write_etc(folder: &Path, uid: u32) -> io::Result<()> {
    for (name, content) in etc_files(uid) {
        let path = folder.join(name);
        fs::write(&path, content)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}
