//! Commands about the machine itself.

use std::path::Path;

use axum::Router;
use serde_json::Value;

use super::{Home, err, out};

#[tokio::test]
async fn doctor_prints_the_same_checks_in_words_and_as_json() {
    let home = Home::new().await;
    let data = home.folder.path().join("data");
    let args = [
        "doctor",
        "--data",
        data.to_str().unwrap(),
        "--engines",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ];
    let words = out(&home.run(&args).await);
    let mut with_json = args.to_vec();
    with_json.push("--json");
    let output = home.run(&with_json).await;
    let printed: Value = serde_json::from_str(&out(&output)).unwrap();
    let items = printed["items"].as_array().unwrap();
    assert!(items.len() >= 10);
    for item in items {
        assert!(words.contains(item["id"].as_str().unwrap()), "{item}");
        assert_eq!(
            item["severity"] == "good",
            item.get("remedy").is_none(),
            "{item}"
        );
    }
    let failed = items.iter().any(|item| item["severity"] == "failed");
    assert_eq!(output.status.code(), Some(i32::from(failed)));
    assert!(!Path::new(&data).exists(), "looking must not make folders");
}

#[tokio::test]
async fn doctor_knows_a_running_server_from_another_program() {
    let home = Home::new().await;
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stranger = other.local_addr().unwrap().to_string();
    tokio::spawn(
        async move { axum::serve(other, Router::new().fallback(|| async { "hello" })).await },
    );
    let ours = home.url.trim_start_matches("http://").to_owned();
    for (listen, severity) in [(ours, "good"), (stranger, "failed")] {
        let data = home.folder.path().join("data");
        let args = [
            "doctor",
            "--json",
            "--data",
            data.to_str().unwrap(),
            "--engines",
            data.to_str().unwrap(),
            "--listen",
            &listen,
        ];
        let printed: Value = serde_json::from_str(&out(&home.run(&args).await)).unwrap();
        let server = printed["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["id"] == "server")
            .unwrap();
        assert_eq!(server["severity"], severity, "{server}");
    }
}

#[tokio::test]
async fn an_engine_without_npm_is_refused_with_what_to_do() {
    let home = Home::new().await;
    let engines = home.folder.path().join("engines");
    let engines = engines.to_str().unwrap();
    assert_eq!(
        out(&home
            .run(&["engine", "list", "--engines", engines, "--json"])
            .await),
        "{\n  \"items\": []\n}\n"
    );
    let output = home
        .command(&["engine", "install", "--engines", engines])
        .env("PATH", "/nowhere")
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("npm"), "{}", err(&output));
    assert_eq!(out(&output), "");
}
