//! What can go wrong with stored things, told apart by what the caller can do about it.

use sea_orm::{DbErr, RuntimeErr, SqlxError};

use crate::dialect;

/// The result of a store call.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A database that cannot be reached, for whoever stands beside it.
    #[must_use]
    pub fn away(why: &str) -> Self {
        Self::Unavailable(DbErr::Custom(why.to_owned()))
    }
}

/// A store call that failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No such row.
    #[error("there is no row {id} in {table}")]
    NotFound {
        /// The table.
        table: &'static str,
        /// The id that was asked for.
        id: String,
    },
    /// Something with the same name or identity exists.
    #[error("a row with the same identity exists already in {table}")]
    Conflict {
        /// The table, as far as the database names it.
        table: String,
    },
    /// A row points to one that is not there, or is still pointed to.
    #[error("the row refers to one that does not exist, or is still referred to")]
    Reference,
    /// The lease or claim went to somebody else; whatever was being done must stop.
    #[error("the lease on {what} was lost to somebody else")]
    LeaseLost {
        /// The lease's name or the job's id.
        what: String,
    },
    /// Stored data makes no sense.
    #[error("{table}.{column} of row {row} holds a value that makes no sense: {reason}")]
    Corrupt {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
        /// The row's key.
        row: String,
        /// What was expected. Never the value, which may be personal.
        reason: String,
    },
    /// The transaction kept colliding with others.
    #[error("transaction {name} collided with others {attempts} times; try again")]
    Busy {
        /// The transaction's name.
        name: &'static str,
        /// How often it ran.
        attempts: u32,
    },
    /// The database cannot be reached.
    #[error("the database cannot be reached; check that it runs and that DATABASE_URL is right")]
    Unavailable(#[source] DbErr),
    /// The address or an option makes no sense.
    #[error("{0}")]
    Settings(String),
    /// The schema is newer than this program, or bringing it up to date failed.
    #[error("the database schema cannot be brought up to date: {reason}")]
    Migration {
        /// Why, with the remedy.
        reason: String,
        /// What the database said.
        #[source]
        source: Option<DbErr>,
    },
    /// The schema has pending steps, and the caller only wanted to look.
    #[error(
        "{steps} step(s) of the database schema are pending; `fractal serve` does them at its start"
    )]
    Pending {
        /// How many.
        steps: usize,
        /// Whether there is anything in the database yet.
        used: bool,
    },
    /// PostgreSQL could not be backed up before a migration.
    #[error(
        "the database schema has to be brought up to date, but {why}; nothing was changed. To go on, {remedy}; or make a backup of \
         your own and start once with --migrate-without-backup"
    )]
    NoDump {
        /// What is missing or failed. Never the password.
        why: String,
        /// What to do about it.
        remedy: &'static str,
        /// What the machine said.
        #[source]
        source: Option<std::io::Error>,
    },
    /// The copy before a migration failed.
    #[error(
        "the database could not be copied to {path} before the migration; nothing was changed. Make room there, or make a backup of \
         your own and start once with --migrate-without-backup"
    )]
    Backup {
        /// Where to.
        path: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else the database said.
    #[error("the database refused a statement")]
    Database(#[source] DbErr),
}

impl Error {
    /// Whether it is [`Error::NotFound`].
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether it is [`Error::Conflict`].
    #[must_use]
    pub const fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// Sorts what the database said. The flag says whether the same transaction may succeed when run again.
    pub(crate) fn sort(error: DbErr) -> (Self, bool) {
        let Some(sqlx) = sqlx_error(&error) else {
            return match error {
                DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => (Self::Unavailable(error), false),
                _ => (Self::Database(error), false),
            };
        };
        match sqlx {
            SqlxError::Database(said) => {
                let code = said.code().unwrap_or_default();
                match dialect::meaning_of(&code) {
                    dialect::Meaning::Unique => {
                        let table = said.table().map_or_else(
                            || dialect::table_of_unique_message(said.message()),
                            str::to_owned,
                        );
                        (Self::Conflict { table }, false)
                    }
                    dialect::Meaning::Reference => (Self::Reference, false),
                    dialect::Meaning::Collision => (Self::Database(error), true),
                    dialect::Meaning::Gone => (Self::Unavailable(error), false),
                    dialect::Meaning::Other => (Self::Database(error), false),
                }
            }
            SqlxError::Io(_)
            | SqlxError::PoolTimedOut
            | SqlxError::PoolClosed
            | SqlxError::WorkerCrashed => (Self::Unavailable(error), false),
            _ => (Self::Database(error), false),
        }
    }
}

fn sqlx_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::sort(error).0
    }
}
