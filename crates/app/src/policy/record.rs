//! Decisions about changes are written down as they were asked, so that other rules can be tried on them.

use std::sync::atomic::Ordering;

use fractal_policy::{Decision, Question};
use fractal_store::{DecisionRow, Tx, decisions};

use crate::{App, Result};

/// How many are kept. Of an installation of a hundred people that is some weeks.
const KEPT: u32 = 10_000;

/// Between two times of forgetting older ones.
const FORGET_EVERY: u64 = 256;

/// Writes a decision down, in the transaction it was made in.
pub async fn decided(app: &App, tx: &Tx, question: &Question, decision: &Decision) -> Result<()> {
    let row = DecisionRow {
        id: app.new_id(),
        organization_id: app.organization_id,
        question: serde_json::to_value(question).unwrap_or_default(),
        outcome: decision.outcome.as_str().to_owned(),
        policies: decision.determining.clone(),
        created_at: app.clock.now(),
    };
    decisions::insert(tx, &row).await?;
    Ok(())
}

/// Forgets old ones now and then.
pub async fn forget_old(app: &App, tx: &Tx) -> Result<()> {
    let before = app.policies.recorded.fetch_add(1, Ordering::Relaxed);
    if before.is_multiple_of(FORGET_EVERY) {
        decisions::keep_newest(tx, app.organization_id, KEPT).await?;
    }
    Ok(())
}
