//! A whole house for tests: the real use cases over a real database, with a clock that stands still, seeded randomness, a runtime
//! without processes and a model provider that always answers.
//!
//! The database is a SQLite file. What [`on_postgresql!`](crate::on_postgresql) lists runs once more with houses on PostgreSQL.

use std::{
    cell::Cell,
    collections::BTreeMap,
    io,
    net::IpAddr,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock, RwLock},
    time::Duration,
};

use async_trait::async_trait;
use fractal_api_types::{ClaimBreakglass, Login, ProviderTest};
use fractal_app::{
    App, ClientInfo, Context, Error, Keys, Parts, ProbeTarget, ProviderProber, asset,
    engine::Installation,
    instance::{live::Live, queue::StartQueue, reconcile::Listeners},
    oidc::SignIns,
    onboarding, operation,
    proposal::{self, Performer},
    session::{self, Sessions, SignedIn},
    settings::Settings,
};
use fractal_background::{JobHandler, StoredJobs, Worker, WorkerOptions};
use fractal_clock::{
    Clock, ManualClock, SeededEntropy, SharedClock, SharedEntropy, SystemClock, new_id,
};
use fractal_connect::{FakeResolver, Outbound, OutboundSettings};
use fractal_crypto::{MasterKey, Token, TokenKind, write_key_file};
use fractal_evidence::{Sealer, SealerOptions};
use fractal_openclaw::engine::EngineStore;
use fractal_runtime::{
    contract::{
        BoxByteStream, Capabilities, Fence, InstanceSpec, Isolation, LogQuery, LogStream,
        Observation, Runtime, Stopped, Volumes,
    },
    fake::FakeRuntime,
    machine::Remark,
};
use fractal_store::{
    EvidenceEntry, OpenOptions, Organization, Store, Tx, evidence, organizations, system_config,
};
use fractal_types::{InstanceId, OrganizationId, Username};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::postgres;

/// A password that follows the rule.
pub const PASSWORD: &str = "correct horse battery";

/// A house and what a test moves in it. The folder goes with it.
#[derive(Debug)]
pub struct House {
    /// The use cases.
    pub app: App,
    /// The time; it stands still.
    pub clock: ManualClock,
    /// The runtime without processes.
    pub runtime: FakeRuntime,
    /// The token for the claim.
    pub setup_token: SecretString,
    /// Where everything lies.
    pub folder: tempfile::TempDir,
    /// Dropped last, when nothing uses it any more.
    _database: Option<postgres::Copy>,
}

thread_local! {
    /// How many houses this thread has built on PostgreSQL; `None` while it builds on SQLite.
    static ON_POSTGRESQL: Cell<Option<u32>> = const { Cell::new(None) };
}

/// Runs a test, which builds its houses on its own thread, with these on PostgreSQL. Without a server the reason is printed.
///
/// # Panics
///
/// As the test does, and with `CI=true` when there is no server.
pub fn on_postgresql(test: fn()) {
    struct Back;
    impl Drop for Back {
        fn drop(&mut self) {
            ON_POSTGRESQL.set(None);
        }
    }
    if postgres::server().is_some() {
        let _back = Back;
        ON_POSTGRESQL.set(Some(0));
        test();
        let built = ON_POSTGRESQL.get();
        assert_ne!(built, Some(0), "the test has built no house on PostgreSQL");
    }
}

/// Runs tests of the module it stands in a second time, on PostgreSQL.
#[macro_export]
macro_rules! on_postgresql {
    ($($case:ident)*) => {
        mod postgresql {
            $(#[test]
            fn $case() {
                $crate::house::on_postgresql(super::$case);
            })*
        }
    };
}

/// A fresh, unclaimed house whose runtime isolates.
pub async fn house() -> House {
    build(false, ManualClock::default()).await
}

/// The same with the clock standing at the present, for peers that read the machine's.
pub async fn house_at_present() -> House {
    build(false, ManualClock::at(SystemClock.now())).await
}

