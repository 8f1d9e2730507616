//! The way of a chat to an instance that may be asleep.

use std::time::Duration;

use fractal_api_types::{ChatPhase, EngineProgress, ProblemCode};
use fractal_openclaw::ws::Gateway;
use fractal_policy::Action;
use fractal_store::instances;
use fractal_types::{InstanceId, SeenState, StopReason, UserId, WantedState};
use tokio::time::timeout;

use super::{
    live::{BusyGuard, Proof},
    wanted::wake,
};
use crate::{App, Context, Error, Result, engine, user};

/// The longest a caller waits, an engine installation on a slow line included.
const PATIENCE: Duration = Duration::from_secs(900);

/// How long a wake usually takes until this installation has measured its own; the gateway's own boot (`openclaw.md`
/// section 1) and a proving turn.
const TYPICAL_WAKE_MS: u64 = 9_000;

/// A change on the way to readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What happens.
    pub phase: ChatPhase,
    /// The state.
    pub state: Option<SeenState>,
    /// Place in the queue for a start slot.
    pub queue_position: Option<u32>,
    /// How long this usually takes, in milliseconds.
    pub typical_ms: Option<u64>,
    /// How far the engine is, while it is being installed.
    pub installing: Option<EngineProgress>,
}

/// Keeps an instance from being put to sleep until the guard is dropped, and notes the use.
#[must_use]
pub fn note_use(app: &App, id: InstanceId) -> BusyGuard {
    app.live.touch(id, app.clock.now());
    app.live.busy(id)
}

/// The connected gateway of an instance that is awake; never wakes.
///
/// # Errors
///
/// See [`App::require`].
pub async fn if_awake(
    app: &App,
    cx: &Context,
    action: Action,
    id: InstanceId,
) -> Result<Option<Gateway>> {
    app.instance(&app.store.read(), cx, action, id).await?;
    Ok(connected(app, id))
}

fn connected(app: &App, id: InstanceId) -> Option<Gateway> {
    let connection = app.live.connection(id)?;
    matches!(connection.proof, Proof::Done(_)).then_some(connection.gateway)
}

