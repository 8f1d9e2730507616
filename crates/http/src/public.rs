//! Routes that need no sign-in and belong to no noun: liveness, readiness, the Portal, and what is not there.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use fractal_api_types::{Health, ProblemCode};
use http::{StatusCode, Uri};
use utoipa_axum::routes;

use crate::{
    Server,
    document::{PUBLIC, Routes},
    extract::{Client, Json},
    problem::{ApiError, ApiResult},
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(livez))
        .routes(routes!(readyz))
        .routes(routes!(health))
}

/// The process is alive.
#[utoipa::path(get, path = "/livez", tag = PUBLIC, operation_id = "getLiveness", responses((status = 200, description = "alive", body = String, content_type = "text/plain")))]
async fn livez() -> &'static str {
    "ok\n"
}

/// The database answers and background work runs.
#[utoipa::path(get, path = "/readyz", tag = PUBLIC, operation_id = "getReadiness", responses((status = 200, description = "ready", body = String, content_type = "text/plain")))]
async fn readyz(State(server): State<Server>) -> ApiResult<&'static str> {
    server.app.check_ready().await?;
    Ok("ok\n")
}

/// Status and version for monitors; counts only for callers on this machine.
#[utoipa::path(get, path = "/health", tag = PUBLIC, operation_id = "getHealth", responses((status = 200, body = Health)))]
async fn health(State(server): State<Server>, client: Client) -> ApiResult<Json<Health>> {
    Ok(Json(server.app.health(client.is_local).await?))
}

/// Everything that is not an API route belongs to the Portal's own router.
pub async fn fallback(uri: Uri, request: Request) -> Response {
    let path = uri.path();
    let is_api = ["/api", "/v1", "/llm", "/mcp", "/metrics"]
        .iter()
        .any(|prefix| {
            path.strip_prefix(prefix)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
    if is_api {
        return ApiError::new(ProblemCode::NotFound, "there is no such route").into_response();
    }
    if !matches!(*request.method(), http::Method::GET | http::Method::HEAD) {
        return method_not_allowed().await;
    }
    fractal_ui::serve(request.uri().path(), request.headers())
}

/// The route exists, the method does not.
pub async fn method_not_allowed() -> Response {
    let mut response = ApiError::new(
        ProblemCode::MethodNotAllowed,
        "see the API document for the methods of this route",
    )
    .into_response();
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}
