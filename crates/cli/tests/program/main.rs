//! The built program against a small server with canned answers: words, JSON, exit codes.

mod chat;
mod evidence;
mod machine;
mod rules;
mod sign_in;
mod words;

use std::process::{Output, Stdio};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{delete, get, patch, post, put},
};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

const TOKEN: &str = "frk_api_test";

const ID: &str = "01jdx000000000000000000000";

fn problem(status: StatusCode, code: &str) -> impl IntoResponse + use<> {
    (
        status,
        [(header::CONTENT_TYPE, "application/problem+json")],
        json!({"type": "", "title": "no", "status": status.as_u16(), "code": code,
            "detail": "that is not yours", "remedy": "ask an owner", "request_id": "req_1"})
        .to_string(),
    )
}

fn instance(seen: &str) -> Value {
    json!({
        "id": format!("inst_{ID}"), "name": "helper", "owner": {"id": format!("user_{ID}"), "username": "ada"},
        "wanted": "running", "stop_reason": null, "seen": seen, "reason": null, "queue_position": null, "engine_progress": null,
        "runtime_asset_id": format!("asset_{ID}"), "engine_id": format!("eng_{ID}"), "engine_version": "2026.9.6",
        "revision_id": null, "generation": 3, "provider_ok": true, "memory_bytes": 327_155_712_u64, "cpu_ms": 10,
        "disk_bytes": 1024, "disk_pressure": "ok", "limits": {"memory_bytes": null, "cpu_millis": null, "processes": null, "disk_bytes": null, "open_files": null},
        "restarts": 0, "idle_timeout_minutes": 30, "operation_id": null, "last_active_at": null, "started_at": null,
        "created_at": "2026-11-21T00:00:00Z",
    })
}

fn operation(state: &str, steps: [&str; 2]) -> Value {
    let step = |name: &str, state: &str| {
        let error = (state == "failed").then_some("it does not come up");
        json!({"name": name, "state": state, "output": null, "error": error, "attempts": 0,
            "started_at": null, "ended_at": null, "undone_at": null})
    };
    json!({
        "id": format!("op_{ID}"), "kind": "instance.change_engine", "state": state, "resource_kind": "instance",
        "resource_id": format!("inst_{ID}"), "owner": {"id": format!("user_{ID}"), "username": "ada"},
        "by": {"id": format!("user_{ID}"), "username": "ada"}, "proposal_id": null, "input": {},
        "steps": [step("stop", steps[0]), step("start", steps[1])], "cancelled_by": null,
        "reason": (state == "stuck").then_some("it does not come up"),
        "can": {"cancel": false, "retry": true, "skip": true, "undo": true},
        "created_at": "2026-11-21T00:00:00Z", "started_at": null, "settled_at": null,
    })
}

fn me() -> Value {
    json!({"id": format!("user_{ID}"), "organization_id": format!("org_{ID}"), "username": "ada", "display_name": "Ada",
        "role": "owner", "locale": null, "breakglass": true, "has_password": true,
        "password_reset": {"by": "root", "at": "2026-11-21T00:00:00Z"}, "permissions": []})
}

fn token() -> Value {
    json!({"id": format!("tok_{ID}"), "name": "fractal login", "hint": "frk…", "scopes": ["all"],
        "created_at": "2026-11-21T00:00:00Z", "expires_at": null, "last_used_at": null})
}

fn identity_provider() -> Value {
    json!({"id": format!("idp_{ID}"), "name": "Example", "issuer": "https://id.example", "client_id": "fractal",
        "has_client_secret": true, "scopes": ["email"], "enabled": true, "auto_provision": false,
        "allow_private_network": false, "redirect_uri": "/api/v1/auth/oidc/callback", "created_at": "2026-11-21T00:00:00Z"})
}

fn profile(tools: &str) -> Value {
    json!({"id": format!("prof_{ID}"), "agent_name": "Robin", "persona": "", "about_me": "likes tea", "provider_id": null,
        "model": null, "tools": tools, "heartbeat_minutes": 0, "cron_enabled": false, "idle_timeout_minutes": 30,
        "updated_at": "2026-11-21T00:00:00Z"})
}

fn browser_session() -> Value {
    json!({"id": format!("sess_{ID}"), "created_at": "2026-11-21T00:00:00Z", "last_used_at": "2026-11-21T00:00:00Z",
        "expires_at": "2026-11-22T00:00:00Z", "user_agent": "a browser", "address": "192.0.2.1", "current": false})
}

fn events(text: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/event-stream")], text)
}

fn allowed(headers: &HeaderMap) -> bool {
    headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == &format!("Bearer {TOKEN}"))
}

