//! What a person may, and from when.

use fractal_api_types::{
    CreateInstance, CreateInvitation, CreateProvider, ProblemCode, UpdateProfile, UsageQuery,
};
use fractal_app::{
    Context, engine, instance, invitation, me, profile, provider, session, token, usage, user,
};
use fractal_testing::house::House;
use fractal_types::{ProviderKind, Role};

use super::{active, add, claimed, role, script};

#[tokio::test]
async fn permissions_are_decided_once_and_follow_a_new_role_at_once() {
    let (house, root) = claimed().await;
    let id = add(&house, &root, "mia", Role::Member).await;
    let mia = house.sign_in("mia").await;
    let member = me::view(&house.app, &mia).await.unwrap().permissions;
    let before = house.app.policies.decisions();
    assert_eq!(
        me::view(&house.app, &mia).await.unwrap().permissions,
        member
    );
    assert!(
        house.app.policies.decisions() - before <= 2,
        "not once for every permission"
    );
    user::update(&house.app, &root, id, role(Role::Admin))
        .await
        .unwrap();
    let mia = house.sign_in("mia").await;
    let admin = me::view(&house.app, &mia).await.unwrap().permissions;
    assert!(admin.len() > member.len(), "{admin:?}");
    user::update(&house.app, &root, id, role(Role::Member))
        .await
        .unwrap();
    let mia = house.sign_in("mia").await;
    assert_eq!(
        me::view(&house.app, &mia).await.unwrap().permissions,
        member
    );
}

#[tokio::test]
async fn permissions_and_usage_tell_an_owner_from_a_member() {
    let (house, root) = claimed().await;
    add(&house, &root, "mia", Role::Member).await;
    let mia = house.sign_in("mia").await;
    let owner = me::view(&house.app, &root).await.unwrap().permissions;
    let member = me::view(&house.app, &mia).await.unwrap().permissions;
    let has = |list: &[String], action: &str| list.iter().any(|one| one == action);
    for action in ["instance.create", "chat.send", "token.create"] {
        assert!(has(&owner, action) && has(&member, action), "{action}");
    }
    for action in [
        "user.list",
        "user.set_role",
        "settings.update",
        "key.export",
    ] {
        assert!(has(&owner, action) && !has(&member, action), "{action}");
    }
    let all = UsageQuery {
        all: Some(true),
        ..UsageQuery::default()
    };
    let error = usage::report(&house.app, &mia, &all).await.unwrap_err();
    assert_eq!(error.code, ProblemCode::Forbidden);
    assert_eq!(
        usage::report(&house.app, &root, &all).await.unwrap().calls,
        0
    );
}

/// Everything a person makes for themselves, with a context that was proven before.
async fn make_something(house: &House, cx: &Context) -> Vec<ProblemCode> {
    let app = &house.app;
    let provider = CreateProvider {
        kind: ProviderKind::Demo,
        name: "Demo".parse().unwrap(),
        base_url: None,
        api_key: None,
        models: None,
        wire: None,
        shared: None,
        allow_private_network: None,
    };
    let agent = CreateInstance {
        name: "agent".parse().unwrap(),
        engine_id: None,
        start: None,
    };
    let results = [
        token::create(app, cx, script(None)).await.map(drop),
        provider::create(app, cx, provider).await.map(drop),
        instance::create(app, cx, agent).await.map(drop),
        profile::update(app, cx, UpdateProfile::default())
            .await
            .map(drop),
    ];
    results
        .into_iter()
        .filter_map(Result::err)
        .map(|error| error.code)
        .collect()
}

#[tokio::test]
async fn somebody_who_is_gone_by_the_time_of_a_change_changes_nothing() {
    let (house, root) = claimed().await;
    engine::register(&house.app).await.unwrap();
    for (who, how) in [
        ("mia", "suspended"),
        ("bob", "deleted"),
        ("eve", "signed out"),
    ] {
        let id = add(&house, &root, who, Role::Member).await;
        let proven_before = house.sign_in(who).await;
        match how {
            "suspended" => drop(
                user::update(&house.app, &root, id, active(false))
                    .await
                    .unwrap(),
            ),
            "deleted" => user::delete(&house.app, &root, id).await.unwrap(),
            _ => session::sign_out(&house.app, &proven_before).await.unwrap(),
        }
        let refused = make_something(&house, &proven_before).await;
        assert_eq!(refused, [ProblemCode::Unauthenticated; 4], "{how}");
    }
    let id = add(&house, &root, "ada", Role::Member).await;
    let ada = house.sign_in("ada").await;
    assert!(make_something(&house, &ada).await.is_empty());
    assert_eq!(id, ada.actor.user_id().unwrap());
}

#[tokio::test]
async fn a_new_role_counts_for_a_change_that_is_on_its_way() {
    let (house, root) = claimed().await;
    let ada = add(&house, &root, "ada", Role::Admin).await;
    let was_admin = house.sign_in("ada").await;
    user::update(&house.app, &root, ada, role(Role::Member))
        .await
        .unwrap();
    let body = CreateInvitation::default();
    let error = invitation::create(&house.app, &was_admin, body)
        .await
        .err()
        .unwrap();
    assert_eq!(error.code, ProblemCode::Forbidden);
}

fractal_testing::on_postgresql! {
    permissions_and_usage_tell_an_owner_from_a_member
    somebody_who_is_gone_by_the_time_of_a_change_changes_nothing
    a_new_role_counts_for_a_change_that_is_on_its_way
}
