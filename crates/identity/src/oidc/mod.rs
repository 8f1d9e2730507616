//! Sign-in through an OpenID provider: authorization code with PKCE (S256) and nonce.
//!
//! Every step is stateless: what must survive between the browser leaving and coming back is
//! returned by [`Oidc::start`] and handed to [`Oidc::finish`]. The provider is described anew for
//! each step, so rotated keys need no restart; steps at the same time share one description. All requests go through the outbound client.

mod discoveries;
mod error;
mod http;

use chrono::{DateTime, TimeDelta, Utc};
use fractal_clock::{SharedClock, SharedEntropy, random};
use fractal_connect::{AddressRule, Outbound};
use futures::FutureExt;
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
    core::{
        CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdTokenClaims,
        CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
    },
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::Url;

pub use discoveries::Discoveries;
pub use error::OidcError;
use http::Http;

/// How far the provider's clock may be ahead of or behind ours.
const SKEW: TimeDelta = TimeDelta::seconds(60);

/// What an administrator entered about a provider.
#[derive(Debug, Clone)]
pub struct ProviderSettings {
    /// The issuer, exactly as the provider spells it.
    pub issuer: String,
    /// Our id at the provider.
    pub client_id: String,
    /// Our secret there; none for a public client.
    pub client_secret: Option<SecretString>,
    /// Scopes beside `openid`; usually `email` and `profile`.
    pub scopes: Vec<String>,
    /// Whether an administrator permitted a private address.
    pub rule: AddressRule,
}

/// What a sign-in must remember until the browser comes back. Keep the verifier sealed.
#[derive(Debug, Clone)]
pub struct PendingSignIn {
    /// [`state_hash`] of the state sent along.
    pub state_hash: String,
    /// What must come back in the id token.
    pub nonce: String,
    /// The PKCE verifier.
    pub pkce_verifier: SecretString,
}

/// A sign-in that began.
#[derive(Debug, Clone)]
pub struct StartedSignIn {
    /// Where to send the browser. Holds the state; do not log.
    pub authorize_url: Url,
    /// What to remember.
    pub pending: PendingSignIn,
}

/// The query the browser came back with.
#[derive(Debug, Clone, Default)]
pub struct Callback {
    /// `state`
    pub state: Option<String>,
    /// `code`
    pub code: Option<String>,
    /// `error`
    pub error: Option<String>,
    /// `iss` (RFC 9207)
    pub iss: Option<String>,
}

/// Who the provider says it was. Accounts are linked by issuer and subject, never by mail address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcIdentity {
    /// The issuer.
    pub issuer: String,
    /// The person's id there.
    pub subject: String,
    /// A mail address, when the provider gave one.
    pub email: Option<String>,
    /// Whether the provider says it verified the address.
    pub email_verified: bool,
    /// A name to show.
    pub name: Option<String>,
    /// The name they sign in with there, when the provider gave one. A wish and no key: it may change and is not unique.
    pub username: Option<String>,
}

impl OidcIdentity {
    const fn lacks_something(&self) -> bool {
        self.email.is_none() || self.name.is_none() || self.username.is_none()
    }
}

/// What a working provider said about itself, for the test in the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderDescription {
    /// The issuer it claims to be.
    pub issuer: String,
    /// Where browsers are sent.
    pub authorization_endpoint: Url,
}

