//! `/api/v1/chat`: turns, sessions, history. Owner only; the hub asks before every step.

use std::time::Duration;

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use fractal_api_types::{
    AnswerQuestion, ChatHistory, ChatRequest, ChatSession, HistoryQuery, Page, ProblemCode,
    ResolveApproval, SessionsQuery, UpdateChatSession,
};
use fractal_app::{Context, chat};
use fractal_proxy::{
    chat::{RunHandle, chat_events, session_events},
    ports::ChatFailure,
};
use fractal_types::{ChatRunId, InstanceId};
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::{router::UtoipaMethodRouterExt, routes};

use crate::{
    Server,
    document::Routes,
    extract::{BodyLimit, Caller, Json, Path, Query},
    problem::{ApiError, ApiResult},
};

/// Ten attachments of 20 MiB in base64 would be more than a gateway takes in one frame (25 MiB).
pub(crate) const STREAM_BODY_LIMIT: usize = 30 << 20;

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(stream).layer(Extension(BodyLimit(STREAM_BODY_LIMIT))))
        .routes(routes!(events))
        .routes(routes!(abort))
        .routes(routes!(resolve_approval))
        .routes(routes!(answer_question))
        .routes(routes!(sessions))
        .routes(routes!(rename, remove))
        .routes(routes!(history))
        .routes(routes!(follow))
}

impl From<ChatFailure> for ApiError {
    fn from(failure: ChatFailure) -> Self {
        let mut error = fractal_app::Error::new(failure.problem).detail(failure.message);
        error.remedy = failure.remedy;
        Self(error)
    }
}

/// Send a message to an agent and stream the answer.
///
/// The events are those of `ChatEvent`; a lost connection keeps the run for a minute.
#[utoipa::path(post, path = "/api/v1/chat/stream", tag = "chat", operation_id = "streamChat", request_body = ChatRequest,
    responses((status = 200, description = "an event stream of `ChatEvent`", body = String, content_type = "text/event-stream"),
        (status = 424, body = fractal_api_types::Problem, content_type = "application/problem+json")))]
async fn stream(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<ChatRequest>,
) -> ApiResult<Response> {
    // Before the turn begins: whoever is signed out already begins none.
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    let run = start(&server, &cx, body).await?;
    // And whoever was signed out while it began does not leave one behind.
    if let Err(error) = chat::signed_out(&server.app, &cx).await {
        let _ = server.chat.abort(&cx.actor, run.id());
        return Err(error.into());
    }
    Ok(chat_events(run.events().take_until(signed_out)).into_response())
}

/// Decides, finds the agent, starts the run.
pub(crate) async fn start(
    server: &Server,
    cx: &Context,
    body: ChatRequest,
) -> ApiResult<RunHandle> {
    let agent = chat::agent(&server.app, cx, body.agent_id).await?;
    Ok(server.chat.start(cx.actor.clone(), agent, body)?)
}

/// Follow a run again after a lost connection, from the event after `Last-Event-ID`.
#[utoipa::path(get, path = "/api/v1/chat/runs/{id}/events", tag = "chat", operation_id = "resumeRun",
    params(("id" = ChatRunId, Path), ("Last-Event-ID" = Option<String>, Header, description = "the id of the last event that arrived")),
    responses((status = 200, description = "an event stream of `ChatEvent`", body = String, content_type = "text/event-stream"),
        (status = 410, body = fractal_api_types::Problem, content_type = "application/problem+json")))]
async fn events(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ChatRunId>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let after = match headers.get("last-event-id") {
        None => 0,
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .ok_or_else(|| {
                ApiError::parameter("Last-Event-ID", "must be the id of an event of this run")
            })?,
    };
    let events = server.chat.subscribe(&cx.actor, id, after)?;
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    Ok(chat_events(events.take_until(signed_out)).into_response())
}

