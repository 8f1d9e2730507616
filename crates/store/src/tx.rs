//! Named transactions that run again when the database asks for it, and plain reads.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, IsolationLevel,
    QueryResult, SqliteTransactionMode, Statement, StatementBuilder, TransactionOptions,
    TransactionTrait, Value,
};

use crate::{
    Error, Result, Store,
    bystander::{Bystander, drive},
};

/// How often a colliding transaction runs before it gives up.
const ATTEMPTS: u32 = 12;

/// What can be read from: a transaction or the read pool.
pub trait Reads: Send + Sync {
    #[doc(hidden)]
    fn conn(&self) -> Conn<'_>;
}

/// An open transaction. Everything in it happens together or not at all, and nothing else happens in between
/// (`BEGIN IMMEDIATE` on SQLite, serializable on PostgreSQL).
///
/// A handle: cheap to clone, and not to be kept beyond the end of the work it was given to.
#[derive(Debug, Clone)]
pub struct Tx {
    open: Arc<Open>,
}

#[derive(Debug)]
struct Open {
    inner: DatabaseTransaction,
    /// Set by a statement that failed in a way that running again may mend, so that the caller's own error type need not say.
    collided: AtomicBool,
    last_evidence: Arc<Mutex<u128>>,
}

impl Tx {
    /// The last id given to an evidence entry of this database by this process.
    pub(crate) fn last_evidence(&self) -> MutexGuard<'_, u128> {
        self.open
            .last_evidence
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads outside a transaction; every call sees what was committed before it.
#[derive(Debug, Clone)]
pub struct Reader {
    pub(crate) inner: DatabaseConnection,
    pub(crate) bystander: Option<Arc<dyn Bystander>>,
}

impl Reads for Tx {
    fn conn(&self) -> Conn<'_> {
        Conn {
            on: On::Tx(&self.open.inner),
            collided: Some(&self.open.collided),
            // Whoever stands beside drives the transaction as a whole.
            bystander: None,
        }
    }
}

impl Reads for Reader {
    fn conn(&self) -> Conn<'_> {
        Conn {
            bystander: self.bystander.as_deref(),
            ..Conn::plain(&self.inner)
        }
    }
}

/// Something statements run on.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Conn<'a> {
    on: On<'a>,
    collided: Option<&'a AtomicBool>,
    bystander: Option<&'a dyn Bystander>,
}

