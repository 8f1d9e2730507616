//! `/api/v1/sessions`: signed-in browsers of the caller.

use axum::extract::State;
use fractal_api_types::{BrowserSessionView, Page, PageQuery};
use fractal_app::session;
use fractal_types::BrowserSessionId;
use http::StatusCode;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path, Query},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(revoke))
}

/// List the caller's signed-in browsers.
#[utoipa::path(get, path = "/api/v1/sessions", tag = "sessions", operation_id = "listSessions", params(PageQuery), responses((status = 200, body = Page<BrowserSessionView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<BrowserSessionView>>> {
    Ok(Json(session::list(&server.app, &cx, &page).await?))
}

/// Sign a browser out.
#[utoipa::path(delete, path = "/api/v1/sessions/{id}", tag = "sessions", operation_id = "revokeSession", params(("id" = BrowserSessionId, Path)), responses((status = 204, description = "signed out")))]
async fn revoke(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<BrowserSessionId>,
) -> ApiResult<StatusCode> {
    session::revoke(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