/// The hash under which a flow is found again; hex SHA-256 of the `state`.
#[must_use]
pub fn state_hash(state: &str) -> String {
    Sha256::digest(state.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The relying party.
#[derive(Debug, Clone)]
pub struct Oidc {
    outbound: Outbound,
    clock: SharedClock,
    entropy: SharedEntropy,
    discoveries: Discoveries,
}

impl Oidc {
    /// Makes one; it keeps no state.
    #[must_use]
    pub fn new(outbound: Outbound, clock: SharedClock, entropy: SharedEntropy) -> Self {
        Self {
            outbound,
            clock,
            entropy,
            discoveries: Discoveries::default(),
        }
    }

    /// The same, which joins questions to providers that are under way there.
    #[must_use]
    pub fn sharing(self, discoveries: Discoveries) -> Self {
        Self {
            discoveries,
            ..self
        }
    }

    /// Asks the provider to describe itself: the live test of the settings.
    ///
    /// # Errors
    /// See [`OidcError`].
    pub async fn discover(
        &self,
        issuer: &str,
        rule: AddressRule,
    ) -> Result<ProviderDescription, OidcError> {
        let metadata = self.metadata(issuer, rule).await?;
        Ok(ProviderDescription {
            issuer: metadata.issuer().to_string(),
            authorization_endpoint: metadata.authorization_endpoint().url().clone(),
        })
    }

    /// Begins a sign-in.
    ///
    /// # Errors
    /// See [`OidcError`].
    pub async fn start(
        &self,
        provider: &ProviderSettings,
        redirect_uri: &Url,
    ) -> Result<StartedSignIn, OidcError> {
        let metadata = self.metadata(&provider.issuer, provider.rule).await?;
        let client = client(metadata, provider, redirect_uri);
        let verifier = PkceCodeVerifier::new(self.random_text());
        let (state, nonce) = (self.random_text(), self.random_text());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let (authorize_url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                || CsrfToken::new(state),
                || Nonce::new(nonce),
            )
            .add_scopes(
                provider
                    .scopes
                    .iter()
                    .filter(|scope| *scope != "openid")
                    .cloned()
                    .map(Scope::new),
            )
            .set_pkce_challenge(challenge)
            .url();
        Ok(StartedSignIn {
            authorize_url,
            pending: PendingSignIn {
                state_hash: state_hash(state.secret()),
                nonce: nonce.secret().clone(),
                pkce_verifier: verifier.into_secret().into(),
            },
        })
    }

    /// Ends a sign-in: exchanges the code and verifies who it was.
    ///
    /// # Errors
    /// See [`OidcError`]; nobody is signed in then.
    pub async fn finish(
        &self,
        provider: &ProviderSettings,
        redirect_uri: &Url,
        pending: PendingSignIn,
        callback: Callback,
    ) -> Result<OidcIdentity, OidcError> {
        let state = callback.state.as_deref().unwrap_or_default();
        let same = state_hash(state)
            .as_bytes()
            .ct_eq(pending.state_hash.as_bytes());
        if !bool::from(same) {
            return Err(OidcError::State);
        }
        if let Some(code) = callback.error {
            return Err(OidcError::declined(&code));
        }
        if callback.iss.is_some_and(|iss| iss != provider.issuer) {
            return Err(OidcError::Issuer);
        }
        let code = callback.code.ok_or(OidcError::State)?;

        let metadata = self.metadata(&provider.issuer, provider.rule).await?;
        let algorithms = signing_algorithms(&metadata);
        let client = client(metadata, provider, redirect_uri);
        let http = self.http(provider.rule);
        let verifier = PkceCodeVerifier::new(pending.pkce_verifier.expose_secret().to_owned());
        let tokens = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|_| OidcError::Description)?
            .set_pkce_verifier(verifier)
            .request_async(&http)
            .await
            .map_err(OidcError::exchange)?;
        let nonce = Nonce::new(pending.nonce);
        let claims = self.verified(&client, &tokens, &nonce, algorithms)?;
        let mut identity = OidcIdentity {
            issuer: provider.issuer.clone(),
            subject: claims.subject().to_string(),
            email: claims.email().map(|email| email.to_string()),
            email_verified: claims.email_verified().unwrap_or(false),
            name: claims
                .name()
                .and_then(|name| name.get(None))
                .map(|name| name.to_string()),
            username: claims.preferred_username().map(|name| name.to_string()),
        };
        // Providers that follow the letter of the standard give these only at the userinfo endpoint.
        if identity.lacks_something()
            && let Ok(request) = client.user_info(
                tokens.access_token().clone(),
                Some(claims.subject().clone()),
            )
        {
            match request.request_async(&http).await {
                Ok(more) => complete(&mut identity, &more),
                // Who it was is proven; what is missing is only for show.
                Err(_) => {
                    tracing::warn!("the sign-in provider gave no answer at its userinfo endpoint")
                }
            }
        }
        Ok(identity)
    }

    fn verified<'t>(
        &self,
        client: &Client,
        tokens: &'t CoreTokenResponse,
        nonce: &Nonce,
        algorithms: Vec<CoreJwsSigningAlgorithm>,
    ) -> Result<&'t CoreIdTokenClaims, OidcError> {
        let id_token = tokens.id_token().ok_or(OidcError::NoIdToken)?;
        let now = DateTime::<Utc>::from_timestamp_micros(self.clock.now().as_micros())
            .ok_or(OidcError::Expired)?;
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(algorithms)
            .set_time_fn(move || now - SKEW)
            .set_issue_time_verifier_fn(move |issued| {
                if issued > now + SKEW {
                    Err("issued in the future".to_owned())
                } else {
                    Ok(())
                }
            });
        let claims = id_token
            .claims(&verifier, nonce)
            .map_err(|why| OidcError::claims(&why))?;
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|_| OidcError::Signature)?;
            let key = id_token
                .signing_key(&verifier)
                .map_err(|_| OidcError::Signature)?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                .map_err(|_| OidcError::Signature)?;
            if actual != *expected {
                return Err(OidcError::Signature);
            }
        }
        Ok(claims)
    }

    async fn metadata(
        &self,
        issuer: &str,
        rule: AddressRule,
    ) -> Result<CoreProviderMetadata, OidcError> {
        let url = IssuerUrl::new(issuer.to_owned()).map_err(|_| OidcError::IssuerUrl)?;
        let http = self.http(rule);
        let ask = async move {
            CoreProviderMetadata::discover_async(url, &http)
                .await
                .map_err(OidcError::discovery)
        };
        self.discoveries.join(issuer, rule, ask.boxed()).await
    }

    fn http(&self, rule: AddressRule) -> Http {
        Http {
            outbound: self.outbound.clone(),
            rule,
        }
    }

    /// 256 random bits as text that fits a URL.
    fn random_text(&self) -> String {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        URL_SAFE_NO_PAD.encode(random::<32>(&*self.entropy))
    }
}