/// A fresh, unclaimed house whose runtime cannot keep people apart.
pub async fn reduced_house() -> House {
    build(true, ManualClock::default()).await
}

async fn build(reduced: bool, clock: ManualClock) -> House {
    let folder = tempfile::tempdir().expect("a folder");
    let shared: SharedClock = Arc::new(clock.clone());
    let entropy: SharedEntropy = Arc::new(SeededEntropy::new(1));
    let database = if let Some(built) = ON_POSTGRESQL.get() {
        ON_POSTGRESQL.set(Some(built + 1));
        let copy = tokio::task::spawn_blocking(|| postgres::server().map(|it| it.copy(migrate)));
        copy.await.expect("a database")
    } else {
        None
    };
    let url = database.as_ref().map_or_else(
        || format!("sqlite://{}", folder.path().join("fractal.db").display()),
        |copy| copy.url.clone(),
    );
    let store = Store::open(&url, &OpenOptions::new(shared.clone()))
        .await
        .expect("a database");
    let runtime = FakeRuntime::new(shared.clone(), folder.path().join("runtime"));
    let declared: Arc<dyn Runtime> = if reduced {
        Arc::new(Reduced(runtime.clone()))
    } else {
        Arc::new(runtime.clone())
    };
    let asset_id = asset::register(&store, &clock, &*entropy, &declared.capabilities())
        .await
        .expect("the asset of this machine");
    let organization_id: OrganizationId = new_id(&clock, &*entropy);
    let setup_token = Token::generate(TokenKind::Setup, &*entropy);
    let setup_hash: String = setup_token
        .hash()
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let organization = Organization {
        id: organization_id,
        name: "Test".parse().expect("a label"),
        created_at: clock.now(),
    };
    store
        .tx("house.build", async |tx: Tx| {
            organizations::insert(&tx, &organization).await?;
            let key = &system_config::SETUP_TOKEN_HASH;
            system_config::set(&tx, key, &setup_hash, organization.created_at).await?;
            Ok::<_, Error>(())
        })
        .await
        .expect("the first rows");
    let setup_token_file = folder.path().join("setup-token");
    std::fs::write(&setup_token_file, setup_token.secret().expose_secret())
        .expect("the token file");
    let outbound = Outbound::new(
        &OutboundSettings::default(),
        Arc::new(FakeResolver::default()),
    );
    let master = MasterKey::generate(1, &*entropy);
    let key_file = folder.path().join("secret-key");
    write_key_file(&key_file, &master).expect("the key file");
    let keys = Keys::new(master).kept_in(Some(key_file));
    let key = fractal_app::evidence::signing_key(
        &store,
        &keys,
        &clock,
        &*entropy,
        organization_id,
        "test",
    )
    .await
    .expect("a signing key");
    // Nobody runs it: a test seals when it wants to.
    let sealer = Sealer::new(
        store.clone(),
        shared.clone(),
        Arc::new(key),
        "test".to_owned(),
        SealerOptions::default(),
    );
    let app = App::new(Parts {
        store,
        clock: shared,
        sealer: Arc::new(sealer),
        keys,
        entropy,
        policies: fractal_app::policy::Policies::builtin().expect("sound policies"),
        outbound: outbound.expect("an outbound client"),
        runtime: declared,
        asset_id,
        engines: EngineStore::new(folder.path().join("engines")),
        installation: RwLock::new(Installation::default()),
        checks: Default::default(),
        engine_files: RwLock::default(),
        engine_override: None,
        live: Live::default(),
        queue: StartQueue::new(2),
        sessions: Sessions::default(),
        remembered: fractal_app::model::Remembered::default(),
        sign_ins: SignIns::default(),
        listeners: Arc::new(NoListeners),
        prober: Arc::new(AlwaysOk),
        organization_id,
        installation_id: "test".into(),
        setup_token_file: Some(setup_token_file),
        settings: RwLock::new(Arc::new(Settings {
            listen_host: "127.0.0.1".into(),
            ..Settings::default()
        })),
        instance_signal: OnceLock::new(),
        worker_signal: OnceLock::new(),
    });
    House {
        app,
        clock,
        runtime,
        setup_token: setup_token.into_secret(),
        folder,
        _database: database,
    }
}

