//! How this installation opens its database.

use fractal_clock::SharedClock;
use fractal_config::Settings;
use fractal_store::{OpenOptions, Store};

/// The store's options from the settings: copies made before a migration go into the data folder, whichever database it is.
pub fn options(settings: &Settings, clock: SharedClock) -> OpenOptions {
    OpenOptions {
        backup_dir: Some(settings.data_dir.join("backups")),
        pg_dump: settings.pg_dump.clone(),
        migrate_without_backup: settings.migrate_without_backup,
        ..OpenOptions::new(clock)
    }
}

/// Which `pg_dump` would back PostgreSQL up before its schema changes, in its own words; `None` when none can be run.
pub async fn pg_dump_version(settings: &Settings) -> Option<String> {
    Store::pg_dump_version(settings.pg_dump.as_deref()).await
}
