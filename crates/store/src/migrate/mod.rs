//! The schema and its history. A step only expands what is there (old code must run on the new schema); contraction comes in a
//! later release. A step that was released is never edited.

mod dump;

use std::{
    io,
    path::{Path, PathBuf},
};

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
        "m0005_evidence_tree",
        include_str!("m0005_evidence_tree.sql"),
    ),
    ("m0006_webhooks", include_str!("m0006_webhooks.sql")),
    (
        "m0007_disk_pressure",
        include_str!("m0007_disk_pressure.sql"),
    ),
    ("m0008_policies", include_str!("m0008_policies.sql")),
    (
        "m0009_idempotency_keys",
        include_str!("m0009_idempotency_keys.sql"),
    ),
    ("m0010_proposals", include_str!("m0010_proposals.sql")),
    (
        "m0011_proposal_answers",
        include_str!("m0011_proposal_answers.sql"),
    ),
    ("m0012_operations", include_str!("m0012_operations.sql")),
    ("m0013_incidents", include_str!("m0013_incidents.sql")),
    ("m0014_witnesses", include_str!("m0014_witnesses.sql")),
];

/// The tables that the steps make.
pub(crate) fn tables() -> impl Iterator<Item = &'static str> {
    let lines = STEPS.iter().flat_map(|(_, sql)| sql.lines());
    lines
        .filter_map(|line| line.strip_prefix("CREATE TABLE "))
        .filter_map(|rest| rest.split_whitespace().next())
}

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

pub(crate) use dump::version as pg_dump_version;

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
    let mut waiting = Waiting::of::<M>(db).await?;
    if waiting.steps == 0 {
        return Ok(());
    }
    if !options.migrate {
        return Err(Error::Pending {
            steps: waiting.steps,
            used: waiting.used,
        });
    }
    if waiting.used && options.migrate_without_backup {
        tracing::warn!("the database is migrated without a backup, as was asked for");
    }
    let backup = !options.migrate_without_backup;
    if store.backend == DbBackend::Sqlite && waiting.used && backup {
        let path = place_for_copy(
            &sqlite_folder(url, options),
            &sqlite_stem(url),
            "db",
            options,
        )?;
        copy_sqlite(db, &path).await?;
        copied(&path);
    }
    let tx = db.begin().await?;
    if store.backend == DbBackend::Postgres {
        tx.execute_unprepared(dialect::MIGRATION_LOCK).await?;
        // Whoever held the lock may have done the work, and made the backup.
        waiting = Waiting::of::<M>(&tx).await?;
        if waiting.steps > 0 && waiting.used && backup {
            // The backup may take longer than a server lets a transaction wait.
            tx.execute_unprepared("SET LOCAL idle_in_transaction_session_timeout = 0")
                .await?;
            let folder = options.backup_dir.as_deref();
            let folder = folder.unwrap_or_else(|| Path::new("backups"));
            let path = place_for_copy(folder, "fractal", "dump", options)?;
            tracing::info!("PostgreSQL is backed up before the migration ...");
            dump::write(url, options.pg_dump.as_deref(), &path).await?;
            copied(&path);
        }
    }
    M::up(&tx, None).await.map_err(refused)?;
    tx.commit().await?;
    if waiting.steps > 0 {
        tracing::info!(
            steps = waiting.steps,
            "the database schema was brought up to date"
        );
    }
    Ok(())
}

/// What a schema lacks.
struct Waiting {
    /// How many steps are pending.
    steps: usize,
    /// A database that was never migrated holds nothing of ours.
    used: bool,
}

impl Waiting {
    async fn of<M: MigratorTrait>(db: &impl ConnectionTrait) -> Result<Self> {
        let pending = M::get_pending_migrations_read_only(db)
            .await
            .map_err(refused)?;
        Ok(Self {
            steps: pending.len(),
            used: pending.len() < M::migrations().len(),
        })
    }
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

fn sqlite_folder(url: &str, options: &OpenOptions) -> PathBuf {
    options.backup_dir.clone().unwrap_or_else(|| {
        let file = open::sqlite_path(url).unwrap_or_default();
        file.parent()
            .unwrap_or_else(|| Path::new("."))
            .join("backups")
    })
}

fn sqlite_stem(url: &str) -> String {
    let file = open::sqlite_path(url).unwrap_or_default();
    file.file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// A new name in the folder of backups, which is made when missing.
fn place_for_copy(
    folder: &Path,
    stem: &str,
    ending: &str,
    options: &OpenOptions,
) -> Result<PathBuf> {
    make_private_folder(folder).map_err(|error| Error::Backup {
        path: folder.display().to_string(),
        source: error.into(),
    })?;
    // Two attempts within a millisecond must not collide, nor may the later one overwrite the earlier.
    let at = options.clock.now().as_millis();
    Ok((0_u32..)
        .map(|n| match n {
            0 => format!("{stem}-before-migration-{at}.{ending}"),
            n => format!("{stem}-before-migration-{at}-{n}.{ending}"),
        })
        .map(|name| folder.join(name))
        .find(|path| !path.exists())
        .unwrap_or_default())
}

fn copied(path: &Path) {
    tracing::info!(path = %path.display(), "the database was copied before the migration");
}

fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A new file that nobody else can read for even a moment; an existing one is refused.
fn private_file(path: &Path) -> io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
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
    // SQLite takes an empty file as the target.
    let file = private_file(path).map_err(|error| failed(error.into()))?;
    let quoted = text.replace('\'', "''");
    db.execute_unprepared(&format!("VACUUM INTO '{quoted}'"))
        .await
        .map_err(|error| failed(error.into()))?;
    file.sync_all().map_err(|error| failed(error.into()))
}

#[cfg(test)]
mod postgres_tests;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fractal_clock::ManualClock;

    use super::*;

    /// The schema as a later release has it.
    pub(super) struct Later;

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
    pub(super) struct Broken;

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
        let folder_mode = std::fs::metadata(folder.path().join("backups")).unwrap();
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&folder_mode.permissions()) & 0o777,
            0o700
        );
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
    async fn who_only_looks_changes_nothing_and_who_has_a_backup_gets_none() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("f.db").display());
        let look = OpenOptions {
            migrate: false,
            ..options()
        };
        let error = Store::open(&url, &look).await.unwrap_err();
        assert!(matches!(error, Error::Pending { used: false, .. }));
        let store = Store::open(&url, &options()).await.unwrap();
        Store::open(&url, &look).await.unwrap();
        let error = up_to::<Later>(&store, &url, &look).await.unwrap_err();
        assert!(matches!(
            error,
            Error::Pending {
                steps: 1,
                used: true
            }
        ));
        let without = OpenOptions {
            migrate_without_backup: true,
            ..options()
        };
        up_to::<Later>(&store, &url, &without).await.unwrap();
        assert_eq!(backups(folder.path()), 0);
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
