//! People.

use std::collections::HashMap;

use fractal_types::{Label, OrganizationId, Role, Timestamp, UserId, Username};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait, Func, Query},
};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A person.
    User in "users" {
        /// Their id.
        id: UserId,
        /// Their tenant.
        organization_id: OrganizationId,
        /// What they type to sign in; unique in the tenant.
        username: Username,
        /// What others see.
        display_name: Label,
        /// What they may do.
        role: Role,
        /// Whether they may sign in at all.
        active: bool,
        /// Whether theirs is the account that always works.
        breakglass: bool,
        /// Their language, e.g. `de`.
        locale: Option<String>,
        /// When they were added.
        created_at: Timestamp,
        /// When this row last changed.
        updated_at: Timestamp,
        /// When they last did something.
        last_seen_at: Option<Timestamp>,
    }
}

verbs!(User, UserId, insert find update delete);

/// The person with this username.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_username(
    db: &dyn Reads,
    organization_id: OrganizationId,
    username: &Username,
) -> Result<Option<User>> {
    let condition = equals("organization_id", organization_id.to_value())
        .add(Expr::col("username").eq(username.as_str()));
    table::find_where(db, condition).await
}

/// One page of a tenant's people.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    request: &PageRequest,
) -> Result<Page<User>> {
    let condition = equals("organization_id", organization_id.to_value());
    table::page_where(db, condition, request).await
}

/// The accounts that always work.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_breakglass(db: &dyn Reads, organization_id: OrganizationId) -> Result<Vec<User>> {
    let condition =
        equals("organization_id", organization_id.to_value()).add(Expr::col("breakglass").eq(true));
    table::list_where(db, condition).await
}

/// How many active people have this role; the last owner may not go.
///
/// # Errors
/// Only when the database fails.
pub async fn count_active_with_role(
    db: &dyn Reads,
    organization_id: OrganizationId,
    role: Role,
) -> Result<u64> {
    let condition = equals("organization_id", organization_id.to_value())
        .add(Expr::col("role").eq(role.as_str()))
        .add(Expr::col("active").eq(true));
    count(db, condition).await
}

/// How many people of a tenant may sign in.
///
/// # Errors
/// Only when the database fails.
pub async fn count_active(db: &dyn Reads, organization_id: OrganizationId) -> Result<u64> {
    let condition =
        equals("organization_id", organization_id.to_value()).add(Expr::col("active").eq(true));
    count(db, condition).await
}

/// How many people there are in all tenants.
///
/// # Errors
/// Only when the database fails.
pub async fn count_all(db: &dyn Reads) -> Result<u64> {
    count(db, Condition::all()).await
}

async fn count(db: &dyn Reads, condition: Condition) -> Result<u64> {
    let mut query = Query::select();
    query
        .expr_as(Func::count(Expr::col("id")), "n")
        .from("users")
        .cond_where(condition);
    let Some(row) = db.conn().one(&query).await? else {
        return Ok(0);
    };
    Ok(u64::try_from(row.try_get_by::<i64, _>("n")?).unwrap_or(0))
}

/// Notes that somebody did something. An observation, so the row's `updated_at` stays.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn touch(tx: &Tx, id: UserId, at: Timestamp) -> Result<()> {
    table::set::<User>(
        tx,
        &id.to_string(),
        vec![("last_seen_at", Some(at).to_value())],
    )
    .await
}

/// What administrators see of a person besides their row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Surroundings {
    /// Whether they have a password.
    pub password: bool,
    /// Whether they are linked to an OIDC provider.
    pub oidc: bool,
    /// How many instances they have.
    pub instances: u32,
}

/// The surroundings of these people, in two queries however many there are.
///
/// # Errors
/// Only when the database fails.
pub async fn surroundings(db: &dyn Reads, ids: &[UserId]) -> Result<HashMap<UserId, Surroundings>> {
    let mut found: HashMap<UserId, Surroundings> = ids
        .iter()
        .map(|id| (*id, Surroundings::default()))
        .collect();
    let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
    if texts.is_empty() {
        return Ok(found);
    }
    let mut query = Query::select();
    query
        .columns(["user_id", "kind"])
        .from("credentials")
        .and_where(Expr::col("user_id").is_in(texts.clone()));
    for row in db.conn().all(&query).await? {
        let Ok(id) = row.try_get_by::<String, _>("user_id")?.parse() else {
            continue;
        };
        let one = found.entry(id).or_default();
        match row.try_get_by::<String, _>("kind")?.as_str() {
            "password" => one.password = true,
            _ => one.oidc = true,
        }
    }
    let mut query = Query::select();
    query
        .column("user_id")
        .expr_as(Func::count(Expr::col("id")), "n")
        .from("instances")
        .and_where(Expr::col("user_id").is_in(texts))
        .and_where(Expr::col("deleted_at").is_null())
        .group_by_col("user_id");
    for row in db.conn().all(&query).await? {
        let Ok(id) = row.try_get_by::<String, _>("user_id")?.parse() else {
            continue;
        };
        found.entry(id).or_default().instances =
            u32::try_from(row.try_get_by::<i64, _>("n")?).unwrap_or(u32::MAX);
    }
    Ok(found)
}
