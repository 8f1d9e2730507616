//! The access rules that operators added, version by version. A version is never changed; the newest is in force.

use fractal_types::{OrganizationId, PolicyVersionId, Timestamp, UserId};
use sea_orm::{Order, sea_query::ExprTrait};

use crate::{
    Page, PageRequest, Reads, Result,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A version.
    PolicyVersion in "policy_versions" {
        /// Its id.
        id: PolicyVersionId,
        /// Of which tenant.
        organization_id: OrganizationId,
        /// Counts from 1 in each tenant.
        number: u64,
        /// The rules, in Cedar; empty for none besides the built-in ones.
        text: String,
        /// The tests they passed, as JSON.
        tests: serde_json::Value,
        /// Why, in the words of who wrote it.
        comment: String,
        /// Who wrote it; none for somebody on the machine itself.
        author: Option<UserId>,
        /// When it was put in force.
        created_at: Timestamp,
    }
}

verbs!(PolicyVersion, PolicyVersionId, insert);

/// The version in force; none before the first.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_latest(
    db: &dyn Reads,
    organization_id: OrganizationId,
) -> Result<Option<PolicyVersion>> {
    let mut query = table::select::<PolicyVersion>();
    query
        .cond_where(equals("organization_id", organization_id.to_value()))
        .order_by("number", Order::Desc)
        .limit(1);
    table::one(db.conn(), &query).await
}

/// The number of the version in force; 0 before the first.
///
/// # Errors
/// Only when the database fails.
pub async fn latest_number(db: &dyn Reads, organization_id: OrganizationId) -> Result<u64> {
    let conn = db.conn();
    let sql = "SELECT MAX(number) AS number FROM policy_versions WHERE organization_id = $1";
    let row = conn
        .one_raw(conn.statement(sql, vec![organization_id.to_value()]))
        .await?;
    let number: Option<i64> = row.map_or(Ok(None), |row| row.try_get_by("number"))?;
    Ok(number
        .and_then(|number| u64::try_from(number).ok())
        .unwrap_or(0))
}

/// The version with this number.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_number(
    db: &dyn Reads,
    organization_id: OrganizationId,
    number: u64,
) -> Result<Option<PolicyVersion>> {
    let condition = equals("organization_id", organization_id.to_value());
    let number = sea_orm::sea_query::Expr::col("number").eq(number.to_value());
    table::find_where(db, condition.add(number)).await
}

/// One page of the versions of a tenant.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    request: &PageRequest,
) -> Result<Page<PolicyVersion>> {
    table::page_where(
        db,
        equals("organization_id", organization_id.to_value()),
        request,
    )
    .await
}
