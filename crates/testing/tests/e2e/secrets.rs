//! Real keys stay in the broker, and what is somebody's is not found by others.

use std::{
    fs,
    path::{Path, PathBuf},
};

use fractal_testing::serve::{processes, unix_get};
use http::Method;
use serde_json::{Value, json};

use crate::people::{Resident, Story};

pub async fn what_is_somebodys_is_not_found_by_others(story: &Story) {
    let (ada, bob) = (&story.ada, &story.bob);
    let reply = ada.say("walk", "Something to look for").await;
    let run = reply.run.unwrap();
    let token = ada.person.get("/api/v1/tokens").await["items"][0]["id"].clone();
    let session = ada.person.get("/api/v1/sessions").await["items"][0]["id"].clone();
    let theirs = routes(
        ada,
        &run,
        token.as_str().unwrap(),
        session.as_str().unwrap(),
    );
    for (method, path, body) in &theirs {
        let (status, answer) = bob.person.call(method.clone(), path, body.as_ref()).await;
        if path.contains(&run) {
            // A turn of somebody else is told apart neither from one that is over nor from one that never was.
            let nobodys = path.replace(&run, &made_up(&run));
            let (expected, _) = bob
                .person
                .call(method.clone(), &nobodys, body.as_ref())
                .await;
            assert_eq!(status, expected, "{method} {path}: {answer}");
            assert!(matches!(status, 404 | 410), "{method} {path}: {answer}");
        } else {
            assert_eq!(status, 404, "{method} {path}: {answer}");
        }
    }
    let chat = json!({"agent_id": ada.instance, "message": "Let me in"});
    for path in ["/api/v1/chat/stream", "/api/chat/stream"] {
        let (status, answer) = bob.person.call(Method::POST, path, Some(&chat)).await;
        assert_eq!(status, 404, "{path}: {answer}");
    }
    assert!(ada.calls_about("Let me in").is_empty());
    for (path, id) in [
        ("/api/v1/instances", &ada.instance),
        ("/api/v1/providers", &ada.provider),
    ] {
        let list = bob.person.get(path).await.to_string();
        assert!(!list.contains(id.as_str()), "{list}");
    }

    // The owner of the installation runs it, without seeing what is Bob's.
    let reply = bob.say("walk", "Something private").await;
    let run = reply.run.unwrap();
    let view = ada.person.get(&bob.path("")).await;
    assert_eq!(
        view["owner"]["username"], "bob",
        "life cycle is theirs to see"
    );
    let key = "walk";
    for path in [
        bob.path("/logs"),
        format!("/api/v1/providers/{}", bob.provider),
        format!("/api/v1/chat/sessions?agent_id={}&wake=true", bob.instance),
        format!(
            "/api/v1/chat/sessions/{key}/history?agent_id={}&wake=true",
            bob.instance
        ),
        format!(
            "/api/v1/chat/sessions/{key}/events?agent_id={}",
            bob.instance
        ),
        format!("/api/v1/chat/runs/{run}/events"),
    ] {
        let (status, answer) = ada.person.call(Method::GET, &path, None).await;
        assert!(
            matches!(status, 403 | 404 | 410),
            "{path}: {status} {answer}"
        );
        let answer = answer.to_string();
        assert!(!answer.contains("Something private"), "{path}: {answer}");
    }
    let chat = json!({"agent_id": bob.instance, "message": "Tell me all about Bob"});
    let (status, answer) = ada
        .person
        .call(Method::POST, "/api/v1/chat/stream", Some(&chat))
        .await;
    assert!(matches!(status, 403 | 404), "{status} {answer}");
    assert!(bob.calls_about("Tell me all about Bob").is_empty());
    let profile = ada.person.get("/api/v1/profile").await;
    assert_eq!(
        profile["provider_id"],
        ada.provider.as_str(),
        "a profile is one's own"
    );
}

/// The id of a turn that never was.
fn made_up(run: &str) -> String {
    let (rest, last) = run.split_at(run.len() - 1);
    format!("{rest}{}", if last == "0" { "1" } else { "0" })
}

