//! Bad input, on every operation that takes any. Nothing of it is our fault, and what is wrong is named.

use axum::body::Body;
use http::{Method, header};
use serde_json::{Value, json};

use crate::{
    cases::{Case, cases},
    document::{Operation, operations},
    world::{Answer, Proof, World, request},
};

/// Operations with a body, called as an owner on things of their own that exist.
struct Bodies {
    world: World,
    all: Vec<(Operation, Case, String, Value)>,
}

impl Bodies {
    async fn new() -> Self {
        let world = World::new().await;
        let mut all = Vec::new();
        let operations = operations();
        for case in cases() {
            let operation = operations
                .iter()
                .find(|operation| operation.id == case.operation);
            let operation = operation.unwrap().clone();
            let Some(body) = case.body else { continue };
            assert!(operation.has_body, "{} takes no body", operation.id);
            let (id, agent) = world.make(case.target, &world.owner).await;
            let path = operation
                .path
                .replace("{id}", &id)
                .replace("{key}", &id)
                .replace("{approval_id}", "nothing")
                .replace("{question_id}", "nothing:0");
            let path = format!("{path}{}", case.query.replace("{agent}", &agent));
            let body = body(&agent, world.number());
            all.push((operation, case, path, body));
        }
        assert!(all.len() > 25, "the walk finds the bodies");
        Self { world, all }
    }

    async fn send(
        &self,
        operation: &Operation,
        path: &str,
        kind: Option<&str>,
        body: Vec<u8>,
    ) -> Answer {
        let (mut parts, _) = request(
            operation.method.clone(),
            path,
            &self.world.owner.proof(),
            None,
        )
        .into_parts();
        if let Some(kind) = kind {
            parts
                .headers
                .insert(header::CONTENT_TYPE, kind.parse().unwrap());
        }
        self.world
            .send(http::Request::from_parts(parts, Body::from(body)))
            .await
    }
}

const JSON: Option<&str> = Some("application/json");

fn outcome(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.code())
}

