//! `/api/v1/profile`: the caller's agent settings.

use axum::extract::State;
use fractal_api_types::{ProfileView, UpdateProfile};
use fractal_app::profile;

use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new().routes(routes!(view, update))
}

/// Show the caller's agent settings.
#[utoipa::path(get, path = "/api/v1/profile", tag = "profile", operation_id = "getProfile", responses((status = 200, body = ProfileView)))]
async fn view(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<ProfileView>> {
    Ok(Json(profile::view(&server.app, &cx).await?))
}

/// Change the caller's agent settings; running agents take them over without losing a conversation.
#[utoipa::path(patch, path = "/api/v1/profile", tag = "profile", operation_id = "updateProfile", request_body = UpdateProfile, responses((status = 200, body = ProfileView)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<UpdateProfile>,
) -> ApiResult<Json<ProfileView>> {
    Ok(Json(profile::update(&server.app, &cx, body).await?))
}
