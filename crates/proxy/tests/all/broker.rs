//! The broker over a real Unix socket, against a fake provider, on every wire.

use crate::support::{
    OTHER_TOKEN, Ports, TOKEN, WIRES, base, mine, other, request, saying, serve, words,
};
use fractal_api_types::ProviderFaultCode as Code;
use fractal_clock::SystemClock;
use fractal_proxy::{
    broker::{DEMO_LABEL, ProviderTarget, test_provider},
    ports::UsageStatus,
};
use fractal_testing::fake_provider::{Behaviour, FakeProvider};
use fractal_types::{ProviderKind, Timestamp, Wire};
use http::StatusCode;
use http_body_util::BodyExt;
use secrecy::SecretString;
use serde_json::json;

const EVER: Timestamp = Timestamp::from_micros(0);

#[tokio::test]
async fn every_wire_is_passed_through_with_the_real_model_and_key_and_counted() {
    for wire in WIRES {
        let provider = FakeProvider::start().await.unwrap();
        provider.accept_keys(&["sk-real"]);
        let (kind, address) = base(wire, &provider);
        let served = serve(Ports::routed_to(kind, &address));
        let heard = served.call(wire, &saying(wire, "hi")).await;
        assert_eq!(heard.status, StatusCode::OK, "{wire:?} {}", heard.text);
        assert_eq!(
            words(wire, &heard),
            "Hello from the fake provider",
            "{wire:?}"
        );
        let sent = provider.calls().remove(0);
        assert_eq!(sent.key().as_deref(), Some("sk-real"));
        assert!(sent.headers.get("cookie").is_none());
        if wire == Wire::GoogleGenerativeAi {
            assert_eq!(sent.path, "/v1beta/models/real-model:streamGenerateContent");
        } else {
            assert_eq!(sent.body["model"], "real-model");
        }
        let record = served.ports.one_record().await;
        assert_eq!(
            (record.input_tokens, record.output_tokens),
            (11, 7),
            "{wire:?}"
        );
        assert_eq!(
            (record.status, record.alias.as_str(), record.model.as_str()),
            (UsageStatus::Ok, "default", "real-model")
        );
    }
}

