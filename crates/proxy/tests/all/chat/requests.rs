//! What may be asked: files, wrong requests, and the compatible form.

use fractal_api_types::{Attachment, ChatEvent, ChatRequest, CompletionRequest, ProblemCode};
use futures::StreamExt;
use serde_json::json;

use super::{all, final_text, message, person, world};
use crate::support::mine;

#[tokio::test]
async fn attachments_travel_and_wrong_requests_are_refused_at_once() {
    let world = world().await;
    let file = |content: &str| Attachment {
        name: "a.txt".into(),
        mime_type: "text/plain".into(),
        content: content.into(),
    };
    let with = |content: &str| ChatRequest {
        attachments: Some(vec![file(content)]),
        ..message("main", "see")
    };
    let run = world.hub.start(person(1), mine(), with("aGk=")).unwrap();
    let turn = world.gateway.take_message().await;
    assert_eq!(
        turn.params["attachments"][0],
        json!({"type": "file", "mimeType": "text/plain", "fileName": "a.txt", "content": "aGk="})
    );
    turn.finish("seen");
    all(run.events()).await;
    let refused = |request| {
        world
            .hub
            .start(person(1), mine(), request)
            .unwrap_err()
            .problem
    };
    assert_eq!(refused(with("not base64!")), ProblemCode::InvalidFields);
    assert_eq!(refused(message("a b", "x")), ProblemCode::InvalidFields);
    assert_eq!(refused(message("main", " ")), ProblemCode::InvalidFields);
    assert_eq!(refused(ChatRequest::default()), ProblemCode::InvalidFields);
}

#[tokio::test]
async fn a_file_that_the_gateway_would_not_take_is_named_before_it_is_sent() {
    let world = world().await;
    // The scripted gateway takes pictures of ten million bytes, and other files of twice that.
    let large = "A".repeat(14_000_000);
    let file = |name: &str, mime_type: &str| Attachment {
        name: name.into(),
        mime_type: mime_type.into(),
        content: large.clone(),
    };
    let see = |file| ChatRequest {
        attachments: Some(vec![file]),
        ..message("main", "see")
    };
    let picture = see(file("dot.png", "image/png"));
    let run = world.hub.start(person(1), mine(), picture).unwrap();
    let told = all(run.events()).await;
    let Some(ChatEvent::Error { message, code, .. }) = told.last() else {
        panic!("{told:?}")
    };
    assert_eq!(code, "invalid-fields");
    assert_eq!(
        message,
        "dot.png has 10 MiB; the agent's gateway takes at most 9 MiB of such a file."
    );
    let other = see(file("dot.bin", "application/octet-stream"));
    let run = world.hub.start(person(1), mine(), other).unwrap();
    let turn = world.gateway.take_message().await;
    assert_eq!(turn.params["attachments"][0]["fileName"], "dot.bin");
    turn.finish("seen");
    assert_eq!(final_text(&all(run.events()).await), "seen");
}

fn completion(messages: serde_json::Value) -> CompletionRequest {
    serde_json::from_value(
        json!({"model": "agent", "messages": messages, "stream_options": {"include_usage": true}}),
    )
    .unwrap()
}

#[tokio::test]
async fn a_completion_has_a_session_of_its_own_that_is_deleted_afterwards() {
    let world = world().await;
    let request = completion(
        json!([{"role": "system", "content": "be short"}, {"role": "user", "content": [{"type": "text", "text": "hi"}]}]),
    );
    let asked = world.hub.complete(person(1), mine(), &request).unwrap();
    let gateway = async {
        let turn = world.gateway.take_message().await;
        assert!(
            turn.session.starts_with("agent:main:api-crun_"),
            "{}",
            turn.session
        );
        assert!(
            turn.params["message"]
                .as_str()
                .unwrap()
                .contains("system: be short")
        );
        turn.finish("hello");
        let deleted = world.gateway.expect("sessions.delete").await;
        assert_eq!(deleted["params"]["key"], turn.session);
        world
            .gateway
            .ok(&deleted, json!({"ok": true, "deleted": true}));
    };
    let (answer, ()) = tokio::join!(asked.collect(), gateway);
    let answer = answer.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "hello");
    assert_eq!(answer["usage"]["total_tokens"], 7);
}

#[tokio::test]
async fn completion_chunks_join_to_the_answer() {
    let world = world().await;
    let asked = world
        .hub
        .complete(
            person(1),
            mine(),
            &completion(json!([{"role": "user", "content": "hi"}])),
        )
        .unwrap();
    let gateway = async {
        let turn = world.gateway.take_message().await;
        turn.say("Hel", "Hel");
        turn.finish("Hello");
        let deleted = world.gateway.expect("sessions.delete").await;
        world.gateway.ok(&deleted, json!({"deleted": true}));
    };
    let (chunks, ()) = tokio::join!(asked.chunks().collect::<Vec<_>>(), gateway);
    assert_eq!(chunks.last().unwrap(), "[DONE]");
    let text: String = chunks
        .iter()
        .filter_map(|chunk| serde_json::from_str::<serde_json::Value>(chunk).ok())
        .filter_map(|chunk| {
            chunk["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert_eq!(text, "Hello");
    assert!(chunks[chunks.len() - 2].contains("total_tokens"));
}

#[tokio::test]
async fn a_client_of_the_compatible_form_that_leaves_stops_its_turn() {
    let world = world().await;
    let asked = world
        .hub
        .complete(
            person(1),
            mine(),
            &completion(json!([{"role": "user", "content": "hi"}])),
        )
        .unwrap();
    let turn = world.gateway.take_message().await;
    drop(asked);
    let abort = world.gateway.expect("chat.abort").await;
    assert_eq!(abort["params"]["runId"], turn.run);
    world.gateway.ok(&abort, json!({"ok": true, "runIds": []}));
    world.gateway.expect("sessions.delete").await;
}
