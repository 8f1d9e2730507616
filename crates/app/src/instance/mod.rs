//! Instances: wanted, started, proven, put to sleep, woken, deleted.
//!
//! Use cases here set the wanted state through the door; the [`reconcile`] module is the only one that calls the runtime.

mod access;
mod change_engine;
mod config;
mod delete;
mod disk;
mod idle;
pub mod live;
mod operated;
pub mod plan;
mod prove;
mod provision;
pub mod queue;
mod read;
pub mod reconcile;
mod wanted;

pub use access::{Progress, ensure_ready, if_awake, note_use};
pub(crate) use change_engine::NAME as CHANGE_ENGINE;
pub use change_engine::{ChangeEngine, change_engine};
pub use config::agent_config;
pub use delete::{Delete, delete};
pub use disk::set_limits;
pub(crate) use provision::NAME as PROVISION;
pub use provision::Provision;
pub use read::{follow, list, logs, timeline, view};
pub(crate) use wanted::{MAX_PER_USER, suspend};
pub use wanted::{create, restart, start, stop, update};

use fractal_store::{Instance, PageRequest, instances};
use fractal_types::{OrganizationId, UserId, WantedState};

use crate::{App, Result};

/// Every instance that is not deleted.
pub(crate) async fn all_live(app: &App) -> Result<Vec<Instance>> {
    let mut rows = Vec::new();
    let mut request = PageRequest {
        limit: 200,
        ..PageRequest::default()
    };
    loop {
        let page = instances::list_live(&app.store.read(), &request).await?;
        rows.extend(page.items);
        match page.next_cursor {
            Some(cursor) => request.after = Some(cursor),
            None => return Ok(rows),
        }
    }
}

/// Has the reconciler look at every instance that is wanted running.
///
/// # Errors
///
/// When the database fails.
pub async fn wake_all(app: &App) -> Result<()> {
    for row in all_live(app)
        .await?
        .into_iter()
        .filter(|row| row.wanted == WantedState::Running)
    {
        app.wake_instance(row.id);
    }
    Ok(())
}

/// Has the reconciler compare configurations again: of one person's instances, or of everybody's in a tenant.
pub(crate) async fn wake_configured(
    app: &App,
    organization_id: OrganizationId,
    user_id: Option<UserId>,
) -> Result<()> {
    for row in all_live(app).await? {
        if row.organization_id == organization_id && user_id.is_none_or(|id| id == row.user_id) {
            app.live.note_config_changed(row.id);
            app.wake_instance(row.id);
        }
    }
    Ok(())
}
