//! Looking at the database without changing it, for `fractal doctor`.

use std::sync::Arc;

use anyhow::Result;
use fractal_clock::SystemClock;
use fractal_config::Settings;
use fractal_store::{OpenOptions, PageRequest, Store, instances, users};
use secrecy::ExposeSecret;

use crate::installation::take_folder;

/// One sentence on what is in the database, or why it cannot be opened. `None` while there is none yet, or while a running
/// Fractal holds the data folder: opening brings the schema up to date, which is not for a second process to do.
pub async fn look_into_database(settings: &Settings) -> Option<Result<String>> {
    let url = settings.database_url.expose_secret();
    if let Some(path) = url.strip_prefix("sqlite://")
        && !std::path::Path::new(path).exists()
    {
        return None;
    }
    let _lock = take_folder(&settings.data_dir).ok()?;
    Some(look(url).await)
}

async fn look(url: &str) -> Result<String> {
    let store = Store::open(url, &OpenOptions::new(Arc::new(SystemClock))).await?;
    let db = store.read();
    let people = users::count_all(&db).await?;
    let page = instances::list_live(
        &db,
        &PageRequest {
            limit: 200,
            ..PageRequest::default()
        },
    )
    .await?;
    let more = if page.next_cursor.is_some() {
        " or more"
    } else {
        ""
    };
    let text = format!(
        "{people} accounts, {}{more} instances; its schema is current",
        page.items.len()
    );
    store.close().await?;
    Ok(text)
}
