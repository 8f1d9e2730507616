//! Immutable configuration documents that instances were given. They hold no secrets.

use fractal_types::{InstanceId, RevisionId, Timestamp};
use sea_orm::Order;

use crate::{
    Page, PageRequest, Reads, Result,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A configuration document.
    Revision in "revisions" {
        /// Its id.
        id: RevisionId,
        /// Whose.
        instance_id: InstanceId,
        /// Counts from 1 in each instance.
        number: u64,
        /// The document, without secrets.
        config: serde_json::Value,
        /// Its hash.
        hash: String,
        /// When it was made.
        created_at: Timestamp,
    }
}

verbs!(Revision, RevisionId, insert find);

/// The newest of an instance.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_latest(db: &dyn Reads, instance_id: InstanceId) -> Result<Option<Revision>> {
    let mut query = table::select::<Revision>();
    query
        .cond_where(equals("instance_id", instance_id.to_value()))
        .order_by("number", Order::Desc)
        .limit(1);
    table::one(db.conn(), &query).await
}

/// One page of an instance's revisions.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    instance_id: InstanceId,
    request: &PageRequest,
) -> Result<Page<Revision>> {
    table::page_where(db, equals("instance_id", instance_id.to_value()), request).await
}
