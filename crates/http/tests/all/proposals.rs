//! Changes that wait for approval, through the real router: asked for, approved or not, carried out once, as what was asked for.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_trait::async_trait;
use fractal_api_types::{ProblemCode, UpdatePolicy, UpdateUser};
use fractal_app::{
    Context,
    proposal::{Intent, Performed, Performer as Performs},
    user,
};
use fractal_http::{Performer, Server};
use fractal_testing::{data_plane, on_postgresql};
use fractal_types::Role;
use http::{HeaderValue, Method};
use serde_json::{Value, json};

use crate::world::{Answer, MEMBERS_MAY_ASK, Person, Proof, World, request};

on_postgresql! {
    a_members_risky_change_waits_for_an_administrator_and_is_then_done_once
    two_approvals_at_the_same_time_are_two
    what_changed_meanwhile_counts_when_it_is_carried_out
    what_was_asked_for_ends_by_a_no_a_change_of_mind_or_time
    a_change_that_nobody_waits_for_is_answered_first_and_made_once
}

/// Rules under which every new token and every change of an own provider needs two approvals, one of them an owner's.
const FOUR_EYES: &str = r#"
@id("tokens-need-two")
@approval("admin:2")
forbid (principal is User, action == Action::"token.create", resource) unless { context.approved };

@id("tokens-need-an-owner")
@approval("owner:1")
forbid (principal is User, action == Action::"token.create", resource) unless { context.approved };

@id("keys-need-one")
@approval("admin:1")
forbid (principal is User, action == Action::"provider.create", resource) unless { context.approved };
"#;

async fn rules(world: &World, text: &str) {
    let app = &world.house.app;
    let present = fractal_app::policy::view(app, &world.owner.cx)
        .await
        .unwrap();
    let body = UpdatePolicy {
        base_version: present.version,
        text: text.to_owned(),
        tests: None,
        comment: None,
    };
    fractal_app::policy::update(app, &world.owner.cx, body)
        .await
        .unwrap();
}

async fn delete(world: &World, provider: &str, who: &Person) -> Answer {
    let path = format!("/api/v1/providers/{provider}");
    world
        .send(request(Method::DELETE, &path, &who.proof(), None))
        .await
}

async fn show(world: &World, id: &str, who: &Person) -> Answer {
    world
        .get(&format!("/api/v1/proposals/{id}"), &who.proof())
        .await
}

async fn say(world: &World, id: &str, verb: &str, who: &Person, body: &Value) -> Answer {
    world
        .post(
            &format!("/api/v1/proposals/{id}/{verb}"),
            &who.proof(),
            body,
        )
        .await
}

/// Approves what the approver sees.
async fn approve(world: &World, id: &str, who: &Person) -> Answer {
    let seen = show(world, id, who).await.json();
    say(
        world,
        id,
        "approve",
        who,
        &json!({ "digest": seen["digest"] }),
    )
    .await
}

fn id_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 202, "{}", answer.json());
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// What Ada has asked for: to delete a provider of the organization.
async fn asked(world: &World) -> (String, String) {
    world.members_may_ask().await;
    let provider = world.shared_provider().await;
    let id = id_of(&delete(world, &provider, &world.ada).await);
    (id, provider)
}

async fn is_there(world: &World, provider: &str) -> bool {
    let path = format!("/api/v1/providers/{provider}");
    world.get(&path, &world.owner.proof()).await.status == 200
}

/// A change under `Prefer: respond-async`.
async fn later(world: &World, method: Method, path: &str, who: &Person, body: &Value) -> Answer {
    let mut asked = request(method, path, &who.proof(), Some(body));
    let prefer = HeaderValue::from_static("wait=10, respond-async");
    asked.headers_mut().insert("prefer", prefer);
    world.send(asked).await
}

