//! The program as a process that may be killed at any moment, and what it leaves on the machine.

use std::{
    collections::BTreeSet,
    fs,
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fractal_testing::serve::printed_address;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

/// Generous, because other tests share the cores.
pub const BOUND: Duration = Duration::from_secs(240);

/// What the tests need from outside, or the reason why they are skipped, printed.
pub fn peers() -> Option<(PathBuf, PathBuf)> {
    let named = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        let path = path.filter(|path| path.exists());
        if path.is_none() {
            fractal_testing::skipped(&format!(
                "{name} names nothing that exists; scripts/test sets it"
            ));
        }
        path
    };
    Some((
        named("FRACTAL_TEST_PROGRAM")?,
        named("FRACTAL_TEST_ENGINE")?,
    ))
}

/// What the stand-in says it is.
const VERSION: &str = "2026.9.6";

/// Looks until something is there, within [`BOUND`].
pub fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    within(BOUND, what, look)
}

/// Looks until something is there.
fn within<T>(bound: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < bound, "{what}: not within {bound:?}");
        thread::sleep(Duration::from_millis(30));
    }
}

/// One installation: its folders, its database, and the server while it runs.
pub struct Machine {
    pub folder: tempfile::TempDir,
    program: PathBuf,
    engine: PathBuf,
    database: Option<String>,
    address: SocketAddr,
    server: Option<Child>,
    pub token: String,
    /// Faults on purpose in the next life of the server (`fractal_server`, `faults.rs`).
    faults: Option<String>,
}

impl Machine {
    /// Starts a fresh one and claims it. With the stand-in unless a real engine is wanted.
    pub fn claimed(peers: &(PathBuf, PathBuf), real: bool, database: Option<String>) -> Self {
        let folder = tempfile::Builder::new().prefix("fcrash").tempdir().unwrap();
        // The user of an instance must be able to walk to its home.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711)).unwrap();
        let engine = if real {
            peers.1.clone()
        } else {
            stand_in(&folder.path().join("engine"), &peers.1, VERSION)
        };
        let mut machine = Self {
            program: peers.0.clone(),
            engine,
            database,
            address: ([127, 0, 0, 1], 0).into(),
            server: None,
            token: String::new(),
            faults: None,
            folder,
        };
        machine.start();
        machine.claim();
        machine
    }

