//! From nothing to a gateway that answered: launch, connect, prove.

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use fractal_background::Next;
use fractal_openclaw::{
    dial::{ByteStream, Dialer},
    ws::{Gateway, GatewayOptions},
};
use fractal_runtime::contract::{
    EngineFiles, ErrorClass, Fence, InstanceSpec, Observation, ProcessState,
};
use fractal_store::Instance;
use fractal_types::{InstanceId, SeenState};

use super::{AWAKE, PROOF_PAUSE, SOON, chain};
use crate::{
    App, Result, engine,
    instance::{
        config::desired,
        live::{Connection, Proof, Proven},
        prove::prove,
    },
    skill_credential,
};

/// The way to an instance's gateway through its runtime.
#[derive(Debug)]
struct RuntimeDialer {
    app: App,
    id: InstanceId,
}

#[async_trait]
impl Dialer for RuntimeDialer {
    async fn dial(&self) -> io::Result<Box<dyn ByteStream>> {
        let stream = self
            .app
            .runtime
            .dial(self.id)
            .await
            .map_err(io::Error::other)?;
        Ok(Box::new(stream))
    }
}

impl App {
    /// Takes a start slot and launches the process.
    pub(super) async fn launch(&self, row: &mut Instance) -> Result<Next> {
        let Some(files) = engine::files(self, row.engine_id) else {
            return Ok(Next::After(SOON));
        };
        match self.queue.take(row.id, self.clock.now()) {
            Ok(Some(waited)) => {
                metrics::histogram!("fractal_start_wait_seconds").record(waited.as_secs_f64());
            }
            Ok(None) => {}
            Err(position) => {
                self.see(
                    row,
                    SeenState::Pending,
                    Some("it waits for its turn to start".to_owned()),
                )
                .await?;
                self.live.publish(
                    row.id,
                    SeenState::Pending,
                    row.seen_reason.clone(),
                    Some(position),
                );
                return Ok(Next::After(AWAKE));
            }
        }
        let launched = self.launch_in_slot(row, files).await;
        if !matches!(launched, Ok(Some(_))) {
            // Whatever kept it from starting must not keep others from it.
            self.release_slot(row.id);
        }
        launched.map(|next| next.unwrap_or(Next::After(SOON)))
    }

    /// Launches the process. `None` when it was not launched: look again.
    pub(super) async fn launch_in_slot(
        &self,
        row: &mut Instance,
        files: EngineFiles,
    ) -> Result<Option<Next>> {
        self.live.disconnect(row.id);
        self.live.note_config_changed(row.id);
        self.serve_listener(row.id).await?;
        let db = self.store.read();
        let instance_token = self.open_instance_token(&db, row, "instance_token").await?;
        let gateway_token = self.open_instance_token(&db, row, "gateway_token").await?;
        let mut redact = skill_credential::values(self, &db, row.user_id).await?;
        redact.push(gateway_token);
        let spec = InstanceSpec {
            id: row.id,
            engine: files,
            limits: row.limits,
            instance_token,
            redact,
            env: Vec::new(),
        };
        // One that could not be started before shows that until it could, or it would flap.
        if row.seen != SeenState::Failed && !self.see_starting(row, "its gateway starts").await? {
            return Ok(None);
        }
        match self.runtime.start(&spec, Fence(row.generation)).await {
            Ok(()) => Ok(Some(Next::After(SOON))),
            // Somebody with a newer wish has acted; look again with what the database says then.
            Err(error) if error.class == ErrorClass::Stale => Ok(None),
            Err(error) => {
                self.release_slot(row.id);
                tracing::warn!(instance.id = %row.id, "start failed: {}", chain(&error));
                let next = if error.class == ErrorClass::Permanent {
                    self.see(row, SeenState::Failed, Some(error.message))
                        .await?;
                    Next::After(Duration::from_secs(30))
                } else {
                    let now = self.clock.now();
                    self.count_failure(row, error.message, now).await?
                };
                Ok(Some(next))
            }
        }
    }

    /// Makes the control connection; from then on the connection itself signals.
    pub(super) async fn connect(
        &self,
        row: &mut Instance,
        observation: &Observation,
    ) -> Result<Next> {
        let ProcessState::Running { boot, .. } = observation.process else {
            return Ok(Next::After(SOON));
        };
        let token = self
            .open_instance_token(&self.store.read(), row, "gateway_token")
            .await?;
        let dialer = Arc::new(RuntimeDialer {
            app: self.clone(),
            id: row.id,
        });
        let gateway = Gateway::connect(
            dialer,
            token,
            GatewayOptions {
                retry_max: Duration::from_millis(500),
                ..GatewayOptions::default()
            },
        );
        self.live.connect(
            row.id,
            Connection {
                boot,
                gateway: gateway.clone(),
                proof: Proof::None,
            },
        );
        self.see_starting(row, "its gateway starts").await?;
        let (app, id) = (self.clone(), row.id);
        tokio::spawn(async move {
            let mut state = gateway.watch_state();
            // Only the watch is kept: the connection ends with its last clone.
            drop(gateway);
            loop {
                state.borrow_and_update();
                app.wake_instance(id);
                if state.changed().await.is_err() {
                    return;
                }
            }
        });
        Ok(Next::After(SOON))
    }

    /// Starts the proving turn; it signals when it is done.
    pub(super) async fn begin_proof(
        &self,
        row: &mut Instance,
        observation: &Observation,
    ) -> Result<Next> {
        let ProcessState::Running { boot, .. } = observation.process else {
            return Ok(Next::After(SOON));
        };
        let Some(connection) = self.live.connection(row.id) else {
            return Ok(Next::After(SOON));
        };
        if !row.seen.answers() {
            self.see_starting(row, "its gateway is up and answers a test turn")
                .await?;
        }
        let Some(boot_id) = (connection.gateway.hello()).map(|hello| hello.boot_id.clone()) else {
            return Ok(Next::After(SOON));
        };
        // What was stored between the launch and the fetching of the configuration is in there, too.
        self.keep_out_of_log(row).await?;
        // A turn over an older configuration proves that it answers, but nothing about the present wires.
        let wires = if self.config_is_current(row).await? {
            desired(self, &self.store.read(), row).await?.wires_hash
        } else {
            String::new()
        };
        self.live.note_proof(row.id, boot, Proof::Running);
        let nonce: fractal_types::JobId = self.new_id();
        let (app, id) = (self.clone(), row.id);
        tokio::spawn(async move {
            let nonce = nonce.to_string().replace('_', "-");
            let proof = match prove(&connection.gateway, &nonce).await {
                Ok(()) => {
                    app.live.touch(id, app.clock.now());
                    Proof::Done(Proven { wires, boot_id })
                }
                Err(reason) => {
                    tracing::warn!(instance.id = %id, "not proven: {reason}");
                    Proof::Failed(app.clock.now().after(PROOF_PAUSE))
                }
            };
            // Only noted in memory: the row is written by the reconciler alone, which sees what happened meanwhile.
            app.live.note_proof(id, boot, proof);
            app.wake_instance(id);
        });
        Ok(Next::After(AWAKE))
    }

    /// Writes down that it answers, and what was proven.
    pub(super) async fn note_ready(&self, row: &mut Instance) -> Result<Next> {
        if let Some(Connection {
            proof: Proof::Done(proven),
            ..
        }) = self.live.connection(row.id)
        {
            row.proved_hash = Some(proven.wires);
            row.boot_id = Some(proven.boot_id);
            self.see(row, SeenState::Ready, None).await?;
            self.release_slot(row.id);
        }
        Ok(Next::After(Duration::ZERO))
    }
}
