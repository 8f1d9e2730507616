//! Carrying approved proposals out, and ending those whose time is over: work of the job worker.
//!
//! The job may run more than once; the change happens once, because the door settles the proposal in the change's own transaction
//! ([`standing`], [`settle_with`]).

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use fractal_api_types::ProblemCode;
use fractal_background::{Failure, JobContext, JobHandler};
use fractal_policy::Action;
use fractal_store::{NewEntry, Proposal, Tx, evidence, jobs, proposals, users};
use fractal_types::{Actor, Principal, ProposalId, ProposalState, Via};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ask::{Opened, open},
    intent::{Intent, Kept, Performed, Performer},
    load, roles_of,
    verdict::end,
};
use crate::{App, Approvals, Context, Error, Given, Result};

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
            Task::CarryOut(id) => carry_out(&self.app, &self.performer, id, last).await,
            Task::Expire(id) => expire(&self.app, id).await,
        };
        outcome.map_err(|error| Failure::Retry(error.to_string()))
    }
}

/// The context of who asked, as they may act now. Their browser may be signed out by then; a token that they used must still be good.
pub(super) async fn requester(
    app: &App,
    row: &Proposal,
    kept: &Kept,
    approvals: Approvals,
) -> Result<Context> {
    let user = users::get(&app.store.read(), row.user_id).await?;
    Ok(Context {
        actor: Actor {
            role: Some(user.role),
            ..kept.actor.clone()
        },
        breakglass: user.breakglass,
        token_id: kept.token_id,
        request_id: row.request_id.clone(),
        approvals,
        ..Context::of(Actor::system(row.organization_id))
    })
}

async fn carry_out(
    app: &App,
    performer: &Arc<dyn Performer>,
    id: ProposalId,
    last: bool,
) -> Result<()> {
    let Some(row) = proposals::find(&app.store.read(), id).await? else {
        // Who asked is deleted, and what they asked for with them.
        return Ok(());
    };
    match row.state {
        ProposalState::Approved => {}
        // By an attempt that did not live to keep what it answered.
        ProposalState::Done if row.answered_at.is_none() => {
            return answered(app, id, &Answer::Lost(LOST.to_owned())).await;
        }
        _ => return Ok(()),
    }
    let (cx, intent) = match prepare(app, &row).await {
        Ok(ready) => ready,
        Err(error) if !last && may_pass(error.code) => return Err(error),
        Err(error) => {
            let why = error
                .detail
                .unwrap_or_else(|| error.code.title().to_owned());
            return settle(app, id, ProposalState::Failed, Some(&why)).await;
        }
    };
    // On its own, because what follows the commit is owed, too, when the worker gives this job up: what it answered, sessions that end.
    let (app, performer) = (app.clone(), Arc::clone(performer));
    tokio::spawn(async move {
        let performed = performer.perform(cx, &intent).await;
        conclude(&app, id, performed, last).await
    })
    .await
    .map_err(Error::internal)?
}

/// Everything that carrying it out needs, after it was seen to be what was approved.
async fn prepare(app: &App, row: &Proposal) -> Result<(Context, Intent)> {
    let db = app.store.read();
    let Opened { kept, digest } = open(app, &db, row).await?;
    let theirs = kept.actor.user_id() == Some(row.user_id)
        && kept.token_id == row.token_id
        && serde_json::from_value::<Actor>(row.actor.clone())
            .ok()
            .as_ref()
            == Some(&kept.actor);
    if digest != row.digest || !theirs {
        return Err(Error::conflict(
            "what was asked for is not what was approved: the stored proposal was changed",
        ));
    }
    let votes = proposals::votes(&db, row.id).await?;
    let roles = roles_of(&db, row, &votes).await?;
    let given = Given::new(row.id, digest, roles);
    let cx = requester(app, row, &kept, Approvals::Given(given)).await?;
    Ok((cx, kept.intent))
}

/// Whether trying again may help.
const fn may_pass(code: ProblemCode) -> bool {
    matches!(code, ProblemCode::Unavailable | ProblemCode::Internal)
}