fn client(
    metadata: CoreProviderMetadata,
    provider: &ProviderSettings,
    redirect_uri: &Url,
) -> Client {
    use CoreClientAuthMethod::{ClientSecretBasic, ClientSecretPost};
    // The standard's default is basic; some providers only know the other way.
    let only_post = metadata
        .token_endpoint_auth_methods_supported()
        .is_some_and(|known| {
            known.contains(&ClientSecretPost) && !known.contains(&ClientSecretBasic)
        });
    let secret = provider
        .client_secret
        .as_ref()
        .map(|secret| ClientSecret::new(secret.expose_secret().to_owned()));
    CoreClient::from_provider_metadata(metadata, ClientId::new(provider.client_id.clone()), secret)
        .set_auth_type(if only_post {
            AuthType::RequestBody
        } else {
            AuthType::BasicAuth
        })
        .set_redirect_uri(RedirectUrl::from_url(redirect_uri.clone()))
}

/// What the provider signs with, as far as it is a real signature: neither `none` nor a keyed hash,
/// which whoever knows the client's secret could make.
fn signing_algorithms(metadata: &CoreProviderMetadata) -> Vec<CoreJwsSigningAlgorithm> {
    use CoreJwsSigningAlgorithm as Algorithm;
    metadata
        .id_token_signing_alg_values_supported()
        .iter()
        .filter(|algorithm| {
            !matches!(
                algorithm,
                Algorithm::None
                    | Algorithm::HmacSha256
                    | Algorithm::HmacSha384
                    | Algorithm::HmacSha512
            )
        })
        .cloned()
        .collect()
}

fn complete(identity: &mut OidcIdentity, more: &CoreUserInfoClaims) {
    if identity.email.is_none() {
        identity.email = more.email().map(|email| email.to_string());
        identity.email_verified = more.email_verified().unwrap_or(false);
    }
    if identity.name.is_none() {
        identity.name = more
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.to_string());
    }
    if identity.username.is_none() {
        identity.username = more.preferred_username().map(|name| name.to_string());
    }
}