#[derive(Clone, Copy)]
enum On<'a> {
    Db(&'a DatabaseConnection),
    Tx(&'a DatabaseTransaction),
}

impl<'a> Conn<'a> {
    pub(crate) const fn plain(db: &'a DatabaseConnection) -> Self {
        Self {
            on: On::Db(db),
            collided: None,
            bystander: None,
        }
    }

    pub(crate) fn backend(self) -> DbBackend {
        match self.on {
            On::Db(db) => db.get_database_backend(),
            On::Tx(tx) => tx.get_database_backend(),
        }
    }

    /// A statement written out, with `$1`, `$2`, … for its values: both databases read that form.
    pub(crate) fn statement(self, sql: &str, values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(self.backend(), sql, values)
    }

    pub(crate) async fn one(self, query: &impl StatementBuilder) -> Result<Option<QueryResult>> {
        self.one_raw(self.backend().build(query)).await
    }

    pub(crate) async fn all(self, query: &impl StatementBuilder) -> Result<Vec<QueryResult>> {
        let statement = self.backend().build(query);
        self.all_raw(statement).await
    }

    pub(crate) async fn execute(self, query: &impl StatementBuilder) -> Result<u64> {
        self.execute_raw(self.backend().build(query)).await
    }

    pub(crate) async fn one_raw(self, statement: Statement) -> Result<Option<QueryResult>> {
        let result = match self.on {
            On::Db(db) => drive(self.bystander, db.query_one_raw(statement)).await,
            On::Tx(tx) => tx.query_one_raw(statement).await,
        };
        result.map_err(|error| self.note(error))
    }

    pub(crate) async fn all_raw(self, statement: Statement) -> Result<Vec<QueryResult>> {
        let result = match self.on {
            On::Db(db) => drive(self.bystander, db.query_all_raw(statement)).await,
            On::Tx(tx) => tx.query_all_raw(statement).await,
        };
        result.map_err(|error| self.note(error))
    }

    /// How many rows it changed.
    pub(crate) async fn execute_raw(self, statement: Statement) -> Result<u64> {
        let result = match self.on {
            On::Db(db) => drive(self.bystander, db.execute_raw(statement)).await,
            On::Tx(tx) => tx.execute_raw(statement).await,
        };
        result
            .map(|done| done.rows_affected())
            .map_err(|error| self.note(error))
    }

    fn note(self, error: DbErr) -> Error {
        let (error, again) = Error::sort(error);
        if let (true, Some(collided)) = (again, self.collided) {
            collided.store(true, Ordering::Relaxed);
        }
        error
    }
}

impl Store {
    /// Reads outside a transaction.
    #[must_use]
    pub fn read(&self) -> Reader {
        Reader {
            inner: self.reader.clone(),
            bystander: self.bystander.clone(),
        }
    }

    /// Runs `work` in one transaction: all of it happens or, on any error, none of it.
    ///
    /// ```
    /// # async fn example(store: &fractal_store::Store, user: fractal_store::User) -> fractal_store::Result<()> {
    /// use fractal_store::users;
    /// store.tx("users.update", async |tx| users::update(&tx, &user).await).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// `work` may run several times when it collides with others, so it must hold database awaits only and borrow what it
    /// needs (no `move`). The name says in logs what it was for. The transaction is handed over owned and the future is boxed,
    /// because with a borrowed one the compiler cannot show that the future of a caller is `Send`.
    ///
    /// # Errors
    /// The error of `work`; [`Error::Busy`] when it kept colliding; [`Error::Unavailable`].
    pub fn tx<'a, T, E, F, Fut>(
        &'a self,
        name: &'static str,
        work: F,
    ) -> Pin<Box<dyn Future<Output = Result<T, E>> + Send + 'a>>
    where
        F: Fn(Tx) -> Fut + Send + 'a,
        Fut: Future<Output = Result<T, E>> + Send + 'a,
        T: Send + 'a,
        E: From<Error> + Send + 'a,
    {
        Box::pin(async move {
            let bystander = self.bystander.as_deref();
            if let Some(bystander) = bystander {
                bystander.before(name).await?;
            }
            let done = drive(bystander, self.attempts(name, work)).await?;
            if let Some(bystander) = bystander {
                bystander.written(name).await?;
            }
            Ok(done)
        })
    }

    /// Runs one statement that writes, outside a transaction.
    pub(crate) async fn statement<T: Send>(
        &self,
        name: &'static str,
        work: impl Future<Output = Result<T>> + Send,
    ) -> Result<T> {
        let bystander = self.bystander.as_deref();
        if let Some(bystander) = bystander {
            bystander.before(name).await?;
        }
        let done = drive(bystander, work).await?;
        if let Some(bystander) = bystander {
            bystander.written(name).await?;
        }
        Ok(done)
    }

    /// Tries until it does not collide.
    async fn attempts<T, E, F, Fut>(&self, name: &'static str, work: F) -> Result<T, E>
    where
        F: Fn(Tx) -> Fut + Send,
        Fut: Future<Output = Result<T, E>> + Send,
        T: Send,
        E: From<Error> + Send,
    {
        for attempt in 1..=ATTEMPTS {
            let inner = match self.begin().await {
                Ok(inner) => inner,
                Err(error) => match Error::sort(error) {
                    (_, true) => {
                        self.pause(name, attempt).await;
                        continue;
                    }
                    (error, false) => return Err(error.into()),
                },
            };
            let open = Arc::new(Open {
                inner,
                collided: AtomicBool::new(false),
                last_evidence: self.last_evidence.clone(),
            });
            let result = work(Tx { open: open.clone() }).await;
            let Ok(open) = Arc::try_unwrap(open) else {
                // Whoever keeps the handle holds the transaction open; it is rolled back when they let go.
                return Err(Error::Settings(format!(
                    "transaction {name} was kept beyond the end of its work"
                ))
                .into());
            };
            let collided = open.collided.load(Ordering::Relaxed)
                || (self.bystander.as_deref()).is_some_and(|it| it.collides(name, attempt));
            match result {
                Ok(value) if !collided => match open.inner.commit().await {
                    Ok(()) => return Ok(value),
                    Err(error) => match Error::sort(error) {
                        (_, true) => {}
                        (error, false) => return Err(error.into()),
                    },
                },
                // A collision leaves nothing to commit even when `work` swallowed its error.
                result => {
                    // A failed rollback means the connection is gone, and with it the transaction.
                    let _ = open.inner.rollback().await;
                    if !collided {
                        return result;
                    }
                }
            }
            self.pause(name, attempt).await;
        }
        Err(Error::Busy {
            name,
            attempts: ATTEMPTS,
        }
        .into())
    }

    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = match self.backend {
            // A read that later turns into a write fails at once on SQLite, and the busy timeout does not help.
            DbBackend::Sqlite => TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            },
            _ => TransactionOptions {
                isolation_level: Some(IsolationLevel::Serializable),
                ..TransactionOptions::default()
            },
        };
        self.writer.begin_with_options(options).await
    }

    /// Waits longer after every collision, and differently long in different transactions, so that two do not meet again. Real time,
    /// not the clock's: it is the database that is waited for.
    async fn pause(&self, name: &'static str, attempt: u32) {
        let spread = u64::from(
            self.collisions
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_mul(7)
                % 13,
        );
        let millis = (1_u64 << attempt.min(7)) + spread;
        tracing::debug!(
            transaction = name,
            attempt,
            "transaction collided and runs again"
        );
        if self.bystander.is_none() {
            tokio::time::sleep(Duration::from_millis(millis)).await;
        }
    }
}
