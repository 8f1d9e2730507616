//! The host's view: processes, their users, and Unix sockets of instances.

use std::{
    collections::BTreeSet,
    fs, io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
};

/// A process as the host sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its parent.
    pub parent: u32,
    /// Its real user.
    pub uid: u32,
    /// Its command line, or its title when it set one.
    pub command: String,
    /// Its environment, where it may be read.
    pub environment: String,
}

/// Every process of the host.
#[must_use]
pub fn processes() -> Vec<Process> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| read(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

fn read(pid: u32) -> Option<Process> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let status = fs::read_to_string(folder.join("status")).ok()?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u32>().ok()
    };
    let text = |name: &str| {
        let bytes = fs::read(folder.join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let is_zombie = status.lines().any(|line| line.starts_with("State:\tZ"));
    (!is_zombie).then(|| Process {
        pid,
        parent: field("PPid:").unwrap_or(0),
        uid: field("Uid:").unwrap_or(u32::MAX),
        command: text("cmdline"),
        environment: text("environ"),
    })
}

/// The state of a process as the kernel writes it: `R` runs, `S` waits, `T` was stopped by a signal; `None` when it is gone.
#[must_use]
pub fn state_of(pid: u32) -> Option<char> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let state = status
        .lines()
        .find_map(|line| line.strip_prefix("State:"))?;
    state.trim_start().chars().next()
}

/// How many bytes lie in the TCP sockets of a process that it has not read yet.
#[must_use]
pub fn unread_bytes(pid: u32) -> usize {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let descriptors = fs::read_dir(folder.join("fd"))
        .into_iter()
        .flatten()
        .flatten();
    let sockets: BTreeSet<String> = descriptors
        .filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']');
            inode.map(str::to_owned)
        })
        .collect();
    // The table is that of the process's own network: state, both queues, and the socket's inode stand in these columns.
    let (state, queues, inode) = (3, 4, 9);
    let mut unread = 0;
    for table in ["net/tcp", "net/tcp6"] {
        let text = fs::read_to_string(folder.join(table)).unwrap_or_default();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let established = fields.get(state) == Some(&"01");
            if established
                && fields
                    .get(inode)
                    .is_some_and(|inode| sockets.contains(*inode))
            {
                let received = fields[queues].split(':').nth(1).unwrap_or_default();
                unread += usize::from_str_radix(received, 16).unwrap_or(0);
            }
        }
    }
    unread
}

/// The processes that match, and all their descendants.
pub(super) fn with_descendants(matches: impl Fn(&Process) -> bool) -> Vec<Process> {
    let all = processes();
    let ours = std::process::id();
    let mut found: Vec<Process> = all
        .iter()
        .filter(|process| process.pid != ours && matches(process))
        .cloned()
        .collect();
    let mut at = 0;
    while at < found.len() {
        let parent = found[at].pid;
        for child in all.iter().filter(|process| process.parent == parent) {
            if found.iter().all(|known| known.pid != child.pid) {
                found.push(child.clone());
            }
        }
        at += 1;
    }
    found
}

/// The supervisor of an instance and everything below it.
#[must_use]
pub fn instance_processes(id: &str) -> Vec<Process> {
    with_descendants(|process| {
        process.command.contains(id) && process.command.contains(" supervise ")
    })
}

/// The gateway among an instance's processes.
#[must_use]
pub fn gateway_of(id: &str) -> Option<Process> {
    let all = instance_processes(id);
    let is_gateway = |process: &&Process| {
        process.command.starts_with("openclaw-gateway") || process.command.contains("/openclaw.mjs")
    };
    // The relay and the sandbox program name the gateway's command too; the gateway itself is the deepest.
    all.iter()
        .rfind(|process| {
            is_gateway(process)
                && !process.command.contains("bwrap")
                && !process.command.contains("relay")
        })
        .cloned()
}

/// `GET` over a Unix socket with a bearer token; the status and the body.
///
/// # Errors
///
/// When the socket cannot be reached.
pub async fn unix_get(socket: &Path, path: &str, token: &str) -> io::Result<(u16, String)> {
    // Addresses of Unix sockets are limited to 107 bytes; by way of the open folder any path works.
    let folder = fs::File::open(socket.parent().unwrap_or_else(|| Path::new("/")))?;
    let name = socket.file_name().unwrap_or_default();
    let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
    let mut stream = UnixStream::connect(short).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| io::Error::other("no HTTP answer"))?;
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    Ok((status, body.to_owned()))
}
