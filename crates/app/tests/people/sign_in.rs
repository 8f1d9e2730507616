//! Getting in: the claim, tries, passwords, identities.

use fractal_api_types::{
    ClaimBreakglass, Login, OnboardingOidc, ProblemCode, ResetPassword, UpdateMe,
};
use fractal_app::{Context, me, oidc, onboarding, session, user};
use fractal_store::{
    Credential, CredentialKind, IdentityProvider, Tx, credentials, identity_providers,
};
use fractal_testing::house::{House, PASSWORD, client, house, name};
use fractal_types::{IdentityProviderId, Role, UserId};
use secrecy::SecretString;

use super::{DAY, active, add, claimed, login};

#[tokio::test]
async fn of_two_claims_at_once_one_wins_and_the_token_is_gone() {
    let house = house().await;
    let claim = |who: &str| ClaimBreakglass {
        username: name(who),
        password: PASSWORD.into(),
    };
    let (one, two) = (client(1), client(2));
    let (a, b) = tokio::join!(
        onboarding::claim(&house.app, Some(&house.setup_token), claim("ada"), &one),
        onboarding::claim(&house.app, Some(&house.setup_token), claim("bob"), &two),
    );
    assert_ne!(a.is_ok(), b.is_ok());
    let lost = [a, b].into_iter().find_map(Result::err).unwrap();
    assert_eq!(lost.code, ProblemCode::SetupDone);
    assert!(!house.setup_token_file().exists());
}

#[tokio::test]
async fn a_wrong_setup_token_is_counted_but_a_weak_password_is_not() {
    let house = house().await;
    let claim = |password: &str| ClaimBreakglass {
        username: name("ada"),
        password: password.into(),
    };
    let (wrong, right) = (SecretString::from("frk_setup_x"), house.setup_token.clone());
    let from = client(1);
    for _ in 0..6 {
        let weak = onboarding::claim(&house.app, Some(&right), claim("short"), &from).await;
        assert_eq!(weak.unwrap_err().fields[0].field, "/password");
    }
    for _ in 0..5 {
        let error = onboarding::claim(&house.app, Some(&wrong), claim(PASSWORD), &from).await;
        assert_eq!(error.unwrap_err().code, ProblemCode::SetupTokenRefused);
    }
    let error = onboarding::claim(&house.app, Some(&right), claim(PASSWORD), &from).await;
    assert_eq!(error.unwrap_err().code, ProblemCode::TooManyAttempts);
    house.pass(16 * 60);
    onboarding::claim(&house.app, Some(&right), claim(PASSWORD), &from)
        .await
        .unwrap();
}

#[tokio::test]
async fn steps_of_setup_are_for_administrators_and_end_with_it() {
    let (house, root) = claimed().await;
    add(&house, &root, "mia", Role::Member).await;
    let mia = house.sign_in("mia").await;
    let refused = onboarding::complete(&house.app, &mia).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Forbidden);
    let skip = OnboardingOidc {
        skip: true,
        provider: None,
    };
    assert!(
        onboarding::oidc(&house.app, &root, skip.clone())
            .await
            .unwrap()
            .steps
            .oidc
    );
    assert!(
        onboarding::complete(&house.app, &root)
            .await
            .unwrap()
            .completed
    );
    let late = onboarding::oidc(&house.app, &root, skip).await.unwrap_err();
    assert_eq!(late.code, ProblemCode::SetupDone);
}

#[tokio::test]
async fn five_tries_are_five_even_when_all_come_at_once() {
    let (house, _) = claimed().await;
    let from = client(9);
    let tries =
        (0..8).map(|_| session::sign_in(&house.app, login("root", "wrong password!"), &from));
    let codes: Vec<_> = futures::future::join_all(tries)
        .await
        .into_iter()
        .map(|result| result.unwrap_err().code)
        .collect();
    let count = |code| codes.iter().filter(|found| **found == code).count();
    assert_eq!(count(ProblemCode::WrongCredentials), 5);
    assert_eq!(count(ProblemCode::TooManyAttempts), 3);
    let error = session::sign_in(&house.app, login("root", PASSWORD), &from)
        .await
        .unwrap_err();
    assert!(error.retry_after_s.is_some_and(|seconds| seconds > 0));
    session::sign_in(&house.app, login("root", PASSWORD), &client(8))
        .await
        .unwrap();
}

#[tokio::test]
async fn unknown_wrong_and_suspended_get_the_same_answer() {
    let (house, root) = claimed().await;
    let mia = add(&house, &root, "mia", Role::Member).await;
    user::update(&house.app, &root, mia, active(false))
        .await
        .unwrap();
    for (who, password) in [
        ("nobody", PASSWORD),
        ("root", "wrong password!"),
        ("mia", PASSWORD),
    ] {
        let error = session::sign_in(&house.app, login(who, password), &client(3))
            .await
            .unwrap_err();
        assert_eq!(
            (error.code, error.detail),
            (ProblemCode::WrongCredentials, None),
            "{who}"
        );
    }
}

/// One that is offered and never answers.
async fn identity_provider(house: &House) -> IdentityProviderId {
    let app = &house.app;
    let id: IdentityProviderId = app.new_id();
    let row = IdentityProvider {
        id,
        organization_id: app.organization_id,
        name: id.to_string().parse().unwrap(),
        issuer: format!("https://{id}.example.org").replace('_', "-"),
        client_id: "fractal".into(),
        client_secret: None,
        scopes: Vec::new(),
        enabled: true,
        auto_provision: false,
        allow_private_network: false,
        created_at: app.clock.now(),
        updated_at: app.clock.now(),
    };
    let insert = async |tx: Tx| identity_providers::insert(&tx, &row).await;
    app.store.tx("test", insert).await.unwrap();
    id
}

