//! Session keys: the short ones people see and the gateway's own.
//!
//! Every instance has one agent of its own, `main`. The gateway lower-cases keys (measured with engine
//! 2026.9.6), so ours are lower-cased before anything compares them.

use fractal_api_types::ProblemCode;

use crate::ports::ChatFailure;

/// The session used when none is named.
pub const MAIN: &str = "main";

const PREFIX: &str = "agent:main:";

/// The longest key, in characters (`ChatRequest::session`).
const LONGEST: usize = 200;

/// A checked, lower-cased key.
///
/// # Errors
///
/// When it is not of the shape the API documents.
pub fn checked(session: Option<&str>) -> Result<String, ChatFailure> {
    let session = session.unwrap_or(MAIN);
    if is_key(session) {
        Ok(session.to_ascii_lowercase())
    } else {
        Err(ChatFailure::new(
            ProblemCode::InvalidFields,
            "A session's key has up to 200 letters, digits and the signs . _ : - and begins with a letter or digit.",
        ))
    }
}

/// Whether a session can have this key.
#[must_use]
pub fn is_key(session: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:-".contains(c);
    session.len() <= LONGEST
        && session.chars().all(allowed)
        && session.starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// The gateway's key of a session.
#[must_use]
pub fn to_gateway(session: &str) -> String {
    format!("{PREFIX}{session}")
}

/// Our key of a gateway's session; `None` for another agent's.
#[must_use]
pub fn from_gateway(key: &str) -> Option<&str> {
    key.strip_prefix(PREFIX)
}

/// Where a session came from, read from its key.
#[must_use]
pub fn origin(session: &str) -> &'static str {
    match session.split([':', '-']).next().unwrap_or_default() {
        "cron" => "cron",
        "matrix" | "telegram" | "slack" | "discord" | "signal" | "whatsapp" => "room",
        "api" | "openai" | "openresponses" => "api",
        "subagent" | "acp" | "hook" | "node" => "other",
        _ => "chat",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_checked_and_lowered() {
        assert_eq!(checked(None).unwrap(), "main");
        assert_eq!(checked(Some("Work.1")).unwrap(), "work.1");
        for wrong in ["", "-a", "a b", "a/b", &"x".repeat(201)] {
            assert!(checked(Some(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_gateways_keys_lead_back_to_ours() {
        assert_eq!(from_gateway(&to_gateway("work")), Some("work"));
        assert_eq!(from_gateway("agent:another:main"), None);
        assert_eq!(
            (
                origin("main"),
                origin("cron:daily"),
                origin("api-crun_1"),
                origin("matrix:room:x")
            ),
            ("chat", "cron", "api", "room")
        );
    }
}
