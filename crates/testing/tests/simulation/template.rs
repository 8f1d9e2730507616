//! The installation every run begins with: two people, two engines, made once with the real use cases and then copied.

use std::{
    path::Path,
    sync::{Arc, PoisonError},
    time::Duration,
};

use fractal_api_types::CreateUser;
use fractal_app::{engine, policy::InForce, user};
use fractal_connect::Outbound;
use fractal_crypto::{MasterKey, read_key_file};
use fractal_runtime::contract::EngineFiles;
use fractal_store::{Engine, EngineState, Tx, engines};
use fractal_testing::house::{PASSWORD, client, house, name};
use fractal_types::{EngineId, OrganizationId, Role, RuntimeAssetId, Timestamp};
use secrecy::SecretString;

/// Everything that is the same in every run.
pub struct Template {
    /// The file of the database.
    pub database: Vec<u8>,
    pub key: MasterKey,
    pub start: Timestamp,
    pub organization_id: OrganizationId,
    pub asset_id: RuntimeAssetId,
    pub engines: Vec<(EngineId, EngineFiles)>,
    /// An administrator and a member, signed in.
    pub people: Vec<Person>,
    pub policies: Arc<InForce>,
    pub outbound: Outbound,
}

pub struct Person {
    pub name: &'static str,
    pub token: SecretString,
}

impl Template {
    /// Makes it.
    pub fn build() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(make())
    }
}

async fn make() -> Template {
    let house = house().await;
    let app = &house.app;
    let root = house.claim().await;
    let cx = house.context(&root).await;
    let ada = CreateUser {
        username: name("ada"),
        display_name: None,
        role: Some(Role::Member),
        password: PASSWORD.into(),
    };
    user::create(app, &cx, ada).await.expect("a member");
    let login = fractal_api_types::Login {
        username: name("ada"),
        password: PASSWORD.into(),
    };
    let ada = fractal_app::session::sign_in(app, login, &client(2))
        .await
        .expect("a sign-in");
    let first = engine::register(app).await.expect("an engine");
    let rows = [
        Engine {
            version: "2026.9.6".into(),
            state: EngineState::Installed,
            ..first.clone()
        },
        Engine {
            id: app.new_id(),
            version: "2027.1.0".into(),
            digest: "other".into(),
            state: EngineState::Installed,
            ..first
        },
    ];
    app.store
        .tx("template", async |tx: Tx| {
            engines::update(&tx, &rows[0]).await?;
            engines::insert(&tx, &rows[1]).await
        })
        .await
        .expect("two engines");
    app.sealer.seal_all().await.expect("a sealed log");
    let start = app.clock.now().after(Duration::from_secs(60));
    let made = Template {
        database: Vec::new(),
        key: read_key_file(&house.folder.path().join("secret-key"), 1).expect("the key"),
        start,
        organization_id: app.organization_id,
        asset_id: app.asset_id,
        engines: rows.iter().map(|row| (row.id, files(row))).collect(),
        people: vec![
            Person {
                name: "root",
                token: root.token,
            },
            Person {
                name: "ada",
                token: ada.token,
            },
        ],
        policies: app.policies.present(),
        outbound: app.outbound.clone(),
    };
    app.store.clone().close().await.expect("a closed database");
    Template {
        database: std::fs::read(house.folder.path().join("fractal.db")).expect("the file"),
        ..made
    }
}

fn files(row: &Engine) -> EngineFiles {
    let root = Path::new("/engine").join(&row.version);
    EngineFiles {
        node: root.join("node"),
        entry: root.join("openclaw.mjs"),
        root,
        version: row.version.clone(),
    }
}

/// Puts the engines where a process finds them, as after their installation.
pub fn provide(app: &fractal_app::App, template: &Template) {
    app.engine_files
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .extend(template.engines.iter().cloned());
}
