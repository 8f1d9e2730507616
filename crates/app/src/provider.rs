//! Model providers: whose key, which address, how it was last.

use async_trait::async_trait;
use fractal_api_types::{
    CreateProvider, Page, PageQuery, ProblemCode, ProviderTest, ProviderView, UpdateProvider,
};
use fractal_policy::{Action, Resource};
use fractal_store::{Provider, ProviderMode, Tx, providers};
use fractal_types::{ProviderId, ProviderKind, Timestamp, UserId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use url::Url;

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, check, submit},
    lookup::{page_of, page_request, provider_resource},
    parts::ProbeTarget,
};

const MAX_MODEL_NAME: usize = 200;
const MOST_MODELS: usize = 200;

/// A provider as its owner, or a user of a shared one, sees it.
fn view_of(app: &App, cx: &Context, row: &Provider) -> ProviderView {
    ProviderView {
        id: row.id,
        name: row.name.clone(),
        kind: row.kind,
        wire: row.wire,
        base_url: row.base_url.clone(),
        key_hint: row.key_hint.clone(),
        shared: row.user_id.is_none(),
        deletable: app.may_ask(cx, Action::ProviderDelete, &provider_resource(row)),
        editable: app.may_ask(cx, Action::ProviderUpdate, &provider_resource(row)),
        models: row.models.clone(),
        allow_private_network: row.private_network,
        ok: row.provider_ok,
        error: row.provider_error.clone(),
        checked_at: row.provider_checked_at,
        created_at: row.created_at,
    }
}

/// The caller's providers and those shared with everybody, newest first.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &PageQuery) -> Result<Page<ProviderView>> {
    let owner = cx.user_id()?;
    let organization = cx.actor.organization_id;
    app.require(
        cx,
        Action::ProviderList,
        &Resource::Provider {
            id: None,
            owner: Some(owner),
            organization,
        },
    )?;
    let rows = providers::list(
        &app.store.read(),
        organization,
        Some(owner),
        &page_request(query)?,
    )
    .await?;
    Ok(page_of(rows, |row| view_of(app, cx, &row)))
}

/// One provider.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, id: ProviderId) -> Result<ProviderView> {
    let row = app
        .provider(&app.store.read(), cx, Action::ProviderView, id)
        .await?;
    Ok(view_of(app, cx, &row))
}

/// Adds a provider.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn create(app: &App, cx: &Context, body: CreateProvider) -> Result<ProviderView> {
    let base_url = checked_base_url(body.kind, body.base_url.as_deref())?;
    let key = checked_key(body.kind, body.api_key)?;
    check(
        !(body.kind == ProviderKind::Demo && base_url.is_some()),
        "/base_url",
        "must be absent: the demo provider lives inside",
    )?;
    let row = Provider {
        id: app.new_id(),
        organization_id: cx.actor.organization_id,
        user_id: if body.shared.unwrap_or(false) {
            None
        } else {
            Some(cx.user_id()?)
        },
        name: body.name,
        kind: body.kind,
        wire: body.wire.unwrap_or_else(|| body.kind.default_wire()),
        base_url: base_url.map(|url| url.as_str().trim_end_matches('/').to_owned()),
        api_key: None,
        key_version: None,
        key_hint: key.as_ref().map(hint),
        models: checked_models(body.kind, body.models)?,
        mode: ProviderMode::Broker,
        enabled: true,
        private_network: body.allow_private_network.unwrap_or(false),
        provider_ok: None,
        provider_checked_at: None,
        provider_error: None,
        created_at: app.clock.now(),
        updated_at: app.clock.now(),
    };
    let row = submit(app, cx, Create { row, key }).await?;
    Ok(view_of(app, cx, &row))
}

struct Create {
    row: Provider,
    key: Option<SecretString>,
}

#[async_trait]
impl Change for Create {
    type Output = Provider;

