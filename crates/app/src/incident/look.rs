//! Looking, and keeping incidents as what was found says: opened, patched, resolved; each with its entry of the log in the same transaction.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fractal_api_types::CheckView;
use fractal_store::{Incident, NewEntry, Tx, evidence, incidents};
use fractal_types::{IncidentState, Principal, Severity, Timestamp, Via};
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::checks::{CHECKS, Check, Finding};
use crate::{App, Result};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(30);
/// From being asked to looking.
const SOON: Duration = Duration::from_secs(1);
/// How exact `seen_at` is: an incident that goes on is not written with every look.
const EXACT: Duration = Duration::from_secs(300);
/// How often the same is patched before it is left to people.
const MOST_PATCHES: u32 = 3;

/// What the checks of this process found last.
#[derive(Debug, Default)]
pub struct Board {
    last: Mutex<HashMap<&'static str, Last>>,
    asked: Notify,
    /// Held while looking: of two who look at once the second finds what the first has opened.
    looking: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone)]
struct Last {
    at: Timestamp,
    found: std::result::Result<(Severity, usize), String>,
}

impl Board {
    /// Something was done that may have mended or broken things: look before the next round.
    pub(crate) fn look_soon(&self) {
        self.asked.notify_one();
    }

    fn note(&self, id: &'static str, last: Last) {
        self.last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id, last);
    }

    /// Every check, with what it found last.
    pub(super) fn views(&self) -> Vec<CheckView> {
        let board = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let view = |check: &&dyn Check| {
            let last = board.get(check.id());
            let found = last.map(|last| &last.found);
            let good = found.and_then(|found| found.as_ref().ok());
            CheckView {
                id: check.id().to_owned(),
                about: check.about().to_owned(),
                outcome: good.map(|(worst, _)| *worst),
                findings: good.map_or(0, |(_, count)| u32::try_from(*count).unwrap_or(u32::MAX)),
                looked_at: last.map(|last| last.at),
                error: found.and_then(|found| found.as_ref().err().cloned()),
            }
        };
        CHECKS.iter().map(view).collect()
    }
}

/// Looks for ever.
pub async fn run(app: App) {
    loop {
        look(&app).await;
        tokio::select! {
            biased;
            () = app.clock.sleep(EVERY) => {}
            // Asked inside a transaction, which shall be over.
            () = app.checks.asked.notified() => app.clock.sleep(SOON).await,
        }
    }
}

/// Looks at everything once. What cannot be looked at is told on the board, and its incidents stay as they are.
pub async fn look(app: &App) {
    for check in CHECKS {
        // What went wrong stands on the board.
        let _ = look_at(app, *check).await;
    }
    if let Ok(open) = incidents::count_open(&app.store.read()).await {
        #[expect(clippy::cast_precision_loss, reason = "a gauge")]
        metrics::gauge!("fractal_incidents_open").set(open as f64);
    }
}

/// One look of one check, patches included; what it found stands on the board as well.
pub(super) async fn look_at(app: &App, check: &dyn Check) -> Result<Vec<Finding>> {
    let _turn = app.checks.looking.lock().await;
    let outcome = check_one(app, check).await;
    let found = match &outcome {
        Ok(found) => {
            let worst = found.iter().map(|finding| finding.severity).max();
            Ok((worst.unwrap_or(Severity::Good), found.len()))
        }
        Err(error) => {
            tracing::warn!(check = check.id(), "a check could not look: {error}");
            Err("it could not look; the server's log says why".to_owned())
        }
    };
    let at = app.clock.now();
    app.checks.note(check.id(), Last { at, found });
    outcome
}

async fn check_one(app: &App, check: &dyn Check) -> Result<Vec<Finding>> {
    let found = check.look(app).await?;
    let open = keep(app, check, &found).await?;
    for finding in &found {
        let key = key_of(check, finding);
        let patchable = open
            .iter()
            .find(|row| row.open_key.as_deref() == Some(&*key) && row.attempts < MOST_PATCHES);
        let Some(row) = patchable else { continue };
        match check.patch(app, finding).await {
            Ok(None) => {}
            Ok(Some(done)) => note_patch(app, row, done).await?,
            Err(error) => {
                tracing::warn!(incident.id = %row.id, "could not be patched: {error}");
            }
        }
    }
    Ok(found)
}

fn key_of(check: &dyn Check, finding: &Finding) -> String {
    format!("{} {}", check.id(), finding.resource_id)
}

