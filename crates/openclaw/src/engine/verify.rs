//! Asking an engine who it is.

use std::{path::Path, process::Stdio, time::Duration};

use tokio::process::Command;

use super::EngineError;

/// A Node start reads some hundred files; a cold disk takes its time.
const LIMIT: Duration = Duration::from_secs(60);

/// The versions an engine reports: Node's and `OpenClaw`'s. A Node it does not run on is refused before it is tried.
pub(super) async fn versions(
    root: &Path,
    node: &Path,
    entry: &Path,
) -> Result<(String, String), EngineError> {
    let node_says = ask(root, Command::new(node).arg("--version")).await?;
    let node_version = node_says.trim().strip_prefix('v');
    if let Some(version) = node_version {
        super::node::check(root, node, version)?;
    }
    let openclaw_says = ask(root, Command::new(node).arg(entry).arg("--version")).await?;
    let openclaw_version = openclaw_says
        .lines()
        .find_map(|line| line.strip_prefix("OpenClaw "))
        .and_then(|rest| rest.split_whitespace().next());
    match (node_version, openclaw_version) {
        (Some(node), Some(openclaw)) => Ok((node.to_owned(), openclaw.to_owned())),
        _ => Err(EngineError::damaged(root, "it does not tell its version")),
    }
}

/// Runs with an empty environment and a home that does not exist, so that nothing of the caller's is
/// read or written.
async fn ask(root: &Path, command: &mut Command) -> Result<String, EngineError> {
    let run = command
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("NODE_DISABLE_COMPILE_CACHE", "1")
        .current_dir("/")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(LIMIT, run)
        .await
        .map_err(|_| EngineError::damaged(root, "it does not answer"))?
        .map_err(|error| EngineError::damaged(root, format!("it does not start: {error}")))?;
    if !output.status.success() {
        let why = format!("asked for its version it ended with {}", output.status);
        return Err(EngineError::damaged(root, why));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
