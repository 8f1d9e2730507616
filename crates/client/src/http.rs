//! The connection: address, credentials, one way to send and to read an answer.

use std::{sync::Once, time::Duration};

use fractal_api_types::Problem;
use reqwest::{
    Method, RequestBuilder, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderValue, ORIGIN},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use crate::{Error, Result, pinned};

/// A change may wait for a provider's answer, which itself is bounded by the server; a plain read is quick.
const ANSWER: Duration = Duration::from_secs(120);
const CONNECT: Duration = Duration::from_secs(10);

/// How the client says who it is.
#[derive(Debug, Clone)]
pub(crate) enum Credentials {
    None,
    Bearer(SecretString),
    /// `name=value` of a session's cookie.
    Cookie(SecretString),
}

/// A client of one installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
    credentials: Credentials,
    /// Whether changes are only tried.
    dry_run: bool,
}

impl Client {
    /// A client for the installation at `base_url`, with an API token where the routes need one.
    ///
    /// # Errors
    /// When the address is not an http(s) one or the machine's certificates cannot be used.
    pub fn new(base_url: &str, token: Option<SecretString>) -> Result<Self> {
        Self::build(base_url, token, None)
    }

    /// A client without a token that talks to the server with this certificate (DER) and to no other. For a look at a server of this
    /// machine, whose certificate is for the names that people use.
    ///
    /// # Errors
    /// As [`Client::new`].
    pub fn pinned(base_url: &str, certificate: Vec<u8>) -> Result<Self> {
        Self::build(base_url, None, Some(certificate))
    }

    fn build(
        base_url: &str,
        token: Option<SecretString>,
        certificate: Option<Vec<u8>>,
    ) -> Result<Self> {
        let bad = || Error::Address {
            given: base_url.to_owned(),
        };
        let mut base = Url::parse(base_url).map_err(|_| bad())?;
        if !matches!(base.scheme(), "http" | "https") || base.host().is_none() {
            return Err(bad());
        }
        base.set_query(None);
        base.set_fragment(None);
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        install_tls_provider();
        let mut http = reqwest::Client::builder().connect_timeout(CONNECT);
        // A proxy named in the environment is for the way out, not for this machine.
        if is_loopback(&base) {
            http = http.no_proxy();
        }
        if let Some(certificate) = certificate {
            http = http.tls_backend_preconfigured(pinned::config(certificate).map_err(Error::Tls)?);
        }
        let http = http
            // A redirect would carry the token elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(Error::Setup)?;
        Ok(Self {
            base,
            http,
            credentials: token.map_or(Credentials::None, Credentials::Bearer),
            dry_run: false,
        })
    }

    /// A client whose changes are only tried: they end in [`Error::DryRun`], which says what would have happened.
    #[must_use]
    pub fn trying(&self) -> Self {
        Self {
            dry_run: true,
            ..self.clone()
        }
    }

    /// The address this client talks to.
    #[must_use]
    pub const fn base_url(&self) -> &Url {
        &self.base
    }

    pub(crate) fn with_credentials(&self, credentials: Credentials) -> Self {
        Self {
            credentials,
            ..self.clone()
        }
    }

    /// A request without a body. Each segment is encoded, so that a session key with a slash stays one segment.
    pub(crate) fn request(&self, method: Method, segments: &[&str]) -> Result<RequestBuilder> {
        self.request_with(method, segments, &())
    }

    /// A request with query parameters taken from a query type of `fractal-api-types`.
    pub(crate) fn request_with(
        &self,
        method: Method,
        segments: &[&str],
        query: &impl Serialize,
    ) -> Result<RequestBuilder> {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        append_query(&mut url, query);
        let changes = method != Method::GET;
        if changes && self.dry_run {
            url.query_pairs_mut().append_pair("dry_run", "true");
        }
        let mut request = self.http.request(method, url);
        match &self.credentials {
            Credentials::None => {}
            Credentials::Bearer(token) => {
                request = request.header(
                    AUTHORIZATION,
                    sensitive(&format!("Bearer {}", token.expose_secret()))?,
                );
            }
            Credentials::Cookie(cookie) => {
                request = request.header(COOKIE, sensitive(cookie.expose_secret())?);
                if changes {
                    request = request.header(ORIGIN, self.base.origin().ascii_serialization());
                }
            }
        }
        Ok(request)
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T> {
        self.read(self.request(Method::GET, segments)?).await
    }

    pub(crate) async fn get_with<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &impl Serialize,
    ) -> Result<T> {
        self.read(self.request_with(Method::GET, segments, query)?)
            .await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &impl Serialize,
    ) -> Result<T> {
        self.read(self.request(Method::POST, segments)?.json(body))
            .await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &impl Serialize,
    ) -> Result<T> {
        self.read(self.request(Method::PUT, segments)?.json(body))
            .await
    }