async fn conclude(app: &App, id: ProposalId, performed: Performed, last: bool) -> Result<()> {
    let is_open = load(&app.store.read(), id).await?.state == ProposalState::Approved;
    match performed {
        Performed::Done(answer) => {
            answered(app, id, &Answer::Kept(answer)).await?;
            // Whatever the change found nothing to do for is done, too.
            if is_open {
                settle(app, id, ProposalState::Done, None).await?;
            }
            Ok(())
        }
        // The change was made; what failed is its answer.
        Performed::Failed { detail, .. } if !is_open => {
            answered(app, id, &Answer::Lost(format!("{LOST}: {detail}"))).await
        }
        Performed::Failed { code, detail } if !last && may_pass(code) => {
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
                ProblemCode::NotFound => "what it was about is not there any more".to_owned(),
                _ => detail,
            };
            settle(app, id, ProposalState::Failed, Some(&why)).await
        }
        Performed::Tried(_) => Err(Error::internal("it was only tried")),
    }
}

/// For people whose change was made and whose answer is gone.
const LOST: &str =
    "it was done, but what it answered was lost; a secret that it made can be replaced";

/// How often keeping an answer is tried: there is no other way to it.
const KEEPS: u32 = 5;

/// What became of the answer.
enum Answer {
    Kept(SecretString),
    Lost(String),
}

/// Keeps the answer for who asked, or says what became of it.
async fn answered(app: &App, id: ProposalId, answer: &Answer) -> Result<()> {
    let mut tries = 1;
    loop {
        let outcome = app
            .store
            .tx("proposals.answer", async |tx: Tx| {
                let Some(mut row) = proposals::find(&tx, id).await? else {
                    return Ok(());
                };
                // Two may work on it, when the lease of the first has run out: whoever has the answer is right.
                match answer {
                    Answer::Lost(_) if row.answered_at.is_some() => return Ok(()),
                    Answer::Lost(why) => row.reason = Some(why.clone()),
                    Answer::Kept(text) => {
                        row.reason = None;
                        if !text.expose_secret().is_empty() {
                            row.answer = Some(app.seal_proposal(&tx, &row, "answer", text).await?);
                        }
                    }
                }
                row.answered_at = Some(app.clock.now());
                proposals::update(&tx, &row).await?;
                Ok::<_, Error>(())
            })
            .await;
        match outcome {
            Err(error) if tries < KEEPS => {
                tracing::warn!(proposal.id = %id, "an answer could not be kept yet: {error}");
                tries += 1;
                app.clock.sleep(Duration::from_secs(1)).await;
            }
            outcome => return outcome,
        }
    }
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

/// Ends a proposal. No rule is asked: rules decide about changes, and this one is over; a rule that forbids everything must not keep it open.
async fn settle(
    app: &App,
    id: ProposalId,
    state: ProposalState,
    reason: Option<&str>,
) -> Result<()> {
    app.store
        .tx("proposals.settle", async |tx: Tx| {
            let row = load(&tx, id).await?;
            if row.state.may_become(state) {
                settle_in(app, &tx, row, state, reason).await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    app.sealer.wake();
    Ok(())
}

async fn settle_in(
    app: &App,
    tx: &Tx,
    mut row: Proposal,
    state: ProposalState,
    reason: Option<&str>,
) -> Result<()> {
    end(&mut row, state, app.clock.now());
    row.reason = reason.map(ToOwned::to_owned);
    proposals::update(tx, &row).await?;
    let mut values = vec![("state", json!(row.state))];
    values.extend(reason.map(|reason| ("reason", json!(reason))));
    let entry = NewEntry {
        organization_id: row.organization_id,
        principal: Principal::System,
        via: Via::Internal,
        action: Action::ProposalSettle.as_str(),
        resource_kind: "proposal",
        resource_id: row.id.to_string(),
        outcome: "done",
        decision: json!({}),
        values,
        request_id: row.request_id,
    };
    evidence::append(tx, &*app.clock, &*app.entropy, entry).await?;
    Ok(())
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
    let row = load(tx, given.proposal).await?;
    settle_in(app, tx, row, ProposalState::Done, None).await
}
