//! The schema and its history. A step only expands what is there (old code must run on the new schema); contraction comes in a
//! later release. A step that was released is never edited.

use std::path::Path;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, TransactionTrait};
use sea_orm_migration::{
    MigrationName, MigrationTrait, MigratorTrait, SchemaManager, async_trait::async_trait,
};

use crate::{Error, OpenOptions, Result, Store, dialect, open};

/// A step written as one SQL text for both databases.
struct Step {
    name: &'static str,
    sql: &'static str,
}

const STEPS: &[(&str, &str)] = &[
    ("m0001_initial", include_str!("m0001_initial.sql")),
    ("m0002_link_session", include_str!("m0002_link_session.sql")),
    (
        "m0003_password_reset",
        include_str!("m0003_password_reset.sql"),
    ),
    (
        "m0004_skill_credentials",
        include_str!("m0004_skill_credentials.sql"),
    ),
    (
        "m0005_disk_pressure",
        include_str!("m0005_disk_pressure.sql"),
    ),
];

/// All steps as they are written, one after the other.
#[cfg(test)]
pub(crate) fn schema() -> String {
    STEPS.iter().map(|(_, sql)| *sql).collect()
}

impl MigrationName for Step {
    fn name(&self) -> &str {
        self.name
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait elides it, and async_trait makes a written one another lifetime"
)]
#[async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> std::result::Result<(), DbErr> {
        let db = manager.get_connection();
        let sql = dialect::translate_ddl(db.get_database_backend(), self.sql);
        for statement in statements(&sql) {
            db.execute_unprepared(statement).await?;
        }
        Ok(())
    }
}

/// Statements end with a semicolon at the end of a line; lines that begin with `--` are comments.
fn statements(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(";\n").map(str::trim).filter(|part| {
        part.lines()
            .any(|line| !line.trim().is_empty() && !line.trim_start().starts_with("--"))
    })
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        STEPS
            .iter()
            .map(|(name, sql)| Box::new(Step { name, sql }) as Box<dyn MigrationTrait>)
            .collect()
    }
}

/// Brings the schema up to date, after a copy when there is something to lose.
pub(crate) async fn up(store: &Store, url: &str, options: &OpenOptions) -> Result<()> {
    up_to::<Migrator>(store, url, options).await
}

async fn up_to<M: MigratorTrait>(store: &Store, url: &str, options: &OpenOptions) -> Result<()> {
    let db = &store.writer;
    let pending = M::get_pending_migrations_read_only(db)
        .await
        .map_err(refused)?;
    if pending.is_empty() {
        return Ok(());
    }
    // A database that was never migrated holds nothing of ours.
    let used = pending.len() < M::migrations().len();
    if used {
        match store.backend {
            DbBackend::Sqlite => backup(db, url, options).await?,
            _ if options.postgres_backup_confirmed => {}
            _ => {
                return Err(Error::Migration {
                    reason: format!(
                        "{} step(s) are pending; make a backup with pg_dump and start once with the confirmation that it was made",
                        pending.len()
                    ),
                    source: None,
                });
            }
        }
    }
    let tx = db.begin().await?;
    if store.backend == DbBackend::Postgres {
        tx.execute_unprepared(dialect::MIGRATION_LOCK).await?;
    }
    M::up(&tx, None).await.map_err(refused)?;
    tx.commit().await?;
    tracing::info!(
        steps = pending.len(),
        "the database schema was brought up to date"
    );
    Ok(())
}

fn refused(error: DbErr) -> Error {
    match error {
        DbErr::Custom(said) if said.contains("missing") => Error::Migration {
            reason: "the database was used by a newer version of Fractal; run that version, or restore the backup made before its migration"
                .to_owned(),
            source: None,
        },
        error => match Error::sort(error) {
            (Error::Database(source), _) => Error::Migration {
                reason: "a step failed and was taken back".to_owned(),
                source: Some(source),
            },
            (other, _) => other,
        },
    }
}

async fn backup(db: &DatabaseConnection, url: &str, options: &OpenOptions) -> Result<()> {
    let file = open::sqlite_path(url).unwrap_or_default();
    let folder = options.backup_dir.clone().unwrap_or_else(|| {
        file.parent()
            .unwrap_or_else(|| Path::new("."))
            .join("backups")
    });
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    // Two attempts within a millisecond must not collide, nor may the later one overwrite the earlier.
    let at = options.clock.now().as_millis();
    let path = (0_u32..)
        .map(|n| match n {
            0 => format!("{stem}-before-migration-{at}.db"),
            n => format!("{stem}-before-migration-{at}-{n}.db"),
        })
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .unwrap_or_default();
    copy_sqlite(db, &path).await?;
    tracing::info!(path = %path.display(), "the database was copied before the migration");
    Ok(())
}

