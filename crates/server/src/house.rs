//! A house: everything that runs in one process, put together and taken apart in order.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use fractal_app::{
    App, Keys, Parts, asset, engine, evidence,
    instance::reconcile::InstanceReconciler,
    operation,
    policy::Policies,
    proposal::{self, Work},
    settings,
};
use fractal_background::{
    JobHandler, Reconciler, ReconcilerOptions, StoredJobs, Worker, WorkerOptions,
};
use fractal_clock::{SharedClock, SharedEntropy, SystemClock, SystemEntropy, random};
use fractal_config::{OnExit, SecretKeySource, Settings};
use fractal_connect::{Outbound, OutboundSettings, SystemResolver};
use fractal_evidence::{Sealer, SealerOptions};
use fractal_http::{Performer, Server};
use fractal_openclaw::engine::EngineStore;
use fractal_proxy::{
    broker::{Broker, BrokerSettings},
    chat::{ChatHub, ChatSettings},
    faults::Faults,
    serve::Share,
};
use fractal_runtime::contract::{Isolation, Runtime};
use fractal_runtime_process::ProcessRuntime;
use fractal_store::Store;
use fractal_types::{JobId, OrganizationId, SeenState, WantedState};
use secrecy::ExposeSecret;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

#[cfg(debug_assertions)]
use crate::faults::{lease, work as operations};
use crate::{
    Meter, database,
    installation::{self, FolderLock, Setup},
    limits, listen, metrics,
    ports::{InstanceListeners, Ports, Prober},
    revoked::stop_turns,
    tls::Tls,
    usage,
};
#[cfg(not(debug_assertions))]
use fractal_app::operation::work as operations;

/// How long running requests may take to end when the house closes.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long stopping all instances may take. Each has a bound of its own.
const STOP_ALL: Duration = Duration::from_secs(60);

/// The socket for metrics in the data folder. On by default: it takes no port that another installation may have, and nobody else on
/// the machine, no browser and no agent can open it.
const METRICS_SOCKET: &str = "metrics.sock";

/// Everything that runs.
#[derive(Debug)]
pub struct House {
    /// The use cases.
    pub app: App,
    /// Turns on their way.
    pub chat: Arc<ChatHub>,
    /// The way in for the first administrator, while there is none.
    pub setup: Option<Setup>,
    tls: Option<Arc<Tls>>,
    stop: CancellationToken,
    stop_listening: CancellationToken,
    tasks: std::sync::Mutex<Vec<JoinHandle<()>>>,
    _lock: FolderLock,
}

