//! Asking for a change that needs approval: what would happen is found out first, then the proposal is kept.

use std::sync::Arc;

use async_trait::async_trait;
use fractal_api_types::{
    DryRun, PolicyApproval, PolicyOutcome, ProblemCode, ProposalSimulation, ProposalView,
};
use fractal_policy::{Action, Resource};
use fractal_store::{NewJob, Proposal, Tx, proposals};
use fractal_types::{ProposalId, ProposalState, Role, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    MOST_OPEN, QUEUE, WAITS,
    carry_out::{ATTEMPTS, Task},
    intent::{Intent, Kept, Performed, Performer},
    load, simulation_of, view_of, visible,
};
use crate::{
    App, Approvals, Context, Demanded, Error, Result,
    change::{Change, Door, submit},
};

/// Keeps a change as a proposal. The same thing asked for again, while it waits, is the same proposal.
///
/// # Errors
///
/// Whatever would keep the change from happening once it was approved; `conflict` when too much waits already, or when the rules do not
/// ask for approval any more; see [`submit`].
pub async fn ask(
    app: &App,
    performer: &dyn Performer,
    cx: &Context,
    intent: Intent,
) -> Result<ProposalView> {
    let user_id = cx.user_id()?;
    let (would, demands) = assume(performer, cx, &intent).await?;
    let least = demands.iter().map(|demand| demand.role).min();
    let Some(approver) = least else {
        return Err(Error::conflict(
            "the access rules were changed meanwhile; this needs no approval now",
        )
        .remedy("ask for it again"));
    };
    let change = Create {
        user_id,
        approver,
        nonce: nonce(app),
        intent,
        would,
        demands,
    };
    let row = submit(app, cx, change).await?;
    view_of(app, cx, &app.store.read(), row).await
}

