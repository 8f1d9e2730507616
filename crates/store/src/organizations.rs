//! Tenants. The first start makes one.

use fractal_types::{Label, OrganizationId, Timestamp};

use crate::{
    Reads, Result,
    table::{self, table, verbs},
};

table! {
    /// A tenant; owns everything below.
    Organization in "organizations" {
        /// Its id.
        id: OrganizationId,
        /// What people call it.
        name: Label,
        /// When it was made.
        created_at: Timestamp,
    }
}

verbs!(Organization, OrganizationId, insert find update);

/// All, oldest first: there are few.
///
/// # Errors
/// Only when the database fails.
pub async fn list(db: &dyn Reads) -> Result<Vec<Organization>> {
    table::list_where(db, sea_orm::Condition::all()).await
}
