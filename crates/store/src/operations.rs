//! Operations and their steps.

use fractal_types::{
    OperationId, OperationState, OrganizationId, ProposalId, RuntimeAssetId, StepId, StepState,
    Timestamp, UserId,
};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Error, Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// The durable execution of an allowed change.
    Operation in "operations" {
        /// Its id.
        id: OperationId,
        /// In which tenant.
        organization_id: OrganizationId,
        /// Whose thing it is about.
        user_id: UserId,
        /// What is done, by name; fixes the steps.
        kind: String,
        /// To which kind of thing.
        resource_kind: String,
        /// To which thing.
        resource_id: String,
        /// On which machine surface.
        runtime_asset_id: Option<RuntimeAssetId>,
        /// Who wanted it (`fractal_types::Actor`).
        actor: serde_json::Value,
        /// The proposal behind it.
        proposal_id: Option<ProposalId>,
        /// The request that began it.
        request_id: Option<String>,
        /// What the steps are given; no secrets.
        input: serde_json::Value,
        /// How far it is.
        state: OperationState,
        /// Whether it was being undone when it got stuck.
        stuck_undoing: bool,
        /// The number of the step that is worked on.
        step: u32,
        /// The claim that works on it; effects of a lower one are refused.
        fence: u64,
        /// Who cancelled it, by name.
        cancelled_by: Option<String>,
        /// Why it did not go as wanted.
        reason: Option<String>,
        /// When it was asked for.
        created_at: Timestamp,
        /// When its first step began.
        started_at: Option<Timestamp>,
        /// When nothing happened to it any more.
        settled_at: Option<Timestamp>,
    }
}

verbs!(Operation, OperationId, insert find update);

table! {
    /// A step of an operation.
    OperationStep in "operation_steps" {
        /// Its id.
        id: StepId,
        /// Of which operation.
        operation_id: OperationId,
        /// Its place, from 0.
        number: u32,
        /// What it does, by name.
        name: String,
        /// How far it is.
        state: StepState,
        /// What came out of it; no secrets.
        output: serde_json::Value,
        /// Why it failed last.
        error: Option<String>,
        /// How often it failed in the present direction.
        attempts: u32,
        /// When it was begun.
        started_at: Option<Timestamp>,
        /// When it was over.
        ended_at: Option<Timestamp>,
        /// When it was taken back.
        undone_at: Option<Timestamp>,
    }
}

/// Adds a step.
///
/// # Errors
/// [`Error::Conflict`] when the operation has one with this number.
pub async fn insert_step(tx: &Tx, row: &OperationStep) -> Result<()> {
    table::insert(tx, row).await
}

/// Replaces a step.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn update_step(tx: &Tx, row: &OperationStep) -> Result<()> {
    table::update(tx, row).await
}

/// Which operations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Of this state.
    pub state: Option<OperationState>,
    /// About what belongs to this person; everybody's when absent.
    pub user_id: Option<UserId>,
    /// About this thing.
    pub resource_id: Option<String>,
}

/// One page of a tenant's operations.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    filter: &OperationFilter,
    request: &PageRequest,
) -> Result<Page<Operation>> {
    let mut condition = equals("organization_id", organization_id.to_value());
    if let Some(state) = filter.state {
        condition = condition.add(Expr::col("state").eq(state.as_str()));
    }
    if let Some(user) = filter.user_id {
        condition = condition.add(Expr::col("user_id").eq(user.to_string()));
    }
    if let Some(resource) = &filter.resource_id {
        condition = condition.add(Expr::col("resource_id").eq(resource.as_str()));
    }
    table::page_where(db, condition, request).await
}

/// Of this kind about this thing, what is not over.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn find_open(db: &dyn Reads, kind: &str, resource_id: &str) -> Result<Vec<Operation>> {
    let over = [OperationState::Done, OperationState::Undone].map(OperationState::as_str);
    let condition = equals("resource_id", resource_id.to_owned().to_value())
        .add(Expr::col("kind").eq(kind))
        .add(Expr::col("state").is_not_in(over));
    table::list_where::<Operation>(db, condition).await
}

/// The steps of an operation, in their order.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn steps(db: &dyn Reads, id: OperationId) -> Result<Vec<OperationStep>> {
    let mut steps =
        table::list_where::<OperationStep>(db, equals("operation_id", id.to_value())).await?;
    steps.sort_by_key(|step| step.number);
    Ok(steps)
}

/// The operations at work for one person, and on one machine surface, but for these kinds.
///
/// # Errors
/// Only when the database fails.
pub async fn count_at_work(
    db: &dyn Reads,
    row: &Operation,
    without: &[&'static str],
) -> Result<(usize, usize)> {
    let states = [OperationState::Running, OperationState::Undoing].map(OperationState::as_str);
    let at_work = Expr::col("state")
        .is_in(states)
        .and(Expr::col("kind").is_not_in(without.iter().copied()));
    let of_person = equals("user_id", row.user_id.to_value()).add(at_work.clone());
    let of_person = table::list_where::<Operation>(db, of_person).await?.len();
    let on_asset = match row.runtime_asset_id {
        None => 0,
        Some(asset) => {
            let on_asset = equals("runtime_asset_id", asset.to_value()).add(at_work);
            table::list_where::<Operation>(db, on_asset).await?.len()
        }
    };
    Ok((of_person, on_asset))
}

/// Takes the operation for whoever works on it from now on: with a new fence, so that nobody who had it before writes to it any more.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn take(tx: &Tx, id: OperationId) -> Result<Operation> {
    let mut row = get(tx, id).await?;
    row.fence += 1;
    update(tx, &row).await?;
    Ok(row)
}

/// The operation, inside a transaction that writes, if it was not taken again since.
///
/// # Errors
/// [`Error::LeaseLost`].
pub async fn check(tx: &Tx, id: OperationId, fence: u64) -> Result<Operation> {
    match find(tx, id).await? {
        Some(row) if row.fence == fence => Ok(row),
        _ => Err(lost(id)),
    }
}

fn lost(id: OperationId) -> Error {
    Error::LeaseLost {
        what: id.to_string(),
    }
}

/// Removes what was done for a person who is gone.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_of(tx: &Tx, user_id: UserId) -> Result<()> {
    let rows = table::list_where::<Operation>(tx, equals("user_id", user_id.to_value())).await?;
    for row in rows {
        let steps = Condition::all().add(Expr::col("operation_id").eq(row.id.to_string()));
        table::delete_where::<OperationStep>(tx, steps).await?;
        table::delete_by_key::<Operation>(tx, &row.id.to_string()).await?;
    }
    Ok(())
}
