//! The data plane's needs, met by the use cases.

use std::{
    any::Any,
    collections::HashMap,
    fs::File,
    io,
    os::fd::AsRawFd,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, PoisonError},
};

use async_trait::async_trait;
use fractal_api_types::{ProblemCode, ProviderFault, ProviderTest};
use fractal_app::{
    App, Context, ProbeTarget, ProviderProber, instance, instance::reconcile::Listeners, model,
};
use fractal_clock::SharedClock;
use fractal_connect::Outbound;
use fractal_openclaw::ws::Gateway;
use fractal_policy::Action;
use fractal_proxy::{
    broker::{Broker, Listener, ProviderTarget, test_provider},
    ports::{BrokerPorts, ChatFailure, InstanceAccess, NoConfig, Progress, Route, UsageRecord},
};
use fractal_types::{Actor, InstanceId, ProviderId, Wire};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::{Mutex, mpsc};

/// Both ports over one house. The house is put together after its ports, hence the cell.
#[derive(Debug, Clone)]
pub struct Ports {
    app: Arc<OnceLock<App>>,
    usage: mpsc::UnboundedSender<UsageRecord>,
}

impl Ports {
    /// Ports that write usage records to this queue.
    pub fn new(usage: mpsc::UnboundedSender<UsageRecord>) -> Self {
        Self {
            app: Arc::default(),
            usage,
        }
    }

    /// Connects the house; before that nothing is served.
    pub fn connect(&self, app: App) {
        let _ = self.app.set(app);
    }

    fn app(&self) -> Option<&App> {
        self.app.get()
    }
}

#[async_trait]
impl BrokerPorts for Ports {
    async fn token_owner(&self, token: &SecretString) -> Option<InstanceId> {
        match model::token_owner(self.app()?, token).await {
            Ok(owner) => owner,
            Err(error) => {
                tracing::error!("an instance token could not be checked: {error}");
                None
            }
        }
    }

    async fn mismatch(&self, socket: InstanceId, token_of: InstanceId) {
        if let Some(app) = self.app()
            && let Err(error) = model::note_mismatch(app, socket, token_of).await
        {
            tracing::error!("a mismatch of token and socket could not be recorded: {error}");
        }
    }

    async fn route(
        &self,
        instance: InstanceId,
        wire: Wire,
        alias: &str,
    ) -> Result<Route, ProviderFault> {
        let Some(app) = self.app() else {
            return Err(ProviderFault {
                code: fractal_api_types::ProviderFaultCode::ProviderError,
                message: "Fractal is starting.".to_owned(),
                remedy: "Try again in a moment.".to_owned(),
            });
        };
        let route = model::route(app, instance, wire, alias).await?;
        Ok(Route {
            provider_id: route.provider_id,
            kind: route.kind,
            base_url: route.base_url,
            api_key: route.api_key,
            model: route.model,
            allow_private: route.allow_private,
        })
    }

    async fn agent_config(&self, instance: InstanceId) -> Result<Value, NoConfig> {
        let app = self
            .app()
            .ok_or_else(|| NoConfig::Unavailable("starting".to_owned()))?;
        instance::agent_config(app, instance)
            .await
            .map_err(|error| match error.code {
                ProblemCode::NotFound => NoConfig::Gone,
                _ => NoConfig::Unavailable(error.to_string()),
            })
    }

    fn record(&self, usage: UsageRecord) {
        // The writer lives as long as the house; after it there is nobody left to tell.
        let _ = self.usage.send(usage);
    }

    fn outcome(
        &self,
        instance: InstanceId,
        provider: Option<ProviderId>,
        fault: Option<&ProviderFault>,
    ) {
        let Some(app) = self.app().cloned() else {
            return;
        };
        let fault = fault.cloned();
        tokio::spawn(async move {
            if let Err(error) = model::note_outcome(&app, instance, provider, fault.as_ref()).await
            {
                tracing::warn!("the outcome of a model call could not be noted: {error}");
            }
        });
    }

    fn touch(&self, instance: InstanceId) {
        if let Some(app) = self.app() {
            app.live.touch(instance, app.clock.now());
        }
    }
}

