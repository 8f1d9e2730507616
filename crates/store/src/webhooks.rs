//! Webhooks and what is on its way to them.

use fractal_types::{DeliveryId, Label, OrganizationId, Timestamp, WebhookId};
use sea_orm::{
    Value,
    sea_query::{Condition, Expr, ExprTrait},
};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::{Field, Scalar},
    table::{self, Table, equals, table, verbs},
};

table! {
    /// An address that is told what happens.
    Webhook in "webhooks" {
        /// Its id.
        id: WebhookId,
        /// Of which tenant.
        organization_id: OrganizationId,
        /// What people call it.
        name: Label,
        /// Where to.
        url: String,
        /// Which actions: names, kinds that end with a dot, or `*`.
        events: Vec<String>,
        /// What signs, sealed with the tenant's key.
        secret: Vec<u8>,
        /// Whether it is told anything.
        enabled: bool,
        /// Whether it may be on a private or loopback address.
        private_network: bool,
        /// The status of the last answer.
        last_status: Option<u16>,
        /// Why the last attempt failed; none when it did not.
        last_error: Option<String>,
        /// When it took something last.
        last_delivered_at: Option<Timestamp>,
        /// When it was made.
        created_at: Timestamp,
        /// When it was changed.
        updated_at: Timestamp,
    }
}

verbs!(Webhook, WebhookId, insert find update delete);

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// To be tried, perhaps again.
    Pending,
    /// Taken.
    Delivered,
    /// Given up.
    Dead,
}

impl DeliveryState {
    /// The word in SQL and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

impl Scalar for DeliveryState {
    type Raw = String;

    fn encode(&self) -> String {
        self.as_str().to_owned()
    }

    fn decode(raw: String) -> Result<Self, String> {
        [Self::Pending, Self::Delivered, Self::Dead]
            .into_iter()
            .find(|state| state.as_str() == raw)
            .ok_or_else(|| "a state of a delivery was expected".to_owned())
    }
}

table! {
    /// One entry of the log on its way to a webhook.
    WebhookDelivery in "webhook_deliveries" {
        /// Its id.
        id: DeliveryId,
        /// To which.
        webhook_id: WebhookId,
        /// The entry's position.
        seq: u64,
        /// The entry's action.
        event: String,
        /// The thing it is about, as `kind:id`.
        resource: String,
        /// How it stands.
        state: DeliveryState,
        /// How often it was tried.
        attempts: u32,
        /// When to try next.
        next_at: Timestamp,
        /// The status of the last answer.
        last_status: Option<u16>,
        /// Why the last attempt failed.
        last_error: Option<String>,
        /// When it was put on its way.
        created_at: Timestamp,
        /// When it was taken or given up.
        done_at: Option<Timestamp>,
    }
}

/// One page of a tenant's webhooks.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    request: &PageRequest,
) -> Result<Page<Webhook>> {
    table::page_where(
        db,
        equals("organization_id", organization_id.to_value()),
        request,
    )
    .await
}

/// All that are to be told something. An installation has few.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_enabled(db: &dyn Reads) -> Result<Vec<Webhook>> {
    table::list_where(db, equals("enabled", true)).await
}

/// Notes how the last attempt ended, without touching what people set.
///
/// # Errors
/// Only when the database fails.
pub async fn note_outcome(
    tx: &Tx,
    id: WebhookId,
    status: Option<u16>,
    error: Option<&str>,
    at: Timestamp,
) -> Result<()> {
    let mut values = vec![
        ("last_status", status.to_value()),
        ("last_error", error.map(str::to_owned).to_value()),
    ];
    if error.is_none() {
        values.push(("last_delivered_at", Some(at).to_value()));
    }
    table::set_where::<Webhook>(tx, equals("id", id.to_value()), values)
        .await
        .map(|_| ())
}

/// Puts entries on their way.
///
/// # Errors
/// [`crate::Error::Conflict`] when one is on its way already.
pub async fn enqueue(tx: &Tx, rows: &[WebhookDelivery]) -> Result<()> {
    for row in rows {
        table::insert(tx, row).await?;
    }
    Ok(())
}

