//! The two health pages a gateway serves without a token.

use std::time::Duration;

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{Request, body::Bytes};
use hyper_util::rt::TokioIo;
use serde_json::Value;

use crate::dial::Dialer;

/// How long one page may take.
const LIMIT: Duration = Duration::from_secs(5);

/// More than any health page has.
const MAX_BODY: usize = 256 << 10;

/// What `/readyz` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// Everything is up.
    pub ready: bool,
    /// What is not, such as `startup-sidecars`, or `gateway-draining` while it is fenced on purpose.
    pub failing: Vec<String>,
    /// Channels kept silent after repeated crashes, although `ready` is true (`openclaw.md` section 9.5).
    pub suppressed: Vec<String>,
}

/// Why a health page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// Nothing answers at the gateway's port.
    #[error("the gateway cannot be reached")]
    Dial(#[from] std::io::Error),
    /// The connection broke.
    #[error("the gateway's health page could not be read")]
    Http(#[from] hyper::Error),
    /// The page is larger than any health page or broke off.
    #[error("the gateway's health page could not be read: {0}")]
    Body(String),
    /// The page is not what a gateway serves.
    #[error("the gateway's health page is not JSON; is something else listening on its port?")]
    NotJson(#[from] serde_json::Error),
    /// The gateway took too long, which also happens while it is frozen.
    #[error("the gateway's health page did not come within {LIMIT:?}")]
    Slow,
}

/// Asks `/readyz`.
///
/// # Errors
///
/// When there is no answer; an answer of "not ready" is not an error.
pub async fn readyz(dialer: &dyn Dialer) -> Result<Readiness, HealthError> {
    let (_, page) = get(dialer, "/readyz").await?;
    let words = |list: &Value| {
        list.as_array()
            .into_iter()
            .flatten()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    Ok(Readiness {
        ready: page["ready"].as_bool().unwrap_or(false),
        failing: words(&page["failing"]),
        suppressed: words(&page["suppressed"]),
    })
}

/// Asks `/healthz`: whether the process serves HTTP at all.
///
/// # Errors
///
/// When there is no answer.
pub async fn healthz(dialer: &dyn Dialer) -> Result<bool, HealthError> {
    let (status, page) = get(dialer, "/healthz").await?;
    Ok(status == 200 && page["ok"] == true)
}

async fn get(dialer: &dyn Dialer, path: &'static str) -> Result<(u16, Value), HealthError> {
    let exchange = async {
        let stream = TokioIo::new(dialer.dial().await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        let driver = tokio::spawn(connection);
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = http::Uri::from_static(path);
        request.headers_mut().insert(
            http::header::HOST,
            http::HeaderValue::from_static("127.0.0.1"),
        );
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), MAX_BODY)
            .collect()
            .await
            .map_err(|error| HealthError::Body(error.to_string()))?
            .to_bytes();
        driver.abort();
        Ok((status, serde_json::from_slice(&body)?))
    };
    tokio::time::timeout(LIMIT, exchange)
        .await
        .unwrap_or(Err(HealthError::Slow))
}
