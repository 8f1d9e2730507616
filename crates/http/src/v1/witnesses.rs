//! `/api/v1/evidence/witnesses`.

use axum::extract::State;
use fractal_api_types::{AddWitness, Page, PageQuery, WitnessView};
use fractal_app::witness;
use fractal_types::WitnessId;
use http::StatusCode;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path, Query},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, add))
        .routes(routes!(remove))
}

/// List the witnesses of the log, what each vouches for and why one does not cosign.
#[utoipa::path(get, path = "/api/v1/evidence/witnesses", tag = "evidence", operation_id = "listWitnesses", params(PageQuery),
    responses((status = 200, body = Page<WitnessView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<WitnessView>>> {
    Ok(Json(witness::list(&server.app, &cx, &page).await?))
}

/// Add a witness (C2SP tlog-witness): it is asked to cosign the signed heads of the log. Its operator must know the log's key.
#[utoipa::path(post, path = "/api/v1/evidence/witnesses", tag = "evidence", operation_id = "addWitness", request_body = AddWitness,
    responses((status = 201, body = WitnessView)))]
async fn add(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<AddWitness>,
) -> ApiResult<(StatusCode, Json<WitnessView>)> {
    Ok((
        StatusCode::CREATED,
        Json(witness::add(&server.app, &cx, body).await?),
    ))
}

/// Remove a witness. What it cosigned stays with the heads.
#[utoipa::path(delete, path = "/api/v1/evidence/witnesses/{id}", tag = "evidence", operation_id = "removeWitness",
    params(("id" = WitnessId, Path)), responses((status = 204, description = "removed")))]
async fn remove(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<WitnessId>,
) -> ApiResult<StatusCode> {
    witness::remove(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
