//! What a request to a provider looks like: address, credential, headers and body.

use fractal_types::Wire;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::Url;

/// What a gateway may tell a provider in headers. Everything else (cookies, credentials, traces, client
/// details) stays here.
const FORWARDED: [HeaderName; 3] = [
    header::ACCEPT,
    HeaderName::from_static("anthropic-version"),
    HeaderName::from_static("anthropic-beta"),
];

/// Whether a Google call streams; the other wires say so in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The wire's only way.
    Only,
    /// `generateContent`.
    Generate,
    /// `streamGenerateContent`.
    Stream,
}

/// The address of a call. Base addresses are taken with and without their version segment, as people
/// paste both.
#[must_use]
pub fn call_url(base: &str, wire: Wire, method: Method, model: &str) -> Option<Url> {
    match wire {
        Wire::OpenaiCompletions => join(base, "v1", &["chat", "completions"]),
        Wire::OpenaiResponses => join(base, "v1", &["responses"]),
        Wire::AnthropicMessages => join(base, "v1", &["messages"]),
        Wire::GoogleGenerativeAi => {
            let model = model.strip_prefix("models/").unwrap_or(model);
            let verb = match method {
                Method::Stream => "streamGenerateContent",
                Method::Only | Method::Generate => "generateContent",
            };
            let mut url = join(base, "v1beta", &["models", &format!("{model}:{verb}")])?;
            if method == Method::Stream {
                url.set_query(Some("alt=sse"));
            }
            Some(url)
        }
    }
}

/// The address of a provider's list of models.
#[must_use]
pub fn models_url(base: &str, wire: Wire) -> Option<Url> {
    let version = if wire == Wire::GoogleGenerativeAi {
        "v1beta"
    } else {
        "v1"
    };
    join(base, version, &["models"])
}

fn join(base: &str, version: &str, rest: &[&str]) -> Option<Url> {
    let mut url = Url::parse(base.trim()).ok()?;
    url.set_query(None);
    url.set_fragment(None);
    let present = url
        .path_segments()?
        .rev()
        .find(|part| !part.is_empty())
        .map(str::to_owned);
    // Anthropic and Google bases have no version, OpenAI-compatible ones have it somewhere unless the
    // base is a bare host (`https://openrouter.ai/api/v1`, `https://host/openai`, `http://127.0.0.1:11434`).
    let versioned = present.as_deref().is_some_and(is_version);
    let bare = present.is_none() || version == "v1beta" || rest == ["messages"];
    let mut path = url.path_segments_mut().ok()?;
    path.pop_if_empty();
    if !versioned && bare {
        path.push(version);
    }
    path.extend(rest);
    drop(path);
    Some(url)
}

fn is_version(part: &str) -> bool {
    part.strip_prefix('v')
        .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}

/// The headers of a call.
#[must_use]
pub fn headers(wire: Wire, from_gateway: &HeaderMap, key: Option<&SecretString>) -> HeaderMap {
    let mut out = HeaderMap::new();
    for name in FORWARDED {
        if let Some(value) = from_gateway.get(&name) {
            out.insert(name, value.clone());
        }
    }
    out.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    credential(wire, key, &mut out);
    out
}

/// Adds the key as the wire wants it, and Anthropic's version when the gateway did not say one.
pub fn credential(wire: Wire, key: Option<&SecretString>, out: &mut HeaderMap) {
    if wire == Wire::AnthropicMessages && !out.contains_key("anthropic-version") {
        out.insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    }
    let Some(key) = key else { return };
    let (name, text) = match wire {
        Wire::OpenaiCompletions | Wire::OpenaiResponses => (
            header::AUTHORIZATION,
            format!("Bearer {}", key.expose_secret().trim()),
        ),
        Wire::AnthropicMessages => (
            HeaderName::from_static("x-api-key"),
            key.expose_secret().trim().to_owned(),
        ),
        Wire::GoogleGenerativeAi => (
            HeaderName::from_static("x-goog-api-key"),
            key.expose_secret().trim().to_owned(),
        ),
    };
    // A key that cannot stand in a header is a wrong key; the provider will say so.
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        out.insert(name, value);
    }
}

