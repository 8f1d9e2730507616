//! How this installation opens its database.

use std::path::Path;

use fractal_clock::SharedClock;
use fractal_config::Settings;
use fractal_store::{OpenOptions, Store};
use secrecy::ExposeSecret;

/// The store's options from the settings: copies made before a migration go into the data folder, whichever database it is.
pub fn options(settings: &Settings, clock: SharedClock) -> OpenOptions {
    OpenOptions {
        backup_dir: Some(settings.data_dir.join("backups")),
        pg_dump: settings.pg_dump.clone(),
        migrate_without_backup: settings.migrate_without_backup,
        ..OpenOptions::new(clock)
    }
}

/// Whether the database is a file that is not there yet; opening would make it.
pub fn is_missing(settings: &Settings) -> bool {
    let url = settings.database_url.expose_secret();
    let Some(path) = url.strip_prefix("sqlite:") else {
        return false;
    };
    let path = path.trim_start_matches("//").split('?').next();
    path.is_some_and(|path| !Path::new(path).exists())
}

/// Which `pg_dump` would back PostgreSQL up before its schema changes, in its own words; `None` when none can be run.
pub async fn pg_dump_version(settings: &Settings) -> Option<String> {
    Store::pg_dump_version(settings.pg_dump.as_deref()).await
}
