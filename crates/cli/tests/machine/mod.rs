//! The real program in a folder of its own, without an engine.
#![expect(dead_code, reason = "each suite uses a part of it")]

use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

/// The program.
pub const FRACTAL: &str = env!("CARGO_BIN_EXE_fractal");

/// Longer than anything here takes; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine with a folder for everything, and an npm that waits for files named `unpack` and `end`.
pub struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bin = folder.path().join("bin");
        fs::create_dir(&bin).unwrap();
        let at = folder.path().display();
        let script = format!(
            "#!/bin/sh\nuntil [ -e {at}/unpack ]; do sleep 0.05; done\n\
             mkdir -p node_modules/openclaw\necho '{{}}' > node_modules/openclaw/package.json\n\
             until [ -e {at}/end ]; do sleep 0.05; done\n\
             echo 'npm error code ENOTFOUND' >&2\nexit 1\n"
        );
        executable(&bin.join("npm"), &script);
        Self { folder }
    }

    /// Something in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets its npm go on to a step.
    pub fn allow(&self, step: &str) {
        fs::write(self.path(step), "").unwrap();
    }

    /// A port of loopback that was free a moment ago.
    pub fn free_port(&self) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    }

    /// The command with everything it may read or write inside the folder.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .env_clear()
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env("HOME", self.folder.path())
            .env("TERM", "xterm")
            .env("FRACTAL_CONFIG_DIR", self.path("config"))
            .env("FRACTAL_DATA_DIR", self.path("data"))
            .env("FRACTAL_ENGINES_DIR", self.path("engines"))
            .env("FRACTAL_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null());
        command
    }
}

pub fn executable(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A running program and what it has printed so far; ended with the test.
pub struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    /// Ended instead of the child, when that is only a shell around it.
    pid_file: Option<PathBuf>,
}

impl Running {
    pub fn start(mut command: Command, pid_file: Option<PathBuf>) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::<Mutex<String>>::default();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        for mut output in [
            Box::new(out) as Box<dyn Read + Send>,
            Box::new(err) as Box<dyn Read + Send>,
        ] {
            let said = said.clone();
            std::thread::spawn(move || {
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = output.read(&mut buffer) {
                    let text = String::from_utf8_lossy(&buffer[..count]);
                    said.lock().unwrap().push_str(&text);
                }
            });
        }
        Self {
            child,
            said,
            pid_file,
        }
    }

    /// What it has said, once these words are in it.
    pub fn until_said(&self, words: &str) -> String {
        let start = Instant::now();
        loop {
            let said = self.said.lock().unwrap().clone();
            if said.contains(words) {
                return said;
            }
            assert!(start.elapsed() < PATIENCE, "never said {words:?}:\n{said}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let pid = self
            .pid_file
            .as_ref()
            .and_then(|path| fs::read_to_string(path).ok())
            .map_or_else(|| self.child.id().to_string(), |pid| pid.trim().to_owned());
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

/// Where it listens, as it printed it.
pub fn address_in(said: &str) -> String {
    let after = said.split("http://").nth(1).unwrap();
    after.split('/').next().unwrap().to_owned()
}
