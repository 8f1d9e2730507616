//! The tree over the log: its tiles and its signed heads. What they mean is the business of the evidence crate.

use fractal_types::Timestamp;
use sea_orm::{
    Order,
    sea_query::{Condition, Expr, ExprTrait},
};

use crate::{
    Reads, Result, Tx,
    table::{self, equals, table},
};

table! {
    /// Up to 256 neighbouring hashes of one level of the tree.
    EvidenceTile in "evidence_tiles" {
        /// `level/position`.
        id: String,
        /// The hashes one after the other, 32 bytes each.
        hashes: Vec<u8>,
    }
}

table! {
    /// A signed head of the tree.
    EvidenceCheckpoint in "evidence_checkpoints" {
        /// The size with leading zeros.
        id: String,
        /// How many entries it covers.
        size: u64,
        /// The signed note.
        note: String,
        /// When it was signed.
        created_at: Timestamp,
    }
}

impl EvidenceCheckpoint {
    /// A head of this size.
    #[must_use]
    pub fn new(size: u64, note: String, created_at: Timestamp) -> Self {
        Self {
            id: key(size),
            size,
            note,
            created_at,
        }
    }
}

fn key(size: u64) -> String {
    format!("{size:020}")
}

/// The tiles with these ids, in no order; those that do not exist are missing.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn tiles(db: &dyn Reads, ids: &[String]) -> Result<Vec<EvidenceTile>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = table::select::<EvidenceTile>();
    query.and_where(Expr::col("id").is_in(ids.iter().map(String::as_str)));
    table::all(db.conn(), &query).await
}

/// Writes a tile, in place of the shorter one that stood there.
///
/// # Errors
/// Only when the database fails.
pub async fn put_tile(tx: &Tx, tile: &EvidenceTile) -> Result<()> {
    let sql = "INSERT INTO evidence_tiles (id, hashes) VALUES ($1, $2) \
               ON CONFLICT (id) DO UPDATE SET hashes = excluded.hashes";
    let conn = tx.conn();
    let values = vec![tile.id.as_str().into(), tile.hashes.clone().into()];
    conn.execute_raw(conn.statement(sql, values))
        .await
        .map(|_| ())
}

/// Adds a head.
///
/// # Errors
/// [`crate::Error::Conflict`] when one of this size exists.
pub async fn insert_checkpoint(tx: &Tx, head: &EvidenceCheckpoint) -> Result<()> {
    table::insert(tx, head).await
}

/// The newest head; none before the first entry was sealed.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn latest_checkpoint(db: &dyn Reads) -> Result<Option<EvidenceCheckpoint>> {
    let mut query = table::select::<EvidenceCheckpoint>();
    query.order_by("id", Order::Desc).limit(1);
    table::one(db.conn(), &query).await
}

/// The head of exactly this size.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_checkpoint(db: &dyn Reads, size: u64) -> Result<Option<EvidenceCheckpoint>> {
    table::find_by_key(db, &key(size)).await
}

/// The smallest head that covers this position.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn first_checkpoint_from(
    db: &dyn Reads,
    size: u64,
) -> Result<Option<EvidenceCheckpoint>> {
    let mut query = table::select::<EvidenceCheckpoint>();
    query
        .and_where(Expr::col("id").gte(key(size)))
        .order_by("id", Order::Asc)
        .limit(1);
    table::one(db.conn(), &query).await
}

/// Heads of sizes from `first` to `last`, smallest first.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn checkpoints_between(
    db: &dyn Reads,
    first: u64,
    last: u64,
) -> Result<Vec<EvidenceCheckpoint>> {
    let condition = Condition::all()
        .add(Expr::col("id").gte(key(first)))
        .add(Expr::col("id").lte(key(last)));
    table::list_where(db, condition).await
}

/// How far a reader of the log is: the position it has dealt with last; `None` for one that never read.
///
/// # Errors
/// Only when the database fails.
pub async fn cursor(db: &dyn Reads, reader: &str) -> Result<Option<u64>> {
    Ok(
        table::find_where::<ReaderCursor>(db, equals("name", reader))
            .await?
            .map(|row| row.seq),
    )
}

/// Notes how far a reader is.
///
/// # Errors
/// Only when the database fails.
pub async fn set_cursor(tx: &Tx, reader: &str, seq: u64, now: Timestamp) -> Result<()> {
    let sql = "INSERT INTO reader_cursors (name, seq, updated_at) VALUES ($1, $2, $3) \
               ON CONFLICT (name) DO UPDATE SET seq = excluded.seq, updated_at = excluded.updated_at";
    let conn = tx.conn();
    let values = vec![
        reader.into(),
        i64::try_from(seq).unwrap_or(i64::MAX).into(),
        now.as_micros().into(),
    ];
    conn.execute_raw(conn.statement(sql, values))
        .await
        .map(|_| ())
}

/// Forgets a reader that is gone.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_cursor(tx: &Tx, reader: &str) -> Result<bool> {
    table::delete_by_key::<ReaderCursor>(tx, reader).await
}

table! {
    /// How far a reader is.
    ReaderCursor in "reader_cursors" {
        /// Its name.
        name: String,
        /// The last position it has dealt with.
        seq: u64,
        /// When.
        updated_at: Timestamp,
    }
}
