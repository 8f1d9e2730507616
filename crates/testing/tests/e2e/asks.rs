//! What a person does while a turn runs: stops it, allows a command, answers a question, gives it a file.

use std::time::Duration;

use fractal_api_types::{Attachment, ChatEvent, ChatRequest, ToolPhase};
use fractal_client::ChatStream;
use fractal_testing::{fake_provider::Behaviour, serve::eventually};
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::people::{Resident, STARTS_WITHIN, Story};

/// Reads a turn up to the event that `look` is after.
async fn until<T>(stream: &mut ChatStream, look: impl Fn(ChatEvent) -> Option<T>) -> T {
    let reading = async {
        while let Some(event) = stream.next().await {
            let event = event.expect("the stream can be read");
            assert!(!event.is_last(), "the turn is over: {event:?}");
            if let Some(found) = look(event) {
                return found;
            }
        }
        panic!("the stream ended");
    };
    tokio::time::timeout(STARTS_WITHIN, reading)
        .await
        .expect("the event comes")
}

async fn run_of(stream: &mut ChatStream) -> String {
    until(stream, |event| match event {
        ChatEvent::Run { run_id, .. } => Some(run_id.to_string()),
        _ => None,
    })
    .await
}

pub async fn a_turn_is_stopped_and_the_next_one_is_answered(story: &Story) {
    let ada = &story.ada;
    ada.fake
        .next(Behaviour::Stall("It goes on and on".to_owned(), 3));
    let mut stream = ada
        .person
        .begin(&ada.instance, "stopped", "Tell me something long.")
        .await
        .unwrap();
    let run = run_of(&mut stream).await;
    until(&mut stream, |event| {
        matches!(event, ChatEvent::Delta { .. }).then_some(())
    })
    .await;
    ada.person
        .post(&format!("/api/v1/chat/runs/{run}/abort"), json!({}))
        .await;
    let reply = ada.person.finish(stream).await;
    assert!(reply.aborted, "{reply:?}");
    assert!(
        reply.text.as_deref().unwrap().starts_with("It goes"),
        "{reply:?}"
    );
    ada.hears("stopped", "And something short?", "Hello from the fake")
        .await;
}

pub async fn a_command_waits_for_the_word_of_its_person(story: &Story) {
    let ada = &story.ada;
    tools(ada, "ask").await;
    for (decision, word, phase) in [
        ("allow_once", "Do it.", ToolPhase::Done),
        ("deny", "Do it again.", ToolPhase::Failed),
    ] {
        let run_exec = json!({"command": "echo carried-out"});
        ada.fake.next(Behaviour::ToolThenAnswer {
            tool: "exec".to_owned(),
            args: run_exec,
            answer: "unused".to_owned(),
        });
        ada.fake.next(Behaviour::Answer("So it is.".to_owned()));
        let session = format!("approve-{decision}");
        let mut stream = ada
            .person
            .begin(&ada.instance, &session, word)
            .await
            .unwrap();
        let run = run_of(&mut stream).await;
        let id = until(&mut stream, |event| match event {
            ChatEvent::Approval { id, command, .. } => {
                assert!(command.contains("echo carried-out"), "{command}");
                Some(id)
            }
            _ => None,
        })
        .await;
        let path = format!("/api/v1/chat/runs/{run}/approvals/{id}");
        ada.person.post(&path, json!({"decision": decision})).await;
        let ended = until(&mut stream, |event| match event {
            ChatEvent::Tool { phase, .. } if phase != ToolPhase::Start => Some(phase),
            _ => None,
        })
        .await;
        let reply = ada.person.finish(stream).await;
        assert_eq!(reply.text.as_deref(), Some("So it is."), "{reply:?}");
        let result = tool_result(ada, word);
        assert_eq!(
            result.contains("carried-out") && !result.contains("denied"),
            decision == "allow_once",
            "{decision}: {result}"
        );
        assert_eq!(ended, phase, "{decision}: {result}");
    }
    tools(ada, "full").await;
}

/// Changes what the agent may do, and waits until its gateway has taken it over.
async fn tools(resident: &Resident, access: &str) {
    let revision = async || resident.person.get(&resident.path("")).await["revision_id"].clone();
    let before = revision().await;
    resident
        .person
        .patch("/api/v1/profile", json!({"tools": access}))
        .await;
    eventually(
        "the change is applied",
        Duration::from_secs(60),
        async || (revision().await != before).then_some(()),
    )
    .await;
}

/// What the model was told that the tool of a turn gave.
fn tool_result(resident: &Resident, words: &str) -> String {
    let call = resident.calls_about(words).pop().unwrap();
    let messages = call.body["messages"].as_array().unwrap();
    let result = messages.iter().rfind(|message| message["role"] == "tool");
    result.expect("the tool's result went to the model")["content"].to_string()
}

pub async fn a_question_is_answered(story: &Story) {
    let ada = &story.ada;
    let question = json!({"id": "color", "header": "Color", "question": "Which color?",
        "options": [{"label": "Red"}, {"label": "Blue"}]});
    ada.fake.next(Behaviour::ToolThenAnswer {
        tool: "tool_call".to_owned(),
        args: json!({"id": "ask_user", "args": {"questions": [question]}}),
        answer: "unused".to_owned(),
    });
    ada.fake.next(Behaviour::Answer("Painted.".to_owned()));
    let mut stream = ada
        .person
        .begin(&ada.instance, "question", "Paint the fence.")
        .await
        .unwrap();
    let run = run_of(&mut stream).await;
    let id = until(&mut stream, |event| match event {
        ChatEvent::Question {
            id, text, options, ..
        } => {
            assert_eq!(
                (text.as_str(), options.as_slice()),
                (
                    "Which color?",
                    ["Red".to_owned(), "Blue".to_owned()].as_slice()
                )
            );
            Some(id)
        }
        _ => None,
    })
    .await;
    let path = format!("/api/v1/chat/runs/{run}/questions/{id}");
    ada.person.post(&path, json!({"answer": "Blue"})).await;
    let reply = ada.person.finish(stream).await;
    assert_eq!(reply.text.as_deref(), Some("Painted."), "{reply:?}");
    let told = tool_result(ada, "Paint the fence.");
    assert!(told.contains("Blue"), "{told}");
}

pub async fn a_file_goes_with_a_message(story: &Story) {
    let ada = &story.ada;
    let request = ChatRequest {
        agent_id: Some(ada.instance.parse().unwrap()),
        session: Some("file".to_owned()),
        message: Some("What does the note say?".to_owned()),
        attachments: Some(vec![Attachment {
            name: "note.txt".to_owned(),
            mime_type: "text/plain".to_owned(),
            // "The password of the day is tamarind."
            content: "VGhlIHBhc3N3b3JkIG9mIHRoZSBkYXkgaXMgdGFtYXJpbmQu".to_owned(),
        }]),
        ..ChatRequest::default()
    };
    let stream = ada.person.send(&request).await.unwrap();
    let reply = ada.person.finish(stream).await;
    assert_eq!(
        reply.text.as_deref(),
        Some("Hello from the fake provider"),
        "{reply:?}"
    );
    let call = ada.calls_about("What does the note say?").pop().unwrap();
    let mut asked = call.body["messages"].as_array().unwrap().clone();
    asked.retain(|message| message["role"] != "system");
    let asked = Value::from(asked).to_string();
    assert!(asked.contains("tamarind"), "the model reads it: {asked}");
}
