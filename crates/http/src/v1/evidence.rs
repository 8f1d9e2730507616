//! `/api/v1/evidence` and `/api/v1/events`.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use fractal_api_types::{
    ConsistencyProof, ConsistencyQuery, EvidenceHead, EvidenceQuery, EvidenceView, ExportQuery,
    InclusionProof, Page, ProofQuery,
};
use fractal_app::{chat, evidence};
use futures::{StreamExt, TryStreamExt};
use http::{HeaderMap, header};
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path, Query},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(checkpoint))
        .routes(routes!(consistency))
        .routes(routes!(export))
        .routes(routes!(view))
        .routes(routes!(proof))
        .routes(routes!(events))
}

/// List what happened, newest first. Only sealed entries: they have a place that never changes.
#[utoipa::path(get, path = "/api/v1/evidence", tag = "evidence", operation_id = "listEvidence", params(EvidenceQuery),
    responses((status = 200, body = Page<EvidenceView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<EvidenceQuery>,
) -> ApiResult<Json<Page<EvidenceView>>> {
    Ok(Json(evidence::list(&server.app, &cx, &query).await?))
}

/// Show the newest signed head of the log, and the key that verifies it.
#[utoipa::path(get, path = "/api/v1/evidence/checkpoint", tag = "evidence", operation_id = "getEvidenceCheckpoint",
    responses((status = 200, body = EvidenceHead)))]
async fn checkpoint(
    State(server): State<Server>,
    Caller(cx): Caller,
) -> ApiResult<Json<EvidenceHead>> {
    Ok(Json(evidence::head(&server.app, &cx).await?))
}

/// Prove that the log only grew since an earlier head.
#[utoipa::path(get, path = "/api/v1/evidence/consistency", tag = "evidence", operation_id = "proveEvidenceConsistency", params(ConsistencyQuery),
    responses((status = 200, body = ConsistencyProof)))]
async fn consistency(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<ConsistencyQuery>,
) -> ApiResult<Json<ConsistencyProof>> {
    Ok(Json(evidence::consistency(&server.app, &cx, &query).await?))
}

/// Export the log as JSON Lines that `fractal evidence verify` checks without this server.
#[utoipa::path(get, path = "/api/v1/evidence/export", tag = "evidence", operation_id = "exportEvidence", params(ExportQuery),
    responses((status = 200, description = "a header, then entries and checkpoints, a line each", body = String, content_type = "application/x-ndjson")))]
async fn export(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<ExportQuery>,
) -> ApiResult<Response> {
    let lines = evidence::export(&server.app, &cx, &query).await?;
    // A failure in the middle breaks the answer off, and what arrived ends under no checkpoint: whoever verifies it notices.
    let body = Body::from_stream(lines.map_err(std::io::Error::other));
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"evidence.jsonl\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, body).into_response())
}

/// Show the entry at a position.
#[utoipa::path(get, path = "/api/v1/evidence/{seq}", tag = "evidence", operation_id = "getEvidence", params(("seq" = u64, Path, minimum = 1)),
    responses((status = 200, body = EvidenceView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(seq): Path<u64>,
) -> ApiResult<Json<EvidenceView>> {
    Ok(Json(evidence::view(&server.app, &cx, seq).await?))
}

/// Prove that an entry is in the log.
#[utoipa::path(get, path = "/api/v1/evidence/{seq}/proof", tag = "evidence", operation_id = "proveEvidence",
    params(("seq" = u64, Path, minimum = 1), ProofQuery), responses((status = 200, body = InclusionProof)))]
async fn proof(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(seq): Path<u64>,
    Query(query): Query<ProofQuery>,
) -> ApiResult<Json<InclusionProof>> {
    Ok(Json(evidence::proof(&server.app, &cx, seq, &query).await?))
}

/// Follow what happens: an `evidence` event for every entry the caller may know of, its position as the event's id. With
/// `Last-Event-ID` it goes on after that position and nothing is missed.
#[utoipa::path(get, path = "/api/v1/events", tag = "evidence", operation_id = "followEvents",
    params(("Last-Event-ID" = Option<String>, Header, description = "the last event that was read")),
    responses((status = 200, description = "an event stream", body = String, content_type = "text/event-stream")))]
async fn events(
    State(server): State<Server>,
    Caller(cx): Caller,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let after = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok()?.parse().ok());
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    let entries = evidence::follow(&server.app, &cx, after).await?;
    let events = entries.take_until(signed_out).map(|entry| {
        Ok::<_, Infallible>(
            Event::default()
                .event("evidence")
                .id(entry.seq.to_string())
                .data(serde_json::to_string(&entry).unwrap_or_default()),
        )
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}
