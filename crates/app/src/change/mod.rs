//! The door: the one way to change anything (design sections 1 and 3).
//!
//! [`submit`] makes sure that the person who acts is still there, decides by policy, then changes state and appends evidence in one transaction, then wakes the workers. A change
//! is a value that implements [`Change`]; it does database work only, because the transaction may run again when it collides.
//! Slow or outside work (hashing, testing a provider) is done before, and its result is part of the value.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use fractal_api_types::{DryRun, ProblemCode};
use fractal_policy::{Action, Decision, Question, Resource};
use fractal_store::{NewEntry, NewJob, Tx, evidence, jobs};
use fractal_types::InstanceId;
use serde_json::{Value, json};

use crate::{
    App, Approvals, Context, Error, Result,
    approval::Decided,
    context::Proposable,
    idempotency,
    policy::{decided, decision_view, forget_old},
    proposal,
    session::standing,
};

/// Something somebody wants changed.
#[async_trait]
pub trait Change: Send + Sync {
    /// What comes back.
    type Output: Send;

    /// What is being done, as policies name it.
    fn action(&self) -> Action;

    /// The thing it touches, as it is now. Not finding it is an error here.
    async fn resource(&self, tx: &Tx, cx: &Context) -> Result<Resource>;

    /// Does it. Only database awaits.
    async fn apply(&self, door: &Door<'_>) -> Result<Self::Output>;
}

/// What an allowed change works with.
#[derive(Debug)]
pub struct Door<'a> {
    /// The house.
    pub app: &'a App,
    /// The transaction.
    pub tx: &'a Tx,
    /// Who acts.
    pub cx: &'a Context,
    /// The thing that was decided about.
    pub resource: Resource,
    notes: Mutex<Notes>,
}

/// What a change leaves besides state.
#[derive(Debug, Default)]
struct Notes {
    values: Vec<(&'static str, Value)>,
    fresh: Vec<&'static str>,
    steps: Vec<&'static str>,
    made: Option<String>,
    wake: Vec<InstanceId>,
    has_work: bool,
}

impl Door<'_> {
    fn notes(&self) -> std::sync::MutexGuard<'_, Notes> {
        self.notes
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Puts a value into the evidence, as a salted commitment. Never a secret.
    pub fn note(&self, field: &'static str, value: impl Into<Value>) {
        self.notes().values.push((field, value.into()));
    }

    /// Like [`Door::note`], for what is made anew each time: a try and the change itself have different ones.
    pub fn note_fresh(&self, field: &'static str, value: impl Into<Value>) {
        self.note(field, value);
        self.notes().fresh.push(field);
    }

    /// Says which steps will follow.
    pub(crate) fn note_steps(&self, steps: impl Iterator<Item = &'static str>) {
        self.notes().steps.extend(steps);
    }

    /// Names the thing that was made, for the evidence.
    pub fn made(&self, id: impl ToString) {
        self.notes().made = Some(id.to_string());
    }

    /// Leaves work for the worker, which is woken after the commit.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn enqueue(&self, job: &NewJob) -> Result<()> {
        jobs::enqueue(self.tx, job, self.app.clock.now()).await?;
        self.notes().has_work = true;
        Ok(())
    }

    /// Has the reconciler look at an instance after the commit.
    pub fn wake(&self, id: InstanceId) {
        self.notes().wake.push(id);
    }
}