    pub(crate) async fn patch<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &impl Serialize,
    ) -> Result<T> {
        self.read(self.request(Method::PATCH, segments)?.json(body))
            .await
    }

    pub(crate) async fn delete(&self, segments: &[&str]) -> Result<()> {
        self.done(self.request(Method::DELETE, segments)?).await
    }

    /// Sends and reads a JSON answer.
    pub(crate) async fn read<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T> {
        let response = self.send(request.timeout(ANSWER)).await?;
        read_json(response).await
    }

    /// Sends and expects an answer whose body does not matter.
    pub(crate) async fn done(&self, request: RequestBuilder) -> Result<()> {
        self.send(request.timeout(ANSWER)).await.map(drop)
    }

    /// Sends; anything but success becomes an error.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response> {
        let response = request
            .send()
            .await
            .map_err(|error| self.transport(error))?;
        if response.status().is_success() {
            if response.headers().contains_key("fractal-dry-run") {
                return Err(Error::DryRun(Box::new(read_json(response).await?)));
            }
            if response.headers().contains_key("fractal-proposal") {
                return Err(Error::Proposed(Box::new(read_json(response).await?)));
            }
            return Ok(response);
        }
        let status = response.status().as_u16();
        let is_problem = response
            .headers()
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/problem+json"));
        if !is_problem {
            return Err(Error::Unexpected {
                status,
                source: None,
            });
        }
        let body = response
            .bytes()
            .await
            .map_err(|error| self.transport(error))?;
        Err(match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Error::Problem(Box::new(problem)),
            Err(source) => Error::Unexpected {
                status,
                source: Some(source),
            },
        })
    }

    /// Opens an event stream; it has no overall time limit.
    pub(crate) async fn open_events(&self, request: RequestBuilder) -> Result<Response> {
        self.send(request.header(ACCEPT, "text/event-stream")).await
    }

    pub(crate) fn transport(&self, error: reqwest::Error) -> Error {
        // The URL may hold a query; the error text must not repeat it.
        let error = error.without_url();
        if error.is_connect() {
            Error::Unreachable {
                url: self.base.origin().ascii_serialization(),
                source: error,
            }
        } else {
            Error::Transport(error)
        }
    }
}

pub(crate) async fn read_json<T: DeserializeOwned>(response: Response) -> Result<T> {
    let status = response.status().as_u16();
    let body = response
        .bytes()
        .await
        .map_err(|error| Error::Transport(error.without_url()))?;
    serde_json::from_slice(&body).map_err(|source| Error::Unexpected {
        status,
        source: Some(source),
    })
}

pub(crate) fn sensitive(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Error::BadToken)?;
    value.set_sensitive(true);
    Ok(value)
}

/// Query types are flat structs of options, so their JSON form names exactly the parameters to send.
fn append_query(url: &mut Url, query: &impl Serialize) {
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(query) else {
        return;
    };
    for (name, value) in fields {
        let text = match value {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        };
        url.query_pairs_mut().append_pair(&name, &text);
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// The TLS library asks for its cryptography once per process; another part may have been first.
fn install_tls_provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url_of(base: &str, segments: &[&str], query: &impl Serialize) -> String {
        Client::new(base, None)
            .unwrap()
            .request_with(Method::GET, segments, query)
            .unwrap()
            .build()
            .unwrap()
            .url()
            .to_string()
    }

    #[test]
    fn a_segment_with_a_slash_stays_one_segment() {
        assert_eq!(
            url_of("http://127.0.0.1:1", &["api", "a/b?c"], &()),
            "http://127.0.0.1:1/api/a%2Fb%3Fc"
        );
    }

    #[test]
    fn a_base_path_is_kept() {
        assert_eq!(
            url_of("https://example.org/fractal", &["livez"], &()),
            "https://example.org/fractal/livez"
        );
    }

    #[test]
    fn absent_query_fields_are_not_sent() {
        let query = fractal_api_types::PageQuery {
            cursor: Some("a b".to_owned()),
            limit: None,
        };
        assert_eq!(
            url_of("http://h:1", &["x"], &query),
            "http://h:1/x?cursor=a+b"
        );
    }

    #[test]
    fn other_schemes_are_refused() {
        for bad in ["ftp://example.org", "127.0.0.1:8088", "", "http://"] {
            assert!(
                matches!(Client::new(bad, None), Err(Error::Address { .. })),
                "{bad}"
            );
        }
    }

    #[test]
    fn the_debug_form_shows_no_token() {
        let client = Client::new("http://h:1", Some("frk_api_secret".to_owned().into())).unwrap();
        assert!(!format!("{client:?}").contains("frk_api_secret"));
    }
}
