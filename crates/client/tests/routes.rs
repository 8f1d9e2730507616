//! The client against a small server with canned answers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use axum::{
    Json, Router,
    extract::Path,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use fractal_api_types::{
    AcceptInvitation, ChatEvent, ChatRequest, ClaimBreakglass, CreateApiToken, PageQuery,
    ProblemCode,
};
use fractal_client::{Client, Error};
use futures::StreamExt;

const RUN: &str = "crun_01jdx000000000000000000000";
const AGENT: &str = "inst_01jdx000000000000000000000";

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn problem(status: StatusCode, code: &str) -> impl IntoResponse + use<> {
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        serde_json::json!({
            "type": format!("/docs/problems#{code}"), "title": "t", "status": status.as_u16(), "code": code,
            "detail": "because", "remedy": "do this", "request_id": "req_1",
            "errors": [{"field": "/name", "message": "must be short"}],
        })
        .to_string(),
    )
}

fn sse(body: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/event-stream")], body)
}

#[tokio::test]
async fn a_problem_keeps_code_remedy_fields_and_request_id() {
    let base = serve(Router::new().route(
        "/api/v1/settings",
        get(|| async { problem(StatusCode::FORBIDDEN, "forbidden") }),
    ))
    .await;
    let error = Client::new(&base, None)
        .unwrap()
        .settings()
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(ProblemCode::Forbidden));
    let problem = error.problem().unwrap();
    assert_eq!(problem.remedy.as_deref(), Some("do this"));
    assert_eq!(problem.errors[0].field, "/name");
    assert_eq!(problem.request_id, "req_1");
    assert_eq!(error.to_string(), "because");
}