    fn action(&self) -> Action {
        Action::ProviderCreate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::Provider {
            id: None,
            owner: self.row.user_id,
            organization: self.row.organization_id,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Provider> {
        let mut row = self.row.clone();
        if row.private_network {
            check_private(door)?;
        }
        if let Some(key) = &self.key {
            row.api_key = Some(
                door.app
                    .seal_provider_key(door.tx, row.user_id, row.organization_id, row.id, key)
                    .await?,
            );
            row.key_version = Some(1);
        }
        providers::insert(door.tx, &row).await?;
        door.made(row.id);
        note(door, &row);
        Ok(row)
    }
}

fn note(door: &Door<'_>, row: &Provider) {
    door.note("name", row.name.as_str());
    door.note("type", row.kind.as_str());
    door.note("base_url", json!(row.base_url));
    door.note("shared", row.user_id.is_none());
    door.note("models", json!(row.models));
    door.note("wire", json!(row.wire));
    door.note("allow_private_network", row.private_network);
    door.note("key_version", json!(row.key_version));
}

/// Changes a provider; the very next chat uses it.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn update(
    app: &App,
    cx: &Context,
    id: ProviderId,
    body: UpdateProvider,
) -> Result<ProviderView> {
    // Judged before the door only for its words; the door decides again in the transaction.
    let row = app
        .provider(&app.store.read(), cx, Action::ProviderUpdate, id)
        .await?;
    check(
        !(row.kind == ProviderKind::Demo && body.base_url.is_some()),
        "/base_url",
        "must be absent: the demo provider lives inside",
    )?;
    let base_url = match &body.base_url {
        Some(text) => checked_base_url(row.kind, Some(text))?
            .map(|url| url.as_str().trim_end_matches('/').to_owned()),
        None => None,
    };
    let key = match body.api_key {
        Some(key) => checked_key(ProviderKind::OpenaiCompatible, Some(key))?,
        None => None,
    };
    let models = body
        .models
        .map(|models| checked_models(row.kind, Some(models)))
        .transpose()?;
    let change = Update {
        id,
        name: body.name,
        base_url,
        key,
        models,
        wire: body.wire,
        private_network: body.allow_private_network,
        now: app.clock.now(),
    };
    let row = submit(app, cx, change).await?;
    wake_users_of(app, &row).await?;
    Ok(view_of(app, cx, &row))
}

struct Update {
    id: ProviderId,
    name: Option<fractal_types::Label>,
    base_url: Option<String>,
    key: Option<SecretString>,
    models: Option<Vec<String>>,
    wire: Option<fractal_types::Wire>,
    private_network: Option<bool>,
    now: Timestamp,
}

#[async_trait]
impl Change for Update {
    type Output = Provider;

    fn action(&self) -> Action {
        Action::ProviderUpdate
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(provider_resource(
            &providers::find(tx, self.id)
                .await?
                .ok_or_else(Error::not_found)?,
        ))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Provider> {
        let mut row = providers::get(door.tx, self.id).await?;
        if let Some(name) = &self.name {
            row.name = name.clone();
        }
        if self.private_network == Some(true) {
            check_private(door)?;
        }
        if let Some(base_url) = &self.base_url
            && row.base_url.as_ref() != Some(base_url)
        {
            row.base_url = Some(base_url.clone());
            // Leave to reach inwards was given for the address it had; whoever may not give it does not take it elsewhere.
            row.private_network &= may_go_inwards(door);
            // A key goes only to the address it was entered for (design section 8).
            row.api_key = None;
            row.key_hint = None;
            row.key_version = row.key_version.map(|version| version + 1);
        }
        if let Some(key) = &self.key {
            row.api_key = Some(
                door.app
                    .seal_provider_key(door.tx, row.user_id, row.organization_id, row.id, key)
                    .await?,
            );
            row.key_hint = Some(hint(key));
            row.key_version = Some(row.key_version.unwrap_or(0) + 1);
        }
        if let Some(models) = &self.models {
            row.models = models.clone();
        }
        if let Some(wire) = self.wire {
            row.wire = wire;
        }
        if let Some(private) = self.private_network {
            row.private_network = private;
        }
        // What was found out about the provider may not hold any more.
        row.provider_ok = None;
        row.provider_error = None;
        row.provider_checked_at = None;
        row.updated_at = self.now;
        providers::update(door.tx, &row).await?;
        note(door, &row);
        Ok(row)
    }
}

/// Deletes a provider with its key.
///
/// # Errors
///
/// See [`submit`].
pub async fn delete(app: &App, cx: &Context, id: ProviderId) -> Result<()> {
    let row = submit(app, cx, Delete { id }).await?;
    wake_users_of(app, &row).await
}

struct Delete {
    id: ProviderId,
}

#[async_trait]
impl Change for Delete {
    type Output = Provider;

