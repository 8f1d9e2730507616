//! Changes of what an instance is given.

use std::time::Duration;

use fractal_api_types::{CreateProvider, ProviderFaultCode, UpdateProfile, UpdateProvider};
use fractal_app::{instance, model, profile, provider};
use fractal_testing::gateway::Patches;
use fractal_types::{ProviderKind, SeenState, Wire};
use secrecy::ExposeSecret;

use crate::support::{Home, home, reduced_home};

async fn change_persona(home: &Home, words: &str) {
    let body = UpdateProfile {
        persona: Some(words.into()),
        cron_enabled: Some(words.len().is_multiple_of(2)),
        ..UpdateProfile::default()
    };
    profile::update(&home.house.app, &home.cx, body)
        .await
        .unwrap();
}

fn anthropic() -> CreateProvider {
    CreateProvider {
        kind: ProviderKind::Anthropic,
        name: "mine".parse().unwrap(),
        base_url: None,
        api_key: Some("sk-test".into()),
        models: Some(vec!["test-model".into()]),
        wire: None,
        shared: None,
        allow_private_network: None,
    }
}

#[tokio::test]
async fn a_changed_persona_reaches_the_running_gateway_without_a_new_proof() {
    let home = home().await;
    let id = home.ready("ada").await;
    let turns = home.gateways.count(id, "chat.send");
    // Under a running turn nothing is changed.
    let busy = instance::note_use(&home.house.app, id);
    change_persona(&home, "You are terse").await;
    home.go_on().await;
    assert!(home.gateways.seen(id).files.is_empty());
    drop(busy);
    home.until("set", || async {
        home.gateways
            .seen(id)
            .files
            .values()
            .any(|file| file.contains("You are terse"))
    })
    .await;
    home.go_on().await;
    assert_eq!(home.gateways.count(id, "chat.send"), turns);
    assert_eq!(home.starts(id), 1);
}

#[tokio::test]
async fn another_wire_is_applied_live_and_proven_again() {
    let home = home().await;
    let id = home.ready("ada").await;
    let before = home.row(id).await.proved_hash;
    let body = anthropic();
    let made = provider::create(&home.house.app, &home.cx, body)
        .await
        .unwrap();
    let body = UpdateProfile {
        provider_id: Some(made.id),
        model: Some("test-model".into()),
        ..UpdateProfile::default()
    };
    profile::update(&home.house.app, &home.cx, body)
        .await
        .unwrap();
    home.until("proven again", || async {
        home.row(id).await.proved_hash != before
    })
    .await;
    home.go_on().await;
    assert_eq!(home.gateways.count(id, "config.patch"), 1);
    assert_eq!(home.gateways.count(id, "chat.send"), 2);
    assert_eq!(home.starts(id), 1);
    assert_eq!(home.row(id).await.seen, SeenState::Ready);
}

#[tokio::test]
async fn too_many_changes_wait_and_a_refused_one_is_made_by_a_restart() {
    let home = home().await;
    let id = home.ready("ada").await;
    home.gateways.behave(|all| all.patches = Patches::RateLimit);
    change_persona(&home, "odd").await;
    change_persona(&home, "even").await;
    home.until("refused", || async {
        home.gateways.count(id, "config.patch") == 1
    })
    .await;
    home.go_on().await;
    assert_eq!(home.gateways.count(id, "config.patch"), 1, "not yet");
    assert_eq!(home.starts(id), 1);
    home.gateways.behave(|all| all.patches = Patches::Refuse);
    home.house.pass(61);
    home.until("restarted", || async {
        home.starts(id) == 2 && home.row(id).await.seen == SeenState::Ready
    })
    .await;
    home.go_on().await;
    assert_eq!(home.starts(id), 2, "the new process has it already");
}

#[tokio::test]
async fn without_a_sandbox_a_change_is_made_by_a_restart() {
    let home = reduced_home().await;
    let id = home.ready("ada").await;
    change_persona(&home, "You are terse").await;
    home.until("restarted", || async {
        home.starts(id) == 2 && home.row(id).await.seen == SeenState::Ready
    })
    .await;
    assert_eq!(home.gateways.count(id, "config.patch"), 0);
}

#[tokio::test]
async fn a_model_call_goes_where_the_settings_say_from_the_moment_they_are_changed() {
    let home = home().await;
    let app = &home.house.app;
    let id = home.create("ada").await;
    let wire = Wire::AnthropicMessages;
    let unassigned = model::route(app, id, wire, "default").await.unwrap_err();
    assert_eq!(unassigned.code, ProviderFaultCode::NotConfigured);
    let made = provider::create(app, &home.cx, anthropic()).await.unwrap();
    let assign = UpdateProfile {
        provider_id: Some(made.id),
        model: Some("test-model".into()),
        ..UpdateProfile::default()
    };
    profile::update(app, &home.cx, assign).await.unwrap();
    let key = async || {
        let route = model::route(app, id, wire, "default").await.unwrap();
        route.api_key.unwrap().expose_secret().to_owned()
    };
    assert_eq!(
        (key().await, key().await),
        ("sk-test".into(), "sk-test".into())
    );
    let change = UpdateProvider {
        api_key: Some("sk-new".into()),
        ..UpdateProvider::default()
    };
    provider::update(app, &home.cx, made.id, change)
        .await
        .unwrap();
    assert_eq!(key().await, "sk-new");
    provider::delete(app, &home.cx, made.id).await.unwrap();
    let gone = model::route(app, id, wire, "default").await.unwrap_err();
    assert_eq!(gone.code, ProviderFaultCode::NotConfigured);
}

#[tokio::test]
async fn an_outcome_is_written_when_it_differs_and_seen_again_when_another_process_changed_it() {
    let home = home().await;
    let app = &home.house.app;
    let id = home.create("ada").await;
    let made = provider::create(app, &home.cx, anthropic()).await.unwrap();
    let ok = async || provider::view(app, &home.cx, made.id).await.unwrap().ok;
    let note = async || {
        model::note_outcome(app, id, Some(made.id), None)
            .await
            .unwrap()
    };
    note().await;
    assert_eq!(ok().await, Some(true));
    // As another control plane on the same database would.
    let now = app.clock.now();
    app.store
        .tx("test", async |tx: fractal_store::Tx| {
            fractal_store::providers::observe(&tx, made.id, false, Some("down"), now).await
        })
        .await
        .unwrap();
    home.house.clock.advance(Duration::from_secs(3));
    note().await;
    assert_eq!(ok().await, Some(true));
}

fractal_testing::on_postgresql! {
    a_changed_persona_reaches_the_running_gateway_without_a_new_proof
    another_wire_is_applied_live_and_proven_again
    too_many_changes_wait_and_a_refused_one_is_made_by_a_restart
    without_a_sandbox_a_change_is_made_by_a_restart
    a_model_call_goes_where_the_settings_say_from_the_moment_they_are_changed
    an_outcome_is_written_when_it_differs_and_seen_again_when_another_process_changed_it
}