/// Stop a run. What it said so far stays.
#[utoipa::path(post, path = "/api/v1/chat/runs/{id}/abort", tag = "chat", operation_id = "abortRun", params(("id" = ChatRunId, Path)),
    responses((status = 204, description = "stopping"), (status = 410, body = fractal_api_types::Problem, content_type = "application/problem+json")))]
async fn abort(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ChatRunId>,
) -> ApiResult<StatusCode> {
    chat::may_abort(&server.app, &cx, server.chat.instance_of(id)).await?;
    server.chat.abort(&cx.actor, id)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Allow or deny a command that waits for its person's word.
#[utoipa::path(post, path = "/api/v1/chat/runs/{id}/approvals/{approval_id}", tag = "chat", operation_id = "resolveApproval",
    params(("id" = ChatRunId, Path), ("approval_id" = String, Path, max_length = 200)), request_body = ResolveApproval,
    responses((status = 204, description = "passed on"), (status = 410, body = fractal_api_types::Problem, content_type = "application/problem+json")))]
async fn resolve_approval(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path((id, approval_id)): Path<(ChatRunId, String)>,
    Json(body): Json<ResolveApproval>,
) -> ApiResult<StatusCode> {
    chat::may_answer(&server.app, &cx, server.chat.instance_of(id)).await?;
    server
        .chat
        .resolve_approval(&cx.actor, id, &approval_id, body.decision)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answer a question the agent asked.
#[utoipa::path(post, path = "/api/v1/chat/runs/{id}/questions/{question_id}", tag = "chat", operation_id = "answerQuestion",
    params(("id" = ChatRunId, Path), ("question_id" = String, Path, max_length = 200)), request_body = AnswerQuestion,
    responses((status = 204, description = "passed on"), (status = 410, body = fractal_api_types::Problem, content_type = "application/problem+json")))]
async fn answer_question(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path((id, question_id)): Path<(ChatRunId, String)>,
    Json(body): Json<AnswerQuestion>,
) -> ApiResult<StatusCode> {
    chat::may_answer(&server.app, &cx, server.chat.instance_of(id)).await?;
    server
        .chat
        .answer_question(&cx.actor, id, &question_id, &body.answer)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// List an agent's conversations, last used first.
#[utoipa::path(get, path = "/api/v1/chat/sessions", tag = "chat", operation_id = "listChatSessions", params(SessionsQuery), responses((status = 200, body = Page<ChatSession>)))]
async fn sessions(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<SessionsQuery>,
) -> ApiResult<Json<Page<ChatSession>>> {
    let agent = agent_to_read(&server, &cx, query.agent_id).await?;
    let limit = bounded("limit", query.limit, 50, 200)?;
    let offset = match query.cursor.as_deref() {
        None => 0,
        Some(cursor) => cursor.parse().map_err(|_| {
            ApiError::parameter("cursor", "must be the next_cursor of the page before")
        })?,
    };
    let page = server
        .chat
        .sessions(&cx.actor, agent, limit, offset, query.wake.unwrap_or(false))
        .await?;
    Ok(Json(Page {
        items: page.items,
        next_cursor: page.next.map(|next| next.to_string()),
    }))
}

fn bounded(name: &str, value: Option<u32>, default: u32, max: u32) -> ApiResult<u32> {
    match value {
        None => Ok(default),
        Some(value) if (1..=max).contains(&value) => Ok(value),
        Some(_) => Err(ApiError::parameter(name, format!("must be 1 to {max}"))),
    }
}

/// The agent of a query, to read its conversations.
async fn agent_to_read(
    server: &Server,
    cx: &Context,
    named: Option<InstanceId>,
) -> ApiResult<InstanceId> {
    chat::agent_to_read(&server.app, cx, named)
        .await
        .map_err(in_query)
}

/// The agent of a query, to change its conversations.
async fn agent_to_change(
    server: &Server,
    cx: &Context,
    named: Option<InstanceId>,
) -> ApiResult<InstanceId> {
    chat::agent(&server.app, cx, named).await.map_err(in_query)
}

/// What is wrong with the agent of a body stands in the query here.
fn in_query(error: fractal_app::Error) -> ApiError {
    match error.fields.into_iter().next() {
        Some(field) => ApiError::parameter(field.field.trim_start_matches('/'), field.message),
        None => ApiError(fractal_app::Error {
            fields: Vec::new(),
            ..error
        }),
    }
}

/// A key that no session can have names nothing, like a malformed id.
fn check_key(key: &str) -> ApiResult<()> {
    if fractal_proxy::chat::is_session_key(key) {
        return Ok(());
    }
    Err(ApiError::new(
        ProblemCode::NotFound,
        "there is nothing with this key",
    ))
}

/// Which agent a session belongs to.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AgentQuery {
    /// The agent; the caller's only one when absent.
    agent_id: Option<InstanceId>,
}

