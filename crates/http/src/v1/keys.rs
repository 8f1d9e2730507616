//! `/api/v1/keys`: the secret key of the installation, for owners.

use axum::{extract::State, response::Response};
use fractal_api_types::{KeyStatus, OperationView};
use fractal_app::key;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json},
    problem::ApiResult,
    v1::operations,
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

/// Replace the secret key, and give every owner a new one. The new key is in force with the answer; what is stored moves to the new keys, and
/// older ones go, as the operation that is answered. Earlier exports do not open what is stored from now on.
#[utoipa::path(post, path = "/api/v1/keys/rotate", tag = "settings", operation_id = "rotateKey",
    responses((status = 202, body = OperationView, description = "in force; followed by the operation that the header Fractal-Operation names")))]
async fn rotate(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Response> {
    Ok(operations::begun(&key::rotate(&server.app, &cx).await?))
}
