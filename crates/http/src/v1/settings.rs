//! `/api/v1/settings`: settings of the installation, for administrators.

use axum::extract::State;
use fractal_api_types::{SettingsView, UpdateSettings};
use fractal_app::settings;

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

/// Show the settings.
#[utoipa::path(get, path = "/api/v1/settings", tag = "settings", operation_id = "getSettings", responses((status = 200, body = SettingsView)))]
async fn view(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<SettingsView>> {
    Ok(Json(settings::view(&server.app, &cx).await?))
}

/// Change settings.
#[utoipa::path(patch, path = "/api/v1/settings", tag = "settings", operation_id = "updateSettings", request_body = UpdateSettings, responses((status = 200, body = SettingsView)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<UpdateSettings>,
) -> ApiResult<Json<SettingsView>> {
    Ok(Json(settings::update(&server.app, &cx, body).await?))
}