async fn serve() -> String {
    let chat = format!(
        "event: run\nid: 1\ndata: {{\"type\":\"run\",\"run_id\":\"crun_{ID}\",\"session\":\"main\",\"agent_id\":\"inst_{ID}\"}}\n\n\
         event: status\nid: 2\ndata: {{\"type\":\"status\",\"phase\":\"thinking\",\"state\":null,\"queue_position\":null,\"typical_ms\":null}}\n\n\
         event: delta\nid: 3\ndata: {{\"type\":\"delta\",\"text\":\"Hullo\"}}\n\n\
         event: delta\nid: 4\ndata: {{\"type\":\"delta\",\"text\":\"Hello\",\"replace\":true}}\n\n\
         event: final\nid: 5\ndata: {{\"type\":\"final\",\"text\":\"Hello Ada\",\"usage\":null}}\n\n"
    );
    let router = Router::new()
        .route("/readyz", get(|| async { "ok" }))
        .route(
            "/api/onboarding/status",
            get(|| async { Json(json!({"completed": true, "steps": {"breakglass": true, "oidc": true, "provider": true, "agent": true}})) }),
        )
        .route(
            "/api/v1/me",
            get(|headers: HeaderMap| async move {
                if allowed(&headers) { Json(me()).into_response() } else { problem(StatusCode::UNAUTHORIZED, "unauthenticated").into_response() }
            }),
        )
        .route("/api/v1/instances", get(|| async { Json(json!({"items": [instance("ready")]})) }))
        .route("/api/v1/instances/{id}", get(|| async { Json(instance("ready")) }))
        .route("/api/v1/instances/{id}/engine", put(|| async { (StatusCode::ACCEPTED, Json(operation("pending", ["pending", "pending"]))) }))
        .route("/api/v1/operations", get(|| async { Json(json!({"items": [operation("running", ["done", "running"])]})) }))
        .route("/api/v1/operations/{id}", get(|| async { Json(operation("stuck", ["done", "failed"])) }))
        .route("/api/v1/operations/{id}/retry", post(|| async { Json(operation("running", ["done", "running"])) }))
        .route("/api/v1/instances/{id}/start", post(|| async { (StatusCode::ACCEPTED, Json(instance("pending"))) }))
        .route(
            "/api/v1/instances/{id}/events",
            get(|| async {
                events(format!("event: instance\ndata: {}\n\nevent: instance\ndata: {}\n\n", instance("starting"), instance("ready")))
            }),
        )
        .route(
            "/api/v1/identity-providers",
            get(|| async { Json(json!({"items": [identity_provider()]})) }).post(|Json(body): Json<Value>| async move {
                assert_eq!((&body["client_secret"], &body["auto_provision"]), (&json!("the secret"), &json!(true)));
                (StatusCode::CREATED, Json(identity_provider()))
            }),
        )
        .route(
            "/api/v1/identity-providers/{id}",
            patch(|Json(body): Json<Value>| async move {
                assert_eq!(body["enabled"], false);
                Json(identity_provider())
            })
            .delete(|| async { StatusCode::NO_CONTENT }),
        )
        .route(
            "/api/v1/identity-providers/{id}/test",
            post(|| async {
                Json(json!({"ok": false, "latency_ms": 3, "models": [],
                    "error": {"code": "unreachable", "message": "nothing answers", "remedy": "start it"}}))
            }),
        )
        .route(
            "/api/v1/profile",
            get(|| async { Json(profile("none")) }).patch(|Json(body): Json<Value>| async move { Json(profile(body["tools"].as_str().unwrap())) }),
        )
        .route("/api/v1/sessions", get(|| async { Json(json!({"items": [browser_session()]})) }))
        .route("/api/v1/sessions/{id}", delete(|| async { StatusCode::NO_CONTENT }))
        .route("/api/v1/users", get(|| async { problem(StatusCode::FORBIDDEN, "forbidden") }))
        .route("/api/v1/settings", get(|| async { problem(StatusCode::CONFLICT, "approval-needed") }))
        .route(
            "/api/v1/auth/login",
            post(|Json(body): Json<Value>| async move {
                if body["password"] == "correct horse" {
                    ([(header::SET_COOKIE, "s=1; HttpOnly")], Json(me())).into_response()
                } else {
                    problem(StatusCode::UNAUTHORIZED, "wrong-credentials").into_response()
                }
            }),
        )
        .route("/api/v1/auth/logout", post(|| async { StatusCode::NO_CONTENT }))
        .route("/api/v1/tokens", post(|| async { (StatusCode::CREATED, Json(json!({"secret": TOKEN, "token": token()}))) }))
        .route("/api/v1/tokens/{id}", delete(|| async { StatusCode::NO_CONTENT }))
        .route("/api/v1/chat/stream", post(move || async move { events(chat) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

struct Home {
    folder: tempfile::TempDir,
    url: String,
}

impl Home {
    async fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            url: serve().await,
        }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fractal"));
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.folder.path())
            .env("FRACTAL_URL", &self.url)
            .kill_on_drop(true);
        command
    }

    async fn run(&self, args: &[&str]) -> Output {
        self.command(args)
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap()
    }

    async fn run_with(&self, args: &[&str], input: &str) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .await
            .unwrap();
        child.wait_with_output().await.unwrap()
    }

    fn credentials(&self) -> std::path::PathBuf {
        self.folder.path().join(".config/fractal/credentials.json")
    }
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
