//! API tokens: what they may and how long.

use fractal_api_types::{CreateApiToken, NewApiToken, ProblemCode, RotateApiToken};
use fractal_app::token;
use fractal_policy::{Action, Resource};
use fractal_testing::house::client;
use fractal_types::Scope;
use secrecy::SecretString;

use super::{DAY, claimed, script};

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

fractal_testing::on_postgresql! {
    a_token_does_what_its_scopes_say_until_it_ends
    both_tokens_work_during_the_overlap_and_a_revoked_one_not_at_all
    a_token_makes_none_that_outlives_it_or_may_do_more
}