/// 256 bits that nobody can guess, in hexadecimal.
fn nonce(app: &App) -> String {
    let mut bytes = [0; 32];
    app.entropy.fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What an intent would do if it was approved, and the approvals it needs.
async fn assume(
    performer: &dyn Performer,
    cx: &Context,
    intent: &Intent,
) -> Result<(DryRun, Vec<PolicyApproval>)> {
    let demanded = Arc::new(Demanded::default());
    let assuming = Context {
        dry_run: true,
        idempotency_key: None,
        approvals: Approvals::Assumed(demanded.clone()),
        ..cx.clone()
    };
    match performer.perform(assuming, intent).await {
        Performed::Tried(mut would) => {
            let (approvals, policies) = demanded.found();
            let approvals: Vec<_> = approvals
                .into_iter()
                .map(|one| PolicyApproval {
                    role: one.role,
                    count: one.count,
                })
                .collect();
            if would.decision.outcome == PolicyOutcome::Deny {
                return Err(Error::new(ProblemCode::Forbidden).detail(format!(
                    "even when approved, {} is not allowed",
                    would.action
                )));
            }
            if !approvals.is_empty() {
                // Also what was asked on the way to the change, or inside it.
                would.decision.outcome = PolicyOutcome::NeedsApproval;
                would.decision.approvals.clone_from(&approvals);
                would.decision.policies = policies;
            }
            Ok((*would, approvals))
        }
        Performed::Failed { code, detail } => Err(Error::new(code).detail(detail)),
        Performed::Done(_) => Err(Error::internal("a try changed something")),
    }
}

struct Create {
    user_id: UserId,
    approver: Role,
    nonce: String,
    intent: Intent,
    would: DryRun,
    demands: Vec<PolicyApproval>,
}

#[async_trait]
impl Change for Create {
    type Output = Proposal;

    fn action(&self) -> Action {
        Action::ProposalCreate
    }

    async fn resource(&self, _tx: &Tx, cx: &Context) -> Result<Resource> {
        Ok(Resource::Proposal {
            id: None,
            owner: self.user_id,
            organization: cx.actor.organization_id,
            approver: self.approver,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Proposal> {
        let app = door.app;
        let open = proposals::list_open_of(door.tx, self.user_id).await?;
        for row in &open {
            if self.is_same(door, row).await? {
                door.made(row.id);
                door.note("again", true);
                return Ok(row.clone());
            }
        }
        if open.len() >= MOST_OPEN {
            return Err(Error::conflict(format!(
                "{MOST_OPEN} of your changes wait for approval already"
            ))
            .remedy("withdraw some of them, or wait until they are decided"));
        }
        let now = app.clock.now();
        let id: ProposalId = app.new_id();
        let kept = Kept {
            intent: self.intent.clone(),
            nonce: self.nonce.clone(),
        };
        let simulation = serde_json::to_string(&self.would).map_err(Error::internal)?;
        let mut row = Proposal {
            id,
            organization_id: door.cx.actor.organization_id,
            user_id: self.user_id,
            actor: serde_json::to_value(&door.cx.actor).map_err(Error::internal)?,
            token_id: door.cx.token_id,
            request_id: door.cx.request_id.clone(),
            action: self.would.action.clone(),
            resource_kind: self.would.resource_kind.clone(),
            resource_id: self.would.resource_id.clone(),
            private: self.would.private,
            request: None,
            simulation: None,
            digest: kept.digest(&id.to_string(), &self.user_id.to_string(), &simulation),
            demands: serde_json::to_value(&self.demands).map_err(Error::internal)?,
            policies: self.would.decision.policies.clone(),
            approver: self.approver,
            state: ProposalState::Open,
            reason: None,
            answer: None,
            created_at: now,
            expires_at: now.after(WAITS),
            approved_at: None,
            settled_at: None,
        };
        let request = serde_json::to_string(&kept).map_err(Error::internal)?;
        for (column, text) in [("request", request), ("simulation", simulation)] {
            let sealed = app
                .seal_proposal(door.tx, &row, column, &SecretString::from(text))
                .await?;
            if column == "request" {
                row.request = Some(sealed);
            } else {
                row.simulation = Some(sealed);
            }
        }
        proposals::insert(door.tx, &row).await?;
        door.enqueue(&NewJob {
            id: app.new_id(),
            queue: QUEUE.to_owned(),
            payload: Task::Expire(id).payload(),
            run_at: row.expires_at,
            max_attempts: ATTEMPTS,
        })
        .await?;
        door.made(id);
        door.note("action", row.action.as_str());
        door.note("resource_id", json!(row.resource_id));
        door.note("digest", row.digest.as_str());
        door.note("demands", row.demands.clone());
        Ok(row)
    }
}

impl Create {
    async fn is_same(&self, door: &Door<'_>, row: &Proposal) -> Result<bool> {
        if row.action != self.would.action
            || row.resource_id != self.would.resource_id
            || row.token_id != door.cx.token_id
            || door.app.clock.now() >= row.expires_at
        {
            return Ok(false);
        }
        let Some(text) = door.app.open_proposal(door.tx, row, "request").await? else {
            return Ok(false);
        };
        let kept: Kept = serde_json::from_str(text.expose_secret()).map_err(Error::internal)?;
        Ok(kept.intent == self.intent)
    }
}

/// What a proposal would do now, beside what it would have done when it was asked for.
///
/// # Errors
///
/// `conflict` when it is settled; `forbidden` for what is private to who asked; see [`App::require`].
pub async fn simulate(
    app: &App,
    performer: &dyn Performer,
    cx: &Context,
    id: ProposalId,
) -> Result<ProposalSimulation> {
    let db = app.store.read();
    let row = visible(app, cx, &db, id).await?;
    if row.private && cx.actor.user_id() != Some(row.user_id) {
        return Err(Error::new(ProblemCode::Forbidden)
            .detail("what this would change is private to who asked for it"));
    }
    let then = simulation_of(app, &db, &row).await?;
    let kept = kept_of(app, &row).await?;
    let requester = super::carry_out::requester(app, &row, Approvals::None).await?;
    let (now, problem) = match assume(performer, &requester, &kept.intent).await {
        Ok((would, _)) => (Some(would), None),
        Err(error) => (
            None,
            Some(
                error
                    .detail
                    .unwrap_or_else(|| error.code.title().to_owned()),
            ),
        ),
    };
    Ok(ProposalSimulation {
        changed: now != then,
        now,
        problem,
        then,
    })
}

/// What was asked for.
pub(super) async fn kept_of(app: &App, row: &Proposal) -> Result<Kept> {
    let db = app.store.read();
    let text = app.open_proposal(&db, row, "request").await?;
    let text =
        text.ok_or_else(|| Error::conflict(format!("this proposal is {} already", row.state)))?;
    serde_json::from_str(text.expose_secret()).map_err(Error::internal)
}

/// The proposal as it is now, for those who carry it out.
pub(super) async fn fresh(app: &App, id: ProposalId) -> Result<Proposal> {
    load(&app.store.read(), id).await
}
