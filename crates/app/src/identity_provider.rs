//! OIDC providers people may sign in with. One is asked for its discovery document before it is saved.

use async_trait::async_trait;
use fractal_api_types::{
    CreateIdentityProvider, IdentityProviderView, Page, ProviderFault, ProviderFaultCode,
    ProviderTest, UpdateIdentityProvider,
};
use fractal_connect::AddressRule;
use fractal_identity::oidc::{Oidc, OidcError};
use fractal_policy::{Action, Resource};
use fractal_store::{IdentityProvider, Reads, Tx, identity_providers};
use fractal_types::{IdentityProviderId, Timestamp};
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, check, submit},
};

/// Where identity providers send browsers back to.
pub(crate) const CALLBACK_PATH: &str = "/api/v1/auth/oidc/callback";

/// The rule for addresses of a provider.
pub(crate) const fn rule_of(allow_private: bool) -> AddressRule {
    AddressRule { allow_private }
}

/// The relying party over this house's way outside, clock and randomness.
pub(crate) fn relying_party(app: &App) -> Oidc {
    Oidc::new(app.outbound.clone(), app.clock.clone(), app.entropy.clone())
        .sharing(app.sign_ins.discoveries.clone())
}

const fn resource_of(row: &IdentityProvider) -> Resource {
    Resource::IdentityProvider {
        id: Some(row.id),
        organization: row.organization_id,
    }
}

fn view_of(app: &App, row: IdentityProvider) -> IdentityProviderView {
    // Without a public address the Portal knows better where it was opened.
    let base = app
        .settings()
        .public_url
        .as_ref()
        .map(|url| url.as_str().trim_end_matches('/').to_owned());
    IdentityProviderView {
        id: row.id,
        name: row.name,
        issuer: row.issuer,
        client_id: row.client_id,
        has_client_secret: row.client_secret.is_some(),
        scopes: row.scopes,
        enabled: row.enabled,
        auto_provision: row.auto_provision,
        allow_private_network: row.allow_private_network,
        redirect_uri: format!("{}{CALLBACK_PATH}", base.unwrap_or_default()),
        created_at: row.created_at,
    }
}

async fn found(
    app: &App,
    db: &dyn Reads,
    cx: &Context,
    action: Action,
    id: IdentityProviderId,
) -> Result<IdentityProvider> {
    let row = identity_providers::find(db, id)
        .await?
        .ok_or_else(Error::not_found)?;
    app.require(cx, action, &resource_of(&row))?;
    Ok(row)
}

/// All of them: there are few.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context) -> Result<Page<IdentityProviderView>> {
    let organization = cx.actor.organization_id;
    app.require(
        cx,
        Action::IdentityProviderList,
        &Resource::Organization(organization),
    )?;
    let rows = identity_providers::list(&app.store.read(), organization).await?;
    Ok(Page {
        items: rows.into_iter().map(|row| view_of(app, row)).collect(),
        next_cursor: None,
    })
}

/// One.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, id: IdentityProviderId) -> Result<IdentityProviderView> {
    let row = found(app, &app.store.read(), cx, Action::IdentityProviderView, id).await?;
    Ok(view_of(app, row))
}

/// Adds one, after asking it to describe itself.
///
/// # Errors
///
/// Names the field that breaks its rule, `/issuer` when nothing answers there; see [`submit`].
pub async fn create(
    app: &App,
    cx: &Context,
    body: CreateIdentityProvider,
) -> Result<IdentityProviderView> {
    let organization = cx.actor.organization_id;
    check_issuer(&body.issuer)?;
    check_client_id(&body.client_id)?;
    let scopes = body
        .scopes
        .unwrap_or_else(|| vec!["profile".to_owned(), "email".to_owned()]);
    check_scopes(&scopes)?;
    let allow_private_network = body.allow_private_network.unwrap_or(false);
    let future = Resource::IdentityProvider {
        id: None,
        organization,
    };
    // Nobody else has us call an address; the door decides again and records a refusal.
    if !cx.is_assumed() && app.may(cx, Action::IdentityProviderCreate, &future) {
        ask(app, &body.issuer, allow_private_network).await?;
    }
    let row = IdentityProvider {
        id: app.new_id(),
        organization_id: organization,
        name: body.name,
        issuer: body.issuer,
        client_id: body.client_id,
        client_secret: None,
        scopes,
        enabled: true,
        auto_provision: body.auto_provision.unwrap_or(false),
        allow_private_network,
        created_at: app.clock.now(),
        updated_at: app.clock.now(),
    };
    let secret = body
        .client_secret
        .filter(|text| !text.is_empty())
        .map(SecretString::from);
    let row = submit(app, cx, Create { row, secret }).await?;
    Ok(view_of(app, row))
}

