//! What is so: the process, its sizes, the way to its gateway, and whether its configuration is today's.

use std::time::Duration;

use fractal_openclaw::ws::{CloseReason, ConnectionState};
use fractal_runtime::contract::{Observation, ProcessState};
use fractal_store::{Instance, Tx, instances};
use fractal_types::{InstanceId, SeenState, WantedState};

use super::{MEASURE_EVERY, unavailable};
use crate::{
    App, Error, Result, engine,
    instance::{
        config::desired,
        disk::disk_of,
        idle,
        live::{Proof, Proven},
        plan::{Facts, Link},
    },
};

impl App {
    /// What has to hold for every running process, whoever started it: its listener is served, its sizes are known.
    pub(super) async fn attend(&self, row: &Instance, observation: &Observation) -> Result<()> {
        match &observation.process {
            ProcessState::Running { since, .. } => {
                self.live.note_started(row.id, Some(*since));
                // What is to end needs none, and must not be kept by the lack of one.
                if row.wanted == WantedState::Running {
                    self.serve_listener(row.id).await?;
                }
                if self
                    .live
                    .take_measuring(row.id, self.clock.now(), MEASURE_EVERY)
                {
                    self.measure(row, observation).await?;
                }
            }
            _ => self.live.note_started(row.id, None),
        }
        Ok(())
    }

    pub(super) async fn serve_listener(&self, id: InstanceId) -> Result<()> {
        let dir = self.runtime.listener_dir(id).await.map_err(unavailable)?;
        self.listeners
            .serve(id, &dir)
            .await
            .map_err(Error::internal)
    }

    pub(super) async fn measure(&self, row: &Instance, observation: &Observation) -> Result<()> {
        let cpu = observation
            .cpu
            .map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX));
        let last_used = idle::last_used(self, row);
        self.store
            .tx("instances.measure", async |tx: Tx| {
                // A new run has not measured yet; what it had on the disk is still there.
                let disk = observation.disk_bytes.or(row.disk_bytes);
                instances::measure(&tx, row.id, observation.memory_bytes, cpu, disk).await?;
                instances::touch(&tx, row.id, last_used).await?;
                Ok::<_, Error>(())
            })
            .await?;
        self.live.nudge(row.id);
        Ok(())
    }

    pub(super) async fn facts(&self, row: &Instance, observation: &Observation) -> Result<Facts> {
        let now = self.clock.now();
        let mut facts = Facts {
            wanted: row.wanted,
            seen: row.seen,
            generation: row.generation,
            process: observation.process.clone(),
            process_generation: observation.generation,
            end_counted: match &observation.process {
                ProcessState::Exited { at, .. } => {
                    row.restarts.last().is_some_and(|counted| counted >= at)
                }
                _ => false,
            },
            failures: row.failure_count,
            next_attempt_at: row.next_attempt_at,
            engine_ready: engine::files(self, row.engine_id).is_some(),
            last_failure: (row.seen_reason.clone()).filter(|_| row.seen == SeenState::Pending),
            link: Link::Down,
            unproven_for: Duration::ZERO,
            next_proof_at: None,
            proof_noted: false,
            config_current: true,
            disk: disk_of(row, observation.disk_bytes),
            busy: self.live.is_busy(row.id),
            now,
        };
        if let ProcessState::Running { boot, .. } = observation.process
            && row.wanted == WantedState::Running
        {
            self.look_at_link(row, boot, &mut facts).await?;
        }
        Ok(facts)
    }

    pub(super) async fn look_at_link(
        &self,
        row: &Instance,
        boot: u64,
        facts: &mut Facts,
    ) -> Result<()> {
        facts.link = self.link(row, boot).await?;
        match self.live.connection(row.id).map(|known| known.proof) {
            Some(Proof::Done(proven)) => {
                facts.proof_noted = row.seen.answers()
                    && row.proved_hash.as_deref() == Some(&*proven.wires)
                    && row.boot_id.as_deref() == Some(&*proven.boot_id);
            }
            Some(Proof::Failed(again)) => facts.next_proof_at = Some(again),
            _ => {}
        }
        let settled = facts.link == Link::Proven;
        facts.unproven_for = self.live.unproven_for(row.id, boot, settled, facts.now);
        facts.config_current =
            !(settled && facts.proof_noted) || self.config_is_current(row).await?;
        Ok(())
    }

    pub(super) async fn link(&self, row: &Instance, boot: u64) -> Result<Link> {
        let Some(connection) = self
            .live
            .connection(row.id)
            .filter(|connection| connection.boot == boot)
        else {
            return Ok(Link::Down);
        };
        let boot_id = match connection.gateway.state() {
            // Refused for good: only a new connection with what the database says now can help.
            ConnectionState::Closed {
                reason: CloseReason::Refused(_),
            } => return Ok(Link::Down),
            ConnectionState::Ready { boot_id } => boot_id,
            _ => {
                return Ok(match connection.proof {
                    Proof::Done(_) => Link::Lost,
                    Proof::Running => Link::Proving,
                    _ => Link::Connecting,
                });
            }
        };
        Ok(match connection.proof {
            Proof::None if self.was_proven(row, &boot_id).await? => {
                let wires = row.proved_hash.clone().unwrap_or_default();
                let proof = Proof::Done(Proven { wires, boot_id });
                self.live.note_proof(row.id, boot, proof);
                Link::Proven
            }
            Proof::None => Link::Unproven,
            Proof::Running => Link::Proving,
            Proof::Done(_) => Link::Proven,
            Proof::Failed(_) => Link::ProofFailed,
        })
    }

    /// Whether this run of the gateway has proven the present wires already, before we were started.
    pub(super) async fn was_proven(&self, row: &Instance, boot_id: &str) -> Result<bool> {
        if row.boot_id.as_deref() != Some(boot_id) {
            return Ok(false);
        }
        let wanted = desired(self, &self.store.read(), row).await?;
        Ok(row.proved_hash.as_deref() == Some(&*wanted.wires_hash))
    }

    /// Whether the running gateway has what would be rendered now. Rendering is only done when something has changed.
    pub(super) async fn config_is_current(&self, row: &Instance) -> Result<bool> {
        if self.live.config_hash(row.id).is_some() {
            return Ok(true);
        }
        let version = self.live.config_version(row.id);
        let db = self.store.read();
        let wanted = desired(self, &db, row).await?;
        let given = match row.revision_id {
            Some(id) => fractal_store::revisions::find(&db, id)
                .await?
                .map(|revision| revision.hash),
            None => None,
        };
        let current = given.as_deref() == Some(wanted.hash.as_str());
        if current {
            self.live.note_config(row.id, &wanted.hash, version);
        }
        Ok(current)
    }
}
