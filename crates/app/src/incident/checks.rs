//! What is looked at. To add a check: write it here and list it in [`CHECKS`].

use std::time::Duration;

use async_trait::async_trait;
use fractal_api_types::{PageQuery, ProblemCode};
use fractal_store::{
    DeliveryState, Instance, OperationFilter, WitnessOutcome, evidence, instances, jobs,
    operations, webhooks, witnesses,
};
use fractal_types::{
    DiskPressure, OperationId, OperationState, OrganizationId, SeenState, Severity, UserId,
    WantedState,
};

use crate::{
    App, Context, Result,
    instance::{CHANGE_ENGINE, PROVISION, all_live},
    lookup::page_request,
    operation,
};

use super::machine::{EngineMissing, Machine};

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In which tenant.
    pub organization: OrganizationId,
    /// Whose thing it is about; `None` for what belongs to everybody.
    pub owner: Option<UserId>,
    /// About which kind of thing.
    pub resource_kind: &'static str,
    /// About which thing. One check finds a thing once.
    pub resource_id: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, in words.
    pub finding: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Looks at one thing that may go wrong. Looking changes nothing.
#[async_trait]
pub trait Check: Send + Sync {
    /// A stable word.
    fn id(&self) -> &'static str;

    /// What it looks at, in words.
    fn about(&self) -> &'static str;

    /// Whether operations of this kind are not begun while it finds something that does not work. Such a check looks at no table: it is
    /// asked again with every try.
    fn guards(&self, _kind: &str) -> bool {
        false
    }

    /// Everything that is not as it should be.
    async fn look(&self, app: &App) -> Result<Vec<Finding>>;

    /// Does at once what can be done without harm, through the door like everybody. `None`: there is nothing; else what was done, in words.
    async fn patch(&self, _app: &App, _finding: &Finding) -> Result<Option<&'static str>> {
        Ok(None)
    }
}

/// Every check.
pub const CHECKS: &[&dyn Check] = &[
    &OperationStuck,
    &InstanceFailed,
    &InstanceDisk,
    &WebhookFailing,
    &LogUnsealed,
    &WitnessSilent,
    &JobsFailing,
    &Machine {
        id: "machine-disk",
        about: "the space for what agents store",
        remark: "disk",
    },
    &Machine {
        id: "machine-memory",
        about: "the memory for agents that wake",
        remark: "memory",
    },
    &EngineMissing,
];

struct OperationStuck;

#[async_trait]
impl Check for OperationStuck {
    fn id(&self) -> &'static str {
        "operation-stuck"
    }

    fn about(&self) -> &'static str {
        "operations that can neither go on nor be undone by themselves"
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let filter = OperationFilter {
            state: Some(OperationState::Stuck),
            ..OperationFilter::default()
        };
        let mut found = Vec::new();
        let mut query = PageQuery {
            cursor: None,
            limit: Some(200),
        };
        loop {
            let request = page_request(&query)?;
            let db = app.store.read();
            let page = operations::list(&db, app.organization_id, &filter, &request).await?;
            found.extend(page.items.into_iter().map(|row| Finding {
                organization: row.organization_id,
                owner: Some(row.user_id),
                resource_kind: "operation",
                resource_id: row.id.to_string(),
                severity: Severity::Failed,
                finding: format!(
                    "{} is stuck: {}",
                    words_of(&row.kind),
                    row.reason.as_deref().unwrap_or("no reason was given")
                ),
                remedy: "have it tried again, go on without the step, or have it undone",
            }));
            match page.next_cursor {
                Some(cursor) => query.cursor = Some(cursor),
                None => return Ok(found),
            }
        }
    }

    /// An agent that came up by itself, because what was missing was mended, needs nobody's choice any more.
    async fn patch(&self, app: &App, finding: &Finding) -> Result<Option<&'static str>> {
        let db = app.store.read();
        let Ok(id) = finding.resource_id.parse::<OperationId>() else {
            return Ok(None);
        };
        let Some(row) = operations::find(&db, id).await? else {
            return Ok(None);
        };
        let instance = match row.resource_id.parse() {
            Ok(instance) if row.kind == PROVISION => instances::find(&db, instance).await?,
            _ => None,
        };
        if !instance.is_some_and(|instance| answers(&instance)) {
            return Ok(None);
        }
        match operation::retry(app, &Context::system(row.organization_id), id).await {
            Ok(_) => Ok(Some("tried again, because the agent answers now")),
            // Somebody was quicker.
            Err(error) if error.code == ProblemCode::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// What an operation does, in words.
fn words_of(kind: &str) -> &str {
    match kind {
        PROVISION => "making an agent ready",
        CHANGE_ENGINE => "changing the engine of an agent",
        "instance.delete" => "deleting an agent",
        "key.rotate" => "moving what is stored to the newest keys",
        other => other,
    }
}

fn answers(instance: &Instance) -> bool {
    instance.deleted_at.is_none()
        && instance.proved_hash.is_some()
        && matches!(instance.seen, SeenState::Ready | SeenState::Busy)
}

/// About an instance.
fn of_instance(
    row: &Instance,
    severity: Severity,
    finding: String,
    remedy: &'static str,
) -> Finding {
    Finding {
        organization: row.organization_id,
        owner: Some(row.user_id),
        resource_kind: "instance",
        resource_id: row.id.to_string(),
        severity,
        finding,
        remedy,
    }
}

struct InstanceFailed;

#[async_trait]
impl Check for InstanceFailed {
    fn id(&self) -> &'static str {
        "instance-failed"
    }

    fn about(&self) -> &'static str {
        "agents that are wanted and do not come up"
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let rows = all_live(app).await?;
        let wanted = rows.iter().filter(|row| row.wanted == WantedState::Running);
        Ok(wanted
            .filter_map(|row| {
                let (what, remedy) = match row.seen {
                    SeenState::CrashLooping => (
                        "ended again and again and is not started any more",
                        "mend what the reason and its log say, then start it",
                    ),
                    SeenState::Failed => (
                        "cannot be started as it is",
                        "mend what the reason says, then start it",
                    ),
                    SeenState::Unreachable => (
                        "cannot be asked how it is",
                        "look at the machine it runs on",
                    ),
                    _ => return None,
                };
                let reason = row.seen_reason.as_deref().unwrap_or("no reason was given");
                let finding = format!("the agent {what}: {reason}");
                Some(of_instance(row, Severity::Failed, finding, remedy))
            })
            .collect())
    }
}

