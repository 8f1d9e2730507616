//! Carrying approved proposals out, and ending those whose time is over: work of the job worker.
//!
//! The job may run more than once; the change happens once, because the door settles the proposal in the change's own transaction
//! ([`standing`], [`settle_with`]).

use std::sync::Arc;

use async_trait::async_trait;
use fractal_api_types::ProblemCode;
use fractal_background::{Failure, JobContext, JobHandler};
use fractal_policy::{Action, Resource};
use fractal_store::{NewEntry, Proposal, Tx, evidence, jobs, proposals, users};
use fractal_types::{Actor, Principal, ProposalId, ProposalState, Via};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ask::{fresh, kept_of},
    intent::{Performed, Performer},
    load, resource_of, roles_of, simulation_of,
    verdict::end,
};
use crate::{
    App, Approvals, Context, Error, Given, Result,
    change::{Change, Door, submit},
};

/// The queue of this work.
pub const QUEUE: &str = "proposals";

/// How often a change is tried that fails for a reason that may pass.
const TRIES: u32 = 5;

/// How often the work itself may begin. Far more: a worker that is killed in the middle uses one up, and a proposal must not stay approved
/// for ever because of that.
pub(super) const ATTEMPTS: u32 = 10_000;

/// What there is to do.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Task {
    /// Carry it out.
    CarryOut(ProposalId),
    /// Its time is over, if it is still open.
    Expire(ProposalId),
}