/// Brings an empty database up to date, so that every house begins with a copy of it.
fn migrate(url: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let clock: SharedClock = Arc::new(ManualClock::default());
        let store = Store::open(url, &OpenOptions::new(clock)).await;
        store
            .expect("a database")
            .close()
            .await
            .expect("it is closed");
    });
}

impl House {
    /// Claims the house; the first administrator is `root`.
    pub async fn claim(&self) -> SignedIn {
        let body = ClaimBreakglass {
            username: name("root"),
            password: PASSWORD.into(),
        };
        onboarding::claim(&self.app, Some(&self.setup_token), body, &client(1))
            .await
            .expect("the claim")
    }

    /// Signs somebody in with [`PASSWORD`].
    pub async fn sign_in(&self, username: &str) -> Context {
        let login = Login {
            username: name(username),
            password: PASSWORD.into(),
        };
        let session = session::sign_in(&self.app, login, &client(1))
            .await
            .expect("a sign-in");
        self.context(&session).await
    }

    /// The context of a request with this session.
    pub async fn context(&self, session: &SignedIn) -> Context {
        let context = self
            .app
            .authenticate_session(&session.token)
            .await
            .expect("an answer");
        context.expect("a live session")
    }

    /// What the log says about one action, oldest first.
    pub async fn log(&self, action: &str) -> Vec<Logged> {
        let read = self.app.store.read();
        let entries = evidence::list_unsealed(&read, 10_000).await;
        let mut found = Vec::new();
        for entry in entries.expect("the log") {
            if entry.action == action {
                let openings = evidence::openings(&read, entry.id).await;
                let openings = openings.expect("what opens it").into_iter();
                found.push(Logged {
                    values: openings.map(|one| (one.field, one.value)).collect(),
                    entry,
                });
            }
        }
        found
    }

    /// How often the log has each action, as far as it is not sealed.
    ///
    /// # Panics
    ///
    /// When the database fails.
    pub async fn logged(&self) -> BTreeMap<String, usize> {
        let read = self.app.store.read();
        let entries = evidence::list_unsealed(&read, u32::MAX).await;
        let mut counts = BTreeMap::new();
        for entry in entries.expect("the log") {
            *counts.entry(entry.action).or_default() += 1;
        }
        counts
    }

    /// Everything that is stored, as hashes.
    ///
    /// # Panics
    ///
    /// When the database fails.
    pub async fn whole(&self) -> fractal_store::whole::Whole {
        fractal_store::whole::read(&self.app.store.read())
            .await
            .expect("the rows")
    }

    /// The ids of all entries of the log, with action and outcome.
    ///
    /// # Panics
    ///
    /// When the database fails.
    pub async fn entries(&self) -> BTreeMap<String, (String, String)> {
        let read = self.app.store.read();
        let mut found = BTreeMap::new();
        for entry in evidence::list_unsealed(&read, u32::MAX)
            .await
            .expect("the log")
        {
            found.insert(entry.id.to_string(), (entry.action, entry.outcome));
        }
        found
    }

    /// Does what changes left to be done and what is due by now; how many jobs ran.
    ///
    /// # Panics
    ///
    /// When the database fails.
    pub async fn work(&self, performer: Arc<dyn Performer>) -> usize {
        let app = &self.app;
        let work: Arc<dyn JobHandler> = Arc::new(proposal::Work::new(app.clone(), performer));
        self.run_due([
            (proposal::QUEUE, work),
            (operation::QUEUE, operation::work(app)),
        ])
        .await
    }

