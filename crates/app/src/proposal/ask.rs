//! Asking for a change that needs approval: what would happen is found out first, then the proposal is kept.

use std::sync::Arc;

use async_trait::async_trait;
use fractal_api_types::{
    DryRun, PolicyApproval, PolicyOutcome, ProblemCode, ProposalRequest, ProposalSimulation,
    ProposalView,
};
use fractal_policy::{Action, Resource};
use fractal_store::{NewJob, Proposal, Reads, Tx, proposals};
use fractal_types::{ProposalId, ProposalState, Role, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use super::{
    MOST_OPEN, QUEUE, WAITS,
    carry_out::{ATTEMPTS, Task},
    demands_of,
    intent::{Intent, Kept, Performed, Performer, Shown, digest},
    shown_of, view_of, visible,
};
use crate::{
    App, Approvals, Context, Demanded, Error, Result,
    change::{Change, Door, submit},
};

/// Keeps a change as a proposal; `request` is the intent as approvers see it. The same thing asked for again, while it waits, is the same proposal.
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
    request: ProposalRequest,
) -> Result<ProposalView> {
    let (would, demands) = assume(performer, cx, &intent).await?;
    if demands.is_empty() {
        return Err(Error::conflict(
            "the access rules were changed meanwhile; this needs no approval now",
        )
        .remedy("ask for it again"));
    }
    keep(app, cx, intent, Shown { request, would }, demands).await
}

/// Keeps a change to be carried out by itself, as soon as it has the approvals it needs, which may be none.
///
/// # Errors
///
/// Whatever would keep the change from happening; `conflict` when too much waits already; see [`submit`].
pub async fn ask_for_later(
    app: &App,
    performer: &dyn Performer,
    cx: &Context,
    intent: Intent,
    request: ProposalRequest,
) -> Result<ProposalView> {
    let (would, demands) = assume(performer, cx, &intent).await?;
    keep(app, cx, intent, Shown { request, would }, demands).await
}

async fn keep(
    app: &App,
    cx: &Context,
    intent: Intent,
    shown: Shown,
    demands: Vec<PolicyApproval>,
) -> Result<ProposalView> {
    let user_id = cx.user_id()?;
    let least = demands.iter().map(|demand| demand.role).min();
    let change = Create {
        user_id,
        // Where nobody has to approve it, nobody but its asker and the owners has to see it.
        approver: least.unwrap_or(Role::Owner),
        nonce: nonce(app),
        intent,
        shown,
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
    shown: Shown,
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
        let is_free = self.demands.is_empty();
        let open = if is_free {
            proposals::list_approved_of(door.tx, self.user_id).await?
        } else {
            proposals::list_open_of(door.tx, self.user_id).await?
        };
        // What needs no approval is done each time it is asked for, as it is when it is asked for at once.
        for row in open.iter().filter(|_| !is_free) {
            if self.is_same(door, row).await? {
                door.made(row.id);
                door.note("again", true);
                return Ok(row.clone());
            }
        }
        if open.len() >= MOST_OPEN {
            return Err(
                Error::conflict(format!("{MOST_OPEN} of your changes wait already"))
                    .remedy("withdraw some of them, or wait until they are decided or done"),
            );
        }
        let now = app.clock.now();
        let id: ProposalId = app.new_id();
        let kept = Kept {
            intent: self.intent.clone(),
            actor: door.cx.actor.clone(),
            token_id: door.cx.token_id,
            nonce: self.nonce.clone(),
        };
        let kept = serde_json::to_string(&kept).map_err(Error::internal)?;
        let shown = serde_json::to_string(&self.shown).map_err(Error::internal)?;
        let would = &self.shown.would;
        let mut row = Proposal {
            id,
            organization_id: door.cx.actor.organization_id,
            user_id: self.user_id,
            actor: serde_json::to_value(&door.cx.actor).map_err(Error::internal)?,
            token_id: door.cx.token_id,
            request_id: door.cx.request_id.clone(),
            action: would.action.clone(),
            resource_kind: would.resource_kind.clone(),
            resource_id: would.resource_id.clone(),
            private: would.private,
            request: None,
            simulation: None,
            digest: digest(&id.to_string(), &self.user_id.to_string(), &kept, &shown),
            demands: serde_json::to_value(&self.demands).map_err(Error::internal)?,
            policies: would.decision.policies.clone(),
            approver: self.approver,
            state: if is_free {
                ProposalState::Approved
            } else {
                ProposalState::Open
            },
            reason: None,
            answer: None,
            answered_at: None,
            created_at: now,
            expires_at: now.after(WAITS),
            approved_at: is_free.then_some(now),
            settled_at: None,
        };
        for (column, text) in [("request", kept), ("simulation", shown)] {
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
            payload: if is_free {
                Task::CarryOut(id).payload()
            } else {
                Task::Expire(id).payload()
            },
            run_at: if is_free { now } else { row.expires_at },
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
        if row.action != self.shown.would.action
            || row.resource_id != self.shown.would.resource_id
            || row.token_id != door.cx.token_id
            || demands_of(row) != self.demands
            || door.app.clock.now() >= row.expires_at
        {
            return Ok(false);
        }
        let Some(text) = door.app.open_proposal(door.tx, row, "request").await? else {
            return Ok(false);
        };
        // One that cannot be read is not the same.
        let kept = serde_json::from_str::<Kept>(text.expose_secret());
        Ok(kept.is_ok_and(|kept| kept.intent == self.intent))
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
    let then = shown_of(app, &db, &row).await?.map(|shown| shown.would);
    let kept = open(app, &db, &row).await?.kept;
    let requester = super::carry_out::requester(app, &row, &kept, Approvals::None).await?;
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
        changed: lasting(now.as_ref()) != lasting(then.as_ref()),
        now,
        problem,
        then,
    })
}

/// What would be the same if nothing had changed in between.
fn lasting(would: Option<&DryRun>) -> Option<DryRun> {
    let mut would = would?.clone();
    for name in std::mem::take(&mut would.fresh) {
        would.values.remove(&name);
    }
    Some(would)
}

/// What is stored about a proposal, opened.
pub(super) struct Opened {
    pub(super) kept: Kept,
    /// What an approval would have to bind to, by what is stored now.
    pub(super) digest: String,
}

/// What was asked for.
///
/// # Errors
///
/// `conflict` when it is settled, or when what is stored cannot be read.
pub(super) async fn open(app: &App, db: &dyn Reads, row: &Proposal) -> Result<Opened> {
    let settled = || Error::conflict(format!("this proposal is {} already", row.state));
    let text = app.open_proposal(db, row, "request").await?;
    let text = text.ok_or_else(settled)?;
    let shown = app.open_proposal(db, row, "simulation").await?;
    let shown = shown.ok_or_else(settled)?;
    let (id, user_id) = (row.id.to_string(), row.user_id.to_string());
    let (text, shown) = (text.expose_secret(), shown.expose_secret());
    let kept = serde_json::from_str(text).map_err(|error| {
        Error::conflict("what was asked for cannot be read by this release")
            .remedy("ask for it again")
            .because(error)
    })?;
    Ok(Opened {
        kept,
        digest: digest(&id, &user_id, text, shown),
    })
}