fn routes(
    of: &Resident,
    run: &str,
    token: &str,
    session: &str,
) -> Vec<(Method, String, Option<Value>)> {
    let agent = &of.instance;
    let empty = || Some(json!({}));
    let provider = format!("/api/v1/providers/{}", of.provider);
    vec![
        (Method::GET, of.path(""), None),
        (
            Method::PATCH,
            of.path(""),
            Some(json!({"name": "Mine now"})),
        ),
        (Method::POST, of.path("/start"), empty()),
        (Method::POST, of.path("/stop"), empty()),
        (Method::POST, of.path("/restart"), empty()),
        (Method::GET, of.path("/logs"), None),
        (Method::GET, of.path("/timeline"), None),
        (Method::GET, of.path("/events"), None),
        (Method::DELETE, of.path(""), None),
        (Method::GET, provider.clone(), None),
        (
            Method::PATCH,
            provider.clone(),
            Some(json!({"name": "Mine now"})),
        ),
        (Method::POST, format!("{provider}/test"), empty()),
        (Method::DELETE, provider, None),
        (
            Method::POST,
            format!("/api/v1/tokens/{token}/rotate"),
            empty(),
        ),
        (Method::DELETE, format!("/api/v1/tokens/{token}"), None),
        (Method::DELETE, format!("/api/v1/sessions/{session}"), None),
        (Method::GET, format!("/api/v1/chat/runs/{run}/events"), None),
        (
            Method::POST,
            format!("/api/v1/chat/runs/{run}/abort"),
            empty(),
        ),
        (
            Method::GET,
            format!("/api/v1/chat/sessions?agent_id={agent}"),
            None,
        ),
        (
            Method::GET,
            format!("/api/v1/chat/sessions/walk/history?agent_id={agent}"),
            None,
        ),
        (
            Method::GET,
            format!("/api/v1/chat/sessions/walk/events?agent_id={agent}"),
            None,
        ),
        (
            Method::PATCH,
            format!("/api/v1/chat/sessions/walk?agent_id={agent}"),
            Some(json!({"title": "Mine"})),
        ),
        (
            Method::DELETE,
            format!("/api/v1/chat/sessions/walk?agent_id={agent}"),
            None,
        ),
    ]
}

/// After everything that came before: files, environments, command lines, documents, logs, answers.
pub async fn the_real_keys_are_nowhere(story: &Story) {
    let (ada, bob, server) = (&story.ada, &story.bob, &story.server);
    for resident in [ada, bob] {
        assert!(
            resident
                .fake
                .calls()
                .iter()
                .any(|call| call.key().as_deref() == Some(resident.key)),
            "the provider did get the real key"
        );
    }
    let keys = [ada.key, bob.key];
    let leaks = |text: &str| keys.iter().any(|key| text.contains(key));

    let mut files = Vec::new();
    collect(server.folder(), &mut files);
    let in_homes = files
        .iter()
        .filter(|path| path.starts_with(server.instance_dir(&ada.instance).join("home")))
        .count();
    assert!(in_homes > 5, "the homes were looked at");
    for file in &files {
        let bytes = fs::read(file).unwrap_or_default();
        for key in keys {
            assert!(
                !bytes
                    .windows(key.len())
                    .any(|window| window == key.as_bytes()),
                "a real key is in {}",
                file.display()
            );
        }
    }
    let known = server.processes();
    assert!(known.len() > 4, "server, supervisors, gateways: {known:#?}");
    for process in processes() {
        // This test itself holds the keys, and so does nobody else.
        if process.pid != std::process::id() {
            assert!(!leaks(&process.command), "{}", process.command);
            assert!(
                !leaks(&process.environment),
                "environment of {}",
                process.command
            );
        }
    }
    for resident in [ada, bob] {
        let logs = resident.person.get(&resident.path("/logs?tail=5000")).await;
        assert!(!logs["items"].as_array().unwrap().is_empty());
        resident.person.get("/api/v1/providers").await;
        resident.person.get(&resident.path("/timeline")).await;
    }
    assert!(
        !leaks(&server.transcript.text()),
        "a real key is in an answer"
    );
    assert!(!leaks(&server.log()), "a real key is in the log");

    // The configuration document, asked for as the instance asks for it.
    let document = document(story, ada, ada).await;
    assert_eq!(document.0, 200, "{}", document.1);
    assert!(document.1.contains("fractal") && !leaks(&document.1));
    // Socket and token must belong together.
    assert_eq!(self::document(story, ada, bob).await.0, 403);
}

/// Asks at one person's instance listener with the token of another.
async fn document(story: &Story, at: &Resident, with: &Resident) -> (u16, String) {
    let home = story.server.instance_dir(&with.instance).join("home");
    let config: Value =
        serde_json::from_str(&fs::read_to_string(home.join("openclaw.json")).unwrap()).unwrap();
    let token = config["models"]["providers"]
        .as_object()
        .and_then(|providers| providers.values().next())
        .and_then(|provider| provider["apiKey"].as_str())
        .expect("the gateway holds its instance token")
        .to_owned();
    let socket = story
        .server
        .instance_dir(&at.instance)
        .join("listener/listener.sock");
    let path = format!("/api/internal/agent-config/{}", at.instance);
    unix_get(&socket, &path, &token).await.unwrap()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            collect(&entry.path(), files);
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
}
