//! `/api/v1/users`: accounts, for administrators.

use axum::extract::State;
use fractal_api_types::{
    CreateUser, ErasedView, Page, PageQuery, ResetPassword, UpdateUser, UserView,
};
use fractal_app::user;
use fractal_types::UserId;
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
        .routes(routes!(reset_password))
        .routes(routes!(erase))
}

/// List accounts.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", operation_id = "listUsers", params(PageQuery), responses((status = 200, body = Page<UserView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<UserView>>> {
    Ok(Json(user::list(&server.app, &cx, &page).await?))
}

/// Make an account with a password.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", operation_id = "createUser", request_body = CreateUser, responses((status = 201, body = UserView)))]
async fn create(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CreateUser>,
) -> ApiResult<(StatusCode, Json<UserView>)> {
    Ok((
        StatusCode::CREATED,
        Json(user::create(&server.app, &cx, body).await?),
    ))
}

/// Show an account.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", operation_id = "getUser", params(("id" = UserId, Path)), responses((status = 200, body = UserView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<UserId>,
) -> ApiResult<Json<UserView>> {
    Ok(Json(user::view(&server.app, &cx, id).await?))
}

/// Change a name or role, suspend or let back in.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", operation_id = "updateUser", params(("id" = UserId, Path)), request_body = UpdateUser, responses((status = 200, body = UserView)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<UserId>,
    Json(body): Json<UpdateUser>,
) -> ApiResult<Json<UserView>> {
    Ok(Json(user::update(&server.app, &cx, id, body).await?))
}

/// Delete an account with its instances, files and keys.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users", operation_id = "deleteUser", params(("id" = UserId, Path)), responses((status = 204, description = "gone; instances are being removed")))]
async fn delete(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<UserId>,
) -> ApiResult<StatusCode> {
    user::delete(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Erase the values that the log holds about a person and what is theirs: names, addresses of clients, names of agents. The entries stay, and
/// every proof over them. Also for somebody who is gone, by their id.
#[utoipa::path(post, path = "/api/v1/users/{id}/erase", tag = "users", operation_id = "eraseUser", params(("id" = UserId, Path)), responses((status = 200, body = ErasedView)))]
async fn erase(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<UserId>,
) -> ApiResult<Json<ErasedView>> {
    Ok(Json(user::erase(&server.app, &cx, id).await?))
}

/// Give an account a new password; its sessions end, and the person is told who did it.
#[utoipa::path(post, path = "/api/v1/users/{id}/reset-password", tag = "users", operation_id = "resetPassword", params(("id" = UserId, Path)), request_body = ResetPassword, responses((status = 204, description = "changed")))]
async fn reset_password(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<UserId>,
    Json(body): Json<ResetPassword>,
) -> ApiResult<StatusCode> {
    user::reset_password(&server.app, &cx, id, body).await?;
    Ok(StatusCode::NO_CONTENT)
}
