//! What people say about a proposal: approve, reject, withdraw; and fetching what came of it.

use async_trait::async_trait;
use fractal_api_types::{ApproveProposal, ProposalAnswer, ProposalView, RejectProposal};
use fractal_policy::{Action, Resource};
use fractal_store::{NewJob, Proposal, ProposalVote, Tx, proposals};
use fractal_types::{ProposalId, ProposalState, Role, Verdict};
use secrecy::{ExposeSecret, SecretString};

use super::{
    QUEUE, approvals_of,
    carry_out::{ATTEMPTS, Task},
    demands_of, load, resource_of, roles_of, view_of,
};
use crate::{
    App, Context, Error, Result,
    approval::meet,
    change::{Change, Door, check, submit},
};

/// The most characters of a comment.
const LONGEST_COMMENT: usize = 500;

/// Approves it. With the last approval it is carried out.
///
/// # Errors
///
/// `conflict` when it is not open, when its digest is another, or when the caller has spoken before; see [`submit`].
pub async fn approve(
    app: &App,
    cx: &Context,
    id: ProposalId,
    body: ApproveProposal,
) -> Result<ProposalView> {
    let change = Say {
        id,
        verdict: Verdict::Approve,
        digest: Some(body.digest),
        comment: checked_comment(body.comment.unwrap_or_default())?,
    };
    let row = submit(app, cx, change).await?;
    view_of(app, cx, &app.store.read(), row).await
}

/// Rejects it; one is enough.
///
/// # Errors
///
/// As for [`approve`].
pub async fn reject(
    app: &App,
    cx: &Context,
    id: ProposalId,
    body: RejectProposal,
) -> Result<ProposalView> {
    let comment = checked_comment(body.comment)?;
    check(!comment.is_empty(), "/comment", "must say why")?;
    let change = Say {
        id,
        verdict: Verdict::Reject,
        digest: None,
        comment,
    };
    let row = submit(app, cx, change).await?;
    view_of(app, cx, &app.store.read(), row).await
}

fn checked_comment(text: String) -> Result<String> {
    let text = text.trim().to_owned();
    check(
        text.chars().count() <= LONGEST_COMMENT,
        "/comment",
        "is longer than 500 characters",
    )?;
    Ok(text)
}

struct Say {
    id: ProposalId,
    verdict: Verdict,
    digest: Option<String>,
    comment: String,
}

#[async_trait]
impl Change for Say {
    type Output = Proposal;

    fn action(&self) -> Action {
        match self.verdict {
            Verdict::Approve => Action::ProposalApprove,
            Verdict::Reject => Action::ProposalReject,
        }
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(resource_of(&load(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Proposal> {
        let mut row = open_one(door, self.id).await?;
        if self.digest.as_ref().is_some_and(|seen| *seen != row.digest) {
            return Err(Error::conflict(
                "this is another proposal than the one you saw; its digest differs",
            )
            .remedy("look at it again before you approve it"));
        }
        let now = door.app.clock.now();
        let vote = ProposalVote {
            id: door.app.new_id(),
            proposal_id: row.id,
            user_id: door.cx.user_id()?,
            role: door.cx.actor.role.unwrap_or(Role::Member),
            verdict: self.verdict,
            comment: self.comment.clone(),
            digest: row.digest.clone(),
            created_at: now,
        };
        proposals::vote(door.tx, &vote)
            .await
            .map_err(|error| match error {
                fractal_store::Error::Conflict { .. } => {
                    Error::conflict("you have said something about this proposal already")
                }
                other => other.into(),
            })?;
        match self.verdict {
            Verdict::Reject => {
                end(&mut row, ProposalState::Rejected, now);
                row.reason = Some(self.comment.clone());
            }
            Verdict::Approve => {
                let votes = proposals::votes(door.tx, row.id).await?;
                let roles = roles_of(door.tx, &row, &votes).await?;
                if meet(&approvals_of(&demands_of(&row)), &roles) {
                    row.state = ProposalState::Approved;
                    row.approved_at = Some(now);
                    door.enqueue(&NewJob {
                        id: door.app.new_id(),
                        queue: QUEUE.to_owned(),
                        payload: Task::CarryOut(row.id).payload(),
                        run_at: now,
                        max_attempts: ATTEMPTS,
                    })
                    .await?;
                }
            }
        }
        // Written also when nothing of it changed: two who approve at once must see each other.
        proposals::update(door.tx, &row).await?;
        door.note("digest", row.digest.as_str());
        door.note("comment", self.comment.as_str());
        door.note("state", row.state.as_str());
        Ok(row)
    }
}

/// The row, if something may still be said about it.
async fn open_one(door: &Door<'_>, id: ProposalId) -> Result<Proposal> {
    let row = load(door.tx, id).await?;
    if row.state != ProposalState::Open {
        return Err(Error::conflict(format!(
            "this proposal is {} already",
            row.state
        )));
    }
    if door.app.clock.now() >= row.expires_at {
        return Err(Error::conflict("the time of this proposal is over")
            .remedy("who asked for it can ask again"));
    }
    Ok(row)
}

/// Ends it. What was asked for is not needed any more, and goes; what would have happened stays, for who looks back.
pub(super) fn end(row: &mut Proposal, state: ProposalState, now: fractal_types::Timestamp) {
    row.state = state;
    row.settled_at = Some(now);
    row.request = None;
}

/// Takes back what one asked for.
///
/// # Errors
///
/// `conflict` when it is not open; see [`submit`].
pub async fn withdraw(app: &App, cx: &Context, id: ProposalId) -> Result<ProposalView> {
    let row = submit(app, cx, Withdraw { id }).await?;
    view_of(app, cx, &app.store.read(), row).await
}

struct Withdraw {
    id: ProposalId,
}

#[async_trait]
impl Change for Withdraw {
    type Output = Proposal;

    fn action(&self) -> Action {
        Action::ProposalWithdraw
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(resource_of(&load(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Proposal> {
        let mut row = open_one(door, self.id).await?;
        end(&mut row, ProposalState::Withdrawn, door.app.clock.now());
        proposals::update(door.tx, &row).await?;
        Ok(row)
    }
}

/// Gives out, once, what the change answered; it may hold a new secret.
///
/// # Errors
///
/// `not-found` when there is nothing, or not any more; see [`submit`].
pub async fn collect(app: &App, cx: &Context, id: ProposalId) -> Result<ProposalAnswer> {
    let answer = submit(app, cx, Collect { id }).await?;
    Ok(ProposalAnswer {
        answer: serde_json::from_str(answer.expose_secret()).map_err(Error::internal)?,
    })
}

struct Collect {
    id: ProposalId,
}

#[async_trait]
impl Change for Collect {
    type Output = SecretString;

    fn action(&self) -> Action {
        Action::ProposalCollect
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(resource_of(&load(tx, self.id).await?))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<SecretString> {
        let mut row = load(door.tx, self.id).await?;
        let answer = door.app.open_proposal(door.tx, &row, "answer").await?;
        let answer = answer.ok_or_else(|| {
            Error::not_found().detail("there is no answer to fetch, or it was fetched already")
        })?;
        row.answer = None;
        proposals::update(door.tx, &row).await?;
        Ok(answer)
    }
}