#[tokio::test]
async fn a_change_that_nobody_waits_for_is_answered_first_and_made_once() {
    let world = World::new().await;
    let agent = world.instance(&world.ada).await;
    let path = format!("/api/v1/instances/{agent}");
    let name = async || {
        let view = world.get(&path, &world.ada.proof()).await.json();
        view["name"].as_str().unwrap().to_owned()
    };
    let before = name().await;
    let rename = json!({ "name": "renamed later" });
    let answer = later(&world, Method::PATCH, &path, &world.ada, &rename).await;
    let id = id_of(&answer);
    assert_eq!(answer.headers["preference-applied"], "respond-async");
    assert_eq!(answer.headers["fractal-proposal"], id.as_str());
    assert_eq!(
        answer.headers["location"],
        format!("/api/v1/proposals/{id}")
    );
    assert_eq!(answer.json()["state"], "approved");
    assert_eq!(name().await, before, "nothing has happened yet");
    world.work().await;
    world.work().await;
    assert_eq!(name().await, "renamed later");
    assert_eq!(show(&world, &id, &world.ada).await.json()["state"], "done");
    let changes = world.house.log("instance.configure").await;
    assert_eq!(changes.len(), 1, "{changes:?}");
    // It is nobody else's business, and no approver's.
    assert_eq!(show(&world, &id, &world.bob).await.status, 404);

    // What it answers, a secret included, is for who asked.
    let token = json!({ "name": "made later" });
    let asked = later(&world, Method::POST, "/api/v1/tokens", &world.ada, &token).await;
    let id = id_of(&asked);
    world.work().await;
    let given = say(&world, &id, "collect", &world.ada, &json!({})).await;
    assert_eq!(given.status, 200, "{}", given.json());
    let given = given.json();
    let secret = given["answer"]["secret"].as_str().unwrap();
    assert!(secret.starts_with("frk_"));

    // What cannot be done is refused at once, and nothing is kept.
    let wrong = json!({ "name": "" });
    let refused = later(&world, Method::PATCH, &path, &world.ada, &wrong).await;
    assert!(refused.status.is_client_error(), "{}", refused.json());
    let refused = later(&world, Method::PATCH, &path, &world.bob, &rename).await;
    assert_eq!(refused.status, 404);

    // A rule that asks for approval is obeyed all the same.
    world.members_may_ask().await;
    let path = format!("/api/v1/providers/{}", world.shared_provider().await);
    let asked = later(&world, Method::DELETE, &path, &world.ada, &json!({})).await;
    assert_eq!(asked.json()["state"], "open", "{}", asked.json());
}