#[tokio::test]
async fn calls_are_counted_by_wire_and_outcome() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let handle = recorder.handle();
    let _here = metrics::set_default_local_recorder(&recorder);
    for wire in WIRES {
        let served = serve(Ports::routed_to(ProviderKind::Demo, ""));
        served.call(wire, &saying(wire, "hi")).await;
        served.ports.one_record().await;
        let ports = Ports::routed_to(ProviderKind::Demo, "");
        *ports.route.lock().unwrap() = None;
        let refused = serve(ports);
        refused.call(wire, &saying(wire, "hi")).await;
        refused.ports.one_record().await;
    }
    let text = handle.render();
    for wire in WIRES {
        let wire = wire.path_segment();
        for line in [
            format!(r#"fractal_broker_calls_total{{wire="{wire}",outcome="ok"}} 1"#),
            format!(r#"fractal_broker_calls_total{{wire="{wire}",outcome="failed"}} 1"#),
            format!(r#"fractal_broker_call_duration_seconds_count{{wire="{wire}"}} 2"#),
        ] {
            assert!(text.contains(&line), "{line}: {text}");
        }
    }
    assert!(!text.contains("sk-real") && !text.contains(TOKEN), "{text}");
}

#[tokio::test]
async fn counts_nobody_asked_for_are_kept_back() {
    let provider = FakeProvider::start().await.unwrap();
    let served = serve(Ports::routed_to(
        ProviderKind::OpenaiCompatible,
        &provider.base_url(),
    ));
    let wire = Wire::OpenaiCompletions;
    let body = json!({"stream": true, "messages": [{"role": "user", "content": "hi"}]});
    let heard = served.call(wire, &body).await;
    assert!(!heard.text.contains("usage"), "{}", heard.text);
    assert!(heard.text.ends_with("data: [DONE]\n\n"));
    assert_eq!(served.ports.one_record().await.output_tokens, 7);
}

#[tokio::test]
async fn an_answer_that_is_not_streamed_is_passed_and_counted() {
    let provider = FakeProvider::start().await.unwrap();
    let served = serve(Ports::routed_to(
        ProviderKind::OpenaiCompatible,
        &provider.base_url(),
    ));
    let body = json!({"messages": [{"role": "user", "content": "hi"}]});
    let heard = served.call(Wire::OpenaiCompletions, &body).await;
    assert_eq!(
        heard.json()["choices"][0]["message"]["content"],
        "Hello from the fake provider"
    );
    assert_eq!(served.ports.one_record().await.input_tokens, 11);
}

#[tokio::test]
async fn every_fault_of_a_provider_leaves_neutrally_and_is_told_truly() {
    for wire in WIRES {
        for (behaviour, code) in [
            (
                Behaviour::Status(401, json!({"error": {"message": "bad key sk-real"}})),
                Code::KeyRefused,
            ),
            (
                Behaviour::Status(402, json!({"error": "pay"})),
                Code::QuotaExceeded,
            ),
            (
                Behaviour::Status(403, json!({"error": "no"})),
                Code::KeyRefused,
            ),
            (Behaviour::quota(), Code::QuotaExceeded),
            (Behaviour::rate_limited(), Code::RateLimited),
            (Behaviour::Status(404, json!({})), Code::ModelUnknown),
            (
                Behaviour::Status(400, json!({"error": "x"})),
                Code::BadRequest,
            ),
            (Behaviour::Status(302, json!({})), Code::ProviderError),
            (Behaviour::broken(), Code::ProviderError),
        ] {
            let provider = FakeProvider::start().await.unwrap();
            provider.next(behaviour.clone());
            let (kind, address) = base(wire, &provider);
            let served = serve(Ports::routed_to(kind, &address));
            let heard = served.call(wire, &saying(wire, "hi")).await;
            assert_eq!(heard.status.as_u16(), 424, "{wire:?} {behaviour:?}");
            let text = heard.text.to_lowercase();
            for word in ["key", "quota", "billing", "rate limit", "sk-", "pay"] {
                assert!(!text.contains(word), "{wire:?} {behaviour:?}: {text}");
            }
            assert_eq!(
                served.faults.since(mine(), EVER).unwrap().code,
                code,
                "{wire:?} {behaviour:?}"
            );
            let record = served.ports.one_record().await;
            assert_eq!(
                (record.status, record.fault),
                (UsageStatus::Failed, Some(code))
            );
            let again = served.call(wire, &saying(wire, "hi")).await;
            assert_eq!(again.status, StatusCode::OK);
            assert_eq!(
                served.faults.since(mine(), EVER),
                None,
                "a good call ends the fault"
            );
        }
    }
}

#[tokio::test]
async fn an_error_or_a_break_inside_a_stream_becomes_a_neutral_event() {
    for wire in WIRES {
        for (behaviour, code) in [
            (
                Behaviour::ErrorInStream(
                    json!({"type": "error", "error": {"type": "rate_limit_error", "message": "Rate limit"}}),
                ),
                Code::RateLimited,
            ),
            (
                Behaviour::Drop("one two three".to_owned(), 1),
                Code::Unreachable,
            ),
        ] {
            let provider = FakeProvider::start().await.unwrap();
            provider.next(behaviour.clone());
            let (kind, address) = base(wire, &provider);
            let served = serve(Ports::routed_to(kind, &address));
            let heard = served.call(wire, &saying(wire, "hi")).await;
            assert!(
                heard.text.contains("could not answer")
                    || heard.text.contains("\"finishReason\":\"OTHER\""),
                "{wire:?} {behaviour:?} {}",
                heard.text
            );
            assert!(
                !heard.text.to_lowercase().contains("rate"),
                "{}",
                heard.text
            );
            assert_eq!(
                served.faults.since(mine(), EVER).unwrap().code,
                code,
                "{wire:?}"
            );
            assert_eq!(served.ports.one_record().await.status, UsageStatus::Failed);
        }
    }
}

#[tokio::test]
async fn a_gateway_that_leaves_half_way_is_recorded_once_as_aborted() {
    let provider = FakeProvider::start().await.unwrap();
    provider.next(Behaviour::Stall("one two three".to_owned(), 1));
    let served = serve(Ports::routed_to(
        ProviderKind::OpenaiCompatible,
        &provider.base_url(),
    ));
    let wire = Wire::OpenaiCompletions;
    let mut sender = served.open().await;
    let mut response = sender
        .send_request(request(wire, "default", &saying(wire, "hi"), TOKEN))
        .await
        .unwrap();
    response.body_mut().frame().await.unwrap().unwrap();
    drop((response, sender));
    assert_eq!(served.ports.one_record().await.status, UsageStatus::Aborted);
}

#[tokio::test]
async fn no_route_is_a_neutral_refusal_with_the_true_reason_kept() {
    let ports = Ports::routed_to(ProviderKind::Openai, "https://unused.example");
    *ports.route.lock().unwrap() = None;
    let served = serve(ports);
    let heard = served
        .call(
            Wire::AnthropicMessages,
            &saying(Wire::AnthropicMessages, "hi"),
        )
        .await;
    assert_eq!(heard.status.as_u16(), 424);
    assert_eq!(
        served.faults.since(mine(), EVER).unwrap().code,
        Code::KeyMissing
    );
}

#[tokio::test]
async fn an_unreachable_or_forbidden_address_is_told() {
    let ports = Ports::routed_to(ProviderKind::OpenaiCompatible, "http://127.0.0.1:1/v1");
    let served = serve(ports);
    let wire = Wire::OpenaiCompletions;
    assert_eq!(
        served.call(wire, &saying(wire, "hi")).await.status.as_u16(),
        424
    );
    assert_eq!(
        served.faults.since(mine(), EVER).unwrap().code,
        Code::Unreachable
    );
    served
        .ports
        .route
        .lock()
        .unwrap()
        .as_mut()
        .unwrap()
        .allow_private = false;
    assert_eq!(
        served.call(wire, &saying(wire, "hi")).await.status.as_u16(),
        424
    );
    assert_eq!(
        served.faults.since(mine(), EVER).unwrap().code,
        Code::AddressRefused
    );
}

#[tokio::test]
async fn the_token_must_belong_to_the_socket() {
    let served = serve(Ports::routed_to(ProviderKind::Demo, ""));
    let wire = Wire::OpenaiCompletions;
    let heard = served
        .send(request(wire, "default", &saying(wire, "hi"), OTHER_TOKEN))
        .await;
    assert_eq!(
        (heard.status, heard.json()["code"].as_str()),
        (StatusCode::FORBIDDEN, Some("wrong-instance"))
    );
    assert_eq!(
        *served.ports.mismatches.lock().unwrap(),
        [(mine(), other())]
    );
    let heard = served
        .send(request(wire, "default", &saying(wire, "hi"), "nobody's"))
        .await;
    assert_eq!(heard.status.as_u16(), 424);
    assert!(
        served.ports.records().is_empty(),
        "refused calls are not usage"
    );
}

#[tokio::test]
async fn an_instance_reads_its_own_configuration_only() {
    let served = serve(Ports::routed_to(ProviderKind::Demo, ""));
    let path = |id| format!("/api/internal/agent-config/{id}");
    let heard = served.get(&path(mine()), TOKEN).await;
    assert_eq!(
        (heard.status, heard.json()),
        (StatusCode::OK, json!({"for": mine()}))
    );
    assert_eq!(
        served.get(&path(other()), TOKEN).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        served.get(&path(mine()), OTHER_TOKEN).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        served.get(&path(mine()), "nobody's").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn nothing_else_is_served() {
    let served = serve(Ports::routed_to(ProviderKind::Demo, ""));
    for path in [
        "/",
        "/mcp",
        "/api/v1/instances",
        "/llm/other/v1/x",
        "/llm/openai/v1/embeddings",
        "/metrics",
    ] {
        let heard = served.get(path, TOKEN).await;
        assert_eq!(heard.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(heard.kind, "application/problem+json", "{path}");
    }
    assert_eq!(
        served.get("/llm/openai/v1/models", TOKEN).await.json()["data"][0]["id"],
        "default"
    );
}

#[tokio::test]
async fn the_demo_streams_on_every_wire_and_says_what_it_is() {
    for wire in WIRES {
        let served = serve(Ports::routed_to(ProviderKind::Demo, ""));
        let text = "[Sat 2026-11-21 10:32 UTC] good morning";
        let heard = served.call(wire, &saying(wire, text)).await;
        let said = words(wire, &heard);
        assert!(
            said.contains(DEMO_LABEL) && said.contains("“good morning”"),
            "{wire:?} {said}"
        );
        assert_eq!(served.ports.one_record().await.status, UsageStatus::Ok);
    }
}

#[tokio::test]
async fn the_probe_quotes_its_nonce_without_provider_and_without_usage() {
    for wire in WIRES {
        let ports = Ports::routed_to(ProviderKind::Openai, "https://unused.example");
        *ports.route.lock().unwrap() = None;
        let served = serve(ports);
        let heard = served
            .send(request(wire, "probe", &saying(wire, "nonce-4711"), TOKEN))
            .await;
        assert!(
            words(wire, &heard).contains("nonce-4711"),
            "{wire:?} {}",
            heard.text
        );
        assert!(served.ports.records().is_empty());
    }
}

#[tokio::test]
async fn a_socket_left_by_an_earlier_process_is_replaced() {
    let served = serve(Ports::routed_to(ProviderKind::Demo, ""));
    let second =
        fractal_proxy::broker::Listener::bind(served.folder.path(), served.broker.router(mine()))
            .unwrap();
    assert_eq!(
        served.get("/llm/openai/v1/models", TOKEN).await.status,
        StatusCode::OK
    );
    second.shutdown().await;
    std::fs::write(served.folder.path().join("listener.sock"), "not a socket").unwrap();
    assert!(
        fractal_proxy::broker::Listener::bind(served.folder.path(), served.broker.router(mine()))
            .is_err()
    );
}

#[tokio::test]
async fn a_provider_test_lists_models_or_says_what_is_wrong() {
    let provider = FakeProvider::start().await.unwrap();
    provider.accept_keys(&["good"]);
    let outbound = crate::support::outbound();
    for wire in WIRES {
        let (kind, address) = base(wire, &provider);
        let target = |key: &str| ProviderTarget {
            kind,
            wire,
            base_url: Some(address.clone()),
            api_key: Some(SecretString::from(key)),
            models: vec!["given".to_owned()],
            allow_private: true,
        };
        provider.list_models(Some(&["fake-1", "fake-2"]));
        let good = test_provider(&outbound, &SystemClock, &target("good")).await;
        assert_eq!(
            (good.ok, good.models),
            (true, vec!["fake-1".to_owned(), "fake-2".to_owned()]),
            "{wire:?}"
        );
        let bad = test_provider(&outbound, &SystemClock, &target("bad")).await;
        assert_eq!(bad.error.unwrap().code, Code::KeyRefused);
        provider.list_models(None);
        let unlisted = test_provider(&outbound, &SystemClock, &target("good")).await;
        assert_eq!(
            (unlisted.ok, unlisted.models),
            (true, vec!["given".to_owned()]),
            "{wire:?}"
        );
        let private = test_provider(
            &outbound,
            &SystemClock,
            &ProviderTarget {
                allow_private: false,
                ..target("good")
            },
        )
        .await;
        assert_eq!(private.error.unwrap().code, Code::AddressRefused);
    }
    let demo = ProviderTarget {
        kind: ProviderKind::Demo,
        wire: Wire::OpenaiCompletions,
        base_url: None,
        api_key: None,
        models: Vec::new(),
        allow_private: false,
    };
    assert_eq!(
        test_provider(&outbound, &SystemClock, &demo).await.models,
        ["demo"]
    );
    let keyless = ProviderTarget {
        kind: ProviderKind::Openai,
        ..demo
    };
    assert_eq!(
        test_provider(&outbound, &SystemClock, &keyless)
            .await
            .error
            .unwrap()
            .code,
        Code::KeyMissing
    );
}