impl House {
    /// Opens everything and begins to reconcile. Nothing is served yet. `meter` shows the installation of the engine.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from starting, with the remedy.
    pub async fn open(settings: &Settings, meter: Meter) -> Result<Self> {
        limits::raise_open_files();
        // Before anything that could be measured.
        metrics::recorder();
        let clock: SharedClock = Arc::new(SystemClock);
        let entropy: SharedEntropy = Arc::new(SystemEntropy);
        // First, because nothing shall be changed for a listener that cannot serve.
        let tls = settings
            .tls
            .clone()
            .map(|files| Tls::load(files, clock.clone()).map(Arc::new))
            .transpose()?;
        let lock = installation::take_folder(&settings.data_dir)?;
        let store = Store::open(
            settings.database_url.expose_secret(),
            &database::options(settings, clock.clone()),
        )
        .await?;
        let installation = installation::prepare(&store, settings, &*clock, &*entropy).await?;
        let runtime: Arc<dyn Runtime> = Arc::new(open_runtime(settings, clock.clone())?);
        let asset_id = asset::register(&store, &*clock, &*entropy, &runtime.capabilities()).await?;
        let outbound = Outbound::new(&OutboundSettings::default(), Arc::new(SystemResolver))?;
        let faults = Arc::new(Faults::default());
        let (records, queue) = mpsc::unbounded_channel();
        let ports = Ports::new(records);
        let broker = Broker::new(
            Arc::new(ports.clone()),
            outbound.clone(),
            faults.clone(),
            clock.clone(),
            entropy.clone(),
            BrokerSettings::default(),
        );
        let policies = Policies::load(&store, installation.organization_id).await;
        let policies = policies.map_err(|error| match error.remedy.clone() {
            // Nobody is there yet who would print it beside the error.
            Some(remedy) => {
                let what = error.detail.clone().unwrap_or_default();
                anyhow::Error::new(error).context(format!("{what}; {remedy}"))
            }
            None => error.into(),
        })?;
        let mut stored = settings::load(&store, &settings.listen.ip().to_string()).await?;
        stored.listen_tls = tls.is_some();
        if stored.public_url.is_none() {
            stored.public_url.clone_from(&settings.public_url);
        }
        let keys = Keys::new(installation.key).kept_in(match &settings.secret_key {
            SecretKeySource::File(path) => Some(path.clone()),
            SecretKeySource::Variable(_) => None,
        });
        let sealer = Arc::new(
            sealer(
                &store,
                &keys,
                &clock,
                &entropy,
                &installation.organization_id,
                &installation.id,
            )
            .await?,
        );
        let app = App::new(Parts {
            store,
            clock: clock.clone(),
            entropy: entropy.clone(),
            policies,
            sealer: sealer.clone(),
            keys,
            outbound: outbound.clone(),
            runtime,
            asset_id,
            engines: EngineStore::new(&settings.engines_dir),
            installation: Default::default(),
            checks: Default::default(),
            engine_files: Default::default(),
            engine_override: settings.engine.clone(),
            live: Default::default(),
            queue: fractal_app::instance::queue::StartQueue::new(settings.start_concurrency),
            sessions: Default::default(),
            remembered: fractal_app::model::Remembered::default(),
            sign_ins: Default::default(),
            listeners: Arc::new(InstanceListeners::new(broker)),
            prober: Arc::new(Prober {
                outbound,
                clock: clock.clone(),
            }),
            organization_id: installation.organization_id,
            installation_id: installation.id,
            setup_token_file: Some(settings.data_dir.join("setup-token")),
            settings: std::sync::RwLock::new(Arc::new(stored)),
            instance_signal: Default::default(),
            worker_signal: Default::default(),
        });
        ports.connect(app.clone());
        let chat = Arc::new(ChatHub::new(
            Arc::new(ports),
            faults,
            clock.clone(),
            entropy.clone(),
            ChatSettings::default(),
        ));
        engine::register(&app).await?;
        engine::on_progress(&app, Arc::new(move |progress| meter.show(progress)));

        let stop = CancellationToken::new();
        let reconciler = Reconciler::new(
            Arc::new(InstanceReconciler::new(app.clone())),
            clock,
            entropy,
            ReconcilerOptions {
                concurrency: 64,
                ..ReconcilerOptions::default()
            },
        );
        let _ = app.instance_signal.set(reconciler.signal());
        let worker = worker(&app, &chat);
        let _ = app.worker_signal.set(worker.waker());
        let working = stop.clone();
        let reconciling = stop.clone();
        let tasks = vec![
            tokio::spawn(async move { reconciler.run(reconciling).await }),
            tokio::spawn(async move { worker.run(working).await }),
            tokio::spawn(usage::write(app.clone(), queue, stop.clone())),
            tokio::spawn(provide_engine(app.clone(), stop.clone())),
            tokio::spawn(stop_turns(app.clone(), chat.clone(), stop.clone())),
            tokio::spawn(reseal(app.clone(), stop.clone())),
            tokio::spawn(seal(sealer, stop.clone())),
            tokio::spawn(tell_webhooks(app.clone(), stop.clone())),
            tokio::spawn(ask_witnesses(app.clone(), stop.clone())),
            tokio::spawn(retain(app.clone(), stop.clone())),
            tokio::spawn(heal(app.clone(), stop.clone())),
            tokio::spawn(metrics::keep_up(stop.clone())),
        ];
        Ok(Self {
            app,
            chat,
            setup: installation.setup,
            tls,
            stop,
            stop_listening: CancellationToken::new(),
            tasks: std::sync::Mutex::new(tasks),
            _lock: lock,
        })
    }