#[tokio::test]
async fn a_members_risky_change_waits_for_an_administrator_and_is_then_done_once() {
    let world = World::new().await;
    world.members_may_ask().await;
    let provider = world.shared_provider().await;

    // A try says so and leaves nothing.
    let path = format!("/api/v1/providers/{provider}?dry_run=true");
    let tried = world
        .send(request(Method::DELETE, &path, &world.ada.proof(), None))
        .await;
    assert_eq!(tried.status, 200);
    assert_eq!(tried.json()["decision"]["outcome"], "needs_approval");
    let none = world.get("/api/v1/proposals", &world.ada.proof()).await;
    assert_eq!(none.json()["items"], json!([]));

    // The control for it is shown, and only that one.
    let path = format!("/api/v1/providers/{provider}");
    let seen = world.get(&path, &world.ada.proof()).await.json();
    assert_eq!(
        (&seen["deletable"], &seen["editable"]),
        (&json!(true), &json!(false))
    );

    let answer = delete(&world, &provider, &world.ada).await;
    let id = id_of(&answer);
    assert_eq!(answer.headers["fractal-proposal"], *id);
    assert_eq!(
        answer.headers["location"],
        *format!("/api/v1/proposals/{id}")
    );
    let view = answer.json();
    assert_eq!(view["state"], "open");
    assert_eq!(view["action"], "provider.delete");
    assert_eq!(view["resource_id"], *provider);
    assert_eq!(view["resource_name"], "shared 0");
    assert_eq!(view["demands"], json!([{"role": "admin", "count": 1}]));
    assert_eq!(view["policies"], json!(["ask-an-admin"]));
    assert_eq!(view["requester"]["username"], "ada");
    assert_eq!(view["can"]["approve"], false, "nobody approves their own");
    assert_eq!(view["can"]["withdraw"], true);
    assert!(is_there(&world, &provider).await);
    // The same asked for again is the same proposal.
    assert_eq!(id_of(&delete(&world, &provider, &world.ada).await), id);

    // Another member sees nothing of it; who asked does not approve it.
    assert_eq!(show(&world, &id, &world.bob).await.status, 404);
    let own = approve(&world, &id, &world.ada).await;
    assert_eq!(
        (own.status.as_u16(), own.code().as_str()),
        (403, "forbidden")
    );
    let bobs = say(
        &world,
        &id,
        "approve",
        &world.bob,
        &json!({"digest": view["digest"]}),
    )
    .await;
    assert_eq!(bobs.status, 404);

    let waiting = world
        .get("/api/v1/proposals?awaiting_me=true", &world.admin.proof())
        .await;
    assert_eq!(waiting.json()["items"][0]["id"], *id);
    for (who, count) in [(&world.ada, 1), (&world.admin, 0)] {
        let theirs = world.get("/api/v1/proposals?mine=true", &who.proof()).await;
        assert_eq!(theirs.json()["items"].as_array().unwrap().len(), count);
    }
    let would = say(&world, &id, "simulate", &world.admin, &json!({})).await;
    assert_eq!(would.status, 200, "{}", would.json());
    assert_eq!(would.json()["changed"], false);
    let wrong = say(
        &world,
        &id,
        "approve",
        &world.admin,
        &json!({"digest": "0".repeat(64)}),
    )
    .await;
    assert_eq!(
        (wrong.status.as_u16(), wrong.code().as_str()),
        (409, "conflict")
    );

    let approved = approve(&world, &id, &world.admin).await;
    assert_eq!(approved.json()["state"], "approved", "{}", approved.json());
    assert!(is_there(&world, &provider).await, "the worker does it");
    assert_eq!(world.work().await, 1);
    assert!(!is_there(&world, &provider).await);
    let done = show(&world, &id, &world.ada).await.json();
    assert_eq!(done["state"], "done");
    assert_eq!(done["votes"][0]["by"]["username"], "grace");
    // Nothing is left to do, and nothing can be said any more.
    assert_eq!(world.work().await, 0);
    let late = say(
        &world,
        &id,
        "reject",
        &world.owner,
        &json!({"comment": "no"}),
    )
    .await;
    assert_eq!(late.status, 409);

    // The log tells who wanted it, and behind which proposal it was done.
    let log = world.house.log("provider.delete").await;
    assert_eq!(log.len(), 1, "asking for it is no refusal");
    assert_eq!(
        log[0].entry.actor_id,
        world.ada.cx.user_id().unwrap().to_string()
    );
    assert_eq!(log[0].entry.decision["proposal"], *id);
    for action in ["proposal.create", "proposal.approve", "proposal.settle"] {
        let entries = world.house.log(action).await;
        let about = entries
            .iter()
            .filter(|one| one.entry.resource_id == id && one.entry.outcome == "done");
        // Asked for twice.
        let expected = if action == "proposal.create" { 2 } else { 1 };
        assert_eq!(about.count(), expected, "{action}");
    }
}

#[tokio::test]
async fn what_was_asked_for_ends_by_a_no_a_change_of_mind_or_time() {
    let world = World::new().await;
    let (id, provider) = asked(&world).await;
    let silent = say(
        &world,
        &id,
        "reject",
        &world.admin,
        &json!({"comment": " "}),
    )
    .await;
    assert_eq!(silent.json()["errors"][0]["field"], "/comment");
    let no = say(
        &world,
        &id,
        "reject",
        &world.admin,
        &json!({"comment": "still used"}),
    )
    .await;
    assert_eq!(no.json()["state"], "rejected");
    let seen = show(&world, &id, &world.ada).await.json();
    assert_eq!(seen["reason"], "still used");

    let (id, _) = asked(&world).await;
    let others = say(&world, &id, "withdraw", &world.admin, &json!({})).await;
    assert_eq!(others.status, 403);
    let back = say(&world, &id, "withdraw", &world.ada, &json!({})).await;
    assert_eq!(back.json()["state"], "withdrawn");
    assert_eq!(approve(&world, &id, &world.admin).await.status, 409);

    let (id, _) = asked(&world).await;
    world.house.pass(7 * 24 * 60 * 60 + 1);
    // Sessions have ended in that time.
    let (ada, admin) = (world.sign_in("ada").await, world.sign_in("grace").await);
    assert_eq!(approve(&world, &id, &admin).await.status, 409);
    assert!(world.work().await >= 1);
    assert_eq!(show(&world, &id, &ada).await.json()["state"], "expired");
    assert!(is_there_for(&world, &provider, &ada).await);
}

