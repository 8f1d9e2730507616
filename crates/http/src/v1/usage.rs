//! `/api/v1/usage`: what was used.

use axum::extract::State;
use fractal_api_types::{UsageQuery, UsageReport};
use fractal_app::usage;

use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Query},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new().routes(routes!(report))
}

/// Usage by day and model: the caller's own, or everybody's sums.
#[utoipa::path(get, path = "/api/v1/usage", tag = "usage", operation_id = "getUsage", params(UsageQuery), responses((status = 200, body = UsageReport)))]
async fn report(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<UsageQuery>,
) -> ApiResult<Json<UsageReport>> {
    Ok(Json(usage::report(&server.app, &cx, &query).await?))
}
