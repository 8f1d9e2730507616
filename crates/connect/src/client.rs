//! The client and its requests.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use url::{Host, Url};

use crate::{
    AddressKind, AddressRule, Answer, OutboundError, Refusal, Resolver, resolver::Judging,
};

/// Settings of the installation for everything that leaves it.
#[derive(Debug, Clone, Default)]
pub struct OutboundSettings {
    /// A PEM file with authorities trusted beside the public ones.
    pub extra_authorities: Option<PathBuf>,
}

/// Why the client cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file with extra authorities.
    #[error(
        "the file with extra certificate authorities cannot be used: {path}; it must be readable PEM"
    )]
    Authorities {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The TLS library or the HTTP library refused our settings.
    #[error("the outbound client cannot be set up")]
    Setup(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Bounds of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Until the status line and headers are there; includes resolving and connecting.
    pub first_byte: Duration,
    /// Between two pieces of the body.
    pub idle: Duration,
    /// For everything; `None` for streams that end when they end.
    pub total: Option<Duration>,
    /// Bytes of the body.
    pub body: usize,
}

impl Limits {
    /// For a plain request with a small JSON answer.
    pub const JSON: Self = Self {
        first_byte: Duration::from_secs(10),
        idle: Duration::from_secs(10),
        total: Some(Duration::from_secs(20)),
        body: 1 << 20,
    };
    /// For a model's streamed answer: slow to begin, long to finish, never silent for minutes.
    pub const STREAM: Self = Self {
        first_byte: Duration::from_secs(300),
        idle: Duration::from_secs(300),
        total: None,
        body: 64 << 20,
    };
}

/// How long connecting (with resolving and TLS) may take, whatever the request's own bounds are.
const CONNECT: Duration = Duration::from_secs(10);

/// The one outbound client. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Outbound {
    // Two clients, so that a pooled connection to a private address is never found by a request
    // that may not go there.
    public: reqwest::Client,
    private: reqwest::Client,
}

impl Outbound {
    /// Makes the client.
    ///
    /// # Errors
    /// When the extra authorities cannot be read.
    pub fn new(
        settings: &OutboundSettings,
        resolver: Arc<dyn Resolver>,
    ) -> Result<Self, SettingsError> {
        let tls = tls(settings)?;
        let make = |rule| {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .dns_resolver(Judging {
                    names: Arc::clone(&resolver),
                    rule,
                })
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .connect_timeout(CONNECT)
                .pool_idle_timeout(Duration::from_secs(60))
                .pool_max_idle_per_host(16)
                .tcp_nodelay(true)
                .referer(false)
                .user_agent(concat!("fractal/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(|why| SettingsError::Setup(why.into()))
        };
        Ok(Self {
            public: make(AddressRule::PUBLIC)?,
            private: make(AddressRule::PRIVATE)?,
        })
    }

    /// Begins a request. `purpose` is one word for spans and metrics (`provider`, `oidc`).
    pub fn request(
        &self,
        purpose: &'static str,
        method: Method,
        url: Url,
        rule: AddressRule,
    ) -> OutboundRequest {
        let client = if rule.allow_private {
            self.private.clone()
        } else {
            self.public.clone()
        };
        OutboundRequest {
            client,
            purpose,
            method,
            url,
            rule,
            headers: HeaderMap::new(),
            body: None,
            limits: Limits::JSON,
        }
    }

    /// Begins a `GET`.
    pub fn get(&self, purpose: &'static str, url: Url, rule: AddressRule) -> OutboundRequest {
        self.request(purpose, Method::GET, url, rule)
    }

    /// Begins a `POST`.
    pub fn post(&self, purpose: &'static str, url: Url, rule: AddressRule) -> OutboundRequest {
        self.request(purpose, Method::POST, url, rule)
    }
}

/// A request being made.
#[derive(Debug)]
#[must_use = "nothing is sent before `send`"]
pub struct OutboundRequest {
    client: reqwest::Client,
    purpose: &'static str,
    method: Method,
    url: Url,
    rule: AddressRule,
    headers: HeaderMap,
    body: Option<Bytes>,
    limits: Limits,
}

impl OutboundRequest {
    /// Sets a header. Mark a secret value with [`HeaderValue::set_sensitive`].
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets several headers.
    pub fn headers(mut self, headers: HeaderMap) -> Self {
        self.headers.extend(headers);
        self
    }

    /// Sets the body; its type goes into a header.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Sets a JSON body and its type. `json` is already serialised.
    pub fn json(self, json: impl Into<Bytes>) -> Self {
        self.header(
            http::header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )
        .body(json)
    }

    /// Sets other bounds than [`Limits::JSON`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sends it and waits for status and headers. Any status is an answer, redirects included.
    ///
    /// # Errors
    /// See [`OutboundError`].
    pub async fn send(self) -> Result<Answer, OutboundError> {
        check(&self.url, self.rule)?;
        let deadline = self
            .limits
            .total
            .map(|total| tokio::time::Instant::now() + total);
        tracing::debug!(
            purpose = self.purpose,
            method = %self.method,
            host = self.url.host_str().unwrap_or_default(),
            "outbound request"
        );
        let mut request = self
            .client
            .request(self.method, self.url)
            .headers(self.headers);
        if let Some(body) = self.body {
            request = request.body(body);
        }
        let wait = self.limits.total.map_or(self.limits.first_byte, |total| {
            total.min(self.limits.first_byte)
        });
        let response = tokio::time::timeout(wait, request.send())
            .await
            .map_err(|_| OutboundError::Timeout("waiting for the answer to begin"))?
            .map_err(OutboundError::sort)?;
        Ok(Answer::new(response, self.limits, deadline))
    }
}

/// What can be said about an address before its name is resolved. Numbers in any spelling (decimal,
/// octal, hexadecimal) were turned into an address by the URL parser; the HTTP library connects to
/// such hosts without asking the resolver, so they are judged here.
fn check(url: &Url, rule: AddressRule) -> Result<(), Refusal> {
    match url.scheme() {
        "https" => {}
        "http" if rule.allow_private => {}
        "http" => return Err(Refusal::Plain),
        _ => return Err(Refusal::Scheme),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::UserInfo);
    }
    let address = match url.host() {
        None => return Err(Refusal::Host),
        Some(Host::Domain(_)) => return Ok(()),
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
    };
    if rule.permits(address) {
        Ok(())
    } else {
        Err(Refusal::Address(AddressKind::of(address)))
    }
}

fn tls(settings: &OutboundSettings) -> Result<rustls::ClientConfig, SettingsError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    if let Some(path) = &settings.extra_authorities {
        let unusable =
            |cause: Box<dyn std::error::Error + Send + Sync>| SettingsError::Authorities {
                path: path.clone(),
                cause,
            };
        let mut added = 0_usize;
        for certificate in
            CertificateDer::pem_file_iter(path).map_err(|why| unusable(why.into()))?
        {
            let certificate = certificate.map_err(|why| unusable(why.into()))?;
            roots.add(certificate).map_err(|why| unusable(why.into()))?;
            added += 1;
        }
        if added == 0 {
            return Err(unusable("it contains no certificate".into()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|why| SettingsError::Setup(why.into()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}
