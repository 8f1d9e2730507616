//! Whether the house can serve.

use fractal_api_types::{Health, InstanceCounts};
use fractal_store::{incidents, users};
use fractal_types::WantedState;

use crate::{
    App, Result,
    instance::{MAX_PER_USER, all_live},
};

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

    /// Version and, for callers on the same machine, how many instances there are and may be. Never wakes anything.
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
            let people = users::count_active(&self.store.read(), self.organization_id).await?;
            let most = usize::try_from(people)
                .unwrap_or(usize::MAX)
                .saturating_mul(MAX_PER_USER);
            let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            Some(InstanceCounts {
                active: count(active),
                total: count(rows.len()),
                // What was made before somebody was suspended counts all the same.
                max: count(most.max(rows.len())),
            })
        } else {
            None
        };
        Ok(Health {
            status: "ok".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            instances,
            incidents: if with_counts {
                Some(incidents::count_open(&self.store.read()).await?)
            } else {
                None
            },
        })
    }
}