/// Decides, changes, records; see the module.
///
/// # Errors
///
/// The refusal of the policy, or whatever kept the change from happening; then nothing has changed.
pub async fn submit<C: Change>(app: &App, cx: &Context, change: C) -> Result<C::Output> {
    let name = change.action().as_str();
    let outcome = app
        .parts()
        .store
        .tx(name, |tx: Tx| attempt_owned(app, cx, &change, tx))
        .await;
    match outcome {
        Ok(done) => {
            if let Some(key) = &cx.idempotency_key {
                key.took();
            }
            if let Approvals::Given(given) = &cx.approvals {
                given.took();
            }
            if let Some(proposable) = &cx.proposable {
                proposable.changed();
            }
            app.remembered.forget();
            app.sealer.wake();
            metrics::counter!("fractal_changes_total", "action" => name, "outcome" => "done")
                .increment(1);
            for id in done.wake {
                app.wake_instance(id);
            }
            if done.has_work {
                app.wake_worker();
            }
            Ok(done.output)
        }
        Err(Failure::Tried(would)) => Err(tried(would)),
        // Who may not see a thing is not told by a try that it is there.
        Err(Failure::Refused { error, .. })
            if cx.dry_run && error.code == ProblemCode::NotFound =>
        {
            Err(error)
        }
        Err(Failure::Refused {
            question, decision, ..
        }) if cx.dry_run => Err(tried(Box::new(DryRun {
            action: name.to_owned(),
            resource_kind: question.resource.kind().to_owned(),
            resource_id: question.resource.id_text(),
            private: is_private(app, question.action, &question.resource),
            decision: decision_view(&decision),
            values: BTreeMap::new(),
            fresh: Vec::new(),
            steps: Vec::new(),
            instances: Vec::new(),
        }))),
        // It will wait as a proposal, which is its own entry of the log; if that comes to nothing, it is recorded then.
        Err(Failure::Refused {
            mut error,
            question,
            decision,
        }) if may_wait(cx, &error) => {
            metrics::counter!("fractal_changes_total", "action" => name, "outcome" => "waiting")
                .increment(1);
            record_decision(app, &question, &decision).await;
            error.waiting = Some(Arc::new(Waiting { question, decision }));
            Err(error)
        }
        Err(Failure::Refused {
            error,
            question,
            decision,
        }) => {
            metrics::counter!("fractal_changes_total", "action" => name, "outcome" => "refused")
                .increment(1);
            record_refusal(app, cx, &question, &decision).await?;
            Err(error)
        }
        Err(Failure::Failed(error)) => {
            metrics::counter!("fractal_changes_total", "action" => name, "outcome" => "failed")
                .increment(1);
            Err(error)
        }
    }
}

struct Done<T> {
    output: T,
    wake: Vec<InstanceId>,
    has_work: bool,
}

/// What a change would do, as the outcome that takes it back.
fn tried(would: Box<DryRun>) -> Error {
    let mut error = Error::new(ProblemCode::Internal);
    error.dry_run = Some(would);
    error
}

enum Failure {
    /// It was only tried; the transaction is taken back.
    Tried(Box<DryRun>),
    Refused {
        error: Error,
        question: Box<Question>,
        decision: Box<Decision>,
    },
    Failed(Error),
}

