//! The log. Entries commit without a position, in the transaction of what they tell about; a leased sealer gives positions later, and
//! only sealed entries are read by readers, cursors and proofs (design section 10).
//!
//! Values are kept as salted commitments in the entry, and apart from it what opens them: an opening can be erased without breaking
//! a proof over the entries.

use std::collections::BTreeMap;

use fractal_clock::{Clock, Entropy, new_id, random};
use fractal_types::{EvidenceId, OrganizationId, Principal, Timestamp, Via};
use sea_orm::{
    Condition, Order, Value,
    sea_query::{Expr, ExprTrait, Query},
};
use serde_json::json;

use crate::{
    Error, Reads, Result, Tx,
    table::{self, equals, table},
};

table! {
    /// One line of the log.
    EvidenceEntry in "evidence" {
        /// Its id.
        id: EvidenceId,
        /// Its position, gapless from 1, once sealed.
        seq: Option<u64>,
        /// Whose log.
        organization_id: OrganizationId,
        /// When it happened.
        at: Timestamp,
        /// Which kind of principal acted.
        actor_kind: String,
        /// Which; empty for the system.
        actor_id: String,
        /// How they proved it.
        via: String,
        /// What was done, e.g. `instance.start`.
        action: String,
        /// To what kind of thing.
        resource_kind: String,
        /// To which.
        resource_id: String,
        /// How it ended, e.g. `allowed`, `denied`, `done`, `failed`.
        outcome: String,
        /// Why: the deciding policies.
        decision: serde_json::Value,
        /// Field name to commitment (hex).
        commitments: serde_json::Value,
        /// The request that caused it.
        request_id: Option<String>,
    }
}

/// An entry to append.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// Whose log.
    pub organization_id: OrganizationId,
    /// Who acted.
    pub principal: Principal,
    /// How they proved it.
    pub via: Via,
    /// What was done.
    pub action: &'a str,
    /// To what kind of thing.
    pub resource_kind: &'a str,
    /// To which.
    pub resource_id: String,
    /// How it ended.
    pub outcome: &'a str,
    /// Why.
    pub decision: serde_json::Value,
    /// What changed. Never secrets. A name twice counts once, the last.
    pub values: Vec<(&'a str, serde_json::Value)>,
    /// The request that caused it.
    pub request_id: Option<String>,
}

/// What opens one commitment.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// The field.
    pub field: String,
    /// The salt.
    pub salt: [u8; 32],
    /// The value.
    pub value: serde_json::Value,
}

/// Appends an entry in the caller's transaction.
///
/// # Errors
/// Only when the database fails.
pub async fn append(
    tx: &Tx,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
    entry: NewEntry<'_>,
) -> Result<EvidenceId> {
    let id = next_id(tx, clock, entropy);
    let mut commitments = serde_json::Map::new();
    let mut openings: Vec<(&str, [u8; 32], serde_json::Value)> = Vec::new();
    for (field, value) in entry.values {
        let salt = random::<32>(entropy);
        let commitment = fractal_crypto::commit(&salt, &value);
        commitments.insert(field.to_owned(), json!(hex(&commitment)));
        openings.retain(|(known, ..)| *known != field);
        openings.push((field, salt, value));
    }
    let row = EvidenceEntry {
        id,
        seq: None,
        organization_id: entry.organization_id,
        at: clock.now(),
        actor_kind: entry.principal.kind().to_owned(),
        actor_id: entry.principal.id_text(),
        via: via_text(entry.via),
        action: entry.action.to_owned(),
        resource_kind: entry.resource_kind.to_owned(),
        resource_id: entry.resource_id,
        outcome: entry.outcome.to_owned(),
        decision: entry.decision,
        commitments: commitments.into(),
        request_id: entry.request_id,
    };
    table::insert(tx, &row).await?;
    let conn = tx.conn();
    let sql =
        "INSERT INTO evidence_openings (evidence_id, field, salt, value) VALUES ($1, $2, $3, $4)";
    for (field, salt, value) in openings {
        let values: Vec<Value> = vec![
            id.to_string().into(),
            field.into(),
            salt.to_vec().into(),
            value.to_string().into(),
        ];
        conn.execute_raw(conn.statement(sql, values)).await?;
    }
    Ok(id)
}

/// Entries that have no position yet, in the order of their ids.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_unsealed(db: &dyn Reads, limit: u32) -> Result<Vec<EvidenceEntry>> {
    let mut query = table::select::<EvidenceEntry>();
    query
        .and_where(Expr::col("seq").is_null())
        .order_by("id", Order::Asc)
        .limit(u64::from(limit));
    table::all(db.conn(), &query).await
}

