//! Installed OpenClaw versions.

use fractal_types::{EngineId, Timestamp};
use sea_orm::{
    Order,
    sea_query::{Expr, ExprTrait},
};

use crate::{
    Reads, Result, Tx,
    field::{Field, words},
    table::{self, equals, table, verbs},
};

words! {
    /// How far an engine's installation is.
    EngineState {
        /// On its way.
        Installing = "installing",
        /// Ready for instances.
        Installed = "installed",
        /// It did not work; may be tried again.
        Failed = "failed",
    }
}

table! {
    /// An OpenClaw version with its Node version and digest.
    Engine in "engines" {
        /// Its id.
        id: EngineId,
        /// OpenClaw's version.
        version: String,
        /// Node's version.
        node_version: String,
        /// What was verified.
        digest: String,
        /// Where it is.
        path: String,
        /// How far it is.
        state: EngineState,
        /// When it was added.
        created_at: Timestamp,
    }
}

verbs!(Engine, EngineId, insert find update delete);

/// All: there are few.
///
/// # Errors
/// Only when the database fails or a row makes no sense.
pub async fn list(db: &dyn Reads) -> Result<Vec<Engine>> {
    table::list_where(db, sea_orm::Condition::all()).await
}

/// The engine with exactly these contents.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_by_digest(
    db: &dyn Reads,
    version: &str,
    node_version: &str,
    digest: &str,
) -> Result<Option<Engine>> {
    let condition = equals("version", version)
        .add(Expr::col("node_version").eq(node_version))
        .add(Expr::col("digest").eq(digest));
    table::find_where(db, condition).await
}

/// The engine installed last.
///
/// # Errors
/// Only when the database fails or the row makes no sense.
pub async fn find_latest_installed(db: &dyn Reads) -> Result<Option<Engine>> {
    let mut query = table::select::<Engine>();
    query
        .cond_where(equals("state", EngineState::Installed.as_str()))
        .order_by("id", Order::Desc)
        .limit(1);
    table::one(db.conn(), &query).await
}

/// Moves an installation on.
///
/// # Errors
/// [`crate::Error::NotFound`].
pub async fn set_state(tx: &Tx, id: EngineId, state: EngineState) -> Result<()> {
    table::set::<Engine>(tx, &id.to_string(), vec![("state", state.to_value())]).await
}
