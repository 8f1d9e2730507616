//! A throw-away PostgreSQL for tests: one server per test program, one copy of a prepared database per test.
//!
//! `FRACTAL_TEST_PG_URL` names a server to use instead (its user must be allowed to create databases). Without that and without
//! PostgreSQL on the machine the tests say so and are skipped, unless `CI=true`, which makes it a failure.
//!
//! The server is stopped and its folder removed by a small watcher process that waits for the end of its standard input, so it goes
//! however the test program ends, a kill included.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// A server that copies of databases are made on.
#[derive(Debug)]
pub struct Postgres {
    place: Place,
    /// Where `psql` is.
    bin: Option<PathBuf>,
    template: Mutex<Option<String>>,
    copies: AtomicU32,
    /// Its standard input keeps the watcher, and so the server, alive.
    _watcher: Option<Child>,
}

#[derive(Debug)]
enum Place {
    /// Ours: the folder of its socket.
    Own(PathBuf),
    /// Somebody else's: its address without a database.
    Given(String),
}

/// A database of one test; dropped when this is dropped.
#[derive(Debug)]
pub struct Copy {
    server: &'static Postgres,
    name: String,
    /// The address for `DATABASE_URL`.
    pub url: String,
}

/// The server of this test program, started at the first call; `None` when the tests are to be skipped.
///
/// # Panics
/// When `CI=true` and there is no server.
#[must_use]
pub fn server() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    SERVER
        .get_or_init(|| match start() {
            Ok(server) => Some(server),
            Err(reason) => {
                // Written out, because other crates take in this file alone.
                assert!(
                    std::env::var("CI").as_deref() != Ok("true"),
                    "PostgreSQL is needed in CI: {reason}"
                );
                println!("skipped on PostgreSQL: {reason}");
                None
            }
        })
        .as_ref()
}

impl Postgres {
    /// A copy of the prepared database; `prepare` fills it once, given its address, and must close its connections.
    ///
    /// # Panics
    /// When the server or `prepare` fails.
    pub fn copy(&'static self, prepare: impl FnOnce(&str)) -> Copy {
        // Held while copying too: PostgreSQL refuses two copies of one template at once.
        let mut template = self.template.lock().unwrap_or_else(PoisonError::into_inner);
        let stem = format!("fractal_test_{}", std::process::id());
        let prepared = template
            .get_or_insert_with(|| {
                let name = format!("{stem}_template");
                self.sql(&format!("DROP DATABASE IF EXISTS {name}"));
                self.sql(&format!("CREATE DATABASE {name}"));
                prepare(&self.url(&name));
                name
            })
            .clone();
        let name = format!("{stem}_{}", self.copies.fetch_add(1, Ordering::Relaxed));
        self.sql(&format!("DROP DATABASE IF EXISTS {name}"));
        self.sql(&format!("CREATE DATABASE {name} TEMPLATE {prepared}"));
        Copy {
            server: self,
            url: self.url(&name),
            name,
        }
    }

    /// An empty database.
    ///
    /// # Panics
    /// When the server fails.
    pub fn empty(&'static self) -> Copy {
        let copy = self.copies.fetch_add(1, Ordering::Relaxed);
        let name = format!("fractal_test_{}_{copy}", std::process::id());
        self.sql(&format!("DROP DATABASE IF EXISTS {name}"));
        self.sql(&format!("CREATE DATABASE {name}"));
        Copy {
            server: self,
            url: self.url(&name),
            name,
        }
    }

    fn url(&self, database: &str) -> String {
        match &self.place {
            Place::Own(socket) => {
                // The slashes of a socket's folder are escaped in the host part of an address.
                let host = socket.display().to_string().replace('/', "%2F");
                format!("postgres://fractal@{host}/{database}")
            }
            Place::Given(base) => format!("{base}/{database}"),
        }
    }

    fn sql(&self, statement: &str) {
        let psql = self
            .bin
            .as_ref()
            .map_or_else(|| PathBuf::from("psql"), |bin| bin.join("psql"));
        let output = Command::new(psql)
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement])
            .arg(self.url("postgres"))
            .output()
            .expect("psql runs");
        assert!(
            output.status.success(),
            "{statement}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        // FORCE ends connections that the test left open.
        self.server.sql(&format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.name
        ));
    }
}

