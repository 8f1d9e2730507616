//! Chats on a terminal and into a pipe.

use std::process::Stdio;

use axum::{
    Router,
    http::{StatusCode, header},
    routing::post,
};
use serde_json::Value;
use tokio::io::AsyncBufReadExt as _;

use super::{Home, ID, err, out};

#[tokio::test]
async fn a_chat_into_a_pipe_gives_the_finished_answer_only() {
    let home = Home::new().await;
    let output = home.run(&["chat", "hi"]).await;
    assert_eq!(out(&output), "Hello Ada\n");
    assert!(err(&output).contains("thinking"));
    let piped = home.run_with(&["chat"], "hi from a pipe").await;
    assert_eq!(out(&piped), "Hello Ada\n");
    assert_eq!(home.run_with(&["chat"], " \n").await.status.code(), Some(2));
}

#[tokio::test]
async fn a_chat_as_json_gives_every_event_on_its_line() {
    let home = Home::new().await;
    let text = out(&home.run(&["chat", "hi", "--json"]).await);
    let kinds: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(kinds, ["run", "status", "delta", "delta", "final"]);
}

#[tokio::test]
async fn ctrl_c_stops_the_turn_and_waits_for_its_end() {
    use futures::StreamExt;
    let (abort, aborted) = tokio::sync::watch::channel(false);
    let abort = std::sync::Arc::new(abort);
    let router = Router::new()
        .route(
            "/api/v1/chat/stream",
            post(move || async move {
                let first = format!(
                    "event: run\nid: 1\ndata: {{\"type\":\"run\",\"run_id\":\"crun_{ID}\",\"session\":\"main\",\"agent_id\":\"inst_{ID}\"}}\n\n\
                     event: tool\nid: 2\ndata: {{\"type\":\"tool\",\"id\":\"1\",\"name\":\"exec\",\"phase\":\"start\",\"summary\":\"sleep\"}}\n\n"
                );
                let last = "event: final\nid: 3\ndata: {\"type\":\"final\",\"text\":\"so far\",\"usage\":null,\"aborted\":true}\n\n";
                let body = futures::stream::iter([first]).chain(futures::stream::once(async move {
                    aborted.clone().wait_for(|aborted| *aborted).await.unwrap();
                    last.to_owned()
                }));
                ([(header::CONTENT_TYPE, "text/event-stream")], axum::body::Body::from_stream(body.map(Ok::<_, std::convert::Infallible>)))
            }),
        )
        .route(
            "/api/v1/chat/runs/{id}/abort",
            post(move || async move {
                abort.send_replace(true);
                StatusCode::NO_CONTENT
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let home = Home {
        folder: tempfile::tempdir().unwrap(),
        url,
    };
    let mut child = home
        .command(&["chat", "hi"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The tool's line tells that the run is known, so that there is something to stop.
    let mut notes = tokio::io::BufReader::new(child.stderr.take().unwrap()).lines();
    loop {
        let line = notes
            .next_line()
            .await
            .unwrap()
            .expect("the tool's line comes before the end");
        if line.contains("exec") {
            break;
        }
    }
    let pid = rustix::process::Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let output = tokio::time::timeout(std::time::Duration::from_secs(20), child.wait_with_output())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(out(&output), "so far\n");
    assert_eq!(output.status.code(), Some(1));
}
