//! Changes that wait for approval, and what was said about them.

use fractal_types::{
    ApiTokenId, OrganizationId, ProposalId, ProposalState, Role, Timestamp, UserId, Verdict, VoteId,
};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A change that waits, or waited.
    Proposal in "proposals" {
        /// Its id.
        id: ProposalId,
        /// In which tenant.
        organization_id: OrganizationId,
        /// Who asked for it.
        user_id: UserId,
        /// How they acted then (`fractal_types::Actor`); their role is looked up again.
        actor: serde_json::Value,
        /// The token they used.
        token_id: Option<ApiTokenId>,
        /// The request that asked for it.
        request_id: Option<String>,
        /// What it does.
        action: String,
        /// To which kind of thing.
        resource_kind: String,
        /// To which thing; none for one that will be made.
        resource_id: Option<String>,
        /// Whether it touches what is private to who asked.
        private: bool,
        /// What was asked for, sealed; none once it is settled.
        request: Option<Vec<u8>>,
        /// What would happen, sealed.
        simulation: Option<Vec<u8>>,
        /// Hash of all that an approval binds to, in hexadecimal.
        digest: String,
        /// The approvals that the rules ask for, as JSON.
        demands: serde_json::Value,
        /// The rules that ask for them.
        policies: Vec<String>,
        /// The weakest role whose approval counts.
        approver: Role,
        /// How far it is.
        state: ProposalState,
        /// Why it ended as it did.
        reason: Option<String>,
        /// What the change answered, sealed, until who asked has collected it.
        answer: Option<Vec<u8>>,
        /// When what it answered was dealt with: kept, or known to be empty or lost.
        answered_at: Option<Timestamp>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When it ends by itself.
        expires_at: Timestamp,
        /// When the last approval came.
        approved_at: Option<Timestamp>,
        /// When nothing happened to it any more.
        settled_at: Option<Timestamp>,
    }
}

verbs!(Proposal, ProposalId, insert find update);

table! {
    /// What somebody said about a proposal.
    ProposalVote in "proposal_votes" {
        /// Its id.
        id: VoteId,
        /// About which one.
        proposal_id: ProposalId,
        /// Who.
        user_id: UserId,
        /// Their role then.
        role: Role,
        /// What they said.
        verdict: Verdict,
        /// In their words; may be empty.
        comment: String,
        /// The digest they saw.
        digest: String,
        /// When.
        created_at: Timestamp,
    }
}

/// Which proposals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProposalFilter {
    /// Of this state.
    pub state: Option<ProposalState>,
    /// Asked for by this person.
    pub user_id: Option<UserId>,
    /// Asked for by this person, or open to an approval by one of these roles; everything when absent.
    pub visible_to: Option<(UserId, Vec<Role>)>,
    /// Only what somebody could still approve.
    pub awaiting: Option<Awaiting>,
}

/// Whose approval is awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Awaiting {
    /// Somebody who has not said anything about it.
    pub user_id: UserId,
    /// Their role.
    pub role: Role,
    /// Whether they may approve what they asked for themselves.
    pub own: bool,
}

/// One page of a tenant's proposals.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    filter: &ProposalFilter,
    request: &PageRequest,
) -> Result<Page<Proposal>> {
    table::page_where(db, condition(organization_id, filter), request).await
}

fn condition(organization_id: OrganizationId, filter: &ProposalFilter) -> Condition {
    let mut condition = equals("organization_id", organization_id.to_value());
    if let Some(state) = filter.state {
        condition = condition.add(Expr::col("state").eq(state.as_str()));
    }
    if let Some(user) = filter.user_id {
        condition = condition.add(Expr::col("user_id").eq(user.to_string()));
    }
    if let Some((user, roles)) = &filter.visible_to {
        condition = condition.add(
            Condition::any()
                .add(Expr::col("user_id").eq(user.to_string()))
                .add(may_be_approved_by(roles)),
        );
    }
    if let Some(awaiting) = filter.awaiting {
        let user = awaiting.user_id;
        let weaker = Role::ALL.into_iter().filter(|one| *one <= awaiting.role);
        let roles: Vec<Role> = weaker.collect();
        let mut spoken = Query::select();
        spoken
            .column("proposal_id")
            .from("proposal_votes")
            .and_where(Expr::col("user_id").eq(user.to_string()));
        if !awaiting.own {
            condition = condition.add(Expr::col("user_id").ne(user.to_string()));
        }
        condition = condition
            .add(may_be_approved_by(&roles))
            .add(Expr::col("id").not_in_subquery(spoken));
    }
    condition
}

fn may_be_approved_by(roles: &[Role]) -> Expr {
    Expr::col("approver").is_in(roles.iter().map(|role| role.as_str()))
}

/// A person's open ones, oldest first; their number is limited where they are made.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_open_of(db: &dyn Reads, user_id: UserId) -> Result<Vec<Proposal>> {
    let open = Expr::col("state").eq(ProposalState::Open.as_str());
    table::list_where(db, equals("user_id", user_id.to_value()).add(open)).await
}

/// What somebody asked for and is about to be carried out.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_approved_of(db: &dyn Reads, user_id: UserId) -> Result<Vec<Proposal>> {
    let approved = Expr::col("state").eq(ProposalState::Approved.as_str());
    table::list_where(db, equals("user_id", user_id.to_value()).add(approved)).await
}

/// Keeps what somebody said.
///
/// # Errors
/// [`crate::Error::Conflict`] when they said something before.
pub async fn vote(tx: &Tx, row: &ProposalVote) -> Result<()> {
    table::insert(tx, row).await
}

/// What was said about one, oldest first.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn votes(db: &dyn Reads, id: ProposalId) -> Result<Vec<ProposalVote>> {
    table::list_where(db, equals("proposal_id", id.to_value())).await
}

/// Removes everything a person asked for, with what was said about it.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_of(tx: &Tx, user_id: UserId) -> Result<()> {
    let mut theirs = Query::select();
    theirs
        .column("id")
        .from("proposals")
        .and_where(Expr::col("user_id").eq(user_id.to_string()));
    let about = Condition::all().add(Expr::col("proposal_id").in_subquery(theirs));
    table::delete_where::<ProposalVote>(tx, about).await?;
    table::delete_where::<Proposal>(tx, equals("user_id", user_id.to_value())).await?;
    Ok(())
}
