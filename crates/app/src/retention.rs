//! Values of the log that were kept as long as the settings say are erased; the entries stay. Without a setting nothing is.

use std::time::Duration;

use async_trait::async_trait;
use fractal_api_types::ProblemCode;
use fractal_policy::{Action, Resource};
use fractal_store::{Erased, Reads, Tx, evidence_erase};
use fractal_types::{OrganizationId, Timestamp};

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
    settings::stored,
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
    let organization = app.organization_id;
    let mut erased = 0;
    for _ in 0..ROUNDS {
        // Looked up outside first, so that a round with nothing to do begins no transaction that writes.
        if !Due::now(app, &app.store.read()).await?.has_values {
            break;
        }
        match submit(app, &Context::system(organization), Expire { organization }).await {
            Ok(done) => erased += done.openings,
            // Somebody else was quicker, or the settings say now that values are kept.
            Err(error) if error.code == ProblemCode::Conflict => break,
            Err(error) => return Err(error),
        }
    }
    Ok(erased)
}

/// What is too old by what is stored, which another process may have changed a moment ago.
struct Due {
    days: u32,
    before: Timestamp,
    has_values: bool,
}

impl Due {
    async fn now(app: &App, db: &dyn Reads) -> Result<Self> {
        let days = stored(db).await?.value_retention_days;
        let before = app.clock.now().before(DAY * days);
        let has_values =
            days > 0 && evidence_erase::has_older(db, app.organization_id, before).await?;
        Ok(Self {
            days,
            before,
            has_values,
        })
    }
}

struct Expire {
    organization: OrganizationId,
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
        // In the transaction that erases, because nothing brings back what is erased.
        let due = Due::now(door.app, door.tx).await?;
        if !due.has_values {
            return Err(Error::conflict("there is no value that is kept too long"));
        }
        let erased = evidence_erase::older(door.tx, self.organization, due.before, BATCH).await?;
        door.note("values", erased.openings);
        door.note("entries", erased.entries);
        door.note("value_retention_days", due.days);
        Ok(erased)
    }
}
