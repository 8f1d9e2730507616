//! Sign-in through an identity provider, from the button to the session and back out: the real router, the real use cases over a
//! real database, a real OpenID provider, and browsers that keep their cookies. Without node or npm the tests say so and pass,
//! except under `CI=true`.

use std::{net::SocketAddr, time::Duration};

use fractal_http::Server;
use fractal_testing::{
    data_plane::chat_hub,
    house::{House, PASSWORD, house_at_present},
    oidc_provider::{Browser, CLIENT_SECRET, OidcProvider, location},
};
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use url::Url;

const NO_ACCOUNT: &str = "no-account";
const NOT_BEGUN: &str = "not-begun";

/// A claimed installation that listens, and a provider that knows its address.
struct Site {
    house: House,
    base: String,
    provider: OidcProvider,
    /// Signed in as `root`, the breakglass account.
    admin: Browser,
}

/// `None` when there is no provider to test against.
async fn site() -> Option<Site> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let provider = OidcProvider::start(env!("CARGO_TARGET_TMPDIR"), &[&callback_of(&base)]).await?;
    let house = house_at_present().await;
    let router = fractal_http::router(Server {
        app: house.app.clone(),
        chat: chat_hub(&house.app),
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    let admin = Browser::new();
    let claim = admin
        .http
        .post(format!("{base}/api/onboarding/breakglass"))
        .header("x-setup-token", house.setup_token.expose_secret())
        .json(&json!({"username": "root", "password": PASSWORD}));
    assert_eq!(claim.send().await.unwrap().status(), 201);
    Some(Site {
        house,
        base,
        provider,
        admin,
    })
}

fn callback_of(base: &str) -> String {
    format!("{base}/api/v1/auth/oidc/callback")
}

impl Site {
    async fn call(
        &self,
        browser: &Browser,
        method: Method,
        path: &str,
        body: Value,
    ) -> (u16, Value) {
        let mut request = browser
            .http
            .request(method, format!("{}{path}", self.base))
            .header("origin", &self.base);
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn get(&self, browser: &Browser, path: &str) -> Value {
        self.call(browser, Method::GET, path, Value::Null).await.1
    }

    /// What an administrator enters.
    fn entry(&self) -> Value {
        json!({
            "name": "Example", "issuer": self.provider.issuer, "client_id": "fractal", "client_secret": CLIENT_SECRET,
            "allow_private_network": true,
        })
    }

    async fn add(&self, entry: Value) -> String {
        let (status, made) = self
            .call(
                &self.admin,
                Method::POST,
                "/api/v1/identity-providers",
                entry,
            )
            .await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().to_owned()
    }

    async fn change(&self, id: &str, body: Value) -> Value {
        let path = format!("/api/v1/identity-providers/{id}");
        let (status, now) = self.call(&self.admin, Method::PATCH, &path, body).await;
        assert_eq!(status, 200, "{now}");
        now
    }

    fn start(&self, id: &str) -> Url {
        let text = format!(
            "{}/api/v1/auth/oidc/{id}/start?return_to=/chat%3Fa%3D1",
            self.base
        );
        text.parse().unwrap()
    }

    /// Where the provider sends the browser, before it goes there.
    async fn leave(&self, browser: &Browser, id: &str, who: Option<&str>) -> Url {
        browser
            .travel(self.start(id), &callback_of(&self.base), who)
            .await
    }

    /// Where we send a browser that comes back.
    async fn come_back(&self, browser: &Browser, back: &Url) -> Url {
        location(&browser.http.get(back.clone()).send().await.unwrap())
    }

    async fn sign_in(&self, browser: &Browser, id: &str, who: &str) -> Url {
        let back = self.leave(browser, id, Some(who)).await;
        self.come_back(browser, &back).await
    }

    /// Begins on a page of ours, as the button in the settings does.
    async fn link(&self, browser: &Browser, id: &str, who: &str) -> Url {
        let request = browser
            .http
            .get(self.start(id))
            .header("sec-fetch-site", "same-origin");
        let answer = request.send().await.unwrap();
        let back = browser
            .travel_on(answer, &callback_of(&self.base), Some(who))
            .await;
        self.come_back(browser, &back).await
    }

    async fn me(&self, browser: &Browser) -> Value {
        self.get(browser, "/api/v1/me").await
    }

    async fn is_signed_in(&self, browser: &Browser) -> bool {
        self.call(browser, Method::GET, "/api/v1/me", Value::Null)
            .await
            .0
            == 200
    }

    fn home(&self) -> String {
        format!("{}/chat?a=1", self.base)
    }
}

/// Why, as the sign-in page is told it.
fn refusal(sent_to: &Url) -> String {
    assert_eq!(sent_to.path(), "/login", "{sent_to}");
    let fields = |text: Option<&str>| -> Vec<(String, String)> {
        url::form_urlencoded::parse(text.unwrap_or_default().as_bytes())
            .into_owned()
            .collect()
    };
    // What went wrong is in the fragment, which no server logs.
    for (name, value) in fields(sent_to.query()) {
        assert_eq!((&*name, &*value), ("return_to", "/chat?a=1"), "{sent_to}");
    }
    let told = fields(sent_to.fragment());
    let [(error, code), (reason, why)] = &told[..] else {
        panic!("codes and nothing else: {sent_to}");
    };
    assert_eq!(
        (&**error, &**code, &**reason),
        ("error", "sign-in-failed", "reason")
    );
    why.clone()
}

/// Whether the sign-in page knows where they wanted to go.
fn knows_the_way(sent_to: &Url) -> bool {
    sent_to
        .query_pairs()
        .any(|pair| pair == ("return_to".into(), "/chat?a=1".into()))
}

#[tokio::test]
async fn a_stranger_becomes_a_member_only_where_the_settings_say_so() {
    let Some(site) = site().await else { return };
    let mut careless = site.entry();
    careless["allow_private_network"] = json!(false);
    let (status, problem) = site
        .call(
            &site.admin,
            Method::POST,
            "/api/v1/identity-providers",
            careless,
        )
        .await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("/issuer"))
    );
    let told = problem["errors"][0]["message"].as_str().unwrap();
    assert!(told.contains("turn on allow_private_network"), "{told}");

    let id = site.add(site.entry()).await;
    let view = site
        .get(&site.admin, &format!("/api/v1/identity-providers/{id}"))
        .await;
    assert_eq!(view["allow_private_network"], true);
    assert_eq!(view["has_client_secret"], true);
    assert_eq!(view["auto_provision"], false);
    assert_eq!(
        view["redirect_uri"], "/api/v1/auth/oidc/callback",
        "without a public address the Portal knows better where it was opened"
    );
    assert!(!view.to_string().contains(CLIENT_SECRET));
    let ada = Browser::new();
    let methods = site.get(&ada, "/api/v1/auth/methods").await;
    assert_eq!(methods["oidc"], json!([{"id": id, "name": "Example"}]));

    // The log is read in the order of time, and nothing but a test moves this clock.
    site.house.pass(1);
    let refused = refusal(&site.sign_in(&ada, &id, "ada").await);
    assert_eq!(refused, NO_ACCOUNT);
    assert!(!site.is_signed_in(&ada).await);
    let log = site.house.log("session.sign_in").await;
    let last = log.last().unwrap();
    assert_eq!(
        (&*last.entry.outcome, &*last.entry.actor_kind),
        ("refused", "system")
    );
    assert_eq!(
        last.values["how"], "oidc",
        "nothing else: a state or a code would be a secret"
    );
    assert_eq!(last.values.len(), 1);

    site.change(&id, json!({"auto_provision": true})).await;
    site.house.pass(1);
    assert_eq!(
        site.sign_in(&ada, &id, "ada").await.as_str(),
        site.home(),
        "to where they wanted to go"
    );
    let me = site.me(&ada).await;
    assert_eq!(
        (&me["username"], &me["role"], &me["has_password"]),
        (&json!("ada"), &json!("member"), &json!(false))
    );
    let log = site.house.log("session.sign_in").await;
    let last = log.last().unwrap();
    assert_eq!(
        (&*last.entry.outcome, json!(last.entry.actor_id)),
        ("done", me["id"].clone())
    );
    assert_eq!(last.values["how"], "oidc");

    let again = Browser::new();
    site.sign_in(&again, &id, "ada").await;
    assert_eq!(
        site.me(&again).await["id"],
        me["id"],
        "the same person, not a second one"
    );

    // The provider's own name for a person is a wish: it decides what an account is called, never which one it is.
    let (grace, other) = (Browser::new(), Browser::new());
    site.sign_in(&grace, &id, "grace.hopper").await;
    site.sign_in(&other, &id, "another.hopper").await;
    let (grace, other) = (site.me(&grace).await, site.me(&other).await);
    assert_eq!(
        (&grace["username"], &other["username"]),
        (&json!("hopper"), &json!("hopper-2"))
    );
    assert_ne!(grace["id"], other["id"]);
}

