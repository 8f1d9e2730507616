//! What use cases are made of, put together by the composition root.

use std::{
    collections::HashMap,
    fmt,
    ops::Deref,
    path::PathBuf,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use async_trait::async_trait;
use fractal_api_types::ProviderTest;
use fractal_background::Signal;
use fractal_clock::{SharedClock, SharedEntropy, new_id};
use fractal_connect::Outbound;
use fractal_evidence::Sealer;
use fractal_openclaw::engine::EngineStore;
use fractal_runtime::contract::{EngineFiles, Runtime};
use fractal_store::Store;
use fractal_types::{EngineId, InstanceId, OrganizationId, ProviderKind, RuntimeAssetId, Wire};
use secrecy::SecretString;
use tokio::sync::Notify;
use url::Url;

use crate::{
    engine::Installation,
    incident::Board,
    instance::{live::Live, queue::StartQueue, reconcile::Listeners},
    keys::Keys,
    policy::Policies,
    settings::Settings,
};

/// Everything a use case may reach.
pub struct Parts {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
    /// Randomness fit for keys.
    pub entropy: SharedEntropy,
    /// Who may do what.
    pub policies: Policies,
    /// Seals the log; woken by the door.
    pub sealer: Arc<Sealer>,
    /// Encryption at rest.
    pub keys: Keys,
    /// The way outside.
    pub outbound: Outbound,
    /// Where instances run. Only the instance reconciler calls it.
    pub runtime: Arc<dyn Runtime>,
    /// The asset behind `runtime`.
    pub asset_id: RuntimeAssetId,
    /// Installed engines.
    pub engines: EngineStore,
    /// How far the installation of an engine is, or why it failed.
    pub installation: RwLock<Installation>,
    /// What the checks found last.
    pub checks: Board,
    /// Engines that can be started now.
    pub engine_files: RwLock<HashMap<EngineId, EngineFiles>>,
    /// An engine on this machine that is used instead of installing one.
    pub engine_override: Option<PathBuf>,
    /// What is known in memory about instances.
    pub live: Live,
    /// Start slots.
    pub queue: StartQueue,
    /// Who is signed in, cached for a moment, and who was signed out.
    pub sessions: crate::session::Sessions,
    /// What the broker was answered a moment ago.
    pub remembered: crate::model::Remembered,
    /// Sign-ins on their way through identity providers.
    pub sign_ins: crate::oidc::SignIns,
    /// Serves instance listeners.
    pub listeners: Arc<dyn Listeners>,
    /// Makes a tiny call to a model provider.
    pub prober: Arc<dyn ProviderProber>,
    /// The tenant; one per installation so far.
    pub organization_id: OrganizationId,
    /// Names this installation in cookies.
    pub installation_id: String,
    /// Where the setup token stands until the claim, to be removed then.
    pub setup_token_file: Option<PathBuf>,
    /// Settings, replaced as a whole when changed.
    pub settings: RwLock<Arc<Settings>>,
    /// Wakes the instance reconciler; set once it exists.
    pub instance_signal: OnceLock<Signal<InstanceId>>,
    /// Wakes the worker of jobs; set once it exists.
    pub worker_signal: OnceLock<Arc<Notify>>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Parts")
            .field("organization_id", &self.organization_id)
            .finish_non_exhaustive()
    }
}

/// Makes a tiny call to a model provider (the data plane knows how each wire does that).
#[async_trait]
pub trait ProviderProber: Send + Sync + fmt::Debug {
    /// Calls it and says how it went. Never fails: a failure is part of the answer.
    async fn probe(&self, target: ProbeTarget) -> ProviderTest;
}

/// What to call.
#[derive(Debug)]
pub struct ProbeTarget {
    /// The kind.
    pub kind: ProviderKind,
    /// The wire.
    pub wire: Wire,
    /// The address, when not the kind's own.
    pub base_url: Option<Url>,
    /// The key.
    pub api_key: Option<SecretString>,
    /// Models known already.
    pub models: Vec<String>,
    /// Whether a private or loopback address is allowed.
    pub allow_private: bool,
}

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Parts>);

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// The house over these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// The parts.
    #[must_use]
    pub fn parts(&self) -> &Parts {
        &self.0
    }

    /// A new id of any kind.
    #[must_use]
    pub fn new_id<T: From<uuid::Uuid>>(&self) -> T {
        new_id(&*self.clock, &*self.entropy)
    }

    /// The present settings.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.0
            .settings
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Has the reconciler look at an instance.
    pub fn wake_instance(&self, id: InstanceId) {
        if let Some(signal) = self.instance_signal.get() {
            signal.wake(id);
        }
    }

    /// Has the worker look for jobs.
    pub fn wake_worker(&self) {
        if let Some(signal) = self.worker_signal.get() {
            signal.notify_one();
        }
    }

    /// The session cookie's name, unique per installation.
    #[must_use]
    pub fn session_cookie_name(&self) -> String {
        format!("fractal_{}", self.installation_id)
    }
}
