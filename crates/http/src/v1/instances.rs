//! `/api/v1/instances` and `/api/v1/assets`.

use std::convert::Infallible;

use axum::{
    extract::State,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use fractal_api_types::{
    ChangeEngine, CreateInstance, DeleteInstanceQuery, InstanceView, LogLineView, LogQuery,
    OperationView, Page, PageQuery, RuntimeAssetView, SetInstanceLimits, TimelineEntry,
    UpdateInstance,
};
use fractal_app::{chat, instance};
use fractal_types::InstanceId;
use futures::StreamExt;
use http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::operations;
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
        .routes(routes!(start))
        .routes(routes!(stop))
        .routes(routes!(restart))
        .routes(routes!(set_limits))
        .routes(routes!(change_engine))
        .routes(routes!(logs))
        .routes(routes!(timeline))
        .routes(routes!(events))
        .routes(routes!(assets))
}

/// Which instances.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Everybody's (administrators) instead of the caller's own.
    all: Option<bool>,
    /// The `next_cursor` of the page before.
    #[param(max_length = 512)]
    cursor: Option<String>,
    /// Entries per page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// List instances.
#[utoipa::path(get, path = "/api/v1/instances", tag = "instances", operation_id = "listInstances", params(ListQuery),
    responses((status = 200, body = Page<InstanceView>)))]
async fn list(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<InstanceView>>> {
    let page = PageQuery {
        cursor: query.cursor,
        limit: query.limit,
    };
    Ok(Json(
        instance::list(&server.app, &cx, query.all.unwrap_or(false), &page).await?,
    ))
}

/// Make an instance for the caller.
#[utoipa::path(post, path = "/api/v1/instances", tag = "instances", operation_id = "createInstance", request_body = CreateInstance,
    responses((status = 201, body = InstanceView, description = "made; when it is started, the header Fractal-Operation names the operation that makes it ready")))]
async fn create(
    State(server): State<Server>,
    Caller(cx): Caller,
    Json(body): Json<CreateInstance>,
) -> ApiResult<Response> {
    let (view, operation) = instance::create(&server.app, &cx, body).await?;
    Ok(operations::made(operation, &view))
}

/// Show an instance.
#[utoipa::path(get, path = "/api/v1/instances/{id}", tag = "instances", operation_id = "getInstance", params(("id" = InstanceId, Path)),
    responses((status = 200, body = InstanceView)))]
async fn view(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
) -> ApiResult<Json<InstanceView>> {
    Ok(Json(instance::view(&server.app, &cx, id).await?))
}

/// Rename an instance or change when it goes to sleep.
#[utoipa::path(patch, path = "/api/v1/instances/{id}", tag = "instances", operation_id = "updateInstance", params(("id" = InstanceId, Path)),
    request_body = UpdateInstance, responses((status = 200, body = InstanceView)))]
async fn update(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
    Json(body): Json<UpdateInstance>,
) -> ApiResult<Json<InstanceView>> {
    Ok(Json(instance::update(&server.app, &cx, id, body).await?))
}

/// Delete an instance. It is stopped, then removed, with its files unless they are to be kept. Until the removal begins, cancelling the
/// operation calls it off.
#[utoipa::path(delete, path = "/api/v1/instances/{id}", tag = "instances", operation_id = "deleteInstance",
    params(("id" = InstanceId, Path), DeleteInstanceQuery),
    responses((status = 202, body = InstanceView, description = "begun as the operation that the header Fractal-Operation names")))]
async fn delete(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
    Query(query): Query<DeleteInstanceQuery>,
) -> ApiResult<Response> {
    let keep_volumes = query.keep_volumes.unwrap_or(false);
    let view = instance::delete(&server.app, &cx, id, keep_volumes).await?;
    Ok(operations::accepted(view.operation_id, &view))
}

/// Give an instance another engine. It is stopped, switched, started, and has to prove that it answers; else everything is taken back.
#[utoipa::path(put, path = "/api/v1/instances/{id}/engine", tag = "instances", operation_id = "changeInstanceEngine",
    params(("id" = InstanceId, Path)), request_body = ChangeEngine,
    responses((status = 202, body = OperationView, description = "begun as the operation that the header Fractal-Operation names")))]
async fn change_engine(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
    Json(body): Json<ChangeEngine>,
) -> ApiResult<Response> {
    let view = instance::change_engine(&server.app, &cx, id, body).await?;
    Ok(operations::begun(&view))
}

/// Start an instance.
#[utoipa::path(post, path = "/api/v1/instances/{id}/start", tag = "instances", operation_id = "startInstance", params(("id" = InstanceId, Path)),
    responses((status = 202, body = InstanceView)))]
