//! What every request passes first: an id, the host allow-list, the cross-site check; and the headers every answer gets.
//!
//! - **Host allow-list** stops DNS rebinding: a page of another site that resolves its own name to our
//!   loopback address still sends its own `Host`.
//! - **`Sec-Fetch-Site` and `Origin`** stop cross-site requests that change something, and cross-site WebSockets. Programs send
//!   neither and authenticate by bearer token, which a browser never adds by itself.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use fractal_api_types::ProblemCode;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};

use crate::{
    Server,
    problem::{ApiError, REQUEST_ID},
};

const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Scripts, styles and connections only from ourselves; images also from memory, so that a chat can show a pasted
/// picture, but from no other site (a prompt injection could leak through an image address).
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; frame-ancestors 'none'; \
     base-uri 'none'; form-action 'self'";

/// The outermost layer of the main listener.
pub async fn guard(State(server): State<Server>, mut request: Request, next: Next) -> Response {
    let id: fractal_types::RequestId = server.app.new_id();
    let id = id.to_string();
    request.extensions_mut().insert(id.clone());
    let mut response = REQUEST_ID
        .scope(id.clone(), async {
            match check(&server, &request) {
                Ok(()) => next.run(request).await,
                Err(error) => error.into_response(),
            }
        })
        .await;
    let headers = response.headers_mut();
    if headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
    {
        // nginx obeys it by itself: a stream that is buffered comes in lumps, or only at its end.
        headers.insert(
            HeaderName::from_static("x-accel-buffering"),
            HeaderValue::from_static("no"),
        );
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(REQUEST_ID_HEADER, value);
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
        // Only the Portal's own files say otherwise: an answer about somebody must not lie in a cache.
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

fn check(server: &Server, request: &Request) -> Result<(), ApiError> {
    let settings = server.app.settings();
    let authority = authority_of(request);
    let host = without_port(&authority);
    // Of two hosts, one in front of us may have read the other.
    let is_clear = request.headers().get_all(header::HOST).iter().count() <= 1;
    if !is_clear || !settings.answers_host(&host) {
        return Err(ApiError::new(
            ProblemCode::WrongHost,
            format!(
                "\"{}\" is not one of this installation's host names",
                printable(&host)
            ),
        )
        .remedy(
            "open it by its listening address, or add the name under Settings / Installation",
        ));
    }
    if (changes_something(request.method()) || is_upgrade(request.headers()))
        && is_cross_site(request.headers(), &authority, &settings)
    {
        return Err(ApiError::new(
            ProblemCode::CrossSite,
            "a page of another site sent this request",
        ));
    }
    Ok(())
}

impl ApiError {
    fn remedy(mut self, remedy: &str) -> Self {
        self.0.remedy = Some(remedy.to_owned());
        self
    }
}

fn printable(host: &str) -> String {
    host.chars()
        .filter(|c| c.is_ascii_graphic())
        .take(100)
        .collect()
}

/// The host name with its port, as the caller wrote it.
fn authority_of(request: &Request) -> String {
    request
        .uri()
        .authority()
        .map(|authority| authority.as_str().to_owned())
        .or_else(|| {
            request
                .headers()
                .get(header::HOST)
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned)
        })
        .unwrap_or_default()
}

/// The host name without its port, lower case.
fn without_port(authority: &str) -> String {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority
            .rsplit_once(':')
            .map_or(authority, |(host, _)| host),
    };
    host.to_ascii_lowercase()
}

fn changes_something(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether it becomes something else than HTTP. A WebSocket is a GET that any page may send, cookies included, and whose answer it
/// may read.
fn is_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
}

fn is_cross_site(
    headers: &HeaderMap,
    authority: &str,
    settings: &fractal_app::settings::Settings,
) -> bool {
    if let Some(site) = headers
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok())
    {
        return !matches!(site, "same-origin" | "none");
    }
    // Browsers without fetch metadata still send an origin with a request that changes something.
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    let Some(origin) = origin
        .to_str()
        .ok()
        .and_then(|text| url::Url::parse(text).ok())
    else {
        return true;
    };
    let origin_host = origin
        .host_str()
        .unwrap_or_default()
        .trim_matches(['[', ']'])
        .to_ascii_lowercase();
    // Another port of the same host is another site: somebody else's program may listen there.
    let host = without_port(authority);
    let port = authority
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse::<u16>().ok());
    let same_port =
        origin.port() == port || (port.is_some() && origin.port_or_known_default() == port);
    let same_site = origin_host == host && same_port;
    !same_site && !settings.is_public_host(&origin_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crosses(origin: &str, authority: &str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(header::ORIGIN, origin.parse().unwrap());
        is_cross_site(
            &headers,
            authority,
            &fractal_app::settings::Settings::default(),
        )
    }

    #[test]
    fn another_port_of_the_same_host_is_another_site() {
        assert!(!crosses("http://127.0.0.1:8088", "127.0.0.1:8088"));
        assert!(!crosses("http://localhost", "localhost:80"));
        assert!(!crosses("http://[::1]:8088", "[::1]:8088"));
        assert!(crosses("http://127.0.0.1:3000", "127.0.0.1:8088"));
        assert!(crosses("http://evil.example", "127.0.0.1:8088"));
        assert!(crosses("null", "127.0.0.1:8088"));
    }

    #[test]
    fn a_port_is_cut_from_names_and_addresses() {
        assert_eq!(without_port("Example.org:8088"), "example.org");
        assert_eq!(without_port("127.0.0.1:80"), "127.0.0.1");
        assert_eq!(without_port("[::1]:8088"), "::1");
        assert_eq!(without_port("localhost"), "localhost");
    }
}
