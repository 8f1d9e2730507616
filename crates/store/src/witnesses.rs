//! Witnesses of the log, and the cosignatures they gave.

use fractal_types::{OrganizationId, Timestamp, WitnessId};
use sea_orm::{
    Order,
    sea_query::{Condition, Expr, ExprTrait},
};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::{Field, Scalar},
    table::{self, equals, table, verbs},
};

/// How the last time ended that a witness was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WitnessOutcome {
    /// It cosigned.
    Cosigned,
    /// It did not answer, or not in time.
    Unreachable,
    /// It does not know this log or its key, or answers what no witness does.
    Refused,
    /// It holds another history, or a longer one.
    Conflict,
    /// It answered with a cosignature that does not fit.
    Forged,
}

impl WitnessOutcome {
    /// The word in SQL, JSON and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cosigned => "cosigned",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Conflict => "conflict",
            Self::Forged => "forged",
        }
    }
}

impl Scalar for WitnessOutcome {
    type Raw = String;

    fn encode(&self) -> String {
        self.as_str().to_owned()
    }

    fn decode(raw: String) -> Result<Self, String> {
        [
            Self::Cosigned,
            Self::Unreachable,
            Self::Refused,
            Self::Conflict,
            Self::Forged,
        ]
        .into_iter()
        .find(|outcome| outcome.as_str() == raw)
        .ok_or_else(|| "how a witness answered was expected".to_owned())
    }
}

table! {
    /// A third party that cosigns the heads of the log.
    Witness in "witnesses" {
        /// Its id.
        id: WitnessId,
        /// Of which tenant.
        organization_id: OrganizationId,
        /// The name in its key.
        name: String,
        /// What its addresses begin with.
        url: String,
        /// The key that verifies its cosignatures, `name+id+key`.
        verify_key: String,
        /// Whether it may be on a private or loopback address.
        private_network: bool,
        /// The size it cosigned last; 0 before the first.
        size: u64,
        /// When it cosigned last.
        cosigned_at: Option<Timestamp>,
        /// How the last time ended that it was asked; none before.
        outcome: Option<WitnessOutcome>,
        /// Why it did not cosign; none when it did.
        last_error: Option<String>,
        /// Failures since it cosigned last.
        failures: u32,
        /// When the first of them was.
        failing_since: Option<Timestamp>,
        /// Not asked before.
        next_at: Timestamp,
        /// When it was added.
        created_at: Timestamp,
    }
}

verbs!(Witness, WitnessId, insert find delete);

table! {
    /// What a witness said of a signed head.
    CosignatureRow in "evidence_cosignatures" {
        /// The size with leading zeros, then the witness's name and its key's id.
        id: String,
        /// How many entries the head covers.
        size: u64,
        /// The witness's name.
        witness: String,
        /// The line of the signed note, ended.
        line: String,
        /// When it was given, by the witness's clock.
        given_at: Timestamp,
    }
}

impl CosignatureRow {
    /// What the witness of this name, with the key of this id (hexadecimal), said of the head of this size.
    #[must_use]
    pub fn new(size: u64, witness: &str, key_id: &str, line: String, given_at: Timestamp) -> Self {
        Self {
            id: format!("{size:020}/{witness}+{key_id}"),
            size,
            witness: witness.to_owned(),
            line,
            given_at,
        }
    }
}

/// One page of a tenant's witnesses.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    request: &PageRequest,
) -> Result<Page<Witness>> {
    table::page_where(
        db,
        equals("organization_id", organization_id.to_value()),
        request,
    )
    .await
}

/// All of them. An installation has few.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_all(db: &dyn Reads) -> Result<Vec<Witness>> {
    table::list_where(db, Condition::all()).await
}

/// Notes how asking ended, without touching what people set. `false` when the witness was removed meanwhile.
///
/// # Errors
/// Only when the database fails.
pub async fn note_outcome(tx: &Tx, row: &Witness) -> Result<bool> {
    let values = vec![
        ("size", row.size.to_value()),
        ("cosigned_at", row.cosigned_at.to_value()),
        ("outcome", row.outcome.to_value()),
        ("last_error", row.last_error.to_value()),
        ("failures", row.failures.to_value()),
        ("failing_since", row.failing_since.to_value()),
        ("next_at", row.next_at.to_value()),
    ];
    let changed = table::set_where::<Witness>(tx, equals("id", row.id.to_value()), values).await?;
    Ok(changed > 0)
}

/// Keeps a cosignature, in place of an earlier one by the same key over the same head.
///
/// # Errors
/// Only when the database fails.
pub async fn put_cosignature(tx: &Tx, row: &CosignatureRow) -> Result<()> {
    let sql = "INSERT INTO evidence_cosignatures (id, size, witness, line, given_at) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (id) DO UPDATE SET line = excluded.line, given_at = excluded.given_at";
    let conn = tx.conn();
    let values = vec![
        row.id.as_str().into(),
        i64::try_from(row.size).unwrap_or(i64::MAX).into(),
        row.witness.as_str().into(),
        row.line.as_str().into(),
        row.given_at.as_micros().into(),
    ];
    conn.execute_raw(conn.statement(sql, values))
        .await
        .map(|_| ())
}

/// The cosignatures of heads of sizes from `first` to `last`, by size and then by name.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn cosignatures_between(
    db: &dyn Reads,
    first: u64,
    last: u64,
) -> Result<Vec<CosignatureRow>> {
    let condition = Condition::all()
        .add(Expr::col("size").gte(i64::try_from(first).unwrap_or(i64::MAX)))
        .add(Expr::col("size").lte(i64::try_from(last).unwrap_or(i64::MAX)));
    table::list_where(db, condition).await
}

/// The largest size that anybody cosigned; none before the first.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn latest_cosigned(db: &dyn Reads) -> Result<Option<u64>> {
    let mut query = table::select::<CosignatureRow>();
    query.order_by("size", Order::Desc).limit(1);
    let row: Option<CosignatureRow> = table::one(db.conn(), &query).await?;
    Ok(row.map(|row| row.size))
}