struct Create {
    row: IdentityProvider,
    secret: Option<SecretString>,
}

#[async_trait]
impl Change for Create {
    type Output = IdentityProvider;

    fn action(&self) -> Action {
        Action::IdentityProviderCreate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::IdentityProvider {
            id: None,
            organization: self.row.organization_id,
        })
    }

    async fn apply(&self, door: &Door<'_>) -> Result<IdentityProvider> {
        let mut row = self.row.clone();
        if let Some(secret) = &self.secret {
            row.client_secret = Some(door.app.seal_client_secret(door.tx, &row, secret).await?);
        }
        identity_providers::insert(door.tx, &row)
            .await
            .map_err(taken)?;
        door.made(row.id);
        note(door, &row);
        if self.secret.is_some() {
            door.note("client_secret", "set");
        }
        Ok(row)
    }
}

fn taken(error: fractal_store::Error) -> Error {
    crate::change::taken(error, "this issuer with this client id")
}

fn note(door: &Door<'_>, row: &IdentityProvider) {
    door.note("name", row.name.as_str());
    door.note("issuer", row.issuer.as_str());
    door.note("client_id", row.client_id.as_str());
    door.note("scopes", json!(row.scopes));
    door.note("enabled", row.enabled);
    door.note("auto_provision", row.auto_provision);
    door.note("allow_private_network", row.allow_private_network);
}

/// Changes one. A new issuer clears the stored client secret: it was given to us for the old one.
///
/// # Errors
///
/// Names the field that breaks its rule, `/issuer` when nothing answers there; see [`submit`].
pub async fn update(
    app: &App,
    cx: &Context,
    id: IdentityProviderId,
    body: UpdateIdentityProvider,
) -> Result<IdentityProviderView> {
    let old = found(
        app,
        &app.store.read(),
        cx,
        Action::IdentityProviderUpdate,
        id,
    )
    .await?;
    if let Some(client_id) = &body.client_id {
        check_client_id(client_id)?;
    }
    if let Some(scopes) = &body.scopes {
        check_scopes(scopes)?;
    }
    let issuer = body.issuer.clone().unwrap_or_else(|| old.issuer.clone());
    let private = body
        .allow_private_network
        .unwrap_or(old.allow_private_network);
    // One that is down can still be renamed or switched off.
    if issuer != old.issuer || private != old.allow_private_network {
        check_issuer(&issuer)?;
        // Nobody is called before the approvals are there.
        if !cx.is_assumed() {
            ask(app, &issuer, private).await?;
        }
    }
    let row = submit(
        app,
        cx,
        Update {
            id,
            body,
            now: app.clock.now(),
        },
    )
    .await?;
    Ok(view_of(app, row))
}

struct Update {
    id: IdentityProviderId,
    body: UpdateIdentityProvider,
    now: Timestamp,
}

#[async_trait]
impl Change for Update {
    type Output = IdentityProvider;

    fn action(&self) -> Action {
        Action::IdentityProviderUpdate
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(resource_of(
            &identity_providers::find(tx, self.id)
                .await?
                .ok_or_else(Error::not_found)?,
        ))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<IdentityProvider> {
        let (mut row, body) = (
            identity_providers::get(door.tx, self.id).await?,
            self.body.clone(),
        );
        if let Some(issuer) = body.issuer
            && issuer != row.issuer
        {
            row.issuer = issuer;
            row.client_secret = None;
        }
        row.name = body.name.unwrap_or(row.name);
        row.client_id = body.client_id.unwrap_or(row.client_id);
        row.scopes = body.scopes.unwrap_or(row.scopes);
        row.enabled = body.enabled.unwrap_or(row.enabled);
        row.auto_provision = body.auto_provision.unwrap_or(row.auto_provision);
        row.allow_private_network = body
            .allow_private_network
            .unwrap_or(row.allow_private_network);
        row.updated_at = self.now;
        match body.client_secret.map(SecretString::from) {
            Some(secret) if is_empty(&secret) => {
                row.client_secret = None;
                door.note("client_secret", "removed");
            }
            Some(secret) => {
                door.note("client_secret", "replaced");
                row.client_secret =
                    Some(door.app.seal_client_secret(door.tx, &row, &secret).await?);
            }
            None => {}
        }
        identity_providers::update(door.tx, &row)
            .await
            .map_err(taken)?;
        note(door, &row);
        Ok(row)
    }
}

fn is_empty(secret: &SecretString) -> bool {
    use secrecy::ExposeSecret;

    secret.expose_secret().is_empty()
}

/// Deletes one. Links of accounts to it stay, so that adding it again restores them.
///
/// # Errors
///
/// See [`submit`].
pub async fn delete(app: &App, cx: &Context, id: IdentityProviderId) -> Result<()> {
    submit(app, cx, Delete { id }).await
}

struct Delete {
    id: IdentityProviderId,
}

#[async_trait]
impl Change for Delete {
    type Output = ();

