//! The real program as a process of its own, and people who talk to it over HTTP.
//!
//! Unlike the `house` this goes the whole way: `fractal serve` with its own data folder, supervisors, sandboxes and
//! real gateways. Everything the server ever answered is kept, so that a test can look for what must not be in it.

mod machine;
mod person;

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};

pub use machine::{
    Process, gateway_of, instance_processes, processes, state_of, unix_get, unread_bytes,
};
pub use person::{PASSWORD, Person, Reply, Transcript};

/// How often a condition is looked at. Nothing waits longer than until it holds.
const LOOK: Duration = Duration::from_millis(100);

/// How long a server may take to answer after its start. Generous: other tests share the cores.
const SERVES_WITHIN: Duration = Duration::from_secs(60);

/// What a real-process test needs from outside.
#[derive(Debug, Clone)]
pub struct Peers {
    /// The built program.
    pub program: PathBuf,
    /// A folder with `node_modules/openclaw` and `node_modules/node`.
    pub engine: PathBuf,
}

impl Peers {
    /// From `FRACTAL_TEST_PROGRAM` and `FRACTAL_TEST_ENGINE`. Without them the reason is printed and the test is to be
    /// skipped.
    ///
    /// # Panics
    ///
    /// With `CI=true` a skip is a failure.
    #[must_use]
    pub fn find() -> Option<Self> {
        let named = |name: &str| {
            let path = std::env::var_os(name).map(PathBuf::from);
            let missing = path.as_ref().is_none_or(|path| !path.exists());
            if missing {
                crate::skipped(&format!(
                    "{name} names nothing that exists; scripts/test sets it"
                ));
            }
            path.filter(|_| !missing)
        };
        Some(Self {
            program: named("FRACTAL_TEST_PROGRAM")?,
            engine: named("FRACTAL_TEST_ENGINE")?,
        })
    }

    /// Whether instances get host users of their own and a sandbox here.
    #[must_use]
    pub fn is_root(&self) -> bool {
        rustix::process::geteuid().is_root()
    }
}

/// Looks until something is there.
///
/// # Panics
///
/// When it is not there within the bound.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(
            started.elapsed() < within,
            "{what}: not within {} seconds",
            within.as_secs()
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// A `fractal serve` process and its folders. When dropped, it and everything it started is ended.
#[derive(Debug)]
pub struct Serve {
    folder: tempfile::TempDir,
    program: PathBuf,
    engine: PathBuf,
    /// The address of its database; SQLite in the data folder when there is none.
    database: Option<String>,
    address: SocketAddr,
    child: Option<Child>,
    /// Every answer any [`Person`] of this server got.
    pub transcript: Transcript,
}

impl Serve {
    /// Starts one on a free port with fresh folders, and its database among them.
    ///
    /// # Panics
    ///
    /// When it does not serve.
    pub async fn start(peers: &Peers) -> Self {
        Self::start_on(peers, None).await
    }

    /// The same with the database at this address, which must be empty and outlive the server.
    ///
    /// # Panics
    ///
    /// When it does not serve.
    pub async fn start_on(peers: &Peers, database: Option<String>) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("fractal-e2e-")
            .tempdir()
            .expect("a temporary folder");
        // The user of an instance must be able to walk to its home.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))
            .expect("the folder is ours");
        let mut server = Self {
            folder,
            program: peers.program.clone(),
            engine: peers.engine.clone(),
            database,
            address: ([127, 0, 0, 1], 0).into(),
            child: None,
            transcript: Transcript::default(),
        };
        server.run().await;
        server
    }

    /// Starts it again on the same folders and address.
    ///
    /// # Panics
    ///
    /// When it still runs, or does not serve.
    pub async fn run(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("the folder is ours");
        let before = log.metadata().map_or(0, |meta| meta.len());
        let errors = log.try_clone().expect("a descriptor can be duplicated");
        let child = Command::new(&self.program)
            .arg("serve")
            .arg("--data")
            .arg(self.data_dir())
            .arg("--engines")
            .arg(self.folder.path().join("engines"))
            .arg("--listen")
            .arg(self.address.to_string())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("FRACTAL_CONFIG_DIR", self.config_dir())
            .env("FRACTAL_ENGINE", &self.engine)
            .envs(self.database.iter().map(|url| ("DATABASE_URL", url)))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .expect("the program can be started");
        self.child = Some(child);
        let address = eventually("the server serves", SERVES_WITHIN, async || {
            let text = fs::read(self.log_file()).unwrap_or_default();
            let text =
                String::from_utf8_lossy(&text[usize::try_from(before).unwrap_or(0)..]).into_owned();
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok()?);
            assert!(ended.is_none(), "the server ended at once: {text}");
            printed_address(&text)
        })
        .await;
        self.address = address;
        eventually("the server is ready", SERVES_WITHIN, async || {
            let ready = format!("{}/readyz", self.url());
            let answer = person::http_client().get(ready).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its port.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The data folder.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The folder of the secret key.
    #[must_use]
    pub fn config_dir(&self) -> PathBuf {
        self.folder.path().join("config")
    }

    /// The folder around everything.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of an instance on the host.
    #[must_use]
    pub fn instance_dir(&self, id: &str) -> PathBuf {
        self.data_dir().join("instances").join(id)
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("serve.log")
    }

    /// What it has printed and logged so far.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.log_file()).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Its process id.
    ///
    /// # Panics
    ///
    /// When it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// Sends it a signal and waits for its end.
    ///
    /// # Panics
    ///
    /// When it does not run, or does not end in time.
    pub async fn end(&mut self, signal: Signal) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        kill(child.id(), signal);
        eventually("the server ends", Duration::from_secs(90), async || {
            child.try_wait().expect("it is our child")
        })
        .await
    }

    /// Every process that belongs to this server's folders, itself included.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        let folder = self.folder.path().to_string_lossy().into_owned();
        machine::with_descendants(|process| process.command.contains(&folder))
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let tail: Vec<&str> = log.lines().rev().take(40).collect();
            for line in tail.iter().rev() {
                eprintln!("serve: {line}");
            }
        }
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        // Supervisors outlive their server on purpose; here nothing may be left.
        for process in self.processes() {
            kill(process.pid, Signal::KILL);
        }
    }
}

/// Sends a signal; a process that is gone already is no fault.
pub fn kill(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// The first whole loopback address in what a server has printed so far; `None` while its port may still be on its way.
#[must_use]
pub fn printed_address(text: &str) -> Option<SocketAddr> {
    text.split("http://127.0.0.1:").skip(1).find_map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        let whole = rest.len() > digits.len();
        let port = digits.parse().ok().filter(|_| whole)?;
        Some(([127, 0, 0, 1], port).into())
    })
}
