//! Sign-in against a real OpenID provider (the npm package `oidc-provider` under node), driven
//! through its forms like a browser would. Where node, npm or the network are missing the tests say
//! so and pass, except under `CI=true`.

use std::{sync::Arc, time::Duration};

use fractal_clock::{Clock, ManualClock, SystemClock, SystemEntropy};
use fractal_connect::{
    AddressKind, AddressRule, FakeResolver, Outbound, OutboundSettings, Refusal,
};
use fractal_identity::oidc::{
    Callback, Oidc, OidcError, OidcIdentity, ProviderSettings, StartedSignIn, state_hash,
};
use fractal_testing::oidc_provider::{Browser, CLIENT_SECRET, OidcProvider};
use url::Url;

const REDIRECT_URI: &str = "http://127.0.0.1:9/api/v1/auth/oidc/callback";

struct House {
    provider: OidcProvider,
    clock: ManualClock,
    oidc: Oidc,
    redirect_uri: Url,
}

/// `None` when there is no provider to test against.
async fn house() -> Option<House> {
    let provider = OidcProvider::start(env!("CARGO_TARGET_TMPDIR"), &[REDIRECT_URI]).await?;
    let clock = ManualClock::at(SystemClock.now());
    let outbound = Outbound::new(
        &OutboundSettings::default(),
        Arc::new(FakeResolver::default()),
    )
    .unwrap();
    let oidc = Oidc::new(outbound, Arc::new(clock.clone()), Arc::new(SystemEntropy));
    Some(House {
        provider,
        clock,
        oidc,
        redirect_uri: REDIRECT_URI.parse().unwrap(),
    })
}

impl House {
    fn settings(&self, client_id: &str) -> ProviderSettings {
        ProviderSettings {
            issuer: self.provider.issuer.clone(),
            client_id: client_id.into(),
            client_secret: Some(CLIENT_SECRET.into()),
            scopes: vec!["openid".into(), "email".into(), "profile".into()],
            rule: AddressRule::PRIVATE,
        }
    }

    async fn begin(&self, client_id: &str, who: &str) -> (StartedSignIn, Callback) {
        let settings = self.settings(client_id);
        let started = self
            .oidc
            .start(&settings, &self.redirect_uri)
            .await
            .unwrap();
        let to = started.authorize_url.clone();
        let back = Browser::new().travel(to, REDIRECT_URI, Some(who)).await;
        (started, callback(&back))
    }

    async fn end(
        &self,
        client_id: &str,
        started: StartedSignIn,
        callback: Callback,
    ) -> Result<OidcIdentity, OidcError> {
        let settings = self.settings(client_id);
        self.oidc
            .finish(&settings, &self.redirect_uri, started.pending, callback)
            .await
    }
}

fn callback(url: &Url) -> Callback {
    let value = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    Callback {
        state: value("state"),
        code: value("code"),
        error: value("error"),
        iss: value("iss"),
    }
}

#[tokio::test]
async fn somebody_signs_in_and_is_known_by_issuer_and_subject() {
    let Some(house) = house().await else { return };
    let (started, callback) = house.begin("fractal", "ada").await;
    let query: std::collections::HashMap<_, _> = started.authorize_url.query_pairs().collect();
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(state_hash(&query["state"]), started.pending.state_hash);
    let identity = house.end("fractal", started, callback).await.unwrap();
    let expected = OidcIdentity {
        issuer: house.provider.issuer.clone(),
        subject: "ada".into(),
        email: Some("ada@example.test".into()),
        email_verified: true,
        name: Some("ada of the test".into()),
        username: None,
    };
    assert_eq!(identity, expected);

    let (started, callback) = house.begin("fractal", "bob").await;
    let identity = house.end("fractal", started, callback).await.unwrap();
    assert!(!identity.email_verified);

    let (started, callback) = house.begin("fractal", "grace.hopper").await;
    let identity = house.end("fractal", started, callback).await.unwrap();
    assert_eq!(identity.username.as_deref(), Some("Hopper@Corp.test"));
}

#[tokio::test]
async fn a_sign_in_ends_only_with_its_own_state_nonce_verifier_and_once() {
    let Some(house) = house().await else { return };
    let (started, callback) = house.begin("fractal", "ada").await;

    let mut other = callback.clone();
    other.state = Some("another state".into());
    let error = house.end("fractal", started.clone(), other).await;
    assert!(matches!(error, Err(OidcError::State)), "{error:?}");

    let mut other = callback.clone();
    other.iss = Some("https://evil.test".into());
    let error = house.end("fractal", started.clone(), other).await;
    assert!(matches!(error, Err(OidcError::Issuer)), "{error:?}");

    let mut wrong = started.clone();
    wrong.pending.pkce_verifier = "a-verifier-that-was-made-by-somebody-who-stole-the-code".into();
    let error = house.end("fractal", wrong, callback).await;
    assert!(matches!(error, Err(OidcError::Code)), "{error:?}");

    let (mut started, callback) = house.begin("fractal", "ada").await;
    started.pending.nonce = "another nonce".into();
    let error = house.end("fractal", started, callback).await;
    assert!(matches!(error, Err(OidcError::Nonce)), "{error:?}");

    let (started, callback) = house.begin("fractal", "ada").await;
    house
        .end("fractal", started.clone(), callback.clone())
        .await
        .unwrap();
    let error = house.end("fractal", started, callback).await;
    assert!(matches!(error, Err(OidcError::Code)), "{error:?}");
}