/// What may be tried now: of each thing only the oldest that waits, so that order is kept; oldest first.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn due(
    db: &dyn Reads,
    id: WebhookId,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<WebhookDelivery>> {
    let conn = db.conn();
    let sql = format!(
        "SELECT {} FROM webhook_deliveries WHERE webhook_id = $1 AND state = 'pending' AND next_at <= $2 AND {FIRST} \
         ORDER BY seq LIMIT {limit}",
        WebhookDelivery::COLUMNS.join(", ")
    );
    let values: Vec<Value> = vec![id.to_string().into(), now.as_micros().into()];
    let rows = conn.all_raw(conn.statement(&sql, values)).await?;
    rows.iter().map(WebhookDelivery::from_row).collect()
}

/// Holds for the oldest of its thing that waits.
const FIRST: &str = "NOT EXISTS (SELECT 1 FROM webhook_deliveries AS older \
    WHERE older.webhook_id = webhook_deliveries.webhook_id AND older.resource = webhook_deliveries.resource \
    AND older.state = 'pending' AND older.seq < webhook_deliveries.seq)";

/// When something is to be tried next; `None` when nothing waits.
///
/// # Errors
/// Only when the database fails.
pub async fn next_due(db: &dyn Reads) -> Result<Option<Timestamp>> {
    let conn = db.conn();
    let sql = format!(
        "SELECT MIN(next_at) AS at FROM webhook_deliveries WHERE state = 'pending' AND {FIRST} \
         AND webhook_id IN (SELECT id FROM webhooks WHERE enabled)"
    );
    let row = conn.one_raw(conn.statement(&sql, Vec::new())).await?;
    let at: Option<i64> = row.map_or(Ok(None), |row| row.try_get_by("at"))?;
    Ok(at.map(Timestamp::from_micros))
}

/// Replaces a delivery's row.
///
/// # Errors
/// [`crate::Error::NotFound`] when its webhook was deleted meanwhile.
pub async fn update_delivery(tx: &Tx, row: &WebhookDelivery) -> Result<()> {
    table::update(tx, row).await
}

/// A delivery, if it is of this webhook.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_delivery(
    db: &dyn Reads,
    webhook_id: WebhookId,
    id: DeliveryId,
) -> Result<Option<WebhookDelivery>> {
    Ok(table::find_by_key::<WebhookDelivery>(db, &id.to_string())
        .await?
        .filter(|row| row.webhook_id == webhook_id))
}

/// One page of a webhook's deliveries, of one state when one is given.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list_deliveries(
    db: &dyn Reads,
    webhook_id: WebhookId,
    state: Option<DeliveryState>,
    request: &PageRequest,
) -> Result<Page<WebhookDelivery>> {
    let mut condition = equals("webhook_id", webhook_id.to_value());
    if let Some(state) = state {
        condition = condition.add(Expr::col("state").eq(state.as_str()));
    }
    table::page_where(db, condition, request).await
}

/// How many deliveries of a webhook are in a state.
///
/// # Errors
/// Only when the database fails.
pub async fn count_deliveries(
    db: &dyn Reads,
    webhook_id: WebhookId,
    state: DeliveryState,
) -> Result<u64> {
    let conn = db.conn();
    let sql = "SELECT COUNT(*) AS deliveries FROM webhook_deliveries WHERE webhook_id = $1 AND state = $2";
    let values: Vec<Value> = vec![webhook_id.to_string().into(), state.as_str().into()];
    let row = conn.one_raw(conn.statement(sql, values)).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get_by("deliveries"))?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Forgets what was taken before; what was given up stays for somebody to look at. How many.
///
/// # Errors
/// Only when the database fails.
pub async fn delete_delivered_before(tx: &Tx, before: Timestamp) -> Result<u64> {
    let condition = Condition::all()
        .add(Expr::col("state").eq(DeliveryState::Delivered.as_str()))
        .add(Expr::col("done_at").lt(before.as_micros()));
    table::delete_where::<WebhookDelivery>(tx, condition).await
}
