//! A rotation gives every owner a new key, and what is stored follows it in the background.

use std::{collections::BTreeMap, time::Duration};

use fractal_api_types::{
    CreateProvider, CreateUser, OperationView, ProblemCode, SetSkillCredential,
};
use fractal_app::{engine, instance, key, operation, provider, reseal, skill_credential, user};
use fractal_crypto::{Place, key_version_of};
use fractal_store::{PageRequest, Tx, owner_keys, sealed};
use fractal_testing::house::{House, PASSWORD, house, name};
use fractal_types::{InstanceId, OperationId, OperationState, ProviderKind, Role};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// An owner of the installation with secrets of every kind that one person has.
struct Owner {
    house: House,
    cx: fractal_app::Context,
    instance: InstanceId,
}

impl Owner {
    async fn new() -> Self {
        let house = house().await;
        let root = house.claim().await;
        let cx = house.context(&root).await;
        engine::register(&house.app).await.unwrap();
        for shared in [false, true] {
            let body = CreateProvider {
                kind: ProviderKind::Anthropic,
                name: format!("shared {shared}").parse().unwrap(),
                base_url: None,
                api_key: Some("sk-a-real-key".into()),
                models: None,
                wire: None,
                shared: Some(shared),
                allow_private_network: None,
            };
            provider::create(&house.app, &cx, body).await.unwrap();
        }
        let body = fractal_api_types::CreateInstance {
            name: "ada".parse().unwrap(),
            engine_id: None,
            start: Some(false),
        };
        let instance = instance::create(&house.app, &cx, body).await.unwrap().0.id;
        let owner = Self {
            house,
            cx,
            instance,
        };
        owner.store("FIRST").await;
        owner
    }

    async fn store(&self, name: &str) {
        let body = SetSkillCredential {
            skill: "trello".parse().unwrap(),
            name: name.parse().unwrap(),
            value: format!("value-of-{name}"),
        };
        skill_credential::set(&self.house.app, &self.cx, body)
            .await
            .unwrap();
    }

    /// How many values each version of a person's and of the organization's key seals.
    async fn sealed_with(&self) -> BTreeMap<u32, usize> {
        let app = &self.house.app;
        let mut found = BTreeMap::new();
        for owner in [
            self.cx.user_id().unwrap().to_string(),
            self.cx.actor.organization_id.to_string(),
        ] {
            for value in sealed::list(&app.store.read(), &owner).await.unwrap() {
                *found
                    .entry(key_version_of(&value.bytes).unwrap())
                    .or_default() += 1;
            }
        }
        found
    }

    async fn versions(&self) -> Vec<u32> {
        let page = PageRequest::default();
        let all = owner_keys::list(&self.house.app.store.read(), &page).await;
        let mut versions: Vec<u32> = all.unwrap().items.iter().map(|row| row.version).collect();
        versions.sort_unstable();
        versions
    }

    /// Whether everything opens that an instance is given, whatever sealed it.
    async fn everything_opens(&self, names: &[&str]) {
        let answer = instance::agent_config(&self.house.app, self.instance).await;
        let env = &answer.unwrap()["config"]["skills"]["entries"]["trello"]["env"];
        for name in names {
            assert_eq!(env[name], format!("value-of-{name}"));
        }
    }

    /// Lets the worker and time go on until an operation is in this state.
    async fn until(&self, id: OperationId, state: OperationState) -> OperationView {
        let app = &self.house.app;
        for _ in 0..200 {
            self.house.operate().await;
            let view = operation::view(app, &self.cx, id).await.unwrap();
            if view.state == state {
                return view;
            }
            self.house.clock.advance(Duration::from_secs(5));
        }
        panic!("never {state}");
    }

    async fn waiting(&self) -> u64 {
        let status = key::status(&self.house.app, &self.cx).await;
        status.unwrap().waiting
    }
}

#[tokio::test]
async fn a_rotation_moves_every_stored_secret_to_a_new_key_of_its_owner() {
    let owner = Owner::new().await;
    let app = &owner.house.app;
    assert_eq!(owner.sealed_with().await, BTreeMap::from([(1, 6)]));
    assert_eq!(owner.waiting().await, 0);

    let begun = key::rotate(app, &owner.cx).await.unwrap();
    assert_eq!(
        (begun.kind.as_str(), &begun.input["generation"]),
        ("key.rotate", &json!(2))
    );
    assert_eq!(
        owner.versions().await,
        [1, 1, 2, 2],
        "a person's and the organization's"
    );
    assert_eq!(owner.waiting().await, 2);
    owner.store("SECOND").await;
    assert_eq!(owner.sealed_with().await, BTreeMap::from([(1, 6), (2, 1)]));
    owner.everything_opens(&["FIRST", "SECOND"]).await;

    reseal::work(app).await.unwrap();
    assert_eq!(owner.sealed_with().await, BTreeMap::from([(2, 7)]));
    assert_eq!(owner.waiting().await, 0);
    owner.everything_opens(&["FIRST", "SECOND"]).await;

    // Whoever has read a value before it was moved can still open it for a while.
    assert_eq!(owner.versions().await, [1, 1, 2, 2]);
    owner.house.clock.advance(Duration::from_secs(601));
    reseal::work(app).await.unwrap();
    assert_eq!(
        owner.versions().await,
        [2, 2],
        "nothing needs the older ones"
    );
    owner.everything_opens(&["FIRST", "SECOND"]).await;
}

