//! One model call: who asks, where it goes, what comes back.

use std::convert::Infallible;

use axum::{
    body::{Body, to_bytes},
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use fractal_api_types::{ProblemCode, ProviderFaultCode};
use fractal_clock::{new_id, random};
use fractal_connect::{AddressRule, Limits};
use fractal_types::{ProviderKind, UsageRecordId, Wire};
use futures::StreamExt;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

use super::{
    Broker, Identity, PROBE_ALIAS, Socket, demo,
    fault::{Failure, NEUTRAL_STATUS, fault, from_answer, from_event, neutral_body},
    meter::Meter,
    prompt::Prompt,
    reply::{Envelope, Reply},
    tap, upstream,
};
use crate::ports::Route;

/// How much of a refusal is read to sort it.
const REFUSAL_READ: usize = 64 << 10;

/// A call as understood from its address and body.
struct Call {
    wire: Wire,
    alias: String,
    method: upstream::Method,
    streams: bool,
    headers: HeaderMap,
    body: Value,
}

pub(super) async fn serve(
    State(socket): State<Socket>,
    Path((segment, rest)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Socket {
        broker,
        instance,
        room,
    } = socket;
    let Some(wire) = wire_of(&segment) else {
        return broker.problem(ProblemCode::NotFound, "There is no such wire.");
    };
    match broker
        .identify(instance, request.headers(), request.uri().query())
        .await
    {
        Identity::Right => {}
        Identity::Other => {
            return broker.problem(
                ProblemCode::WrongInstance,
                "The token belongs to another instance than this socket.",
            );
        }
        Identity::Unknown => {
            broker.faults.note(
                instance,
                broker.clock.now(),
                fault(
                    ProviderFaultCode::NotConfigured,
                    "The agent presented a token that is not valid any more.",
                    "Restart the agent; it gets its present token with the start.",
                ),
            );
            return refusal(wire, false);
        }
    }
    broker.ports.touch(instance);
    let rest = ["v1/", "v1beta/"]
        .iter()
        .find_map(|version| rest.strip_prefix(version))
        .unwrap_or(&rest);
    if rest == "models" && request.method() == Method::GET {
        let models = json!([{"id": "default", "object": "model", "owned_by": "fractal"}]);
        return axum::Json(json!({"object": "list", "data": models})).into_response();
    }
    let Some((method, alias_in_path)) = method_of(wire, rest) else {
        return broker.problem(ProblemCode::NotFound, "This wire has no such call.");
    };
    if request.method() != Method::POST {
        return broker.problem(
            ProblemCode::MethodNotAllowed,
            "Model calls are POST requests.",
        );
    }
    let (parts, body) = request.into_parts();
    // An agent that sends without measure waits for itself; the memory here is everybody's. Held until the answer begins.
    let _room = room
        .acquire_many(weight(&parts.headers, broker.settings.max_body))
        .await;
    let body = match to_bytes(body, broker.settings.max_body).await {
        Ok(bytes) => serde_json::from_slice::<Value>(&bytes)
            .ok()
            .filter(Value::is_object),
        Err(_) => None,
    };
    let meter = |alias: &str| {
        Meter::start(
            broker.ports.clone(),
            broker.faults.clone(),
            broker.clock.clone(),
            broker.entropy.clone(),
            instance,
            wire,
            alias,
        )
    };
    let Some(body) = body else {
        let failure = fault(
            ProviderFaultCode::BadRequest,
            "The agent's request was broken or too large.",
            "Begin a new session, or send smaller attachments.",
        );
        meter("").failed(&failure);
        return refusal(wire, false);
    };
    let alias = alias_in_path.or_else(|| body["model"].as_str().map(str::to_owned));
    let alias = alias.as_deref().unwrap_or_default();
    let call = Call {
        wire,
        alias: alias.strip_prefix("fractal/").unwrap_or(alias).to_owned(),
        method,
        streams: method == upstream::Method::Stream || body["stream"] == true,
        headers: parts.headers,
        body,
    };
    if call.alias == PROBE_ALIAS {
        let prompt = Prompt::read(wire, &call.body);
        return own_answer(
            &broker,
            &call,
            Reply::Text(format!("probe {}", prompt.words)),
            None,
        );
    }
    let mut meter = meter(&call.alias);
    match broker.ports.route(instance, wire, &call.alias).await {
        Err(why) => {
            meter.failed(&why);
            refusal(wire, false)
        }
        Ok(route) => {
            meter.provider = Some(route.provider_id);
            meter.model.clone_from(&route.model);
            if route.kind == ProviderKind::Demo {
                let prompt = Prompt::read(wire, &call.body);
                let id = format!("call_{}", hex(&random::<8>(&*broker.entropy)));
                let reply = demo::answer(&call.alias, &prompt, &id);
                own_answer(&broker, &call, reply, Some(meter))
            } else {
                forward(&broker, call, route, meter).await
            }
        }
    }
}

/// Calls the provider and passes its answer on.
async fn forward(broker: &Broker, mut call: Call, route: Route, mut meter: Meter) -> Response {
    let wire = call.wire;
    let hide = upstream::prepare(wire, &route.model, &mut call.body);
    let Some(url) = upstream::call_url(&route.base_url, wire, call.method, &route.model) else {
        meter.failed(&fault(
            ProviderFaultCode::AddressRefused,
            "The provider's address is not a valid address.",
            "Correct the provider's address.",
        ));
        return refusal(wire, false);
    };
    let headers = upstream::headers(wire, &call.headers, route.api_key.as_ref());
    let rule = AddressRule {
        allow_private: route.allow_private,
    };
    // Serialising a value that was parsed cannot fail; an empty body would be refused by the provider.
    let body = serde_json::to_vec(&call.body).unwrap_or_default();
    let sent = broker
        .outbound
        .post("provider", url, rule)
        .headers(headers)
        .body(body)
        .limits(Limits::STREAM)
        .send()
        .await;
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => return failed(wire, meter, &Failure::from(&error)),
    };
    let status = answer.status();
    let kind = answer.headers().get(header::CONTENT_TYPE).cloned();
    if !status.is_success() {
        let mut read = Vec::new();
        let mut pieces = Box::pin(answer.stream());
        while let Some(Ok(piece)) = pieces.next().await {
            read.extend_from_slice(&piece);
            if read.len() > REFUSAL_READ {
                break;
            }
        }
        return failed(wire, meter, &from_answer(status, &read));
    }
    let is_stream = kind
        .as_ref()
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/event-stream"));
    if is_stream || (call.streams && kind.is_none()) {
        let events = tap::tap(wire, hide, meter, answer.stream());
        return sse(Body::from_stream(events));
    }
    let bytes = match answer.bytes().await {
        Ok(bytes) => bytes,
        Err(error) => return failed(wire, meter, &Failure::from(&error)),
    };
    let Ok(value) = serde_json::from_slice::<Value>(&bytes) else {
        let failure = fault(
            ProviderFaultCode::ProviderError,
            "The provider's answer was not understood.",
            "Check that the address belongs to a provider of the chosen type.",
        );
        return failed(wire, meter, &failure.into());
    };
    if value["error"].is_object() {
        return failed(wire, meter, &from_event(&value));
    }
    meter.tokens.absorb(wire, &value);
    meter.done();
    (
        [(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        )],
        bytes,
    )
        .into_response()
}

/// Says something ourselves. With a meter it is counted and paced, without it is the probe.
fn own_answer(broker: &Broker, call: &Call, reply: Reply, meter: Option<Meter>) -> Response {
    let id = format!(
        "fractal-{}",
        new_id::<UsageRecordId>(&*broker.clock, &*broker.entropy)
    );
    let input = Prompt::read(call.wire, &call.body)
        .words
        .split_whitespace()
        .count() as u64;
    let envelope = Envelope {
        wire: call.wire,
        model: &call.alias,
        id: &id,
        created: broker.clock.now().as_millis() / 1000,
        input,
    };
    let output = match &reply {
        Reply::Text(text) => text.split_whitespace().count() as u64,
        Reply::Call { .. } => 1,
    };
    let mut meter = meter;
    if let Some(meter) = &mut meter {
        meter.tokens.input = input;
        meter.tokens.output = output;
    }
    if !call.streams {
        if let Some(mut meter) = meter {
            meter.done();
        }
        return axum::Json(envelope.whole(&reply)).into_response();
    }
    let events = envelope.events(&reply);
    let pace = if meter.is_some() {
        broker.settings.demo_pace
    } else {
        std::time::Duration::ZERO
    };
    let clock = broker.clock.clone();
    let state = (events.into_iter(), meter);
    let stream = futures::stream::unfold(state, move |(mut events, mut meter)| {
        let clock = clock.clone();
        async move {
            let Some(event) = events.next() else {
                if let Some(meter) = &mut meter {
                    meter.done();
                }
                return None;
            };
            if !pace.is_zero() {
                clock.sleep(pace).await;
            }
            if let (0, Some(meter)) = (events.len(), &mut meter) {
                // Counted with the last word: a client may hang up right after it.
                meter.done();
            }
            Some((Ok::<_, Infallible>(Bytes::from(event)), (events, meter)))
        }
    });
    sse(Body::from_stream(stream))
}

/// What a body counts: its declared size, or else the largest one.
fn weight(headers: &HeaderMap, max_body: usize) -> u32 {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let counted = super::mebibytes(declared.unwrap_or(max_body).min(max_body));
    u32::try_from(counted).unwrap_or(u32::MAX)
}

fn failed(wire: Wire, mut meter: Meter, failure: &Failure) -> Response {
    meter.failed(&failure.fault);
    refusal(wire, failure.overflow)
}

fn refusal(wire: Wire, overflow: bool) -> Response {
    (NEUTRAL_STATUS, axum::Json(neutral_body(wire, overflow))).into_response()
}

fn sse(body: Body) -> Response {
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/event-stream"),
        ),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (StatusCode::OK, headers, body).into_response()
}

fn wire_of(segment: &str) -> Option<Wire> {
    [
        Wire::OpenaiCompletions,
        Wire::OpenaiResponses,
        Wire::AnthropicMessages,
        Wire::GoogleGenerativeAi,
    ]
    .into_iter()
    .find(|wire| wire.path_segment() == segment)
}

/// What a path asks for, and the alias in it.
fn method_of(wire: Wire, rest: &str) -> Option<(upstream::Method, Option<String>)> {
    match (wire, rest) {
        (Wire::OpenaiCompletions, "chat/completions")
        | (Wire::OpenaiResponses, "responses")
        | (Wire::AnthropicMessages, "messages") => Some((upstream::Method::Only, None)),
        (Wire::GoogleGenerativeAi, _) => {
            let (alias, verb) = rest.strip_prefix("models/")?.rsplit_once(':')?;
            let method = match verb {
                "generateContent" => upstream::Method::Generate,
                "streamGenerateContent" => upstream::Method::Stream,
                _ => return None,
            };
            Some((method, Some(alias.to_owned())))
        }
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