    /// The same of operations only.
    ///
    /// # Panics
    ///
    /// When the database fails.
    pub async fn operate(&self) -> usize {
        self.run_due([(operation::QUEUE, operation::work(&self.app))])
            .await
    }

    async fn run_due<const N: usize>(
        &self,
        queues: [(&'static str, Arc<dyn JobHandler>); N],
    ) -> usize {
        let app = &self.app;
        let worker = Worker::new(
            Arc::new(StoredJobs::new(app.store.clone())),
            queues,
            app.clock.clone(),
            app.entropy.clone(),
            "test",
            WorkerOptions::default(),
        );
        worker.run_all_due().await.expect("the jobs")
    }

    /// Whether its rows are in PostgreSQL.
    #[must_use]
    pub const fn is_on_postgresql(&self) -> bool {
        self._database.is_some()
    }

    /// Moves the clock.
    pub fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Where the setup token stands until the claim.
    #[must_use]
    pub fn setup_token_file(&self) -> PathBuf {
        self.folder.path().join("setup-token")
    }
}

/// An entry of the log and the values it commits to.
#[derive(Debug)]
pub struct Logged {
    /// The entry.
    pub entry: EvidenceEntry,
    /// Its values by name.
    pub values: BTreeMap<String, Value>,
}

/// A username.
#[must_use]
pub fn name(text: &str) -> Username {
    text.parse().expect("a username")
}

/// A browser at the `n`th address.
#[must_use]
pub fn client(n: u8) -> ClientInfo {
    ClientInfo {
        address: IpAddr::from([192, 0, 2, n]),
        user_agent: Some("test".into()),
    }
}

#[derive(Debug)]
struct NoListeners;

#[async_trait]
impl Listeners for NoListeners {
    async fn serve(&self, _id: InstanceId, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    async fn end(&self, _id: InstanceId) {}
}

#[derive(Debug)]
struct AlwaysOk;

#[async_trait]
impl ProviderProber for AlwaysOk {
    async fn probe(&self, _target: ProbeTarget) -> ProviderTest {
        ProviderTest {
            ok: true,
            latency_ms: 1,
            models: vec!["test-model".into()],
            error: None,
        }
    }
}

/// The same runtime, declaring that it cannot isolate.
#[derive(Debug)]
struct Reduced(FakeRuntime);

type Done<T> = fractal_runtime::contract::Result<T>;

#[async_trait]
impl Runtime for Reduced {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            isolation: Isolation::Reduced,
            ..self.0.capabilities()
        }
    }

    async fn listener_dir(&self, id: InstanceId) -> Done<PathBuf> {
        self.0.listener_dir(id).await
    }

    async fn start(&self, spec: &InstanceSpec, fence: Fence) -> Done<()> {
        self.0.start(spec, fence).await
    }

    async fn stop(&self, id: InstanceId, grace: Duration, fence: Fence) -> Done<Stopped> {
        self.0.stop(id, grace, fence).await
    }

    async fn remove(&self, id: InstanceId, volumes: Volumes, fence: Fence) -> Done<()> {
        self.0.remove(id, volumes, fence).await
    }

    async fn observe(&self, id: InstanceId) -> Done<Observation> {
        self.0.observe(id).await
    }

    async fn list(&self) -> Done<Vec<Observation>> {
        self.0.list().await
    }

    async fn dial(&self, id: InstanceId) -> Done<BoxByteStream> {
        self.0.dial(id).await
    }

    async fn logs(&self, id: InstanceId, query: LogQuery) -> Done<LogStream> {
        self.0.logs(id, query).await
    }

    async fn redact(&self, id: InstanceId, secrets: &[SecretString]) -> Done<()> {
        self.0.redact(id, secrets).await
    }

    async fn machine(&self) -> Vec<Remark> {
        self.0.machine().await
    }

    async fn heartbeat(&self) -> Done<()> {
        self.0.heartbeat().await
    }
}
