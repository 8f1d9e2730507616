//! `/api/v1/instances/{id}/skills` and `/api/v1/skill-credentials`. No answer ever carries a value.

use axum::extract::State;
use fractal_api_types::{
    Page, PageQuery, SetSkillCredential, SkillCredentialView, SkillList, SkillsQuery,
};
use fractal_app::{skill, skill_credential};
use fractal_types::{InstanceId, SkillCredentialId};
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
        .routes(routes!(skills))
        .routes(routes!(list, set))
        .routes(routes!(remove))
}

/// List an agent's skills and what each lacks.
#[utoipa::path(get, path = "/api/v1/instances/{id}/skills", tag = "skills", operation_id = "listSkills", params(("id" = InstanceId, Path), SkillsQuery),
    responses((status = 200, body = SkillList)))]
async fn skills(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
    Query(query): Query<SkillsQuery>,
) -> ApiResult<Json<SkillList>> {
    let wake = query.wake.unwrap_or(false);
    Ok(Json(skill::list(&server.app, &cx, id, wake).await?))
}

/// List the variables the caller stored for skills, without their values.
#[utoipa::path(get, path = "/api/v1/skill-credentials", tag = "skills", operation_id = "listSkillCredentials", params(PageQuery),
    responses((status = 200, body = Page<SkillCredentialView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<SkillCredentialView>>> {
    Ok(Json(skill_credential::list(&server.app, &cx, &page).await?))
}

/// Store a variable for a skill, in place of its older value. Running agents take it over.
#[utoipa::path(put, path = "/api/v1/skill-credentials", tag = "skills", operation_id = "setSkillCredential", request_body = SetSkillCredential,
    responses((status = 200, body = SkillCredentialView)))]
async fn set(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<SetSkillCredential>,
) -> ApiResult<Json<SkillCredentialView>> {
    Ok(Json(skill_credential::set(&server.app, &cx, body).await?))
}

/// Remove a variable. Running agents lose it, sleeping ones with their next start.
#[utoipa::path(delete, path = "/api/v1/skill-credentials/{id}", tag = "skills", operation_id = "deleteSkillCredential", params(("id" = SkillCredentialId, Path)),
    responses((status = 204, description = "removed")))]
async fn remove(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<SkillCredentialId>,
) -> ApiResult<StatusCode> {
    skill_credential::delete(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
