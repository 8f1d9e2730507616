//! Where a model call of an instance goes: owner, provider, real model and key are bound here, at the broker, and nowhere else.

mod remembered;

pub use remembered::Remembered;

use fractal_api_types::{ProviderFault, ProviderFaultCode};
use fractal_crypto::{Token, TokenHash, TokenKind};
use fractal_policy::Action;
use fractal_store::{Tx, instances, profiles, providers};
use fractal_types::{Actor, InstanceId, Principal, ProviderId, ProviderKind, Via, Wire};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{App, Context, Error, Result, lookup::instance_resource, provider, user};

/// The one model name that gateways know.
const USUAL: &str = "default";

/// The way a call takes.
#[derive(Debug, Clone)]
pub struct Route {
    /// The provider.
    pub provider_id: ProviderId,
    /// Its kind.
    pub kind: ProviderKind,
    /// Its address.
    pub base_url: String,
    /// Its key, for this call only.
    pub api_key: Option<SecretString>,
    /// The model as the provider calls it.
    pub model: String,
    /// Whether a private or loopback address is allowed.
    pub allow_private: bool,
}

/// The context of an instance acting by its own token.
fn context_of(app: &App, id: InstanceId) -> Context {
    Context::of(Actor {
        principal: Principal::Instance(id),
        organization_id: app.organization_id,
        role: None,
        via: Via::InstanceToken,
        scopes: None,
    })
}

/// Whose token this is; `None` when it is nobody's.
///
/// # Errors
///
/// When the database fails.
pub async fn token_owner(app: &App, token: &SecretString) -> Result<Option<InstanceId>> {
    // A string that is no instance token at all need not cost a query.
    if Token::parse_kind(token.expose_secret(), TokenKind::Instance).is_err() {
        return Ok(None);
    }
    let hash = TokenHash::of(token.expose_secret());
    let now = app.clock.now();
    if let Some(owner) = app.remembered.owner(hash, now) {
        return Ok(Some(owner));
    }
    let asked = app.remembered.asked();
    let found = instances::find_by_token_hash(&app.store.read(), hash).await?;
    if let Some(row) = &found {
        app.remembered.keep_owner(asked, hash, row.id, now);
    }
    Ok(found.map(|row| row.id))
}

/// Where a call of this alias on this wire goes.
///
/// # Errors
///
/// Why there is no way, in words for the person who chats.
pub async fn route(
    app: &App,
    id: InstanceId,
    wire: Wire,
    alias: &str,
) -> std::result::Result<Route, ProviderFault> {
    let now = app.clock.now();
    let usual = alias == USUAL;
    if usual && let Some(route) = app.remembered.route(id, wire, now) {
        return Ok(route);
    }
    let asked = app.remembered.asked();
    let found = find_route(app, id, wire, alias)
        .await
        .unwrap_or_else(|error| {
            tracing::error!(instance.id = %id, "a model call could not be routed: {error}");
            Err(fault(
                ProviderFaultCode::ProviderError,
                "The model settings could not be read.",
                "Try again in a moment.",
            ))
        });
    // Refusals are not kept: whoever mends the cause wants to see it mended.
    if usual && let Ok(route) = &found {
        app.remembered.keep_route(asked, id, wire, route, now);
    }
    found
}

async fn find_route(
    app: &App,
    id: InstanceId,
    wire: Wire,
    alias: &str,
) -> Result<std::result::Result<Route, ProviderFault>> {
    let db = app.store.read();
    let row = instances::find(&db, id)
        .await?
        .filter(|row| row.deleted_at.is_none())
        .ok_or_else(Error::not_found)?;
    app.require(
        &context_of(app, id),
        Action::ModelUse,
        &instance_resource(&row),
    )?;
    if !user::is_active(&db, row.user_id).await? {
        return Ok(Err(fault(
            ProviderFaultCode::NotConfigured,
            "The account of this agent's owner is suspended.",
            "Ask an administrator.",
        )));
    }
    if alias != USUAL {
        return Ok(Err(fault(
            ProviderFaultCode::ModelUnknown,
            &format!("The agent asked for a model named \"{alias}\", which does not exist here."),
            "Choose the model under Settings / Agent.",
        )));
    }
    let profile = profiles::find_by_user(&db, row.user_id).await?;
    let assigned = profile
        .as_ref()
        .and_then(|profile| profile.provider_id.zip(profile.model.clone()));
    let unassigned = || {
        fault(
            ProviderFaultCode::NotConfigured,
            "No model is assigned to this agent.",
            "Choose a provider and a model under Settings / Agent.",
        )
    };
    let Some((provider_id, model)) = assigned else {
        return Ok(Err(unassigned()));
    };
    let Some(provider) = provider::usable(app, &db, provider_id, row.user_id).await? else {
        return Ok(Err(unassigned()));
    };
    if provider.wire != wire {
        return Ok(Err(fault(
            ProviderFaultCode::BadRequest,
            "The agent still uses the wire of another provider.",
            "Wait a moment until it has taken over the new settings, or restart it.",
        )));
    }
    let api_key = app.open_provider_key(&db, &provider).await?;
    if api_key.is_none() && provider.kind.needs_key() {
        return Ok(Err(fault(
            ProviderFaultCode::KeyMissing,
            &format!("No key is stored for {}.", provider.name),
            "Enter it under Settings / Providers.",
        )));
    }
    let base_url = provider
        .base_url
        .clone()
        .or_else(|| provider.kind.default_base_url().map(str::to_owned))
        .unwrap_or_default();
    Ok(Ok(Route {
        provider_id,
        kind: provider.kind,
        base_url,
        api_key,
        model,
        allow_private: provider.private_network,
    }))
}

fn fault(code: ProviderFaultCode, message: &str, remedy: &str) -> ProviderFault {
    ProviderFault {
        code,
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// Notes how a real call went; written only when it differs from what is known.
///
/// # Errors
///
/// When the database fails.
pub async fn note_outcome(
    app: &App,
    instance: InstanceId,
    provider_id: Option<ProviderId>,
    problem: Option<&ProviderFault>,
) -> Result<()> {
    app.live.note_provider(instance, problem.is_none());
    let Some(provider_id) = provider_id else {
        return Ok(());
    };
    let text = problem.map(|fault| format!("{} {}", fault.message, fault.remedy));
    let now = app.clock.now();
    if app
        .remembered
        .knows_outcome(provider_id, text.as_deref(), now)
    {
        return Ok(());
    }
    let asked = app.remembered.asked();
    let Some(known) = providers::find(&app.store.read(), provider_id).await? else {
        return Ok(());
    };
    if known.provider_ok != Some(problem.is_none()) || known.provider_error != text {
        app.store
            .tx("providers.observe", async |tx: Tx| {
                providers::observe(&tx, provider_id, text.is_none(), text.as_deref(), now).await?;
                Ok::<_, Error>(())
            })
            .await?;
    }
    app.remembered.keep_outcome(asked, provider_id, text, now);
    Ok(())
}

/// A valid token came on another instance's socket. That does not happen by accident.
///
/// # Errors
///
/// When the database fails.
pub async fn note_mismatch(app: &App, socket: InstanceId, token_of: InstanceId) -> Result<()> {
    tracing::error!(instance.id = %socket, token_of = %token_of, "an instance presented another instance's token");
    app.record(
        &context_of(app, socket),
        "model.use",
        "instance",
        socket.to_string(),
        "refused",
        json!({}),
        vec![("token_of", json!(token_of.to_string()))],
    )
    .await
}
