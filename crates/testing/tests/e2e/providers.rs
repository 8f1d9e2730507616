//! What goes wrong at a provider is told in words that help, and is over as soon as it is mended.

use std::time::Duration;

use fractal_api_types::ProviderFaultCode;
use fractal_testing::fake_provider::Behaviour;
use serde_json::json;

use crate::people::{Resident, Story};

/// "At once": far below the minute for which a gateway blocks a provider that it believes to refuse its key.
const AT_ONCE: Duration = Duration::from_secs(20);

pub async fn faults_are_explained_and_recovered_from(story: &Story) {
    let ada = &story.ada;

    ada.change_provider(json!({"api_key": "sk-a-wrong-key"}))
        .await;
    explained(ada, "wrong key", ProviderFaultCode::KeyRefused, "key").await;
    ada.change_provider(json!({"api_key": ada.key})).await;
    answered_at_once(ada, "right key").await;

    ada.fake.usually(Behaviour::quota());
    explained(ada, "no quota", ProviderFaultCode::QuotaExceeded, "quota").await;
    ada.fake
        .usually(Behaviour::Status(402, json!({"error": {"message": "pay"}})));
    explained(ada, "no credit", ProviderFaultCode::QuotaExceeded, "credit").await;
    ada.fake
        .usually(Behaviour::Answer("Hello again".to_owned()));
    answered_at_once(ada, "quota is there").await;

    // A port that was free a moment ago: nobody listens there.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/v1", closed.local_addr().unwrap());
    drop(closed);
    ada.change_provider(json!({"base_url": address, "api_key": ada.key}))
        .await;
    explained(
        ada,
        "provider down",
        ProviderFaultCode::Unreachable,
        "address",
    )
    .await;
    let view = ada.person.get(&ada.path("")).await;
    assert_eq!(view["provider_ok"], false);
    assert_eq!(
        view["seen"], "ready",
        "a provider's fault is not the agent's"
    );
    ada.change_provider(json!({"base_url": ada.fake.base_url(), "api_key": ada.key}))
        .await;
    answered_at_once(ada, "provider up").await;
}

async fn explained(ada: &Resident, what: &str, code: ProviderFaultCode, word: &str) {
    let reply = ada.say("faults", &format!("While {what}")).await;
    let fault = reply
        .fault
        .clone()
        .unwrap_or_else(|| panic!("{what}: {reply:?}"));
    assert_eq!(fault.code, code, "{what}: {reply:?}");
    let (_, message, remedy) = reply.error.clone().unwrap();
    let remedy = remedy.unwrap_or_else(|| panic!("{what} has no remedy: {reply:?}"));
    assert!(
        format!("{message} {remedy}").to_lowercase().contains(word),
        "{what}: {message} {remedy}"
    );
}

async fn answered_at_once(ada: &Resident, what: &str) {
    let reply = ada.say("faults", &format!("Now that the {what}")).await;
    assert!(reply.text.is_some(), "{what}: {reply:?}");
    assert!(reply.took < AT_ONCE, "{what} took {:?}", reply.took);
}