#[tokio::test]
async fn an_answer_that_is_no_problem_is_told_as_such() {
    let base = serve(Router::new().route(
        "/api/v1/settings",
        get(|| async { (StatusCode::BAD_GATEWAY, "<html>proxy</html>") }),
    ))
    .await;
    let error = Client::new(&base, None)
        .unwrap()
        .settings()
        .await
        .unwrap_err();
    assert!(
        matches!(error, Error::Unexpected { status: 502, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn an_address_where_nothing_listens_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let client = Client::new(&format!("http://{address}"), None).unwrap();
    assert!(matches!(
        client.is_alive().await,
        Err(Error::Unreachable { .. })
    ));
}

#[tokio::test]
async fn signing_in_gives_a_client_that_carries_the_session() {
    let router = Router::new()
        .route(
            "/api/v1/auth/login",
            post(|headers: HeaderMap| async move {
                assert!(!headers.contains_key(header::AUTHORIZATION));
                (
                    [(header::SET_COOKIE, "fractal_x=secret; HttpOnly; Path=/")],
                    Json(serde_json::json!({
                        "id": "user_01jdx000000000000000000000", "organization_id": "org_01jdx000000000000000000000",
                        "username": "ada", "display_name": "Ada", "role": "owner", "locale": null,
                        "breakglass": true, "has_password": true, "permissions": [],
                    })),
                )
            }),
        )
        .route(
            "/api/v1/tokens",
            post(|headers: HeaderMap| async move {
                assert_eq!(headers[header::COOKIE], "fractal_x=secret");
                assert!(headers.contains_key(header::ORIGIN));
                (
                    StatusCode::CREATED,
                    Json(serde_json::json!({
                        "secret": "frk_api_new",
                        "token": {"id": "tok_01jdx000000000000000000000", "name": "cli", "hint": "frk…", "scopes": ["all"],
                            "created_at": "2026-11-21T00:00:00Z", "expires_at": null, "last_used_at": null},
                    })),
                )
            }),
        );
    let client = Client::new(&serve(router).await, Some("old".to_owned().into())).unwrap();
    let (me, session) = client
        .sign_in("ada".parse().unwrap(), &"pw".to_owned().into())
        .await
        .unwrap();
    assert_eq!(me.username.as_str(), "ada");
    let body = CreateApiToken {
        name: "cli".parse().unwrap(),
        scopes: None,
        expires_in_days: None,
    };
    assert_eq!(
        session.create_token(&body).await.unwrap().secret,
        "frk_api_new"
    );
}

#[tokio::test]
async fn a_one_time_secret_goes_in_its_header_and_leads_to_a_session() {
    let answer = |name: &'static str| {
        post(move |headers: HeaderMap| async move {
            assert_eq!(headers[name], "frk_secret");
            assert!(!headers.contains_key(header::AUTHORIZATION));
            (
                StatusCode::CREATED,
                [(header::SET_COOKIE, "fractal_x=session; HttpOnly; Path=/")],
                Json(serde_json::json!({
                    "id": "user_01jdx000000000000000000000", "organization_id": "org_01jdx000000000000000000000",
                    "username": "ada", "display_name": "Ada", "role": "owner", "locale": null,
                    "breakglass": false, "has_password": true, "permissions": [],
                })),
            )
        })
    };
    let router = Router::new()
        .route("/api/onboarding/breakglass", answer("x-setup-token"))
        .route("/api/v1/invitations/accept", answer("x-invitation-token"))
        .route(
            "/api/v1/sessions",
            get(|headers: HeaderMap| async move {
                assert_eq!(headers[header::COOKIE], "fractal_x=session");
                Json(serde_json::json!({"items": []}))
            }),
        );
    let client = Client::new(&serve(router).await, Some("old".to_owned().into())).unwrap();
    let (username, password) = ("ada".parse().unwrap(), "a good password".to_owned());
    let secret = "frk_secret".to_owned().into();
    let body = ClaimBreakglass { username, password };
    let (me, session) = client.claim(&secret, &body).await.unwrap();
    assert_eq!(me.username.as_str(), "ada");
    session.sessions(&PageQuery::default()).await.unwrap();
    let body = AcceptInvitation {
        username: body.username,
        display_name: None,
        password: body.password,
    };
    let (_, session) = client.accept_invitation(&secret, &body).await.unwrap();
    session.sessions(&PageQuery::default()).await.unwrap();
}

#[tokio::test]
async fn a_lost_chat_goes_on_after_the_last_event_seen() {
    let resumed = Arc::new(AtomicUsize::new(0));
    let seen = resumed.clone();
    let router = Router::new()
        .route(
            "/api/v1/chat/stream",
            post(|| async {
                sse(format!(
                    "event: run\nid: 1\ndata: {{\"type\":\"run\",\"run_id\":\"{RUN}\",\"session\":\"main\",\"agent_id\":\"{AGENT}\"}}\n\n\
                     event: delta\nid: 2\ndata: {{\"type\":\"delta\",\"text\":\"Hel\"}}\n\n"
                ))
            }),
        )
        .route(
            "/api/v1/chat/runs/{id}/events",
            get(move |Path(id): Path<String>, headers: HeaderMap| async move {
                assert_eq!(id, RUN);
                assert_eq!(headers["last-event-id"], "2");
                seen.fetch_add(1, Ordering::SeqCst);
                sse("event: novelty\nid: 3\ndata: {\"type\":\"novelty\"}\n\n\
                     event: delta\nid: 4\ndata: {\"type\":\"delta\",\"text\":\"lo\"}\n\n\
                     event: final\nid: 5\ndata: {\"type\":\"final\",\"text\":\"Hello\",\"usage\":null}\n\n"
                    .to_owned())
            }),
        );
    let client = Client::new(&serve(router).await, None).unwrap();
    let events: Vec<ChatEvent> = client
        .chat(&ChatRequest::default())
        .await
        .unwrap()
        .map(Result::unwrap)
        .collect()
        .await;
    let names: Vec<&str> = events.iter().map(ChatEvent::name).collect();
    assert_eq!(names, ["run", "delta", "delta", "final"]);
    assert_eq!(resumed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_run_that_is_gone_ends_the_stream_with_its_problem() {
    let router = Router::new().route(
        "/api/v1/chat/runs/{id}/events",
        get(|| async { problem(StatusCode::GONE, "run-gone") }),
    );
    let client = Client::new(&serve(router).await, None).unwrap();
    let error = client
        .resume_chat(RUN.parse().unwrap(), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some(ProblemCode::RunGone));
}

#[tokio::test]
async fn the_bearer_token_goes_with_every_request() {
    let router = Router::new().route(
        "/api/v1/tokens",
        get(|headers: HeaderMap| async move {
            assert_eq!(headers[header::AUTHORIZATION], "Bearer frk_api_x");
            Json(serde_json::json!({"items": []}))
        }),
    );
    let client = Client::new(&serve(router).await, Some("frk_api_x".to_owned().into())).unwrap();
    assert!(
        client
            .tokens(&PageQuery::default())
            .await
            .unwrap()
            .items
            .is_empty()
    );
}
