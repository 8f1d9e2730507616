//! Who is in the story: Ada owns the installation, Bob is a member. Each has a provider with a key of their own.

use std::time::Duration;

use fractal_testing::{
    fake_provider::{FakeProvider, Recorded},
    serve::{PASSWORD, Peers, Person, Serve},
};
use http::Method;
use serde_json::{Value, json};

/// A cold start takes a few seconds on an idle machine; two at once beside other tests take longer.
pub const STARTS_WITHIN: Duration = Duration::from_secs(240);

/// A person with all that is theirs.
pub struct Resident {
    pub person: Person,
    pub fake: FakeProvider,
    pub key: &'static str,
    pub provider: String,
    pub instance: String,
}

pub struct Story {
    pub server: Serve,
    pub ada: Resident,
    pub bob: Resident,
}

impl Story {
    pub async fn begin(peers: &Peers, server: Serve) -> Self {
        let owner = Person::claim(&server, "ada").await;
        if !peers.is_root() {
            // Without root the two share a host user, which an administrator has to accept where there is no sandbox.
            let accept = json!({"reduced_isolation_accepted": true});
            owner.patch("/api/v1/settings", accept).await;
        }
        // A provider on loopback is for administrators, so Bob is one until his is saved.
        let user = json!({"username": "bob", "password": PASSWORD, "role": "admin"});
        let bob = owner.post("/api/v1/users", user).await["id"].clone();
        let member = Person::sign_in(&server, "bob").await;
        assert_eq!(bob, member.id);
        let ada = Resident::move_in(owner, "sk-ada-real-key-5d1f7c0e9b").await;
        let bob = Resident::move_in(member, "sk-bob-real-key-a83e6d2b41").await;
        let path = format!("/api/v1/users/{}", bob.person.id);
        ada.person.patch(&path, json!({"role": "member"})).await;
        for resident in [&ada, &bob] {
            let (person, instance) = (&resident.person, &resident.instance);
            person.wait_for(instance, "ready", STARTS_WITHIN).await;
        }
        Self { server, ada, bob }
    }
}

impl Resident {
    pub async fn move_in(person: Person, key: &'static str) -> Self {
        let fake = FakeProvider::start().await.unwrap();
        fake.accept_keys(&[key]);
        let provider = json!({"type": "openai_compatible", "name": "Fake", "base_url": fake.base_url(), "api_key": key,
            "allow_private_network": true});
        let provider = id(&person.post("/api/v1/providers", provider).await);
        let profile = json!({"provider_id": provider, "model": "fake-1", "persona": "You love marzipan.", "tools": "full"});
        person.patch("/api/v1/profile", profile).await;
        let instance = id(&person
            .post("/api/v1/instances", json!({"name": "Helper"}))
            .await);
        Self {
            person,
            fake,
            key,
            provider,
            instance,
        }
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/api/v1/instances/{}{rest}", self.instance)
    }

    pub async fn say(&self, session: &str, message: &str) -> fractal_testing::serve::Reply {
        self.person.say(&self.instance, session, message).await
    }

    /// Says it and expects an answer with this text in it.
    pub async fn hears(&self, session: &str, message: &str, answer: &str) {
        let reply = self.say(session, message).await;
        let text = reply.text.clone().unwrap_or_default();
        assert!(text.contains(answer), "{message}: {reply:?}");
    }

    /// The model calls of a turn whose message contains this.
    pub fn calls_about(&self, words: &str) -> Vec<Recorded> {
        let mut calls = self.fake.calls();
        calls.retain(|call| call.body["messages"].to_string().contains(words));
        calls
    }

    pub async fn change_provider(&self, change: Value) {
        let path = format!("/api/v1/providers/{}", self.provider);
        self.person.must(Method::PATCH, &path, Some(&change)).await;
    }
}

fn id(view: &Value) -> String {
    view["id"].as_str().unwrap().to_owned()
}