/// Gives entries their positions. Only the sealer calls it, in the transaction that adds them to the tree.
///
/// # Errors
/// [`Error::Conflict`] when a position is taken: two sealers were at work.
pub async fn place(tx: &Tx, positions: &[(EvidenceId, u64)]) -> Result<()> {
    /// Both databases take many more variables than this in one statement.
    const ROWS: usize = 500;
    let conn = tx.conn();
    for part in positions.chunks(ROWS) {
        let mut values: Vec<Value> = Vec::with_capacity(part.len() * 2);
        let mut rows = Vec::with_capacity(part.len());
        for (id, seq) in part {
            values.push(id.to_string().into());
            values.push(i64::try_from(*seq).unwrap_or(i64::MAX).into());
            rows.push(format!("(${}, ${})", values.len() - 1, values.len()));
        }
        // `column1` and `column2` are what both databases call the columns of a list of values.
        let sql = format!(
            "UPDATE evidence SET seq = placed.column2 FROM (VALUES {}) AS placed \
             WHERE evidence.id = placed.column1 AND evidence.seq IS NULL",
            rows.join(", ")
        );
        if conn.execute_raw(conn.statement(&sql, values)).await? != part.len() as u64 {
            return Err(Error::Conflict {
                table: "evidence".to_owned(),
            });
        }
    }
    Ok(())
}

/// The position of the last sealed entry; 0 when there is none.
///
/// # Errors
/// Only when the database fails.
pub async fn latest_seq(db: &dyn Reads) -> Result<u64> {
    let conn = db.conn();
    let sql = "SELECT MAX(seq) AS seq FROM evidence";
    let row = conn.one_raw(conn.statement(sql, Vec::new())).await?;
    let seq: Option<i64> = row.map_or(Ok(None), |row| row.try_get_by("seq"))?;
    Ok(seq.and_then(|seq| u64::try_from(seq).ok()).unwrap_or(0))
}

/// Sealed entries after a position, in order; of one tenant when one is given.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_sealed(
    db: &dyn Reads,
    organization_id: Option<OrganizationId>,
    after_seq: u64,
    limit: u32,
) -> Result<Vec<EvidenceEntry>> {
    let mut condition =
        Condition::all().add(Expr::col("seq").gt(i64::try_from(after_seq).unwrap_or(i64::MAX)));
    if let Some(id) = organization_id {
        condition = condition.add(Expr::col("organization_id").eq(id.to_string()));
    }
    let mut query = table::select::<EvidenceEntry>();
    query
        .cond_where(condition)
        .order_by("seq", Order::Asc)
        .limit(u64::from(limit));
    table::all(db.conn(), &query).await
}

/// Which sealed entries are wanted; every absent part means any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvidenceFilter {
    /// Of this tenant.
    pub organization_id: Option<OrganizationId>,
    /// By this principal's id, or `system`.
    pub actor: Option<String>,
    /// This action, or all of a kind when it ends with a dot (`instance.`).
    pub action: Option<String>,
    /// About this kind of thing.
    pub resource_kind: Option<String>,
    /// About this thing.
    pub resource_id: Option<String>,
    /// That ended like this.
    pub outcome: Option<String>,
    /// Not before then.
    pub from: Option<Timestamp>,
    /// Before then.
    pub to: Option<Timestamp>,
}

impl EvidenceFilter {
    fn condition(&self) -> Condition {
        let mut condition = Condition::all().add(Expr::col("seq").is_not_null());
        if let Some(id) = self.organization_id {
            condition = condition.add(Expr::col("organization_id").eq(id.to_string()));
        }
        match self.actor.as_deref() {
            Some("system") => condition = condition.add(Expr::col("actor_kind").eq("system")),
            Some(id) => condition = condition.add(Expr::col("actor_id").eq(id)),
            None => {}
        }
        match self.action.as_deref() {
            // A range, because `LIKE` treats some letters as more than themselves.
            Some(kind) if kind.ends_with('.') => {
                let after = format!("{}/", kind.trim_end_matches('.'));
                condition = condition
                    .add(Expr::col("action").gte(kind))
                    .add(Expr::col("action").lt(after));
            }
            Some(action) => condition = condition.add(Expr::col("action").eq(action)),
            None => {}
        }
        for (column, value) in [
            ("resource_kind", &self.resource_kind),
            ("resource_id", &self.resource_id),
            ("outcome", &self.outcome),
        ] {
            if let Some(value) = value {
                condition = condition.add(Expr::col(column).eq(value.as_str()));
            }
        }
        if let Some(from) = self.from {
            condition = condition.add(Expr::col("at").gte(from.as_micros()));
        }
        if let Some(to) = self.to {
            condition = condition.add(Expr::col("at").lt(to.as_micros()));
        }
        condition
    }
}

/// Sealed entries that pass the filter, newest position first, before a position when one is given.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_newest(
    db: &dyn Reads,
    filter: &EvidenceFilter,
    before: Option<u64>,
    limit: u32,
) -> Result<Vec<EvidenceEntry>> {
    let mut condition = filter.condition();
    if let Some(before) = before {
        condition = condition.add(Expr::col("seq").lt(i64::try_from(before).unwrap_or(i64::MAX)));
    }
    let mut query = table::select::<EvidenceEntry>();
    query
        .cond_where(condition)
        .order_by("seq", Order::Desc)
        .limit(u64::from(limit));
    table::all(db.conn(), &query).await
}