/// Puts the real model in and asks for the counts of tokens. Returns whether an extra last chunk with
/// counts comes that the gateway did not ask for.
pub fn prepare(wire: Wire, model: &str, body: &mut Value) -> bool {
    if wire == Wire::GoogleGenerativeAi {
        return false;
    }
    body["model"] = json!(model);
    let asks = wire == Wire::OpenaiCompletions
        && body["stream"] == true
        && body["stream_options"]["include_usage"] != true;
    if asks {
        if !body["stream_options"].is_object() {
            body["stream_options"] = json!({});
        }
        body["stream_options"]["include_usage"] = json!(true);
    }
    asks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_joined_with_and_without_a_version() {
        let url =
            |base, wire, method, model| call_url(base, wire, method, model).unwrap().to_string();
        use Method::{Only, Stream};
        for (base, wire, method, model, expected) in [
            (
                "https://api.openai.com/v1",
                Wire::OpenaiCompletions,
                Only,
                "m",
                "https://api.openai.com/v1/chat/completions",
            ),
            (
                "https://api.openai.com/v1/",
                Wire::OpenaiResponses,
                Only,
                "m",
                "https://api.openai.com/v1/responses",
            ),
            (
                "http://127.0.0.1:11434",
                Wire::OpenaiCompletions,
                Only,
                "m",
                "http://127.0.0.1:11434/v1/chat/completions",
            ),
            (
                "https://host/openai",
                Wire::OpenaiCompletions,
                Only,
                "m",
                "https://host/openai/chat/completions",
            ),
            (
                "https://api.anthropic.com",
                Wire::AnthropicMessages,
                Only,
                "m",
                "https://api.anthropic.com/v1/messages",
            ),
            (
                "https://host/anthropic",
                Wire::AnthropicMessages,
                Only,
                "m",
                "https://host/anthropic/v1/messages",
            ),
            (
                "https://host/anthropic/v1",
                Wire::AnthropicMessages,
                Only,
                "m",
                "https://host/anthropic/v1/messages",
            ),
            (
                "https://g.example",
                Wire::GoogleGenerativeAi,
                Stream,
                "models/gem-2",
                "https://g.example/v1beta/models/gem-2:streamGenerateContent?alt=sse",
            ),
            (
                "https://g.example/v1beta",
                Wire::GoogleGenerativeAi,
                Method::Generate,
                "gem-2",
                "https://g.example/v1beta/models/gem-2:generateContent",
            ),
        ] {
            assert_eq!(url(base, wire, method, model), expected);
        }
    }

    #[test]
    fn a_model_name_cannot_leave_its_place_in_the_address() {
        let url = call_url(
            "https://g.example",
            Wire::GoogleGenerativeAi,
            Method::Generate,
            "../../x?y=1#z",
        )
        .unwrap();
        assert_eq!(url.host_str(), Some("g.example"));
        assert!(url.path().starts_with("/v1beta/models/"), "{url}");
        assert_eq!(url.query(), None);
    }

    #[test]
    fn only_allow_listed_headers_pass_and_the_gateways_credential_never_does() {
        let mut sent = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer frk_inst"),
            ("x-api-key", "frk_inst"),
            ("cookie", "a=b"),
            ("traceparent", "00"),
            ("anthropic-beta", "b1"),
            ("x-stainless-os", "Linux"),
        ] {
            sent.insert(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        let out = headers(
            Wire::AnthropicMessages,
            &sent,
            Some(&SecretString::from("real")),
        );
        assert_eq!(out["x-api-key"], "real");
        assert_eq!(out["anthropic-beta"], "b1");
        for absent in ["authorization", "cookie", "traceparent", "x-stainless-os"] {
            assert!(!out.contains_key(absent), "{absent}");
        }
        assert!(
            headers(Wire::OpenaiCompletions, &sent, None)
                .get("authorization")
                .is_none()
        );
    }

    #[test]
    fn counts_are_asked_for_once() {
        let mut body = json!({"model": "default", "stream": true});
        assert!(prepare(Wire::OpenaiCompletions, "real", &mut body));
        assert_eq!(
            body,
            json!({"model": "real", "stream": true, "stream_options": {"include_usage": true}})
        );
        assert!(!prepare(Wire::OpenaiCompletions, "real", &mut body));
    }
}
