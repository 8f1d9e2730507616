//! From what a provider answered to what its person should know, and to what the gateway may know.
//!
//! A provider's own words are read to sort the fault and then dropped: they may hold parts of keys,
//! and words about keys, billing or rates make a gateway block the provider.

use fractal_api_types::{ProviderFault, ProviderFaultCode as Code};
use fractal_connect::OutboundError;
use fractal_types::Wire;
use http::StatusCode;
use serde_json::{Value, json};

/// What every failed call answers a gateway with. See the module documentation of the broker for the
/// measurements behind it.
pub const NEUTRAL_STATUS: StatusCode = StatusCode::FAILED_DEPENDENCY;

const NEUTRAL: &str = "The model could not answer this request.";

/// The one refusal a gateway should be able to mend, by compacting the conversation. Not measured.
const OVERFLOW: &str = "context_length_exceeded: the prompt is too long for this model.";

/// Makes a fault.
#[must_use]
pub fn fault(code: Code, message: &str, remedy: &str) -> ProviderFault {
    ProviderFault {
        code,
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// A failed call: what the person is told, and whether the conversation was too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For the person.
    pub fault: ProviderFault,
    /// The conversation does not fit the model; the gateway is told so.
    pub overflow: bool,
}

impl From<ProviderFault> for Failure {
    fn from(fault: ProviderFault) -> Self {
        Self {
            fault,
            overflow: false,
        }
    }
}

impl From<&OutboundError> for Failure {
    fn from(error: &OutboundError) -> Self {
        match error {
            OutboundError::Refused(why) => ProviderFault {
                code: Code::AddressRefused,
                message: format!("The provider's address may not be used: {why}."),
                remedy: "Correct the provider's address, or let an administrator allow private networks for it."
                    .to_owned(),
            },
            OutboundError::Timeout(_) => fault(
                Code::Timeout,
                "The provider did not answer in time.",
                "Try again; if it stays so, look at the provider's status page or choose another model.",
            ),
            OutboundError::Tls(_) => fault(
                Code::Unreachable,
                "No encrypted connection to the provider came about.",
                "Check the provider's address and certificate, or add its authority to the settings.",
            ),
            OutboundError::TooLarge { .. } => fault(
                Code::ProviderError,
                "The provider's answer was too long.",
                "Ask for a shorter answer, or choose another model.",
            ),
            OutboundError::Malformed(_) => fault(
                Code::ProviderError,
                "The provider's answer was not understood.",
                "Check that the address belongs to a provider of the chosen type.",
            ),
            OutboundError::Unreachable(_) => fault(
                Code::Unreachable,
                "The provider cannot be reached at its address.",
                "Check the provider's address and that it is running, then try again.",
            ),
        }
        .into()
    }
}

/// Sorts an answer that is not a success.
#[must_use]
pub fn from_answer(status: StatusCode, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(&body[..body.len().min(16 << 10)]).to_lowercase();
    sort(status.as_u16(), &text)
}

/// Sorts an error object that came inside an answer that had begun well.
#[must_use]
pub fn from_event(event: &Value) -> Failure {
    let error = if event["error"].is_null() {
        &event["response"]["error"]
    } else {
        &event["error"]
    };
    let text = if error.is_null() { event } else { error }
        .to_string()
        .to_lowercase();
    let status = ["status", "code"]
        .iter()
        .find_map(|key| error[*key].as_u64())
        .and_then(|status| u16::try_from(status).ok());
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let status = status.unwrap_or_else(|| {
        if any(&["rate_limit", "too many requests"]) {
            429
        } else if any(&["authentication", "invalid_api_key"]) {
            401
        } else if any(&["invalid_request", "context_length"]) {
            400
        } else {
            500
        }
    });
    sort(status, &text)
}

fn sort(status: u16, text: &str) -> Failure {
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let overflow = matches!(status, 400 | 413 | 422)
        && any(&[
            "context_length_exceeded",
            "maximum context length",
            "prompt is too long",
            "context window",
            "exceeds the maximum number of tokens",
            "input is too long",
        ]);
    if overflow {
        return Failure {
            fault: fault(
                Code::BadRequest,
                "The conversation is too long for this model.",
                "Begin a new session, or choose a model with a larger context.",
            ),
            overflow: true,
        };
    }
    let key_refused = || {
        fault(
            Code::KeyRefused,
            "The provider refused the key.",
            "Enter a valid key for this provider under Settings, Providers; the next message will use it.",
        )
    };
    let quota = || {
        fault(
            Code::QuotaExceeded,
            "The provider's quota or credit is used up.",
            "Add credit or raise the limit in the provider's own console, or choose another provider.",
        )
    };
    match status {
        402 => quota(),
        _ if matches!(status, 400 | 403 | 429)
            && any(&[
                "insufficient_quota",
                "credit balance",
                "billing",
                "exceeded your current quota",
                "out of credits",
            ]) =>
        {
            quota()
        }
        401 => key_refused(),
        400 if any(&["api key not valid", "api_key_invalid", "incorrect api key"]) => key_refused(),
        403 if any(&["model"]) && !any(&["key"]) => fault(
            Code::ModelUnknown,
            "The provider does not give this key access to the model.",
            "Choose another model, or ask the provider for access.",
        ),
        403 => key_refused(),
        429 => fault(
            Code::RateLimited,
            "The provider takes no more requests right now.",
            "Wait a minute and try again, or choose another model.",
        ),
        404 => fault(
            Code::ModelUnknown,
            "The provider does not know the model, or its address is not right.",
            "Choose a model from the provider's list and check its address.",
        ),
        400 | 422
            if any(&[
                "model_not_found",
                "unknown model",
                "invalid model",
                "not a valid model",
                "does not exist",
            ]) =>
        {
            fault(
                Code::ModelUnknown,
                "The provider does not know the model.",
                "Choose a model from the provider's list.",
            )
        }
        300..=399 => fault(
            Code::ProviderError,
            "The provider's address leads somewhere else.",
            "Correct the provider's address; redirects are not followed.",
        ),
        400..=499 => fault(
            Code::BadRequest,
            "The provider did not accept the request.",
            "Choose another model; if it stays so, check that the provider's type fits its address.",
        ),
        _ => fault(
            Code::ProviderError,
            "The provider answered with an error of its own.",
            "Try again in a moment; if it stays so, look at the provider's status page.",
        ),
    }
    .into()
}

/// What a gateway is told, in the error shape of its wire.
#[must_use]
pub fn neutral_body(wire: Wire, overflow: bool) -> Value {
    let message = if overflow { OVERFLOW } else { NEUTRAL };
    let code = overflow.then_some("context_length_exceeded");
    match wire {
        Wire::OpenaiCompletions | Wire::OpenaiResponses => {
            json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}})
        }
        Wire::AnthropicMessages => {
            json!({"type": "error", "error": {"type": "invalid_request_error", "message": message}})
        }
        Wire::GoogleGenerativeAi => {
            json!({"error": {"code": NEUTRAL_STATUS.as_u16(), "message": message,
                "status": "INVALID_ARGUMENT", "type": "invalid_request_error"}})
        }
    }
}

