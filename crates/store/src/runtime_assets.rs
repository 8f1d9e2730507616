//! Machine surfaces that host instances.

use fractal_types::{Label, RuntimeAssetId, Timestamp};

use crate::{
    Reads, Result, Tx,
    field::Field,
    table::{self, equals, table, verbs},
};

table! {
    /// A machine surface that hosts instances.
    RuntimeAsset in "runtime_assets" {
        /// Its id.
        id: RuntimeAssetId,
        /// Its exact name, e.g. `local-process`; what placements name.
        asset_key: String,
        /// `process`, `docker`, `lxc`, `kubernetes` or `sprite`.
        kind: String,
        /// What people call it.
        name: Label,
        /// Where machines reach it.
        executor_url: Option<String>,
        /// Where people reach it.
        public_url: Option<String>,
        /// What it declares it can do.
        capabilities: serde_json::Value,
        /// What was last seen of it.
        health: String,
        /// When it was added.
        created_at: Timestamp,
    }
}

verbs!(RuntimeAsset, RuntimeAssetId, insert find update delete);

/// The asset with this exact name.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_key(db: &dyn Reads, asset_key: &str) -> Result<Option<RuntimeAsset>> {
    table::find_where(db, equals("asset_key", asset_key)).await
}

/// All: there are few.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(db: &dyn Reads) -> Result<Vec<RuntimeAsset>> {
    table::list_where(db, sea_orm::Condition::all()).await
}

/// Notes what was seen of an asset.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn observe(
    tx: &Tx,
    id: RuntimeAssetId,
    health: &str,
    capabilities: &serde_json::Value,
) -> Result<()> {
    let values = vec![
        ("health", health.into()),
        ("capabilities", capabilities.to_value()),
    ];
    table::set::<RuntimeAsset>(tx, &id.to_string(), values).await
}
