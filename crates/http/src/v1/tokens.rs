//! `/api/v1/tokens`: bearer tokens of the caller. A new secret is shown once.

use axum::extract::State;
use fractal_api_types::{
    ApiTokenView, CreateApiToken, NewApiToken, Page, PageQuery, RotateApiToken,
};
use fractal_app::token;
use fractal_types::ApiTokenId;
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
        .routes(routes!(list, create))
        .routes(routes!(rotate))
        .routes(routes!(revoke))
}

/// List the caller's tokens.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", operation_id = "listTokens", params(PageQuery), responses((status = 200, body = Page<ApiTokenView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<ApiTokenView>>> {
    Ok(Json(token::list(&server.app, &cx, &page).await?))
}

/// Make a token.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", operation_id = "createToken", request_body = CreateApiToken, responses((status = 201, body = NewApiToken)))]
async fn create(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CreateApiToken>,
) -> ApiResult<(StatusCode, Json<NewApiToken>)> {
    Ok((
        StatusCode::CREATED,
        Json(token::create(&server.app, &cx, body).await?),
    ))
}

/// Replace a token; the old one keeps working for a while.
#[utoipa::path(post, path = "/api/v1/tokens/{id}/rotate", tag = "tokens", operation_id = "rotateToken", params(("id" = ApiTokenId, Path)), request_body = RotateApiToken, responses((status = 201, body = NewApiToken)))]
async fn rotate(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ApiTokenId>,
    Json(body): Json<RotateApiToken>,
) -> ApiResult<(StatusCode, Json<NewApiToken>)> {
    Ok((
        StatusCode::CREATED,
        Json(token::rotate(&server.app, &cx, id, body).await?),
    ))
}

/// Revoke a token.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens", operation_id = "revokeToken", params(("id" = ApiTokenId, Path)), responses((status = 204, description = "revoked")))]
async fn revoke(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ApiTokenId>,
) -> ApiResult<StatusCode> {
    token::revoke(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
