//! `/api/v1/operations`: what takes longer than a call. They are begun by changes that say so.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use fractal_api_types::{OperationQuery, OperationView, Page};
use fractal_app::operation;
use fractal_types::OperationId;
use http::{HeaderName, StatusCode, header};
use serde::Serialize;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path, Query},
    problem::ApiResult,
};

/// Says that an answer is that of an operation, and which.
const OPERATION: HeaderName = HeaderName::from_static("fractal-operation");

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(view))
        .routes(routes!(cancel))
        .routes(routes!(retry))
        .routes(routes!(skip))
        .routes(routes!(undo))
}

/// The answer of a change that has begun an operation.
pub(super) fn begun(view: &OperationView) -> Response {
    accepted(Some(view.id), view)
}

/// The same, with the thing that the operation works on.
pub(super) fn accepted(operation: Option<OperationId>, view: &impl Serialize) -> Response {
    let named = operation.map(|id| {
        let id = id.to_string();
        [
            (header::LOCATION, format!("/api/v1/operations/{id}")),
            (OPERATION, id),
        ]
    });
    let answer = (StatusCode::ACCEPTED, axum::Json(view));
    match named {
        Some(headers) => (headers, answer).into_response(),
        None => answer.into_response(),
    }
}

/// The answer of a change that has made something, and begun an operation about it.
pub(super) fn made(operation: Option<OperationId>, view: &impl Serialize) -> Response {
    let answer = (StatusCode::CREATED, axum::Json(view));
    match operation {
        Some(id) => ([(OPERATION, id.to_string())], answer).into_response(),
        None => answer.into_response(),
    }
}

/// List operations, as far as the caller may see them.
#[utoipa::path(get, path = "/api/v1/operations", tag = "operations", operation_id = "listOperations", params(OperationQuery),
    responses((status = 200, body = Page<OperationView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<OperationQuery>,
) -> ApiResult<Json<Page<OperationView>>> {
    Ok(Json(operation::list(&server.app, &cx, &query).await?))
}

/// Show an operation with its steps.
#[utoipa::path(get, path = "/api/v1/operations/{id}", tag = "operations", operation_id = "getOperation", params(("id" = OperationId, Path)),
    responses((status = 200, body = OperationView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<OperationId>,
) -> ApiResult<Json<OperationView>> {
    Ok(Json(operation::view(&server.app, &cx, id).await?))
}

/// Have an operation taken back, as far as it has come. The step that is on its way comes to its end first.
#[utoipa::path(post, path = "/api/v1/operations/{id}/cancel", tag = "operations", operation_id = "cancelOperation",
    params(("id" = OperationId, Path)), responses((status = 200, body = OperationView)))]
async fn cancel(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<OperationId>,
) -> ApiResult<Json<OperationView>> {
    Ok(Json(operation::cancel(&server.app, &cx, id).await?))
}

/// Try the step again that a stuck operation got stuck in.
#[utoipa::path(post, path = "/api/v1/operations/{id}/retry", tag = "operations", operation_id = "retryOperation",
    params(("id" = OperationId, Path)), responses((status = 200, body = OperationView)))]
async fn retry(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<OperationId>,
) -> ApiResult<Json<OperationView>> {
    Ok(Json(operation::retry(&server.app, &cx, id).await?))
}

/// Have a stuck operation go on without the step that it got stuck in.
#[utoipa::path(post, path = "/api/v1/operations/{id}/skip", tag = "operations", operation_id = "skipOperation",
    params(("id" = OperationId, Path)), responses((status = 200, body = OperationView)))]
async fn skip(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<OperationId>,
) -> ApiResult<Json<OperationView>> {
    Ok(Json(operation::skip(&server.app, &cx, id).await?))
}

/// Have a stuck operation take back what it has done.
#[utoipa::path(post, path = "/api/v1/operations/{id}/undo", tag = "operations", operation_id = "undoOperation",
    params(("id" = OperationId, Path)), responses((status = 200, body = OperationView)))]
async fn undo(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<OperationId>,
) -> ApiResult<Json<OperationView>> {
    Ok(Json(operation::undo(&server.app, &cx, id).await?))
}