/// Rename a conversation.
#[utoipa::path(patch, path = "/api/v1/chat/sessions/{key}", tag = "chat", operation_id = "renameChatSession",
    params(("key" = String, Path, max_length = 200), AgentQuery), request_body = UpdateChatSession, responses((status = 204, description = "renamed")))]
async fn rename(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(key): Path<String>,
    Query(query): Query<AgentQuery>,
    Json(body): Json<UpdateChatSession>,
) -> ApiResult<StatusCode> {
    let agent = agent_to_change(&server, &cx, query.agent_id).await?;
    check_key(&key)?;
    server
        .chat
        .rename_session(&cx.actor, agent, &key, body.title.as_str())
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Delete a conversation with its transcript.
#[utoipa::path(delete, path = "/api/v1/chat/sessions/{key}", tag = "chat", operation_id = "deleteChatSession",
    params(("key" = String, Path, max_length = 200), AgentQuery), responses((status = 204, description = "gone")))]
async fn remove(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(key): Path<String>,
    Query(query): Query<AgentQuery>,
) -> ApiResult<StatusCode> {
    let agent = agent_to_change(&server, &cx, query.agent_id).await?;
    check_key(&key)?;
    server.chat.delete_session(&cx.actor, agent, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Read a conversation, oldest message first.
#[utoipa::path(get, path = "/api/v1/chat/sessions/{key}/history", tag = "chat", operation_id = "getChatHistory",
    params(("key" = String, Path, max_length = 200), HistoryQuery), responses((status = 200, body = ChatHistory)))]
async fn history(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(key): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> ApiResult<Json<ChatHistory>> {
    let agent = agent_to_read(&server, &cx, query.agent_id).await?;
    check_key(&key)?;
    let limit = bounded("limit", query.limit, 100, 500)?;
    let history = server
        .chat
        .history(
            &cx.actor,
            agent,
            &key,
            limit,
            query.offset.unwrap_or(0),
            query.wake.unwrap_or(false),
        )
        .await?;
    Ok(Json(history))
}

/// Follow a conversation: turns of other tabs, timers and rooms appear here.
#[utoipa::path(get, path = "/api/v1/chat/sessions/{key}/events", tag = "chat", operation_id = "followChatSession",
    params(("key" = String, Path, max_length = 200), AgentQuery),
    responses((status = 200, description = "an event stream of `SessionEvent`", body = String, content_type = "text/event-stream")))]
async fn follow(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(key): Path<String>,
    Query(query): Query<AgentQuery>,
) -> ApiResult<Response> {
    let agent = agent_to_read(&server, &cx, query.agent_id).await?;
    check_key(&key)?;
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    let events = server.chat.session_events(&cx.actor, agent, &key).await?;
    Ok(session_events(events.take_until(signed_out)).into_response())
}

/// How long a compatible client may wait for the first byte of a whole answer; only a guard against leaks.
pub(crate) const WHOLE_ANSWER: Duration = Duration::from_secs(1800);

/// The problem for an agent name that is not one of the caller's.
pub(crate) fn unknown_agent() -> ApiError {
    ApiError::new(
        ProblemCode::NotFound,
        "there is no agent with this id; `GET /v1/models` lists yours",
    )
}
