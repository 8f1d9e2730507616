//! `/api/v1/providers`: credentials of model providers. No answer ever carries a key.

use axum::extract::State;
use fractal_api_types::{
    CreateProvider, Page, PageQuery, ProviderTest, ProviderView, UpdateProvider,
};
use fractal_app::provider;
use fractal_types::ProviderId;
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
        .routes(routes!(view, update, delete))
        .routes(routes!(test))
}

/// List the caller's providers and those shared with everybody.
#[utoipa::path(get, path = "/api/v1/providers", tag = "providers", operation_id = "listProviders", params(PageQuery), responses((status = 200, body = Page<ProviderView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<ProviderView>>> {
    Ok(Json(provider::list(&server.app, &cx, &page).await?))
}

/// Add a provider.
#[utoipa::path(post, path = "/api/v1/providers", tag = "providers", operation_id = "createProvider", request_body = CreateProvider, responses((status = 201, body = ProviderView)))]
async fn create(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CreateProvider>,
) -> ApiResult<(StatusCode, Json<ProviderView>)> {
    Ok((
        StatusCode::CREATED,
        Json(provider::create(&server.app, &cx, body).await?),
    ))
}

/// Show a provider.
#[utoipa::path(get, path = "/api/v1/providers/{id}", tag = "providers", operation_id = "getProvider", params(("id" = ProviderId, Path)), responses((status = 200, body = ProviderView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProviderId>,
) -> ApiResult<Json<ProviderView>> {
    Ok(Json(provider::view(&server.app, &cx, id).await?))
}

/// Change a provider. The very next chat uses it.
#[utoipa::path(patch, path = "/api/v1/providers/{id}", tag = "providers", operation_id = "updateProvider", params(("id" = ProviderId, Path)), request_body = UpdateProvider, responses((status = 200, body = ProviderView)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProviderId>,
    Json(body): Json<UpdateProvider>,
) -> ApiResult<Json<ProviderView>> {
    Ok(Json(provider::update(&server.app, &cx, id, body).await?))
}

/// Delete a provider and its key.
#[utoipa::path(delete, path = "/api/v1/providers/{id}", tag = "providers", operation_id = "deleteProvider", params(("id" = ProviderId, Path)), responses((status = 204, description = "gone")))]
async fn delete(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProviderId>,
) -> ApiResult<StatusCode> {
    provider::delete(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Make a tiny call to a provider and say how it went.
#[utoipa::path(post, path = "/api/v1/providers/{id}/test", tag = "providers", operation_id = "testProvider", params(("id" = ProviderId, Path)), responses((status = 200, body = ProviderTest)))]
async fn test(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProviderId>,
) -> ApiResult<Json<ProviderTest>> {
    Ok(Json(provider::test(&server.app, &cx, id).await?))
}
