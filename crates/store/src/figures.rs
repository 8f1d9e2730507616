//! Sums for operators: counted where they stand, without reading a row.

use fractal_types::{DiskPressure, SeenState};
use sea_orm::{DatabaseConnection, DbBackend};

use crate::{Reads, Result, Store};

/// What is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Instances that are not deleted, by what was seen of them and how near their files are to their limit.
    pub instances: Vec<(SeenState, DiskPressure, u64)>,
    /// Evidence entries without a position.
    pub unsealed: u64,
    /// Jobs that are due or will be.
    pub jobs_waiting: u64,
    /// Jobs that were given up.
    pub jobs_dead: u64,
    /// Proposals that wait for approval.
    pub proposals_open: u64,
    /// Operations that are under way.
    pub operations_open: u64,
    /// Operations that wait for somebody to choose.
    pub operations_stuck: u64,
}

/// Counts.
///
/// # Errors
/// Only when the database fails.
pub async fn gather(db: &dyn Reads) -> Result<Figures> {
    let conn = db.conn();
    let sql = "SELECT seen, disk_pressure, COUNT(*) AS n FROM instances WHERE deleted_at IS NULL GROUP BY seen, disk_pressure";
    let mut figures = Figures::default();
    for row in conn.all_raw(conn.statement(sql, Vec::new())).await? {
        let seen: String = row.try_get_by("seen")?;
        let pressure: String = row.try_get_by("disk_pressure")?;
        // A word that makes no sense is told where its row is read.
        if let (Ok(seen), Ok(pressure)) = (seen.parse(), pressure.parse()) {
            figures
                .instances
                .push((seen, pressure, number(row.try_get_by("n")?)));
        }
    }
    figures.unsealed = count(db, "SELECT COUNT(*) AS n FROM evidence WHERE seq IS NULL").await?;
    figures.jobs_waiting = count(
        db,
        "SELECT COUNT(*) AS n FROM jobs WHERE done_at IS NULL AND dead_at IS NULL",
    )
    .await?;
    figures.jobs_dead = count(
        db,
        "SELECT COUNT(*) AS n FROM jobs WHERE dead_at IS NOT NULL",
    )
    .await?;
    figures.proposals_open = count(
        db,
        "SELECT COUNT(*) AS n FROM proposals WHERE state = 'open'",
    )
    .await?;
    figures.operations_open = count(
        db,
        "SELECT COUNT(*) AS n FROM operations WHERE state IN ('pending', 'running', 'undoing')",
    )
    .await?;
    figures.operations_stuck = count(
        db,
        "SELECT COUNT(*) AS n FROM operations WHERE state = 'stuck'",
    )
    .await?;
    Ok(figures)
}

async fn count(db: &dyn Reads, sql: &str) -> Result<u64> {
    let conn = db.conn();
    let row = conn.one_raw(conn.statement(sql, Vec::new())).await?;
    Ok(row.map_or(Ok(0), |row| row.try_get_by("n")).map(number)?)
}

fn number(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// How many connections of a pool are open, and how many of them are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pool {
    /// `read`, `write`, or `shared` where one pool does both.
    pub name: &'static str,
    /// Open.
    pub open: u32,
    /// Of them free.
    pub free: u32,
}

impl Store {
    /// The pools of connections.
    #[must_use]
    pub fn pools(&self) -> Vec<Pool> {
        if self.backend == DbBackend::Postgres {
            return vec![pool("shared", &self.writer, self.backend)];
        }
        vec![
            pool("read", &self.reader, self.backend),
            pool("write", &self.writer, self.backend),
        ]
    }
}

fn pool(name: &'static str, db: &DatabaseConnection, backend: DbBackend) -> Pool {
    let (open, free) = if backend == DbBackend::Postgres {
        let pool = db.get_postgres_connection_pool();
        (pool.size(), pool.num_idle())
    } else {
        let pool = db.get_sqlite_connection_pool();
        (pool.size(), pool.num_idle())
    };
    Pool {
        name,
        open,
        free: u32::try_from(free).unwrap_or(open),
    }
}