    fn action(&self) -> Action {
        Action::IdentityProviderDelete
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(resource_of(
            &identity_providers::find(tx, self.id)
                .await?
                .ok_or_else(Error::not_found)?,
        ))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        let row = identity_providers::get(door.tx, self.id).await?;
        identity_providers::delete(door.tx, self.id).await?;
        door.note("issuer", json!(row.issuer));
        Ok(())
    }
}

/// Asks one to describe itself.
///
/// # Errors
///
/// See [`App::require`]; a provider that fails is part of the answer, not an error.
pub async fn test(app: &App, cx: &Context, id: IdentityProviderId) -> Result<ProviderTest> {
    let row = found(
        app,
        &app.store.read(),
        cx,
        Action::IdentityProviderUpdate,
        id,
    )
    .await?;
    let began = app.clock.now();
    let answer = relying_party(app)
        .discover(&row.issuer, rule_of(row.allow_private_network))
        .await;
    let latency_ms = u64::try_from(app.clock.now().since(began).as_millis()).unwrap_or(u64::MAX);
    let error = answer.err().map(|error| fault(&error));
    Ok(ProviderTest {
        ok: error.is_none(),
        latency_ms,
        models: Vec::new(),
        error,
    })
}

fn fault(error: &OidcError) -> ProviderFault {
    // Cause and remedy stand in one sentence there, parted by a semicolon.
    let text = error.to_string();
    let (message, remedy) = text
        .split_once("; ")
        .unwrap_or((&text, "check the issuer in the settings"));
    let code = match error {
        OidcError::Unreachable(_) => ProviderFaultCode::Unreachable,
        OidcError::IssuerUrl | OidcError::Refused(_) => ProviderFaultCode::AddressRefused,
        _ => ProviderFaultCode::ProviderError,
    };
    ProviderFault {
        code,
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    }
}

async fn ask(app: &App, issuer: &str, allow_private: bool) -> Result<()> {
    relying_party(app)
        .discover(issuer, rule_of(allow_private))
        .await
        .map(drop)
        .map_err(|error| Error::field("/issuer", error.to_string()).because(error))
}

fn check_issuer(text: &str) -> Result<()> {
    let plain = text.len() <= 2000
        && Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
    check(
        plain,
        "/issuer",
        "must be an http or https address without user, query and fragment",
    )
}

fn check_client_id(text: &str) -> Result<()> {
    let valid = (1..=500).contains(&text.len()) && !text.chars().any(char::is_control);
    check(valid, "/client_id", "must be 1 to 500 characters")
}

/// Scope tokens as OAuth has them (RFC 6749 section 3.3).
fn check_scopes(scopes: &[String]) -> Result<()> {
    check(scopes.len() <= 20, "/scopes", "must be at most 20")?;
    for (index, scope) in scopes.iter().enumerate() {
        let valid = (1..=200).contains(&scope.len())
            && scope
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\');
        check(
            valid,
            &format!("/scopes/{index}"),
            "must be printable ASCII without spaces",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use fractal_connect::{AddressKind, Refusal};

    use super::*;

    #[test]
    fn an_address_that_may_not_be_called_is_told_with_the_setting_that_permits_it() {
        let why = Refusal::Address(AddressKind::Private);
        let told = fault(&OidcError::Refused(why));
        assert_eq!(told.code, ProviderFaultCode::AddressRefused);
        assert!(told.message.contains("private address"), "{told:?}");
        assert_eq!(told.remedy, "turn on allow_private_network for it");
    }
}