/// The same as an event inside a stream that had begun well.
#[must_use]
pub fn neutral_event(wire: Wire, overflow: bool) -> String {
    let body = neutral_body(wire, overflow);
    match wire {
        Wire::OpenaiCompletions => format!("data: {body}\n\n"),
        // An error object inside a Google stream is repeated without end; an answer that ends for a reason
        // of the model's own is not.
        Wire::GoogleGenerativeAi => {
            let end = json!({"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": "OTHER", "index": 0}]});
            format!("data: {end}\n\n")
        }
        Wire::AnthropicMessages => format!("event: error\ndata: {body}\n\n"),
        Wire::OpenaiResponses => {
            let error = json!({"type": "error", "code": body["error"]["code"], "message": body["error"]["message"], "param": null, "sequence_number": 0});
            format!("event: error\ndata: {error}\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(status: u16, body: &str) -> Code {
        from_answer(StatusCode::from_u16(status).unwrap(), body.as_bytes())
            .fault
            .code
    }

    #[test]
    fn answers_are_sorted_by_status_and_words() {
        for (status, body, expected) in [
            (401, "", Code::KeyRefused),
            (
                400,
                r#"{"error":{"message":"API key not valid. Please pass"}}"#,
                Code::KeyRefused,
            ),
            (402, "", Code::QuotaExceeded),
            (
                429,
                r#"{"error":{"code":"insufficient_quota"}}"#,
                Code::QuotaExceeded,
            ),
            (400, "Your credit balance is too low", Code::QuotaExceeded),
            (429, "slow down", Code::RateLimited),
            (404, "", Code::ModelUnknown),
            (
                400,
                r#"{"error":{"message":"The model `x` does not exist"}}"#,
                Code::ModelUnknown,
            ),
            (400, "bad", Code::BadRequest),
            (302, "", Code::ProviderError),
            (500, "", Code::ProviderError),
            (529, "overloaded", Code::ProviderError),
        ] {
            assert_eq!(code(status, body), expected, "{status} {body}");
        }
    }

    #[test]
    fn an_overflow_is_told_to_the_gateway() {
        let failure = from_answer(
            StatusCode::BAD_REQUEST,
            br#"{"error":{"code":"context_length_exceeded"}}"#,
        );
        assert!(failure.overflow);
        assert!(
            neutral_body(Wire::OpenaiCompletions, true)
                .to_string()
                .contains("context_length_exceeded")
        );
    }

    #[test]
    fn what_the_gateway_hears_has_no_poisonous_word() {
        for wire in [
            Wire::OpenaiCompletions,
            Wire::OpenaiResponses,
            Wire::AnthropicMessages,
            Wire::GoogleGenerativeAi,
        ] {
            let text = (neutral_body(wire, false).to_string() + &neutral_event(wire, false))
                .to_lowercase();
            for word in [
                "key", "billing", "quota", "rate", "credit", "auth", "limit", "timeout",
            ] {
                assert!(!text.contains(word), "{wire:?}: {text}");
            }
        }
    }

    #[test]
    fn an_error_inside_a_stream_is_sorted() {
        let event = json!({"type": "error", "error": {"type": "rate_limit_error", "message": "x"}});
        assert_eq!(from_event(&event).fault.code, Code::RateLimited);
        let event = json!({"error": {"code": 402, "message": "more credits"}});
        assert_eq!(from_event(&event).fault.code, Code::QuotaExceeded);
        let event = json!({"type": "error", "error": {"type": "overloaded_error"}});
        assert_eq!(from_event(&event).fault.code, Code::ProviderError);
    }
}
