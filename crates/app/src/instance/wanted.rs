//! Changes of what is wanted.

use async_trait::async_trait;
use fractal_api_types::{CreateInstance, InstanceView, ProblemCode, UpdateInstance};
use fractal_crypto::{Token, TokenKind};
use fractal_policy::{Action, Resource};
use fractal_runtime::contract::Isolation;
use fractal_store::{Instance, PageRequest, Tx, Volumes, engines, instances, operations, profiles};
use fractal_types::{
    DiskPressure, Generation, InstanceId, Label, Limits, OperationId, SeenState, StopReason,
    Timestamp, UserId, WantedState,
};
use serde_json::json;

use super::{disk::note_pressure, operated::held, provision, read::view_of};
use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit, taken},
    incident::{checks::Finding, obstacle},
    lookup::instance_resource,
    session::note,
    settings::checked_idle_timeout,
    user,
};

/// Enough for a person, few enough to keep one person from using up a machine.
pub(crate) const MAX_PER_USER: usize = 5;

/// Makes an instance for the caller and, unless told otherwise, starts it, which is an operation.
///
/// # Errors
///
/// `already-exists` for a taken name; `conflict` when the caller has too many, or when the runtime's isolation is reduced
/// and somebody else's instance lives on it; see [`submit`].
pub async fn create(
    app: &App,
    cx: &Context,
    body: CreateInstance,
) -> Result<(InstanceView, Option<OperationId>)> {
    let owner = cx.user_id()?;
    // Looked at before: only the database is waited for inside a transaction.
    let obstacle = match body.start {
        Some(false) => None,
        _ => obstacle(app, provision::NAME).await?,
    };
    let change = Create {
        id: app.new_id(),
        owner,
        body,
        obstacle,
    };
    let (row, operation) = submit(app, cx, change).await?;
    Ok((view_of(app, row).await?, operation))
}

struct Create {
    id: InstanceId,
    owner: UserId,
    body: CreateInstance,
    /// What keeps it from being started.
    obstacle: Option<Finding>,
}

#[async_trait]
impl Change for Create {
    type Output = (Instance, Option<OperationId>);

    fn action(&self) -> Action {
        Action::InstanceCreate
    }