    /// Serves the main listener (by TLS when a certificate is set), the socket for metrics and, when one is set, the internal listener.
    /// Returns the main address.
    ///
    /// # Errors
    ///
    /// When an address cannot be bound.
    pub async fn listen(&self, settings: &Settings) -> Result<SocketAddr> {
        let listener = listen::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        crate::ports::set_listen_host(&self.app, &settings.listen.ip().to_string());
        let router = fractal_http::router(Server {
            app: self.app.clone(),
            chat: self.chat.clone(),
        });
        // Who is a trusted proxy may be changed while we listen.
        let app = self.app.clone();
        let share = Share::new(move |peer| app.settings().is_trusted_proxy(peer));
        if let Some(tls) = &self.tls {
            let hangup = signal(SignalKind::hangup())?;
            self.keep(tokio::spawn(tls.clone().watch(hangup, self.stop.clone())));
        }
        self.keep(listen::serve(
            listener,
            self.tls.as_deref(),
            router,
            share.clone(),
            "main",
            self.stop_listening.clone(),
        ));
        match listen::serve_socket(
            &settings.data_dir.join(METRICS_SOCKET),
            metrics::router(self.app.clone()),
            "metrics",
            self.stop_listening.clone(),
        ) {
            Ok(task) => self.keep(task),
            // A folder that takes no sockets is no reason not to serve people.
            Err(error) => tracing::warn!("metrics are not served on a socket: {error:#}"),
        }
        if let Some(internal) = settings.internal_listen {
            let listener = listen::bind(internal).await?;
            self.keep(listen::serve(
                listener,
                None,
                metrics::router(self.app.clone()),
                share,
                "internal",
                self.stop_listening.clone(),
            ));
        }
        Ok(address)
    }

    fn keep(&self, task: JoinHandle<()>) {
        self.tasks
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(task);
    }

    /// What an operator should know at once: why isolation is reduced and what is wrong with the certificate, with the remedy. The
    /// rest is on the asset's page.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let promises = self.app.runtime.capabilities();
        let mut remarks = if promises.isolation == Isolation::Reduced {
            promises.remarks
        } else {
            Vec::new()
        };
        remarks.extend(self.tls.iter().flat_map(|tls| tls.warnings()));
        remarks
    }

    /// Ends everything: listeners first, then (if wished) instances, then background work, then the database.
    pub async fn close(&self, on_exit: OnExit) {
        self.stop_listening.cancel();
        if on_exit == OnExit::Stop {
            self.stop_instances().await;
        }
        self.stop.cancel();
        let tasks = std::mem::take(
            &mut *self
                .tasks
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        // All at once: open event streams would never end by themselves, and nobody should wait for them one by one.
        let ended = tasks.into_iter().map(|mut task| async move {
            if tokio::time::timeout(LAST_WORDS, &mut task).await.is_err() {
                task.abort();
            }
        });
        futures::future::join_all(ended).await;
        if let Err(error) = self.app.store.clone().close().await {
            tracing::warn!("the database could not be closed cleanly: {error}");
        }
    }

    /// Stops processes without changing what is wanted: the next start brings back what was running.
    async fn stop_instances(&self) {
        // From here on nothing is started again.
        self.stop.cancel();
        let runtime = self.app.runtime.clone();
        let Ok(seen) = runtime.list().await else {
            return;
        };
        let stops = seen
            .into_iter()
            .filter(|observation| matches!(observation.process, fractal_runtime::contract::ProcessState::Running { .. }))
            .map(|observation| {
                let runtime = runtime.clone();
                async move {
                    let fence = fractal_runtime::contract::Fence(observation.generation);
                    if let Err(error) = runtime.stop(observation.id, Duration::from_secs(20), fence).await {
                        tracing::warn!(instance.id = %observation.id, "could not be stopped: {error}");
                    }
                }
            });
        if tokio::time::timeout(STOP_ALL, futures::future::join_all(stops))
            .await
            .is_err()
        {
            tracing::warn!("some agents took too long to stop; their supervisors will end them");
        }
    }

    /// How many instances are wanted running and have answered.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub async fn ready_instances(&self) -> Result<usize> {
        let page = fractal_store::instances::list_live(
            &self.app.store.read(),
            &fractal_store::PageRequest::default(),
        )
        .await?;
        Ok(page
            .items
            .iter()
            .filter(|row| row.wanted == WantedState::Running && row.seen == SeenState::Ready)
            .count())
    }
}

