//! The official client package of the OpenAI API against our compatible endpoint.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use fractal_testing::serve::Peers;
use serde_json::Value;
use tokio::process::Command;

use crate::people::Story;

pub async fn the_official_client_gets_its_answers(story: &Story, peers: &Peers) {
    let Some(folder) = install().await else {
        return;
    };
    let answer = Command::new(peers.engine.join("node_modules/node/bin/node"))
        .arg(folder.join("chat.mjs"))
        .current_dir(&folder)
        .env("OPENAI_BASE_URL", format!("{}/v1", story.server.url()))
        .env("OPENAI_API_KEY", &story.ada.person.token)
        .env("AGENT", &story.ada.instance)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let said = told(&answer);
    assert!(answer.status.success(), "{said}");
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(answer["models"], serde_json::json!([story.ada.instance]));
    assert_eq!(answer["whole"], "Hello from the fake provider");
    assert_eq!(answer["streamed"], "Hello from the fake provider");
    assert_eq!(answer["finish"], "stop");
    assert_eq!(
        answer["refused"], 401,
        "a wrong token is refused as the client expects"
    );
    assert_eq!(story.ada.calls_about("Say hello to the client").len(), 2);
}

/// Puts the package below the target folder. Without a network it is skipped, except in CI.
async fn install() -> Option<PathBuf> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/openai");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openai-client");
    std::fs::create_dir_all(&folder).unwrap();
    for file in ["package.json", "package-lock.json", "chat.mjs"] {
        std::fs::copy(package.join(file), folder.join(file)).unwrap();
    }
    let install = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&folder)
        .output()
        .await;
    match install {
        Ok(done) if done.status.success() => Some(folder),
        other => {
            let why = other.map_or_else(|error| error.to_string(), |output| told(&output));
            fractal_testing::skipped(&format!("the client package cannot be installed: {why}"));
            None
        }
    }
}

fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
