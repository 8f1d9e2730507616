//! `fractal serve` while its engine is being installed, with an npm that does what a test allows and no more.

use std::{
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

const FRACTAL: &str = env!("CARGO_BIN_EXE_fractal");

/// Longer than anything here takes; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A machine with a folder for everything, and an npm that waits for files named `unpack` and `end`.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Self {
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

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn allow(&self, step: &str) {
        fs::write(self.path(step), "").unwrap();
    }

    /// The command with everything it may read or write inside the folder.
    fn command(&self, program: &str) -> Command {
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

fn executable(path: &Path, script: &str) {
    fs::write(path, script).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A running program and what it has printed so far; ended with the test.
struct Running {
    child: Child,
    said: Arc<Mutex<String>>,
    /// Ended instead of the child, when that is only a shell around it.
    pid_file: Option<PathBuf>,
}

impl Running {
    fn start(mut command: Command, pid_file: Option<PathBuf>) -> Self {
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

    fn until_said(&self, words: &str) -> String {
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

#[test]
fn a_service_logs_a_line_per_phase_and_what_to_do_when_it_fails() {
    let machine = Machine::new();
    let mut command = machine.command(FRACTAL);
    command.arg("serve");
    let running = Running::start(command, None);
    running.until_said("Installing the engine: downloading, 0 of 3");
    machine.allow("unpack");
    let said = running.until_said("Installing the engine: unpacking, 1 of 3");
    assert!(said.contains("of 736 MiB"), "{said}");
    machine.allow("end");
    let said = running.until_said("npm cannot reach its registry");
    assert!(said.contains("check network, proxy"), "{said}");
    assert!(!said.contains('\r'), "no line moves in a log: {said}");
    let lines = said.matches("Installing the engine: downloading").count();
    assert_eq!(lines, 1, "one line per phase: {said}");
}

#[test]
fn on_a_terminal_one_line_moves() {
    if Command::new("script").arg("--version").output().is_err() {
        eprintln!("skipped: there is no `script` to make a terminal with");
        return;
    }
    let machine = Machine::new();
    let pid_file = machine.path("pid");
    let mut command = machine.command("script");
    command.args([
        "-qefc",
        &format!("echo $$ > {}; exec {FRACTAL} serve", pid_file.display()),
        "/dev/null",
    ]);
    let running = Running::start(command, Some(pid_file));
    running.until_said("\r\u{1b}[2KInstalling the engine: downloading, 0 of 3");
    machine.allow("unpack");
    running.until_said("\r\u{1b}[2KInstalling the engine: unpacking, 1 of 3");
    machine.allow("end");
    let said = running.until_said("npm cannot reach its registry");
    let before = said.split("npm cannot reach").next().unwrap_or_default();
    let moving = before.rfind("Installing the engine").unwrap();
    assert!(
        before[moving..].contains("\r\u{1b}[2K"),
        "the log line takes the place of the moving one: {said:?}"
    );
}

#[test]
fn a_named_engine_with_a_wrong_node_is_refused_by_both_versions() {
    let machine = Machine::new();
    let root = machine.path("own");
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x64"
    };
    let bin = root.join(format!("node_modules/node-linux-{arch}/bin"));
    fs::create_dir_all(&bin).unwrap();
    fs::create_dir_all(root.join("node_modules/openclaw")).unwrap();
    fs::write(root.join("node_modules/openclaw/openclaw.mjs"), "").unwrap();
    executable(&bin.join("node"), "#!/bin/sh\necho v25.2.0\n");
    for by_flag in [true, false] {
        let mut command = machine.command(FRACTAL);
        command.arg("serve");
        if by_flag {
            command.arg("--engine").arg(&root);
        } else {
            command.env("FRACTAL_ENGINE", &root);
        }
        let said =
            Running::start(command, None).until_said("there is no engine to start agents with");
        for words in [
            "needs Node >=24.16.0 <25 || >=26.1.0",
            "is Node 25.2.0",
            "name another engine, or none",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
}
