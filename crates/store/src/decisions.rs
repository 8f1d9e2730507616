//! The newest decisions about changes, as they were asked. They are what other rules are tried on, not proof of anything: that is
//! the evidence.

use fractal_types::{DecisionId, OrganizationId, Timestamp};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A decision.
    DecisionRow in "decisions" {
        /// Its id; time-ordered.
        id: DecisionId,
        /// In which tenant.
        organization_id: OrganizationId,
        /// Who, what and under which circumstances (`fractal_policy::Question`).
        question: serde_json::Value,
        /// The word of what came out.
        outcome: String,
        /// The rules that determined it.
        policies: Vec<String>,
        /// When.
        created_at: Timestamp,
    }
}

verbs!(DecisionRow, DecisionId, insert);

/// One page of a tenant's decisions.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    request: &PageRequest,
) -> Result<Page<DecisionRow>> {
    table::page_where(
        db,
        equals("organization_id", organization_id.to_value()),
        request,
    )
    .await
}

/// Forgets all but the newest; how many.
///
/// # Errors
/// Only when the database fails.
pub async fn keep_newest(tx: &Tx, organization_id: OrganizationId, keep: u32) -> Result<u64> {
    let conn = tx.conn();
    let sql = format!(
        "DELETE FROM decisions WHERE organization_id = $1 AND id <= \
         (SELECT id FROM decisions WHERE organization_id = $1 ORDER BY id DESC LIMIT 1 OFFSET {keep})"
    );
    conn.execute_raw(conn.statement(&sql, vec![organization_id.to_value()]))
        .await
}
