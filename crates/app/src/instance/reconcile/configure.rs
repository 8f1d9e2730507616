//! A change of configuration under a running gateway.

use std::time::Duration;

use fractal_background::Next;
use fractal_openclaw::{
    document::{ApplyError, Secrets, apply_live},
    ws::codes,
};
use fractal_runtime::contract::Isolation;
use fractal_store::{Instance, Tx};

use super::{SOON, chain};
use crate::{
    App, Result,
    instance::{
        config::{desired, note_revision},
        live::Proof,
        wanted::renew,
    },
    skill_credential,
};

impl App {
    /// Brings a live gateway to what is rendered now.
    pub(super) async fn configure(&self, row: &mut Instance) -> Result<Next> {
        let Some(connection) = self.live.connection(row.id) else {
            return Ok(Next::After(SOON));
        };
        // A change under a running turn could cut it short; it is made right after.
        if self.live.is_busy(row.id) {
            return Ok(Next::After(SOON));
        }
        let version = self.live.config_version(row.id);
        let wanted = desired(self, &self.store.read(), row).await?;
        if self.runtime.capabilities().isolation == Isolation::Reduced {
            // Without a sandbox the relay puts host paths into the document, so it is compared and written at a start only.
            return self.restart_for_config(row).await;
        }
        let gateway = &connection.gateway;
        self.keep_out_of_log(row).await?;
        match apply_live(gateway, &wanted.rendered, Secrets::Variables).await {
            Ok(applied) => {
                tracing::info!(instance.id = %row.id, changed = applied.changed.len(), "configuration applied live")
            }
            Err(ApplyError::Rpc(error)) if error.is_rate_limit() => {
                return Ok(Next::After(Duration::from_secs(60)));
            }
            // It connects again by itself, or is found not to answer.
            Err(ApplyError::Rpc(error)) if error.code == codes::DISCONNECTED => {
                return Ok(Next::After(SOON));
            }
            Err(error) => {
                tracing::warn!(instance.id = %row.id, "the configuration could not be changed live: {}", chain(&error));
                return self.restart_for_config(row).await;
            }
        }
        for file in wanted.profile_files() {
            if let Err(error) = gateway
                .agents_files_set("main", file.name, &file.content)
                .await
            {
                tracing::debug!(instance.id = %row.id, "{} is written at the next start: {error}", file.name);
            }
        }
        self.store
            .tx("instances.note_revision", async |tx: Tx| {
                note_revision(self, &tx, row, &wanted).await.map(drop)
            })
            .await?;
        self.live.note_config(row.id, &wanted.hash, version);
        if !matches!(&connection.proof, Proof::Done(proven) if proven.wires == wanted.wires_hash) {
            self.live.note_proof(row.id, connection.boot, Proof::None);
        }
        Ok(Next::After(Duration::ZERO))
    }

    /// Has the log of a running instance show no variable of a skill, also none that was stored since it was launched.
    pub(super) async fn keep_out_of_log(&self, row: &Instance) -> Result<()> {
        let values = skill_credential::values(self, &self.store.read(), row.user_id).await?;
        if !values.is_empty()
            && let Err(error) = self.runtime.redact(row.id, &values).await
        {
            // A supervisor of an older version cannot; the gateway hides what it takes for secrets by itself.
            tracing::warn!(instance.id = %row.id, "new variables of skills may show in the log until the next start: {}", chain(&error));
        }
        Ok(())
    }

    pub(super) async fn restart_for_config(&self, row: &Instance) -> Result<Next> {
        // When somebody came first, the next look sees their wish.
        let renewed = renew(self, row).await?;
        Ok(Next::After(if renewed { Duration::ZERO } else { SOON }))
    }
}
