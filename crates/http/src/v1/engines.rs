//! `/api/v1/engines`: installable OpenClaw versions.

use axum::extract::State;
use fractal_api_types::{EngineView, Page, PageQuery};
use fractal_app::engine;
use fractal_types::EngineId;
use http::StatusCode;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path, Query},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new().routes(routes!(list)).routes(routes!(install))
}

/// List engines with the progress of those being installed.
#[utoipa::path(get, path = "/api/v1/engines", tag = "engines", operation_id = "listEngines", params(PageQuery), responses((status = 200, body = Page<EngineView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(_page): Query<PageQuery>,
) -> ApiResult<Json<Page<EngineView>>> {
    Ok(Json(engine::list(&server.app, &cx).await?))
}

/// Install an engine, or try again after a failure.
#[utoipa::path(post, path = "/api/v1/engines/{id}/install", tag = "engines", operation_id = "installEngine", params(("id" = EngineId, Path)), responses((status = 202, body = EngineView)))]
async fn install(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<EngineId>,
) -> ApiResult<(StatusCode, Json<EngineView>)> {
    Ok((
        StatusCode::ACCEPTED,
        Json(engine::install(&server.app, &cx, id).await?),
    ))
}
