//! Providers: who may have Fractal reach inwards, and where to.

use fractal_api_types::{CreateProvider, CreateUser, ProblemCode, UpdateProvider, UpdateUser};
use fractal_app::{Context, provider, user};
use fractal_testing::house::{House, PASSWORD, house, name};
use fractal_types::{ProviderId, ProviderKind, Role, UserId};

const LOCAL: &str = "http://127.0.0.1:11434/v1";
const ELSEWHERE: &str = "http://127.0.0.1:8123/admin";

async fn add(house: &House, root: &Context, who: &str, role: Role) -> UserId {
    let body = CreateUser {
        username: name(who),
        display_name: None,
        role: Some(role),
        password: PASSWORD.into(),
    };
    user::create(&house.app, root, body).await.unwrap().id
}

async fn become_member(house: &House, root: &Context, id: UserId) {
    let body = UpdateUser {
        role: Some(Role::Member),
        ..UpdateUser::default()
    };
    user::update(&house.app, root, id, body).await.unwrap();
}

fn local() -> CreateProvider {
    CreateProvider {
        kind: ProviderKind::OpenaiCompatible,
        name: "Ollama".parse().unwrap(),
        base_url: Some(LOCAL.to_owned()),
        api_key: None,
        models: Some(vec!["small".to_owned()]),
        wire: None,
        shared: None,
        allow_private_network: Some(true),
    }
}

fn inwards(allowed: bool) -> UpdateProvider {
    UpdateProvider {
        allow_private_network: Some(allowed),
        ..UpdateProvider::default()
    }
}

fn moved() -> UpdateProvider {
    UpdateProvider {
        base_url: Some(ELSEWHERE.to_owned()),
        ..UpdateProvider::default()
    }
}

/// Whether it may reach inwards, or the refusal.
async fn update(
    house: &House,
    cx: &Context,
    id: ProviderId,
    body: UpdateProvider,
) -> Result<bool, ProblemCode> {
    let updated = provider::update(&house.app, cx, id, body).await;
    updated
        .map(|view| view.allow_private_network)
        .map_err(|error| error.code)
}

#[tokio::test]
async fn only_administrators_let_a_provider_reach_inwards() {
    let house = house().await;
    let root = house.claim().await;
    let root = house.context(&root).await;
    add(&house, &root, "mia", Role::Member).await;
    let mia = house.sign_in("mia").await;
    let refused = provider::create(&house.app, &mia, local()).await;
    assert_eq!(refused.unwrap_err().code, ProblemCode::Forbidden);
    let outwards = CreateProvider {
        allow_private_network: None,
        ..local()
    };
    let own = provider::create(&house.app, &mia, outwards).await.unwrap();
    let asked = update(&house, &mia, own.id, inwards(true)).await;
    assert_eq!(asked, Err(ProblemCode::Forbidden));
    assert_eq!(update(&house, &mia, own.id, moved()).await, Ok(false));
    assert_eq!(
        update(&house, &mia, own.id, inwards(false)).await,
        Ok(false)
    );

    let shared = provider::create(&house.app, &root, local()).await.unwrap();
    assert!(shared.allow_private_network);
    assert_eq!(update(&house, &root, shared.id, moved()).await, Ok(true));
}

#[tokio::test]
async fn leave_to_reach_inwards_is_for_the_address_it_was_given_for() {
    let house = house().await;
    let root = house.claim().await;
    let root = house.context(&root).await;
    let bob = add(&house, &root, "bob", Role::Admin).await;
    let was_admin = house.sign_in("bob").await;
    let one = provider::create(&house.app, &was_admin, local()).await;
    let two = provider::create(&house.app, &was_admin, local()).await;
    let (one, two) = (one.unwrap().id, two.unwrap().id);
    become_member(&house, &root, bob).await;

    // Proven as an administrator, and a member by the time of the change.
    let late = provider::create(&house.app, &was_admin, local()).await;
    assert_eq!(late.unwrap_err().code, ProblemCode::Forbidden);
    assert_eq!(update(&house, &was_admin, one, moved()).await, Ok(false));

    let bob = house.sign_in("bob").await;
    let renamed = UpdateProvider {
        name: Some("Local".parse().unwrap()),
        ..UpdateProvider::default()
    };
    // What an administrator has allowed stays, where it was allowed.
    assert_eq!(update(&house, &bob, two, renamed).await, Ok(true));
    let both = UpdateProvider {
        allow_private_network: Some(true),
        ..moved()
    };
    let asked = update(&house, &bob, two, both).await;
    assert_eq!(asked, Err(ProblemCode::Forbidden));
    assert_eq!(update(&house, &bob, two, moved()).await, Ok(false));
    let again = update(&house, &bob, two, inwards(true)).await;
    assert_eq!(again, Err(ProblemCode::Forbidden));
}