#[tokio::test]
async fn somebody_without_a_password_sets_their_first_one_soon_after_signing_in() {
    let Some(site) = site().await else { return };
    let mut open = site.entry();
    open["auto_provision"] = json!(true);
    let id = site.add(open).await;
    let ada = Browser::new();
    site.sign_in(&ada, &id, "ada").await;
    let first = json!({"new_password": "a first good password"});
    let set = |browser, body| site.call(browser, Method::PATCH, "/api/v1/me", body);
    let last = async || site.house.log("user.reset_password").await.pop().unwrap();

    let grace = Browser::new();
    site.sign_in(&grace, &id, "grace").await;

    // A token is no sign-in, however new it is.
    let (_, made) = site
        .call(
            &ada,
            Method::POST,
            "/api/v1/tokens",
            json!({"name": "script"}),
        )
        .await;
    let by_token = reqwest::Client::new()
        .patch(format!("{}/api/v1/me", site.base))
        .bearer_auth(made["secret"].as_str().unwrap())
        .json(&first);
    assert_eq!(by_token.send().await.unwrap().status(), 403);

    let (status, problem) = set(&ada, json!({"new_password": "short"})).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("/new_password"))
    );
    let (status, me) = set(&ada, first.clone()).await;
    assert_eq!((status, &me["has_password"]), (200, &json!(true)));
    assert_eq!(last().await.values["password"], "set");

    let (status, problem) = set(&ada, first).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("/current_password")),
        "from now on there is one to prove"
    );
    let login = json!({"username": "ada", "password": "a first good password"});
    let elsewhere = Browser::new();
    let (status, _) = site
        .call(&elsewhere, Method::POST, "/api/v1/auth/login", login)
        .await;
    assert_eq!(status, 200);

    site.house.pass(16 * 60);
    let (status, problem) = set(&grace, json!({"new_password": "a first good password"})).await;
    assert_eq!((status, &problem["code"]), (403, &json!("forbidden")));
    let remedy = problem["remedy"].as_str().unwrap();
    assert!(remedy.contains("sign in again"), "{remedy}");
    assert_eq!(last().await.entry.outcome, "refused");
}