fn first_field(answer: &Answer) -> String {
    answer.json()["errors"][0]["field"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

#[tokio::test]
async fn what_is_no_json_is_malformed_and_what_is_not_said_to_be_json_is_not_read() {
    let bodies = Bodies::new().await;
    for (operation, _, path, body) in &bodies.all {
        for broken in [
            &b""[..],
            b"{",
            b"nonsense",
            b"{,}",
            b"\xff\xfe\x00",
            b"{\"name\":\"\xc3\"}",
            b"{} {}",
        ] {
            let answer = bodies.send(operation, path, JSON, broken.to_vec()).await;
            let trailing = broken == b"{} {}";
            let expected = (400, "malformed-body".to_owned());
            assert!(
                outcome(&answer) == expected || (trailing && answer.status == 422),
                "{} with {broken:?}: {:?}",
                operation.id,
                outcome(&answer)
            );
        }
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        let answer = bodies.send(operation, path, JSON, deep).await;
        assert!(
            matches!(answer.status.as_u16(), 400 | 422),
            "{}",
            operation.id
        );
        for kind in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/jsonp"),
            Some(""),
        ] {
            let answer = bodies
                .send(operation, path, kind, body.to_string().into_bytes())
                .await;
            assert_eq!(
                outcome(&answer),
                (415, "unsupported-media-type".into()),
                "{} as {kind:?}",
                operation.id
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_field_is_named() {
    let bodies = Bodies::new().await;
    for (operation, _, path, body) in &bodies.all {
        for (wrong, what) in [
            (json!([]), "a list"),
            (json!("text"), "a text"),
            (json!(7), "a number"),
            (json!(null), "null"),
        ] {
            let answer = bodies
                .send(operation, path, JSON, wrong.to_string().into_bytes())
                .await;
            assert_eq!(answer.status, 422, "{} with {what}", operation.id);
            assert!(
                first_field(&answer).starts_with('/'),
                "{} with {what}",
                operation.id
            );
        }
        for name in body.as_object().unwrap().keys() {
            let mut wrong = body.clone();
            // No field of ours is a list of lists.
            wrong[name] = json!([[7]]);
            let answer = bodies
                .send(operation, path, JSON, wrong.to_string().into_bytes())
                .await;
            assert_eq!(
                answer.status,
                422,
                "{} {name}: {:?}",
                operation.id,
                outcome(&answer)
            );
            let field = first_field(&answer);
            assert!(
                field == format!("/{name}") || field.starts_with(&format!("/{name}/")),
                "{} {name}: {field}",
                operation.id
            );
        }
        // The OpenAI form is open, as its clients expect.
        if operation.tag == "openai" {
            continue;
        }
        let mut unknown = body.clone();
        unknown["surprise"] = json!(1);
        let answer = bodies
            .send(operation, path, JSON, unknown.to_string().into_bytes())
            .await;
        assert_eq!(
            (outcome(&answer), first_field(&answer)),
            ((422, "invalid-fields".into()), "/surprise".into()),
            "{}",
            operation.id
        );
    }
}

#[tokio::test]
async fn a_nul_character_is_refused_in_every_text_whatever_the_database() {
    let bodies = Bodies::new().await;
    for (operation, _, path, body) in &bodies.all {
        for (name, value) in body.as_object().unwrap() {
            if !value.is_string() {
                continue;
            }
            let mut wrong = body.clone();
            wrong[name] = json!("a\u{0}b");
            let answer = bodies
                .send(operation, path, JSON, wrong.to_string().into_bytes())
                .await;
            assert_eq!(
                (answer.status.as_u16(), first_field(&answer)),
                (422, format!("/{name}")),
                "{}",
                operation.id
            );
        }
    }
}

#[tokio::test]
async fn tricks_in_paths_find_nothing() {
    let world = World::new().await;
    let long = "a".repeat(20_000);
    let tricks = [
        "%2e%2e",
        "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "..",
        "%00",
        "inst_%00",
        "%ff%fe",
        "%",
        "%2",
        "a%2fb",
        "%5c..%5c",
        "'",
        "%22%3b--",
        "inst_00000000000000000000000000%00",
        "INST_00000000000000000000000000",
        "inst_80000000000000000000000000",
        "%F0%9F%92%A9",
        &long,
    ];
    for operation in operations() {
        if !operation.path.contains('{') {
            continue;
        }
        for trick in tricks {
            let mut path = String::new();
            for (place, part) in operation.path.split(['{', '}']).enumerate() {
                path.push_str(if place % 2 == 1 { trick } else { part });
            }
            let Ok(uri) = path.parse::<http::Uri>() else {
                continue;
            };
            let body = operation.has_body.then(|| json!({}));
            let answer = world
                .send(request(
                    operation.method.clone(),
                    &uri.to_string(),
                    &world.owner.proof(),
                    body.as_ref(),
                ))
                .await;
            assert!(
                matches!(answer.status.as_u16(), 400 | 404 | 405 | 410 | 422),
                "{} with {trick:.40}: {:?}",
                operation.id,
                outcome(&answer)
            );
        }
    }
    for path in [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/%2e%2e%2f%2e%2e%2fCargo.toml",
        "/%00",
        "/assets/%00.js",
        "//evil.example/",
        "/index.html%00.js",
    ] {
        let answer = world.get(path, &Proof::None).await;
        assert!(answer.status.as_u16() < 500, "{path}");
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(
            !text.contains("root:") && !text.contains("[package]"),
            "{path}"
        );
        assert!(!answer.headers.contains_key(header::LOCATION), "{path}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let world = World::new().await;
    let owner = world.owner.proof();
    let agent = world.instance(&world.owner).await;
    world.instance(&world.owner).await;
    for (path, name) in [
        ("/api/v1/users?limit=0".to_owned(), "limit"),
        ("/api/v1/users?limit=201".into(), "limit"),
        ("/api/v1/users?limit=-1".into(), "limit"),
        ("/api/v1/users?limit=99999999999999999999".into(), "limit"),
        ("/api/v1/users?limit=many".into(), "limit"),
        ("/api/v1/users?surprise=1".into(), "surprise"),
        ("/api/v1/users?cursor=a%00b".into(), "cursor"),
        ("/api/v1/users?limit=1&limit=2".into(), "limit"),
        ("/api/v1/instances?all=perhaps".into(), "all"),
        ("/api/v1/usage?days=0".into(), "days"),
        ("/api/v1/usage?days=400".into(), "days"),
        (format!("/api/v1/instances/{agent}/logs?tail=-1"), "tail"),
        (format!("/api/v1/instances/{agent}/logs?follow=7"), "follow"),
        ("/api/v1/chat/sessions?agent_id=nobody".into(), "agent_id"),
        ("/api/v1/chat/sessions".into(), "agent_id"),
        (
            format!("/api/v1/chat/sessions?agent_id={agent}&limit=201"),
            "limit",
        ),
        (
            format!("/api/v1/chat/sessions/main/history?agent_id={agent}&limit=0"),
            "limit",
        ),
    ] {
        let answer = world.get(&path, &owner).await;
        assert_eq!(
            (outcome(&answer), first_field(&answer).as_str()),
            ((400, "invalid-parameter".into()), name),
            "{path}"
        );
    }
    for path in [
        "/api/v1/users?cursor=%ff%fe",
        "/api/v1/users?cursor='--",
        "/api/v1/users?&&&",
        "/api/v1/users?cursor=user_7",
        "/api/v1/sessions?cursor=z",
    ] {
        let answer = world.get(path, &owner).await;
        assert!(answer.status.as_u16() < 500, "{path}");
    }
}

#[tokio::test]
async fn a_header_that_makes_no_sense_is_nobodys_fault_but_the_callers() {
    let world = World::new().await;
    let own = [
        ("authorization", "Basic YTpi"),
        ("authorization", "Bearer"),
        ("authorization", "Bearer \u{e9}"),
        ("authorization", "frk_api_x"),
    ];
    for (name, value) in own {
        let mut request = request(Method::GET, "/api/v1/me", &world.ada.proof(), None);
        let value = http::HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().insert(name, value);
        assert_eq!(
            world.send(request).await.status,
            401,
            "a wrong token is not helped by a cookie"
        );
    }
    let (run, _) = world.make(crate::world::Target::Run, &world.ada).await;
    let mut resume = request(
        Method::GET,
        &format!("/api/v1/chat/runs/{run}/events"),
        &world.ada.proof(),
        None,
    );
    resume
        .headers_mut()
        .insert("last-event-id", "many".parse().unwrap());
    let answer = world.send(resume).await;
    assert_eq!(
        (answer.status.as_u16(), first_field(&answer)),
        (400, "Last-Event-ID".into())
    );
}

fractal_testing::on_postgresql! {
    what_is_no_json_is_malformed_and_what_is_not_said_to_be_json_is_not_read
    a_wrong_field_is_named
    a_nul_character_is_refused_in_every_text_whatever_the_database
    tricks_in_paths_find_nothing
    a_wrong_parameter_is_named
    a_header_that_makes_no_sense_is_nobodys_fault_but_the_callers
}
