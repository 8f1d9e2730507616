//! A machine, and the program on it.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use fractal_api_types::ClaimBreakglass;
use fractal_client::Client;
use rustix::process::{Pid, Signal, kill_process};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// Longer than anything here takes; only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Folders of one installation. What is in them goes when this is dropped.
pub struct Machine {
    pub folder: tempfile::TempDir,
    /// Further variables.
    pub variables: Vec<(&'static str, String)>,
}

/// A server that has said that it is ready. Killed when dropped.
pub struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// What it said until it was ready.
    pub said: String,
}

impl Machine {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            variables: Vec::new(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// `fractal WORDS --data DIR`.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fractal"));
        command
            .args(words)
            .arg("--data")
            .arg(self.data())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("FRACTAL_CONFIG_DIR", self.path("config"))
            // No engine: nothing here wakes an agent, and nothing shall be downloaded.
            .env("FRACTAL_ENGINE", "/nowhere")
            .envs(self.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub async fn run(&self, words: &[&str]) -> Output {
        bounded(self.command(words).output()).await.unwrap()
    }

    /// With this on standard input.
    pub async fn run_with(&self, words: &[&str], input: &str) -> Output {
        let mut child = self.command(words).stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).await.unwrap();
        drop(stdin);
        bounded(child.wait_with_output()).await.unwrap()
    }

    /// Makes the first administrator; a client that carries their session.
    pub async fn claim(&self, server: &Running) -> Client {
        let token = std::fs::read_to_string(self.data().join("setup-token")).unwrap();
        let body = ClaimBreakglass {
            username: "ada".parse().unwrap(),
            password: "correct horse battery".to_owned(),
        };
        let anonymous = Client::new(&server.url(), None).unwrap();
        let claimed = anonymous
            .claim(&token.trim().to_owned().into(), &body)
            .await;
        claimed.unwrap().1
    }

    /// Starts a server on a free port; what it said instead when it ends before it is ready.
    pub async fn serve(&self, words: &[&str]) -> Result<Running, String> {
        let words = [&["serve", "--listen", "127.0.0.1:0"], words].concat();
        let mut child = self.command(&words).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut said = String::new();
        while let Some(line) = bounded(lines.next_line()).await.unwrap() {
            said.push_str(&line);
            said.push('\n');
            // The address comes last.
            if line.trim_start().starts_with("Open http") || line.contains("The token also stands")
            {
                return Ok(Running { child, lines, said });
            }
        }
        let output = bounded(child.wait_with_output()).await.unwrap();
        assert!(!output.status.success(), "{said}");
        Err(said + &String::from_utf8_lossy(&output.stderr))
    }
}

impl Running {
    /// The address it printed, without a path.
    pub fn url(&self) -> String {
        let start = self.said.find("http").unwrap();
        let address = self.said[start..].split_whitespace().next().unwrap();
        address.split("/setup").next().unwrap().to_owned()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id().unwrap()).unwrap();
        kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
    }

    /// Ends it, and gives all it said and logged.
    pub async fn end(mut self) -> String {
        self.signal(Signal::TERM);
        let mut all = self.said;
        while let Some(line) = bounded(self.lines.next_line()).await.unwrap() {
            all.push_str(&line);
            all.push('\n');
        }
        let mut errors = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        bounded(stderr.read_to_string(&mut errors)).await.unwrap();
        let status = bounded(self.child.wait()).await.unwrap();
        all.push_str(&errors);
        assert!(status.success(), "{all}");
        all
    }
}

pub async fn bounded<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what)
        .await
        .expect("it does not hang")
}

/// The names in a folder; none when there is no folder.
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