impl Task {
    pub(super) fn payload(self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// The worker's part.
#[derive(Debug)]
pub struct Work {
    app: App,
    performer: Arc<dyn Performer>,
}

impl Work {
    /// Over these.
    #[must_use]
    pub fn new(app: App, performer: Arc<dyn Performer>) -> Self {
        Self { app, performer }
    }
}

#[async_trait]
impl JobHandler for Work {
    async fn run(&self, context: &JobContext) -> std::result::Result<(), Failure> {
        let task: Task = serde_json::from_value(context.job.payload.clone())
            .map_err(|error| Failure::GiveUp(error.to_string()))?;
        let last = context.job.attempt >= TRIES;
        let outcome = match task {
            Task::CarryOut(id) => carry_out(&self.app, &*self.performer, id, last).await,
            Task::Expire(id) => expire(&self.app, id).await,
        };
        outcome.map_err(|error| Failure::Retry(error.to_string()))
    }
}

/// The context of who asked, as they may act now. Their browser may be signed out by then; a token that they used must still be good.
pub(super) async fn requester(app: &App, row: &Proposal, approvals: Approvals) -> Result<Context> {
    let actor: Actor = serde_json::from_value(row.actor.clone()).map_err(Error::internal)?;
    let user = users::get(&app.store.read(), row.user_id).await?;
    Ok(Context {
        actor: Actor {
            role: Some(user.role),
            ..actor
        },
        breakglass: user.breakglass,
        token_id: row.token_id,
        request_id: row.request_id.clone(),
        approvals,
        ..Context::of(Actor::system(row.organization_id))
    })
}

async fn carry_out(app: &App, performer: &dyn Performer, id: ProposalId, last: bool) -> Result<()> {
    let Some(row) = proposals::find(&app.store.read(), id).await? else {
        // Who asked is deleted, and what they asked for with them.
        return Ok(());
    };
    if row.state != ProposalState::Approved {
        return Ok(());
    }
    let kept = kept_of(app, &row).await?;
    let simulation = simulation_of(app, &app.store.read(), &row).await?;
    let simulation = serde_json::to_string(&simulation).map_err(Error::internal)?;
    let digest = kept.digest(&row.id.to_string(), &row.user_id.to_string(), &simulation);
    if digest != row.digest {
        return settle(
            app,
            id,
            ProposalState::Failed,
            Some("what was asked for is not what was approved: the stored proposal was changed"),
        )
        .await;
    }
    let votes = proposals::votes(&app.store.read(), id).await?;
    let roles = roles_of(&app.store.read(), &row, &votes).await?;
    let given = Given::new(id, digest, roles);
    let cx = requester(app, &row, Approvals::Given(given)).await?;
    match performer.perform(cx, &kept.intent).await {
        Performed::Done(answer) => {
            keep(app, id, &answer).await?;
            // Whatever the change found nothing to do for is done, too.
            if fresh(app, id).await?.state == ProposalState::Approved {
                settle(app, id, ProposalState::Done, None).await?;
            }
            Ok(())
        }
        Performed::Failed { code, detail }
            if !last && matches!(code, ProblemCode::Unavailable | ProblemCode::Internal) =>
        {
            Err(Error::new(code).detail(detail))
        }
        Performed::Failed { code, detail } => {
            let why = match code {
                ProblemCode::Unauthenticated => {
                    "who asked for it, or the token they used, may not act any more".to_owned()
                }
                ProblemCode::ApprovalNeeded => {
                    "the rules ask for other approvals than those it has by now".to_owned()
                }
                _ => detail,
            };
            settle(app, id, ProposalState::Failed, Some(&why)).await
        }
        Performed::Tried(_) => Err(Error::internal("it was only tried")),
    }
}

/// Keeps the answer for who asked.
async fn keep(app: &App, id: ProposalId, answer: &SecretString) -> Result<()> {
    if answer.expose_secret().is_empty() {
        return Ok(());
    }
    app.store
        .tx("proposals.answer", async |tx: Tx| {
            let Some(mut row) = proposals::find(&tx, id).await? else {
                return Ok(());
            };
            row.answer = Some(app.seal_proposal(&tx, &row, "answer", answer).await?);
            proposals::update(&tx, &row).await?;
            Ok::<_, Error>(())
        })
        .await
}

async fn expire(app: &App, id: ProposalId) -> Result<()> {
    // Now and then, beside other work: jobs that are done are of no use to anybody.
    let old = app.clock.now().before(super::WAITS);
    app.store
        .tx("jobs.forget", async |tx: Tx| {
            jobs::delete_done_before(&tx, old).await
        })
        .await?;
    let row = proposals::find(&app.store.read(), id).await?;
    if row.is_none_or(|row| row.state != ProposalState::Open) {
        return Ok(());
    }
    settle(app, id, ProposalState::Expired, None).await
}

async fn settle(
    app: &App,
    id: ProposalId,
    state: ProposalState,
    reason: Option<&str>,
) -> Result<()> {
    let change = Settle {
        id,
        state,
        reason: reason.map(ToOwned::to_owned),
    };
    submit(app, &Context::system(app.organization_id), change).await
}

struct Settle {
    id: ProposalId,
    state: ProposalState,
    reason: Option<String>,
}

#[async_trait]
impl Change for Settle {
    type Output = ();

    fn action(&self) -> Action {
        Action::ProposalSettle
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(resource_of(&load(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        let mut row = load(door.tx, self.id).await?;
        if !row.state.may_become(self.state) {
            return Err(Error::conflict(format!(
                "this proposal is {} already",
                row.state
            )));
        }
        end(&mut row, self.state, door.app.clock.now());
        row.reason.clone_from(&self.reason);
        proposals::update(door.tx, &row).await?;
        door.note("state", self.state.as_str());
        door.note("reason", json!(self.reason));
        Ok(())
    }
}

/// The proposal behind a change that is about to happen, with the approvals that hold now. Called in the change's transaction.
///
/// # Errors
///
/// `conflict` when it is not approved, or is not what was approved.
pub(crate) async fn standing(tx: &Tx, given: &Given) -> Result<Given> {
    let row = load(tx, given.proposal).await?;
    if row.digest != given.digest {
        return Err(Error::conflict("this is not what was approved"));
    }
    if !given.is_taken() && row.state != ProposalState::Approved {
        return Err(Error::conflict(format!(
            "this proposal is {} already",
            row.state
        )));
    }
    let votes = proposals::votes(tx, row.id).await?;
    let mut present = given.clone();
    present.roles = roles_of(tx, &row, &votes).await?;
    Ok(present)
}

/// Settles the proposal in the transaction of the change that carries it out.
pub(crate) async fn settle_with(app: &App, tx: &Tx, given: &Given) -> Result<()> {
    if given.is_taken() {
        return Ok(());
    }
    let mut row = load(tx, given.proposal).await?;
    end(&mut row, ProposalState::Done, app.clock.now());
    proposals::update(tx, &row).await?;
    let entry = NewEntry {
        organization_id: row.organization_id,
        principal: Principal::System,
        via: Via::Internal,
        action: Action::ProposalSettle.as_str(),
        resource_kind: "proposal",
        resource_id: row.id.to_string(),
        outcome: "done",
        decision: json!({}),
        values: vec![("state", json!(row.state))],
        request_id: row.request_id,
    };
    evidence::append(tx, &*app.clock, &*app.entropy, entry).await?;
    Ok(())
}