impl From<fractal_store::Error> for Failure {
    fn from(error: fractal_store::Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// Owns the transaction handle for the length of one attempt.
async fn attempt_owned<C: Change>(
    app: &App,
    cx: &Context,
    change: &C,
    tx: Tx,
) -> std::result::Result<Done<C::Output>, Failure> {
    attempt(app, cx, change, &tx).await
}

async fn attempt<C: Change>(
    app: &App,
    cx: &Context,
    change: &C,
    tx: &Tx,
) -> std::result::Result<Done<C::Output>, Failure> {
    let cx = &*present(app, tx, cx).await?;
    let resource = change.resource(tx, cx).await?;
    let policy = app
        .policies
        .present_in(tx, cx.actor.organization_id)
        .await?;
    let Decided {
        decision,
        waited,
        circumstances,
    } = cx.decide(&policy, change.action(), &resource);
    let question = Question {
        actor: cx.actor.clone(),
        action: change.action(),
        resource,
        circumstances,
    };
    // Seen in this transaction, so committed before it; other decisions here may follow at once.
    app.policies.put(policy);
    if !decision.is_allowed() {
        let error = app.refusal(cx, question.action, &resource, &decision.outcome);
        return Err(Failure::Refused {
            error,
            question: Box::new(question),
            decision: Box::new(decision),
        });
    }
    if !cx.dry_run {
        decided(app, tx, &question, &decision).await?;
        forget_old(app, tx).await?;
    }
    let resource = question.resource;
    let door = Door {
        app,
        tx,
        cx,
        resource,
        notes: Mutex::default(),
    };
    let output = change.apply(&door).await?;
    let notes = door
        .notes
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    if cx.dry_run {
        let woken = notes.wake.iter().map(ToString::to_string);
        return Err(Failure::Tried(Box::new(DryRun {
            action: change.action().as_str().to_owned(),
            resource_kind: resource.kind().to_owned(),
            resource_id: resource.id_text(),
            private: is_private(app, change.action(), &resource),
            decision: decision_view(waited.as_ref().unwrap_or(&decision)),
            values: notes
                .values
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            fresh: notes.fresh.into_iter().map(ToOwned::to_owned).collect(),
            steps: notes.steps.into_iter().map(ToOwned::to_owned).collect(),
            // One that would be made has no name yet.
            instances: woken.filter(|id| Some(id) != notes.made.as_ref()).collect(),
        })));
    }
    let resource_id = notes
        .made
        .or_else(|| resource.id_text())
        .unwrap_or_default();
    if let Some(key) = &cx.idempotency_key {
        idempotency::take(app, tx, key, change.action(), &resource_id).await?;
    }
    let mut reasons = decision_value(&decision);
    if let Approvals::Given(given) = &cx.approvals {
        reasons["proposal"] = json!(given.proposal);
    }
    let entry = NewEntry {
        organization_id: cx.actor.organization_id,
        principal: cx.actor.principal,
        via: cx.actor.via,
        action: change.action().as_str(),
        resource_kind: resource.kind(),
        resource_id,
        outcome: "done",
        decision: reasons,
        values: notes.values,
        request_id: cx.request_id.clone(),
    };
    evidence::append(tx, &*app.parts().clock, &*app.parts().entropy, entry).await?;
    if let Approvals::Given(given) = &cx.approvals {
        proposal::settle_with(app, tx, given).await?;
    }
    Ok(Done {
        output,
        wake: notes.wake,
        has_work: notes.has_work,
    })
}

/// The context as it is inside the transaction. It was proven before, perhaps seconds ago and from memory: who was suspended, deleted
/// or signed out since then changes nothing any more, and a new role counts at once. As everything in the transaction sees one state,
/// nothing can be made for somebody who is being deleted at the same time. What was approved is looked up again as well: the proposal, and
/// whether those who approved it still may.
async fn present<'a>(app: &App, tx: &Tx, cx: &'a Context) -> Result<Cow<'a, Context>> {
    if matches!(cx.approvals, Approvals::Assumed(_)) && !cx.dry_run {
        return Err(Error::internal("approvals are assumed for tries only"));
    }
    if cx.actor.user_id().is_none() {
        return Ok(Cow::Borrowed(cx));
    }
    let user = standing(tx, cx, app.clock.now())
        .await?
        .ok_or_else(|| Error::new(ProblemCode::Unauthenticated))?
        .user;
    let given = match &cx.approvals {
        Approvals::Given(given) => Some(proposal::standing(tx, given).await?),
        _ => None,
    };
    if given.is_none() && cx.actor.role == Some(user.role) && cx.breakglass == user.breakglass {
        return Ok(Cow::Borrowed(cx));
    }
    let mut present = cx.clone();
    if let Some(given) = given {
        present.approvals = Approvals::Given(given);
    }
    present.actor.role = Some(user.role);
    present.breakglass = user.breakglass;
    Ok(Cow::Owned(present))
}

fn is_private(app: &App, action: Action, resource: &Resource) -> bool {
    resource.owner().is_some() && app.policy().is_private(action)
}

fn decision_value(decision: &Decision) -> Value {
    json!({ "allowed": decision.is_allowed(), "policies": decision.determining })
}

