//! Running npm and watching it.

use std::{
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use tokio::{io::AsyncReadExt, process::Command};

use super::{EngineError, Pin, pin::Platform, tree};

/// Free space an install needs: the tree, npm's cache and something over.
pub(super) const NEEDED_BYTES: u64 = 1_300_000_000;

/// How often progress is measured. Measuring reads the tree's entries, which costs CPU npm also wants.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How far an install is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What happens now.
    pub phase: Phase,
    /// Packages on disk.
    pub packages_done: u64,
    /// Packages there will be.
    pub packages_total: u64,
    /// Bytes on disk.
    pub bytes_done: u64,
    /// Bytes there will be, roughly.
    pub bytes_total: u64,
}

/// A part of an install.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Checking the machine, waiting for another installer.
    Prepare,
    /// npm fetches packages.
    Download,
    /// npm writes packages.
    Unpack,
    /// The result is asked for its versions and measured.
    Verify,
    /// The engine can be used.
    Done,
}

/// Who is told.
pub(super) type Listener<'a> = &'a (dyn Fn(Progress) + Send + Sync);

/// Installs a pin's packages into `staging`, which must be empty.
pub(super) async fn install(
    npm: &Path,
    pin: &'static Pin,
    platform: &Platform,
    staging: &Path,
    npm_cache: &Path,
    listener: Listener<'_>,
) -> Result<(), EngineError> {
    for (name, text) in [
        ("package.json", pin.package),
        ("package-lock.json", pin.lock),
    ] {
        let path = staging.join(name);
        tokio::fs::write(&path, text)
            .await
            .map_err(EngineError::io("write", path))?;
    }
    let mut child = Command::new(npm)
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefer-offline",
        ])
        .args([
            "--no-update-notifier",
            "--loglevel=error",
            "--no-progress",
            "--cache",
        ])
        .arg(npm_cache)
        .current_dir(staging)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => EngineError::NoNpm,
            _ => EngineError::io("run", npm)(error),
        })?;
    let mut stderr = child.stderr.take();
    let saying = async {
        let mut said = Vec::new();
        if let Some(stderr) = &mut stderr {
            // What npm says is only for the message; reading must go on so that it never blocks.
            let _ = stderr.read_to_end(&mut said).await;
        }
        String::from_utf8_lossy(&said).into_owned()
    };
    let packages = pin.packages(platform);
    let finishing = async { tokio::join!(saying, child.wait()) };
    tokio::pin!(finishing);
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    let (said, status) = loop {
        tokio::select! {
            done = &mut finishing => break done,
            _ = ticks.tick() => {
                let (root, wanted) = (staging.to_owned(), packages.clone());
                let (done, bytes) =
                    tokio::task::spawn_blocking(move || measure(&root, &wanted)).await?;
                listener(Progress {
                    phase: if done == 0 { Phase::Download } else { Phase::Unpack },
                    packages_done: done,
                    packages_total: packages.len() as u64,
                    bytes_done: bytes,
                    bytes_total: pin.unpacked_bytes.max(bytes),
                });
            }
        }
    };
    let status = status.map_err(EngineError::io("wait for", npm))?;
    if status.success() {
        return Ok(());
    }
    Err(classify(&said, staging))
}

fn measure(root: &Path, packages: &[String]) -> (u64, u64) {
    let there = |path: &&String| root.join(path.as_str()).join("package.json").is_file();
    let done = packages.iter().filter(there).count() as u64;
    (done, tree::bytes_below(root))
}

/// What npm's words mean. Addresses are left out of messages: they may carry credentials.
fn classify(said: &str, staging: &Path) -> EngineError {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    let short = brief(said);
    if has(&["ENOSPC"]) {
        EngineError::DiskFull {
            path: staging.to_owned(),
            free: free_bytes(staging).unwrap_or(0),
            needed: NEEDED_BYTES,
        }
    } else if has(&["EINTEGRITY"]) {
        EngineError::Integrity(short)
    } else if has(&[
        "ENOTFOUND",
        "EAI_AGAIN",
        "ECONNREFUSED",
        "ECONNRESET",
        "ETIMEDOUT",
        "ENETUNREACH",
        "EHOSTUNREACH",
        "ERR_SOCKET_TIMEOUT",
        "network",
    ]) {
        EngineError::Network(short)
    } else {
        EngineError::Npm(short)
    }
}

/// The first few lines, without addresses.
fn brief(said: &str) -> String {
    said.lines()
        .map(|line| line.trim_start_matches("npm error").trim())
        .filter(|line| !line.is_empty())
        .take(3)
        .map(|line| {
            line.split(' ')
                .map(|word| {
                    if word.contains("://") {
                        "<address>"
                    } else {
                        word
                    }
                })
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect::<Vec<_>>()
        .join("; ")
}

/// Bytes an unprivileged user may still write.
pub(super) fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Refuses early when there is not enough space.
pub(super) fn check_space(path: PathBuf) -> Result<(), EngineError> {
    let free = free_bytes(&path).map_err(EngineError::io("measure", &path))?;
    if free < NEEDED_BYTES {
        return Err(EngineError::DiskFull {
            path,
            free,
            needed: NEEDED_BYTES,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npms_words_become_remedies_without_addresses() {
        let said =
            "npm error code ENOTFOUND\nnpm error request to http://user:pw@host.invalid/x failed\n";
        let error = classify(said, Path::new("/"));
        assert!(matches!(error, EngineError::Network(_)));
        assert!(!error.to_string().contains("pw@"), "{error}");
        assert!(matches!(
            classify("npm error code EINTEGRITY", Path::new("/")),
            EngineError::Integrity(_)
        ));
        assert!(matches!(
            classify("npm error code ENOSPC", Path::new("/")),
            EngineError::DiskFull { .. }
        ));
        assert!(matches!(
            classify("npm error code EUSAGE", Path::new("/")),
            EngineError::Npm(_)
        ));
    }
}