/// Opens what is new, goes on with what is still found, resolves the rest. All that are open then.
async fn keep(app: &App, check: &dyn Check, found: &[Finding]) -> Result<Vec<Incident>> {
    // Most looks find nothing, and change nothing.
    let open = incidents::list_open_of(&app.store.read(), check.id()).await?;
    if open.is_empty() && found.is_empty() {
        return Ok(open);
    }
    let kept = app
        .store
        .tx("incidents.keep", async |tx| -> fractal_store::Result<_> {
            let now = app.clock.now();
            let mut left = incidents::list_open_of(&tx, check.id()).await?;
            let mut kept = Vec::with_capacity(found.len());
            for finding in found {
                let key = key_of(check, finding);
                let at = left
                    .iter()
                    .position(|row| row.open_key.as_deref() == Some(&*key));
                kept.push(match at {
                    Some(at) => go_on(&tx, left.swap_remove(at), finding, now).await?,
                    None => begin(app, &tx, check, finding, now).await?,
                });
            }
            for row in left {
                resolve(app, &tx, row, now).await?;
            }
            Ok(kept)
        })
        .await?;
    app.sealer.wake();
    Ok(kept)
}

async fn begin(
    app: &App,
    tx: &Tx,
    check: &dyn Check,
    finding: &Finding,
    now: Timestamp,
) -> fractal_store::Result<Incident> {
    let row = Incident {
        id: app.new_id(),
        organization_id: finding.organization,
        user_id: finding.owner,
        check_id: check.id().to_owned(),
        open_key: Some(key_of(check, finding)),
        resource_kind: finding.resource_kind.to_owned(),
        resource_id: finding.resource_id.clone(),
        severity: finding.severity,
        state: IncidentState::Open,
        finding: finding.finding.clone(),
        remedy: Some(finding.remedy.to_owned()),
        patch: None,
        attempts: 0,
        acknowledged_by: None,
        acknowledged_at: None,
        note: None,
        opened_at: now,
        seen_at: now,
        resolved_at: None,
    };
    incidents::insert(tx, &row).await?;
    metrics::counter!("fractal_incidents_total", "check" => check.id()).increment(1);
    tracing::warn!(incident.id = %row.id, check = check.id(), "{}", row.finding);
    note(app, tx, &row, "incident.open", "open", Vec::new()).await?;
    Ok(row)
}

async fn go_on(
    tx: &Tx,
    mut row: Incident,
    finding: &Finding,
    now: Timestamp,
) -> fractal_store::Result<Incident> {
    let is_same = row.finding == finding.finding && row.severity == finding.severity;
    if is_same && now.since(row.seen_at) < EXACT {
        return Ok(row);
    }
    row.finding.clone_from(&finding.finding);
    row.severity = finding.severity;
    row.seen_at = now;
    incidents::update(tx, &row).await?;
    Ok(row)
}

async fn resolve(
    app: &App,
    tx: &Tx,
    mut row: Incident,
    now: Timestamp,
) -> fractal_store::Result<()> {
    row.state = IncidentState::Resolved;
    row.open_key = None;
    row.resolved_at = Some(now);
    incidents::update(tx, &row).await?;
    note(app, tx, &row, "incident.resolve", "resolved", Vec::new()).await
}

async fn note_patch(app: &App, row: &Incident, done: &'static str) -> Result<()> {
    app.store
        .tx("incidents.patch", async |tx| -> fractal_store::Result<()> {
            let mut row = incidents::get(&tx, row.id).await?;
            row.patch = Some(done.to_owned());
            row.attempts += 1;
            incidents::update(&tx, &row).await?;
            let values = vec![("patch", json!(done)), ("attempts", json!(row.attempts))];
            note(app, &tx, &row, "incident.patch", "done", values).await
        })
        .await?;
    metrics::counter!("fractal_incident_patches_total", "check" => row.check_id.clone())
        .increment(1);
    app.sealer.wake();
    Ok(())
}

async fn note(
    app: &App,
    tx: &Tx,
    row: &Incident,
    action: &'static str,
    outcome: &'static str,
    mut values: Vec<(&'static str, Value)>,
) -> fractal_store::Result<()> {
    values.push(("check", json!(row.check_id)));
    values.push(("severity", json!(row.severity)));
    values.push(("about", json!(row.resource_id)));
    values.push(("finding", json!(row.finding)));
    let entry = NewEntry {
        organization_id: row.organization_id,
        principal: Principal::System,
        via: Via::Internal,
        action,
        resource_kind: "incident",
        resource_id: row.id.to_string(),
        outcome,
        decision: json!({}),
        values,
        request_id: None,
    };
    evidence::append(tx, &*app.clock, &*app.entropy, entry).await?;
    Ok(())
}
