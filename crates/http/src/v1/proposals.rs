//! `/api/v1/proposals`: changes that wait for approval. They are made by asking for a change that a rule wants approved.

use std::sync::Arc;

use axum::{Extension, extract::State};
use fractal_api_types::{
    ApproveProposal, Page, ProposalAnswer, ProposalQuery, ProposalSimulation, ProposalView,
    RejectProposal,
};
use fractal_app::proposal;
use fractal_types::ProposalId;
use utoipa_axum::routes;

use crate::{
    Server,
    document::Routes,
    extract::{Caller, Json, Path, Query},
    perform::Performer,
    problem::ApiResult,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(list))
        .routes(routes!(view))
        .routes(routes!(simulate))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(withdraw))
        .routes(routes!(collect))
}

/// List the changes that wait or waited for approval, as far as the caller may see them.
#[utoipa::path(get, path = "/api/v1/proposals", tag = "proposals", operation_id = "listProposals", params(ProposalQuery),
    responses((status = 200, body = Page<ProposalView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<ProposalQuery>,
) -> ApiResult<Json<Page<ProposalView>>> {
    Ok(Json(proposal::list(&server.app, &cx, &query).await?))
}

/// Show a proposal.
#[utoipa::path(get, path = "/api/v1/proposals/{id}", tag = "proposals", operation_id = "getProposal", params(("id" = ProposalId, Path)),
    responses((status = 200, body = ProposalView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProposalId>,
) -> ApiResult<Json<ProposalView>> {
    Ok(Json(proposal::view(&server.app, &cx, id).await?))
}

/// Find out what a proposal would do now. Nothing changes.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/simulate", tag = "proposals", operation_id = "simulateProposal",
    params(("id" = ProposalId, Path)), responses((status = 200, body = ProposalSimulation)))]
async fn simulate(
    State(server): State<Server>,
    Extension(performer): Extension<Arc<Performer>>,
    Caller(cx): Caller,
    Path(id): Path<ProposalId>,
) -> ApiResult<Json<ProposalSimulation>> {
    Ok(Json(
        proposal::simulate(&server.app, &*performer, &cx, id).await?,
    ))
}

/// Approve a proposal. With its last approval it is carried out.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/approve", tag = "proposals", operation_id = "approveProposal",
    params(("id" = ProposalId, Path)), request_body = ApproveProposal, responses((status = 200, body = ProposalView)))]
async fn approve(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProposalId>,
    Json(body): Json<ApproveProposal>,
) -> ApiResult<Json<ProposalView>> {
    Ok(Json(proposal::approve(&server.app, &cx, id, body).await?))
}

/// Reject a proposal. One is enough.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/reject", tag = "proposals", operation_id = "rejectProposal",
    params(("id" = ProposalId, Path)), request_body = RejectProposal, responses((status = 200, body = ProposalView)))]
async fn reject(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProposalId>,
    Json(body): Json<RejectProposal>,
) -> ApiResult<Json<ProposalView>> {
    Ok(Json(proposal::reject(&server.app, &cx, id, body).await?))
}

/// Withdraw what one asked for.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/withdraw", tag = "proposals", operation_id = "withdrawProposal",
    params(("id" = ProposalId, Path)), responses((status = 200, body = ProposalView)))]
async fn withdraw(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProposalId>,
) -> ApiResult<Json<ProposalView>> {
    Ok(Json(proposal::withdraw(&server.app, &cx, id).await?))
}

/// Fetch, once, what a carried out change answered. It may hold a new secret.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/collect", tag = "proposals", operation_id = "collectProposal",
    params(("id" = ProposalId, Path)), responses((status = 200, body = ProposalAnswer)))]
async fn collect(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<ProposalId>,
) -> ApiResult<Json<ProposalAnswer>> {
    Ok(Json(proposal::collect(&server.app, &cx, id).await?))
}
