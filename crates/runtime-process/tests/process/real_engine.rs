//! A real gateway in the sandbox. Runs when `FRACTAL_TEST_ENGINE` names a folder that holds
//! `node_modules/node` and `node_modules/openclaw`.

use std::{path::PathBuf, time::Duration};

use fractal_runtime::contract::{
    BoxByteStream, EngineFiles, Fence, LogQuery, ProcessState, Runtime as _, Stopped,
};
use fractal_runtime_process::Bubblewrap;
use fractal_types::Generation;
use futures::StreamExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, body::Bytes, header};
use hyper_util::rt::TokioIo;
use serde_json::json;

use super::support::{Process, skipped};

/// A gateway needs 5 to 8 seconds of CPU to start, and this machine may be busy.
const BOUND: Duration = Duration::from_secs(120);

async fn get(stream: BoxByteStream, path: &str) -> Option<(u16, String)> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
        .await
        .ok()?;
    tokio::spawn(connection);
    let request = Request::get(path)
        .header(header::HOST, "127.0.0.1")
        .body(Empty::<Bytes>::new())
        .ok()?;
    let response = sender.send_request(request).await.ok()?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.ok()?.to_bytes();
    Some((status, String::from_utf8_lossy(&body).into_owned()))
}

async fn a_real_gateway_becomes_ready_and_stops_gracefully(bubblewrap: Bubblewrap) {
    let Some(root) = std::env::var_os("FRACTAL_TEST_ENGINE").map(PathBuf::from) else {
        return skipped("FRACTAL_TEST_ENGINE names no engine");
    };
    let process = Process::new(bubblewrap);
    let document = json!({
        "config": {
            "gateway": {"mode": "local", "port": 18789, "bind": "loopback",
                "auth": {"mode": "token", "token": "gateway-token-of-the-test"}, "controlUi": {"enabled": false}},
            "discovery": {"mdns": {"mode": "off"}}, "update": {"checkOnStart": false},
            "telemetry": {"enabled": false}, "models": {"catalogRefresh": {"enabled": false}},
            "browser": {"enabled": false}, "cron": {"enabled": false},
            "logging": {"file": "/home/agent/gateway.log"},
            "agents": {"defaults": {"heartbeat": {"every": "0m"}, "skipBootstrap": true, "workspace": "/home/agent/workspace"}},
        },
        "files": [{"path": "workspace/SOUL.md", "content": "kind"}],
    });
    let mut spec = process.instance("", document).await;
    spec.engine = EngineFiles {
        node: root.join("node_modules/node/bin/node"),
        entry: root.join("node_modules/openclaw/openclaw.mjs"),
        root: root.join("node_modules"),
        version: "of the test".to_owned(),
    };
    let fence = Fence(Generation(1));
    process.runtime.start(&spec, fence).await.unwrap();
    dialled_ready(&process, spec.id).await;
    let seen = process.runtime.observe(spec.id).await.unwrap();
    eprintln!("ready: {seen:?}");
    assert!(seen.memory_bytes.unwrap() > 100 << 20, "{seen:?}");
    let stopped = process
        .runtime
        .stop(spec.id, Duration::from_secs(30), fence)
        .await
        .unwrap();
    assert_eq!(stopped, Stopped::Gracefully);

    // The second start finds the document as the gateway left it.
    process.runtime.start(&spec, fence).await.unwrap();
    dialled_ready(&process, spec.id).await;
    let stopped = process
        .runtime
        .stop(spec.id, Duration::from_secs(30), fence)
        .await
        .unwrap();
    assert_eq!(stopped, Stopped::Gracefully);
    let home = process.dirs(spec.id).join("home");
    let names: Vec<_> = std::fs::read_dir(home)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    eprintln!("home: {names:?}");
    assert!(
        !names
            .iter()
            .any(|name| name.to_string_lossy().contains("clobbered")),
        "{names:?}"
    );
}

async fn dialled_ready(process: &Process, id: fractal_types::InstanceId) {
    let ready = async {
        loop {
            if let Ok(stream) = process.runtime.dial(id).await
                && let Some((200, body)) = get(stream, "/readyz").await
            {
                assert!(body.contains("\"ready\":true"), "{body}");
                return true;
            }
            let seen = process.runtime.observe(id).await.unwrap();
            if matches!(seen.process, ProcessState::Exited { .. }) {
                return false;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    if !tokio::time::timeout(BOUND, ready).await.unwrap_or(false) {
        let query = LogQuery {
            tail: 50,
            follow: false,
        };
        let log: Vec<_> = process
            .runtime
            .logs(id, query)
            .await
            .unwrap()
            .collect()
            .await;
        let seen = process.runtime.observe(id).await;
        panic!("the gateway does not become ready: {seen:?}\n{log:#?}");
    }
}

#[tokio::test]
async fn a_real_gateway_lives_in_the_sandbox() {
    a_real_gateway_becomes_ready_and_stops_gracefully(Bubblewrap::Auto).await;
}

#[tokio::test]
async fn a_real_gateway_lives_reduced() {
    a_real_gateway_becomes_ready_and_stops_gracefully(Bubblewrap::Off).await;
}
