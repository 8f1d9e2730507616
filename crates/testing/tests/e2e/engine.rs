//! An agent gets another engine, for real: a second one on this machine, and a control plane that is killed in the middle.

use std::{fs, path::Path, process::Command, sync::Arc, time::Duration};

use fractal_clock::{Clock, SystemClock};
use fractal_openclaw::engine::EngineInfo;
use fractal_store::{Engine, EngineState, OpenOptions, Store, Tx, engines};
use fractal_testing::serve::{Peers, eventually, gateway_of};
use fractal_types::EngineId;
use http::Method;
use rustix::process::Signal;
use serde_json::json;
use tempfile::TempDir;

use crate::people::Story;

const VERSION: &str = "2026.9.7";

/// The engine once more, under another version: hard links, except for where it says which one it is.
fn copy(engine: &Path) -> TempDir {
    let beside = engine.parent().unwrap();
    let folder = tempfile::Builder::new()
        .prefix("other-engine-")
        .tempdir_in(beside)
        .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(folder.path(), mode).unwrap();
    let modules = folder.path().join("node_modules");
    let copied = Command::new("cp")
        .arg("-al")
        .arg(engine.join("node_modules"))
        .arg(&modules)
        .status()
        .unwrap();
    assert!(copied.success());
    let openclaw = modules.join("openclaw");
    for name in [
        "package.json",
        "dist/build-info.json",
        "dist/cli-startup-metadata.json",
    ] {
        let path = openclaw.join(name);
        let text = fs::read_to_string(&path).unwrap();
        // Not through the link.
        fs::remove_file(&path).unwrap();
        fs::write(&path, text.replace(fractal_app::engine::PINNED, VERSION)).unwrap();
    }
    folder
}

/// Adds it as an earlier release of Fractal would have left it.
async fn add(database: &Path, engine: &Path) -> EngineId {
    let info = EngineInfo::at(engine).await.unwrap();
    assert_eq!(info.version, VERSION);
    let clock = Arc::new(SystemClock);
    let url = format!("sqlite://{}", database.display());
    let store = Store::open(&url, &OpenOptions::new(clock.clone()))
        .await
        .unwrap();
    let row = Engine {
        id: "eng_00000000000000000000000007".parse().unwrap(),
        version: info.version,
        node_version: info.node_version,
        digest: info.digest,
        path: engine.to_string_lossy().into_owned(),
        state: EngineState::Installed,
        created_at: clock.now(),
    };
    store
        .tx("test", async |tx: Tx| engines::insert(&tx, &row).await)
        .await
        .unwrap();
    store.close().await.unwrap();
    row.id
}

/// The folder has to stay as long as the agent runs from it.
pub async fn an_agent_gets_another_engine_although_the_control_plane_is_killed(
    story: &mut Story,
    peers: &Peers,
) -> TempDir {
    let other = copy(&peers.engine);
    story.server.end(Signal::TERM).await;
    let database = story.server.data_dir().join("fractal.db");
    let engine_id = add(&database, other.path()).await;
    story.server.run().await;

    let ada = &story.ada;
    let gateway = gateway_of(&ada.instance).unwrap().pid;
    let path = ada.path("/engine");
    let body = json!({ "engine_id": engine_id });
    let begun = ada.person.must(Method::PUT, &path, Some(&body)).await;
    let operation = format!("/api/v1/operations/{}", begun["id"].as_str().unwrap());
    let within = Duration::from_secs(60);
    eventually("it starts with the other engine", within, async || {
        let view = ada.person.get(&operation).await;
        (view["steps"][2]["state"] == "running").then_some(())
    })
    .await;
    story.server.end(Signal::KILL).await;
    story.server.run().await;

    let ada = &story.ada;
    let within = Duration::from_secs(240);
    let view = eventually("the operation is over", within, async || {
        let view = ada.person.get(&operation).await;
        view["settled_at"].is_string().then_some(view)
    })
    .await;
    assert_eq!(view["state"], "done", "{view}");
    let agent = ada.person.get(&ada.path("")).await;
    assert_eq!(agent["engine_version"], VERSION);
    assert_eq!(agent["operation_id"], json!(null));
    assert_ne!(gateway_of(&ada.instance).unwrap().pid, gateway);
    ada.hears("main", "With the other engine", "Hello").await;
    other
}
