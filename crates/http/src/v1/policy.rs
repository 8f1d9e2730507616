//! `/api/v1/policy`: access rules, their versions, and what others would do.

use axum::extract::State;
use fractal_api_types::{
    CheckPolicy, Page, PageQuery, PolicyCheck, PolicySimulation, PolicyVersionView, PolicyView,
    SimulatePolicy, UpdatePolicy,
};
use fractal_app::policy;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path, Query},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(view, update))
        .routes(routes!(versions))
        .routes(routes!(version))
        .routes(routes!(check))
        .routes(routes!(simulate))
        .routes(routes!(reset))
}

/// Show the access rules in force, the built-in ones and the added ones.
#[utoipa::path(get, path = "/api/v1/policy", tag = "policy", operation_id = "getPolicy", responses((status = 200, body = PolicyView)))]
async fn view(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<PolicyView>> {
    Ok(Json(policy::view(&server.app, &cx).await?))
}

/// Put added rules in force as a new version. They must fit the schema, pass their tests, and not lock out who puts them there.
#[utoipa::path(put, path = "/api/v1/policy", tag = "policy", operation_id = "updatePolicy", request_body = UpdatePolicy, responses((status = 200, body = PolicyView)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<UpdatePolicy>,
) -> ApiResult<Json<PolicyView>> {
    Ok(Json(policy::update(&server.app, &cx, body).await?))
}

/// List the versions there were, newest first.
#[utoipa::path(get, path = "/api/v1/policy/versions", tag = "policy", operation_id = "listPolicyVersions", params(PageQuery), responses((status = 200, body = Page<PolicyVersionView>)))]
async fn versions(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Page<PolicyVersionView>>> {
    Ok(Json(policy::versions(&server.app, &cx, &query).await?))
}

/// Show one version.
#[utoipa::path(get, path = "/api/v1/policy/versions/{version}", tag = "policy", operation_id = "getPolicyVersion", params(("version" = u64, Path, description = "its number")), responses((status = 200, body = PolicyVersionView)))]
async fn version(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(version): Path<u64>,
) -> ApiResult<Json<PolicyVersionView>> {
    Ok(Json(policy::version(&server.app, &cx, version).await?))
}

/// Look at rules and run their tests, without putting them in force.
#[utoipa::path(post, path = "/api/v1/policy/check", tag = "policy", operation_id = "checkPolicy", request_body = CheckPolicy, responses((status = 200, body = PolicyCheck)))]
async fn check(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CheckPolicy>,
) -> ApiResult<Json<PolicyCheck>> {
    Ok(Json(policy::check(&server.app, &cx, body).await?))
}

/// Ask rules one question, or try them on the decisions that were really made.
#[utoipa::path(post, path = "/api/v1/policy/simulate", tag = "policy", operation_id = "simulatePolicy", request_body = SimulatePolicy, responses((status = 200, body = PolicySimulation)))]
async fn simulate(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<SimulatePolicy>,
) -> ApiResult<Json<PolicySimulation>> {
    Ok(Json(policy::simulate(&server.app, &cx, body).await?))
}

/// Go back to the built-in rules. The added ones stay among the versions.
#[utoipa::path(post, path = "/api/v1/policy/reset", tag = "policy", operation_id = "resetPolicy", responses((status = 200, body = PolicyView)))]
async fn reset(State(server): State<Server>, Caller(cx): Caller) -> ApiResult<Json<PolicyView>> {
    Ok(Json(policy::reset(&server.app, &cx).await?))
}
