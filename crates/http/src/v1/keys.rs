//! `/api/v1/keys`: the secret key of the installation, for owners.

use axum::extract::State;
use fractal_api_types::{KeyRotation, KeyStatus};
use fractal_app::key;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(status))
        .routes(routes!(rotate))
}

/// Say which secret key is in force, and whether stored secrets still move to newer keys.
#[utoipa::path(get, path = "/api/v1/keys", tag = "settings", operation_id = "getKeyStatus", responses((status = 200, body = KeyStatus)))]
async fn status(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<KeyStatus>> {
    Ok(Json(key::status(&server.app, &cx).await?))
}

/// Replace the secret key, and give every owner a new one to which what is stored moves in the background. Earlier exports do
/// not open what is stored from now on.
#[utoipa::path(post, path = "/api/v1/keys/rotate", tag = "settings", operation_id = "rotateKey", responses((status = 200, body = KeyRotation)))]
async fn rotate(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<KeyRotation>> {
    Ok(Json(key::rotate(&server.app, &cx).await?))
}
