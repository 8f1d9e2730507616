//! The rules about people: who gets in, how often they may try, who stays, and what ends when.

use fractal_api_types::{
    AcceptInvitation, ClaimBreakglass, CreateApiToken, CreateInstance, CreateInvitation,
    CreateProvider, CreateUser, Login, NewApiToken, OnboardingOidc, PageQuery, ProblemCode,
    ResetPassword, RotateApiToken, UpdateMe, UpdateProfile, UpdateUser, UsageQuery,
};
use fractal_app::{
    Context, chat, engine, instance, invitation, me, oidc, onboarding, profile, provider,
    session::{self, Revoked},
    token, usage, user,
};
use fractal_policy::{Action, Resource};
use fractal_store::{
    Credential, CredentialKind, IdentityProvider, Tx, credentials, identity_providers,
};
use fractal_testing::house::{House, PASSWORD, client, house, name, reduced_house};
use fractal_types::{IdentityProviderId, ProviderKind, Role, Scope, UserId};
use secrecy::SecretString;

const DAY: u64 = 24 * 60 * 60;

async fn claimed() -> (House, Context) {
    let house = house().await;
    let root = house.claim().await;
    let cx = house.context(&root).await;
    (house, cx)
}

fn person(who: &str, role: Role) -> CreateUser {
    CreateUser {
        username: name(who),
        display_name: None,
        role: Some(role),
        password: PASSWORD.into(),
    }
}

async fn add(house: &House, cx: &Context, who: &str, role: Role) -> UserId {
    user::create(&house.app, cx, person(who, role))
        .await
        .unwrap()
        .id
}

fn login(who: &str, password: &str) -> Login {
    Login {
        username: name(who),
        password: password.into(),
    }
}

fn role(role: Role) -> UpdateUser {
    UpdateUser {
        role: Some(role),
        ..UpdateUser::default()
    }
}

fn active(active: bool) -> UpdateUser {
    UpdateUser {
        active: Some(active),
        ..UpdateUser::default()
    }
}

fn script(scopes: Option<Vec<Scope>>) -> CreateApiToken {
    CreateApiToken {
        name: "script".parse().unwrap(),
        scopes,
        expires_in_days: Some(1),
    }
}

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