/// The sealed entry at a position.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_at(db: &dyn Reads, seq: u64) -> Result<Option<EvidenceEntry>> {
    table::find_where(db, equals("seq", i64::try_from(seq).unwrap_or(i64::MAX))).await
}

/// How many entries have no position yet.
///
/// # Errors
/// Only when the database fails.
pub async fn count_unsealed(db: &dyn Reads) -> Result<u64> {
    let conn = db.conn();
    let sql = "SELECT COUNT(*) AS unsealed FROM evidence WHERE seq IS NULL";
    let row = conn.one_raw(conn.statement(sql, Vec::new())).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by("unsealed"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// The entry, sealed or not.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find(db: &dyn Reads, id: EvidenceId) -> Result<Option<EvidenceEntry>> {
    table::find_by_key(db, &id.to_string()).await
}

/// An id that sorts after every earlier one of this process, also within one millisecond (RFC 9562 section 6.2,
/// method 2): entries that have no position yet are read in the order they were made.
fn next_id(tx: &Tx, clock: &dyn Clock, entropy: &dyn Entropy) -> EvidenceId {
    const MILLISECOND: u32 = 80;

    let fresh: EvidenceId = new_id(clock, entropy);
    let mut value = fresh.as_uuid().as_u128();
    let mut last = tx.last_evidence();
    if value >> MILLISECOND == *last >> MILLISECOND && value <= *last {
        value = *last + 1;
    }
    *last = value;
    EvidenceId::from_uuid(uuid::Uuid::from_u128(value))
}

/// Every entry about one thing, sealed or not, oldest first; at most 1000.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_about(
    db: &dyn Reads,
    resource_kind: &str,
    resource_id: &str,
) -> Result<Vec<EvidenceEntry>> {
    let mut query = table::select::<EvidenceEntry>();
    query
        .cond_where(
            equals("resource_kind", resource_kind).add(Expr::col("resource_id").eq(resource_id)),
        )
        .order_by("id", Order::Asc)
        .limit(1_000);
    table::all(db.conn(), &query).await
}

/// One page of the entries about one thing, sealed or not.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn page_about(
    db: &dyn Reads,
    resource_kind: &str,
    resource_id: &str,
    request: &crate::PageRequest,
) -> Result<crate::Page<EvidenceEntry>> {
    let condition =
        equals("resource_kind", resource_kind).add(Expr::col("resource_id").eq(resource_id));
    table::page_where(db, condition, request).await
}

/// What opens the commitments of an entry, as far as it was not erased.
///
/// # Errors
/// [`Error::Corrupt`] when an opening makes no sense.
pub async fn openings(db: &dyn Reads, id: EvidenceId) -> Result<Vec<Opening>> {
    Ok(openings_of(db, &[id])
        .await?
        .remove(&id)
        .unwrap_or_default())
}

/// What opens the commitments of several entries; entries without any are missing.
///
/// # Errors
/// [`Error::Corrupt`] when an opening makes no sense.
pub async fn openings_of(
    db: &dyn Reads,
    ids: &[EvidenceId],
) -> Result<BTreeMap<EvidenceId, Vec<Opening>>> {
    let mut found: BTreeMap<EvidenceId, Vec<Opening>> = BTreeMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let mut query = Query::select();
    query
        .columns(["evidence_id", "field", "salt", "value"])
        .from("evidence_openings")
        .and_where(Expr::col("evidence_id").is_in(ids.iter().map(ToString::to_string)))
        .order_by("evidence_id", Order::Asc)
        .order_by("field", Order::Asc);
    for row in db.conn().all(&query).await? {
        let id: String = row.try_get_by("evidence_id")?;
        let corrupt = |column: &'static str| Error::Corrupt {
            table: "evidence_openings",
            column,
            row: id.clone(),
            reason: "it is of another type".to_owned(),
        };
        let salt: Vec<u8> = row.try_get_by("salt").map_err(|_| corrupt("salt"))?;
        let value: String = row.try_get_by("value").map_err(|_| corrupt("value"))?;
        let opening = Opening {
            field: row.try_get_by("field").map_err(|_| corrupt("field"))?,
            salt: salt.try_into().map_err(|_| corrupt("salt"))?,
            value: serde_json::from_str(&value).map_err(|_| corrupt("value"))?,
        };
        let entry = id.parse().map_err(|_| corrupt("evidence_id"))?;
        found.entry(entry).or_default().push(opening);
    }
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        // Writing to a string cannot fail.
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn via_text(via: Via) -> String {
    // The serde form is the one word the house uses.
    serde_json::to_value(via)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}
