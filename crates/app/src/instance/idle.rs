//! Putting idle instances to sleep, without losing a turn or an appointment.
//!
//! The gateway itself is asked: it knows about turns that came by other ways, running jobs, and its next cron time
//! (`openclaw.md` sections 9.1 and 9.4). Only when it is fenced and idle is it stopped.

use std::time::Duration;

use fractal_openclaw::ws::{Gateway, Suspension};
use fractal_store::Instance;
use fractal_types::Timestamp;

use super::wanted::put_to_sleep;
use crate::{App, Result};

/// An appointment this close is not worth a stop and a start.
const TOO_CLOSE: Duration = Duration::from_secs(180);

/// A sleeping instance is woken this long before its appointment. Agent-turn jobs that were missed run two minutes
/// after a start (`openclaw.md` section 9.4), so it must be up in time.
pub(crate) const WAKE_AHEAD: Duration = Duration::from_secs(30);

/// When it was last used, by what memory and the database know.
pub(crate) fn last_used(app: &App, row: &Instance) -> Timestamp {
    app.live
        .last_active(row.id)
        .map_or(row.last_active_at, |at| at.max(row.last_active_at))
}

/// When the instance has to be looked at for idleness; `None` while it is busy.
pub(crate) fn due_at(app: &App, row: &Instance) -> Option<Timestamp> {
    if app.live.is_busy(row.id) {
        return None;
    }
    Some(last_used(app, row).after(Duration::from_secs(u64::from(row.idle_timeout_min) * 60)))
}

/// Puts the instance to sleep if the gateway agrees; whether it did.
///
/// # Errors
///
/// When the database fails. A gateway that cannot be asked stays awake.
pub(crate) async fn try_sleep(app: &App, row: &Instance, gateway: &Gateway) -> Result<bool> {
    match gateway.restart_preflight().await {
        Ok(preflight) if preflight.safe => {}
        // Work that did not come through us is use all the same.
        Ok(_) => {
            app.live.touch(row.id, app.clock.now());
            return Ok(false);
        }
        Err(error) => {
            tracing::debug!(instance.id = %row.id, "not put to sleep, because its gateway cannot be asked: {error}");
            return Ok(false);
        }
    }
    let Ok(cron) = gateway.cron_status().await else {
        return Ok(false);
    };
    let next = cron
        .next_wake_at_ms
        .filter(|_| cron.enabled)
        .map(|millis| Timestamp::from_micros(millis.saturating_mul(1000)));
    if next.is_some_and(|at| at.since(app.clock.now()) < TOO_CLOSE) {
        return Ok(false);
    }
    let request = format!("sleep-{}-{}", row.id, row.generation);
    match gateway.suspend_prepare(&request, false).await {
        Ok(Suspension::Ready { id, .. }) => {
            // Between the question and the fence somebody may have come, or wished something else.
            let slept = if app.live.is_busy(row.id) {
                Ok(false)
            } else {
                put_to_sleep(app, row, next.map(|at| at.before(WAKE_AHEAD))).await
            };
            if !matches!(slept, Ok(true))
                && let Some(id) = id
            {
                // Otherwise the fence runs out by itself after two minutes.
                let _ = gateway.suspend_resume(&id).await;
            }
            slept
        }
        Ok(_) => {
            app.live.touch(row.id, app.clock.now());
            Ok(false)
        }
        Err(error) => {
            tracing::debug!(instance.id = %row.id, "not put to sleep: {error}");
            Ok(false)
        }
    }
}
