//! What every change takes: a try that changes nothing, and a key under which it is made once.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{HeaderValue, Method, Request};
use serde_json::{Value, json};

use crate::{
    cases::cases,
    document::{Operation, document, operations},
    world::{Answer, Proof, Target, World, request},
};

/// What is no change through the door alone, and so takes neither.
const OTHERS: &[&str] = &[
    // Conversations and runs of the gateway.
    "abortRun",
    "answerQuestion",
    "createChatCompletion",
    "deleteChatSession",
    "renameChatSession",
    "resolveApproval",
    "streamChat",
    "streamChatCompatible",
    // Looks, and keeps what was found; nothing that people own.
    "runChecks",
    // Before anybody is there, or about the caller's own sign-in, where tries are counted.
    "acceptInvitation",
    "claimBreakglass",
    "completeOnboarding",
    "login",
    "logout",
    "onboardAgent",
    "onboardOidc",
    "onboardProvider",
    "resetPassword",
    "updateMe",
    // What it gives out is given out once.
    "collectProposal",
    // They do something outside besides.
    "installEngine",
    "replayWebhookDelivery",
    "rotateKey",
    "testIdentityProvider",
    "testProvider",
    "testWebhook",
    // They only ask.
    "checkPolicy",
    "simulateProposal",
    "simulatePolicy",
];

fn takes_a_try(operation: &Operation) -> bool {
    let document = document();
    let method = operation.method.as_str().to_lowercase();
    let parameters = &document["paths"][&operation.path][&method]["parameters"];
    parameters
        .as_array()
        .is_some_and(|all| all.iter().any(|one| one["name"] == "dry_run"))
}

#[test]
fn every_operation_that_is_not_a_reading_takes_both_or_is_known_not_to() {
    for operation in operations() {
        let id = operation.id.as_str();
        let expected = operation.method != Method::GET && !OTHERS.contains(&id);
        assert_eq!(takes_a_try(&operation), expected, "{id}");
    }
}

/// Everything that can be listed, as an owner and as Ada see it.
async fn all(world: &World) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (name, person) in [("owner", &world.owner), ("ada", &world.ada)] {
        for operation in operations() {
            let plain = operation.method == Method::GET
                && operation.path.starts_with("/api/v1/")
                && !operation.path.contains('{')
                // Events have no end, and looking at some lists is in the log itself, which is counted apart.
                && operation.path != "/api/v1/events"
                && !operation.path.starts_with("/api/v1/evidence");
            if plain {
                let answer = world.get(&operation.path, &person.proof()).await;
                // A refusal carries the number of its request.
                if answer.status.is_success() {
                    let mut list = answer.json();
                    if operation.path == "/api/v1/profile" {
                        // One that is not stored yet has no id that lasts.
                        list["id"] = Value::Null;
                    }
                    found.insert(format!("{name} {}", operation.path), list);
                }
            }
        }
    }
    found
}

#[tokio::test]
async fn a_try_says_what_would_happen_and_changes_nothing() {
    let world = World::new().await;
    let operations = operations();
    let mut tried = 0;
    for case in cases() {
        let operation = operations.iter().find(|one| one.id == case.operation);
        let Some(operation) = operation.filter(|one| takes_a_try(one)) else {
            continue;
        };
        let (id, agent) = world.make(case.target, &world.ada).await;
        let path = operation.path.replace("{id}", &id);
        let query = case.query.replace("{agent}", &agent);
        let sign = if query.is_empty() { '?' } else { '&' };
        let path = format!("{path}{query}{sign}dry_run=true");
        let body = case.body.map(|body| body(&agent, world.number()));
        // What belongs to a person is tried by them, the rest by an owner.
        let others = ["setInstanceLimits", "approveProposal", "rejectProposal"];
        let personal = case.target.is_personal() && !others.contains(&case.operation);
        let who = if personal || is_own(case.operation) {
            &world.ada
        } else {
            &world.owner
        };
        let (before, log) = (all(&world).await, world.house.logged().await);
        let call = request(operation.method.clone(), &path, &who.proof(), body.as_ref());
        let answer = world.send(call).await;
        let log_after = world.house.logged().await;
        let same = all(&world).await;
        for (list, was) in &before {
            assert_eq!(&same[list], was, "{} changed {list}", case.operation);
        }
        if case.operation == "createIdentityProvider" || case.operation == "updateIdentityProvider"
        {
            // Nobody answers at the address of the case, which is looked at before the door.
            continue;
        }
        let said = answer.json();
        assert_eq!(answer.status, 200, "{}: {said}", case.operation);
        assert_eq!(answer.headers["fractal-dry-run"], "true");
        assert_eq!(said["decision"]["outcome"], "allow", "{}", case.operation);
        let action = said["action"].as_str().unwrap();
        assert_eq!(
            log_after.get(action),
            log.get(action),
            "{action} is in the log"
        );
        assert!(said["resource_kind"].is_string());
        tried += 1;
    }
    assert!(tried >= 28, "only {tried} were tried");
}

/// Of the operations without a thing in their path: those that make something of one's own.
fn is_own(operation: &str) -> bool {
    matches!(
        operation,
        "createInstance" | "createToken" | "setSkillCredential" | "updateProfile"
    )
}

