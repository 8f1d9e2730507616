//! `/api/v1/webhooks`.

use axum::extract::State;
use fractal_api_types::{
    CreateWebhook, DeliveryQuery, DeliveryView, NewWebhook, Page, PageQuery, UpdateWebhook,
    WebhookTest, WebhookView,
};
use fractal_app::webhook;
use fractal_types::{DeliveryId, WebhookId};
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
        .routes(routes!(rotate_secret))
        .routes(routes!(test))
        .routes(routes!(deliveries))
        .routes(routes!(replay))
}

/// List webhooks.
#[utoipa::path(get, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "listWebhooks", params(PageQuery),
    responses((status = 200, body = Page<WebhookView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<WebhookView>>> {
    Ok(Json(webhook::list(&server.app, &cx, &page).await?))
}

/// Make a webhook. Its secret is shown once. Messages follow Standard Webhooks.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "createWebhook", request_body = CreateWebhook,
    responses((status = 201, body = NewWebhook)))]
async fn create(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CreateWebhook>,
) -> ApiResult<(StatusCode, Json<NewWebhook>)> {
    Ok((
        StatusCode::CREATED,
        Json(webhook::create(&server.app, &cx, body).await?),
    ))
}

/// Show a webhook.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}", tag = "webhooks", operation_id = "getWebhook", params(("id" = WebhookId, Path)),
    responses((status = 200, body = WebhookView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<WebhookId>,
) -> ApiResult<Json<WebhookView>> {
    Ok(Json(webhook::view(&server.app, &cx, id).await?))
}

/// Change a webhook.
#[utoipa::path(patch, path = "/api/v1/webhooks/{id}", tag = "webhooks", operation_id = "updateWebhook", params(("id" = WebhookId, Path)),
    request_body = UpdateWebhook, responses((status = 200, body = WebhookView)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<WebhookId>,
    Json(body): Json<UpdateWebhook>,
) -> ApiResult<Json<WebhookView>> {
    Ok(Json(webhook::update(&server.app, &cx, id, body).await?))
}

/// Delete a webhook with what is on its way to it.
#[utoipa::path(delete, path = "/api/v1/webhooks/{id}", tag = "webhooks", operation_id = "deleteWebhook", params(("id" = WebhookId, Path)),
    responses((status = 204, description = "deleted")))]
async fn delete(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<WebhookId>,
) -> ApiResult<StatusCode> {
    webhook::delete(&server.app, &cx, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook a new secret, shown once.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/rotate-secret", tag = "webhooks", operation_id = "rotateWebhookSecret",
    params(("id" = WebhookId, Path)), responses((status = 200, body = NewWebhook)))]
async fn rotate_secret(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<WebhookId>,
) -> ApiResult<Json<NewWebhook>> {
    Ok(Json(webhook::rotate_secret(&server.app, &cx, id).await?))
}

/// Send a test message and say how it was taken.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/test", tag = "webhooks", operation_id = "testWebhook",
    params(("id" = WebhookId, Path)), responses((status = 200, body = WebhookTest)))]
async fn test(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<WebhookId>,
) -> ApiResult<Json<WebhookTest>> {
    Ok(Json(webhook::test(&server.app, &cx, id).await?))
}

/// List what is on its way to a webhook and what became of it.
#[utoipa::path(get, path = "/api/v1/webhooks/{id}/deliveries", tag = "webhooks", operation_id = "listWebhookDeliveries",
    params(("id" = WebhookId, Path), DeliveryQuery), responses((status = 200, body = Page<DeliveryView>)))]
async fn deliveries(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<WebhookId>,
    Query(query): Query<DeliveryQuery>,
) -> ApiResult<Json<Page<DeliveryView>>> {
    Ok(Json(
        webhook::deliveries(&server.app, &cx, id, &query).await?,
    ))
}

/// Send an entry once more.
#[utoipa::path(post, path = "/api/v1/webhooks/{id}/deliveries/{delivery_id}/replay", tag = "webhooks", operation_id = "replayWebhookDelivery",
    params(("id" = WebhookId, Path), ("delivery_id" = DeliveryId, Path)), responses((status = 202, body = DeliveryView)))]
async fn replay(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path((id, delivery)): Path<(WebhookId, DeliveryId)>,
) -> ApiResult<(StatusCode, Json<DeliveryView>)> {
    Ok((
        StatusCode::ACCEPTED,
        Json(webhook::replay(&server.app, &cx, id, delivery).await?),
    ))
}
