//! The access rules, looked at and reset on the machine itself.

use std::sync::Arc;

use anyhow::Result;
use fractal_clock::{Clock, SharedClock, SystemClock, SystemEntropy, new_id};
use fractal_config::Settings;
use fractal_policy::{Action, BuiltinPolicy, Checked, Resource};
use fractal_store::{NewEntry, PolicyVersion, Store, Tx, evidence, organizations, policy_versions};
use fractal_types::{Principal, Via};
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::{database, installation::take_folder, keys::check_value};

/// The rules that every release carries.
///
/// # Errors
///
/// When the release itself is broken.
pub fn builtin_policies() -> Result<Vec<BuiltinPolicy>> {
    Ok(fractal_policy::builtin_policies()?)
}

/// Whether a text of rules could be put in force, and what is wrong with it.
///
/// # Errors
///
/// When the release itself is broken.
pub fn check_policies(text: &str) -> Result<Checked> {
    Ok(fractal_policy::check(text)?)
}

/// Goes back to the built-in rules while no server runs, also when the added ones do not fit this release and keep it from starting.
/// Says whether there were added ones; they stay among the versions.
///
/// # Errors
///
/// When another process uses the data folder, or the database cannot be opened.
pub async fn reset_policy(settings: &Settings) -> Result<bool> {
    if check_value(settings).await?.is_none() {
        // Nothing was ever added where nothing is.
        return Ok(false);
    }
    let _lock = take_folder(&settings.data_dir)?;
    let clock: SharedClock = Arc::new(SystemClock);
    let store = Store::open(
        settings.database_url.expose_secret(),
        &database::options(settings, clock),
    )
    .await?;
    let removed = store
        .tx("policy.reset", async |tx: Tx| {
            let mut removed = false;
            for organization in organizations::list(&tx).await? {
                let present = policy_versions::find_latest(&tx, organization.id).await?;
                let Some(present) = present.filter(|row| !row.text.is_empty()) else {
                    continue;
                };
                removed = true;
                let number = present.number + 1;
                let row = PolicyVersion {
                    id: new_id(&SystemClock, &SystemEntropy),
                    organization_id: organization.id,
                    number,
                    text: String::new(),
                    tests: json!([]),
                    comment: "reset on the machine".to_owned(),
                    author: None,
                    created_at: SystemClock.now(),
                };
                policy_versions::insert(&tx, &row).await?;
                let entry = NewEntry {
                    organization_id: organization.id,
                    principal: Principal::System,
                    via: Via::Console,
                    action: Action::PolicyReset.as_str(),
                    resource_kind: Resource::Settings.kind(),
                    resource_id: String::new(),
                    outcome: "done",
                    // Whoever holds the folder holds the rules: there is nobody to ask.
                    decision: json!({}),
                    values: vec![("version", json!(number))],
                    request_id: None,
                };
                evidence::append(&tx, &SystemClock, &SystemEntropy, entry).await?;
            }
            Ok::<_, fractal_store::Error>(removed)
        })
        .await?;
    store.close().await?;
    Ok(removed)
}