    fn action(&self) -> Action {
        Action::ProviderDelete
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(provider_resource(
            &providers::find(tx, self.id)
                .await?
                .ok_or_else(Error::not_found)?,
        ))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Provider> {
        let row = providers::get(door.tx, self.id).await?;
        providers::delete(door.tx, self.id).await?;
        door.note("name", row.name.as_str());
        Ok(row)
    }
}

/// Makes a tiny call and keeps what was found out.
///
/// # Errors
///
/// See [`App::require`]; a provider that fails is part of the answer, not an error.
pub async fn test(app: &App, cx: &Context, id: ProviderId) -> Result<ProviderTest> {
    let row = app
        .provider(&app.store.read(), cx, Action::ProviderTest, id)
        .await?;
    let target = ProbeTarget {
        kind: row.kind,
        wire: row.wire,
        base_url: row
            .base_url
            .as_deref()
            .and_then(|text| Url::parse(text).ok()),
        api_key: app.open_provider_key(&app.store.read(), &row).await?,
        models: row.models.clone(),
        allow_private: row.private_network,
    };
    let result = app.prober.probe(target).await;
    let error = result
        .error
        .as_ref()
        .map(|fault| format!("{} {}", fault.message, fault.remedy));
    let now = app.clock.now();
    // An observation, not a change: overwritten in place, without evidence (design section 1).
    app.store
        .tx("providers.observe", async |tx: Tx| {
            // Deleted or changed while the call was on its way: then what was found out is about something else.
            let Some(mut fresh) = providers::find(&tx, id)
                .await?
                .filter(|fresh| is_same_way(fresh, &row))
            else {
                return Ok(());
            };
            providers::observe(&tx, id, result.ok, error.as_deref(), now).await?;
            if result.ok && fresh.models.is_empty() {
                fresh.provider_ok = Some(true);
                fresh.provider_error = None;
                fresh.provider_checked_at = Some(now);
                let known = result.models.iter().filter(|name| is_model_name(name));
                fresh.models = known.take(MOST_MODELS).cloned().collect();
                providers::update(&tx, &fresh).await?;
            }
            Ok::<_, Error>(())
        })
        .await?;
    Ok(result)
}

/// Whether a call now would go where it went then, with the same key.
fn is_same_way(now: &Provider, then: &Provider) -> bool {
    (&now.base_url, now.key_version, now.wire) == (&then.base_url, then.key_version, then.wire)
}

/// Has running instances of everybody who may use this provider look at their configuration again: the wire may have changed.
async fn wake_users_of(app: &App, row: &Provider) -> Result<()> {
    crate::instance::wake_configured(app, row.organization_id, row.user_id).await
}

fn checked_base_url(kind: ProviderKind, text: Option<&str>) -> Result<Option<Url>> {
    let Some(text) = text else {
        check(
            !kind.needs_base_url(),
            "/base_url",
            "is needed for this type: the address of the provider's API, such as http://localhost:11434/v1",
        )?;
        return Ok(None);
    };
    let wrong = || {
        Error::field(
            "/base_url",
            "must be an http or https address without user, query and fragment",
        )
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let plain = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    if plain { Ok(Some(url)) } else { Err(wrong()) }
}

fn checked_key(kind: ProviderKind, key: Option<String>) -> Result<Option<SecretString>> {
    let key = key
        .map(|key| key.trim().to_owned())
        .filter(|key| !key.is_empty());
    check(
        key.is_some() || !kind.needs_key(),
        "/api_key",
        "is needed for this type",
    )?;
    if let Some(key) = &key {
        // A key becomes a header; anything else would fail later and less clearly.
        check(
            key.len() <= 4000 && key.bytes().all(|byte| byte.is_ascii_graphic()),
            "/api_key",
            "must be one line of printable ASCII",
        )?;
    }
    Ok(key.map(SecretString::from))
}

fn is_model_name(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= MAX_MODEL_NAME && !name.chars().any(char::is_control)
}

fn checked_models(kind: ProviderKind, models: Option<Vec<String>>) -> Result<Vec<String>> {
    let models = models.unwrap_or_default();
    check(
        models.len() <= MOST_MODELS,
        "/models",
        "must be at most 200",
    )?;
    for (index, model) in models.iter().enumerate() {
        check(
            is_model_name(model),
            &format!("/models/{index}"),
            "must be 1 to 200 characters without control characters",
        )?;
    }
    if kind == ProviderKind::Demo && models.is_empty() {
        return Ok(vec!["demo".to_owned()]);
    }
    Ok(models)
}

/// Only administrators may open the way to private and loopback addresses (design section 8).
fn check_private(door: &Door<'_>) -> Result<()> {
    if !may_go_inwards(door) {
        return Err(Error::new(ProblemCode::Forbidden)
            .detail("only an administrator may allow a provider on a private or loopback address")
            .remedy("ask an administrator to add it as a shared provider"));
    }
    Ok(())
}

/// Whether whoever acts, as they are by now, may have Fractal reach addresses on loopback and private networks.
fn may_go_inwards(door: &Door<'_>) -> bool {
    let (app, cx) = (door.app, door.cx);
    app.may(cx, Action::SettingsUpdate, &Resource::Settings)
}

/// The last characters of a key, enough to recognise it and too few to use it.
fn hint(key: &SecretString) -> String {
    let text = key.expose_secret();
    let shown = if text.len() >= 16 { 4 } else { 0 };
    format!("…{}", &text[text.len() - shown..])
}

/// The provider an owner's agent uses, when it is one they may use.
pub(crate) async fn usable(
    app: &App,
    db: &dyn fractal_store::Reads,
    id: ProviderId,
    user_id: UserId,
) -> Result<Option<Provider>> {
    let row = providers::find(db, id).await?;
    Ok(row.filter(|row| {
        row.enabled
            && row.organization_id == app.organization_id
            && row.user_id.is_none_or(|owner| owner == user_id)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compatible_kinds_need_an_address_and_others_a_key() {
        assert!(checked_base_url(ProviderKind::OpenaiCompatible, None).is_err());
        assert!(
            checked_base_url(ProviderKind::Openai, None)
                .unwrap()
                .is_none()
        );
        assert!(checked_key(ProviderKind::Openai, None).is_err());
        assert!(checked_key(ProviderKind::Demo, None).unwrap().is_none());
    }

    #[test]
    fn addresses_with_a_hidden_user_or_odd_scheme_are_refused() {
        for bad in [
            "ftp://x/",
            "http://user:pw@x/",
            "javascript:alert(1)",
            "x",
            "http://x/?key=1",
        ] {
            assert!(
                checked_base_url(ProviderKind::OpenaiCompatible, Some(bad)).is_err(),
                "{bad}"
            );
        }
        assert!(
            checked_base_url(
                ProviderKind::OpenaiCompatible,
                Some("http://127.0.0.1:11434/v1")
            )
            .is_ok()
        );
    }

    #[test]
    fn a_hint_never_shows_a_short_key() {
        assert_eq!(hint(&SecretString::from("short")), "…");
        assert_eq!(hint(&SecretString::from("sk-0123456789abcdef")), "…cdef");
    }

    #[test]
    fn a_key_that_cannot_be_a_header_is_refused() {
        assert!(checked_key(ProviderKind::Openai, Some("a\nb".into())).is_err());
        assert!(checked_key(ProviderKind::Openai, Some("schlüssel".into())).is_err());
    }
}