#[tokio::test]
async fn somebody_signed_in_links_an_identity_and_signs_in_by_it_later() {
    let Some(site) = site().await else { return };
    let id = site.add(site.entry()).await;
    let root = site.me(&site.admin).await;

    // A page elsewhere can send a signed-in browser to the start, but that links nothing.
    let refused = refusal(&site.sign_in(&site.admin, &id, "ada").await);
    assert_eq!(refused, NO_ACCOUNT);
    assert_eq!(site.me(&site.admin).await["id"], root["id"]);

    assert_eq!(site.me(&site.admin).await["identity_providers"], json!([]));
    assert_eq!(
        site.link(&site.admin, &id, "ada").await.as_str(),
        site.home()
    );
    assert_eq!(
        site.me(&site.admin).await["identity_providers"],
        json!([id])
    );
    let elsewhere = Browser::new();
    site.sign_in(&elsewhere, &id, "ada").await;
    assert_eq!(site.me(&elsewhere).await["id"], root["id"]);
    let users = site.get(&site.admin, "/api/v1/users").await;
    assert_eq!(users["items"].as_array().unwrap().len(), 1);
    let mut ways: Vec<&str> = users["items"][0]["sign_in"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    ways.sort_unstable();
    assert_eq!(ways, ["oidc", "password"]);
    let log = site.house.log("user.update").await;
    assert_eq!(
        log.last().unwrap().values["linked_issuer"],
        json!(site.provider.issuer)
    );

    let root_login = json!({"username": "root", "password": PASSWORD});
    let login = "/api/v1/auth/login";
    // The linking belongs to the session that began it, in the browser that has it.
    let leave = async |browser: &Browser| {
        let request = browser
            .http
            .get(site.start(&id))
            .header("sec-fetch-site", "same-origin");
        let answer = request.send().await.unwrap();
        browser
            .travel_on(answer, &callback_of(&site.base), Some("grace.hopper"))
            .await
    };
    for how in ["signed out", "signed in anew"] {
        let browser = Browser::new();
        site.call(&browser, Method::POST, login, root_login.clone())
            .await;
        let back = leave(&browser).await;
        let path = if how == "signed out" {
            "/api/v1/auth/logout"
        } else {
            login
        };
        site.call(&browser, Method::POST, path, root_login.clone())
            .await;
        let refused = refusal(&site.come_back(&browser, &back).await);
        assert_eq!(refused, "link-over", "{how}");
        let stranger = Browser::new();
        let refused = refusal(&site.sign_in(&stranger, &id, "grace.hopper").await);
        assert_eq!(refused, NO_ACCOUNT, "{how}");
    }

    let mia = json!({"username": "mia", "password": PASSWORD});
    assert_eq!(
        site.call(&site.admin, Method::POST, "/api/v1/users", mia.clone())
            .await
            .0,
        201
    );
    let browser = Browser::new();
    assert_eq!(
        site.call(&browser, Method::POST, "/api/v1/auth/login", mia)
            .await
            .0,
        200
    );
    let refused = refusal(&site.link(&browser, &id, "ada").await);
    assert_eq!(refused, "linked-elsewhere");
    assert_eq!(site.me(&browser).await["username"], "mia");

    // A session left open is not enough to add a way in. The last thing here: the provider's clock does not come along.
    let browser = Browser::new();
    site.call(&browser, Method::POST, login, root_login).await;
    site.house.pass(16 * 60);
    let request = browser
        .http
        .get(site.start(&id))
        .header("sec-fetch-site", "same-origin");
    let refused = refusal(&location(&request.send().await.unwrap()));
    assert_eq!(refused, "link-stale");
}

#[tokio::test]
async fn a_sign_in_ends_once_in_the_browser_that_began_it_and_in_time() {
    let Some(site) = site().await else { return };
    let mut entry = site.entry();
    entry["auto_provision"] = json!(true);
    let id = site.add(entry.clone()).await;
    let changed = |back: &Url, name: &str, value: &str| {
        let pairs: Vec<(String, String)> = back
            .query_pairs()
            .into_owned()
            .map(|(key, old)| {
                let new = if key == name { value.to_owned() } else { old };
                (key, new)
            })
            .collect();
        let mut url = back.clone();
        url.query_pairs_mut().clear().extend_pairs(pairs);
        assert_ne!(url, *back, "the answer has no {name}");
        url
    };

    // The answer of one's own sign-in, opened in the browser of somebody else.
    let (ada, victim) = (Browser::new(), Browser::new());
    let back = site.leave(&ada, &id, Some("ada")).await;
    assert_eq!(refusal(&site.come_back(&victim, &back).await), NOT_BEGUN);
    site.leave(&victim, &id, Some("eve")).await;
    assert_eq!(refusal(&site.come_back(&victim, &back).await), NOT_BEGUN);
    assert!(!site.is_signed_in(&victim).await);

    let forged = changed(&back, "state", "of-my-own-making");
    assert_eq!(refusal(&site.come_back(&ada, &forged).await), NOT_BEGUN);
    let bare: Url = callback_of(&site.base).parse().unwrap();
    assert_eq!(refusal(&site.come_back(&ada, &bare).await), NOT_BEGUN);

    // None of that used it up, and once is enough.
    assert_eq!(site.come_back(&ada, &back).await.as_str(), site.home());
    assert_eq!(refusal(&site.come_back(&ada, &back).await), NOT_BEGUN);

    // An answer that another issuer gave, or says it did (RFC 9207).
    let mixed = Browser::new();
    let back = site.leave(&mixed, &id, Some("ada")).await;
    let other = changed(&back, "iss", "https://id.example.org");
    let refused = refusal(&site.come_back(&mixed, &other).await);
    assert_eq!(refused, "other-issuer");

    let cancelled = Browser::new();
    let back = site.leave(&cancelled, &id, None).await;
    let sent_to = site.come_back(&cancelled, &back).await;
    assert_eq!(refusal(&sent_to), "cancelled");
    assert!(knows_the_way(&sent_to), "{sent_to}");

    // Nothing of what the provider says is repeated.
    let talkative = Browser::new();
    let mut back = site.leave(&talkative, &id, None).await;
    let state = back
        .query_pairs()
        .find(|(name, _)| name == "state")
        .map(|(_, state)| state.into_owned())
        .unwrap();
    back.query_pairs_mut()
        .clear()
        .append_pair("state", &state)
        .append_pair("error", "call 555-0100 for help")
        .append_pair("error_description", "call 555-0100 for help");
    let sent_to = site.come_back(&talkative, &back).await;
    assert_eq!(refusal(&sent_to), "declined");
    assert!(knows_the_way(&sent_to) && !sent_to.as_str().contains("555"));

    // Somebody between us and the provider.
    entry["client_id"] = json!("tampered");
    entry["name"] = json!("Tampered");
    let tampered = site.add(entry).await;
    let ada = Browser::new();
    let refused = refusal(&site.sign_in(&ada, &tampered, "ada").await);
    assert_eq!(refused, "wrong-signature");
    assert!(!site.is_signed_in(&ada).await);

    let slow = Browser::new();
    let back = site.leave(&slow, &id, Some("ada")).await;
    site.house.clock.advance(Duration::from_secs(10 * 60));
    let sent_to = site.come_back(&slow, &back).await;
    assert_eq!(refusal(&sent_to), NOT_BEGUN);
    assert!(knows_the_way(&sent_to), "the next try leads on to the page");
    assert!(!site.is_signed_in(&slow).await);
    let again = site.come_back(&slow, &back).await;
    assert!(
        refusal(&again) == NOT_BEGUN && !knows_the_way(&again),
        "once"
    );
}

#[tokio::test]
async fn a_way_back_leads_to_our_own_pages_only() {
    let Some(site) = site().await else { return };
    let id = site.add(site.entry()).await;
    let browser = Browser::new();
    for foreign in [
        "https://evil.example/",
        "//evil.example",
        "/%5Cevil.example",
    ] {
        let address = format!(
            "{}/api/v1/auth/oidc/{id}/start?return_to={foreign}",
            site.base
        );
        let answer = browser.http.get(address).send().await.unwrap();
        assert!(!answer.headers().contains_key("set-cookie"));
        let sent_to = location(&answer);
        assert_eq!(
            sent_to.as_str(),
            format!("{}/login#error=invalid-parameter", site.base),
            "and what is foreign is not carried on"
        );
    }
}

#[tokio::test]
async fn a_provider_that_is_down_says_so_and_the_password_still_works() {
    let Some(site) = site().await else { return };
    let id = site.add(site.entry()).await;
    let test = format!("/api/v1/identity-providers/{id}/test");
    let (status, tested) = site.call(&site.admin, Method::POST, &test, json!({})).await;
    assert_eq!((status, &tested["ok"]), (200, &json!(true)));

    let halfway = Browser::new();
    let back = site.leave(&halfway, &id, Some("ada")).await;
    let Site {
        house,
        base,
        provider,
        admin,
    } = site;
    let issuer = provider.issuer.clone();
    provider.stop().await;

    let refused = halfway.http.get(back).send().await.unwrap();
    let sent_to = location(&refused);
    assert_eq!(refusal(&sent_to), "unreachable");
    assert!(knows_the_way(&sent_to), "{sent_to}");
    let browser = Browser::new();
    let start = format!("{base}/api/v1/auth/oidc/{id}/start");
    for (start, knows) in [
        (start.clone(), false),
        (format!("{start}?return_to=/chat%3Fa%3D1"), true),
    ] {
        let refused = browser.http.get(start).send().await.unwrap();
        let sent_to = location(&refused);
        assert_eq!(refusal(&sent_to), "unreachable");
        assert_eq!(knows_the_way(&sent_to), knows, "{sent_to}");
    }
    let login = browser
        .http
        .post(format!("{base}/api/v1/auth/login"))
        .json(&json!({"username": "root", "password": PASSWORD}));
    let answer = login.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.json::<Value>().await.unwrap()["breakglass"],
        json!(true)
    );

    // An administrator sees why, and can still rename it or switch it off.
    let tested = admin.http.post(format!("{base}{test}")).json(&json!({}));
    let tested: Value = tested.send().await.unwrap().json().await.unwrap();
    assert_eq!(
        (&tested["ok"], &tested["error"]["code"]),
        (&json!(false), &json!("unreachable"))
    );
    assert!(tested["error"]["remedy"].is_string());
    let change = admin
        .http
        .patch(format!("{base}/api/v1/identity-providers/{id}"))
        .json(&json!({"name": "Down", "enabled": false}));
    assert_eq!(change.send().await.unwrap().status(), 200);
    let again = admin
        .http
        .post(format!("{base}/api/v1/identity-providers"))
        .json(&json!({"name": "Again", "issuer": issuer, "client_id": "other", "allow_private_network": true}));
    let answer = again.send().await.unwrap();
    assert_eq!(answer.status(), 422);
    let problem: Value = answer.json().await.unwrap();
    assert!(
        problem["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("cannot be reached")
    );
    drop(house);
}

#[tokio::test]
async fn suspended_people_switched_off_and_deleted_providers_let_nobody_in() {
    let Some(site) = site().await else { return };
    let mut entry = site.entry();
    entry["auto_provision"] = json!(true);
    let id = site.add(entry.clone()).await;
    let ada = Browser::new();
    site.sign_in(&ada, &id, "ada").await;
    let person = site.me(&ada).await["id"].as_str().unwrap().to_owned();

    let suspend = async |active: bool| {
        let path = format!("/api/v1/users/{person}");
        let body = json!({"active": active});
        site.call(&site.admin, Method::PATCH, &path, body).await.0
    };
    assert_eq!(suspend(false).await, 200);
    assert!(!site.is_signed_in(&ada).await);
    let refused = refusal(&site.sign_in(&ada, &id, "ada").await);
    assert_eq!(
        refused, NO_ACCOUNT,
        "suspended people learn no more than strangers, and get no second account"
    );
    assert_eq!(suspend(true).await, 200);

    // Switched off while somebody is at the provider.
    let back = site.leave(&ada, &id, Some("ada")).await;
    site.change(&id, json!({"enabled": false})).await;
    assert_eq!(refusal(&site.come_back(&ada, &back).await), NOT_BEGUN);
    let start = ada.http.get(site.start(&id)).send().await.unwrap();
    assert_eq!(start.status(), 404);
    let methods = site.get(&ada, "/api/v1/auth/methods").await;
    assert_eq!(methods["oidc"], json!([]));
    site.change(&id, json!({"enabled": true})).await;

    // Deleted while somebody is there.
    let back = site.leave(&ada, &id, Some("ada")).await;
    let path = format!("/api/v1/identity-providers/{id}");
    let gone = site
        .call(&site.admin, Method::DELETE, &path, Value::Null)
        .await;
    assert_eq!(gone.0, 204, "{}", gone.1);
    assert_eq!(refusal(&site.come_back(&ada, &back).await), NOT_BEGUN);
    let start = ada.http.get(site.start(&id)).send().await.unwrap();
    assert_eq!(start.status(), 404);

    // Added again, it leads to the accounts it led to.
    entry["auto_provision"] = json!(false);
    let id = site.add(entry).await;
    assert_eq!(site.sign_in(&ada, &id, "ada").await.as_str(), site.home());
    assert_eq!(site.me(&ada).await["id"], json!(person));
}

#[tokio::test]
async fn a_new_issuer_never_gets_the_secret_of_the_old_one() {
    let Some(site) = site().await else { return };
    let Some(other) =
        OidcProvider::start(env!("CARGO_TARGET_TMPDIR"), &[&callback_of(&site.base)]).await
    else {
        return;
    };
    let mut entry = site.entry();
    entry["auto_provision"] = json!(true);
    let id = site.add(entry).await;
    let ada = Browser::new();
    site.sign_in(&ada, &id, "ada").await;
    let first = site.me(&ada).await["id"].clone();

    let same = json!({"issuer": site.provider.issuer, "name": "Renamed"});
    assert_eq!(site.change(&id, same).await["has_client_secret"], true);
    let moved = site.change(&id, json!({"issuer": other.issuer})).await;
    assert_eq!(
        (&moved["issuer"], &moved["has_client_secret"]),
        (&json!(other.issuer), &json!(false))
    );
    let refused = refusal(&site.sign_in(&Browser::new(), &id, "ada").await);
    assert_eq!(refused, "client-refused");

    // The same subject of another issuer is another person.
    site.change(&id, json!({"client_secret": CLIENT_SECRET}))
        .await;
    let namesake = Browser::new();
    site.sign_in(&namesake, &id, "ada").await;
    let me = site.me(&namesake).await;
    assert_eq!(me["username"], "ada-2");
    assert_ne!(me["id"], first);
}

#[tokio::test]
async fn setup_takes_a_provider_or_goes_without() {
    let Some(site) = site().await else { return };
    let step = async |browser: &Browser, body: Value| {
        site.call(browser, Method::POST, "/api/onboarding/oidc", body)
            .await
    };
    assert_eq!(step(&Browser::new(), json!({"skip": true})).await.0, 401);
    let (status, problem) = step(&site.admin, json!({})).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("/provider"))
    );
    let mut wrong = site.entry();
    wrong["issuer"] = json!(format!("{}/nowhere", site.provider.issuer));
    let (status, problem) = step(&site.admin, json!({"provider": wrong})).await;
    assert_eq!(
        (status, &problem["errors"][0]["field"]),
        (422, &json!("/provider/issuer"))
    );
    let status_now = site.get(&site.admin, "/api/onboarding/status").await;
    assert_eq!(status_now["steps"]["oidc"], false);

    let (status, done) = step(&site.admin, json!({"skip": true})).await;
    assert_eq!((status, &done["steps"]["oidc"]), (200, &json!(true)));
    // Who skipped it may think again until setup is complete.
    let (status, done) = step(&site.admin, json!({"provider": site.entry()})).await;
    assert_eq!((status, &done["steps"]["oidc"]), (200, &json!(true)));
    let methods = site.get(&site.admin, "/api/v1/auth/methods").await;
    let id = methods["oidc"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        site.link(&site.admin, &id, "ada").await.as_str(),
        site.home()
    );
    let (status, done) = site
        .call(
            &site.admin,
            Method::POST,
            "/api/onboarding/complete",
            json!({}),
        )
        .await;
    assert_eq!((status, &done["completed"]), (200, &json!(true)));
    let (status, late) = step(&site.admin, json!({"skip": true})).await;
    assert_eq!((status, &late["code"]), (409, &json!("setup-done")));
}
