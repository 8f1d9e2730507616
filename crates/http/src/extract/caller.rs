//! Who calls: a browser by its session cookie, a program by its bearer token.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use fractal_api_types::ProblemCode;
use fractal_app::{Context, Proposable};
use http::{header, request::Parts};
use secrecy::SecretString;

use crate::{Server, changes::Asked, perform::Acting, problem::ApiError};

/// Somebody who proved who they are.
#[derive(Debug, Clone)]
pub struct Caller(pub Context);

/// Somebody, or nobody.
#[derive(Debug, Clone)]
pub struct MaybeCaller(pub Option<Context>);

/// Where a request came from, for login limits and the list of sessions.
#[derive(Debug, Clone)]
pub struct Client {
    /// The person's address as far as trusted proxies tell.
    pub address: IpAddr,
    /// Whether it came from this machine, and through no proxy.
    pub is_local: bool,
    /// The browser as it names itself, shortened.
    pub user_agent: Option<String>,
}

impl From<Client> for fractal_app::ClientInfo {
    fn from(client: Client) -> Self {
        Self {
            address: client.address,
            user_agent: client.user_agent,
        }
    }
}

impl FromRequestParts<Server> for Client {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        server: &Server,
    ) -> Result<Self, Self::Rejection> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or_else(|| IpAddr::from([127, 0, 0, 1]), |info| info.0.ip());
        // A proxy may append a line of its own instead of extending the client's: all lines are one list
        // (RFC 9110 section 5.3), and only its end is trusted.
        let forwarded = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect::<Vec<_>>()
            .join(",");
        let forwarded = Some(forwarded.as_str()).filter(|list| !list.is_empty());
        let user_agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(300).collect());
        // Behind a proxy of this machine everybody has a loopback address, whether we were told to trust it or not.
        let came_through = ["x-forwarded-for", "x-real-ip", "forwarded", "via"]
            .iter()
            .any(|name| parts.headers.contains_key(*name));
        Ok(Self {
            address: server.app.settings().client_address(peer, forwarded),
            is_local: peer.to_canonical().is_loopback() && !came_through,
            user_agent,
        })
    }
}

impl FromRequestParts<Server> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        server: &Server,
    ) -> Result<Self, Self::Rejection> {
        if let Some(Acting(context)) = parts.extensions.get() {
            return Ok(Self(Some(context.clone())));
        }
        let client = Client::from_request_parts(parts, server).await?;
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            let is_clear = parts.headers.get_all(header::AUTHORIZATION).iter().count() == 1;
            let token = value
                .to_str()
                .ok()
                .filter(|_| is_clear)
                .and_then(|text| text.split_once(' '))
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, token)| SecretString::from(token.trim().to_owned()));
            let Some(token) = token else {
                return Err(ApiError::new(
                    ProblemCode::Unauthenticated,
                    "use `Authorization: Bearer <token>`",
                ));
            };
            let context = server
                .app
                .authenticate_token(&token, client.address)
                .await?;
            return Ok(Self(Some(with_request_id(context, parts))));
        }
        let name = server.app.session_cookie_name();
        let Some(token) = cookie(parts, &name) else {
            return Ok(Self(None));
        };
        // A stale cookie is nobody, not an error: the sign-in page must still work.
        let context = server
            .app
            .authenticate_session(&SecretString::from(token))
            .await?;
        Ok(Self(context.map(|context| with_request_id(context, parts))))
    }
}

impl FromRequestParts<Server> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        server: &Server,
    ) -> Result<Self, Self::Rejection> {
        let MaybeCaller(context) = MaybeCaller::from_request_parts(parts, server).await?;
        context.map(Self).ok_or(ApiError(fractal_app::Error::new(
            ProblemCode::Unauthenticated,
        )))
    }
}

fn with_request_id(context: Context, parts: &Parts) -> Context {
    let asked = parts.extensions.get::<Asked>().cloned().unwrap_or_default();
    Context {
        request_id: parts.extensions.get::<String>().cloned(),
        dry_run: asked.dry_run,
        idempotency_key: asked.key,
        proposable: asked.proposable.then(Proposable::default),
        ..context
    }
}

/// Reads a cookie; several `Cookie` headers are possible with HTTP/2.
pub(crate) fn cookie(parts: &Parts, name: &str) -> Option<String> {
    parts
        .headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}
