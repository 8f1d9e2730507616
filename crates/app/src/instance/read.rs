//! What is shown of instances: life cycle, health and sizes. Never content, except the log to its owner.

use std::{collections::HashMap, pin::Pin, time::Duration};

use fractal_api_types::{InstanceView, LogLineView, OwnerRef, Page, PageQuery, TimelineEntry};
use fractal_policy::{Action, Resource};
use fractal_runtime::contract::{LogQuery, LogSource};
use fractal_store::{Instance, engines, evidence, instances, users};
use fractal_types::{EngineId, InstanceId, SeenState, UserId, Username, WantedState};
use futures::{Stream, StreamExt, stream};
use serde_json::Value;

use super::disk;
use crate::{
    App, Context, Result, engine,
    lookup::{page_of, page_request},
};

/// How often followers see new sizes.
const REFRESH: Duration = Duration::from_secs(5);

/// Log lines, oldest first.
pub type LogLines = Pin<Box<dyn Stream<Item = LogLineView> + Send>>;

pub(crate) async fn view_of(app: &App, row: Instance) -> Result<InstanceView> {
    let mut names = Names::default();
    names.view(app, row).await
}

/// Names of owners and engines, looked up once per answer.
#[derive(Default)]
struct Names {
    users: HashMap<UserId, Username>,
    engines: HashMap<EngineId, String>,
}

impl Names {
    async fn view(&mut self, app: &App, row: Instance) -> Result<InstanceView> {
        let db = app.store.read();
        let username = match self.users.get(&row.user_id) {
            Some(name) => name.clone(),
            None => {
                let name = users::get(&db, row.user_id).await?.username;
                self.users.insert(row.user_id, name.clone());
                name
            }
        };
        let engine_version = match self.engines.get(&row.engine_id) {
            Some(version) => version.clone(),
            None => {
                let version = engines::get(&db, row.engine_id).await?.version;
                self.engines.insert(row.engine_id, version.clone());
                version
            }
        };
        let seen = if row.seen == SeenState::Ready && app.live.is_busy(row.id) {
            SeenState::Busy
        } else {
            row.seen
        };
        let reason = row.seen_reason.clone().or_else(|| disk::reason(&row));
        let started_at = app.live.started_at(row.id).filter(|_| seen.has_process());
        Ok(InstanceView {
            id: row.id,
            owner: OwnerRef {
                id: row.user_id,
                username,
            },
            wanted: row.wanted,
            stop_reason: row.stop_reason,
            seen,
            reason,
            queue_position: app.queue.position(row.id),
            engine_progress: (row.wanted == WantedState::Running
                && engine::is_awaited(app, row.engine_id))
            .then(|| engine::progress(app))
            .flatten(),
            runtime_asset_id: row.runtime_asset_id,
            engine_id: row.engine_id,
            engine_version,
            revision_id: row.revision_id,
            generation: row.generation.0,
            provider_ok: app.live.provider_ok(row.id),
            memory_bytes: row.memory_bytes.filter(|_| seen.has_process()),
            cpu_ms: row.cpu_ms.filter(|_| seen.has_process()),
            disk_bytes: row.disk_bytes,
            disk_pressure: row.disk_pressure,
            limits: row.limits,
            restarts: row.failure_count,
            idle_timeout_minutes: row.idle_timeout_min,
            operation_id: row.held_by.and_then(|id| id.parse().ok()),
            last_active_at: Some(
                app.live
                    .last_active(row.id)
                    .map_or(row.last_active_at, |at| at.max(row.last_active_at)),
            ),
            started_at,
            created_at: row.created_at,
            name: row.name,
        })
    }
}

/// The caller's instances, or everybody's.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(
    app: &App,
    cx: &Context,
    all: bool,
    query: &PageQuery,
) -> Result<Page<InstanceView>> {
    let organization = cx.actor.organization_id;
    let owner = if all { None } else { Some(cx.user_id()?) };
    let resource = match owner {
        Some(owner) => Resource::Instance {
            id: None,
            owner,
            organization,
        },
        None => Resource::Organization(organization),
    };
    app.require(cx, Action::InstanceList, &resource)?;
    let page = instances::list(
        &app.store.read(),
        organization,
        owner,
        &page_request(query)?,
    )
    .await?;
    let mut names = Names::default();
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(names.view(app, row).await?);
    }
    Ok(Page {
        items,
        next_cursor: page.next_cursor,
    })
}

/// One instance.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, id: InstanceId) -> Result<InstanceView> {
    let row = app
        .instance(&app.store.read(), cx, Action::InstanceView, id)
        .await?;
    view_of(app, row).await
}

/// The instance now and at every change, until it is gone or the caller may not see it any more.
///
/// # Errors
///
/// See [`App::require`].
pub async fn follow(
    app: &App,
    cx: &Context,
    id: InstanceId,
) -> Result<Pin<Box<dyn Stream<Item = InstanceView> + Send>>> {
    let first = view(app, cx, id).await?;
    let state = (app.clone(), cx.clone(), app.live.watch(id));
    let later = stream::unfold(state, move |(app, cx, mut watch)| async move {
        let changed = watch.changed();
        // Sizes change without a change of state.
        if let Ok(Err(_)) = tokio::time::timeout(REFRESH, changed).await {
            return None;
        }
        // Decided anew for every event: a revoked right ends the stream.
        let view = view(&app, &cx, id).await.ok()?;
        Some((view, (app, cx, watch)))
    });
    Ok(Box::pin(stream::once(async move { first }).chain(later)))
}

/// The newest log lines and, when following, those that come. Only for the owner: logs hold message text.
///
/// # Errors
///
/// See [`App::require`]; `unavailable` when the asset cannot be asked.
pub async fn logs(
    app: &App,
    cx: &Context,
    id: InstanceId,
    tail: u32,
    follow: bool,
) -> Result<LogLines> {
    app.instance(&app.store.read(), cx, Action::InstanceReadLogs, id)
        .await?;
    let query = LogQuery {
        tail: usize::try_from(tail.min(5000)).unwrap_or(0),
        follow,
    };
    let lines = app
        .runtime
        .logs(id, query)
        .await
        .map_err(super::reconcile::unavailable)?;
    Ok(Box::pin(lines.filter_map(async |line| {
        let line = line.ok()?;
        let source = match line.source {
            LogSource::Stdout => "stdout",
            LogSource::Stderr => "stderr",
            LogSource::Supervisor => "supervisor",
        };
        Some(LogLineView {
            at: line.at,
            source: source.to_owned(),
            text: line.text,
        })
    })))
}

/// What happened to an instance, newest first.
///
/// # Errors
///
/// See [`App::require`].
pub async fn timeline(
    app: &App,
    cx: &Context,
    id: InstanceId,
    query: &PageQuery,
) -> Result<Page<TimelineEntry>> {
    let db = app.store.read();
    app.instance(&db, cx, Action::InstanceView, id).await?;
    let page =
        evidence::page_about(&db, "instance", &id.to_string(), &page_request(query)?).await?;
    let mut details: HashMap<_, Value> = HashMap::new();
    for entry in &page.items {
        let openings = evidence::openings(&db, entry.id).await?;
        details.insert(
            entry.id,
            openings
                .into_iter()
                .map(|opening| (opening.field, opening.value))
                .collect(),
        );
    }
    Ok(page_of(page, |entry| TimelineEntry {
        id: entry.id,
        at: entry.at,
        action: entry.action,
        actor: if entry.actor_id.is_empty() {
            entry.actor_kind
        } else {
            entry.actor_id
        },
        outcome: entry.outcome,
        detail: details.remove(&entry.id).unwrap_or_default(),
    }))
}
