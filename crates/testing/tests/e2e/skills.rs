//! A variable that a person stores for a skill reaches the skill through the whole house, and leaves it again.

use std::time::Duration;

use fractal_testing::fake_provider::Behaviour;
use http::Method;
use serde_json::{Value, json};

use crate::people::{Resident, Story};

/// A change is applied within a second; the machine may be busy.
const APPLIED_WITHIN: Duration = Duration::from_secs(60);

const NAMES: [&str; 2] = ["TRELLO_API_KEY", "TRELLO_TOKEN"];

pub async fn stored_variables_make_a_skill_usable_until_they_are_removed(story: &Story) {
    let (ada, bob) = (&story.ada, &story.bob);
    let before = trello(bob).await;
    assert_eq!(before["state"], "needs_credentials", "{before}");
    assert_eq!(before["missing"]["env"], json!(NAMES));
    let boot = started_at(bob).await;

    let value = |name: &str| format!("e2e-{}-value-93b1", name.to_lowercase());
    let mut stored = Vec::new();
    for name in NAMES {
        let body = json!({"skill": "trello", "name": name, "value": value(name)});
        let path = "/api/v1/skill-credentials";
        let view = bob.person.must(Method::PUT, path, Some(&body)).await;
        assert_eq!(view["hint"], "…93b1");
        stored.push(view["id"].as_str().unwrap().to_owned());
    }
    until(bob, |skill| skill["eligible"] == true).await;
    for name in NAMES {
        let told = story.server.transcript.text();
        assert!(!told.contains(&value(name)), "an answer shows a value");
    }
    let seen = printed(bob, "skills-1").await;
    for name in NAMES {
        assert!(seen.contains(&value(name)), "the skill's program: {seen}");
    }
    assert_eq!(trello(ada).await["eligible"], false, "only Bob's agent");

    // Whoever runs the installation is shown nothing of it.
    let path = format!("/api/v1/skill-credentials/{}", stored[0]);
    for (method, path) in [
        (Method::GET, bob.path("/skills?wake=true")),
        (Method::DELETE, path),
    ] {
        let (status, answer) = ada.person.call(method, &path, None).await;
        assert!(matches!(status, 403 | 404), "{path}: {status} {answer}");
    }
    let theirs = ada.person.get("/api/v1/skill-credentials").await;
    assert_eq!(theirs["items"], json!([]));

    for id in &stored {
        let path = format!("/api/v1/skill-credentials/{id}");
        bob.person.must(Method::DELETE, &path, None).await;
    }
    until(bob, |skill| skill["missing"]["env"] == json!(NAMES)).await;
    let seen = printed(bob, "skills-2").await;
    let logs = bob.person.get(&bob.path("/logs?tail=5000")).await;
    for name in NAMES {
        assert!(!seen.contains(&value(name)), "{seen}");
        assert!(!logs.to_string().contains(&value(name)), "the log shows it");
        assert!(!story.server.log().contains(&value(name)));
    }
    assert_eq!(started_at(bob).await, boot, "without a restart");
}

async fn started_at(resident: &Resident) -> Value {
    resident.person.get(&resident.path("")).await["started_at"].clone()
}

async fn trello(resident: &Resident) -> Value {
    let list = resident
        .person
        .get(&resident.path("/skills?wake=true"))
        .await;
    let items = list["items"].as_array().unwrap();
    let found = items.iter().find(|skill| skill["key"] == "trello");
    found.expect("it comes with the gateway").clone()
}

async fn until(resident: &Resident, holds: impl Fn(&Value) -> bool) {
    let look = async {
        while !holds(&trello(resident).await) {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    tokio::time::timeout(APPLIED_WITHIN, look)
        .await
        .expect("it reaches the gateway in time");
}

/// What a command of the agent finds: the result of the tool as the model is told it.
async fn printed(resident: &Resident, session: &str) -> String {
    resident.fake.next(Behaviour::ToolThenAnswer {
        tool: "exec".to_owned(),
        args: json!({"command": "printenv TRELLO_API_KEY TRELLO_TOKEN; echo printed"}),
        answer: "looked".to_owned(),
    });
    resident.fake.next(Behaviour::Answer("looked".to_owned()));
    let words = format!("Look around in {session}");
    resident.hears(session, &words, "looked").await;
    let calls = resident.calls_about(&words);
    let last = calls.last().expect("the model was asked");
    let told = last.body["messages"].to_string();
    assert!(told.contains("printed"), "the command ran: {told}");
    told
}
