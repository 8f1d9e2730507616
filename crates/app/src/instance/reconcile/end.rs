//! Ends, asked and unasked, and what they cost.

use std::time::Duration;

use fractal_background::Next;
use fractal_runtime::contract::{ErrorClass, Exit, Fence, Volumes as Keep};
use fractal_store::{Instance, Tx, Volumes, instances};
use fractal_types::{InstanceId, SeenState, Timestamp};
use serde_json::json;

use super::{SOON, unavailable};
use crate::{
    App, Result,
    instance::plan::{WELL_AFTER, backoff},
};

impl App {
    /// Ends the process, gracefully within `grace`; `failure` says that this counts as an unasked end.
    pub(super) async fn end(
        &self,
        row: &mut Instance,
        grace: Duration,
        failure: Option<String>,
    ) -> Result<Next> {
        self.see(row, SeenState::Stopping, failure.clone()).await?;
        self.live.disconnect(row.id);
        let started = self.clock.now();
        match self
            .runtime
            .stop(row.id, grace, Fence(row.generation))
            .await
        {
            Ok(how) => {
                tracing::info!(instance.id = %row.id, ?how, took_ms = %self.clock.now().since(started).as_millis(), "stopped")
            }
            Err(error) if error.class == ErrorClass::Stale => return Ok(Next::After(SOON)),
            Err(error) => return Err(unavailable(error)),
        }
        self.release_slot(row.id);
        match failure {
            Some(reason) => {
                let now = self.clock.now();
                self.count_failure(row, reason, now).await
            }
            None => Ok(Next::After(Duration::ZERO)),
        }
    }

    /// Removes the instance for good.
    pub(super) async fn remove(&self, row: &mut Instance) -> Result<Next> {
        self.live.disconnect(row.id);
        let volumes = match row.volumes {
            Volumes::Keep => Keep::Keep,
            Volumes::Remove => Keep::Remove,
        };
        match self
            .runtime
            .remove(row.id, volumes, Fence(row.generation))
            .await
        {
            Ok(()) => {}
            Err(error) if error.class == ErrorClass::Stale => return Ok(Next::After(SOON)),
            Err(error) => return Err(unavailable(error)),
        }
        self.let_go(row.id).await;
        let now = self.clock.now();
        self.store
            .tx("instances.set_deleted", async |tx: Tx| {
                // Somebody who looked at the same time may have been quicker; it is told once.
                if !instances::set_deleted(&tx, row.id, now).await? {
                    return Ok(());
                }
                self.note_transition(
                    &tx,
                    row,
                    "deleted",
                    &json!({ "volumes": format!("{:?}", row.volumes).to_lowercase() }),
                )
                .await
            })
            .await?;
        self.live.publish(row.id, SeenState::Stopped, None, None);
        self.forget(row).await
    }

    /// Forgets an instance that is gone for good.
    pub(super) async fn forget(&self, row: &Instance) -> Result<Next> {
        self.let_go(row.id).await;
        self.live.forget(row.id);
        // The last instance of a deleted person takes their row and keys with it.
        crate::user::finish_deletion(self, row.user_id).await?;
        Ok(Next::Forget)
    }

    pub(super) async fn count_end(
        &self,
        row: &mut Instance,
        exit: &Exit,
        at: Timestamp,
    ) -> Result<Next> {
        self.let_go(row.id).await;
        tracing::warn!(instance.id = %row.id, exit.code, exit.signal, exit.out_of_memory, "ended by itself: {}", exit.reason);
        // After a long good life the count starts anew.
        if row
            .restarts
            .last()
            .is_none_or(|last| at.since(*last) > WELL_AFTER)
        {
            row.failure_count = 0;
        }
        self.count_failure(row, exit.reason.clone(), at).await
    }

    /// Counts a failure that happened `at`, and says when to try again.
    pub(super) async fn count_failure(
        &self,
        row: &mut Instance,
        reason: String,
        at: Timestamp,
    ) -> Result<Next> {
        row.failure_count += 1;
        // Never before the last one, or an end that is known already would be counted anew.
        let at = row.restarts.last().map_or(at, |last| at.max(*last));
        row.restarts.push(at);
        let excess = row.restarts.len().saturating_sub(20);
        row.restarts.drain(..excess);
        row.next_attempt_at = Some(self.clock.now().after(backoff(row.failure_count)));
        metrics::counter!("fractal_instance_failures_total").increment(1);
        self.see(row, SeenState::Pending, Some(reason)).await?;
        Ok(Next::After(Duration::ZERO))
    }

    /// Ends everything in memory that belongs to a process.
    pub(super) async fn let_go(&self, id: InstanceId) {
        self.live.disconnect(id);
        self.listeners.end(id).await;
        self.release_slot(id);
    }

    pub(super) fn release_slot(&self, id: InstanceId) {
        self.wake_instances(self.queue.release(id));
    }

    pub(super) fn wake_instances(&self, ids: Vec<InstanceId>) {
        for id in ids {
            self.wake_instance(id);
        }
    }
}