async fn is_there_for(world: &World, provider: &str, who: &Person) -> bool {
    let path = format!("/api/v1/providers/{provider}");
    world.get(&path, &who.proof()).await.status == 200
}

async fn set(world: &World, who: &Person, role: Option<Role>, active: Option<bool>) {
    let body = UpdateUser {
        role,
        active,
        ..UpdateUser::default()
    };
    let id = who.cx.user_id().unwrap();
    user::update(&world.house.app, &world.owner.cx, id, body)
        .await
        .unwrap();
}

#[tokio::test]
async fn what_changed_meanwhile_counts_when_it_is_carried_out() {
    let world = World::new().await;
    let fails = async |id: &str, why: &str| {
        assert_eq!(world.work().await, 1);
        let view = show(&world, id, &world.owner).await.json();
        assert_eq!(view["state"], "failed", "{why}: {view}");
        let reason = view["reason"].as_str().unwrap();
        assert!(reason.contains(why), "{reason}");
    };
    // The approver is no administrator any more.
    let (id, provider) = asked(&world).await;
    assert_eq!(approve(&world, &id, &world.admin).await.status, 200);
    set(&world, &world.admin, Some(Role::Member), None).await;
    fails(&id, "other approvals").await;
    assert!(is_there(&world, &provider).await);
    set(&world, &world.admin, Some(Role::Admin), None).await;

    // The rules forbid it now.
    let (id, provider) = asked(&world).await;
    assert_eq!(approve(&world, &id, &world.admin).await.status, 200);
    rules(&world, "").await;
    fails(&id, "does not allow").await;
    assert!(is_there(&world, &provider).await);

    // The thing is gone.
    let (id, provider) = asked(&world).await;
    assert_eq!(approve(&world, &id, &world.admin).await.status, 200);
    assert_eq!(delete(&world, &provider, &world.owner).await.status, 204);
    fails(&id, "not there any more").await;

    // Who asked is suspended.
    let (id, provider) = asked(&world).await;
    assert_eq!(approve(&world, &id, &world.admin).await.status, 200);
    set(&world, &world.ada, None, Some(false)).await;
    fails(&id, "may not act any more").await;
    assert!(is_there(&world, &provider).await);
    // Deleted, they take what they asked for along.
    let ada = world.ada.cx.user_id().unwrap();
    user::delete(&world.house.app, &world.owner.cx, ada)
        .await
        .unwrap();
    assert_eq!(show(&world, &id, &world.owner).await.status, 404);
}

#[tokio::test]
async fn two_approvals_at_the_same_time_are_two() {
    let world = World::new().await;
    rules(&world, FOUR_EYES).await;
    let body = json!({"name": "ci"});
    let answer = world
        .post("/api/v1/tokens", &world.ada.proof(), &body)
        .await;
    let id = id_of(&answer);
    assert_eq!(
        answer.json()["demands"],
        json!([{"role": "admin", "count": 2}, {"role": "owner", "count": 1}])
    );
    let (one, other) = tokio::join!(
        approve(&world, &id, &world.admin),
        approve(&world, &id, &world.owner)
    );
    assert_eq!(
        (one.status, other.status),
        (200.try_into().unwrap(), 200.try_into().unwrap())
    );
    let view = show(&world, &id, &world.ada).await.json();
    assert_eq!(view["state"], "approved", "{view}");
    let twice = approve(&world, &id, &world.admin).await;
    assert_eq!(twice.status, 409);

    // The new secret is for who asked, once.
    assert_eq!(world.work().await, 1);
    assert_eq!(
        show(&world, &id, &world.ada).await.json()["can"]["collect"],
        true
    );
    assert_eq!(
        show(&world, &id, &world.owner).await.json()["can"]["collect"],
        false
    );
    assert_eq!(
        say(&world, &id, "collect", &world.owner, &json!({}))
            .await
            .status,
        403
    );
    let made = say(&world, &id, "collect", &world.ada, &json!({}))
        .await
        .json();
    let secret = made["answer"]["secret"].as_str().unwrap().to_owned();
    let again = say(&world, &id, "collect", &world.ada, &json!({})).await;
    assert_eq!(again.status, 404);
    let me = world.get("/api/v1/me", &Proof::Bearer(secret)).await;
    assert_eq!(me.json()["username"], "ada");
}

