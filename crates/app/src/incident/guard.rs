//! Checks before an operation begins: what would keep it from coming to its end is found before anything is touched.

use async_trait::async_trait;
use fractal_background::operation::{Guard, Trouble};
use fractal_store::Operation;
use fractal_types::Severity;

use super::{
    checks::{CHECKS, Check, Finding},
    look,
};
use crate::{App, Error, Result};

/// What keeps an operation of this kind from being begun now, if anything does. Looks only: nothing is written.
///
/// # Errors
///
/// When it cannot be looked at.
pub(crate) async fn obstacle(app: &App, kind: &str) -> Result<Option<Finding>> {
    Ok(find(app, kind).await?.map(|(_, finding)| finding))
}

async fn find(app: &App, kind: &str) -> Result<Option<(&'static dyn Check, Finding)>> {
    for check in CHECKS.iter().filter(|check| check.guards(kind)) {
        let found = check.look(app).await?;
        let failed = |finding: &Finding| finding.severity == Severity::Failed;
        if let Some(finding) = found.into_iter().find(failed) {
            return Ok(Some((*check, finding)));
        }
    }
    Ok(None)
}

/// Asks the checks that guard a kind.
#[derive(Debug, Clone)]
pub(crate) struct Checked {
    app: App,
}

impl Checked {
    pub(crate) const fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Guard for Checked {
    async fn before(&self, operation: &Operation) -> std::result::Result<(), Trouble> {
        // A check that cannot look says nothing about the operation, which is tried again.
        let away = |error: Error| Trouble::Unrecorded(Box::new(error));
        // A step that waits is asked about again and again, so nothing is written while all is well.
        let Some((check, _)) = find(&self.app, &operation.kind).await.map_err(away)? else {
            return Ok(());
        };
        look::look_at(&self.app, check).await.map_err(away)?;
        // What was told may have been patched on the spot.
        let left = obstacle(&self.app, &operation.kind).await.map_err(away)?;
        left.map_or(Ok(()), |finding| {
            Err(Trouble::Passing(format!(
                "before it began: {}; {}",
                finding.finding, finding.remedy
            )))
        })
    }
}
