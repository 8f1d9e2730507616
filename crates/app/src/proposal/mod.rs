//! Proposals: changes that wait because a rule asks for approval.
//!
//! A proposal keeps what was asked for exactly as it was asked for, sealed, as an [`Intent`]. Approvals bind to its digest. Once they
//! are complete a job carries the intent out as the person who asked, through the very use case that refused to do it at once; the door
//! settles the proposal in the transaction of that change, so it happens once.

mod ask;
mod carry_out;
mod intent;
mod verdict;

use std::time::Duration;

use fractal_api_types::{
    DryRun, Page, PageQuery, PolicyApproval, ProblemCode, ProposalAbilities, ProposalQuery,
    ProposalView, ProposalVoteView,
};
use fractal_policy::{Action, Approval, Resource};
use fractal_store::{Awaiting, Proposal, ProposalFilter, ProposalVote, Reads, proposals, users};
use fractal_types::{ProposalId, ProposalState, Role};
use secrecy::ExposeSecret;
use serde_json::Value;

pub use ask::{ask, ask_for_later, simulate};
pub use carry_out::{QUEUE, Work};
pub(crate) use carry_out::{settle_with, standing};
use intent::Shown;
pub use intent::{Intent, Performed, Performer};
pub use verdict::{approve, collect, reject, withdraw};

use crate::{
    App, Context, Error, Result,
    lookup::{page_request, person},
};

/// How long a proposal waits.
pub const WAITS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many may wait for one person. Agents ask for things with their owner's tokens.
pub const MOST_OPEN: usize = 50;

/// A proposal as policies see it.
const fn resource_of(row: &Proposal) -> Resource {
    Resource::Proposal {
        id: Some(row.id),
        owner: row.user_id,
        organization: row.organization_id,
        approver: row.approver,
    }
}

async fn load(db: &dyn Reads, id: ProposalId) -> Result<Proposal> {
    proposals::find(db, id).await?.ok_or_else(Error::not_found)
}

/// The demands as they are stored.
fn demands_of(row: &Proposal) -> Vec<PolicyApproval> {
    serde_json::from_value(row.demands.clone()).unwrap_or_default()
}

/// The roles that those who approved have now. Whoever was suspended or deleted meanwhile does not count, and neither does an
/// approval of something else.
async fn roles_of(db: &dyn Reads, row: &Proposal, votes: &[ProposalVote]) -> Result<Vec<Role>> {
    let mut roles = Vec::new();
    for vote in votes {
        if vote.verdict != fractal_types::Verdict::Approve || vote.digest != row.digest {
            continue;
        }
        let user = users::find(db, vote.user_id).await?;
        let user = user.filter(|user| user.active && user.organization_id == row.organization_id);
        roles.extend(user.map(|user| user.role));
    }
    Ok(roles)
}

fn approvals_of(demands: &[PolicyApproval]) -> Vec<Approval> {
    demands
        .iter()
        .map(|demand| Approval {
            role: demand.role,
            count: demand.count,
        })
        .collect()
}

/// The proposals that the caller may see, newest first.
///
/// # Errors
///
/// Names a parameter that makes no sense; see [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &ProposalQuery) -> Result<Page<ProposalView>> {
    let owner = cx.user_id()?;
    let organization = cx.actor.organization_id;
    let role = cx.actor.role.unwrap_or(Role::Member);
    let own = Resource::Proposal {
        id: None,
        owner,
        organization,
        approver: role,
    };
    app.require(cx, Action::ProposalList, &own)?;
    let everything = app.may(
        cx,
        Action::ProposalList,
        &Resource::Organization(organization),
    );
    let weaker = Role::ALL.into_iter().filter(|one| *one <= role).collect();
    let awaiting = query.awaiting_me.unwrap_or(false);
    let filter = ProposalFilter {
        state: if awaiting {
            Some(ProposalState::Open)
        } else {
            query.state
        },
        user_id: query.mine.unwrap_or(false).then_some(owner),
        visible_to: (!everything).then_some((owner, weaker)),
        awaiting: awaiting.then_some(Awaiting {
            user_id: owner,
            role,
            own: app.may(cx, Action::ProposalApprove, &own),
        }),
    };
    let request = page_request(&PageQuery {
        cursor: query.cursor.clone(),
        limit: query.limit,
    })?;
    let db = app.store.read();
    let page = proposals::list(&db, organization, &filter, &request).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        // A rule of the installation may keep some from being seen.
        if app.may(cx, Action::ProposalView, &resource_of(&row)) {
            match view_of(app, cx, &db, row).await {
                Ok(view) => items.push(view),
                Err(error) if error.code == ProblemCode::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(Page {
        items,
        next_cursor: page.next_cursor,
    })
}

/// One proposal.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, id: ProposalId) -> Result<ProposalView> {
    let db = app.store.read();
    let row = visible(app, cx, &db, id).await?;
    view_of(app, cx, &db, row).await
}

