//! `/api/v1/me`: the caller.

use axum::extract::State;
use fractal_api_types::{Me, UpdateMe};
use fractal_app::{me, oidc};
use fractal_types::IdentityProviderId;
use http::StatusCode;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(view, update))
        .routes(routes!(unlink))
}

/// Show the caller.
#[utoipa::path(get, path = "/api/v1/me", tag = "me", operation_id = "getMe", responses((status = 200, body = Me)))]
async fn view(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<Me>> {
    Ok(Json(me::view(&server.app, &cx).await?))
}

/// Change the caller's own name, language or password.
#[utoipa::path(patch, path = "/api/v1/me", tag = "me", operation_id = "updateMe", request_body = UpdateMe, responses((status = 200, body = Me)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<UpdateMe>,
) -> ApiResult<Json<Me>> {
    Ok(Json(me::update(&server.app, &cx, body).await?))
}

/// Take away the caller's link to their account at an identity provider. Their last way to sign in stays.
#[utoipa::path(delete, path = "/api/v1/me/identity-providers/{id}", tag = "me", operation_id = "unlinkIdentityProvider",
    params(("id" = IdentityProviderId, Path)), responses((status = 204, description = "unlinked")))]
async fn unlink(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<IdentityProviderId>,
) -> ApiResult<StatusCode> {
    oidc::unlink(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
