//! Checks of what instances stand on: the machine and the engines.

use async_trait::async_trait;
use fractal_runtime::machine::Remark;
use fractal_types::Severity;

use super::checks::{Check, Finding};
use crate::{
    App, Result, engine,
    instance::{CHANGE_ENGINE, PROVISION, all_live},
};

/// One thing of the machine.
pub(super) struct Machine {
    pub(super) id: &'static str,
    pub(super) about: &'static str,
    /// As the runtime calls it.
    pub(super) remark: &'static str,
}

#[async_trait]
impl Check for Machine {
    fn id(&self) -> &'static str {
        self.id
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn guards(&self, kind: &str) -> bool {
        // What makes the machine fuller. Deleting makes room, and values that move to newer keys take none. An agent is wanted from the
        // moment it is made, and started whatever its operation says, so that one is asked about at the door.
        matches!(kind, PROVISION | CHANGE_ENGINE)
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let remarks = app.runtime.machine().await;
        let about = remarks.into_iter().find(|one| one.about == self.remark);
        Ok(about
            .map(
                |Remark {
                     severity,
                     finding,
                     remedy,
                     ..
                 }| Finding {
                    organization: app.organization_id,
                    owner: None,
                    resource_kind: "runtime_asset",
                    resource_id: app.asset_id.to_string(),
                    severity,
                    finding,
                    remedy,
                },
            )
            .into_iter()
            .collect())
    }
}

/// Agents whose engine is gone or changed.
pub(super) struct EngineMissing;

#[async_trait]
impl Check for EngineMissing {
    fn id(&self) -> &'static str {
        "engine-missing"
    }

    fn about(&self) -> &'static str {
        "engines that agents need and that are gone or changed"
    }

    async fn look(&self, app: &App) -> Result<Vec<Finding>> {
        let mut needed: Vec<_> = all_live(app)
            .await?
            .iter()
            .map(|row| row.engine_id)
            .collect();
        needed.sort_unstable();
        needed.dedup();
        Ok(needed
            .into_iter()
            .filter_map(|id| engine::missing(app, id).map(|why| (id, why)))
            .map(|(id, why)| Finding {
                organization: app.organization_id,
                owner: None,
                resource_kind: "engine",
                resource_id: id.to_string(),
                severity: Severity::Failed,
                finding: format!("{why}; agents run with it"),
                remedy: "install it again, or give its agents another engine",
            })
            .collect())
    }
}