#[tokio::test]
async fn a_secret_in_what_is_asked_for_is_sealed_and_shown_to_nobody() {
    const KEY: &str = "sk-proposed-0123456789";
    let world = World::new().await;
    rules(&world, FOUR_EYES).await;
    let body = json!({"type": "openai", "name": "Mine", "api_key": KEY});
    let answer = world
        .post("/api/v1/providers", &world.ada.proof(), &body)
        .await;
    let id = id_of(&answer);
    assert_eq!(answer.json()["private"], true);
    assert_eq!(answer.json()["resource_name"], "Mine");
    let seen = show(&world, &id, &world.admin).await;
    assert_eq!(seen.json()["private"], true);
    assert_eq!(seen.json()["simulation"], Value::Null);
    assert_eq!(seen.json()["resource_name"], Value::Null);
    let asked = say(&world, &id, "simulate", &world.admin, &json!({})).await;
    assert_eq!(asked.status, 403);
    let own = say(&world, &id, "simulate", &world.ada, &json!({})).await;
    assert_eq!(own.json()["changed"], false, "{}", own.json());
    for answer in [&answer, &seen, &own] {
        assert!(!String::from_utf8_lossy(&answer.body).contains(KEY));
    }
    for entry in std::fs::read_dir(world.house.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes());
            assert!(!found, "the key lies in {}", path.display());
        }
    }
    assert_eq!(approve(&world, &id, &world.admin).await.status, 200);
    assert_eq!(world.work().await, 1);
    let made = world.get("/api/v1/providers", &world.ada.proof()).await;
    assert_eq!(made.json()["items"][0]["name"], "Mine");
    assert_eq!(
        made.json()["items"][0]["key_hint"],
        "…6789",
        "{}",
        made.json()
    );
}

#[tokio::test]
async fn a_proposal_asked_for_under_a_key_is_one() {
    let world = World::new().await;
    world.members_may_ask().await;
    let provider = world.shared_provider().await;
    let ask = async || {
        let path = format!("/api/v1/providers/{provider}");
        let mut call = request(Method::DELETE, &path, &world.ada.proof(), None);
        let key = HeaderValue::from_static("proposal-key-0123456789");
        call.headers_mut().insert("idempotency-key", key);
        world.send(call).await
    };
    let first = ask().await;
    let again = ask().await;
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(
        again.headers["fractal-proposal"],
        first.headers["fractal-proposal"]
    );
    assert_eq!(again.headers["location"], first.headers["location"]);
    assert_eq!(id_of(&again), id_of(&first));
    // It tells how it stands now.
    assert_eq!(
        approve(&world, &id_of(&first), &world.admin).await.status,
        200
    );
    assert_eq!(ask().await.json()["state"], "approved");
}

#[tokio::test]
async fn nobody_floods_those_who_approve() {
    let world = World::new().await;
    world.members_may_ask().await;
    let mut last = String::new();
    for _ in 0..fractal_app::proposal::MOST_OPEN {
        let provider = world.shared_provider().await;
        last = id_of(&delete(&world, &provider, &world.ada).await);
    }
    let provider = world.shared_provider().await;
    let more = delete(&world, &provider, &world.ada).await;
    assert_eq!(
        (more.status.as_u16(), more.code().as_str()),
        (409, "conflict")
    );
    say(&world, &last, "withdraw", &world.ada, &json!({})).await;
    id_of(&delete(&world, &provider, &world.ada).await);
    // What became no proposal is a refusal, and stands in the log as one.
    let log = world.house.log("provider.delete").await;
    let refused: Vec<_> = log
        .iter()
        .filter(|one| one.entry.outcome == "refused")
        .collect();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].entry.resource_id, provider);
}

