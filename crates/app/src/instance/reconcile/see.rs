//! Writing down what is seen, and telling those who watch.

use fractal_store::{Instance, Tx, instances, instances::Seen};
use fractal_types::SeenState;
use serde_json::{Value, json};

use crate::{App, Context, Error, Result};

impl App {
    /// Whether it was noted, or need not be.
    pub(super) async fn see_starting(&self, row: &mut Instance, what: &str) -> Result<bool> {
        // Losing and regaining the connection of an instance that has answered is not a start.
        if row.seen.answers() {
            return Ok(true);
        }
        self.see(row, SeenState::Starting, Some(what.to_owned()))
            .await
    }

    /// Writes down what was seen; a transition is evidence. `false` when somebody has wished something else since `row` was
    /// read: then nothing is written, and the next look starts from the new row.
    pub(super) async fn see(
        &self,
        row: &mut Instance,
        seen: SeenState,
        reason: Option<String>,
    ) -> Result<bool> {
        let noted = Seen {
            seen,
            seen_reason: reason.clone(),
            generation: row.generation,
            proved_hash: row.proved_hash.clone(),
            boot_id: row.boot_id.clone(),
            next_wake_at: row.next_wake_at,
            restarts: row.restarts.clone(),
            failure_count: row.failure_count,
            next_attempt_at: row.next_attempt_at,
            seen_at: self.clock.now(),
        };
        let written = self
            .store
            .tx("instances.observe", async |tx: Tx| {
                // As it is now: a process that stood still for a while, or a second one, may have noted something since `row` was
                // read, and the log shall tell how one state became the next.
                let Some(present) = instances::find(&tx, row.id).await? else {
                    return Ok(false);
                };
                let before = present.seen;
                let written = instances::observe(&tx, row.id, &noted).await?;
                if written && before != seen {
                    if !before.may_become(seen) {
                        tracing::warn!(instance.id = %row.id, from = %before, to = %seen, "an unexpected change of state");
                    }
                    self.note_transition(
                        &tx,
                        row,
                        seen.as_str(),
                        &json!({ "from": before.as_str(), "reason": reason }),
                    )
                    .await?;
                }
                Ok::<_, Error>(written)
            })
            .await?;
        if written {
            row.seen = seen;
            row.seen_reason.clone_from(&reason);
            let position = self.queue.position(row.id);
            self.live.publish(row.id, seen, reason, position);
        }
        Ok(written)
    }

    /// Appends a transition of the seen state to the evidence.
    pub(in crate::instance) async fn note_transition(
        &self,
        tx: &Tx,
        row: &Instance,
        outcome: &str,
        detail: &Value,
    ) -> Result<()> {
        let system = Context::system(row.organization_id);
        let entry = fractal_store::NewEntry {
            organization_id: row.organization_id,
            principal: system.actor.principal,
            via: system.actor.via,
            action: "instance.seen",
            resource_kind: "instance",
            resource_id: row.id.to_string(),
            outcome,
            decision: json!({}),
            values: detail
                .as_object()
                .into_iter()
                .flatten()
                .map(|(key, value)| (key.as_str(), value.clone()))
                .collect(),
            request_id: None,
        };
        fractal_store::evidence::append(tx, &*self.clock, &*self.entropy, entry).await?;
        Ok(())
    }
}