#[async_trait]
impl InstanceAccess for Ports {
    async fn ensure_ready(
        &self,
        actor: &Actor,
        id: InstanceId,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Gateway, ChatFailure> {
        let app = self.app().ok_or_else(starting)?;
        let told = |step: instance::Progress| {
            progress(Progress {
                phase: step.phase,
                state: step.state,
                queue_position: step.queue_position,
                typical_ms: step.typical_ms,
                installing: step.installing,
            });
        };
        instance::ensure_ready(app, &Context::of(actor.clone()), id, &told)
            .await
            .map_err(failure)
    }

    async fn if_awake(
        &self,
        actor: &Actor,
        id: InstanceId,
    ) -> Result<Option<Gateway>, ChatFailure> {
        let app = self.app().ok_or_else(starting)?;
        instance::if_awake(app, &Context::of(actor.clone()), Action::ChatRead, id)
            .await
            .map_err(failure)
    }

    fn busy(&self, id: InstanceId) -> Box<dyn Any + Send + Sync> {
        match self.app() {
            Some(app) => Box::new(instance::note_use(app, id)),
            None => Box::new(()),
        }
    }
}

fn starting() -> ChatFailure {
    ChatFailure::new(ProblemCode::Unavailable, "Fractal is starting.")
        .remedy("Try again in a moment.")
}

fn failure(error: fractal_app::Error) -> ChatFailure {
    let message = error
        .detail
        .unwrap_or_else(|| error.code.title().to_owned());
    let failure = ChatFailure::new(error.code, message);
    match error.remedy {
        Some(remedy) => failure.remedy(remedy),
        None => failure,
    }
}

/// Instance listeners, one per instance.
#[derive(Debug)]
pub struct InstanceListeners {
    broker: Broker,
    serving: Mutex<HashMap<InstanceId, Serving>>,
}

#[derive(Debug)]
struct Serving {
    dir: PathBuf,
    listener: Listener,
    /// Keeps the folder's descriptor open, by which the socket was bound.
    _folder: File,
}

impl InstanceListeners {
    /// Listeners of this broker.
    pub fn new(broker: Broker) -> Self {
        Self {
            broker,
            serving: Mutex::default(),
        }
    }
}

#[async_trait]
impl Listeners for InstanceListeners {
    async fn serve(&self, id: InstanceId, dir: &Path) -> io::Result<()> {
        let mut serving = self.serving.lock().await;
        if serving.get(&id).is_some_and(|known| {
            known.dir == dir && dir.join(fractal_proxy::broker::SOCKET_NAME).exists()
        }) {
            return Ok(());
        }
        // Addresses of Unix sockets are limited to 107 bytes; by way of the open folder any path works.
        let folder = File::open(dir)?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()));
        let listener = Listener::bind(&short, self.broker.router(id))?;
        serving.insert(
            id,
            Serving {
                dir: dir.to_owned(),
                listener,
                _folder: folder,
            },
        );
        Ok(())
    }

    async fn end(&self, id: InstanceId) {
        let known = self.serving.lock().await.remove(&id);
        if let Some(serving) = known {
            serving.listener.shutdown().await;
        }
    }
}

/// Tests providers through the one outbound client.
#[derive(Debug)]
pub struct Prober {
    /// The way outside.
    pub outbound: Outbound,
    /// The time.
    pub clock: SharedClock,
}

#[async_trait]
impl ProviderProber for Prober {
    async fn probe(&self, target: ProbeTarget) -> ProviderTest {
        let target = ProviderTarget {
            kind: target.kind,
            wire: target.wire,
            base_url: target.base_url.map(|url| url.as_str().to_owned()),
            api_key: target.api_key,
            models: target.models,
            allow_private: target.allow_private,
        };
        test_provider(&self.outbound, &*self.clock, &target).await
    }
}

/// Settings kept in memory are replaced as a whole; a poisoned lock still holds a whole one.
pub(crate) fn set_listen_host(app: &App, host: &str) {
    let mut settings = app.settings.write().unwrap_or_else(PoisonError::into_inner);
    let mut next = fractal_app::settings::Settings::clone(&settings);
    host.clone_into(&mut next.listen_host);
    *settings = Arc::new(next);
}