/// Installs the engine unless the house closes before; an interrupted installation goes on at the next start.
async fn provide_engine(app: App, stop: CancellationToken) {
    tokio::select! {
        () = engine::provide(app) => {}
        () = stop.cancelled() => {}
    }
}

async fn reseal(app: App, stop: CancellationToken) {
    tokio::select! {
        () = fractal_app::reseal::run(app) => {}
        () = stop.cancelled() => {}
    }
}

async fn tell_webhooks(app: App, stop: CancellationToken) {
    tokio::select! {
        () = fractal_app::webhook::deliver::run(app) => {}
        () = stop.cancelled() => {}
    }
}

async fn ask_witnesses(app: App, stop: CancellationToken) {
    tokio::select! {
        () = fractal_app::witness::ask::run(app) => {}
        () = stop.cancelled() => {}
    }
}

async fn retain(app: App, stop: CancellationToken) {
    tokio::select! {
        () = fractal_app::retention::run(app) => {}
        () = stop.cancelled() => {}
    }
}

async fn heal(app: App, stop: CancellationToken) {
    tokio::select! {
        () = fractal_app::incident::run(app) => {}
        () = stop.cancelled() => {}
    }
}

/// Does what changes left to be done, under a name that no other process on the same database has.
fn worker(app: &App, chat: &Arc<ChatHub>) -> Worker {
    let performer = Performer::new(Server {
        app: app.clone(),
        chat: chat.clone(),
    });
    let proposals: Arc<dyn JobHandler> = Arc::new(Work::new(app.clone(), Arc::new(performer)));
    let process: JobId = app.new_id();
    Worker::new(
        Arc::new(StoredJobs::new(app.store.clone())),
        [
            (proposal::QUEUE, proposals),
            (operation::QUEUE, operations(app)),
        ],
        app.clock.clone(),
        app.entropy.clone(),
        format!("worker/{process}"),
        WorkerOptions {
            // What this process enqueues wakes it up; this is for what another one left, and for what becomes due.
            poll: Duration::from_secs(15),
            // Carrying something out takes milliseconds; what a killed process had begun shall not wait long.
            lease: lease(Duration::from_secs(15)),
            ..WorkerOptions::default()
        },
    )
}

#[cfg(not(debug_assertions))]
const fn lease(usual: Duration) -> Duration {
    usual
}

async fn seal(sealer: Arc<Sealer>, stop: CancellationToken) {
    sealer.run(stop).await;
}

/// The one who seals the log, under a name that no other process on the same database has.
async fn sealer(
    store: &Store,
    keys: &Keys,
    clock: &SharedClock,
    entropy: &SharedEntropy,
    organization_id: &OrganizationId,
    installation_id: &str,
) -> Result<Sealer> {
    let key = evidence::signing_key(
        store,
        keys,
        &**clock,
        &**entropy,
        *organization_id,
        installation_id,
    )
    .await?;
    Ok(Sealer::new(
        store.clone(),
        clock.clone(),
        Arc::new(key),
        fractal_evidence::hex(&random::<8>(&**entropy)),
        SealerOptions::default(),
    ))
}

fn open_runtime(settings: &Settings, clock: SharedClock) -> Result<ProcessRuntime> {
    let program = std::env::current_exe().context("this program's own file cannot be found")?;
    let mut options = fractal_runtime_process::Settings::new(&settings.data_dir, program);
    options.ttl = settings.supervisor_ttl;
    Ok(ProcessRuntime::open(options, clock)?)
}
