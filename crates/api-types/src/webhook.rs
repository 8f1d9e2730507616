//! Webhooks: addresses that are told what happens.

use fractal_types::{DeliveryId, Label, Timestamp, WebhookId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A webhook, without its secret.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebhookView {
    /// Its id.
    pub id: WebhookId,
    /// What people call it.
    pub name: Label,
    /// Where to.
    pub url: String,
    /// Which actions: names like `instance.start`, kinds like `instance.`, or `*`.
    pub events: Vec<String>,
    /// Whether it is told anything.
    pub enabled: bool,
    /// Whether it may be on a private or loopback address.
    pub allow_private_network: bool,
    /// Entries on their way to it.
    pub waiting: u64,
    /// Entries that were given up; they can be replayed.
    pub dead: u64,
    /// The status of its last answer.
    pub last_status: Option<u16>,
    /// Why the last attempt failed; absent when it did not.
    pub last_error: Option<String>,
    /// When it took something last.
    pub last_delivered_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
}

/// Makes a webhook. It is told what happens from then on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateWebhook {
    /// What people call it.
    pub name: Label,
    /// Where to, an https address.
    #[schema(max_length = 2048)]
    pub url: String,
    /// Which actions: names like `instance.start`, kinds like `instance.`, or `*`; everything when absent.
    #[schema(max_items = 50)]
    pub events: Option<Vec<String>>,
    /// Whether it may be on a private or loopback address, and plain http.
    pub allow_private_network: Option<bool>,
}

/// A new webhook, or one with a new secret. The secret is shown this once.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct NewWebhook {
    /// The webhook.
    pub webhook: WebhookView,
    /// What its messages are signed with, in the form of Standard Webhooks.
    pub secret: String,
}

/// Changes a webhook.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateWebhook {
    /// What people call it.
    pub name: Option<Label>,
    /// Where to.
    #[schema(max_length = 2048)]
    pub url: Option<String>,
    /// Which actions.
    #[schema(max_items = 50)]
    pub events: Option<Vec<String>>,
    /// Whether it is told anything; what happens while it is off it is never told.
    pub enabled: Option<bool>,
    /// Whether it may be on a private or loopback address.
    pub allow_private_network: Option<bool>,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStateView {
    /// To be tried, perhaps again.
    Pending,
    /// Taken.
    Delivered,
    /// Given up; can be replayed.
    Dead,
}

/// Which deliveries.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// In this state.
    #[param(inline)]
    pub state: Option<DeliveryStateView>,
    /// The `next_cursor` of the page before.
    #[param(max_length = 512)]
    pub cursor: Option<String>,
    /// Entries per page, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// One entry of the log on its way to a webhook.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    /// Its id.
    pub id: DeliveryId,
    /// The entry's position in the log.
    pub seq: u64,
    /// The entry's action.
    pub event: String,
    /// The thing it is about, as `kind:id`. Deliveries about one thing keep their order.
    pub resource: String,
    /// How it stands.
    pub state: DeliveryStateView,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_at: Option<Timestamp>,
    /// The status of the last answer.
    pub last_status: Option<u16>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// When it was put on its way.
    pub created_at: Timestamp,
    /// When it was taken or given up.
    pub done_at: Option<Timestamp>,
}

/// How a test message was taken.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct WebhookTest {
    /// Whether it was taken (a status of 2xx).
    pub ok: bool,
    /// The status of the answer.
    pub status: Option<u16>,
    /// How long it took.
    pub latency_ms: u64,
    /// Why it was not taken.
    pub error: Option<String>,
}
