//! Runtime assets: the machine surfaces that host instances. So far there is one, this machine.

use fractal_api_types::{CapabilitiesView, Page, RuntimeAssetView};
use fractal_policy::{Action, Resource};
use fractal_runtime::contract::{Capabilities, Isolation};
use fractal_store::{RuntimeAsset, Tx, runtime_assets};
use fractal_types::RuntimeAssetId;
use serde_json::json;

use crate::{App, Context, Error, Result};

/// The key of this machine's own asset.
pub const LOCAL: &str = "local-process";

/// The asset of this machine, made at the first start; what it promises is noted at every start.
///
/// # Errors
///
/// When the database fails.
pub async fn register(
    store: &fractal_store::Store,
    clock: &dyn fractal_clock::Clock,
    entropy: &dyn fractal_clock::Entropy,
    capabilities: &Capabilities,
) -> Result<RuntimeAssetId> {
    let promises = serde_json::to_value(capabilities).unwrap_or_default();
    store
        .tx("runtime_assets.register", async |tx: Tx| {
            if let Some(row) = runtime_assets::find_by_key(&tx, LOCAL).await? {
                runtime_assets::observe(&tx, row.id, "healthy", &promises).await?;
                return Ok::<_, Error>(row.id);
            }
            let row = RuntimeAsset {
                id: fractal_clock::new_id(clock, entropy),
                asset_key: LOCAL.to_owned(),
                kind: "process".to_owned(),
                name: "This machine".parse()?,
                executor_url: None,
                public_url: None,
                capabilities: json!(promises),
                health: "healthy".to_owned(),
                created_at: clock.now(),
            };
            runtime_assets::insert(&tx, &row).await?;
            Ok(row.id)
        })
        .await
}

/// All assets.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context) -> Result<Page<RuntimeAssetView>> {
    app.require(cx, Action::AssetList, &Resource::RuntimeAsset(None))?;
    let instances = crate::instance::all_live(app).await?;
    let rows = runtime_assets::list(&app.store.read()).await?;
    let items = rows
        .into_iter()
        .map(|row| RuntimeAssetView {
            id: row.id,
            healthy: row.health == "healthy",
            instances: u32::try_from(
                instances
                    .iter()
                    .filter(|instance| instance.runtime_asset_id == row.id)
                    .count(),
            )
            .unwrap_or(u32::MAX),
            start_slots: u32::try_from(app.queue.slots()).unwrap_or(u32::MAX),
            capabilities: capabilities_view(&app.runtime.capabilities()),
            name: row.name.as_str().to_owned(),
            kind: row.kind,
        })
        .collect();
    Ok(Page {
        items,
        next_cursor: None,
    })
}

fn capabilities_view(promises: &Capabilities) -> CapabilitiesView {
    CapabilitiesView {
        isolation: match promises.isolation {
            Isolation::Sandboxed => "sandboxed".to_owned(),
            Isolation::Reduced => "reduced".to_owned(),
        },
        own_uid: promises.own_uid,
        memory: promises.memory,
        cpu: promises.cpu,
        processes: promises.processes,
        disk: promises.disk,
        open_files: promises.open_files,
        remarks: promises.remarks.clone(),
    }
}
