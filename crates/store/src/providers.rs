//! Credentials of model providers, of one person or of the organization.

use fractal_types::{Label, OrganizationId, ProviderId, ProviderKind, Timestamp, UserId, Wire};
use sea_orm::{
    Condition,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Page, PageRequest, Reads, Result, Tx,
    field::{Field, words},
    table::{self, equals, table, verbs},
};

words! {
    /// How a gateway reaches a provider.
    ProviderMode {
        /// Through the broker; the gateway never has the key.
        Broker = "broker",
        /// By itself, with the key in its configuration.
        Direct = "direct",
    }
}

table! {
    /// Credentials of a model provider.
    Provider in "providers" {
        /// Its id.
        id: ProviderId,
        /// Whose tenant.
        organization_id: OrganizationId,
        /// Whose; `None` when it is the organization's.
        user_id: Option<UserId>,
        /// What the owner calls it.
        name: Label,
        /// Which provider.
        kind: ProviderKind,
        /// What it speaks.
        wire: Wire,
        /// Its address, when it is not the usual one.
        base_url: Option<String>,
        /// The key, sealed with the owner's key.
        api_key: Option<Vec<u8>>,
        /// Counts the changes of the key; a health check belongs to one of them.
        key_version: Option<u32>,
        /// The last characters of the key.
        key_hint: Option<String>,
        /// The models that may be used; empty means any.
        models: Vec<String>,
        /// Through the broker or not.
        mode: ProviderMode,
        /// Whether it is used.
        enabled: bool,
        /// Whether an administrator allowed a loopback or private address.
        private_network: bool,
        /// Whether it last answered; `None` when it was never tried.
        provider_ok: Option<bool>,
        /// When it was last tried.
        provider_checked_at: Option<Timestamp>,
        /// Why it did not answer, in the words shown to the owner.
        provider_error: Option<String>,
        /// When it was added.
        created_at: Timestamp,
        /// When it last changed.
        updated_at: Timestamp,
    }
}

verbs!(Provider, ProviderId, insert find update delete);

/// One page of what a person may use: their own and the organization's. Without a person only the organization's.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(
    db: &dyn Reads,
    organization_id: OrganizationId,
    user_id: Option<UserId>,
    request: &PageRequest,
) -> Result<Page<Provider>> {
    let mut owners = Condition::any().add(Expr::col("user_id").is_null());
    if let Some(user_id) = user_id {
        owners = owners.add(Expr::col("user_id").eq(user_id.to_string()));
    }
    let condition = equals("organization_id", organization_id.to_value()).add(owners);
    table::page_where(db, condition, request).await
}

/// Notes how a try went. An observation, so `updated_at` stays.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn observe(
    tx: &Tx,
    id: ProviderId,
    ok: bool,
    error: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    let values = vec![
        ("provider_ok", Some(ok).to_value()),
        ("provider_checked_at", Some(now).to_value()),
        ("provider_error", error.map(str::to_owned).to_value()),
    ];
    table::set::<Provider>(tx, &id.to_string(), values).await
}
