//! Signing in through an OIDC provider.
//!
//! A flow is found again by a hash over its `state` *and* a secret that only the browser that began it holds, so nobody can plant
//! their own half-finished sign-in into another's browser. It works once, for ten minutes. Accounts are found by issuer and subject and
//! nothing else: a mail address proves nothing across providers.
//!
//! Everybody may begin one, so what that costs us is bounded: how many an address begins, how many are kept, and that providers are asked
//! once for all who ask at the same time.

mod account;
mod fault;
mod starts;
mod unlink;

use std::time::Duration;

use fractal_api_types::{FieldError, ProblemCode, SignInReason};
use fractal_clock::random;
use fractal_crypto::TokenHash;
use fractal_identity::oidc::{self, Discoveries, OidcError, PendingSignIn, ProviderSettings};
use fractal_store::{IdentityProvider, OidcFlow, Tx, identity_providers, oidc_flows};
use fractal_types::{BrowserSessionId, IdentityProviderId, Principal};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

pub use unlink::unlink;

use self::{fault::Fault, starts::Starts};
use crate::{
    App, ClientInfo, Context, Error, Result,
    identity_provider::{CALLBACK_PATH, relying_party, rule_of},
    me,
    session::{self, SignedIn},
};

/// How long somebody may take at the identity provider.
const FLOW_LIFETIME: Duration = Duration::from_secs(10 * 60);

/// How long a flow that is over is remembered: whoever comes back too late is led on to the page they wanted when they sign in anew.
pub const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// More sign-ins than this are not on their way at once; the oldest give way. What one address may begin within their lifetime is a
/// small part of it, so nobody alone drives out others.
const MOST_FLOWS: u64 = 5_000;
const MAX_RETURN_TO: usize = 500;

/// What is known in memory about sign-ins on their way.
#[derive(Debug, Default)]
pub struct SignIns {
    starts: Starts,
    /// Questions to providers that are under way.
    pub(crate) discoveries: Discoveries,
}

/// A sign-in that began.
#[derive(Debug)]
pub struct Started {
    /// Where to send the browser.
    pub url: Url,
    /// What the browser keeps in a cookie until it comes back.
    pub browser_secret: SecretString,
}

/// What the browser comes back with.
#[derive(Debug, Default)]
pub struct Callback {
    /// The authorization code.
    pub code: Option<SecretString>,
    /// Our state.
    pub state: Option<SecretString>,
    /// Why the provider refused.
    pub error: Option<String>,
    /// Who the provider says it is (RFC 9207): an answer of another one is refused before its code is used.
    pub iss: Option<String>,
    /// The cookie from [`Started`].
    pub browser_secret: Option<SecretString>,
    /// The session this browser is signed in with now.
    pub session_id: Option<BrowserSessionId>,
}

/// A sign-in that succeeded.
#[derive(Debug)]
pub struct Finished {
    /// The new session.
    pub session: SignedIn,
    /// A path of our own to go to.
    pub return_to: String,
}

/// A sign-in that did not come about.
#[derive(Debug)]
pub struct Refused {
    /// What went wrong.
    pub error: Error,
    /// The way back that was asked for: a path of our own, none while it is not known.
    pub return_to: Option<String>,
}

impl Refused {
    /// Why, when it was the sign-in itself that failed.
    #[must_use]
    pub fn reason(&self) -> Option<SignInReason> {
        fault::reason_of(&self.error)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            error,
            return_to: None,
        }
    }
}

/// Begins a sign-in. With `linking`, the account at the provider is linked to that person instead.
///
/// `base_url` is the address the browser uses for us, without a slash at the end.
///
/// # Errors
///
/// `not-found` for a provider that is not offered, `invalid-parameter` for a foreign `return_to`, `too-many-attempts` when this address
/// begins too many, `sign-in-failed` when the provider does not answer.
pub async fn start(
    app: &App,
    id: IdentityProviderId,
    return_to: Option<&str>,
    linking: Option<&Context>,
    client: &ClientInfo,
    base_url: &str,
) -> std::result::Result<Started, Refused> {
    let return_to = local_path(return_to.unwrap_or("/"))?;
    begin(app, id, &return_to, linking, client, base_url)
        .await
        .map_err(|error| Refused {
            error,
            return_to: Some(return_to),
        })
}