/// Wakes the instance if needed and waits until its gateway answers.
///
/// # Errors
///
/// `not-found` when it is not the caller's to use, `forbidden` when its owner is suspended, `instance-stopped` when a person stopped it, `instance-failed` when it does
/// not come up.
pub async fn ensure_ready(
    app: &App,
    cx: &Context,
    id: InstanceId,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Gateway> {
    let row = app
        .instance(&app.store.read(), cx, Action::ChatSend, id)
        .await?;
    check_owner(app, row.user_id).await?;
    app.live.touch(id, app.clock.now());
    if row.wanted == WantedState::Running
        && row.seen.answers()
        && let Some(gateway) = connected(app, id)
    {
        return Ok(gateway);
    }
    match (row.wanted, row.stop_reason) {
        (WantedState::Running, _) => app.wake_instance(id),
        (WantedState::Stopped | WantedState::Frozen, Some(StopReason::Idle)) => {
            progress(Progress {
                phase: ChatPhase::Waking,
                state: Some(row.seen),
                queue_position: None,
                typical_ms: Some(TYPICAL_WAKE_MS),
                installing: None,
            });
            // When somebody wished something else meanwhile, the wait below sees it.
            let _ = wake(app, &row, "chat").await?;
        }
        (WantedState::Deleted, _) => return Err(Error::not_found()),
        // Afterwards it is as it was before; the wait below sees that.
        _ if row.held_by.is_some() => progress(Progress {
            phase: ChatPhase::Waking,
            state: Some(row.seen),
            queue_position: None,
            typical_ms: None,
            installing: None,
        }),
        (WantedState::Stopped, Some(StopReason::Disk)) => {
            return Err(Error::new(ProblemCode::InstanceStopped)
                .detail("this agent was stopped, because its files take more than they may")
                .remedy("see its page: have an administrator raise the limit, or start it and have it delete files"));
        }
        _ => {
            return Err(Error::new(ProblemCode::InstanceStopped)
                .detail("this agent was stopped and stays down until somebody starts it")
                .remedy("start it on its page, or with `fractal instances start`"));
        }
    }
    timeout(PATIENCE, wait(app, id, progress))
        .await
        .unwrap_or_else(|_| {
            Err(Error::new(ProblemCode::InstanceFailed)
                .detail("the agent did not become ready in time")
                .remedy("look at its page for the reason"))
        })
}

/// Refuses when the owner is suspended: what is theirs neither wakes nor answers, whoever asks.
async fn check_owner(app: &App, owner: UserId) -> Result<()> {
    if user::is_active(&app.store.read(), owner).await? {
        return Ok(());
    }
    Err(Error::new(ProblemCode::Forbidden)
        .detail("this account is suspended")
        .remedy("ask an administrator"))
}

async fn wait(
    app: &App,
    id: InstanceId,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Gateway> {
    let mut watch = app.live.watch(id);
    let mut told = None;
    loop {
        watch.borrow_and_update();
        // The row is the truth; the watch only says when to look.
        let row = instances::find(&app.store.read(), id)
            .await?
            .filter(|row| row.deleted_at.is_none())
            .ok_or_else(Error::not_found)?;
        check_owner(app, row.user_id).await?;
        match (row.wanted, row.seen) {
            (WantedState::Running, SeenState::CrashLooping | SeenState::Failed)
                if row.held_by.is_none() =>
            {
                let reason = row
                    .seen_reason
                    .unwrap_or_else(|| "it could not be started".to_owned());
                return Err(Error::new(ProblemCode::InstanceFailed)
                    .detail(format!("the agent could not be started: {reason}"))
                    .remedy("start it again on its page once the cause is removed"));
            }
            (WantedState::Running, state) => {
                if let Some(trouble) = engine::trouble(app, row.engine_id) {
                    return Err(Error::new(ProblemCode::InstanceFailed)
                        .detail(format!("its engine could not be installed: {trouble}"))
                        .remedy("install the engine again under Settings, or with `fractal engine install`"));
                }
                if state.answers()
                    && let Some(gateway) = connected(app, id)
                {
                    return Ok(gateway);
                }
                let now = if engine::is_awaited(app, row.engine_id) {
                    Progress {
                        phase: ChatPhase::Installing,
                        state: Some(state),
                        queue_position: None,
                        // Depends on the line to the registry, so nothing is promised.
                        typical_ms: None,
                        installing: engine::progress(app),
                    }
                } else {
                    Progress {
                        phase: phase_of(state),
                        state: Some(state),
                        queue_position: app.queue.position(id),
                        typical_ms: Some(TYPICAL_WAKE_MS),
                        installing: None,
                    }
                };
                if told.as_ref() != Some(&now) {
                    told = Some(now.clone());
                    progress(now);
                }
            }
            // An operation works on it, and gives it back.
            (WantedState::Stopped | WantedState::Frozen, _) if row.held_by.is_some() => {}
            // Put to sleep between the wish and the wake: wish again.
            (WantedState::Stopped, _) if row.stop_reason == Some(StopReason::Idle) => {
                let _ = wake(app, &row, "chat").await?;
            }
            _ => {
                return Err(Error::new(ProblemCode::InstanceStopped)
                    .detail("the agent was stopped meanwhile"));
            }
        }
        if matches!(
            timeout(Duration::from_secs(2), watch.changed()).await,
            Ok(Err(_))
        ) {
            return Err(Error::not_found());
        }
    }
}

const fn phase_of(state: SeenState) -> ChatPhase {
    match state {
        SeenState::Pending => ChatPhase::Queued,
        SeenState::Starting => ChatPhase::Starting,
        SeenState::Ready | SeenState::Busy => ChatPhase::Connecting,
        _ => ChatPhase::Waking,
    }
}
