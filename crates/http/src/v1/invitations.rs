//! `/api/v1/invitations`: bring people in without learning their password.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use fractal_api_types::{
    AcceptInvitation, CreateInvitation, InvitationView, Me, NewInvitation, Page, PageQuery,
};
use fractal_app::invitation;
use fractal_types::InvitationId;
use http::{HeaderMap, StatusCode};
use utoipa_axum::routes;

use super::auth::signed_in;
use crate::{
    Server,
    document::{PUBLIC, Routes},
    extract::{Caller, Client, Json, Path, Query},
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list, create))
        .routes(routes!(revoke))
        .routes(routes!(accept))
}

/// List invitations.
#[utoipa::path(get, path = "/api/v1/invitations", tag = "invitations", operation_id = "listInvitations", params(PageQuery), responses((status = 200, body = Page<InvitationView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<InvitationView>>> {
    Ok(Json(invitation::list(&server.app, &cx, &page).await?))
}

/// Invite somebody. The link is shown once.
#[utoipa::path(post, path = "/api/v1/invitations", tag = "invitations", operation_id = "createInvitation", request_body = CreateInvitation, responses((status = 201, body = NewInvitation)))]
async fn create(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CreateInvitation>,
) -> ApiResult<(StatusCode, Json<NewInvitation>)> {
    Ok((
        StatusCode::CREATED,
        Json(invitation::create(&server.app, &cx, body).await?),
    ))
}

/// Revoke an invitation.
#[utoipa::path(delete, path = "/api/v1/invitations/{id}", tag = "invitations", operation_id = "revokeInvitation", params(("id" = InvitationId, Path)), responses((status = 204, description = "revoked")))]
async fn revoke(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InvitationId>,
) -> ApiResult<StatusCode> {
    invitation::revoke(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accept an invitation: makes the account and signs in.
#[utoipa::path(post, path = "/api/v1/invitations/accept", tag = PUBLIC, operation_id = "acceptInvitation",
    params(("X-Invitation-Token" = Option<String>, Header, description = "the secret of the link's fragment")),
    request_body = AcceptInvitation,
    responses((status = 201, body = Me), (status = 401, body = fractal_api_types::Problem, content_type = "application/problem+json"), (status = 409, body = fractal_api_types::Problem, content_type = "application/problem+json")))]
async fn accept(
    State(server): State<Server>,
    client: Client,
    headers: HeaderMap,
    Json(body): Json<AcceptInvitation>,
) -> ApiResult<Response> {
    let token = super::auth::secret_header(&headers, "x-invitation-token");
    let session = invitation::accept(&server.app, token.as_ref(), body, &client.into()).await?;
    Ok((StatusCode::CREATED, signed_in(&server, session)).into_response())
}
