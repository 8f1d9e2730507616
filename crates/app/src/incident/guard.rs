//! Checks before an operation begins: what would keep it from coming to its end is found, patched where that can be done, and told as an
//! incident, before anything was touched.

use async_trait::async_trait;
use fractal_background::operation::{Guard, Trouble};
use fractal_store::Operation;
use fractal_types::Severity;

use super::{checks::CHECKS, look};
use crate::{App, Error};

/// Asks the checks that guard a kind.
#[derive(Clone)]
pub(crate) struct Checked {
    app: App,
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Checked")
    }
}

impl Checked {
    pub(crate) const fn new(app: App) -> Self {
        Self { app }
    }
}

#[async_trait]
impl Guard for Checked {
    async fn before(&self, operation: &Operation) -> Result<(), Trouble> {
        let guards = CHECKS.iter().filter(|check| check.guards(&operation.kind));
        for check in guards {
            let look = async || look::look_at(&self.app, *check).await;
            let broken = |found: Vec<super::checks::Finding>| {
                found
                    .into_iter()
                    .find(|finding| finding.severity == Severity::Failed)
            };
            let away = |error: Error| Trouble::Unrecorded(Box::new(error));
            if broken(look().await.map_err(away)?).is_none() {
                continue;
            }
            // The first look may have patched it.
            if let Some(finding) = broken(look().await.map_err(away)?) {
                return Err(Trouble::Passing(format!(
                    "before it began: {}; {}",
                    finding.finding, finding.remedy
                )));
            }
        }
        Ok(())
    }
}