/// As coming back from it links somebody.
async fn link(house: &House, user_id: UserId, provider: IdentityProviderId) {
    let app = &house.app;
    let insert = async |tx: Tx| {
        let row = Credential {
            id: app.new_id(),
            user_id,
            kind: CredentialKind::Oidc,
            secret_hash: None,
            issuer: Some(identity_providers::get(&tx, provider).await?.issuer),
            subject: Some("ada".into()),
            created_at: app.clock.now(),
            reset_by: None,
            reset_at: None,
        };
        credentials::insert(&tx, &row).await
    };
    app.store.tx("test", insert).await.unwrap();
}

#[tokio::test]
async fn a_link_to_an_identity_is_taken_away_unless_it_is_the_last_way_in() {
    let (house, root) = claimed().await;
    let app = &house.app;
    let provider = identity_provider(&house).await;
    let refused = oidc::unlink(app, &root, provider).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::NotFound);

    let id = root.user_id().unwrap();
    link(&house, id, provider).await;
    let linked = me::view(app, &root).await.unwrap().identity_providers;
    assert_eq!(linked, [provider]);
    oidc::unlink(app, &root, provider).await.unwrap();
    let linked = me::view(app, &root).await.unwrap().identity_providers;
    assert_eq!(linked, []);
    let told = house.log("user.update").await;
    assert!(told.last().unwrap().values.contains_key("unlinked_issuer"));

    // Somebody who came by an identity provider and has no password.
    link(&house, id, provider).await;
    let remove = async |tx: Tx| {
        let password = credentials::find_password(&tx, id).await?.unwrap();
        credentials::delete(&tx, password.id).await
    };
    app.store.tx("test", remove).await.unwrap();
    let refused = oidc::unlink(app, &root, provider).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Conflict);
    assert_eq!(refused.remedy.as_deref(), Some("set a password first"));
    // Another provider is a way in, one that is switched off is none.
    let other = identity_provider(&house).await;
    link(&house, id, other).await;
    let switch = async |enabled| {
        let change = async |tx: Tx| {
            let row = identity_providers::get(&tx, other).await?;
            identity_providers::update(&tx, &IdentityProvider { enabled, ..row }).await
        };
        app.store.tx("test", change).await.unwrap();
    };
    switch(false).await;
    assert!(oidc::unlink(app, &root, provider).await.is_err());
    switch(true).await;
    oidc::unlink(app, &root, provider).await.unwrap();
}

#[tokio::test]
async fn a_new_password_needs_the_present_one_and_ends_other_sessions() {
    let (house, root) = claimed().await;
    let other = session::sign_in(&house.app, login("root", PASSWORD), &client(2))
        .await
        .unwrap();
    let change = |current: Option<&str>| UpdateMe {
        new_password: Some("a new good password".into()),
        current_password: current.map(str::to_owned),
        ..UpdateMe::default()
    };
    for wrong in [None, Some("wrong password!")] {
        let error = me::update(&house.app, &root, change(wrong))
            .await
            .unwrap_err();
        assert_eq!(error.fields[0].field, "/current_password");
    }
    me::update(&house.app, &root, change(Some(PASSWORD)))
        .await
        .unwrap();
    assert!(
        house
            .app
            .authenticate_session(&other.token)
            .await
            .unwrap()
            .is_none()
    );
    session::sign_in(&house.app, login("root", "a new good password"), &client(3))
        .await
        .unwrap();
}

#[tokio::test]
async fn a_reset_password_is_told_to_its_person_for_a_month_whoever_changes_it_again() {
    let (house, root) = claimed().await;
    let mia = add(&house, &root, "mia", Role::Member).await;
    let told = async |cx: &Context| me::view(&house.app, cx).await.unwrap().password_reset;
    assert_eq!(told(&house.sign_in("mia").await).await, None);
    house.pass(60);
    let body = ResetPassword {
        password: PASSWORD.into(),
    };
    user::reset_password(&house.app, &root, mia, body)
        .await
        .unwrap();
    house.pass(60);
    let cx = house.sign_in("mia").await;
    let reset = told(&cx).await.unwrap();
    assert_eq!(reset.by, "root");
    let now = house.app.clock.now();
    assert_eq!(now.since(reset.at), std::time::Duration::from_secs(60));
    // It stays, however often they sign in.
    assert!(told(&house.sign_in("mia").await).await.is_some());
    let own = UpdateMe {
        new_password: Some("a password of my own".into()),
        current_password: Some(PASSWORD.into()),
        ..UpdateMe::default()
    };
    // Who set it knows it and could have done this, so it silences nothing.
    let changed = me::update(&house.app, &cx, own).await.unwrap();
    assert_eq!(changed.password_reset.unwrap().by, "root");
    house.pass(31 * DAY);
    let own = Login {
        username: name("mia"),
        password: "a password of my own".into(),
    };
    let signed_in = session::sign_in(&house.app, own, &client(1)).await.unwrap();
    assert_eq!(told(&house.context(&signed_in).await).await, None);
}

fractal_testing::on_postgresql! {
    of_two_claims_at_once_one_wins_and_the_token_is_gone
    a_wrong_setup_token_is_counted_but_a_weak_password_is_not
    steps_of_setup_are_for_administrators_and_end_with_it
    five_tries_are_five_even_when_all_come_at_once
    unknown_wrong_and_suspended_get_the_same_answer
    a_new_password_needs_the_present_one_and_ends_other_sessions
    a_reset_password_is_told_to_its_person_for_a_month_whoever_changes_it_again
}
