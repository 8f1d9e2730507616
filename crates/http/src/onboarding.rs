//! `/api/onboarding`: the four short steps of a first start.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use fractal_api_types::{
    ClaimBreakglass, CreateProvider, Me, OnboardingAgent, OnboardingAgentResult, OnboardingOidc,
    OnboardingProviderResult, OnboardingStatus, Problem,
};
use fractal_app::onboarding;
use http::{HeaderMap, StatusCode};
use utoipa_axum::routes;

use crate::{
    Server,
    document::{PUBLIC, Routes},
    extract::{Caller, Client, Json},
    problem::ApiResult,
    v1,
};

pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(status))
        .routes(routes!(breakglass))
        .routes(routes!(oidc))
        .routes(routes!(provider))
        .routes(routes!(agent))
        .routes(routes!(complete))
}

/// How far setup is.
#[utoipa::path(get, path = "/api/onboarding/status", tag = PUBLIC, operation_id = "getOnboardingStatus", responses((status = 200, body = OnboardingStatus)))]
async fn status(State(server): State<Server>) -> ApiResult<Json<OnboardingStatus>> {
    Ok(Json(onboarding::status(&server.app).await?))
}

/// Claim a new installation: makes the first administrator and signs in. Of two simultaneous claims one wins.
#[utoipa::path(post, path = "/api/onboarding/breakglass", tag = PUBLIC, operation_id = "claimBreakglass",
    params(("X-Setup-Token" = Option<String>, Header, description = "the token that `fractal serve` printed")),
    request_body = ClaimBreakglass,
    responses((status = 201, body = Me), (status = 401, body = Problem, content_type = "application/problem+json"), (status = 409, body = Problem, content_type = "application/problem+json")))]
async fn breakglass(
    State(server): State<Server>,
    client: Client,
    headers: HeaderMap,
    Json(body): Json<ClaimBreakglass>,
) -> ApiResult<Response> {
    let token = v1::secret_header(&headers, "x-setup-token");
    let session = onboarding::claim(&server.app, token.as_ref(), body, &client.into()).await?;
    Ok((StatusCode::CREATED, v1::signed_in(&server, session)).into_response())
}

/// Set up an identity provider, or skip the step.
#[utoipa::path(post, path = "/api/onboarding/oidc", tag = "onboarding", operation_id = "onboardOidc", request_body = OnboardingOidc, responses((status = 200, body = OnboardingStatus)))]
async fn oidc(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<OnboardingOidc>,
) -> ApiResult<Json<OnboardingStatus>> {
    Ok(Json(onboarding::oidc(&server.app, &cx, body).await?))
}

/// Add the first model provider and test it. It is saved also when the test fails, so that it can be corrected.
#[utoipa::path(post, path = "/api/onboarding/provider", tag = "onboarding", operation_id = "onboardProvider", request_body = CreateProvider, responses((status = 201, body = OnboardingProviderResult)))]
async fn provider(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CreateProvider>,
) -> ApiResult<(StatusCode, Json<OnboardingProviderResult>)> {
    Ok((
        StatusCode::CREATED,
        Json(onboarding::provider(&server.app, &cx, body).await?),
    ))
}

/// Make the first agent and start it.
#[utoipa::path(post, path = "/api/onboarding/agent", tag = "onboarding", operation_id = "onboardAgent", request_body = OnboardingAgent, responses((status = 201, body = OnboardingAgentResult)))]
async fn agent(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<OnboardingAgent>,
) -> ApiResult<(StatusCode, Json<OnboardingAgentResult>)> {
    Ok((
        StatusCode::CREATED,
        Json(onboarding::agent(&server.app, &cx, body).await?),
    ))
}

/// Finish setup.
#[utoipa::path(post, path = "/api/onboarding/complete", tag = "onboarding", operation_id = "completeOnboarding", responses((status = 200, body = OnboardingStatus)))]
async fn complete(
    State(server): State<Server>,
    Caller(cx): Caller,
) -> ApiResult<Json<OnboardingStatus>> {
    Ok(Json(onboarding::complete(&server.app, &cx).await?))
}