async fn begin(
    app: &App,
    id: IdentityProviderId,
    return_to: &str,
    linking: Option<&Context>,
    client: &ClientInfo,
    base_url: &str,
) -> Result<Started> {
    app.sign_ins.starts.note(client.address, app.clock.now())?;
    let row = identity_providers::find(&app.store.read(), id).await?;
    let row = row
        .filter(|row| row.enabled && row.organization_id == app.organization_id)
        .ok_or_else(Error::not_found)?;
    // Linking is for a person at a browser; a program with a token gets an ordinary sign-in.
    let (link_user_id, link_session_id) = linking
        .and_then(|cx| cx.actor.user_id().zip(cx.session_id))
        .unzip();
    if link_user_id.is_some()
        && let Some(cx) = linking
        && !me::is_fresh(app, cx).await?
    {
        return Err(Fault::LinkStale.into());
    }
    let settings = settings_of(app, &row).await?;
    let begun = relying_party(app)
        .start(&settings, &redirect_uri(base_url)?)
        .await
        .map_err(Fault::from)?;
    let state = begun
        .authorize_url
        .query_pairs()
        .find(|(name, _)| name == "state")
        .map(|(_, value)| SecretString::from(value.into_owned()))
        .ok_or_else(|| Error::internal("the authorization address has no state"))?;
    let browser_secret = SecretString::from(hex(&random::<32>(&*app.entropy)));
    let (key, now) = (flow_key(&state, &browser_secret), app.clock.now());
    app.store
        .tx("oidc.start", async |tx: Tx| {
            oidc_flows::delete_expired(&tx, now.before(REMEMBERED)).await?;
            let flow = OidcFlow {
                state_hash: key.clone(),
                identity_provider_id: id,
                nonce: begun.pending.nonce.clone(),
                pkce_verifier: app
                    .seal_pkce_verifier(&tx, &key, &begun.pending.pkce_verifier)
                    .await?,
                return_to: return_to.to_owned(),
                link_user_id,
                link_session_id,
                created_at: now,
                expires_at: now.after(FLOW_LIFETIME),
            };
            oidc_flows::insert(&tx, &flow).await?;
            oidc_flows::delete_oldest(&tx, MOST_FLOWS).await?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(Started {
        url: begun.authorize_url,
        browser_secret,
    })
}

/// Ends a sign-in.
///
/// # Errors
///
/// `sign-in-failed` with the cause.
pub async fn finish(
    app: &App,
    callback: Callback,
    client: &ClientInfo,
    base_url: &str,
) -> std::result::Result<Finished, Refused> {
    let taken = take(app, &callback).await;
    let return_to = taken
        .as_ref()
        .ok()
        .map(|taken| taken.flow.return_to.clone());
    let entered = match taken {
        Ok(taken) => complete(app, taken, callback, client, base_url).await,
        Err(error) => Err(error),
    };
    match entered {
        Ok(session) => Ok(Finished {
            session,
            return_to: return_to.unwrap_or_else(|| "/".to_owned()),
        }),
        Err(error) => {
            if error.code == ProblemCode::SignInFailed {
                let cx = session::browser(app, Principal::System);
                let values = vec![("how", Value::from("oidc"))];
                app.record(
                    &cx,
                    "session.sign_in",
                    "user",
                    String::new(),
                    "refused",
                    json!({}),
                    values,
                )
                .await?;
            }
            Err(Refused { error, return_to })
        }
    }
}

/// The flow that a browser came back with.
struct Taken {
    flow: OidcFlow,
    key: String,
    state: SecretString,
}

async fn take(app: &App, callback: &Callback) -> Result<Taken> {
    let (Some(state), Some(secret)) = (&callback.state, &callback.browser_secret) else {
        return Err(not_begun());
    };
    let key = flow_key(state, secret);
    // Taken before anything is asked, so that a flow works once however it ends.
    let flow = app
        .store
        .tx("oidc.take", async |tx: Tx| {
            oidc_flows::take(&tx, &key).await
        })
        .await?;
    Ok(Taken {
        flow: flow.ok_or_else(not_begun)?,
        state: state.clone(),
        key,
    })
}

async fn complete(
    app: &App,
    taken: Taken,
    callback: Callback,
    client: &ClientInfo,
    base_url: &str,
) -> Result<SignedIn> {
    let Taken { flow, key, state } = taken;
    if app.clock.now() >= flow.expires_at {
        return Err(not_begun());
    }
    let read = app.store.read();
    let row = identity_providers::find(&read, flow.identity_provider_id)
        .await?
        .filter(|row| row.enabled);
    let row = row.ok_or_else(not_begun)?;
    let pending = PendingSignIn {
        state_hash: oidc::state_hash(state.expose_secret()),
        nonce: flow.nonce.clone(),
        pkce_verifier: app
            .open_pkce_verifier(&read, &key, &flow.pkce_verifier)
            .await?,
    };
    let answer = oidc::Callback {
        state: Some(state.expose_secret().to_owned()),
        code: callback.code.map(|code| code.expose_secret().to_owned()),
        error: callback.error,
        iss: callback.iss,
    };
    let settings = settings_of(app, &row).await?;
    let redirect_uri = redirect_uri(base_url)?;
    let identity = relying_party(app)
        .finish(&settings, &redirect_uri, pending, answer)
        .await
        .map_err(Fault::from)?;
    account::enter(app, &row, &flow, identity, client, callback.session_id).await
}

fn not_begun() -> Error {
    Fault::from(OidcError::State).into()
}

async fn settings_of(app: &App, row: &IdentityProvider) -> Result<ProviderSettings> {
    Ok(ProviderSettings {
        issuer: row.issuer.clone(),
        client_id: row.client_id.clone(),
        client_secret: app.open_client_secret(&app.store.read(), row).await?,
        scopes: row.scopes.clone(),
        rule: rule_of(row.allow_private_network),
    })
}

fn redirect_uri(base_url: &str) -> Result<Url> {
    Url::parse(&format!("{base_url}{CALLBACK_PATH}")).map_err(Error::internal)
}

fn flow_key(state: &SecretString, browser_secret: &SecretString) -> String {
    // The secret is all hex, so the dot parts the two without doubt.
    let text = format!(
        "{}.{}",
        browser_secret.expose_secret(),
        state.expose_secret()
    );
    hex(TokenHash::of(&text).as_bytes())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A path on our own origin. Browsers read `//host` and `/\host` as another one.
fn local_path(text: &str) -> Result<String> {
    let mut rest = text.chars().skip(1);
    let local = text.starts_with('/')
        && !matches!(rest.next(), Some('/' | '\\'))
        && text.len() <= MAX_RETURN_TO
        && !text.chars().any(|c| c.is_control() || c == '\\');
    if local {
        return Ok(text.to_owned());
    }
    let mut error = Error::new(ProblemCode::InvalidParameter);
    error.fields.push(FieldError {
        field: "return_to".into(),
        message: "must be a path of this site".into(),
    });
    Err(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_our_own_are_returned_to() {
        for good in ["/", "/chat", "/settings?tab=account#oidc", "/a//b"] {
            assert_eq!(local_path(good).unwrap(), good);
        }
        for bad in [
            "",
            "chat",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "javascript:x",
        ] {
            assert!(local_path(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_flow_belongs_to_one_state_and_one_browser() {
        let key = |state: &str, secret: &str| flow_key(&state.into(), &secret.into());
        assert_ne!(key("a", "1"), key("a", "2"));
        assert_ne!(key("a", "1"), key("b", "1"));
    }
}