#[tokio::test]
async fn a_session_slides_for_a_day_and_ends_after_thirty() {
    let (house, _) = claimed().await;
    let one = session::sign_in(&house.app, login("root", PASSWORD), &client(1))
        .await
        .unwrap();
    for _ in 0..31 {
        house.pass(DAY - 3600);
        assert!(
            house
                .app
                .authenticate_session(&one.token)
                .await
                .unwrap()
                .is_some()
        );
    }
    house.pass(DAY / 2);
    assert!(
        house
            .app
            .authenticate_session(&one.token)
            .await
            .unwrap()
            .is_none()
    );
    let idle = session::sign_in(&house.app, login("root", PASSWORD), &client(1))
        .await
        .unwrap();
    house.pass(DAY);
    assert!(
        house
            .app
            .authenticate_session(&idle.token)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_revoked_session_ends_at_once_and_listeners_are_told() {
    let (house, root) = claimed().await;
    let other = session::sign_in(&house.app, login("root", PASSWORD), &client(2))
        .await
        .unwrap();
    let cx = house.context(&other).await;
    let mut told = house.app.revocations();
    let page = session::list(&house.app, &root, &PageQuery::default())
        .await
        .unwrap();
    assert_eq!(
        (
            page.items.len(),
            page.items.iter().filter(|one| one.current).count()
        ),
        (2, 1)
    );
    let id = cx.session_id.unwrap();
    session::revoke(&house.app, &root, id).await.unwrap();
    assert!(
        house
            .app
            .authenticate_session(&other.token)
            .await
            .unwrap()
            .is_none()
    );
    let what = told.try_recv().unwrap();
    assert_eq!(what, Revoked::Session(id));
    assert!(what.concerns(&cx) && !what.concerns(&root));
}

#[tokio::test]
async fn nobody_revokes_the_session_or_token_of_another() {
    let (house, root) = claimed().await;
    add(&house, &root, "mia", Role::Member).await;
    let mia = house.sign_in("mia").await;
    let made = token::create(&house.app, &mia, script(None)).await.unwrap();
    let error = session::revoke(&house.app, &root, mia.session_id.unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.code, ProblemCode::NotFound);
    let error = token::revoke(&house.app, &root, made.token.id)
        .await
        .unwrap_err();
    assert_eq!(error.code, ProblemCode::NotFound);
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_until_it_ends() {
    let (house, root) = claimed().await;
    let made = token::create(&house.app, &root, script(Some(vec![Scope::Read])))
        .await
        .unwrap();
    let (secret, from) = (SecretString::from(made.secret), client(1).address);
    let cx = house.app.authenticate_token(&secret, from).await.unwrap();
    assert!(
        house
            .app
            .may(&cx, Action::SettingsView, &Resource::Settings)
    );
    assert!(
        !house
            .app
            .may(&cx, Action::SettingsUpdate, &Resource::Settings)
    );
    let wider = token::create(&house.app, &cx, script(None))
        .await
        .err()
        .unwrap();
    assert_eq!(wider.code, ProblemCode::Forbidden);
    house.pass(DAY);
    let over = house
        .app
        .authenticate_token(&secret, from)
        .await
        .unwrap_err();
    assert_eq!(over.code, ProblemCode::Unauthenticated);
}

#[tokio::test]
async fn both_tokens_work_during_the_overlap_and_a_revoked_one_not_at_all() {
    let (house, root) = claimed().await;
    let old = token::create(&house.app, &root, script(None))
        .await
        .unwrap();
    let works = async |secret: &str| {
        let secret = SecretString::from(secret.to_owned());
        house
            .app
            .authenticate_token(&secret, client(1).address)
            .await
            .is_ok()
    };
    assert!(works(&old.secret).await);
    let overlap = RotateApiToken {
        overlap_minutes: Some(10),
    };
    let new = token::rotate(&house.app, &root, old.token.id, overlap)
        .await
        .unwrap();
    assert!(works(&old.secret).await && works(&new.secret).await);
    house.pass(10 * 60);
    assert!(!works(&old.secret).await && works(&new.secret).await);
    token::revoke(&house.app, &root, new.token.id)
        .await
        .unwrap();
    assert!(!works(&new.secret).await);
}

#[tokio::test]
async fn breakglass_stays_and_nobody_changes_themselves() {
    let (house, root) = claimed().await;
    let root_id = root.actor.user_id().unwrap();
    let ada = add(&house, &root, "ada", Role::Owner).await;
    let cx = house.sign_in("ada").await;
    for id in [ada, root_id] {
        for change in [role(Role::Member), active(false)] {
            let error = user::update(&house.app, &cx, id, change).await.unwrap_err();
            assert_eq!(error.code, ProblemCode::Conflict);
        }
        let error = user::delete(&house.app, &cx, id).await.unwrap_err();
        assert_eq!(error.code, ProblemCode::Conflict);
    }
    user::update(&house.app, &root, ada, role(Role::Member))
        .await
        .unwrap();
    assert_eq!(house.sign_in("ada").await.actor.role, Some(Role::Member));
}

#[tokio::test]
async fn an_admin_touches_no_owner_and_makes_none() {
    let (house, root) = claimed().await;
    let ada = add(&house, &root, "ada", Role::Owner).await;
    let mia = add(&house, &root, "mia", Role::Member).await;
    add(&house, &root, "adm", Role::Admin).await;
    let admin = house.sign_in("adm").await;
    let reset = ResetPassword {
        password: "another good password".into(),
    };
    for error in [
        user::update(&house.app, &admin, mia, role(Role::Owner))
            .await
            .unwrap_err(),
        user::update(&house.app, &admin, ada, active(false))
            .await
            .unwrap_err(),
        user::delete(&house.app, &admin, ada).await.unwrap_err(),
        user::reset_password(&house.app, &admin, ada, reset)
            .await
            .unwrap_err(),
    ] {
        assert_eq!(error.code, ProblemCode::Forbidden);
    }
    let member = house.sign_in("mia").await;
    let error = user::view(&house.app, &member, ada).await.unwrap_err();
    assert_eq!(error.code, ProblemCode::NotFound);
}

#[tokio::test]
async fn suspending_resetting_and_deleting_end_sessions_and_tokens() {
    let (house, root) = claimed().await;
    let mia = add(&house, &root, "mia", Role::Member).await;
    for round in 0..3 {
        let one = session::sign_in(&house.app, login("mia", PASSWORD), &client(1))
            .await
            .unwrap();
        let cx = house.context(&one).await;
        let made = token::create(&house.app, &cx, script(None)).await.unwrap();
        let (secret, from) = (SecretString::from(made.secret), client(1).address);
        house.app.authenticate_token(&secret, from).await.unwrap();
        match round {
            0 => {
                user::update(&house.app, &root, mia, active(false))
                    .await
                    .unwrap();
            }
            1 => {
                let body = ResetPassword {
                    password: PASSWORD.into(),
                };
                user::reset_password(&house.app, &root, mia, body)
                    .await
                    .unwrap();
            }
            _ => user::delete(&house.app, &root, mia).await.unwrap(),
        }
        assert!(
            house
                .app
                .authenticate_session(&one.token)
                .await
                .unwrap()
                .is_none(),
            "{round}"
        );
        assert!(
            house.app.authenticate_token(&secret, from).await.is_err(),
            "{round}"
        );
        if round == 0 {
            user::update(&house.app, &root, mia, active(true))
                .await
                .unwrap();
        }
    }
    let error = user::view(&house.app, &root, mia).await.unwrap_err();
    assert_eq!(error.code, ProblemCode::NotFound);
    add(&house, &root, "mia", Role::Member).await;
    let error = user::create(&house.app, &root, person("mia", Role::Member))
        .await
        .unwrap_err();
    assert_eq!(
        (error.code, &*error.fields[0].field),
        (ProblemCode::AlreadyExists, "/username")
    );
}

#[tokio::test]
async fn a_second_person_needs_isolation_or_consent() {
    let house = reduced_house().await;
    let root = house.claim().await;
    let root = house.context(&root).await;
    let error = user::create(&house.app, &root, person("mia", Role::Member))
        .await
        .unwrap_err();
    assert!(error.code == ProblemCode::Conflict && error.remedy.is_some());
    assert!(
        invitation::create(&house.app, &root, CreateInvitation::default())
            .await
            .is_err()
    );
    let mut settings = (*house.app.settings()).clone();
    settings.reduced_isolation_accepted = true;
    *house.app.parts().settings.write().unwrap() = settings.into();
    add(&house, &root, "mia", Role::Member).await;
}

#[tokio::test]
async fn an_invitation_works_once_even_for_two_at_once() {
    let (house, root) = claimed().await;
    let body = |who: &str| AcceptInvitation {
        username: name(who),
        display_name: None,
        password: PASSWORD.into(),
    };
    let make = async || {
        let made = invitation::create(&house.app, &root, CreateInvitation::default())
            .await
            .unwrap();
        let secret = made.secret.strip_prefix("/invitation#").unwrap().to_owned();
        (made.invitation.id, SecretString::from(secret))
    };
    let (_, secret) = make().await;
    let (one, two) = (client(1), client(2));
    let (a, b) = tokio::join!(
        invitation::accept(&house.app, Some(&secret), body("ada"), &one),
        invitation::accept(&house.app, Some(&secret), body("bob"), &two),
    );
    assert_ne!(a.is_ok(), b.is_ok());
    let lost = [a, b].into_iter().find_map(Result::err).unwrap();
    assert_eq!(lost.code, ProblemCode::InvitationRefused);
    let people = user::list(&house.app, &root, &PageQuery::default())
        .await
        .unwrap();
    assert_eq!(people.items.len(), 2);
    let (id, revoked) = make().await;
    invitation::revoke(&house.app, &root, id).await.unwrap();
    let (_, over) = make().await;
    house.pass(8 * DAY);
    for secret in [Some(&revoked), Some(&over), None] {
        let error = invitation::accept(&house.app, secret, body("eve"), &one)
            .await
            .unwrap_err();
        assert_eq!(error.code, ProblemCode::InvitationRefused);
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

#[tokio::test]
async fn a_stream_of_somebody_who_was_signed_out_before_it_began_is_refused() {
    let (house, root) = claimed().await;
    let ada = add(&house, &root, "ada", Role::Admin).await;
    let (one, two) = (house.sign_in("ada").await, house.sign_in("ada").await);
    session::sign_out(&house.app, &one).await.unwrap();
    let refused = chat::signed_out(&house.app, &one).await.err().unwrap();
    assert_eq!(refused.code, ProblemCode::Unauthenticated);
    assert!(chat::signed_out(&house.app, &two).await.is_ok());
    user::update(&house.app, &root, ada, role(Role::Member))
        .await
        .unwrap();
    let refused = chat::signed_out(&house.app, &two).await.err().unwrap();
    assert_eq!(refused.code, ProblemCode::Unauthenticated, "another role");
}

#[tokio::test]
async fn a_stream_ends_when_its_token_or_session_runs_out_and_not_while_it_is_used() {
    let (house, _) = claimed().await;
    let used = session::sign_in(&house.app, login("root", PASSWORD), &client(1))
        .await
        .unwrap();
    let idle = house.sign_in("root").await;
    let cx = house.context(&used).await;
    let token_of = async |made: NewApiToken| {
        let secret = SecretString::from(made.secret);
        let from = client(1).address;
        house.app.authenticate_token(&secret, from).await.unwrap()
    };
    let made = token::create(&house.app, &cx, script(None)).await.unwrap();
    let rotated = token::create(&house.app, &cx, script(None)).await.unwrap();
    let (expiring, rotated_id) = (token_of(made).await, rotated.token.id);
    let rotated = token_of(rotated).await;
    let mut streams = Vec::new();
    for cx in [&cx, &idle, &expiring, &rotated] {
        streams.push(tokio::spawn(
            chat::signed_out(&house.app, cx).await.unwrap(),
        ));
    }
    let overlap = RotateApiToken {
        overlap_minutes: Some(10),
    };
    token::rotate(&house.app, &cx, rotated_id, overlap)
        .await
        .unwrap();
    let ended = async |which: usize| {
        let patience = std::time::Duration::from_secs(20);
        while !streams[which].is_finished() {
            tokio::time::timeout(patience, tokio::task::yield_now())
                .await
                .unwrap();
        }
    };
    house.pass(10 * 60);
    ended(3).await;
    assert!(!streams[2].is_finished() && !streams[1].is_finished());
    house.pass(DAY - 20 * 60);
    house.context(&used).await;
    house.pass(10 * 60);
    ended(2).await;
    ended(1).await;
    // Many times the one look that the stream takes.
    for _ in 0..20 {
        me::view(&house.app, &cx).await.unwrap();
    }
    assert!(!streams[0].is_finished(), "used ten minutes ago");
    house.pass(DAY);
    ended(0).await;
}

#[tokio::test]
async fn a_token_makes_none_that_outlives_it_or_may_do_more() {
    let (house, root) = claimed().await;
    let asking = async |made: &NewApiToken| {
        let secret = SecretString::from(made.secret.clone());
        let from = client(1).address;
        house.app.authenticate_token(&secret, from).await.unwrap()
    };
    let wish = |days: Option<u32>| CreateApiToken {
        expires_in_days: days,
        ..script(None)
    };
    let day = token::create(&house.app, &root, wish(Some(1)))
        .await
        .unwrap();
    let ever = token::create(&house.app, &root, wish(Some(0)))
        .await
        .unwrap();
    let end = day.token.expires_at;
    assert!(end.is_some() && ever.token.expires_at.is_none());
    let by_day = asking(&day).await;
    for days in [None, Some(0), Some(3650)] {
        let made = token::create(&house.app, &by_day, wish(days))
            .await
            .unwrap();
        assert_eq!(made.token.expires_at, end, "{days:?}");
    }
    let overlap = RotateApiToken {
        overlap_minutes: Some(10),
    };
    let rotated = token::rotate(&house.app, &by_day, ever.token.id, overlap.clone())
        .await
        .unwrap();
    assert_eq!(rotated.token.expires_at, end, "not for ever as the old one");
    // Of a token that is being replaced, the overlap is all that is left.
    let new = token::rotate(&house.app, &by_day, day.token.id, overlap.clone())
        .await
        .unwrap();
    assert_eq!(new.token.expires_at, end);
    let made = token::create(&house.app, &by_day, wish(None))
        .await
        .unwrap();
    assert!(made.token.expires_at < end, "{:?}", made.token.expires_at);
    // A person at a browser is not bound.
    let renewed = token::rotate(&house.app, &root, new.token.id, overlap)
        .await
        .unwrap();
    assert!(renewed.token.expires_at >= end);
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
    a_session_slides_for_a_day_and_ends_after_thirty
    a_revoked_session_ends_at_once_and_listeners_are_told
    nobody_revokes_the_session_or_token_of_another
    a_token_does_what_its_scopes_say_until_it_ends
    both_tokens_work_during_the_overlap_and_a_revoked_one_not_at_all
    breakglass_stays_and_nobody_changes_themselves
    an_admin_touches_no_owner_and_makes_none
    suspending_resetting_and_deleting_end_sessions_and_tokens
    a_second_person_needs_isolation_or_consent
    an_invitation_works_once_even_for_two_at_once
    a_new_password_needs_the_present_one_and_ends_other_sessions
    permissions_and_usage_tell_an_owner_from_a_member
    somebody_who_is_gone_by_the_time_of_a_change_changes_nothing
    a_new_role_counts_for_a_change_that_is_on_its_way
    a_stream_of_somebody_who_was_signed_out_before_it_began_is_refused
    a_stream_ends_when_its_token_or_session_runs_out_and_not_while_it_is_used
    a_token_makes_none_that_outlives_it_or_may_do_more
    a_reset_password_is_told_to_its_person_for_a_month_whoever_changes_it_again
}