#[tokio::test]
async fn a_try_tells_a_refusal_and_who_may_not_see_a_thing_still_does_not() {
    let world = World::new().await;
    let body = json!({"username": "mallory", "password": "a long enough password"});
    let path = "/api/v1/users?dry_run=true";
    let answer = world.post(path, &world.bob.proof(), &body).await;
    assert_eq!(answer.status, 200);
    let said = answer.json();
    assert_eq!(said["decision"]["outcome"], "deny");
    assert_eq!(said["decision"]["reason"], "not_permitted");
    let (agent, _) = world.make(Target::Instance, &world.ada).await;
    let path = format!("/api/v1/instances/{agent}/stop?dry_run=true");
    let told = world.post(&path, &world.bob.proof(), &json!({})).await;
    let unknown = path.replace(&agent, &format!("inst_{}", "0".repeat(26)));
    let nothing = world.post(&unknown, &world.bob.proof(), &json!({})).await;
    assert_eq!((told.status, told.code()), (nothing.status, nothing.code()));

    for (path, body) in [
        (
            "/api/v1/auth/login?dry_run=true",
            json!({"username": "bob", "password": "x"}),
        ),
        ("/api/v1/users?dry_run=maybe", body.clone()),
        ("/api/v1/policy/check?dry_run=true", json!({"text": ""})),
    ] {
        let answer = world.post(path, &world.owner.proof(), &body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (400, "invalid-parameter"),
            "{path}"
        );
        assert_eq!(answer.json()["errors"][0]["field"], "dry_run");
    }
}

async fn keyed(world: &World, path: &str, proof: &Proof, body: &Value, key: &str) -> Answer {
    let mut call: Request<Body> = request(Method::POST, path, proof, Some(body));
    let key = HeaderValue::from_str(key).unwrap();
    call.headers_mut().insert("idempotency-key", key);
    world.send(call).await
}

#[tokio::test]
async fn a_change_under_a_key_is_made_once() {
    let world = World::new().await;
    let owner = world.owner.proof();
    let body = json!({"username": "carol", "password": "a long enough password"});
    let path = "/api/v1/users";
    // What fails takes no key.
    let weak = json!({"username": "carol", "password": "x"});
    assert_eq!(
        keyed(&world, path, &owner, &weak, "key-1-0123456789")
            .await
            .status,
        422
    );
    let first = keyed(&world, path, &owner, &body, "key-1-0123456789").await;
    assert_eq!(first.status, 201, "{}", first.json());
    assert!(!first.headers.contains_key("idempotency-replayed"));
    let again = keyed(&world, path, &owner, &body, "key-1-0123456789").await;
    assert_eq!((again.status, again.json()), (first.status, first.json()));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    let log = world.house.log("user.create").await;
    let carols = log
        .iter()
        .filter(|one| one.entry.resource_id == first.json()["id"].as_str().unwrap());
    assert_eq!(carols.count(), 1);

    let other = json!({"username": "dave", "password": "a long enough password"});
    let refused = keyed(&world, path, &owner, &other, "key-1-0123456789").await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (409, "conflict")
    );
    // The key is the caller's own: another's is another one.
    let admins = keyed(
        &world,
        path,
        &world.admin.proof(),
        &other,
        "key-1-0123456789",
    )
    .await;
    assert_eq!(admins.status, 201);
    for wrong in ["", "short", "two words of some length", &"x".repeat(256)] {
        let answer = keyed(&world, path, &owner, &other, wrong).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
    let login = json!({"username": "bob", "password": "x"});
    let answer = keyed(
        &world,
        "/api/v1/auth/login",
        &owner,
        &login,
        "key-2-0123456789",
    )
    .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        keyed(&world, path, &Proof::None, &other, "key-3-0123456789")
            .await
            .status,
        401
    );

    // After a day it is forgotten.
    world.house.pass(25 * 60 * 60);
    let owner = world.sign_in("root").await.proof();
    let late = keyed(&world, path, &owner, &body, "key-1-0123456789").await;
    assert_eq!(late.code(), "already-exists");
}

#[tokio::test]
async fn a_secret_is_never_given_a_second_time() {
    let world = World::new().await;
    let ada = world.ada.proof();
    let body = json!({"name": "machine"});
    let first = keyed(&world, "/api/v1/tokens", &ada, &body, "key-1-0123456789")
        .await
        .json();
    assert!(first["secret"].as_str().unwrap().starts_with("frk_api_"));
    let again = keyed(&world, "/api/v1/tokens", &ada, &body, "key-1-0123456789")
        .await
        .json();
    assert_eq!(again["secret"], "");
    assert_eq!(again["token"], first["token"]);
    let tokens = world.get("/api/v1/tokens", &ada).await.json();
    assert_eq!(tokens["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_requests_at_once_under_one_key_one_changes_something() {
    let world = World::new().await;
    let ada = world.ada.proof();
    let body = json!({"name": "machine"});
    let call = || keyed(&world, "/api/v1/tokens", &ada, &body, "key-1-0123456789");
    let (one, two, three) = tokio::join!(call(), call(), call());
    let mut statuses: Vec<u16> = [one, two, three]
        .iter()
        .map(|answer| answer.status.as_u16())
        .collect();
    statuses.sort_unstable();
    assert!(
        statuses.iter().all(|status| matches!(status, 201 | 409)),
        "{statuses:?}"
    );
    assert_eq!(statuses[0], 201);
    let tokens = world.get("/api/v1/tokens", &ada).await.json();
    assert_eq!(tokens["items"].as_array().unwrap().len(), 1);
    let log = world.house.log("token.create").await;
    assert_eq!(log.len(), 1, "the log has it once");
}

fractal_testing::on_postgresql! {
    a_try_says_what_would_happen_and_changes_nothing
    a_try_tells_a_refusal_and_who_may_not_see_a_thing_still_does_not
    a_change_under_a_key_is_made_once
    a_secret_is_never_given_a_second_time
    of_two_requests_at_once_under_one_key_one_changes_something
}