#[tokio::test]
async fn a_rule_may_let_owners_approve_what_they_asked_for() {
    let world = World::new().await;
    let text = format!(
        "{FOUR_EYES}\n@id(\"owners-alone\") permit (principal is User, action == Action::\"proposal.approve\", resource)\n\
         when {{ principal has role && principal.role == \"owner\" && resource.owner == principal }};"
    );
    rules(&world, &text).await;
    let body = json!({"type": "demo", "name": "Shared", "shared": true});
    let answer = world
        .post("/api/v1/providers", &world.owner.proof(), &body)
        .await;
    let id = id_of(&answer);
    assert_eq!(answer.json()["can"]["approve"], true);
    // So it waits for them, too.
    let waiting = world
        .get("/api/v1/proposals?awaiting_me=true", &world.owner.proof())
        .await;
    assert_eq!(waiting.json()["items"][0]["id"], *id);
    assert_eq!(
        approve(&world, &id, &world.owner).await.json()["state"],
        "approved"
    );
    assert_eq!(world.work().await, 1);
}

#[tokio::test]
async fn the_rules_may_need_approval_if_somebody_else_is_there_to_give_it() {
    let world = World::new().await;
    let rule = |demand: &str| {
        format!(
            "@id(\"rules-need-eyes\") @approval(\"{demand}\") forbid (principal is User, action == Action::\"policy.update\", resource) unless {{ context.approved }};"
        )
    };
    let put = async |text: &str, version: u64| {
        let body = json!({"base_version": version, "text": text});
        let call = request(
            Method::PUT,
            "/api/v1/policy",
            &world.owner.proof(),
            Some(&body),
        );
        world.send(call).await
    };
    // There is one owner only.
    let alone = put(&rule("owner:1"), 0).await;
    assert_eq!(
        alone.json()["errors"][0]["field"],
        "/text",
        "{}",
        alone.json()
    );
    assert_eq!(put(&rule("admin:1"), 0).await.status, 200);
    let id = id_of(&put(MEMBERS_MAY_ASK, 1).await);
    assert_eq!(approve(&world, &id, &world.admin).await.status, 200);
    assert_eq!(world.work().await, 1);
    let now = world.get("/api/v1/policy", &world.owner.proof()).await;
    assert_eq!(now.json()["text"], MEMBERS_MAY_ASK);
}

/// Does it, and comes to an end before the answer is there: the first time, like a process that is killed right after the commit, or
/// each time, like an answer that cannot be made.
#[derive(Debug)]
struct Forgetful {
    inner: Performer,
    dies: bool,
    calls: AtomicU32,
}

#[async_trait]
impl Performs for Forgetful {
    async fn perform(&self, cx: Context, intent: &Intent) -> Performed {
        let done = self.inner.perform(cx, intent).await;
        assert!(matches!(done, Performed::Done(_)));
        self.calls.fetch_add(1, Ordering::SeqCst);
        assert!(!self.dies, "killed");
        Performed::Failed {
            code: ProblemCode::Unavailable,
            detail: "the disk is full".to_owned(),
        }
    }
}

