//! Looking at the database without changing it, for `fractal doctor`.

use std::sync::Arc;

use anyhow::Result;
use fractal_clock::SystemClock;
use fractal_config::Settings;
use fractal_store::{Error, OpenOptions, PageRequest, Store, instances, users};
use secrecy::ExposeSecret;

use crate::{database, installation::take_folder};

/// One sentence on what is in the database, or why it cannot be opened. `None` while there is none yet, or while a running
/// Fractal holds the data folder.
pub async fn look_into_database(settings: &Settings) -> Option<Result<String>> {
    if database::is_missing(settings) {
        return None;
    }
    let _lock = take_folder(&settings.data_dir).ok()?;
    Some(look(settings).await)
}

async fn look(settings: &Settings) -> Result<String> {
    let options = OpenOptions {
        migrate: false,
        ..database::options(settings, Arc::new(SystemClock))
    };
    let store = match Store::open(settings.database_url.expose_secret(), &options).await {
        Ok(store) => store,
        Err(Error::Pending { used: false, .. }) => {
            return Ok("the database is empty; its tables will be made at the first start".into());
        }
        Err(Error::Pending { steps, .. }) => {
            return Ok(format!(
                "the next start makes a backup and does {steps} pending step(s) of the schema"
            ));
        }
        Err(error) => return Err(error.into()),
    };
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
