//! What model calls used. Written in batches by the broker within a second.

use fractal_types::{
    InstanceId, OrganizationId, ProviderId, Timestamp, UsageRecordId, UserId, Wire,
};
use sea_orm::Value;

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::Field,
    table::{self, equals, table},
};

/// Rows per statement: 16 columns each, far below the 32,766 values SQLite takes in one.
const BATCH: usize = 500;

table! {
    /// What one model call used.
    UsageRecord in "usage_records" {
        /// Its id.
        id: UsageRecordId,
        /// Whose tenant.
        organization_id: OrganizationId,
        /// Who.
        user_id: UserId,
        /// Which gateway called.
        instance_id: InstanceId,
        /// Which provider answered.
        provider_id: Option<ProviderId>,
        /// Which real model.
        model: String,
        /// The name the gateway knows it by.
        alias: String,
        /// What was spoken.
        wire: Wire,
        /// Tokens in.
        input_tokens: u64,
        /// Tokens out.
        output_tokens: u64,
        /// Tokens read from the provider's cache.
        cache_read_tokens: u64,
        /// Tokens written to the provider's cache.
        cache_write_tokens: u64,
        /// The provider's HTTP status; 0 when it could not be reached.
        status: u16,
        /// Why it failed, as a stable code.
        error_code: Option<String>,
        /// When the call began.
        started_at: Timestamp,
        /// How long it took, milliseconds.
        duration_ms: u64,
    }
}

/// Sums over calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UsageTotals {
    /// Calls.
    pub calls: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Tokens written to the provider's cache.
    pub cache_write_tokens: u64,
}

/// Adds many records.
///
/// # Errors
/// Only when the database fails.
pub async fn insert_batch(tx: &Tx, records: &[UsageRecord]) -> Result<()> {
    for batch in records.chunks(BATCH) {
        tx.conn().execute(&table::insert_statement(batch)).await?;
    }
    Ok(())
}

/// One page of a person's calls.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    user_id: UserId,
    request: &PageRequest,
) -> Result<Page<UsageRecord>> {
    table::page_where(db, equals("user_id", user_id.to_value()), request).await
}

/// What one person used in `[from, until)`.
///
/// # Errors
/// Only when the database fails.
pub async fn total_of_user(
    db: &dyn Reads,
    user_id: UserId,
    from: Timestamp,
    until: Timestamp,
) -> Result<UsageTotals> {
    total(db, "user_id", user_id.to_value(), from, until).await
}

/// What a tenant used in `[from, until)`.
///
/// # Errors
/// Only when the database fails.
pub async fn total_of_organization(
    db: &dyn Reads,
    organization_id: OrganizationId,
    from: Timestamp,
    until: Timestamp,
) -> Result<UsageTotals> {
    total(
        db,
        "organization_id",
        organization_id.to_value(),
        from,
        until,
    )
    .await
}

/// What one model was used for on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DailyUsage {
    /// Days since 1970-01-01 (UTC).
    pub day: i64,
    /// The real model.
    pub model: String,
    /// Calls.
    pub calls: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Tokens in.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
}

/// Sums by day and model in `[from, until)`, newest day first; of one person, or of the whole tenant.
///
/// # Errors
/// Only when the database fails.
pub async fn daily(
    db: &dyn Reads,
    organization_id: OrganizationId,
    user_id: Option<UserId>,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<DailyUsage>> {
    // Dividing whole numbers cuts off, which is the floor for every time since 1970, on both databases.
    let (column, of) = match user_id {
        Some(id) => ("user_id", id.to_value()),
        None => ("organization_id", organization_id.to_value()),
    };
    let sql = format!(
        "SELECT started_at / 86400000000 AS day, model, COUNT(*) AS calls, \
         CAST(COALESCE(SUM(CASE WHEN error_code IS NOT NULL THEN 1 ELSE 0 END), 0) AS BIGINT) AS failed, \
         CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens, \
         CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens \
         FROM usage_records WHERE {column} = $1 AND started_at >= $2 AND started_at < $3 \
         GROUP BY started_at / 86400000000, model ORDER BY 1 DESC, 2"
    );
    let conn = db.conn();
    let values = vec![of, from.as_micros().into(), until.as_micros().into()];
    let rows = conn.all_raw(conn.statement(&sql, values)).await?;
    rows.iter()
        .map(|row| {
            let number = |column: &str| -> Result<u64> {
                Ok(u64::try_from(row.try_get_by::<i64, _>(column)?).unwrap_or(0))
            };
            Ok(DailyUsage {
                day: row.try_get_by("day")?,
                model: row.try_get_by("model")?,
                calls: number("calls")?,
                failed: number("failed")?,
                input_tokens: number("input_tokens")?,
                output_tokens: number("output_tokens")?,
            })
        })
        .collect()
}

async fn total(
    db: &dyn Reads,
    column: &'static str,
    of: Value,
    from: Timestamp,
    until: Timestamp,
) -> Result<UsageTotals> {
    // PostgreSQL sums BIGINT to NUMERIC; the cast makes both databases answer alike.
    let sql = format!(
        "SELECT COUNT(*) AS calls, \
         CAST(COALESCE(SUM(input_tokens), 0) AS BIGINT) AS input_tokens, \
         CAST(COALESCE(SUM(output_tokens), 0) AS BIGINT) AS output_tokens, \
         CAST(COALESCE(SUM(cache_read_tokens), 0) AS BIGINT) AS cache_read_tokens, \
         CAST(COALESCE(SUM(cache_write_tokens), 0) AS BIGINT) AS cache_write_tokens \
         FROM usage_records WHERE {column} = $1 AND started_at >= $2 AND started_at < $3"
    );
    let conn = db.conn();
    let values = vec![of, from.as_micros().into(), until.as_micros().into()];
    let Some(row) = conn.one_raw(conn.statement(&sql, values)).await? else {
        return Ok(UsageTotals::default());
    };
    let number = |column: &str| -> Result<u64> {
        Ok(u64::try_from(row.try_get_by::<i64, _>(column)?).unwrap_or(0))
    };
    Ok(UsageTotals {
        calls: number("calls")?,
        input_tokens: number("input_tokens")?,
        output_tokens: number("output_tokens")?,
        cache_read_tokens: number("cache_read_tokens")?,
        cache_write_tokens: number("cache_write_tokens")?,
    })
}