/// A refusal that is not recorded yet, because the change may become a proposal.
#[derive(Debug)]
pub struct Waiting {
    question: Box<Question>,
    decision: Box<Decision>,
}

impl Waiting {
    pub(crate) fn new(question: Question, decision: Decision) -> Self {
        Self {
            question: Box::new(question),
            decision: Box::new(decision),
        }
    }
}

/// Whether a refusal may become a proposal.
pub(crate) fn may_wait(cx: &Context, error: &Error) -> bool {
    let proposable = cx.proposable.as_ref();
    error.code == ProblemCode::ApprovalNeeded && proposable.is_some_and(Proposable::is_untouched)
}

impl App {
    /// Records the refusal of a change that became no proposal either.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn record_waiting(&self, cx: &Context, waiting: &Waiting) -> Result<()> {
        record_evidence(self, cx, &waiting.question, &waiting.decision).await
    }
}

/// A refusal is evidence too. It names the thing also when the actor may not see it: the log is read by administrators and by the
/// thing's owner, who should know that somebody tried.
async fn record_refusal(
    app: &App,
    cx: &Context,
    question: &Question,
    decision: &Decision,
) -> Result<()> {
    record_evidence(app, cx, question, decision).await?;
    record_decision(app, question, decision).await;
    Ok(())
}

async fn record_evidence(
    app: &App,
    cx: &Context,
    question: &Question,
    decision: &Decision,
) -> Result<()> {
    let Question {
        action, resource, ..
    } = question;
    app.record(
        cx,
        action.as_str(),
        resource.kind(),
        resource.id_text().unwrap_or_default(),
        "refused",
        decision_value(decision),
        Vec::new(),
    )
    .await
}

/// Keeps a decision for trying rules on it. What it decided is told and logged whether or not this works.
async fn record_decision(app: &App, question: &Question, decision: &Decision) {
    let written = app
        .store
        .tx("decisions.refused", async |tx: Tx| {
            decided(app, &tx, question, decision).await?;
            forget_old(app, &tx).await
        })
        .await;
    if let Err(error) = written {
        tracing::warn!("a decision was not kept for trying rules on it: {error}");
    }
}

impl App {
    /// Appends evidence that has no change of its own: sign-ins, refusals, transitions of seen state.
    ///
    /// # Errors
    ///
    /// When the database fails.
    #[expect(
        clippy::too_many_arguments,
        reason = "an evidence entry has this many parts, and they are all different"
    )]
    pub(crate) async fn record(
        &self,
        cx: &Context,
        action: &str,
        resource_kind: &str,
        resource_id: String,
        outcome: &str,
        decision: Value,
        values: Vec<(&str, Value)>,
    ) -> Result<()> {
        let parts = self.parts();
        parts
            .store
            .tx("evidence.append", async |tx: Tx| {
                let entry = NewEntry {
                    organization_id: cx.actor.organization_id,
                    principal: cx.actor.principal,
                    via: cx.actor.via,
                    action,
                    resource_kind,
                    resource_id: resource_id.clone(),
                    outcome,
                    decision: decision.clone(),
                    values: values.clone(),
                    request_id: cx.request_id.clone(),
                };
                evidence::append(&tx, &*parts.clock, &*parts.entropy, entry).await?;
                Ok::<_, Error>(())
            })
            .await?;
        parts.sealer.wake();
        Ok(())
    }
}

/// Refuses a wrong field before the door is tried.
pub(crate) fn check(valid: bool, field: &str, message: &str) -> Result<()> {
    if valid {
        Ok(())
    } else {
        Err(Error::field(field, message))
    }
}

/// Turns "a row with this identity exists" into a message that names the field.
pub(crate) fn taken(error: fractal_store::Error, what: &str) -> Error {
    match error {
        fractal_store::Error::Conflict { .. } => {
            Error::new(ProblemCode::AlreadyExists).detail(format!("{what} is taken"))
        }
        other => other.into(),
    }
}
