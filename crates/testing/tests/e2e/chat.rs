//! A chat goes through OpenClaw, and only through it.

use std::time::Duration;

use fractal_api_types::ProblemCode;
use fractal_testing::{fake_provider::Behaviour, serve::instance_processes};
use http::Method;
use serde_json::json;

use crate::people::{STARTS_WITHIN, Story};

pub async fn a_reply_streams_through_openclaw(story: &Story) {
    let ada = &story.ada;
    ada.fake.next(Behaviour::Slow(
        "one two three four five six seven eight".to_owned(),
        Duration::from_millis(150),
    ));
    let reply = ada.say("main", "Count to eight, please.").await;
    assert_eq!(
        reply.text.as_deref(),
        Some("one two three four five six seven eight"),
        "{reply:?}"
    );
    assert!(reply.pieces > 1, "it came in {} piece", reply.pieces);

    let calls = ada.calls_about("Count to eight, please.");
    assert_eq!(calls.len(), 1, "one turn is one call");
    let call = &calls[0];
    assert_eq!(call.key().as_deref(), Some(ada.key));
    assert_eq!(
        call.body["model"], "fake-1",
        "the real model, not the alias"
    );
    // Only a gateway adds these: its tools, its system prompt, the persona it was given as a file.
    let tools = call.body["tools"].to_string();
    for tool in ["\"exec\"", "\"read\"", "\"write\""] {
        assert!(tools.contains(tool), "{tool} is not offered: {tools}");
    }
    let system = call.body["messages"][0].to_string();
    assert!(system.contains("OpenClaw"), "{system}");
    assert!(
        system.contains("marzipan"),
        "the persona is missing: {system}"
    );
    assert!(
        story.bob.calls_about("Count to eight").is_empty(),
        "nobody else's provider hears of it"
    );
}

pub async fn a_stopped_agent_does_not_answer_until_it_is_started(story: &Story) {
    let bob = &story.bob;
    bob.hears(
        "main",
        "Remember the word heliotrope.",
        "Hello from the fake",
    )
    .await;
    bob.person.post(&bob.path("/stop"), json!({})).await;
    let view = bob
        .person
        .wait_for(&bob.instance, "stopped", Duration::from_secs(60))
        .await;
    assert_eq!(view["stop_reason"], "person");
    assert!(
        instance_processes(&bob.instance)
            .iter()
            .all(|process| !process.command.contains("openclaw")),
        "no gateway is left"
    );

    let before = bob.fake.calls().len();
    // Somebody who stopped it wants it to stay down: a chat says so instead of waking it.
    let refused = bob.say("main", "Are you there?").await;
    let (code, _, remedy) = refused.error.expect("nobody is there");
    assert_eq!(code, ProblemCode::InstanceStopped.as_str());
    assert!(remedy.is_some(), "what to do about it is told");
    let question =
        json!({"model": bob.instance, "messages": [{"role": "user", "content": "Are you there?"}]});
    let (status, problem) = bob
        .person
        .call(Method::POST, "/v1/chat/completions", Some(&question))
        .await;
    assert_eq!(status, 409, "{problem}");
    assert_eq!(problem["code"], "instance-stopped");
    assert_eq!(
        bob.fake.calls().len(),
        before,
        "nothing went past the gateway"
    );

    bob.person.post(&bob.path("/start"), json!({})).await;
    bob.person
        .wait_for(&bob.instance, "ready", STARTS_WITHIN)
        .await;
    bob.hears("main", "What was the word?", "Hello from the fake")
        .await;
    let call = bob.calls_about("What was the word?").pop().unwrap();
    assert!(
        call.body["messages"].to_string().contains("heliotrope"),
        "the conversation survived the stop"
    );
}
