//! The built program against a small server with canned answers: words, JSON, exit codes.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Output, Stdio},
};

use axum::{
    Json, Router,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{delete, get, patch, post, put},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt},
    process::Command,
};

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

#[tokio::test]
async fn exit_codes_tell_what_happened() {
    let home = Home::new().await;
    for (args, code) in [
        (vec!["instances", "list"], 0),
        (vec!["--version"], 0),
        (vec!["instances", "show", "nobody"], 1),
        (vec!["users", "list"], 3),
        (vec!["settings", "show"], 4),
        (vec!["instances", "frobnicate"], 2),
        (vec!["settings", "set"], 2),
        (vec!["--url", "nowhere", "status"], 2),
        (vec!["instances", "delete", "helper"], 2),
        (vec![], 2),
    ] {
        let output = home.run(&args).await;
        assert_eq!(
            output.status.code(),
            Some(code),
            "{args:?}: {}",
            err(&output)
        );
    }
}

#[tokio::test]
async fn a_refusal_names_cause_remedy_and_request_on_standard_error_only() {
    let home = Home::new().await;
    let output = home.run(&["users", "list"]).await;
    assert_eq!(out(&output), "");
    insta::assert_snapshot!(err(&output), @r"
    error: that is not yours
      remedy: ask an owner
      code: forbidden, request: req_1
    ");
}

#[tokio::test]
async fn a_listing_is_a_table_or_the_api_json() {
    let home = Home::new().await;
    insta::assert_snapshot!(out(&home.run(&["instances", "list"]).await), @r"
    ID                               NAME    OWNER  STATE  WANTED   MEMORY   USED   REASON
    inst_01jdx000000000000000000000  helper  ada    ready  running  312 MiB  never
    ");
    let printed: Value =
        serde_json::from_str(&out(&home.run(&["instances", "list", "--json"]).await)).unwrap();
    assert_eq!(printed, json!({"items": [instance("ready")]}));
}

#[tokio::test]
async fn an_operation_is_begun_watched_and_chosen_for() {
    let home = Home::new().await;
    let engine = format!("eng_{ID}");
    let change = [
        "instances",
        "change-engine",
        "helper",
        "--engine",
        engine.as_str(),
    ];
    let begun = home.run(&change).await;
    assert!(
        err(&begun).contains("fractal operations watch op_"),
        "{begun:?}"
    );
    let watched = home.run(&[&change[..], &["--wait"]].concat()).await;
    // It waits for a choice.
    assert_eq!(watched.status.code(), Some(4));
    assert!(err(&watched).contains("start failed it does not come up"));
    let listed = out(&home.run(&["operations", "list"]).await);
    assert!(
        listed.contains("running") && listed.contains("start"),
        "{listed}"
    );
    let id = format!("op_{ID}");
    let shown = out(&home.run(&["operations", "show", &id]).await);
    assert!(
        shown.contains("start failed: it does not come up"),
        "{shown}"
    );
    let retried = home.run(&["operations", "retry", &id]).await;
    assert!(err(&retried).contains("is running"), "{retried:?}");
    let skipped = home.run(&["operations", "skip", &id]).await;
    assert_eq!(skipped.status.code(), Some(2), "it asks first");
}

#[tokio::test]
async fn an_identity_provider_is_added_with_its_secret_from_standard_input() {
    let home = Home::new().await;
    let mut args = vec!["identity-providers", "add", "Example"];
    args.extend(["--issuer", "https://id.example"]);
    args.extend(["--client-id", "fractal", "--auto-provision"]);
    let added = home.run_with(&args, "the secret\n").await;
    assert!(added.status.success(), "{}", err(&added));
    let redirect = format!("{}/api/v1/auth/oidc/callback", home.url);
    assert!(err(&added).contains(&redirect), "{}", err(&added));
    assert_eq!(
        home.run(&["identity-providers", "add", "Example"])
            .await
            .status
            .code(),
        Some(2)
    );
    insta::assert_snapshot!(out(&home.run(&["identity-providers", "list"]).await), @r"
    ID                              NAME     ISSUER              CLIENT ID  SECRET  ENABLED  UNKNOWN PEOPLE
    idp_01jdx000000000000000000000  Example  https://id.example  fractal    yes     yes      are refused
    ");
    let args = [
        "identity-providers",
        "update",
        "Example",
        "--enabled",
        "false",
    ];
    assert!(home.run(&args).await.status.success());
    let test = home.run(&["identity-providers", "test", "Example"]).await;
    assert_eq!(test.status.code(), Some(1));
    assert!(err(&test).contains("remedy: start it"), "{}", err(&test));
    let remove = ["identity-providers", "remove", "Example"];
    assert_eq!(home.run(&remove).await.status.code(), Some(2));
    assert!(
        home.run(&[&remove[..], &["--yes"]].concat())
            .await
            .status
            .success()
    );
}

#[tokio::test]
async fn the_profile_and_the_browsers_of_somebody_are_shown_and_changed() {
    let home = Home::new().await;
    let shown = out(&home.run(&["profile", "show"]).await);
    assert!(shown.contains("none, talks only"), "{shown}");
    let set = home.run(&["profile", "set", "--tools", "ask"]).await;
    assert!(out(&set).contains("asks before each command"), "{set:?}");
    assert_eq!(home.run(&["profile", "set"]).await.status.code(), Some(2));
    let listed = out(&home.run(&["sessions", "list"]).await);
    assert!(listed.contains("192.0.2.1") && listed.contains("a browser"));
    let id = browser_session()["id"].as_str().unwrap().to_owned();
    assert!(
        home.run(&["sessions", "revoke", &id])
            .await
            .status
            .success()
    );
}

#[tokio::test]
async fn status_tells_that_somebody_else_set_the_password() {
    let home = Home::new().await;
    let signed_in = home
        .command(&["status"])
        .env("FRACTAL_TOKEN", TOKEN)
        .output();
    let text = out(&signed_in.await.unwrap());
    assert!(text.contains("set by root on 2026-11-21"), "{text}");
    assert!(text.contains("choose your own"), "{text}");
}

#[tokio::test]
async fn nothing_listening_is_told_with_what_to_do() {
    let mut home = Home::new().await;
    home.url = "http://127.0.0.1:9".to_owned();
    let output = home.run(&["status"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("fractal serve"), "{}", err(&output));
}

#[tokio::test]
async fn login_keeps_a_token_for_oneself_and_logout_forgets_it() {
    let home = Home::new().await;
    let refused = home
        .run_with(&["login", "--username", "ada"], "wrong\n")
        .await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(!home.credentials().exists());

    let output = home
        .run_with(&["login", "--username", "ada"], "correct horse\n")
        .await;
    assert!(output.status.success(), "{}", err(&output));
    assert!(
        !format!("{}{}", out(&output), err(&output)).contains(TOKEN),
        "the token must not be shown"
    );
    let mode = std::fs::metadata(home.credentials())
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(out(&home.run(&["status"]).await).contains("ada (owner)"));

    assert!(home.run(&["logout"]).await.status.success());
    assert!(
        !std::fs::read_to_string(home.credentials())
            .unwrap()
            .contains(TOKEN)
    );
    assert!(out(&home.run(&["status"]).await).contains("fractal login"));
}

#[tokio::test]
async fn a_token_file_that_others_can_read_is_refused() {
    let home = Home::new().await;
    home.run_with(&["login", "--username", "ada"], "correct horse\n")
        .await;
    std::fs::set_permissions(home.credentials(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = home.run(&["status"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("chmod 600"), "{}", err(&output));
}

#[tokio::test]
async fn a_token_in_the_environment_needs_no_file() {
    let home = Home::new().await;
    let output = home
        .command(&["status"])
        .env("FRACTAL_TOKEN", TOKEN)
        .output()
        .await
        .unwrap();
    assert!(out(&output).contains("ada (owner)"), "{}", err(&output));
    assert!(!home.credentials().exists());
}

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
async fn waiting_for_a_start_ends_when_the_instance_answers() {
    let home = Home::new().await;
    let output = home.run(&["instances", "start", "helper", "--wait"]).await;
    assert!(output.status.success(), "{}", err(&output));
    assert!(
        err(&output).contains("helper is starting") && err(&output).contains("helper is ready")
    );
}

#[tokio::test]
async fn doctor_prints_the_same_checks_in_words_and_as_json() {
    let home = Home::new().await;
    let data = home.folder.path().join("data");
    let args = [
        "doctor",
        "--data",
        data.to_str().unwrap(),
        "--engines",
        data.to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
    ];
    let words = out(&home.run(&args).await);
    let mut with_json = args.to_vec();
    with_json.push("--json");
    let output = home.run(&with_json).await;
    let printed: Value = serde_json::from_str(&out(&output)).unwrap();
    let items = printed["items"].as_array().unwrap();
    assert!(items.len() >= 10);
    for item in items {
        assert!(words.contains(item["id"].as_str().unwrap()), "{item}");
        assert_eq!(
            item["severity"] == "good",
            item.get("remedy").is_none(),
            "{item}"
        );
    }
    let failed = items.iter().any(|item| item["severity"] == "failed");
    assert_eq!(output.status.code(), Some(i32::from(failed)));
    assert!(!Path::new(&data).exists(), "looking must not make folders");
}

#[tokio::test]
async fn doctor_knows_a_running_server_from_another_program() {
    let home = Home::new().await;
    let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stranger = other.local_addr().unwrap().to_string();
    tokio::spawn(
        async move { axum::serve(other, Router::new().fallback(|| async { "hello" })).await },
    );
    let ours = home.url.trim_start_matches("http://").to_owned();
    for (listen, severity) in [(ours, "good"), (stranger, "failed")] {
        let data = home.folder.path().join("data");
        let args = [
            "doctor",
            "--json",
            "--data",
            data.to_str().unwrap(),
            "--engines",
            data.to_str().unwrap(),
            "--listen",
            &listen,
        ];
        let printed: Value = serde_json::from_str(&out(&home.run(&args).await)).unwrap();
        let server = printed["items"]
            .as_array()
            .unwrap()
            .iter()
            .find(|item| item["id"] == "server")
            .unwrap();
        assert_eq!(server["severity"], severity, "{server}");
    }
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

#[tokio::test]
async fn an_engine_without_npm_is_refused_with_what_to_do() {
    let home = Home::new().await;
    let engines = home.folder.path().join("engines");
    let engines = engines.to_str().unwrap();
    assert_eq!(
        out(&home
            .run(&["engine", "list", "--engines", engines, "--json"])
            .await),
        "{\n  \"items\": []\n}\n"
    );
    let output = home
        .command(&["engine", "install", "--engines", engines])
        .env("PATH", "/nowhere")
        .output()
        .await
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("npm"), "{}", err(&output));
    assert_eq!(out(&output), "");
}

#[tokio::test]
async fn the_access_rules_are_shown_and_a_file_of_them_is_checked() {
    let home = Home::new().await;
    let shown = out(&home.run(&["policy", "show"]).await);
    assert!(shown.contains("own") && shown.contains("People use what is theirs"));
    let listed: Value =
        serde_json::from_str(&out(&home.run(&["policy", "show", "--json"]).await)).unwrap();
    let items = listed["items"].as_array().unwrap();
    let privacy = items.iter().find(|item| item["id"] == "privacy").unwrap();
    assert_eq!(privacy["effect"], "forbid");
    let one = home.run(&["policy", "show", "privacy"]).await;
    assert!(out(&one).starts_with("@id(\"privacy\")"), "{}", out(&one));
    let none = home.run(&["policy", "show", "nothing"]).await;
    assert_eq!(none.status.code(), Some(1));
    assert!(err(&none).contains("fractal policy show"), "{}", err(&none));

    let file = home.folder.path().join("ours.cedar");
    let file = file.to_str().unwrap();
    let check = ["policy", "check", file];
    std::fs::write(
        file,
        "@id(\"ours\")\nforbid (principal is User, action, resource is Settings)\nwhen { principal.rolle == \"admin\" };\n",
    )
    .unwrap();
    let wrong = home.run(&check).await;
    assert_eq!(wrong.status.code(), Some(1));
    let said = out(&wrong).replace(file, "FILE");
    insta::assert_snapshot!(said, @r#"
    FILE:3:8: error in "ours": attribute `rolle` on entity type `User` not found
      -> did you mean `role`?
    FILE: 1 error
    "#);
    let wrong = home.run(&[&check[..], &["--json"]].concat()).await;
    assert_eq!(wrong.status.code(), Some(1));
    let answer: Value = serde_json::from_str(&out(&wrong)).unwrap();
    assert_eq!(
        (&answer["ok"], &answer["findings"][0]["line"]),
        (&json!(false), &json!(3))
    );
    std::fs::write(
        file,
        "@id(\"ours\") forbid (principal, action, resource is Settings);",
    )
    .unwrap();
    let sound = home.run(&check).await;
    assert!(sound.status.success());
    assert!(
        out(&sound).contains("1 access rule is sound"),
        "{}",
        out(&sound)
    );
    let missing = home.run(&["policy", "check", "/nowhere.cedar"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert!(err(&missing).contains("/nowhere.cedar"));
}

#[tokio::test]
async fn a_reset_of_the_access_rules_says_that_there_was_nothing_to_remove() {
    let home = Home::new().await;
    let asked = home.run(&["policy", "reset"]).await;
    assert_eq!(asked.status.code(), Some(2));
    assert!(err(&asked).contains("--yes"), "{}", err(&asked));
    for words in [
        &["--dry-run", "policy", "reset", "--yes"][..],
        &["keys", "rotate", "--dry-run"],
        &["login", "--dry-run"],
    ] {
        let tried = home.run(words).await;
        assert_eq!(tried.status.code(), Some(2), "{words:?}");
        assert!(err(&tried).contains("cannot be tried"), "{}", err(&tried));
    }
    let reset = home.run(&["policy", "reset", "--yes"]).await;
    assert!(reset.status.success(), "{}", err(&reset));
    assert!(
        err(&reset).contains("no added ones to remove"),
        "{}",
        err(&reset)
    );
    let answer = out(&home.run(&["policy", "reset", "--yes", "--json"]).await);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer, json!({"reset": true, "removed": false}));
}

#[tokio::test]
async fn completions_are_made_for_common_shells() {
    let home = Home::new().await;
    for shell in ["bash", "zsh", "fish"] {
        let output = home.run(&["completions", shell]).await;
        assert!(
            output.status.success() && out(&output).contains("instances"),
            "{shell}"
        );
    }
}

/// An export of three entries under two heads, of which a witness cosigned the first.
fn witnessed_export(witness: &fractal_evidence::SignKey) -> (String, String) {
    use fractal_evidence::{
        Checkpoint, SignKey, cosignature,
        export::{Header, checkpoint_line, entry_line},
        merkle::{Frontier, leaf_hash},
        note,
    };
    let key = SignKey::generate("fractal/test", &fractal_clock::SeededEntropy::new(1));
    let mut tree = Frontier::default();
    let mut text = Header::new(&key.verify_key(), &tree).line();
    for seq in 1..=3_u64 {
        let leaf = format!("{{\"action\":\"user.create\",\"seq\":{seq},\"via\":\"browser\"}}");
        tree.push(leaf_hash(leaf.as_bytes()));
        text.push_str(&entry_line(&leaf, &[], &[]));
        if seq == 1 {
            continue;
        }
        let head = Checkpoint {
            origin: "fractal/test".to_owned(),
            size: seq,
            root: tree.root(),
        };
        let mut signed = head.sign(&key);
        if seq == 2 {
            let (body, _) = note::split(&signed).unwrap();
            let line = cosignature::cosign(body, 1_700_000_000, witness);
            signed.push_str(&line);
        }
        text.push_str(&checkpoint_line(&signed));
    }
    (text, key.verify_key().to_string())
}

#[tokio::test]
async fn an_export_says_how_far_a_witness_vouches() {
    let server = Home::new().await;
    let generate = |name: &str| {
        fractal_evidence::SignKey::generate(name, &fractal_clock::SeededEntropy::new(2))
    };
    let witness = generate("w.example");
    let (text, key) = witnessed_export(&witness);
    let file = server.folder.path().join("log.jsonl");
    std::fs::write(&file, text).unwrap();
    let kept = server.folder.path().join("witness");
    std::fs::write(&kept, witness.witness_key().to_string()).unwrap();
    let (file, kept) = (file.to_str().unwrap(), kept.to_str().unwrap());
    let base = ["evidence", "verify", file, "--key", &key];
    let verify = async |more: &[&str]| server.run(&[&base, more].concat()).await;

    let said = verify(&["--witness", kept]).await;
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{words}");
    assert!(
        words.contains("w.example vouches for the entries up to 2")
            && words.contains("the 1 after them"),
        "{words}"
    );
    let said = verify(&["--witness", kept, "--json"]).await;
    let told: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(
        told["witnessed"],
        json!([{"name": "w.example", "size": 2, "time": 1_700_000_000}])
    );
    let stranger = generate("other.example").witness_key().to_string();
    let said = verify(&["--witness", kept, "--witness", &stranger]).await;
    assert!(!said.status.success());
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(words.contains("cosigned by other.example"), "{words}");
    // A key that signs logs is no witness's.
    assert!(!verify(&["--witness", &key]).await.status.success());
}
