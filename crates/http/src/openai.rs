//! Compatible forms: `POST /v1/chat/completions` and `GET /v1/models` for OpenAI clients, `POST /api/chat/stream` for older ones.
//!
//! These abort the turn when the client leaves, as those clients expect.

use std::convert::Infallible;

use axum::{
    Extension,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use fractal_api_types::{ChatRequest, CompletionRequest, PageQuery};
use fractal_app::{chat, instance};
use futures::StreamExt;
use serde_json::{Value, json};
use utoipa_axum::{router::UtoipaMethodRouterExt, routes};

use crate::{
    Server,
    document::Routes,
    extract::{BodyLimit, Caller, Json},
    problem::{ApiError, ApiResult},
    v1,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(models))
        .routes(routes!(completions).layer(Extension(BodyLimit(v1::STREAM_BODY_LIMIT))))
        .routes(routes!(stream).layer(Extension(BodyLimit(v1::STREAM_BODY_LIMIT))))
}

/// List the caller's agents as models.
#[utoipa::path(get, path = "/v1/models", tag = "openai", operation_id = "listModels", responses((status = 200, body = Value)))]
async fn models(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<Value>> {
    let page = instance::list(
        &server.app,
        &cx,
        false,
        &PageQuery {
            cursor: None,
            limit: Some(200),
        },
    )
    .await?;
    let data: Vec<Value> = page
        .items
        .into_iter()
        .map(|agent| json!({ "id": agent.id, "object": "model", "created": agent.created_at.as_millis() / 1000, "owned_by": agent.name }))
        .collect();
    Ok(Json(json!({ "object": "list", "data": data })))
}

/// Chat with an agent in OpenAI's form: `model` is the agent id; each request is a conversation of its own.
#[utoipa::path(post, path = "/v1/chat/completions", tag = "openai", operation_id = "createChatCompletion", request_body = CompletionRequest,
    responses((status = 200, description = "a chat completion, or with `stream` its chunks", content((Value = "application/json"), (String = "text/event-stream"))),
        (status = 424, body = fractal_api_types::Problem, content_type = "application/problem+json")))]
async fn completions(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CompletionRequest>,
) -> ApiResult<Response> {
    let id = body.model.parse().map_err(|_| v1::unknown_agent())?;
    let agent = chat::agent(&server.app, &cx, Some(id)).await?;
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    let completion = server.chat.complete(cx.actor.clone(), agent, &body)?;
    if body.stream.unwrap_or(false) {
        let chunks = completion
            .chunks()
            .take_until(signed_out)
            .map(|chunk| Ok::<_, Infallible>(Event::default().data(chunk)));
        return Ok(Sse::new(chunks)
            .keep_alive(KeepAlive::default())
            .into_response());
    }
    let answer = tokio::time::timeout(v1::WHOLE_ANSWER, completion.collect())
        .await
        .map_err(|_| {
            ApiError::new(
                fractal_api_types::ProblemCode::Unavailable,
                "the answer took too long; use `stream`",
            )
        })??;
    Ok(Json(answer).into_response())
}

/// Like `POST /api/v1/chat/stream`, but the turn ends with the connection.
#[utoipa::path(post, path = "/api/chat/stream", tag = "chat", operation_id = "streamChatCompatible", request_body = ChatRequest,
    responses((status = 200, description = "an event stream of `ChatEvent`", body = String, content_type = "text/event-stream"),
        (status = 424, body = fractal_api_types::Problem, content_type = "application/problem+json")))]
async fn stream(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<ChatRequest>,
) -> ApiResult<Response> {
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    let run = v1::start(&server, &cx, body).await?.abort_on_drop();
    // The handle travels with the stream: when the client goes, both go, and the turn is stopped.
    let events = run.events().take_until(signed_out).map(move |event| {
        let _alive = &run;
        event
    });
    Ok(fractal_proxy::chat::chat_events(events).into_response())
}