fn start() -> Result<Postgres, String> {
    let bin = newest_bin();
    if let Ok(url) = std::env::var("FRACTAL_TEST_PG_URL") {
        // Without the database: everything up to the last slash after the host.
        let base = url
            .rfind('/')
            .filter(|slash| *slash > url.find("://").map_or(0, |at| at + 2))
            .map_or(url.as_str(), |slash| &url[..slash])
            .to_owned();
        return Ok(Postgres {
            place: Place::Given(base),
            bin,
            template: Mutex::default(),
            copies: AtomicU32::new(0),
            _watcher: None,
        });
    }
    let bin = bin.ok_or("no PostgreSQL under /usr/lib/postgresql (apt-get install postgresql)")?;
    // Short, because a socket's path has at most 107 bytes.
    let folder = tempfile::Builder::new()
        .prefix("fpg")
        .tempdir_in("/tmp")
        .map_err(|error| format!("no temporary folder: {error}"))?
        .keep();
    match start_in(&bin, &folder) {
        Ok(watcher) => Ok(Postgres {
            place: Place::Own(folder),
            bin: Some(bin),
            template: Mutex::default(),
            copies: AtomicU32::new(0),
            _watcher: Some(watcher),
        }),
        Err(reason) => {
            let _ = fs::remove_dir_all(&folder);
            Err(reason)
        }
    }
}

fn start_in(bin: &Path, folder: &Path) -> Result<Child, String> {
    // PostgreSQL refuses to run as root, so root lends it to the user its package made.
    let root = rustix::process::geteuid().is_root();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(|e| e.to_string())?;
    if root {
        run(Command::new("chown").arg("postgres").arg(folder))?;
    }
    let data = folder.join("data");
    run(as_user(root, &bin.join("initdb"))
        .args([
            "-A",
            "trust",
            "-U",
            "fractal",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "-D",
        ])
        .arg(&data))?;
    // Throw-away: nothing has to survive a power cut. Only a socket, so no port can collide.
    let settings = format!(
        "listen_addresses = ''\nunix_socket_directories = '{}'\nfsync = off\nsynchronous_commit = off\nfull_page_writes = off\nmax_connections = 200\nshared_buffers = 32MB\n",
        folder.display()
    );
    fs::OpenOptions::new()
        .append(true)
        .open(data.join("postgresql.conf"))
        .and_then(|mut file| file.write_all(settings.as_bytes()))
        .map_err(|error| format!("cannot write its settings: {error}"))?;
    let script = r#"
        "$1" -D "$2" >"$3/log" 2>&1 &
        server=$!
        cat >/dev/null
        kill -QUIT $server
        wait $server
        rm -rf "$3"
    "#;
    let watcher = as_user(root, Path::new("/bin/sh"))
        .args(["-c", script, "sh"])
        .args([&bin.join("postgres"), &data, folder])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("cannot start it: {error}"))?;
    let began = Instant::now();
    let ready = || {
        Command::new(bin.join("pg_isready"))
            .args(["-q", "-h"])
            .arg(folder)
            .status()
            .is_ok_and(|status| status.success())
    };
    while !ready() {
        if began.elapsed() > Duration::from_secs(30) {
            let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
            return Err(format!("it did not start: {log}"));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(watcher)
}

fn as_user(root: bool, program: &Path) -> Command {
    if root {
        let mut command = Command::new("setpriv");
        command
            .args([
                "--reuid=postgres",
                "--regid=postgres",
                "--clear-groups",
                "--",
            ])
            .arg(program);
        // The folder of the caller may be closed to that user.
        command.current_dir("/");
        command
    } else {
        Command::new(program)
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// The newest installed server, as Debian lays them out.
fn newest_bin() -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            let bin = entry.path().join("bin");
            bin.join("initdb").exists().then_some((version, bin))
        })
        .collect();
    found.sort();
    found.pop().map(|(_, bin)| bin)
}
