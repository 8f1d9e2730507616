//! `/api/v1/identity-providers`: OIDC providers, for administrators.

use axum::extract::State;
use fractal_api_types::{
    CreateIdentityProvider, IdentityProviderView, Page, PageQuery, ProviderTest,
    UpdateIdentityProvider,
};
use fractal_app::identity_provider;
use fractal_types::IdentityProviderId;
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

/// List identity providers.
#[utoipa::path(get, path = "/api/v1/identity-providers", tag = "identity-providers", operation_id = "listIdentityProviders", params(PageQuery), responses((status = 200, body = Page<IdentityProviderView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(_page): Query<PageQuery>,
) -> ApiResult<Json<Page<IdentityProviderView>>> {
    Ok(Json(identity_provider::list(&server.app, &cx).await?))
}

/// Set up an identity provider. It is asked for its discovery document before it is saved.
#[utoipa::path(post, path = "/api/v1/identity-providers", tag = "identity-providers", operation_id = "createIdentityProvider", request_body = CreateIdentityProvider, responses((status = 201, body = IdentityProviderView)))]
async fn create(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CreateIdentityProvider>,
) -> ApiResult<(StatusCode, Json<IdentityProviderView>)> {
    Ok((
        StatusCode::CREATED,
        Json(identity_provider::create(&server.app, &cx, body).await?),
    ))
}

/// Show an identity provider.
#[utoipa::path(get, path = "/api/v1/identity-providers/{id}", tag = "identity-providers", operation_id = "getIdentityProvider", params(("id" = IdentityProviderId, Path)), responses((status = 200, body = IdentityProviderView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<IdentityProviderId>,
) -> ApiResult<Json<IdentityProviderView>> {
    Ok(Json(identity_provider::view(&server.app, &cx, id).await?))
}

/// Change an identity provider.
#[utoipa::path(patch, path = "/api/v1/identity-providers/{id}", tag = "identity-providers", operation_id = "updateIdentityProvider", params(("id" = IdentityProviderId, Path)), request_body = UpdateIdentityProvider, responses((status = 200, body = IdentityProviderView)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<IdentityProviderId>,
    Json(body): Json<UpdateIdentityProvider>,
) -> ApiResult<Json<IdentityProviderView>> {
    Ok(Json(
        identity_provider::update(&server.app, &cx, id, body).await?,
    ))
}

/// Delete an identity provider; people who only sign in with it need another way.
#[utoipa::path(delete, path = "/api/v1/identity-providers/{id}", tag = "identity-providers", operation_id = "deleteIdentityProvider", params(("id" = IdentityProviderId, Path)), responses((status = 204, description = "gone")))]
async fn delete(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<IdentityProviderId>,
) -> ApiResult<StatusCode> {
    identity_provider::delete(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ask an identity provider for its discovery document.
#[utoipa::path(post, path = "/api/v1/identity-providers/{id}/test", tag = "identity-providers", operation_id = "testIdentityProvider", params(("id" = IdentityProviderId, Path)), responses((status = 200, body = ProviderTest)))]
async fn test(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<IdentityProviderId>,
) -> ApiResult<Json<ProviderTest>> {
    Ok(Json(identity_provider::test(&server.app, &cx, id).await?))
}
