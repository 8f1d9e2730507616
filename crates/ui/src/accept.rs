//! The two request headers that decide about the answer. Kept apart from serving so that both can be read alone.

use http::{HeaderMap, HeaderName, header};

fn items(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}

/// Whether the reader takes this content coding: named with a weight above zero (RFC 9110, section 12.5.3). The
/// wildcard is not enough, as every browser names what it can read.
pub fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    items(headers, header::ACCEPT_ENCODING).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts
            .filter_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
            .any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        named && !refused
    })
}

/// Whether the reader has this version already: `If-None-Match` compares weakly (RFC 9110, section 13.1.2).
pub fn matches(headers: &HeaderMap, tag: &str) -> bool {
    items(headers, header::IF_NONE_MATCH)
        .any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == tag)
}
