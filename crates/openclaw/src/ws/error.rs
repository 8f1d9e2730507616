//! Why a request to a gateway failed.

use std::time::Duration;

use serde_json::Value;

/// Codes this crate makes itself, beside the gateway's own.
pub mod codes {
    /// The connection ended before the answer came, or there was none.
    pub const DISCONNECTED: &str = "DISCONNECTED";
    /// The gateway did not answer in time; the request may still take effect.
    pub const TIMEOUT: &str = "TIMEOUT";
    /// The request is larger than the gateway accepts.
    pub const TOO_LARGE: &str = "TOO_LARGE";
    /// The answer does not have the shape the protocol promises.
    pub const BAD_ANSWER: &str = "BAD_ANSWER";
    /// The gateway's word for "not now".
    pub const UNAVAILABLE: &str = "UNAVAILABLE";
    /// The gateway's word for a request it will never accept.
    pub const INVALID_REQUEST: &str = "INVALID_REQUEST";
}

/// A failed request. Codes are few and shared, so some decisions need the message or
/// [`RpcError::reason`] (`openclaw.md` section 3).
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("the gateway refused {method}: {code}: {message}")]
pub struct RpcError {
    /// The method that was asked.
    pub method: String,
    /// The gateway's code, or one of [`codes`].
    pub code: String,
    /// The gateway's text.
    pub message: String,
    /// Structured detail, `null` when there is none.
    pub details: Box<Value>,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// How long to wait before asking again.
    pub retry_after: Option<Duration>,
}

impl RpcError {
    /// An error found on our side of the connection.
    pub(crate) fn local(method: &str, code: &str, message: impl Into<String>, retry: bool) -> Self {
        Self {
            method: method.to_owned(),
            code: code.to_owned(),
            message: message.into(),
            details: Box::default(),
            retryable: retry,
            retry_after: None,
        }
    }

    /// Reads the `error` object of a response.
    pub(crate) fn from_wire(method: &str, error: &Value) -> Self {
        let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
        Self {
            method: method.to_owned(),
            code: text("code"),
            message: text("message"),
            details: Box::new(error["details"].clone()),
            retryable: error["retryable"].as_bool().unwrap_or(false),
            retry_after: error["retryAfterMs"].as_u64().map(Duration::from_millis),
        }
    }

    /// The machine-readable reason in the details, such as `startup-sidecars`.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        self.details["reason"]
            .as_str()
            .or_else(|| self.details["code"].as_str())
    }

    /// Somebody changed the configuration since it was read; read again and retry.
    #[must_use]
    pub fn is_stale_config(&self) -> bool {
        self.message.contains("config changed since last load")
            || self.message.contains("config base hash required")
    }

    /// Too many calls of this method in the last minute.
    #[must_use]
    pub fn is_rate_limit(&self) -> bool {
        self.message.starts_with("rate limit exceeded")
    }

    /// The gateway is being prepared for a freeze or a snapshot and takes no work.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.reason() == Some("gateway-suspending")
    }

    /// The array paths a patch would shorten and that must be named in `replacePaths`.
    #[must_use]
    pub fn guarded_arrays(&self) -> Vec<String> {
        self.message
            .split_once("would remove entries from array path(s): ")
            .and_then(|(_, rest)| rest.split_once(". Pass replacePaths"))
            .map(|(paths, _)| paths.split(", ").map(str::to_owned).collect())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(message: &str) -> RpcError {
        RpcError::from_wire(
            "config.patch",
            &json!({"code": "INVALID_REQUEST", "message": message}),
        )
    }

    #[test]
    fn a_stale_hash_is_told_from_other_invalid_requests_by_its_text() {
        assert!(
            refused("config changed since last load; re-run config.get and retry")
                .is_stale_config()
        );
        assert!(!refused("invalid config: <root>: Unrecognized key: \"nope\"").is_stale_config());
    }

    #[test]
    fn guarded_arrays_are_read_from_the_refusal() {
        let error = refused(
            "config.patch would remove entries from array path(s): bindings, tools.deny. Pass replacePaths with the exact path(s)",
        );
        assert_eq!(error.guarded_arrays(), ["bindings", "tools.deny"]);
        assert!(refused("anything else").guarded_arrays().is_empty());
    }

    #[test]
    fn retry_advice_is_kept() {
        let error = RpcError::from_wire(
            "chat.send",
            &json!({"code": "UNAVAILABLE", "message": "gateway starting; retry shortly",
                    "retryable": true, "retryAfterMs": 500, "details": {"reason": "startup-sidecars"}}),
        );
        assert_eq!(error.retry_after, Some(Duration::from_millis(500)));
        assert_eq!(error.reason(), Some("startup-sidecars"));
        assert!(error.retryable);
    }
}
