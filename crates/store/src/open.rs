//! Opening a database: address, pools, pragmas, schema.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, atomic::AtomicU32},
    time::Duration,
};

use fractal_clock::SharedClock;
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};

use crate::{Bystander, Error, Result, migrate};

/// How long SQLite waits for another process's lock before it says it is busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Which database it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file beside us.
    Sqlite,
    /// A server.
    Postgres,
}

/// How to open.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// Names the copies made before migrations.
    pub clock: SharedClock,
    /// Connections for reading, and on PostgreSQL also for writing.
    pub max_connections: u32,
    /// How long a caller waits for a connection, at the start also for the server to be there.
    pub acquire_timeout: Duration,
    /// Where the database is copied to before a migration; by default `backups`, beside the file of SQLite, in the current folder for
    /// PostgreSQL.
    pub backup_dir: Option<PathBuf>,
    /// The `pg_dump` that copies PostgreSQL; searched for when absent.
    pub pg_dump: Option<PathBuf>,
    /// The operator has a backup of their own, so that none is made before a migration.
    pub migrate_without_backup: bool,
    /// Whether pending steps of the schema are done; otherwise opening fails with [`Error::Pending`], and nothing is changed.
    pub migrate: bool,
}

impl OpenOptions {
    /// The usual.
    #[must_use]
    pub const fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            max_connections: 8,
            acquire_timeout: Duration::from_secs(15),
            backup_dir: None,
            pg_dump: None,
            migrate_without_backup: false,
            migrate: true,
        }
    }
}

/// An open database. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    /// SQLite: the one connection that writes. PostgreSQL: the pool.
    pub(crate) writer: DatabaseConnection,
    pub(crate) reader: DatabaseConnection,
    pub(crate) backend: DbBackend,
    pub(crate) collisions: Arc<AtomicU32>,
    /// The last id given to an evidence entry through this handle and its clones.
    pub(crate) last_evidence: Arc<Mutex<u128>>,
    /// Who stands beside, in simulations.
    pub(crate) bystander: Option<Arc<dyn Bystander>>,
}

impl Store {
    /// The same database as another process would have it: with nothing of this one's memory, and somebody who stands beside.
    #[must_use]
    pub fn beside(&self, bystander: Arc<dyn Bystander>) -> Self {
        Self {
            collisions: Arc::default(),
            last_evidence: Arc::default(),
            bystander: Some(bystander),
            ..self.clone()
        }
    }

    /// Opens the database and brings its schema up to date.
    ///
    /// `sqlite://path` (made when missing) or `postgres://…`.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::Unavailable`], [`Error::Backup`], [`Error::NoDump`], [`Error::Migration`], [`Error::Pending`].
    pub async fn open(url: &str, options: &OpenOptions) -> Result<Self> {
        let store = if let Some(path) = sqlite_path(url) {
            Self::open_sqlite(&path, options).await?
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url, options).await?
        } else {
            // The address may hold a password, so it is not repeated.
            return Err(Error::Settings(
                "DATABASE_URL must begin with sqlite:// or postgres://".to_owned(),
            ));
        };
        migrate::up(&store, url, options).await?;
        Ok(store)
    }

    /// Which database it is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        match self.backend {
            DbBackend::Postgres => Backend::Postgres,
            _ => Backend::Sqlite,
        }
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn ping(&self) -> Result<()> {
        self.reader.ping().await.map_err(Error::Unavailable)
    }

    /// Copies a SQLite database to a new file while it is in use. The file must not exist.
    ///
    /// # Errors
    /// [`Error::Settings`] on PostgreSQL, which has `pg_dump`; [`Error::Backup`].
    pub async fn backup_to(&self, path: &Path) -> Result<()> {
        if self.backend != DbBackend::Sqlite {
            return Err(Error::Settings(
                "a PostgreSQL database is backed up with pg_dump".to_owned(),
            ));
        }
        migrate::copy_sqlite(&self.writer, path).await
    }

    /// Which `pg_dump` would copy a PostgreSQL database before a migration, in its own words; `None` when there is none.
    pub async fn pg_dump_version(named: Option<&Path>) -> Option<String> {
        migrate::pg_dump_version(named).await
    }

    /// Closes all connections; SQLite folds its log into the file.
    ///
    /// # Errors
    /// When the database fails while closing.
    pub async fn close(self) -> Result<()> {
        self.reader.close_by_ref().await?;
        self.writer.close_by_ref().await?;
        Ok(())
    }

    async fn open_sqlite(path: &Path, options: &OpenOptions) -> Result<Self> {
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(|error| {
                Error::Settings(format!(
                    "cannot make the folder {}: {error}",
                    folder.display()
                ))
            })?;
        }
        // Made before the database opens it, so that nobody else can read it for even a moment.
        make_private_file(path).map_err(|error| {
            Error::Settings(format!(
                "cannot make the database file {}: {error}",
                path.display()
            ))
        })?;
        let writer = connect(sqlite_options(path, 1, options, false)).await?;
        let reader = connect(sqlite_options(
            path,
            options.max_connections.max(1),
            options,
            true,
        ))
        .await?;
        Ok(Self {
            writer,
            reader,
            backend: DbBackend::Sqlite,
            collisions: Arc::default(),
            last_evidence: Arc::default(),
            bystander: None,
        })
    }

    async fn open_postgres(url: &str, options: &OpenOptions) -> Result<Self> {
        let mut connect_options = ConnectOptions::new(url);
        connect_options
            .max_connections(options.max_connections.max(2))
            .acquire_timeout(options.acquire_timeout)
            .set_application_name("fractal");
        quiet(&mut connect_options);
        let pool = connect(connect_options).await?;
        Ok(Self {
            reader: pool.clone(),
            writer: pool,
            backend: DbBackend::Postgres,
            collisions: Arc::default(),
            last_evidence: Arc::default(),
            bystander: None,
        })
    }
}

