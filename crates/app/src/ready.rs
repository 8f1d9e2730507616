//! Whether the house can serve.

use fractal_api_types::{Health, InstanceCounts};
use fractal_types::WantedState;

use crate::{App, Result, instance::all_live};

impl App {
    /// Whether the database answers.
    ///
    /// # Errors
    ///
    /// `unavailable` when it does not.
    pub async fn check_ready(&self) -> Result<()> {
        self.store.ping().await?;
        Ok(())
    }

    /// Version and, for callers on the same machine, counts. Never wakes anything.
    ///
    /// # Errors
    ///
    /// `unavailable` when the database does not answer.
    pub async fn health(&self, with_counts: bool) -> Result<Health> {
        self.check_ready().await?;
        let instances = if with_counts {
            let rows = all_live(self).await?;
            let active = rows
                .iter()
                .filter(|row| row.wanted == WantedState::Running)
                .count();
            Some(InstanceCounts {
                active: u32::try_from(active).unwrap_or(u32::MAX),
                total: u32::try_from(rows.len()).unwrap_or(u32::MAX),
            })
        } else {
            None
        };
        Ok(Health {
            status: "ok".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instances,
        })
    }
}