async fn start(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
) -> ApiResult<(StatusCode, Json<InstanceView>)> {
    Ok((
        StatusCode::ACCEPTED,
        Json(instance::start(&server.app, &cx, id).await?),
    ))
}

/// Stop an instance; its files stay. It stays down until it is started.
#[utoipa::path(post, path = "/api/v1/instances/{id}/stop", tag = "instances", operation_id = "stopInstance", params(("id" = InstanceId, Path)),
    responses((status = 202, body = InstanceView)))]
async fn stop(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
) -> ApiResult<(StatusCode, Json<InstanceView>)> {
    Ok((
        StatusCode::ACCEPTED,
        Json(instance::stop(&server.app, &cx, id).await?),
    ))
}

/// Stop an instance and start it again.
#[utoipa::path(post, path = "/api/v1/instances/{id}/restart", tag = "instances", operation_id = "restartInstance", params(("id" = InstanceId, Path)),
    responses((status = 202, body = InstanceView)))]
async fn restart(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
) -> ApiResult<(StatusCode, Json<InstanceView>)> {
    Ok((
        StatusCode::ACCEPTED,
        Json(instance::restart(&server.app, &cx, id).await?),
    ))
}

/// Set what an instance may use, for administrators. Its owner cannot: a limit that they can lift is none.
#[utoipa::path(put, path = "/api/v1/instances/{id}/limits", tag = "instances", operation_id = "setInstanceLimits", params(("id" = InstanceId, Path)),
    request_body = SetInstanceLimits, responses((status = 200, body = InstanceView)))]
async fn set_limits(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
    Json(body): Json<SetInstanceLimits>,
) -> ApiResult<Json<InstanceView>> {
    Ok(Json(
        instance::set_limits(&server.app, &cx, id, body).await?,
    ))
}

/// Read or follow the log. Only for the owner: logs hold message text.
#[utoipa::path(get, path = "/api/v1/instances/{id}/logs", tag = "instances", operation_id = "readInstanceLogs",
    params(("id" = InstanceId, Path), LogQuery),
    responses((status = 200, description = "the newest lines, oldest first; with `follow` an event stream of `line` events",
        content((Page<LogLineView> = "application/json"), (String = "text/event-stream")))))]
async fn logs(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
    Query(query): Query<LogQuery>,
) -> ApiResult<Response> {
    let follow = query.follow.unwrap_or(false);
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    let lines = instance::logs(&server.app, &cx, id, query.tail.unwrap_or(200), follow).await?;
    if !follow {
        let items: Vec<LogLineView> = lines.collect().await;
        return Ok(Json(Page {
            items,
            next_cursor: None,
        })
        .into_response());
    }
    // What is followed may never speak again, so the stream itself listens for the caller being signed out.
    let events = lines.take_until(signed_out).map(|line| {
        Ok::<_, Infallible>(
            Event::default()
                .event("line")
                .data(serde_json::to_string(&line).unwrap_or_default()),
        )
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// What happened to an instance, newest first.
#[utoipa::path(get, path = "/api/v1/instances/{id}/timeline", tag = "instances", operation_id = "getInstanceTimeline",
    params(("id" = InstanceId, Path), PageQuery), responses((status = 200, body = Page<TimelineEntry>)))]
async fn timeline(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
    Query(page): Query<PageQuery>,
) -> ApiResult<Json<Page<TimelineEntry>>> {
    Ok(Json(instance::timeline(&server.app, &cx, id, &page).await?))
}

/// Follow an instance: an `instance` event now and at every change.
#[utoipa::path(get, path = "/api/v1/instances/{id}/events", tag = "instances", operation_id = "followInstance", params(("id" = InstanceId, Path)),
    responses((status = 200, description = "an event stream", body = String, content_type = "text/event-stream")))]
async fn events(
    State(server): State<Server>,
    Caller(cx): Caller,
    Path(id): Path<InstanceId>,
) -> ApiResult<Response> {
    let signed_out = chat::signed_out(&server.app, &cx).await?;
    let views = instance::follow(&server.app, &cx, id).await?;
    let events = views.take_until(signed_out).map(|view| {
        Ok::<_, Infallible>(
            Event::default()
                .event("instance")
                .data(serde_json::to_string(&view).unwrap_or_default()),
        )
    });
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response())
}

/// List the machine surfaces that host instances.
#[utoipa::path(get, path = "/api/v1/assets", tag = "assets", operation_id = "listAssets", params(PageQuery), responses((status = 200, body = Page<RuntimeAssetView>)))]
async fn assets(
    State(server): State<Server>,
    Caller(cx): Caller,
    Query(_page): Query<PageQuery>,
) -> ApiResult<Json<Page<RuntimeAssetView>>> {
    Ok(Json(fractal_app::asset::list(&server.app, &cx).await?))
}
