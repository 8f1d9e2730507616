//! A store on a database of its own, with time and randomness that repeat.

use std::sync::Arc;

use fractal_clock::{ManualClock, SeededEntropy, new_id, random};
use fractal_crypto::TokenHash;
use fractal_store::{
    Engine, EngineState, Instance, OpenOptions, Organization, RuntimeAsset, Store, User, Volumes,
    engines, organizations, runtime_assets, users,
};
use fractal_types::{Generation, Limits, Role, SeenState, Timestamp, WantedState};
use sea_orm::ConnectionTrait;
use tokio::sync::OnceCell;

use crate::postgres_server;

pub struct Db {
    pub store: Store,
    pub clock: ManualClock,
    pub entropy: SeededEntropy,
    url: String,
    _keep: Keep,
}

enum Keep {
    Folder(#[expect(dead_code, reason = "removed when dropped")] tempfile::TempDir),
    Copy(#[expect(dead_code, reason = "dropped when dropped")] postgres_server::Copy),
}

pub async fn open(url: &str) -> Store {
    Store::open(url, &options(&ManualClock::default()))
        .await
        .unwrap()
}

fn options(clock: &ManualClock) -> OpenOptions {
    OpenOptions::new(Arc::new(clock.clone()))
}

impl Db {
    pub async fn sqlite() -> Self {
        static PREPARED: OnceCell<Vec<u8>> = OnceCell::const_new();
        let clock = ManualClock::default();
        let prepared = PREPARED
            .get_or_init(|| async {
                let folder = tempfile::tempdir().unwrap();
                let path = folder.path().join("template.db");
                let url = format!("sqlite://{}", path.display());
                let store = Store::open(&url, &options(&ManualClock::default()))
                    .await
                    .unwrap();
                store.close().await.unwrap();
                std::fs::read(path).unwrap()
            })
            .await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fractal.db");
        std::fs::write(&path, prepared).unwrap();
        let url = format!("sqlite://{}", path.display());
        Self {
            store: Store::open(&url, &options(&clock)).await.unwrap(),
            clock,
            entropy: SeededEntropy::new(1),
            url,
            _keep: Keep::Folder(folder),
        }
    }

    pub async fn postgres() -> Option<Self> {
        let copy = tokio::task::spawn_blocking(|| {
            postgres_server::server().map(|server| server.copy(prepare))
        })
        .await
        .unwrap()?;
        let clock = ManualClock::default();
        Some(Self {
            store: Store::open(&copy.url, &options(&clock)).await.unwrap(),
            clock,
            entropy: SeededEntropy::new(1),
            url: copy.url.clone(),
            _keep: Keep::Copy(copy),
        })
    }

    pub fn id<T: From<uuid::Uuid>>(&self) -> T {
        new_id(&self.clock, &self.entropy)
    }

    pub fn now(&self) -> Timestamp {
        fractal_clock::Clock::now(&self.clock)
    }

    pub fn hash(&self) -> TokenHash {
        TokenHash::from_bytes(random(&self.entropy))
    }

    /// Damages the database behind the store's back; returns how many rows it touched.
    pub async fn damage(&self, sql: &str) -> u64 {
        let db = sea_orm::Database::connect(&self.url).await.unwrap();
        let done = db.execute_unprepared(sql).await.unwrap().rows_affected();
        db.close().await.unwrap();
        done
    }

    pub async fn organization(&self) -> Organization {
        let row = Organization {
            id: self.id(),
            name: "Acme".parse().unwrap(),
            created_at: self.now(),
        };
        self.store
            .tx("test", async |tx| organizations::insert(&tx, &row).await)
            .await
            .unwrap();
        row
    }

    pub fn new_user(&self, organization: &Organization, username: &str) -> User {
        User {
            id: self.id(),
            organization_id: organization.id,
            username: username.parse().unwrap(),
            display_name: "Ada Lovelace ✨".parse().unwrap(),
            role: Role::Member,
            active: true,
            breakglass: false,
            locale: Some("de".into()),
            created_at: self.now(),
            updated_at: self.now(),
            last_seen_at: None,
        }
    }

    pub async fn user(&self, organization: &Organization, username: &str) -> User {
        let row = self.new_user(organization, username);
        self.store
            .tx("test", async |tx| users::insert(&tx, &row).await)
            .await
            .unwrap();
        row
    }

    /// An asset, an engine and an instance of a new person.
    pub async fn instance(&self) -> Instance {
        let organization = self.organization().await;
        let user = self.user(&organization, "ada").await;
        let asset = RuntimeAsset {
            id: self.id(),
            asset_key: "local-process".into(),
            kind: "process".into(),
            name: "This machine".parse().unwrap(),
            executor_url: None,
            public_url: None,
            capabilities: serde_json::json!({"freeze": true}),
            health: "ok".into(),
            created_at: self.now(),
        };
        let engine = Engine {
            id: self.id(),
            version: "2026.9.6".into(),
            node_version: "24.0.0".into(),
            digest: "sha256:0".into(),
            path: "engines/1".into(),
            state: EngineState::Installed,
            created_at: self.now(),
        };
        let row = Instance {
            id: self.id(),
            organization_id: organization.id,
            user_id: user.id,
            name: "My agent".parse().unwrap(),
            runtime_asset_id: asset.id,
            engine_id: engine.id,
            wanted: WantedState::Running,
            stop_reason: None,
            seen: SeenState::Pending,
            seen_reason: None,
            generation: Generation(1),
            revision_id: None,
            proved_hash: None,
            boot_id: None,
            instance_token_hash: self.hash(),
            instance_token: vec![1, 2, 3],
            gateway_token: vec![4, 5, 6],
            idle_timeout_min: 30,
            last_active_at: self.now(),
            next_wake_at: None,
            restarts: vec![self.now()],
            failure_count: 0,
            next_attempt_at: None,
            limits: Limits::default(),
            memory_bytes: Some(1 << 33),
            cpu_ms: None,
            disk_bytes: None,
            disk_pressure: fractal_types::DiskPressure::Ok,
            seen_at: None,
            volumes: Volumes::Keep,
            held_by: None,
            created_at: self.now(),
            updated_at: self.now(),
            deleted_at: None,
        };
        self.store
            .tx("test", async |tx| {
                runtime_assets::insert(&tx, &asset).await?;
                engines::insert(&tx, &engine).await?;
                fractal_store::instances::insert(&tx, &row).await
            })
            .await
            .unwrap();
        row
    }
}

/// Fills the template. On a thread and runtime of its own: the caller is inside one.
fn prepare(url: &str) {
    std::thread::scope(|scope| {
        scope
            .spawn(|| {
                tokio::runtime::Runtime::new().unwrap().block_on(async {
                    open(url).await.close().await.unwrap();
                });
            })
            .join()
            .unwrap();
    });
}
