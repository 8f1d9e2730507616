//! An agent whose gateway never starts is left alone in the end, with a reason somebody can read.

use std::{fs, path::Path, time::Duration};

use fractal_testing::serve::{Peers, Person, Serve, eventually};
use serde_json::{Value, json};

/// Five ends with pauses of 1, 2, 4 and 8 seconds between, and the starts themselves.
const GIVES_UP_WITHIN: Duration = Duration::from_secs(120);

#[tokio::test]
async fn an_agent_that_cannot_start_ends_in_a_crash_loop_and_can_be_tried_again() {
    let Some(mut peers) = Peers::find() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    broken_engine(&peers.engine, folder.path());
    folder.path().clone_into(&mut peers.engine);
    let server = Serve::start(&peers).await;
    let ada = Person::claim(&server, "ada").await;
    let demo = json!({"type": "demo", "name": "Demo"});
    let demo = ada.post("/api/v1/providers", demo).await["id"].clone();
    let profile = json!({"provider_id": demo, "model": "demo"});
    ada.patch("/api/v1/profile", profile).await;
    let agent = ada
        .post("/api/v1/instances", json!({"name": "Broken"}))
        .await;
    let id = agent["id"].as_str().unwrap();

    let view = ada.wait_for(id, "crash_looping", GIVES_UP_WITHIN).await;
    let reason = view["reason"].as_str().unwrap();
    assert!(reason.contains("broken on purpose"), "{reason}");
    let tries = starts(&ada, id).await;
    assert!(tries >= 5, "it was tried {tries} times");

    // A chat says so at once instead of waiting for what will not come.
    let refused = match ada.begin(id, "main", "Hello?").await {
        Err(error) => error.to_string(),
        Ok(stream) => {
            let reply = ada.finish(stream).await;
            assert!(reply.text.is_none());
            format!("{:?}", reply.error)
        }
    };
    assert!(
        refused.contains("broken on purpose") || refused.contains("ended"),
        "{refused}"
    );

    ada.post(&format!("/api/v1/instances/{id}/start"), json!({}))
        .await;
    eventually("it is tried again", Duration::from_secs(60), async || {
        (starts(&ada, id).await > tries).then_some(())
    })
    .await;
}

/// How often the broken gateway was started, by its own words.
async fn starts(ada: &Person, id: &str) -> usize {
    let logs = ada
        .get(&format!("/api/v1/instances/{id}/logs?tail=1000"))
        .await;
    let lines = logs["items"].as_array().into_iter().flatten();
    lines
        .filter(|line| line["source"] != "supervisor")
        .filter_map(|line| line["text"].as_str())
        .filter(|text| text.contains("broken on purpose"))
        .count()
}

/// An engine with the real Node and an OpenClaw that tells its version and otherwise ends at once.
fn broken_engine(real: &Path, folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
    copy(
        &real.join("node_modules/node"),
        &folder.join("node_modules/node"),
    );
    let openclaw = folder.join("node_modules/openclaw");
    fs::create_dir_all(&openclaw).unwrap();
    let package = real.join("node_modules/openclaw/package.json");
    let package: Value = serde_json::from_slice(&fs::read(package).unwrap()).unwrap();
    fs::write(openclaw.join("package.json"), package.to_string()).unwrap();
    let version = package["version"].as_str().unwrap();
    let program = format!(
        "if (process.argv[2] === \"--version\") console.log(\"OpenClaw {version}\");\n\
         else {{ console.error(\"broken on purpose\"); process.exit(1); }}\n"
    );
    fs::write(openclaw.join("openclaw.mjs"), program).unwrap();
}

/// Copies a folder; files are linked where that is possible, for Node is large.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else if fs::hard_link(entry.path(), &target).is_err() {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}