#[tokio::test]
async fn rotations_that_overtake_the_moving_lose_nothing() {
    let owner = Owner::new().await;
    let app = &owner.house.app;
    key::rotate(app, &owner.cx).await.unwrap();
    owner.store("SECOND").await;
    key::rotate(app, &owner.cx).await.unwrap();
    owner.store("THIRD").await;
    assert_eq!(
        owner.sealed_with().await,
        BTreeMap::from([(1, 6), (2, 1), (3, 1)])
    );
    owner.everything_opens(&["FIRST", "SECOND", "THIRD"]).await;
    reseal::work(app).await.unwrap();
    assert_eq!(owner.sealed_with().await, BTreeMap::from([(3, 8)]));
    owner.everything_opens(&["FIRST", "SECOND", "THIRD"]).await;
}

#[tokio::test]
async fn what_cannot_be_opened_keeps_its_key_and_stops_nothing_else() {
    let owner = Owner::new().await;
    let app = &owner.house.app;
    let person = owner.cx.user_id().unwrap().to_string();
    let values = sealed::list(&app.store.read(), &person).await.unwrap();
    let provider = |value: &&sealed::SealedValue| value.column.table == "providers";
    let value = values.iter().find(provider).unwrap();
    let mut torn = value.bytes.clone();
    *torn.last_mut().unwrap() ^= 1;
    app.store
        .tx("test", async |tx| sealed::replace(&tx, value, &torn).await)
        .await
        .unwrap();
    let begun = key::rotate(app, &owner.cx).await.unwrap();
    reseal::work(app).await.unwrap();
    owner.house.clock.advance(Duration::from_secs(601));
    assert_eq!(reseal::work(app).await.unwrap(), 1);
    assert_eq!(owner.sealed_with().await, BTreeMap::from([(1, 1), (2, 5)]));
    assert_eq!(owner.versions().await, [1, 2, 2]);
    assert_eq!(owner.waiting().await, 1);
    owner.everything_opens(&["FIRST"]).await;

    // Somebody is told, and it goes on when they have mended it.
    let view = owner.until(begun.id, OperationState::Stuck).await;
    let why = view.reason.unwrap();
    assert!(why.contains("1 stored value cannot be opened"), "{why}");
    app.store
        .tx("test", async |tx| {
            let torn = sealed::SealedValue {
                bytes: torn.clone(),
                ..value.clone()
            };
            sealed::replace(&tx, &torn, &value.bytes).await
        })
        .await
        .unwrap();
    operation::retry(app, &owner.cx, begun.id).await.unwrap();
    owner.until(begun.id, OperationState::Done).await;
    assert_eq!(owner.versions().await, [2, 2]);
}

#[tokio::test]
async fn only_an_owner_of_the_installation_sees_or_changes_keys() {
    let owner = Owner::new().await;
    let app = &owner.house.app;
    let body = CreateUser {
        username: name("mia"),
        display_name: None,
        role: Some(Role::Admin),
        password: PASSWORD.into(),
    };
    user::create(app, &owner.cx, body).await.unwrap();
    let admin = owner.house.sign_in("mia").await;
    let refused = key::rotate(app, &admin).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Forbidden);
    let refused = key::status(app, &admin).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Forbidden);
    assert_eq!(owner.versions().await, [1, 1]);
}

#[tokio::test]
async fn a_key_that_was_rolled_back_with_its_transaction_seals_nothing_later() {
    let house = house().await;
    let app = &house.app;
    let place = |row: &'static str| Place {
        owner: "somebody new",
        table: "instances",
        column: "gateway_token",
        row,
    };
    let seal = async |commit: bool| {
        let sealed = app.store.tx("test", async |tx: Tx| {
            let mut both = Vec::new();
            for row in ["1", "2"] {
                let value = SecretString::from(format!("value {row}"));
                let (clock, entropy) = (&*app.clock, &*app.entropy);
                both.push(
                    app.keys
                        .seal(&tx, clock, entropy, place(row), &value)
                        .await?,
                );
            }
            if commit {
                Ok(both)
            } else {
                Err(fractal_app::Error::conflict("somebody else came first"))
            }
        });
        sealed.await
    };
    seal(false).await.unwrap_err();
    let sealed = seal(true).await.unwrap();
    for (row, bytes) in ["1", "2"].into_iter().zip(sealed) {
        let opened = app.keys.open(&app.store.read(), place(row), &bytes).await;
        assert_eq!(opened.unwrap().expose_secret(), &format!("value {row}"));
    }
}

fractal_testing::on_postgresql! {
    a_rotation_moves_every_stored_secret_to_a_new_key_of_its_owner
    rotations_that_overtake_the_moving_lose_nothing
    what_cannot_be_opened_keeps_its_key_and_stops_nothing_else
    only_an_owner_of_the_installation_sees_or_changes_keys
    a_key_that_was_rolled_back_with_its_transaction_seals_nothing_later
}
