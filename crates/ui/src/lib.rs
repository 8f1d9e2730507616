//! The embedded Portal.
//!
//! The web front end is part of the binary, so that one file is the whole product and no version of the page can
//! meet another version of the API. Paths that are no file and not the API's are client-side routes and get the
//! index. Text files are embedded with Brotli and gzip twins, made when the Portal is built; nothing is
//! compressed at run time. Security headers are not set here: they belong to every answer and the `http` crate
//! sets them.

mod accept;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::RustEmbed;

/// The files of `portal/dist`, or the page that says how to build them.
#[derive(RustEmbed)]
#[folder = "$FRACTAL_PORTAL_DIST"]
struct Portal;

/// Paths that belong to the server: unknown ones below them are never answered with a page.
const SERVER: [&str; 6] = ["api", "v1", "llm", "metrics", "livez", "readyz"];

/// The file name under which the index is embedded.
const INDEX: &str = "index.html";

/// A router that answers every path with the Portal; meant as the fallback of the main router.
pub fn router() -> Router {
    Router::new().fallback(handle)
}

async fn handle(request: Request) -> Response {
    let method = request.method();
    if method != Method::GET && method != Method::HEAD {
        let allow = [(header::ALLOW, "GET, HEAD")];
        return (StatusCode::METHOD_NOT_ALLOWED, allow).into_response();
    }
    serve(request.uri().path(), request.headers())
}

/// The answer for a path: a file, the index for a client-side route, or 404 for what is the server's or would be a
/// file that does not exist.
///
/// `path` is the path of the request, still percent-encoded: names of embedded files need no decoding, so nothing
/// can be smuggled in by it.
pub fn serve(path: &str, request: &HeaderMap) -> Response {
    let name = path.trim_start_matches('/');
    let first = name.split('/').next().unwrap_or_default();
    if SERVER.contains(&first) {
        return StatusCode::NOT_FOUND.into_response();
    }
    if !name.is_empty() && is_public(name) && Portal::get(name).is_some() {
        return file(name, request);
    }
    // A missing file must not turn into a page: a browser with an old index would run HTML as a script.
    let looks_like_file = first == "assets"
        || name
            .rsplit('/')
            .next()
            .is_some_and(|last| last.contains('.'));
    if looks_like_file && name != INDEX {
        return StatusCode::NOT_FOUND.into_response();
    }
    file(INDEX, request)
}

/// The twins are answers to negotiation, and the manifest is for the build alone.
fn is_public(name: &str) -> bool {
    let is_twin = name.ends_with(".br") || name.ends_with(".gz");
    !is_twin && name != "manifest.json" && name != INDEX
}

fn file(name: &str, request: &HeaderMap) -> Response {
    let Some(plain) = Portal::get(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let twin = [("br", ".br"), ("gzip", ".gz")]
        .into_iter()
        .find_map(|(encoding, ending)| {
            let file = Portal::get(&format!("{name}{ending}"))?;
            accept::accepts(request, encoding).then_some((encoding, file))
        });
    let (encoding, chosen) = match twin {
        Some((encoding, file)) => (Some(encoding), file),
        None => (None, plain),
    };
    let tag = etag(&chosen.metadata.sha256_hash());
    let mut headers = HeaderMap::new();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(cache_control(name)),
    );
    if let Ok(value) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, value);
    }
    if accept::matches(request, &tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    headers.insert(header::CONTENT_TYPE, content_type(name));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    // The embedded bytes are borrowed from the binary: nothing is copied.
    let body = match chosen.data {
        std::borrow::Cow::Borrowed(bytes) => Body::from(bytes),
        std::borrow::Cow::Owned(bytes) => Body::from(bytes),
    };
    (headers, body).into_response()
}

/// Names below `assets/` carry a hash of their content; all others are asked for anew, which is one cheap 304.
fn cache_control(name: &str) -> &'static str {
    if name.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    }
}

fn content_type(name: &str) -> HeaderValue {
    let mime = mime_guess::from_path(name).first_or_octet_stream();
    let text = match (mime.type_().as_str(), mime.subtype().as_str()) {
        ("text", _) | ("application", "javascript" | "json") => format!("{mime}; charset=utf-8"),
        _ => mime.to_string(),
    };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Half of the digest is plenty to tell versions of one file apart.
fn etag(digest: &[u8; 32]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(34);
    text.push('"');
    for byte in digest.iter().take(16) {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests;
