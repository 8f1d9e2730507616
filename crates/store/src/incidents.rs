//! What was found broken.

use fractal_types::{IncidentId, IncidentState, OrganizationId, Severity, Timestamp, UserId};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// Something found broken.
    Incident in "incidents" {
        /// Its id.
        id: IncidentId,
        /// In which tenant.
        organization_id: OrganizationId,
        /// Whose thing it is about; absent for what belongs to everybody.
        user_id: Option<UserId>,
        /// The check that found it.
        check_id: String,
        /// Check and thing while it is open: one at a time.
        open_key: Option<String>,
        /// About which kind of thing.
        resource_kind: String,
        /// About which thing.
        resource_id: String,
        /// How bad it is.
        severity: Severity,
        /// Whether it goes on.
        state: IncidentState,
        /// What was found, in words.
        finding: String,
        /// What to do about it.
        remedy: Option<String>,
        /// What was done about it at once.
        patch: Option<String>,
        /// How often that was done.
        attempts: u32,
        /// Who looks after it.
        acknowledged_by: Option<UserId>,
        /// Since when.
        acknowledged_at: Option<Timestamp>,
        /// What they say about it.
        note: Option<String>,
        /// When it was found.
        opened_at: Timestamp,
        /// When it was found last; moved on from time to time.
        seen_at: Timestamp,
        /// When it was not found any more.
        resolved_at: Option<Timestamp>,
    }
}

verbs!(Incident, IncidentId, insert find update);

/// Which incidents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Of this state.
    pub state: Option<IncidentState>,
    /// About what belongs to this person; everybody's when absent.
    pub user_id: Option<UserId>,
    /// About this thing.
    pub resource_id: Option<String>,
}

/// One page of a tenant's incidents.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    filter: &IncidentFilter,
    request: &PageRequest,
) -> Result<Page<Incident>> {
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

/// All open ones that a check has found.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_open_of(db: &dyn Reads, check_id: &str) -> Result<Vec<Incident>> {
    let condition = Condition::all()
        .add(Expr::col("check_id").eq(check_id))
        .add(Expr::col("open_key").is_not_null());
    table::list_where(db, condition).await
}

/// How many are open, of everybody.
///
/// # Errors
/// Only when the database fails.
pub async fn count_open(db: &dyn Reads) -> Result<u64> {
    let conn = db.conn();
    let sql = "SELECT COUNT(*) AS incidents FROM incidents WHERE open_key IS NOT NULL";
    let row = conn.one_raw(conn.statement(sql, Vec::new())).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by("incidents"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Removes what was found about a person's things who is gone.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_of(tx: &Tx, user_id: UserId) -> Result<()> {
    table::delete_where::<Incident>(tx, equals("user_id", user_id.to_value()))
        .await
        .map(|_| ())
}
