//! Values of the log that were kept as long as the settings say are erased; the entries stay. Without a setting nothing is.

use std::time::Duration;

use async_trait::async_trait;
use fractal_policy::{Action, Resource};
use fractal_store::{Erased, Tx, evidence_erase};
use fractal_types::{OrganizationId, Timestamp};

use crate::{
    App, Context, Result,
    change::{Change, Door, submit},
};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(3600);

/// Values in one transaction. SQLite has one writer, and others wait for it.
const BATCH: u32 = 1_000;

/// Transactions in one round, each with its entry; the rest waits for the next.
const ROUNDS: u32 = 50;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Looks for ever.
pub async fn run(app: App) {
    loop {
        if let Err(error) = work(&app).await {
            tracing::warn!(
                "old values of the log could not be erased, and are tried again: {error}"
            );
        }
        app.clock.sleep(LOOK).await;
    }
}

/// Erases what is too old now, at most so much as one round takes; how many values.
///
/// # Errors
///
/// When the database fails.
pub async fn work(app: &App) -> Result<u64> {
    let days = app.settings().value_retention_days;
    if days == 0 {
        return Ok(0);
    }
    let before = app.clock.now().before(DAY * days);
    let organization = app.organization_id;
    let mut erased = 0;
    for _ in 0..ROUNDS {
        // Looked up outside first, so that a round with nothing to do leaves no entry.
        if !evidence_erase::has_older(&app.store.read(), organization, before).await? {
            break;
        }
        let change = Expire {
            organization,
            before,
            days,
        };
        let done = submit(app, &Context::system(organization), change).await?;
        erased += done.openings;
    }
    Ok(erased)
}

struct Expire {
    organization: OrganizationId,
    before: Timestamp,
    days: u32,
}

#[async_trait]
impl Change for Expire {
    type Output = Erased;

    fn action(&self) -> Action {
        Action::EvidenceExpire
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::Evidence {
            id: None,
            organization: self.organization,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Erased> {
        let erased = evidence_erase::older(door.tx, self.organization, self.before, BATCH).await?;
        door.note("values", erased.openings);
        door.note("entries", erased.entries);
        door.note("value_retention_days", self.days);
        Ok(erased)
    }
}
