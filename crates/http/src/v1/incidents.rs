//! `/api/v1/incidents` and `/api/v1/checks`: what was found broken, and what looks for it.

use axum::extract::State;
use fractal_api_types::{AcknowledgeIncident, CheckView, IncidentQuery, IncidentView, Page};
use fractal_app::incident;
use fractal_types::IncidentId;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path, Query},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(view))
        .routes(routes!(acknowledge))
        .routes(routes!(checks))
        .routes(routes!(run))
}

/// List incidents, as far as the caller may see them.
#[utoipa::path(get, path = "/api/v1/incidents", tag = "incidents", operation_id = "listIncidents", params(IncidentQuery),
    responses((status = 200, body = Page<IncidentView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<IncidentQuery>,
) -> ApiResult<Json<Page<IncidentView>>> {
    Ok(Json(incident::list(&server.app, &cx, &query).await?))
}

/// Show an incident.
#[utoipa::path(get, path = "/api/v1/incidents/{id}", tag = "incidents", operation_id = "getIncident", params(("id" = IncidentId, Path)),
    responses((status = 200, body = IncidentView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<IncidentId>,
) -> ApiResult<Json<IncidentView>> {
    Ok(Json(incident::view(&server.app, &cx, id).await?))
}

/// Say that one looks after an incident.
#[utoipa::path(post, path = "/api/v1/incidents/{id}/acknowledge", tag = "incidents", operation_id = "acknowledgeIncident",
    params(("id" = IncidentId, Path)), request_body = AcknowledgeIncident, responses((status = 200, body = IncidentView)))]
async fn acknowledge(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<IncidentId>,
    Json(body): Json<AcknowledgeIncident>,
) -> ApiResult<Json<IncidentView>> {
    Ok(Json(
        incident::acknowledge(&server.app, &cx, id, body).await?,
    ))
}

/// List the checks, with what each found last.
#[utoipa::path(get, path = "/api/v1/checks", tag = "incidents", operation_id = "listChecks", responses((status = 200, body = Vec<CheckView>)))]
async fn checks(
    State(server): State<Server>,
    Caller(cx): Caller,
) -> ApiResult<Json<Vec<CheckView>>> {
    Ok(Json(incident::list_checks(&server.app, &cx)?))
}

/// Have everything looked at now. What is found or not found any more becomes or ends an incident.
#[utoipa::path(post, path = "/api/v1/checks/run", tag = "incidents", operation_id = "runChecks", responses((status = 200, body = Vec<CheckView>)))]
async fn run(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<Vec<CheckView>>> {
    Ok(Json(incident::run_checks(&server.app, &cx).await?))
}
