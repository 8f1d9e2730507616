//! What a router needs besides a house: a chat hub over it, and things that only the outside world would make.

use std::{any::Any, sync::Arc};

use async_trait::async_trait;
use fractal_api_types::ProblemCode;
use fractal_app::{App, Context, engine, instance};
use fractal_crypto::{Token, TokenKind};
use fractal_openclaw::ws::Gateway;
use fractal_policy::Action;
use fractal_proxy::{
    chat::{ChatHub, ChatSettings},
    faults::Faults,
    ports::{ChatFailure, InstanceAccess, Progress},
};
use fractal_store::{
    Credential, CredentialKind, Engine, EngineState, IdentityProvider, Tx, credentials, engines,
    identity_providers, instances, operations,
};
use fractal_types::{
    Actor, EngineId, IdentityProviderId, InstanceId, OperationId, OperationState, StepState, UserId,
};
use secrecy::SecretString;

/// A hub whose every question is decided by the use cases. Nothing wakes an agent, so a turn waits for its gateway for ever.
#[must_use]
pub fn chat_hub(app: &App) -> Arc<ChatHub> {
    Arc::new(ChatHub::new(
        Arc::new(Access(app.clone())),
        Arc::new(Faults::default()),
        app.clock.clone(),
        app.entropy.clone(),
        ChatSettings::default(),
    ))
}

/// Gives an instance a new token of its own, as its gateway would hold it.
///
/// # Panics
///
/// When there is no such instance.
pub async fn instance_token(app: &App, id: InstanceId) -> SecretString {
    let token = Token::generate(TokenKind::Instance, &*app.entropy);
    app.store
        .tx("testing.instance_token", async |tx: Tx| {
            let mut row = instances::get(&tx, id).await?;
            row.instance_token_hash = token.hash();
            instances::update(&tx, &row).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .expect("a row to change");
    token.into_secret()
}

/// Lets an instance be gone at once, as if its gateway had been stopped and its files removed.
///
/// # Panics
///
/// When the database fails.
pub async fn forget_instance(app: &App, id: InstanceId) {
    app.store
        .tx("testing.forget_instance", async |tx: Tx| {
            instances::set_deleted(&tx, id, app.clock.now()).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .expect("a row to change");
}

/// The pinned engine, said to be installed. Nothing of it is on the disk.
///
/// # Panics
///
/// When the database fails.
pub async fn installed_engine(app: &App) -> EngineId {
    let row = engine::register(app).await.expect("a row");
    let row = Engine {
        state: EngineState::Installed,
        ..row
    };
    app.store
        .tx("testing.engine", async |tx: Tx| {
            engines::update(&tx, &row).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .expect("a row to change");
    row.id
}

/// The engine that [`other_engine`] adds.
///
/// # Panics
///
/// Never: it is an id.
#[must_use]
pub fn other_engine_id() -> EngineId {
    "eng_00000000000000000000000007".parse().expect("an id")
}

/// Adds a second engine, which counts as installed.
///
/// # Panics
///
/// When the database fails.
pub async fn other_engine(app: &App) {
    let row = Engine {
        id: other_engine_id(),
        version: "2027.1.0".into(),
        digest: "other".into(),
        state: EngineState::Installed,
        ..engine::register(app).await.expect("a row")
    };
    app.store
        .tx("testing.other_engine", async |tx: Tx| {
            engines::insert(&tx, &row).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .expect("a row");
}

/// Has an operation be stuck in its first step.
///
/// # Panics
///
/// When there is none.
pub async fn get_stuck(app: &App, id: OperationId) {
    app.store
        .tx("testing.get_stuck", async |tx: Tx| {
            let mut row = operations::get(&tx, id).await?;
            row.state = OperationState::Stuck;
            row.reason = Some("a fault".to_owned());
            operations::update(&tx, &row).await?;
            let mut step = operations::steps(&tx, id).await?.remove(0);
            step.state = StepState::Failed;
            operations::update_step(&tx, &step).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .expect("a row to change");
}

/// An identity provider that is offered and never answers; the use case would ask it for its discovery document first.
///
/// # Panics
///
/// When the database fails.
pub async fn identity_provider(app: &App) -> IdentityProviderId {
    let now = app.clock.now();
    let id: IdentityProviderId = app.new_id();
    let row = IdentityProvider {
        id,
        organization_id: app.organization_id,
        name: id.to_string().parse().expect("a label"),
        issuer: format!("https://{id}.example.org").replace('_', "-"),
        client_id: "fractal".into(),
        client_secret: None,
        scopes: vec!["profile".into()],
        enabled: true,
        auto_provision: false,
        allow_private_network: false,
        created_at: now,
        updated_at: now,
    };
    app.store
        .tx("testing.identity_provider", async |tx: Tx| {
            identity_providers::insert(&tx, &row).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .expect("a new row");
    row.id
}

/// Links somebody to an account at an identity provider, as coming back from it would.
///
/// # Panics
///
/// When the database fails or there is no such provider.
pub async fn link(app: &App, user_id: UserId, provider: IdentityProviderId) {
    app.store
        .tx("testing.link", async |tx: Tx| {
            let row = Credential {
                id: app.new_id(),
                user_id,
                kind: CredentialKind::Oidc,
                secret_hash: None,
                issuer: Some(identity_providers::get(&tx, provider).await?.issuer),
                subject: Some(user_id.to_string()),
                created_at: app.clock.now(),
                reset_by: None,
                reset_at: None,
            };
            credentials::insert(&tx, &row).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .expect("a new row");
}

#[derive(Debug)]
struct Access(App);

#[async_trait]
impl InstanceAccess for Access {
    async fn ensure_ready(
        &self,
        actor: &Actor,
        id: InstanceId,
        _progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Gateway, ChatFailure> {
        instance::ensure_ready(&self.0, &Context::of(actor.clone()), id, &|_| {})
            .await
            .map_err(failure)
    }

    async fn if_awake(
        &self,
        actor: &Actor,
        id: InstanceId,
    ) -> Result<Option<Gateway>, ChatFailure> {
        let cx = Context::of(actor.clone());
        instance::if_awake(&self.0, &cx, Action::ChatRead, id)
            .await
            .map_err(failure)
    }

    fn busy(&self, id: InstanceId) -> Box<dyn Any + Send + Sync> {
        Box::new(instance::note_use(&self.0, id))
    }
}

fn failure(error: fractal_app::Error) -> ChatFailure {
    let code: ProblemCode = error.code;
    ChatFailure::new(code, error.detail.unwrap_or_default())
}