async fn visible(app: &App, cx: &Context, db: &dyn Reads, id: ProposalId) -> Result<Proposal> {
    let row = load(db, id).await?;
    app.require(cx, Action::ProposalView, &resource_of(&row))?;
    Ok(row)
}

/// Whether the caller may see it, for live events.
pub(crate) async fn is_visible(
    app: &App,
    cx: &Context,
    db: &dyn Reads,
    id: ProposalId,
) -> Result<bool> {
    let row = proposals::find(db, id).await?;
    Ok(row.is_some_and(|row| app.may(cx, Action::ProposalView, &resource_of(&row))))
}

/// What approvers are shown; nothing where this release cannot read it, which must not hide the others of a list.
async fn shown_of(app: &App, db: &dyn Reads, row: &Proposal) -> Result<Option<Shown>> {
    let text = match app.open_proposal(db, row, "simulation").await {
        Err(error) if error.code == ProblemCode::Internal => {
            tracing::warn!(proposal.id = %row.id, "what a proposal would do cannot be opened: {error}");
            return Ok(None);
        }
        text => text?,
    };
    Ok(text.and_then(|text| serde_json::from_str(text.expose_secret()).ok()))
}

async fn view_of(app: &App, cx: &Context, db: &dyn Reads, row: Proposal) -> Result<ProposalView> {
    let votes = proposals::votes(db, row.id).await?;
    let mine = cx.actor.user_id() == Some(row.user_id);
    let hidden = row.private && !mine;
    let shown = if hidden {
        None
    } else {
        shown_of(app, db, &row).await?
    };
    let (request, simulation) = match shown {
        Some(Shown { request, would }) => (Some(request), Some(would)),
        None => (None, None),
    };
    let resource = resource_of(&row);
    let open = row.state == ProposalState::Open && app.clock.now() < row.expires_at;
    let spoken = votes
        .iter()
        .any(|vote| Some(vote.user_id) == cx.actor.user_id());
    let may = |action| app.may(cx, action, &resource);
    let can = ProposalAbilities {
        approve: open && !spoken && may(Action::ProposalApprove),
        reject: open && !spoken && may(Action::ProposalReject),
        withdraw: open && may(Action::ProposalWithdraw),
        collect: row.answer.is_some() && may(Action::ProposalCollect),
    };
    let mut said = Vec::with_capacity(votes.len());
    for vote in votes {
        said.push(ProposalVoteView {
            by: person(db, vote.user_id).await?,
            role: vote.role,
            verdict: vote.verdict,
            comment: vote.comment,
            at: vote.created_at,
        });
    }
    // Who asked is deleted with what they asked for, perhaps just now.
    let requester = person(db, row.user_id)
        .await?
        .ok_or_else(Error::not_found)?;
    // Approvers have said why they rejected it. Other reasons may name what is private.
    let told = !hidden || row.state == ProposalState::Rejected;
    Ok(ProposalView {
        id: row.id,
        state: row.state,
        requester,
        resource_name: simulation.as_ref().and_then(name_of),
        demands: demands_of(&row),
        action: row.action,
        resource_kind: row.resource_kind,
        resource_id: row.resource_id,
        private: row.private,
        request,
        simulation,
        policies: row.policies,
        votes: said,
        digest: row.digest,
        reason: row.reason.filter(|_| told),
        can,
        created_at: row.created_at,
        expires_at: row.expires_at,
        approved_at: row.approved_at,
        settled_at: row.settled_at,
    })
}

/// What people call the thing, as the change itself would note it.
fn name_of(simulation: &DryRun) -> Option<String> {
    ["name", "username", "display_name"]
        .iter()
        .find_map(|field| simulation.values.get(*field))
        .and_then(Value::as_str)
        .map(ToOwned::to_owned)
}
