//! What every answer carries, and when streams end.

use axum::body::Body;
use futures::{FutureExt, StreamExt};
use http::{Method, StatusCode, header};
use serde_json::json;

use crate::{
    document::operations,
    world::{Answer, PATIENCE, Proof, Target, World, request},
};
use fractal_testing::house::PASSWORD;

#[tokio::test]
async fn every_answer_is_guarded_and_only_files_are_cached() {
    let world = World::new().await;
    let ada = world.ada.proof();
    let page = world.get("/", &Proof::None).await;
    let answers = [
        page,
        world.get("/livez", &Proof::None).await,
        world.get("/readyz", &Proof::None).await,
        world.get("/api/openapi.json", &Proof::None).await,
        world.get("/api/v1/me", &Proof::None).await,
        world.get("/api/v1/me", &ada).await,
        world.get("/api/nowhere", &ada).await,
        world.get("/missing.js", &ada).await,
        world
            .post("/api/v1/auth/logout", &Proof::None, &json!({}))
            .await,
        world
            .send(request(Method::OPTIONS, "/api/v1/me", &ada, None))
            .await,
    ];
    for (place, answer) in answers.iter().enumerate() {
        let value = |name: &str| {
            let value = answer.headers.get(name);
            value.map_or("", |value| value.to_str().unwrap()).to_owned()
        };
        let policy = value("content-security-policy");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe-eval") && !policy.contains("script-src 'self' "));
        assert_eq!(value("x-content-type-options"), "nosniff");
        assert_eq!(value("x-frame-options"), "DENY");
        assert_eq!(value("referrer-policy"), "no-referrer");
        assert_eq!(value("cross-origin-opener-policy"), "same-origin");
        assert_eq!(value("cross-origin-resource-policy"), "same-origin");
        assert!(value("x-request-id").starts_with("req_"));
        if place > 0 {
            assert_eq!(value("cache-control"), "no-store", "{place}");
            assert_eq!(value("etag"), "", "{place}");
        }
        for foreign in ["access-control-allow-origin", "server"] {
            assert_eq!(value(foreign), "");
        }
    }
    assert!(answers[0].headers.contains_key(header::ETAG));
    let again = request(Method::GET, "/", &Proof::None, None);
    let (mut parts, body) = again.into_parts();
    parts.headers.insert(
        header::IF_NONE_MATCH,
        answers[0].headers[header::ETAG].clone(),
    );
    let again = world.send(http::Request::from_parts(parts, body)).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn health_counts_for_this_machine_and_tells_others_only_that_it_is_well() {
    let world = World::new().await;
    world.instance(&world.ada).await;
    let ask = async |peer: &str, header: Option<&str>| {
        let mut request = request(Method::GET, "/health", &Proof::None, None);
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        request
            .extensions_mut()
            .insert(axum::extract::ConnectInfo(peer));
        if let Some(name) = header {
            let name = header::HeaderName::try_from(name).unwrap();
            let value = http::HeaderValue::from_static("127.0.0.1");
            request.headers_mut().insert(name, value);
        }
        let answer = world.send(request).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    };
    for peer in ["127.0.0.1:4000", "[::1]:4000", "[::ffff:127.0.0.1]:4000"] {
        let health = ask(peer, None).await;
        assert_eq!(health["status"], "ok");
        let version = health["version"].as_str().unwrap();
        assert_eq!(version.split('.').count(), 3, "{version}");
        let counts = &health["instances"];
        let count = |name: &str| counts[name].as_u64().unwrap();
        assert!(count("active") >= 1 && count("active") <= count("total"));
        let people = active_people(&world).await;
        assert_eq!(count("max"), people * 5, "five for each account");
    }
    for (peer, header) in [
        ("192.0.2.7:4000", None),
        ("127.0.0.1:4000", Some("x-forwarded-for")),
        ("127.0.0.1:4000", Some("x-real-ip")),
        ("127.0.0.1:4000", Some("via")),
    ] {
        let health = ask(peer, header).await;
        let told: Vec<&String> = health.as_object().unwrap().keys().collect();
        assert_eq!(told, ["status", "version"], "{peer} {header:?}");
    }
}

/// How many accounts may sign in, as an administrator sees it.
async fn active_people(world: &World) -> u64 {
    let all = world
        .get("/api/v1/users?limit=200", &world.owner.proof())
        .await
        .json();
    let people = all["items"].as_array().unwrap().iter();
    people.filter(|one| one["active"] == true).count() as u64
}

#[tokio::test]
async fn requests_are_counted_by_template_method_and_class_and_by_nothing_of_theirs() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    let world = World::new().await;
    let id = world.instance(&world.ada).await;
    let ada = world.ada.proof();
    for _ in 0..2 {
        let path = format!("/api/v1/instances/{id}?secret=hunter2");
        world.get(&path, &ada).await;
    }
    world.get("/api/v1/me", &Proof::None).await;
    world.get("/hunter2.js", &ada).await;
    let strange = request(
        Method::from_bytes(b"HUNTER2").unwrap(),
        "/livez",
        &Proof::None,
        None,
    );
    world.send(strange).await;
    let text = handle.render();
    let counted = |labels: &str, count: u64| {
        let line = format!("fractal_http_requests_total{{{labels}}} {count}\n");
        assert!(text.contains(&line), "{line} in {text}");
    };
    counted(
        r#"route="/api/v1/instances/{id}",method="GET",status="2xx""#,
        2,
    );
    counted(r#"route="/api/v1/me",method="GET",status="4xx""#, 1);
    counted(r#"route="other",method="GET",status="4xx""#, 1);
    counted(r#"route="/livez",method="other",status="4xx""#, 1);
    assert!(
        text.contains(
            r#"fractal_http_request_duration_seconds_count{route="/api/v1/me",method="GET"} 1"#
        ),
        "{text}"
    );
    for private in ["hunter2", "HUNTER2", "ada", &id.to_string()] {
        assert!(!text.contains(private), "{private}: {text}");
    }
}

#[tokio::test]
async fn a_problem_says_what_to_quote_and_a_refusal_how_to_sign_in() {
    let world = World::new().await;
    let answer = world.get("/api/v1/me", &Proof::None).await;
    assert_eq!(
        answer.headers[header::CONTENT_TYPE],
        "application/problem+json"
    );
    assert!(
        answer.headers[header::WWW_AUTHENTICATE]
            .to_str()
            .unwrap()
            .starts_with("Bearer")
    );
    let problem = answer.json();
    assert_eq!(
        problem["request_id"],
        answer.headers["x-request-id"].to_str().unwrap()
    );
    assert_eq!(problem["status"], 401);
    assert_eq!(problem["type"], "/docs/problems#unauthenticated");
}

#[tokio::test]
async fn the_type_of_every_problem_leads_to_its_paragraph_without_a_script() {
    let world = World::new().await;
    let page = world.get("/docs/problems", &Proof::None).await;
    assert_eq!(page.status, StatusCode::OK);
    let kind = page.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert!(kind.starts_with("text/html"), "{kind}");
    let policy = page.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(
        !policy.contains("script-src") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert_eq!(page.headers["x-content-type-options"], "nosniff");
    let html = String::from_utf8(page.body).unwrap();
    assert!(!html.contains("<script"));
    for code in fractal_api_types::ProblemCode::ALL {
        let anchor = format!("<h2 id=\"{}\">", code.as_str());
        assert_eq!(html.matches(&anchor).count(), 1, "{anchor}");
        let status = format!("(HTTP status {})", code.status());
        let after = html.split(&anchor).nth(1).unwrap();
        assert!(after[..400.min(after.len())].contains(&status), "{anchor}");
    }
    // What a problem really says leads there.
    let problem = world.get("/api/v1/me", &Proof::None).await.json();
    let (path, anchor) = problem["type"].as_str().unwrap().split_once('#').unwrap();
    assert_eq!(path, "/docs/problems");
    assert!(html.contains(&format!("id=\"{anchor}\"")));
}

#[tokio::test]
async fn the_session_cookie_is_for_this_site_and_no_script() {
    let world = World::new().await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    let signed_in = world.post("/api/v1/auth/login", &Proof::None, &body).await;
    let cookie = signed_in.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("fractal_test="), "{cookie}");
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    // Plain HTTP on a loopback address: a browser would drop a secure cookie.
    assert!(
        !cookie.contains("Secure") && !cookie.contains("Domain"),
        "{cookie}"
    );
    assert!(
        !String::from_utf8(signed_in.body.clone())
            .unwrap()
            .contains("frk_")
    );

    let owner = world.owner.proof();
    let change = json!({ "public_url": "https://agents.example.org" });
    let patch = request(Method::PATCH, "/api/v1/settings", &owner, Some(&change));
    assert_eq!(world.send(patch).await.status, 200);
    let secure = world.post("/api/v1/auth/login", &Proof::None, &body).await;
    assert!(
        secure.headers[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("Secure")
    );

    let out = world
        .post("/api/v1/auth/logout", &Proof::None, &json!({}))
        .await;
    let gone = out.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(
        gone.contains("Max-Age=0") && gone.contains("fractal_test=;"),
        "{gone}"
    );
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let world = World::new().await;
    let changing = operations()
        .into_iter()
        .filter(|operation| operation.method != Method::GET);
    for operation in changing {
        let path = operation.path.replace(['{', '}'], "");
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
        ] {
            let mut request = request(operation.method.clone(), &path, &world.ada.proof(), None);
            request.headers_mut().insert(name, value.parse().unwrap());
            let answer = world.send(request).await;
            let outcome = (answer.status.as_u16(), answer.code());
            assert_eq!(
                outcome,
                (403, "cross-site".into()),
                "{} {name}",
                operation.id
            );
        }
    }
    let mut own = request(Method::POST, "/api/v1/auth/logout", &Proof::None, None);
    own.headers_mut()
        .insert("origin", "http://localhost".parse().unwrap());
    assert_eq!(world.send(own).await.status, 204);
}

#[tokio::test]
async fn a_foreign_host_name_is_not_answered() {
    let world = World::new().await;
    for host in [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "",
        "10.0.0.1",
    ] {
        for path in ["/", "/livez", "/api/v1/me", "/api/openapi.json"] {
            let mut request = request(Method::GET, path, &world.ada.proof(), None);
            request
                .headers_mut()
                .insert(header::HOST, host.parse().unwrap());
            let answer = world.send(request).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (421, "wrong-host".into()),
                "{host} {path}"
            );
        }
    }
    for host in ["127.0.0.1:8088", "[::1]:8088", "localhost", "LOCALHOST"] {
        let mut request = request(Method::GET, "/livez", &Proof::None, None);
        request
            .headers_mut()
            .insert(header::HOST, host.parse().unwrap());
        assert_eq!(world.send(request).await.status, 200, "{host}");
    }
}

#[tokio::test]
async fn two_of_a_header_that_decides_are_refused() {
    let world = World::new().await;
    let mut hosts = request(Method::GET, "/livez", &Proof::None, None);
    hosts
        .headers_mut()
        .append(header::HOST, "localhost".parse().unwrap());
    hosts
        .headers_mut()
        .append(header::HOST, "evil.example".parse().unwrap());
    assert_eq!(world.send(hosts).await.status, 421);

    let (_, token) = world.token(&world.ada, fractal_types::Scope::Read).await;
    let mut tokens = request(Method::GET, "/api/v1/me", &Proof::Bearer(token), None);
    tokens
        .headers_mut()
        .append(header::AUTHORIZATION, "Bearer nothing".parse().unwrap());
    assert_eq!(world.send(tokens).await.status, 401);
}

#[tokio::test]
async fn methods_that_are_not_there_are_named_as_such() {
    let world = World::new().await;
    for (method, path) in [
        (Method::PUT, "/api/v1/me"),
        (Method::DELETE, "/api/v1/users"),
        (Method::OPTIONS, "/api/v1/me"),
        (Method::TRACE, "/livez"),
        (Method::POST, "/"),
    ] {
        let answer = world
            .send(request(method.clone(), path, &world.ada.proof(), None))
            .await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (405, "method-not-allowed".into()),
            "{method} {path}"
        );
    }
    let head = world
        .send(request(
            Method::HEAD,
            "/api/v1/me",
            &world.ada.proof(),
            None,
        ))
        .await;
    assert_eq!((head.status.as_u16(), head.body.len()), (200, 0));
}

/// Reads until a stream has said something.
async fn first_words(answer: Answer) -> axum::body::BodyDataStream {
    let status = answer.status;
    let mut stream = answer
        .stream
        .unwrap_or_else(|| panic!("no stream but {status}"))
        .into_data_stream();
    let first = tokio::time::timeout(PATIENCE, stream.next()).await;
    assert!(
        matches!(first, Ok(Some(Ok(_)))),
        "the stream says something"
    );
    stream
}

async fn end(mut stream: axum::body::BodyDataStream) {
    let rest = async { while stream.next().await.is_some() {} };
    tokio::time::timeout(PATIENCE, rest)
        .await
        .expect("the stream ends");
}

/// Whether a stream is still open.
fn is_open(stream: &mut axum::body::BodyDataStream) -> bool {
    loop {
        match stream.next().now_or_never() {
            None => return true,
            Some(None) => return false,
            Some(Some(_)) => {}
        }
    }
}

/// One stream of every kind, open and not ended.
async fn open_streams(world: &World, proof: &Proof) -> Vec<axum::body::BodyDataStream> {
    let agent = world.instance(&world.ada).await;
    let (run, agent_of_run) = world.make(Target::Run, &world.ada).await;
    let message = json!({ "agent_id": agent, "message": "hello" });
    let completion = json!({ "model": agent, "stream": true, "messages": [{ "role": "user", "content": "hello" }] });
    let mut open = Vec::new();
    for path in [
        format!("/api/v1/instances/{agent}/events"),
        format!("/api/v1/chat/runs/{run}/events"),
    ] {
        open.push(first_words(world.get(&path, proof).await).await);
    }
    for path in ["/api/v1/chat/stream", "/api/chat/stream"] {
        open.push(first_words(world.post(path, proof, &message).await).await);
    }
    let silent = format!("/api/v1/chat/sessions/main/events?agent_id={agent_of_run}");
    let log = format!("/api/v1/instances/{agent}/logs?follow=true");
    for answer in [
        world.get(&silent, proof).await,
        world.get(&log, proof).await,
        world.post("/v1/chat/completions", proof, &completion).await,
    ] {
        open.push(answer.stream.expect("a stream").into_data_stream());
    }
    for stream in &mut open {
        assert!(is_open(stream), "nobody was signed out yet");
    }
    open
}

#[tokio::test]
async fn open_streams_end_when_their_session_or_token_does() {
    let world = World::new().await;
    let (token_id, token) = world.token(&world.ada, fractal_types::Scope::All).await;
    let other = world.sign_in("ada").await;
    let by_session = (
        "sessions",
        other.cx.session_id.unwrap().to_string(),
        other.proof(),
    );
    let by_token = ("tokens", token_id, Proof::Bearer(token));
    for (noun, id, proof) in [by_session, by_token] {
        let open = open_streams(&world, &proof).await;
        let revoke = format!("/api/v1/{noun}/{id}");
        let answer = world
            .send(request(Method::DELETE, &revoke, &world.ada.proof(), None))
            .await;
        assert_eq!(answer.status, 204);
        for stream in open {
            end(stream).await;
        }
        assert_eq!(world.get("/api/v1/me", &proof).await.status, 401);
    }
}

#[tokio::test]
async fn open_streams_end_when_their_session_or_token_runs_out() {
    let world = World::new().await;
    let days = 24 * 60 * 60;
    let (_, token) = world.token(&world.ada, fractal_types::Scope::All).await;
    // A token lives for ninety days unless told otherwise, a session for one after its last use.
    let by_session = (world.ada.proof(), days);
    let by_token = (Proof::Bearer(token), 89 * days);
    let mut open = Vec::new();
    for (proof, span) in [&by_session, &by_token] {
        open.push((open_streams(&world, proof).await, *span));
    }
    for (streams, span) in open {
        world.house.pass(span);
        for stream in streams {
            end(stream).await;
        }
    }
    for (proof, _) in [by_session, by_token] {
        assert_eq!(world.get("/api/v1/me", &proof).await.status, 401);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_before_it_is_kept() {
    let world = World::new().await;
    for (path, limit) in [
        ("/api/v1/providers", 256 * 1024),
        ("/api/v1/chat/stream", 30 << 20),
    ] {
        let request = |size: usize| {
            let (mut parts, _) = request(Method::POST, path, &world.ada.proof(), None).into_parts();
            parts
                .headers
                .insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
            http::Request::from_parts(parts, Body::from(vec![b' '; size]))
        };
        assert_eq!(world.send(request(limit + 1)).await.status, 413, "{path}");
        assert_eq!(
            world.send(request(limit)).await.status,
            400,
            "{path}: empty, but not too large"
        );
    }
}

fractal_testing::on_postgresql! {
    every_answer_is_guarded_and_only_files_are_cached
    a_problem_says_what_to_quote_and_a_refusal_how_to_sign_in
    the_session_cookie_is_for_this_site_and_no_script
    a_page_of_another_site_changes_nothing
    a_foreign_host_name_is_not_answered
    two_of_a_header_that_decides_are_refused
    methods_that_are_not_there_are_named_as_such
    open_streams_end_when_their_session_or_token_does
    open_streams_end_when_their_session_or_token_runs_out
    a_body_that_is_too_large_is_refused_before_it_is_kept
}
