//! Who makes, changes, suspends and deletes whom.

use fractal_api_types::{
    AcceptInvitation, CreateInvitation, PageQuery, ProblemCode, ResetPassword,
};
use fractal_app::{invitation, session, token, user};
use fractal_testing::house::{PASSWORD, client, name, reduced_house};
use fractal_types::Role;
use secrecy::SecretString;

use super::{DAY, active, add, claimed, login, person, role, script};

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

fractal_testing::on_postgresql! {
    breakglass_stays_and_nobody_changes_themselves
    an_admin_touches_no_owner_and_makes_none
    suspending_resetting_and_deleting_end_sessions_and_tokens
    a_second_person_needs_isolation_or_consent
    an_invitation_works_once_even_for_two_at_once
}
