//! Whether a provider can be used: a direct look, independent of any gateway.
//!
//! The list of models is asked for first, because it costs nothing; a provider without one is asked
//! for a single token.

use std::time::Duration;

use fractal_api_types::{ProviderFault, ProviderFaultCode, ProviderTest};
use fractal_clock::Clock;
use fractal_connect::{AddressRule, Answer, Limits, Outbound, OutboundError};
use fractal_types::{ProviderKind, Wire};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    demo,
    fault::{Failure, fault, from_answer, from_event},
    upstream,
};

/// Lists of models can be long (OpenRouter's is some hundred kilobytes).
const LIST: Limits = Limits {
    first_byte: Duration::from_secs(10),
    idle: Duration::from_secs(10),
    total: Some(Duration::from_secs(20)),
    body: 8 << 20,
};

/// What to look at.
#[derive(Debug, Clone)]
pub struct ProviderTarget {
    /// The kind.
    pub kind: ProviderKind,
    /// The wire.
    pub wire: Wire,
    /// The address; the kind's own when absent.
    pub base_url: Option<String>,
    /// The key.
    pub api_key: Option<SecretString>,
    /// Models given by hand; kept when the provider cannot list any.
    pub models: Vec<String>,
    /// Whether a private or loopback address is allowed.
    pub allow_private: bool,
}

/// Looks whether a provider answers.
pub async fn test_provider(
    outbound: &Outbound,
    clock: &dyn Clock,
    target: &ProviderTarget,
) -> ProviderTest {
    let started = clock.now();
    let outcome = look(outbound, target).await;
    let latency_ms = u64::try_from(clock.now().since(started).as_millis()).unwrap_or(u64::MAX);
    match outcome {
        Ok(models) => ProviderTest {
            ok: true,
            latency_ms,
            models,
            error: None,
        },
        Err(error) => ProviderTest {
            ok: false,
            latency_ms,
            models: target.models.clone(),
            error: Some(error),
        },
    }
}

async fn look(outbound: &Outbound, target: &ProviderTarget) -> Result<Vec<String>, ProviderFault> {
    if target.kind == ProviderKind::Demo {
        return Ok(vec![demo::MODEL.to_owned()]);
    }
    if target.kind.needs_key() && target.api_key.is_none() {
        return Err(fault(
            ProviderFaultCode::KeyMissing,
            "No key is stored for this provider.",
            "Enter the provider's key.",
        ));
    }
    let wrong_address = || {
        fault(
            ProviderFaultCode::AddressRefused,
            "The provider's address is missing or not valid.",
            "Enter an address such as https://provider.example/v1.",
        )
    };
    let base = target
        .base_url
        .as_deref()
        .or_else(|| target.kind.default_base_url())
        .ok_or_else(wrong_address)?;
    let rule = AddressRule {
        allow_private: target.allow_private,
    };
    let url = upstream::models_url(base, target.wire).ok_or_else(wrong_address)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    upstream::credential(target.wire, target.api_key.as_ref(), &mut headers);
    let answer = read(
        outbound
            .get("provider", url, rule)
            .headers(headers.clone())
            .limits(LIST)
            .send()
            .await,
    )
    .await?;
    if answer.0.is_success()
        && let Some(models) = models_in(&answer.1)
    {
        // OpenRouter lists its models to everybody, so the list proves nothing about the key.
        if target.kind != ProviderKind::Openrouter {
            return Ok(with_given(models, &target.models));
        }
        let key = upstream::models_url(base, target.wire)
            .and_then(|url| url.join("key").ok())
            .ok_or_else(wrong_address)?;
        let (status, body) = read(
            outbound
                .get("provider", key, rule)
                .headers(headers)
                .limits(LIST)
                .send()
                .await,
        )
        .await?;
        return if matches!(status.as_u16(), 401 | 403) {
            Err(from_answer(status, &body).fault)
        } else {
            Ok(with_given(models, &target.models))
        };
    }
    let unsupported = answer.0.is_success() || matches!(answer.0.as_u16(), 404 | 405 | 501);
    let Some(model) = target.models.first().filter(|_| unsupported) else {
        return Err(if unsupported {
            fault(
                ProviderFaultCode::ModelUnknown,
                "The provider does not list its models.",
                "Enter the names of the models to use, and check the address.",
            )
        } else {
            from_answer(answer.0, &answer.1).fault
        });
    };
    let url = upstream::call_url(base, target.wire, upstream::Method::Only, model)
        .ok_or_else(wrong_address)?;
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    let body = one_token(target.wire, model).to_string();
    let (status, body) = read(
        outbound
            .post("provider", url, rule)
            .headers(headers)
            .body(body)
            .limits(LIST)
            .send()
            .await,
    )
    .await?;
    if !status.is_success() {
        return Err(from_answer(status, &body).fault);
    }
    match serde_json::from_slice::<Value>(&body) {
        Ok(value) if value["error"].is_object() => Err(from_event(&value).fault),
        Ok(_) => Ok(target.models.clone()),
        Err(_) => Err(Failure::from(&OutboundError::Malformed("JSON")).fault),
    }
}

async fn read(
    sent: Result<Answer, OutboundError>,
) -> Result<(StatusCode, bytes::Bytes), ProviderFault> {
    let sorted = |error: OutboundError| Failure::from(&error).fault;
    let answer = sent.map_err(sorted)?;
    let status = answer.status();
    Ok((status, answer.bytes().await.map_err(sorted)?))
}

/// The names in a list: `data[].id`, or Google's `models[].name`.
fn models_in(body: &[u8]) -> Option<Vec<String>> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let (list, key) = if value["data"].is_array() {
        (&value["data"], "id")
    } else if value.is_array() {
        (&value, "id")
    } else {
        (&value["models"], "name")
    };
    let names = list.as_array()?.iter().filter(|model| {
        model["supportedGenerationMethods"]
            .as_array()
            .is_none_or(|methods| methods.iter().any(|method| method == "generateContent"))
    });
    Some(
        names
            .filter_map(|model| model[key].as_str())
            .map(|name| name.strip_prefix("models/").unwrap_or(name).to_owned())
            .take(2_000)
            .collect(),
    )
}

fn with_given(mut listed: Vec<String>, given: &[String]) -> Vec<String> {
    if listed.is_empty() {
        listed.extend_from_slice(given);
    }
    listed
}

fn one_token(wire: Wire, model: &str) -> Value {
    match wire {
        Wire::OpenaiCompletions | Wire::AnthropicMessages => {
            json!({"model": model, "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]})
        }
        Wire::OpenaiResponses => {
            json!({"model": model, "max_output_tokens": 16, "store": false, "input": "Hi"})
        }
        Wire::GoogleGenerativeAi => {
            json!({"contents": [{"role": "user", "parts": [{"text": "Hi"}]}], "generationConfig": {"maxOutputTokens": 1}})
        }
    }
}
