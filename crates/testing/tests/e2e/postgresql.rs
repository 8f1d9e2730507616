//! The whole way with PostgreSQL underneath: an agent answers, is stopped, sleeps and wakes, and remembers.

use std::{sync::Arc, time::Duration};

use fractal_clock::SystemClock;
use fractal_store::{OpenOptions, Store, users};
use fractal_testing::{
    postgres,
    serve::{Peers, Person, Serve, gateway_of},
};
use rustix::process::Signal;
use serde_json::json;

use crate::people::{Resident, STARTS_WITHIN};

const STOPS_WITHIN: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_answers_stops_and_wakes_on_postgresql() {
    let Some(peers) = Peers::find() else { return };
    let Some(postgres) = postgres::server() else {
        return;
    };
    let database = postgres.empty();
    let mut server = Serve::start_on(&peers, Some(database.url.clone())).await;
    let owner = Person::claim(&server, "ada").await;
    let ada = Resident::move_in(owner, "sk-ada-key-on-postgresql-77c1").await;
    ada.person
        .wait_for(&ada.instance, "ready", STARTS_WITHIN)
        .await;
    assert_eq!(people_in(&database.url).await, 1, "PostgreSQL has her row");
    assert!(
        !server.data_dir().join("fractal.db").exists(),
        "and no other database has"
    );
    ada.hears("main", "Remember the word amaranth.", "Hello")
        .await;

    ada.person.post(&ada.path("/stop"), json!({})).await;
    ada.person
        .wait_for(&ada.instance, "stopped", STOPS_WITHIN)
        .await;
    assert!(gateway_of(&ada.instance).is_none());
    let ended = server.end(Signal::TERM).await;
    assert!(ended.success(), "{ended}");
    server.run().await;
    let view = ada.person.get(&ada.path("")).await;
    assert_eq!(view["wanted"], "stopped", "it was stopped by a person");
    ada.person.post(&ada.path("/start"), json!({})).await;
    ada.person
        .wait_for(&ada.instance, "ready", STARTS_WITHIN)
        .await;
    remembers(&ada, "After the stop").await;

    let change = json!({"idle_timeout_minutes": 1});
    ada.person.patch(&ada.path(""), change).await;
    let within = Duration::from_secs(150);
    let view = ada.person.wait_for(&ada.instance, "stopped", within).await;
    assert_eq!(view["stop_reason"], "idle");
    remembers(&ada, "Good morning!").await;
    let words = ada.person.history(&ada.instance, "main").await;
    for said in ["amaranth", "After the stop", "Good morning!"] {
        assert!(words.iter().any(|text| text.contains(said)), "{words:?}");
    }
}

/// How many people stand in a database.
async fn people_in(url: &str) -> u64 {
    let options = OpenOptions::new(Arc::new(SystemClock));
    let store = Store::open(url, &options).await.unwrap();
    let count = users::count_all(&store.read()).await.unwrap();
    store.close().await.unwrap();
    count
}

async fn remembers(ada: &Resident, message: &str) {
    ada.hears("main", message, "Hello").await;
    let call = ada.calls_about(message).pop().unwrap();
    assert!(
        call.body["messages"].to_string().contains("amaranth"),
        "the conversation goes on"
    );
}