    fn claim(&mut self) {
        let setup = fs::read_to_string(self.data().join("setup-token")).unwrap();
        let body = json!({"username": "root", "password": "a long enough password"});
        let head = format!("x-setup-token: {}\r\n", setup.trim());
        let reply = self
            .ask("POST", "/api/onboarding/breakglass", &head, Some(&body))
            .unwrap();
        assert_eq!(reply.status, 201, "{}", reply.body);
        let cookie = reply
            .head
            .lines()
            .find_map(|line| {
                line.strip_prefix("set-cookie: ")
                    .or_else(|| line.strip_prefix("Set-Cookie: "))
            })
            .and_then(|cookie| cookie.split(';').next())
            .unwrap();
        let head = format!("cookie: {cookie}\r\nsec-fetch-site: same-origin\r\n");
        let reply = self
            .ask(
                "POST",
                "/api/v1/tokens",
                &head,
                Some(&json!({"name": "test"})),
            )
            .unwrap();
        assert_eq!(reply.status, 201, "{}", reply.body);
        self.token = reply.json()["secret"].as_str().unwrap().to_owned();
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("FRACTAL_CONFIG_DIR", self.config())
            .env("FRACTAL_DATA_DIR", self.data())
            .env("FRACTAL_ENGINES_DIR", self.folder.path().join("engines"))
            .env("FRACTAL_ENGINE", &self.engine)
            .stdin(Stdio::null());
        if let Some(url) = &self.database {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Starts the server on the same data and address.
    pub fn start(&mut self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .unwrap();
        let before = usize::try_from(log.metadata().unwrap().len()).unwrap();
        let mut command = self.command();
        if let Some(faults) = self.faults.take() {
            command.env("FRACTAL_TEST_FAULTS", faults);
        }
        let child = command
            .args(["serve", "--listen", &self.address.to_string()])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(child);
        self.address = eventually("the server serves", || {
            let text = fs::read(self.log()).unwrap();
            let text = String::from_utf8_lossy(&text[before..]).into_owned();
            let ended = self.server.as_mut()?.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended at once: {text}");
            printed_address(&text)
        });
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut server = self.server.take().unwrap();
        server.kill().unwrap();
        server.wait().unwrap();
    }

    /// Starts the server again for a life in which it dies of `faults`.
    pub fn start_to_die(&mut self, faults: String) {
        self.end();
        self.faults = Some(faults);
        self.start();
    }

    /// Waits until the server has killed itself: at the latest after the ten minutes that older keys are kept.
    pub fn dies(&mut self) {
        let bound = BOUND + Duration::from_secs(600);
        let server = self.server.as_mut().unwrap();
        let status = within(bound, "the server dies", || server.try_wait().unwrap());
        self.server = None;
        assert_eq!(status.signal(), Some(9), "it ended otherwise: {status}");
    }

    /// Lays an engine of another version beside the one in use, as an earlier release would have installed it.
    pub fn another_engine(&self, version: &str) -> PathBuf {
        stand_in(
            &self.folder.path().join("engine-before"),
            &self.engine,
            version,
        )
    }

    /// What a power failure leaves, after the server is gone: no process at all.
    pub fn lose_power(&self) {
        eventually("nothing runs any more", || {
            let left = self.processes();
            for pid in &left {
                signal(*pid, Signal::KILL);
            }
            left.is_empty().then_some(())
        });
    }

    /// Ends the server as an operator does who restarts it: instances go on.
    pub fn end(&mut self) {
        let mut server = self.server.take().unwrap();
        signal(server.id(), Signal::TERM);
        eventually("the server ends", || server.try_wait().unwrap());
    }

    /// Another command of the program on the same folders.
    pub fn spawn(&self, args: &[&str]) -> Child {
        self.command()
            .args(args)
            .env("FRACTAL_TOKEN", &self.token)
            .env("FRACTAL_URL", format!("http://{}", self.address))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub fn config(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("serve.log")
    }

    /// The address of the database.
    pub fn database(&self) -> String {
        self.database
            .clone()
            .unwrap_or_else(|| format!("sqlite://{}", self.data().join("fractal.db").display()))
    }

    /// A way to ask from another thread.
    pub fn caller(&self) -> Caller {
        Caller {
            address: self.address,
            token: self.token.clone(),
        }
    }

    fn ask(&self, method: &str, path: &str, head: &str, body: Option<&Value>) -> io::Result<Reply> {
        exchange(self.address, method, path, head, body)
    }

    /// Asks and expects success.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let reply = self.caller().call(method, path, body).unwrap();
        assert!(
            (200..300).contains(&reply.status),
            "{method} {path}: {} {}",
            reply.status,
            reply.body
        );
        reply.json()
    }

    /// The instances that live supervisors belong to, and how many processes there are that belong to this machine.
    pub fn supervised(&self) -> BTreeSet<String> {
        let folder = self.folder.path().to_string_lossy().into_owned();
        commands()
            .into_iter()
            .filter(|(_, command)| command.contains(&folder) && command.contains(" supervise "))
            .filter_map(|(_, command)| {
                let from = command.find("inst_")?;
                let id = command[from..].split([' ', '/']).next()?;
                Some(id.to_owned())
            })
            .collect()
    }

    /// Every process whose command names this machine's folder: sandbox, relay and supervisor of each instance do.
    fn processes(&self) -> Vec<u32> {
        let folder = self.folder.path().to_string_lossy().into_owned();
        commands()
            .into_iter()
            .filter(|(_, command)| command.contains(&folder))
            .map(|(pid, _)| pid)
            .collect()
    }

    /// Ends whatever is left of an installation that is no longer needed; what refuses is a fault.
    pub fn nothing_is_left(&self) {
        eventually("every process ends", || {
            self.processes().is_empty().then_some(())
        });
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = fs::read_to_string(self.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            for line in &lines[lines.len().saturating_sub(40)..] {
                eprintln!("serve: {line}");
            }
        }
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        for pid in self.processes() {
            signal(pid, Signal::KILL);
        }
    }
}

/// Asks the server; usable while the server is being killed.
#[derive(Clone)]
pub struct Caller {
    address: SocketAddr,
    token: String,
}

impl Caller {
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> io::Result<Reply> {
        let head = format!("authorization: Bearer {}\r\n", self.token);
        exchange(self.address, method, path, &head, body)
    }
}

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// One exchange on a connection of its own; an answer that broke off is an error.
fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    head: &str,
    body: Option<&Value>,
) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(BOUND))?;
    let body = body.map(Value::to_string).unwrap_or_default();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n{head}\r\n{body}",
        body.len()
    )?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let (head, body) = text.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.get(9..12).and_then(|code| code.parse().ok());
    Ok(Reply {
        status: status.ok_or_else(broken)?,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// Every process of the machine with its command line.
fn commands() -> Vec<(u32, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Ok(bytes) = fs::read(entry.path().join("cmdline")) else {
            continue;
        };
        if !bytes.is_empty() && pid != std::process::id() {
            let command = String::from_utf8_lossy(&bytes).replace('\0', " ");
            found.push((pid, command));
        }
    }
    found
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// An engine folder whose gateway is the stand-in, with the Node of another one.
fn stand_in(engine: &Path, other: &Path, version: &str) -> PathBuf {
    let modules = engine.join("node_modules");
    fs::create_dir_all(modules.join("node/bin")).unwrap();
    fs::create_dir_all(modules.join("openclaw")).unwrap();
    let node = fs::read_dir(other.join("node_modules"))
        .unwrap()
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("node"))
        .map(|entry| entry.path().join("bin/node"))
        .find(|path| path.is_file())
        .expect("the engine brings Node");
    let here = modules.join("node/bin/node");
    // Linked where that is possible: it has 150 MB.
    if fs::hard_link(&node, &here).is_err() {
        fs::copy(&node, &here).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/gateway.mjs");
    let text = fs::read_to_string(script).unwrap();
    let entry = modules.join("openclaw/openclaw.mjs");
    fs::write(entry, text.replace(VERSION, version)).unwrap();
    engine.to_owned()
}
