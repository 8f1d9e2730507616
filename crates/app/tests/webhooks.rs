//! What a receiver sees: everything, in order, signed, whatever happens to it meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use fractal_api_types::{
    CreateInstance, CreateWebhook, DeliveryQuery, DeliveryStateView, NewWebhook, PageQuery,
    ProblemCode, UpdateWebhook,
};
use fractal_app::{
    Context, engine, instance,
    webhook::{
        self,
        deliver::{MOST_ATTEMPTS, work},
    },
};
use fractal_store::evidence;
use fractal_testing::house::{House, house};
use serde_json::Value;

/// How the receiver behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Up,
    Down,
    /// Takes every message and says every second time that it failed.
    Forgetful,
    Moved,
}

#[derive(Debug)]
struct Inbox {
    mood: Mood,
    calls: u32,
    messages: Vec<(HeaderMap, Bytes)>,
}

type Shared = Arc<Mutex<Inbox>>;

async fn take(State(inbox): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let mut inbox = inbox.lock().unwrap();
    inbox.calls += 1;
    match inbox.mood {
        Mood::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Moved => (
            StatusCode::TEMPORARY_REDIRECT,
            [(header::LOCATION, "/elsewhere")],
        )
            .into_response(),
        Mood::Up => {
            inbox.messages.push((headers, body));
            StatusCode::NO_CONTENT.into_response()
        }
        Mood::Forgetful => {
            inbox.messages.push((headers, body));
            if inbox.calls % 2 == 0 {
                StatusCode::OK.into_response()
            } else {
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

struct Scene {
    house: House,
    cx: Context,
    inbox: Shared,
    url: String,
}

impl Scene {
    async fn new() -> Self {
        let house = house().await;
        let root = house.claim().await;
        let cx = house.context(&root).await;
        engine::register(&house.app).await.unwrap();
        let inbox = Arc::new(Mutex::new(Inbox {
            mood: Mood::Up,
            calls: 0,
            messages: Vec::new(),
        }));
        let router = Router::new()
            .route("/hook", post(take))
            .route("/elsewhere", post(take))
            .with_state(inbox.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            house,
            cx,
            inbox,
            url,
        }
    }

    fn mood(&self, mood: Mood) {
        self.inbox.lock().unwrap().mood = mood;
    }

    async fn hook(&self, events: &[&str]) -> NewWebhook {
        let body = CreateWebhook {
            name: "receiver".parse().unwrap(),
            url: self.url.clone(),
            events: Some(events.iter().map(|event| (*event).to_owned()).collect()),
            allow_private_network: Some(true),
        };
        webhook::create(&self.house.app, &self.cx, body)
            .await
            .unwrap()
    }

    async fn agent(&self, name: &str) -> fractal_types::InstanceId {
        let body = CreateInstance {
            name: name.parse().unwrap(),
            engine_id: None,
            start: Some(false),
        };
        instance::create(&self.house.app, &self.cx, body)
            .await
            .unwrap()
            .0
            .id
    }

    /// Seals and delivers what is due now.
    async fn work(&self) {
        self.house.app.sealer.seal_all().await.unwrap();
        work(&self.house.app, "test").await.unwrap();
    }

    /// Lets time pass until nothing waits any more.
    async fn settle(&self) {
        self.house.app.sealer.seal_all().await.unwrap();
        for _ in 0..10_000 {
            let now = fractal_clock_now(&self.house);
            match work(&self.house.app, "test").await.unwrap() {
                None => return,
                Some(next) => self.house.pass(next.since(now).as_secs() + 1),
            }
        }
        panic!("something waits for ever");
    }

    fn messages(&self) -> Vec<(HeaderMap, Bytes)> {
        self.inbox.lock().unwrap().messages.clone()
    }
}

fn fractal_clock_now(house: &House) -> fractal_types::Timestamp {
    house.app.clock.now()
}

/// Ids in the order they first came, by thing.
fn first_seen(messages: &[(HeaderMap, Bytes)]) -> BTreeMap<String, Vec<u64>> {
    let mut ids = BTreeSet::new();
    let mut order: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (headers, body) in messages {
        let message: Value = serde_json::from_slice(body).unwrap();
        let id = headers["webhook-id"].to_str().unwrap().to_owned();
        assert_eq!(message["data"]["id"], id.as_str());
        if ids.insert(id) {
            order
                .entry(message["data"]["resource"]["id"].to_string())
                .or_default()
                .push(message["data"]["seq"].as_u64().unwrap());
        }
    }
    order
}

#[tokio::test]
async fn a_receiver_that_is_down_for_ten_minutes_misses_nothing_and_keeps_the_order() {
    let scene = Scene::new().await;
    let made = scene.hook(&["instance."]).await;
    let verify = standardwebhooks::Webhook::new(&made.secret).unwrap();
    let (ada, bob) = (scene.agent("ada").await, scene.agent("bob").await);
    scene.work().await;
    scene.mood(Mood::Down);
    for minute in 0..10 {
        for id in [ada, bob] {
            if minute % 2 == 0 {
                instance::start(&scene.house.app, &scene.cx, id)
                    .await
                    .unwrap();
            } else {
                instance::stop(&scene.house.app, &scene.cx, id)
                    .await
                    .unwrap();
            }
        }
        for _ in 0..12 {
            scene.house.pass(5);
            scene.work().await;
        }
    }
    assert_eq!(
        scene.messages().len(),
        2,
        "only what came before it went down"
    );
    scene.mood(Mood::Forgetful);
    scene.settle().await;

    let messages = scene.messages();
    for (headers, body) in &messages {
        let text = |name: &str| headers[name].to_str().unwrap();
        let second = text("webhook-timestamp").parse().unwrap();
        // Computed by the library that receivers use; it judges the time by the machine's clock, ours stands elsewhere.
        let signature = verify.sign(text("webhook-id"), second, body).unwrap();
        assert_eq!(text("webhook-signature"), signature);
    }
    let seen = first_seen(&messages);
    let entries = evidence::list_sealed(&scene.house.app.store.read(), None, 0, 10_000)
        .await
        .unwrap();
    let mut expected: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for entry in entries
        .iter()
        .filter(|one| one.action.starts_with("instance."))
    {
        expected
            .entry(format!("\"{}\"", entry.resource_id))
            .or_default()
            .push(entry.seq.unwrap());
    }
    assert_eq!(seen, expected, "everything, once, in order for each thing");
    assert!(
        messages.len() > seen.values().map(Vec::len).sum(),
        "some came twice, with one id"
    );
    let text = messages
        .iter()
        .map(|(_, body)| String::from_utf8_lossy(body).into_owned())
        .collect::<String>();
    assert!(!text.contains("\"name\""), "messages hold no values");
}

#[tokio::test]
async fn what_is_given_up_is_told_kept_and_replayed() {
    let scene = Scene::new().await;
    let made = scene.hook(&["*"]).await;
    scene.settle().await;
    let before = scene.messages().len();
    scene.mood(Mood::Down);
    let ada = scene.agent("ada").await;
    scene.settle().await;
    let view = webhook::view(&scene.house.app, &scene.cx, made.webhook.id)
        .await
        .unwrap();
    assert_eq!((view.waiting, view.dead), (0, 1));
    assert_eq!(view.last_status, Some(503));
    assert!(view.last_error.unwrap().contains("503"));
    let dead = DeliveryQuery {
        state: Some(DeliveryStateView::Dead),
        ..DeliveryQuery::default()
    };
    let list = webhook::deliveries(&scene.house.app, &scene.cx, view.id, &dead)
        .await
        .unwrap();
    assert_eq!(list.items[0].attempts, MOST_ATTEMPTS);
    assert_eq!(list.items[0].event, "instance.create");
    scene.house.app.sealer.seal_all().await.unwrap();
    let told = evidence::list_about(
        &scene.house.app.store.read(),
        "webhook",
        &view.id.to_string(),
    )
    .await
    .unwrap();
    assert!(told.iter().any(|entry| entry.action == "webhook.dead"));

    scene.mood(Mood::Up);
    let id = list.items[0].id;
    webhook::replay(&scene.house.app, &scene.cx, view.id, id)
        .await
        .unwrap();
    let again = webhook::replay(&scene.house.app, &scene.cx, view.id, id).await;
    assert_eq!(again.unwrap_err().code, ProblemCode::Conflict);
    scene.settle().await;
    let messages = scene.messages().split_off(before);
    assert!(
        messages
            .iter()
            .any(|(_, body)| String::from_utf8_lossy(body).contains(&ada.to_string()))
    );
    // Of its own giving up it was not told, or it would go on for ever.
    assert!(
        !messages
            .iter()
            .any(|(_, body)| String::from_utf8_lossy(body).contains("webhook.dead"))
    );
    let view = webhook::view(&scene.house.app, &scene.cx, view.id)
        .await
        .unwrap();
    assert_eq!((view.waiting, view.dead, view.last_error), (0, 0, None));
}

#[tokio::test]
async fn a_webhook_hears_what_it_asked_for_and_nothing_while_it_is_off() {
    let scene = Scene::new().await;
    let made = scene.hook(&["instance.stop"]).await;
    let ada = scene.agent("ada").await;
    instance::start(&scene.house.app, &scene.cx, ada)
        .await
        .unwrap();
    instance::stop(&scene.house.app, &scene.cx, ada)
        .await
        .unwrap();
    scene.settle().await;
    assert_eq!(scene.messages().len(), 1);
    let switch = |enabled| UpdateWebhook {
        enabled: Some(enabled),
        ..UpdateWebhook::default()
    };
    webhook::update(&scene.house.app, &scene.cx, made.webhook.id, switch(false))
        .await
        .unwrap();
    instance::start(&scene.house.app, &scene.cx, ada)
        .await
        .unwrap();
    instance::stop(&scene.house.app, &scene.cx, ada)
        .await
        .unwrap();
    scene.settle().await;
    webhook::update(&scene.house.app, &scene.cx, made.webhook.id, switch(true))
        .await
        .unwrap();
    scene.settle().await;
    assert_eq!(scene.messages().len(), 1);
    webhook::delete(&scene.house.app, &scene.cx, made.webhook.id)
        .await
        .unwrap();
    scene.settle().await;
    let page = PageQuery::default();
    assert!(
        webhook::list(&scene.house.app, &scene.cx, &page)
            .await
            .unwrap()
            .items
            .is_empty()
    );
}

#[tokio::test]
async fn a_test_message_tells_the_truth_and_redirects_are_not_followed() {
    let scene = Scene::new().await;
    let made = scene.hook(&["*"]).await;
    let told = webhook::test(&scene.house.app, &scene.cx, made.webhook.id)
        .await
        .unwrap();
    assert!(told.ok, "{told:?}");
    scene.mood(Mood::Moved);
    let told = webhook::test(&scene.house.app, &scene.cx, made.webhook.id)
        .await
        .unwrap();
    assert_eq!((told.ok, told.status), (false, Some(307)));
    assert_eq!(
        scene.inbox.lock().unwrap().calls,
        2,
        "one call for each test"
    );
    let secret = webhook::rotate_secret(&scene.house.app, &scene.cx, made.webhook.id)
        .await
        .unwrap()
        .secret;
    assert_ne!(secret, made.secret);
}

#[tokio::test]
async fn addresses_and_events_that_make_no_sense_are_named() {
    let scene = Scene::new().await;
    let create = |url: &str, events: &[&str], private: bool| {
        let body = CreateWebhook {
            name: "x".parse().unwrap(),
            url: url.to_owned(),
            events: Some(events.iter().map(|event| (*event).to_owned()).collect()),
            allow_private_network: Some(private),
        };
        let (app, cx) = (scene.house.app.clone(), scene.cx.clone());
        async move {
            webhook::create(&app, &cx, body)
                .await
                .err()
                .map(|error| error.fields[0].field.clone())
        }
    };
    for (url, events, private, field) in [
        ("nonsense", &["*"][..], false, "/url"),
        ("http://example.org/", &["*"], false, "/url"),
        ("ftp://example.org/", &["*"], true, "/url"),
        ("https://me:secret@example.org/", &["*"], false, "/url"),
        ("https://example.org/", &[], false, "/events"),
        (
            "https://example.org/",
            &["*", "Instance.Start"],
            false,
            "/events/1",
        ),
        ("https://example.org/", &["instance"], false, "/events/0"),
    ] {
        assert_eq!(
            create(url, events, private).await.as_deref(),
            Some(field),
            "{url} {events:?}"
        );
    }
    // Without the permission an address on this machine is kept, and nothing is sent there.
    let private = scene.url.replace("http://", "https://");
    assert_eq!(create(&private, &["*"], false).await, None);
    let hooks = webhook::list(&scene.house.app, &scene.cx, &PageQuery::default())
        .await
        .unwrap();
    let told = webhook::test(&scene.house.app, &scene.cx, hooks.items[0].id)
        .await
        .unwrap();
    assert!(!told.ok && told.error.unwrap().contains("refused"));
}