    async fn resource(&self, _tx: &Tx, cx: &Context) -> Result<Resource> {
        Ok(Resource::Instance {
            id: None,
            owner: self.owner,
            organization: cx.actor.organization_id,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Self::Output> {
        let (app, tx) = (door.app, door.tx);
        let organization_id = door.cx.actor.organization_id;
        let request = PageRequest {
            limit: 200,
            ..PageRequest::default()
        };
        let own = instances::list(tx, organization_id, Some(self.owner), &request)
            .await?
            .items;
        if own.len() >= MAX_PER_USER {
            return Err(
                Error::conflict(format!("you have {MAX_PER_USER} agents already"))
                    .remedy("delete one you do not need"),
            );
        }
        if app.runtime.capabilities().isolation == Isolation::Reduced
            && !app.settings().reduced_isolation_accepted
        {
            let everybody = instances::list(tx, organization_id, None, &request)
                .await?
                .items;
            if everybody.iter().any(|other| other.user_id != self.owner) {
                return Err(Error::conflict("isolation is reduced on this machine, so only one person may have agents")
                    .remedy("install bubblewrap, or have an administrator accept the risk under Settings / Installation"));
            }
        }
        if let Some(obstacle) = &self.obstacle {
            return Err(Error::new(ProblemCode::Unavailable)
                .detail(&*obstacle.finding)
                .remedy(obstacle.remedy));
        }
        let engine_id = match self.body.engine_id {
            Some(id) => {
                engines::find(tx, id)
                    .await?
                    .ok_or_else(|| Error::field("/engine_id", "there is no such engine"))?
                    .id
            }
            None => match engines::find_latest_installed(tx).await? {
                Some(engine) => engine.id,
                None => engines::list(tx)
                    .await?
                    .first()
                    .map(|engine| engine.id)
                    .ok_or_else(|| {
                        Error::new(ProblemCode::Unavailable)
                            .detail("no engine is known yet")
                            .remedy("try again in a moment")
                    })?,
            },
        };
        let idle_timeout_min = match profiles::find_by_user(tx, self.owner)
            .await?
            .and_then(|profile| profile.idle_timeout_min)
        {
            Some(minutes) => minutes,
            None => app.settings().idle_timeout_minutes,
        };
        let instance_token = Token::generate(TokenKind::Instance, &*app.entropy);
        let gateway_token = Token::generate(TokenKind::Gateway, &*app.entropy);
        let now = app.clock.now();
        let wanted = if self.body.start.unwrap_or(true) {
            WantedState::Running
        } else {
            WantedState::Stopped
        };
        let row = Instance {
            id: self.id,
            organization_id,
            user_id: self.owner,
            name: self.body.name.clone(),
            runtime_asset_id: app.asset_id,
            engine_id,
            wanted,
            stop_reason: (wanted == WantedState::Stopped).then_some(StopReason::Person),
            seen: if wanted == WantedState::Running {
                SeenState::Pending
            } else {
                SeenState::Stopped
            },
            seen_reason: None,
            generation: Generation(1),
            revision_id: None,
            proved_hash: None,
            boot_id: None,
            instance_token_hash: instance_token.hash(),
            instance_token: app
                .seal_instance_token(
                    tx,
                    self.owner,
                    self.id,
                    "instance_token",
                    instance_token.secret(),
                )
                .await?,
            gateway_token: app
                .seal_instance_token(
                    tx,
                    self.owner,
                    self.id,
                    "gateway_token",
                    gateway_token.secret(),
                )
                .await?,
            idle_timeout_min,
            last_active_at: now,
            next_wake_at: None,
            restarts: Vec::new(),
            failure_count: 0,
            next_attempt_at: None,
            limits: Limits::default(),
            memory_bytes: None,
            cpu_ms: None,
            disk_bytes: None,
            disk_pressure: DiskPressure::Ok,
            seen_at: None,
            volumes: Volumes::Keep,
            held_by: None,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        instances::insert(tx, &row)
            .await
            .map_err(|error| taken(error, "the name"))?;
        door.made(row.id);
        door.note("name", row.name.as_str());
        door.note("engine_id", row.engine_id.to_string());
        door.note("wanted", row.wanted.as_str());
        door.wake(row.id);
        let operation = match row.wanted {
            WantedState::Running => Some(provision::begin(door, &row).await?),
            _ => None,
        };
        Ok((row, operation))
    }
}

/// Starts an instance; also one that was given up, which is then tried anew.
///
/// # Errors
///
/// See [`submit`].
pub async fn start(app: &App, cx: &Context, id: InstanceId) -> Result<InstanceView> {
    set(
        app,
        cx,
        id,
        Action::InstanceStart,
        Wish::Run { again: false },
    )
    .await
}

/// Stops an instance until somebody starts it.
///
/// # Errors
///
/// See [`submit`].
pub async fn stop(app: &App, cx: &Context, id: InstanceId) -> Result<InstanceView> {
    set(
        app,
        cx,
        id,
        Action::InstanceStop,
        Wish::Stop(StopReason::Person),
    )
    .await
}

/// Stops an instance and starts it again.
///
/// # Errors
///
/// See [`submit`].
pub async fn restart(app: &App, cx: &Context, id: InstanceId) -> Result<InstanceView> {
    set(
        app,
        cx,
        id,
        Action::InstanceRestart,
        Wish::Run { again: true },
    )
    .await
}

async fn set(
    app: &App,
    cx: &Context,
    id: InstanceId,
    action: Action,
    wish: Wish,
) -> Result<InstanceView> {
    let row = submit(
        app,
        cx,
        SetWanted {
            id,
            action,
            wish,
            only_in: None,
            operation: None,
            next_wake_at: None,
            cause: None,
        },
    )
    .await?;
    view_of(app, row).await
}

/// Wakes an instance that sleeps, because somebody needs it or its time has come; whether it did. It does not when
/// somebody has wished something else since `row` was read. The permission to use it was decided before; the waking
/// itself is the system's.
///
/// # Errors
///
/// See [`submit`].
pub(crate) async fn wake(app: &App, row: &Instance, cause: &'static str) -> Result<bool> {
    let change = SetWanted {
        id: row.id,
        action: Action::InstanceStart,
        wish: Wish::Run { again: false },
        only_in: Some(row.generation),
        operation: None,
        next_wake_at: None,
        cause: Some(cause),
    };
    by_itself(app, row, change).await
}

/// Puts an instance to sleep until it is needed, or until its own next appointment; whether it did. It does not when
/// somebody has wished something else since `row` was read.
///
/// # Errors
///
/// See [`submit`].
pub(crate) async fn put_to_sleep(
    app: &App,
    row: &Instance,
    next_wake_at: Option<Timestamp>,
) -> Result<bool> {
    let change = SetWanted {
        id: row.id,
        action: Action::InstanceStop,
        wish: Wish::Stop(StopReason::Idle),
        only_in: Some(row.generation),
        operation: None,
        next_wake_at,
        cause: Some("idle"),
    };
    by_itself(app, row, change).await
}

/// Stops an instance whose files have reached their limit, until somebody starts it; whether it did. It does not when somebody
/// has wished something else since `row` was read.
///
/// # Errors
///
/// See [`submit`].
pub(crate) async fn stop_for_disk(app: &App, row: &Instance) -> Result<bool> {
    let change = SetWanted {
        id: row.id,
        action: Action::InstanceStop,
        wish: Wish::Stop(StopReason::Disk),
        only_in: Some(row.generation),
        operation: None,
        next_wake_at: None,
        cause: Some("disk"),
    };
    by_itself(app, row, change).await
}

/// Restarts a running instance so that it takes its new configuration; whether it did. It does not when somebody has
/// wished something else since `row` was read.
///
/// # Errors
///
/// See [`submit`].
pub(crate) async fn renew(app: &App, row: &Instance) -> Result<bool> {
    let change = SetWanted {
        id: row.id,
        action: Action::InstanceRestart,
        wish: Wish::Run { again: true },
        only_in: Some(row.generation),
        operation: None,
        next_wake_at: None,
        cause: Some("configuration"),
    };
    by_itself(app, row, change).await
}

/// Puts an instance to sleep because its owner is suspended, as a part of that change. It sleeps as an idle one does; its next
/// appointment counts as due, and is kept once the owner is let back in.
///
/// # Errors
///
/// When the database fails.
pub(crate) async fn suspend(door: &Door<'_>, mut row: Instance, now: Timestamp) -> Result<()> {
    row.wanted = WantedState::Stopped;
    row.stop_reason = Some(StopReason::Idle);
    row.next_wake_at = Some(now);
    row.generation = row.generation.next();
    row.updated_at = now;
    instances::update(door.tx, &row).await?;
    let values = vec![
        ("wanted", json!(row.wanted)),
        ("reason", json!(row.stop_reason)),
        ("generation", json!(row.generation)),
        ("cause", json!("owner suspended")),
    ];
    let (action, id) = (Action::InstanceStop.as_str(), row.id.to_string());
    note(door.app, door.tx, door.cx, action, "instance", id, values).await?;
    door.wake(row.id);
    Ok(())
}

/// A change that nobody asked for: a wish of somebody that came first wins.
async fn by_itself(app: &App, row: &Instance, change: SetWanted) -> Result<bool> {
    match submit(app, &Context::system(row.organization_id), change).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code, ProblemCode::Conflict | ProblemCode::NotFound) => {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Wish {
    Run { again: bool },
    Stop(StopReason),
    Delete(Volumes),
}

pub(super) struct SetWanted {
    pub(super) id: InstanceId,
    pub(super) action: Action,
    pub(super) wish: Wish,
    /// Only when nobody has wished anything since this generation.
    pub(super) only_in: Option<Generation>,
    /// The operation that wishes it, with its fence. While one holds the instance, nobody else does.
    pub(super) operation: Option<(OperationId, u64)>,
    pub(super) next_wake_at: Option<Timestamp>,
    pub(super) cause: Option<&'static str>,
}

#[async_trait]
impl Change for SetWanted {
    type Output = Instance;

    fn action(&self) -> Action {
        self.action
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = instances::find(tx, self.id)
            .await?
            .filter(|row| row.deleted_at.is_none())
            .ok_or_else(Error::not_found)?;
        Ok(instance_resource(&row))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Instance> {
        let mut row = instances::get(door.tx, self.id).await?;
        if row.wanted == WantedState::Deleted && !matches!(self.wish, Wish::Delete(_)) {
            return Err(Error::conflict("it is being deleted"));
        }
        let operation = self.operation.map(|(id, _)| id.to_string());
        if row.held_by.is_some() && row.held_by != operation {
            return Err(held(&row));
        }
        if let Some((id, fence)) = self.operation {
            operations::check(door.tx, id, fence).await?;
        }
        if self.only_in.is_some_and(|known| known != row.generation) {
            return Err(Error::conflict("somebody has changed it meanwhile"));
        }
        if matches!(self.wish, Wish::Run { .. }) && !user::is_active(door.tx, row.user_id).await? {
            return Err(Error::conflict("its owner is suspended").remedy("let them back in first"));
        }
        if self.cause.is_none() {
            provision::answer(door, &row, &self.wish).await?;
        }
        let before = (row.wanted, row.stop_reason);
        let seen = row.seen;
        match self.wish {
            Wish::Run { again } => {
                row.wanted = WantedState::Running;
                row.stop_reason = None;
                let given_up = matches!(row.seen, SeenState::CrashLooping | SeenState::Failed);
                if again || given_up || before.0 != WantedState::Running {
                    row.failure_count = 0;
                    row.next_attempt_at = None;
                }
                if given_up || (before.0 != WantedState::Running && !row.seen.has_process()) {
                    row.seen = SeenState::Pending;
                    row.seen_reason = None;
                }
                row.last_active_at = door.app.clock.now();
                if again {
                    row.generation = row.generation.next();
                }
            }
            Wish::Stop(reason) => {
                row.wanted = WantedState::Stopped;
                row.stop_reason = Some(reason);
                if reason == StopReason::Disk && row.disk_pressure != DiskPressure::Full {
                    note_pressure(door.app, door.tx, &row, DiskPressure::Full).await?;
                    row.disk_pressure = DiskPressure::Full;
                }
            }
            Wish::Delete(volumes) => {
                row.wanted = WantedState::Deleted;
                row.volumes = volumes;
                door.note("keep_volumes", volumes == Volumes::Keep);
            }
        }
        row.next_wake_at = self.next_wake_at;
        // What the reconciler saw in an earlier generation it does not write any more. So a new one begins also when only
        // the memory of failures is wiped, or a look that is on its way would bring it back.
        if before != (row.wanted, row.stop_reason) || seen != row.seen {
            row.generation = row.generation.next();
        }
        if seen != row.seen {
            let detail = json!({ "from": seen.as_str(), "reason": "somebody wants it" });
            door.app
                .note_transition(door.tx, &row, row.seen.as_str(), &detail)
                .await?;
        }
        row.updated_at = door.app.clock.now();
        instances::update(door.tx, &row).await?;
        door.note("wanted", row.wanted.as_str());
        door.note("reason", json!(row.stop_reason));
        door.note("generation", row.generation.0);
        if let Some(cause) = self.cause {
            door.note("cause", cause);
        }
        if let Some(operation) = operation {
            door.note("operation", operation);
        }
        door.wake(row.id);
        Ok(row)
    }
}

/// Renames an instance or changes when it goes to sleep.
///
/// # Errors
///
/// See [`submit`].
pub async fn update(
    app: &App,
    cx: &Context,
    id: InstanceId,
    body: UpdateInstance,
) -> Result<InstanceView> {
    if let Some(minutes) = body.idle_timeout_minutes {
        checked_idle_timeout(minutes)?;
    }
    let row = submit(
        app,
        cx,
        Update {
            id,
            name: body.name,
            idle_timeout_min: body.idle_timeout_minutes,
        },
    )
    .await?;
    app.live.nudge(id);
    view_of(app, row).await
}

struct Update {
    id: InstanceId,
    name: Option<Label>,
    idle_timeout_min: Option<u32>,
}

#[async_trait]
impl Change for Update {
    type Output = Instance;

    fn action(&self) -> Action {
        Action::InstanceConfigure
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = instances::find(tx, self.id)
            .await?
            .filter(|row| row.deleted_at.is_none())
            .ok_or_else(Error::not_found)?;
        Ok(instance_resource(&row))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Instance> {
        let mut row = instances::get(door.tx, self.id).await?;
        if let Some(name) = &self.name {
            row.name = name.clone();
        }
        if let Some(minutes) = self.idle_timeout_min {
            row.idle_timeout_min = minutes;
        }
        row.updated_at = door.app.clock.now();
        instances::update(door.tx, &row)
            .await
            .map_err(|error| taken(error, "the name"))?;
        door.note("name", row.name.as_str());
        door.note("idle_timeout_minutes", row.idle_timeout_min);
        door.wake(row.id);
        Ok(row)
    }
}