struct InstanceDisk;

#[async_trait]
impl Check for InstanceDisk {
    fn id(&self) -> &'static str {
        "instance-disk"
    }

    fn about(&self) -> &'static str {
        "agents whose files come near their limit"
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let rows = all_live(app).await?;
        Ok(rows
            .iter()
            .filter_map(|row| {
                let (severity, finding) = match row.disk_pressure {
                    DiskPressure::Ok => return None,
                    DiskPressure::Near => (
                        Severity::Attention,
                        "nine tenths of the space for the agent's files are taken; at the limit it is stopped",
                    ),
                    DiskPressure::Full => (
                        Severity::Failed,
                        "the agent's files reached their limit, and it was stopped for that",
                    ),
                };
                let remedy = "have the agent remove files, or raise its limit";
                Some(of_instance(row, severity, finding.to_owned(), remedy))
            })
            .collect())
    }
}

struct WebhookFailing;

#[async_trait]
impl Check for WebhookFailing {
    fn id(&self) -> &'static str {
        "webhook-failing"
    }

    fn about(&self) -> &'static str {
        "webhooks whose messages were given up"
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let db = app.store.read();
        let mut found = Vec::new();
        for row in webhooks::list_enabled(&db).await? {
            let dead = webhooks::count_deliveries(&db, row.id, DeliveryState::Dead).await?;
            if dead == 0 {
                continue;
            }
            found.push(Finding {
                organization: row.organization_id,
                owner: None,
                resource_kind: "webhook",
                resource_id: row.id.to_string(),
                severity: Severity::Attention,
                finding: format!("messages to {} were given up", row.name),
                remedy: "mend the receiver, then send the given-up messages again",
            });
        }
        Ok(found)
    }
}

/// How long an entry may wait for its place: many times what sealing takes.
const UNSEALED: Duration = Duration::from_secs(120);

struct LogUnsealed;

#[async_trait]
impl Check for LogUnsealed {
    fn id(&self) -> &'static str {
        "log-unsealed"
    }

    fn about(&self) -> &'static str {
        "entries of the log that are not sealed in time"
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let oldest = evidence::list_unsealed(&app.store.read(), 1).await?;
        let now = app.clock.now();
        Ok(oldest
            .into_iter()
            .filter(|entry| now.since(entry.at) > UNSEALED)
            .map(|entry| Finding {
                organization: entry.organization_id,
                owner: None,
                resource_kind: "evidence",
                resource_id: "log".to_owned(),
                severity: Severity::Failed,
                finding: "entries of the log wait for their seal, so that nothing of them can be proven and no webhook is told".to_owned(),
                remedy: "look for the reason in the server's own log; without its signing key it cannot seal",
            })
            .collect())
    }
}

/// How long a witness may fail before it is told.
const SILENT: Duration = Duration::from_secs(3600);

struct WitnessSilent;

#[async_trait]
impl Check for WitnessSilent {
    fn id(&self) -> &'static str {
        "witness-silent"
    }

    fn about(&self) -> &'static str {
        "witnesses that do not cosign the log"
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let now = app.clock.now();
        let mut found = Vec::new();
        for row in witnesses::list_all(&app.store.read()).await? {
            let (Some(since), Some(why)) = (row.failing_since, row.last_error) else {
                continue;
            };
            // Another history is what witnesses are for, and is told at once.
            let (severity, remedy) = match row.outcome {
                Some(WitnessOutcome::Conflict) => (
                    Severity::Failed,
                    "hold an export against a checkpoint that was kept; remove the witness and add it anew only when the reason is known",
                ),
                Some(WitnessOutcome::Forged) => (
                    Severity::Failed,
                    "ask the witness's operator; remove the witness if its key was replaced",
                ),
                _ if now.since(since) >= SILENT => (
                    Severity::Attention,
                    "mend what the reason says, or remove the witness",
                ),
                _ => continue,
            };
            found.push(Finding {
                organization: row.organization_id,
                owner: None,
                resource_kind: "witness",
                resource_id: row.id.to_string(),
                severity,
                finding: format!("the witness {} does not cosign the log: {why}", row.name),
                remedy,
            });
        }
        Ok(found)
    }
}

/// How long work that was given up is told.
const TOLD: Duration = Duration::from_secs(24 * 3600);

struct JobsFailing;

#[async_trait]
impl Check for JobsFailing {
    fn id(&self) -> &'static str {
        "jobs-failing"
    }

    fn about(&self) -> &'static str {
        "work that failed and was given up in the last day"
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let since = app.clock.now().before(TOLD);
        if jobs::count_dead_since(&app.store.read(), since).await? == 0 {
            return Ok(Vec::new());
        }
        Ok(vec![Finding {
            organization: app.organization_id,
            owner: None,
            resource_kind: "job",
            resource_id: "all".to_owned(),
            severity: Severity::Failed,
            finding: "work in the background failed and was given up".to_owned(),
            remedy: "look for the reason in the server's own log",
        }])
    }
}