#[tokio::test]
async fn an_old_token_one_from_the_future_and_a_tampered_one_are_refused() {
    let Some(house) = house().await else { return };
    let (started, callback) = house.begin("fractal", "ada").await;
    house.clock.advance(Duration::from_secs(3600));
    let error = house.end("fractal", started, callback).await;
    assert!(matches!(error, Err(OidcError::Expired)), "{error:?}");

    let Some(house) = self::house().await else {
        return;
    };
    let (started, callback) = house.begin("tampered", "ada").await;
    let error = house.end("tampered", started, callback).await;
    assert!(matches!(error, Err(OidcError::Signature)), "{error:?}");

    let past = ManualClock::at(SystemClock.now().before(Duration::from_secs(3600)));
    let outbound = Outbound::new(
        &OutboundSettings::default(),
        Arc::new(FakeResolver::default()),
    )
    .unwrap();
    let behind = House {
        oidc: Oidc::new(outbound, Arc::new(past.clone()), Arc::new(SystemEntropy)),
        clock: past,
        ..house
    };
    let (started, callback) = behind.begin("fractal", "ada").await;
    let error = behind.end("fractal", started, callback).await;
    assert!(matches!(error, Err(OidcError::Expired)), "{error:?}");
}

#[tokio::test]
async fn wrong_settings_are_told_apart() {
    let Some(house) = house().await else { return };
    let description = house
        .oidc
        .discover(&house.provider.issuer, AddressRule::PRIVATE)
        .await
        .unwrap();
    assert_eq!(description.issuer, house.provider.issuer);

    let (started, callback) = house.begin("fractal", "ada").await;
    let mut settings = house.settings("fractal");
    settings.client_secret = Some("wrong".into());
    let error = house
        .oidc
        .finish(&settings, &house.redirect_uri, started.pending, callback)
        .await;
    assert!(matches!(error, Err(OidcError::Client)), "{error:?}");

    let discover = async |issuer: String, rule| house.oidc.discover(&issuer, rule).await;
    let issuer = &house.provider.issuer;
    let spelled = discover(format!("{issuer}/"), AddressRule::PRIVATE).await;
    assert!(matches!(spelled, Err(OidcError::Issuer)), "{spelled:?}");
    let elsewhere = discover(format!("{issuer}/nowhere"), AddressRule::PRIVATE).await;
    assert!(
        matches!(elsewhere, Err(OidcError::Description)),
        "{elsewhere:?}"
    );
    let nonsense = discover("not a url".into(), AddressRule::PRIVATE).await;
    assert!(
        matches!(nonsense, Err(OidcError::IssuerUrl)),
        "{nonsense:?}"
    );
    let plain = discover(issuer.clone(), AddressRule::PUBLIC).await;
    assert!(
        matches!(plain, Err(OidcError::Refused(Refusal::Plain))),
        "{plain:?}"
    );
    let private = discover(issuer.replace("http:", "https:"), AddressRule::PUBLIC).await;
    let loopback = Refusal::Address(AddressKind::Loopback);
    assert!(
        matches!(&private, Err(OidcError::Refused(why)) if *why == loopback),
        "{private:?}"
    );
}

#[tokio::test]
async fn a_provider_that_is_down_is_named_as_such_and_a_refusal_as_such() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let outbound = Outbound::new(
        &OutboundSettings::default(),
        Arc::new(FakeResolver::default()),
    )
    .unwrap();
    let oidc = Oidc::new(outbound, Arc::new(SystemClock), Arc::new(SystemEntropy));
    let error = oidc
        .discover(&issuer, AddressRule::PRIVATE)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("cannot be reached"), "{error}");

    let settings = ProviderSettings {
        issuer,
        client_id: "x".into(),
        client_secret: None,
        scopes: vec![],
        rule: AddressRule::PRIVATE,
    };
    let redirect_uri: Url = "http://127.0.0.1:9/".parse().unwrap();
    for (word, shown) in [("access_denied", "cancelled"), ("<script>", "of its own")] {
        let pending = fractal_identity::oidc::PendingSignIn {
            state_hash: state_hash("s"),
            nonce: "n".into(),
            pkce_verifier: "v".into(),
        };
        let callback = Callback {
            state: Some("s".into()),
            error: Some(word.into()),
            ..Callback::default()
        };
        let error = oidc
            .finish(&settings, &redirect_uri, pending, callback)
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(shown) && !error.contains(word), "{error}");
    }
}