/// The path in `sqlite://path`; also `sqlite:path`. Options after `?` are dropped: they are ours to set.
pub(crate) fn sqlite_path(url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let rest = rest.strip_prefix("//").unwrap_or(rest);
    let path = rest.split('?').next().unwrap_or(rest);
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(path))
}

fn sqlite_options(
    path: &Path,
    connections: u32,
    settings: &OpenOptions,
    read_only: bool,
) -> ConnectOptions {
    let path = path.to_owned();
    let mut options = ConnectOptions::new("sqlite://placeholder");
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(settings.acquire_timeout)
        // Connections to a file neither age nor go stale.
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .filename(&path)
                .foreign_keys(true)
                .busy_timeout(BUSY_TIMEOUT)
                .pragma("journal_mode", "WAL")
                // FULL: a commit that was answered survives a power cut.
                .pragma("synchronous", "FULL")
                .pragma("temp_store", "MEMORY")
                .pragma("query_only", if read_only { "ON" } else { "OFF" })
        });
    quiet(&mut options);
    options
}

/// Statements are not logged: their values are personal. Slow ones are found by the span of the transaction.
fn quiet(options: &mut ConnectOptions) {
    options.sqlx_logging(false);
}

async fn connect(options: ConnectOptions) -> Result<DatabaseConnection> {
    Database::connect(options).await.map_err(Error::Unavailable)
}

fn make_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_sqlite_address_is_found() {
        for (url, path) in [
            ("sqlite:///var/lib/f.db", Some("/var/lib/f.db")),
            ("sqlite://data/f.db?mode=rwc", Some("data/f.db")),
            ("sqlite:f.db", Some("f.db")),
            ("sqlite::memory:", None),
            ("postgres://x", None),
        ] {
            assert_eq!(sqlite_path(url), path.map(PathBuf::from), "{url}");
        }
    }

    fn options() -> OpenOptions {
        OpenOptions::new(Arc::new(fractal_clock::ManualClock::default()))
    }

    #[tokio::test]
    async fn an_address_of_neither_database_is_refused_without_repeating_it() {
        let error = Store::open("mysql://me:hunter2@host/db", &options())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("DATABASE_URL"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named_without_its_password() {
        let url = "postgres://me:hunter2@127.0.0.1:1/db";
        let options = OpenOptions {
            acquire_timeout: Duration::from_millis(100),
            ..options()
        };
        let error = Store::open(url, &options).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
        assert!(error.to_string().contains("DATABASE_URL"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