async fn loses_its_answer(dies: bool) -> String {
    let world = World::new().await;
    rules(&world, FOUR_EYES).await;
    let body = json!({"type": "demo", "name": "Once", "shared": true});
    let id = id_of(
        &world
            .post("/api/v1/providers", &world.owner.proof(), &body)
            .await,
    );
    assert_eq!(approve(&world, &id, &world.admin).await.status, 200);
    let forgetful = Arc::new(Forgetful {
        inner: Performer::new(Server {
            app: world.house.app.clone(),
            chat: data_plane::chat_hub(&world.house.app),
        }),
        dies,
        calls: AtomicU32::new(0),
    });
    assert_eq!(world.work_with(forgetful.clone()).await, 1);
    // Tried again after the wait, if there is anything left to do.
    world.house.pass(3600);
    world.work_with(forgetful.clone()).await;
    assert_eq!(
        forgetful.calls.load(Ordering::SeqCst),
        1,
        "it is seen to be done"
    );
    let view = show(&world, &id, &world.owner).await.json();
    assert_eq!(view["state"], "done");
    assert_eq!(view["can"]["collect"], false);
    assert_eq!(world.house.log("provider.create").await.len(), 1);
    view["reason"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_worker_that_dies_after_the_change_makes_it_no_second_time_and_says_what_was_lost() {
    let reason = loses_its_answer(true).await;
    assert!(reason.contains("what it answered was lost"), "{reason}");
    let reason = loses_its_answer(false).await;
    assert!(reason.contains("the disk is full"), "{reason}");
}

#[tokio::test]
async fn approvers_see_every_field_that_is_not_a_secret() {
    let world = World::new().await;
    let text = r#"
@id("eyes") @approval("admin:1")
forbid (principal is User, action in [Action::"provider.update", Action::"webhook.create", Action::"identity_provider.create", Action::"settings.update"], resource)
unless { context.approved };
@id("may-ask") permit (principal is User, action in [Action::"settings.update"], resource) when { context.approved };
"#;
    rules(&world, text).await;
    let provider = world.shared_provider().await;
    let path = format!("/api/v1/providers/{provider}");
    let body = json!({"name": "Other", "models": ["m-1"], "wire": "openai_responses", "api_key": "sk-never-shown-123"});
    let call = request(Method::PATCH, &path, &world.admin.proof(), Some(&body));
    let answer = world.send(call).await;
    let id = id_of(&answer);
    let seen = show(&world, &id, &world.owner).await.json();
    let asked = &seen["request"];
    assert_eq!(asked["operation"], "updateProvider", "{seen}");
    assert_eq!(asked["method"], "PATCH");
    assert_eq!(asked["address"], *path);
    assert_eq!(
        asked["body"],
        json!({"name": "Other", "models": ["m-1"], "wire": "openai_responses"})
    );
    assert_eq!(asked["secrets"], json!(["/api_key"]));
    assert!(!seen.to_string().contains("sk-never-shown"));

    // What a field changes is another thing to approve.
    let other = json!({"name": "Other", "models": ["m-2"], "wire": "openai_responses", "api_key": "sk-never-shown-123"});
    let call = request(Method::PATCH, &path, &world.admin.proof(), Some(&other));
    assert_ne!(id_of(&world.send(call).await), id);

    // Nobody is called before it is approved: nothing answers there, which nobody finds out now.
    let body = json!({"name": "SSO", "issuer": "http://127.0.0.1:9", "client_id": "f", "client_secret": "hush-hush-123", "allow_private_network": true});
    let answer = world
        .post("/api/v1/identity-providers", &world.admin.proof(), &body)
        .await;
    let id = id_of(&answer);
    let seen = show(&world, &id, &world.owner).await.json();
    assert_eq!(seen["request"]["secrets"], json!(["/client_secret"]));
    assert_eq!(seen["request"]["body"]["issuer"], "http://127.0.0.1:9");
    assert_eq!(approve(&world, &id, &world.owner).await.status, 200);
    assert_eq!(world.work().await, 1);
    let seen = show(&world, &id, &world.admin).await.json();
    assert_eq!(seen["state"], "failed");
    assert!(
        seen["reason"].as_str().unwrap().contains("/issuer"),
        "{seen}"
    );
}

#[tokio::test]
async fn a_change_that_was_made_is_no_proposal_because_its_answer_may_not_be_seen() {
    let world = World::new().await;
    let text = r#"
@id("reading-needs-eyes") @approval("admin:1")
forbid (principal is User, action == Action::"policy.view", resource) unless { context.approved };
"#;
    let body = json!({"base_version": 0, "text": text});
    let call = request(
        Method::PUT,
        "/api/v1/policy",
        &world.owner.proof(),
        Some(&body),
    );
    let answer = world.send(call).await;
    assert_ne!(answer.status, 202, "{}", answer.json());
    assert_eq!(world.house.log("policy.update").await.len(), 1);
    let none = world.get("/api/v1/proposals", &world.owner.proof()).await;
    assert_eq!(none.json()["items"], json!([]));
}

#[tokio::test]
async fn what_is_made_anew_each_time_is_no_difference() {
    let world = World::new().await;
    rules(&world, FOUR_EYES).await;
    let body = json!({"name": "ci", "expires_in_days": 7});
    let answer = world
        .post("/api/v1/tokens", &world.ada.proof(), &body)
        .await;
    let id = id_of(&answer);
    world.house.pass(60);
    let tried = say(&world, &id, "simulate", &world.ada, &json!({})).await;
    assert_eq!(tried.json()["changed"], false, "{}", tried.json());
    assert_ne!(
        tried.json()["now"]["values"]["expires_at"],
        tried.json()["then"]["values"]["expires_at"]
    );
}