/// `VACUUM INTO` a private file, then flushed to the disk.
pub(crate) async fn copy_sqlite(db: &DatabaseConnection, path: &Path) -> Result<()> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Backup {
        path: path.display().to_string(),
        source,
    };
    let text = path
        .to_str()
        .ok_or_else(|| failed("the path is not UTF-8".into()))?;
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder).map_err(|error| failed(error.into()))?;
    }
    // SQLite takes an empty file as the target; made by us, it is private from the start, and an existing one is refused.
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path).map_err(|error| failed(error.into()))?;
    let quoted = text.replace('\'', "''");
    db.execute_unprepared(&format!("VACUUM INTO '{quoted}'"))
        .await
        .map_err(|error| failed(error.into()))?;
    file.sync_all().map_err(|error| failed(error.into()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fractal_clock::ManualClock;

    use super::*;

    /// The schema as a later release has it.
    struct Later;

    impl MigratorTrait for Later {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            let mut all = Migrator::migrations();
            all.push(Box::new(Step {
                name: "m9999_later",
                sql: "CREATE TABLE later (\n  a TEXT\n);\n",
            }));
            all
        }
    }

    /// A later release whose step does not work.
    struct Broken;

    impl MigratorTrait for Broken {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            let mut all = Migrator::migrations();
            all.push(Box::new(Step {
                name: "m9999_broken",
                sql: "CREATE TABLE half (a TEXT);\nCREATE TABLE users (a TEXT);\n",
            }));
            all
        }
    }

    fn options() -> OpenOptions {
        OpenOptions::new(Arc::new(ManualClock::default()))
    }

    fn backups(folder: &Path) -> usize {
        std::fs::read_dir(folder.join("backups")).map_or(0, Iterator::count)
    }

    #[test]
    fn comments_alone_are_no_statement() {
        let sql = "-- a\nCREATE TABLE x (\n  -- why\n  a TEXT\n);\n\n-- end\n";
        assert_eq!(statements(sql).count(), 1);
    }

    #[tokio::test]
    async fn a_used_database_is_copied_before_it_is_migrated_and_a_new_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("f.db").display());
        let store = Store::open(&url, &options()).await.unwrap();
        assert_eq!(backups(folder.path()), 0);
        up_to::<Later>(&store, &url, &options()).await.unwrap();
        assert_eq!(backups(folder.path()), 1);
        // Nothing is pending any more, so nothing is copied.
        up_to::<Later>(&store, &url, &options()).await.unwrap();
        assert_eq!(backups(folder.path()), 1);
        store.close().await.unwrap();
        // The copy is a working database of the earlier release.
        let copy = std::fs::read_dir(folder.path().join("backups")).unwrap();
        let copy = copy.map(|entry| entry.unwrap().path()).next().unwrap();
        Store::open(&format!("sqlite://{}", copy.display()), &options())
            .await
            .unwrap();
        // And this program does not touch the database of the later one.
        let error = Store::open(&url, &options()).await.unwrap_err();
        assert!(error.to_string().contains("newer version"), "{error}");
    }

    #[tokio::test]
    async fn a_step_that_fails_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("f.db").display());
        let store = Store::open(&url, &options()).await.unwrap();
        let error = up_to::<Broken>(&store, &url, &options()).await.unwrap_err();
        assert!(matches!(error, Error::Migration { .. }), "{error:?}");
        up_to::<Later>(&store, &url, &options()).await.unwrap();
        let half = store.writer.execute_unprepared("SELECT * FROM half").await;
        assert!(half.is_err());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_database_and_its_copies_are_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("f.db");
        let store = Store::open(&format!("sqlite://{}", path.display()), &options())
            .await
            .unwrap();
        let copy = folder.path().join("copy.db");
        store.backup_to(&copy).await.unwrap();
        for file in [path, copy.clone()] {
            assert_eq!(
                std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        let again = store.backup_to(&copy).await.unwrap_err();
        assert!(
            matches!(again, Error::Backup { .. }),
            "an existing copy is never overwritten"
        );
    }
}
