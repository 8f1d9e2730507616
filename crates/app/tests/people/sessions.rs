//! How long who is in stays in, and what ends with it.

use fractal_api_types::{NewApiToken, PageQuery, ProblemCode, RotateApiToken};
use fractal_app::{
    chat, me,
    session::{self, Revoked},
    token, user,
};
use fractal_testing::house::{PASSWORD, client};
use fractal_types::Role;
use secrecy::SecretString;

use super::{DAY, add, claimed, login, role, script};

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

fractal_testing::on_postgresql! {
    a_session_slides_for_a_day_and_ends_after_thirty
    a_revoked_session_ends_at_once_and_listeners_are_told
    nobody_revokes_the_session_or_token_of_another
    a_stream_of_somebody_who_was_signed_out_before_it_began_is_refused
    a_stream_ends_when_its_token_or_session_runs_out_and_not_while_it_is_used
}
