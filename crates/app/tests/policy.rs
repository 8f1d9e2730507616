//! Access rules that operators add: checked, tested, put in force, tried on what was decided, and taken back.

use fractal_api_types::{
    CheckPolicy, CreateUser, PageQuery, PolicyActor, PolicyOutcome, PolicyOwner, PolicyRequest,
    PolicyResource, PolicyTest, ProblemCode, SimulatePolicy, UpdatePolicy,
};
use fractal_app::{Context, instance, policy, user};
use fractal_store::{Tx, policy_versions};
use fractal_testing::house::{House, PASSWORD, house, name};
use fractal_types::Role;

/// Members may not make instances.
const NO_MEMBERS: &str = r#"@id("no-members")
forbid (principal is User, action == Action::"instance.create", resource)
when { principal has role && principal.role == "member" };
"#;

/// Deleting an account needs a second owner.
const TWO_TO_DELETE: &str = r#"@id("two-to-delete") @approval("owner:1")
forbid (principal, action == Action::"user.delete", resource)
unless { context.approved };
"#;

/// An owner `root` and a member `bob`.
async fn two() -> (House, Context, Context) {
    let house = house().await;
    let root = house.claim().await;
    let root = house.context(&root).await;
    fractal_app::engine::register(&house.app).await.unwrap();
    person(&house, &root, "bob").await;
    let bob = house.sign_in("bob").await;
    (house, root, bob)
}

async fn person(house: &House, root: &Context, username: &str) {
    let body = CreateUser {
        username: name(username),
        display_name: None,
        password: PASSWORD.into(),
        role: Some(Role::Member),
    };
    user::create(&house.app, root, body).await.unwrap();
}

fn over(base_version: u64, text: &str) -> UpdatePolicy {
    UpdatePolicy {
        base_version,
        text: text.to_owned(),
        tests: None,
        comment: None,
    }
}

fn request(role: Role, action: &str, kind: &str, owner: PolicyOwner) -> PolicyRequest {
    PolicyRequest {
        actor: PolicyActor {
            role: Some(role),
            ..PolicyActor::default()
        },
        action: action.to_owned(),
        resource: PolicyResource {
            kind: kind.to_owned(),
            id: None,
            owner: Some(owner),
            role: None,
            becomes: None,
        },
        approved: false,
    }
}

fn test(what: &str, request: PolicyRequest, expect: PolicyOutcome) -> PolicyTest {
    PolicyTest {
        name: what.to_owned(),
        request,
        expect,
    }
}

async fn makes_instance(house: &House, cx: &Context, called: &str) -> Result<(), ProblemCode> {
    let body = fractal_api_types::CreateInstance {
        name: called.parse().unwrap(),
        engine_id: None,
        start: Some(false),
    };
    instance::create(&house.app, cx, body)
        .await
        .map(|_| ())
        .map_err(|error| error.code)
}

#[tokio::test]
async fn added_rules_count_at_once_and_every_version_stays() {
    let (house, root, bob) = two().await;
    makes_instance(&house, &bob, "one").await.unwrap();
    let before = policy::view(&house.app, &root).await.unwrap();
    assert_eq!((before.version, before.text.as_str()), (0, ""));
    assert!(before.builtin.iter().any(|rule| rule.id == "privacy"));
    assert!(before.schema.contains("instance.create"));

    let view = policy::update(&house.app, &root, over(0, NO_MEMBERS)).await;
    assert_eq!(view.unwrap().version, 1);
    let refused = makes_instance(&house, &bob, "two").await;
    assert_eq!(refused, Err(ProblemCode::Forbidden));
    makes_instance(&house, &root, "mine").await.unwrap();
    let me = fractal_app::me::view(&house.app, &bob).await.unwrap();
    assert!(!me.permissions.iter().any(|one| one == "instance.create"));

    // Written over a version that is not in force any more.
    let late = policy::update(&house.app, &root, over(0, "")).await;
    let late = late.unwrap_err();
    assert_eq!(late.code, ProblemCode::Conflict);
    assert!(late.detail.unwrap().contains("version 1"));

    let view = policy::reset(&house.app, &root).await.unwrap();
    assert_eq!((view.version, view.text.as_str()), (2, ""));
    makes_instance(&house, &bob, "two").await.unwrap();
    let all = policy::versions(&house.app, &root, &PageQuery::default()).await;
    let all = all.unwrap().items;
    let seen: Vec<_> = all.iter().map(|row| (row.version, row.in_force)).collect();
    assert_eq!(seen, [(2, true), (1, false)]);
    assert_eq!(all[1].text, NO_MEMBERS);
    assert_eq!(all[1].author.as_ref().unwrap().username, name("root"));
    let log = house.log("policy.update").await;
    assert_eq!(log.len(), 1);
}

#[tokio::test]
async fn rules_of_another_process_count_for_the_next_change() {
    let (house, root, bob) = two().await;
    policy::update(&house.app, &root, over(0, ""))
        .await
        .unwrap();
    // Another process puts a version there; this one has not heard of it.
    let mut row = policy_versions::find_latest(&house.app.store.read(), house.app.organization_id)
        .await
        .unwrap()
        .unwrap();
    row.id = house.app.new_id();
    row.number = 2;
    row.text = NO_MEMBERS.to_owned();
    house
        .app
        .store
        .tx("test", async |tx: Tx| {
            policy_versions::insert(&tx, &row).await
        })
        .await
        .unwrap();
    assert_eq!(house.app.policy().version, 1);
    let refused = makes_instance(&house, &bob, "one").await;
    assert_eq!(refused, Err(ProblemCode::Forbidden));
    assert_eq!(house.app.policy().version, 2, "reads follow");

    let loaded = policy::Policies::load(&house.app.store, house.app.organization_id).await;
    assert_eq!(loaded.unwrap().present().version, 2, "as after a restart");
    // Rules of a release that knew other actions let nothing be decided.
    row.id = house.app.new_id();
    row.number = 3;
    row.text = r#"@id("old") permit (principal, action == Action::"moon.fly", resource);"#.into();
    house
        .app
        .store
        .tx("test", async |tx: Tx| {
            policy_versions::insert(&tx, &row).await
        })
        .await
        .unwrap();
    let broken = policy::Policies::load(&house.app.store, house.app.organization_id).await;
    let broken = broken.unwrap_err();
    assert!(broken.remedy.unwrap().contains("fractal policy reset"));
    let refused = makes_instance(&house, &root, "mine").await;
    assert_eq!(refused, Err(ProblemCode::Internal));
}

#[tokio::test]
async fn what_is_wrong_is_named_and_nothing_is_put_in_force() {
    let (house, root, bob) = two().await;
    let app = &house.app;
    let cases = [
        ("permit (principal, action, resource", "/text", "line 1"),
        (
            r#"@id("x") permit (principal, action == Action::"moon.fly", resource);"#,
            "/text",
            "moon.fly",
        ),
        (
            r#"@id("closed") forbid (principal, action == Action::"policy.update", resource);"#,
            "/text",
            "lock you out: closed",
        ),
        (
            r#"@id("asks") @approval("owner:1") forbid (principal, action == Action::"policy.update", resource) unless { context.approved };"#,
            "/text",
            "lock you out: asks",
        ),
        (
            r#"@id("blind") forbid (principal, action == Action::"policy.view", resource);"#,
            "/text",
            "lock you out: blind",
        ),
    ];
    for (text, field, words) in cases {
        let error = policy::update(app, &root, over(0, text)).await.unwrap_err();
        assert_eq!(error.code, ProblemCode::InvalidFields, "{text}");
        let said = &error.fields[0];
        assert_eq!(said.field, field);
        assert!(said.message.contains(words), "{}", said.message);
    }
    let create = request(
        Role::Member,
        "instance.create",
        "instance",
        PolicyOwner::Oneself,
    );
    let wrong = UpdatePolicy {
        tests: Some(vec![
            test(
                "owners do",
                request(
                    Role::Owner,
                    "instance.create",
                    "instance",
                    PolicyOwner::Oneself,
                ),
                PolicyOutcome::Allow,
            ),
            test("members do", create.clone(), PolicyOutcome::Allow),
        ]),
        ..over(0, NO_MEMBERS)
    };
    let error = policy::update(app, &root, wrong).await.unwrap_err();
    assert_eq!(error.fields.len(), 1);
    assert_eq!(error.fields[0].field, "/tests/1");
    let said = &error.fields[0].message;
    assert!(
        said.contains("members do") && said.contains("no-members"),
        "{said}"
    );
    for (request, field) in [
        (
            PolicyRequest {
                action: "moon.fly".into(),
                ..create.clone()
            },
            "/tests/0/request/action",
        ),
        (
            PolicyRequest {
                resource: PolicyResource {
                    kind: "moon".into(),
                    ..create.resource.clone()
                },
                ..create.clone()
            },
            "/tests/0/request/resource/kind",
        ),
        (
            PolicyRequest {
                actor: PolicyActor {
                    user: Some("bob".into()),
                    ..create.actor.clone()
                },
                ..create.clone()
            },
            "/tests/0/request/actor/user",
        ),
    ] {
        let body = CheckPolicy {
            text: String::new(),
            tests: Some(vec![test("no", request, PolicyOutcome::Deny)]),
        };
        let error = policy::check(app, &root, body).await.unwrap_err();
        assert_eq!(error.fields[0].field, field);
    }
    // Who may not change rules is refused whatever they bring, and it is in the log.
    let refused = policy::update(app, &bob, over(0, "nonsense")).await;
    assert_eq!(refused.unwrap_err().code, ProblemCode::Forbidden);
    assert_eq!(policy::view(app, &root).await.unwrap().version, 0);
    assert_eq!(house.log("policy.update").await.len(), 1);
}

#[tokio::test]
async fn tests_stay_with_the_rules_until_they_are_changed() {
    let (house, root, _) = two().await;
    let member = request(
        Role::Member,
        "instance.create",
        "instance",
        PolicyOwner::Oneself,
    );
    let first = UpdatePolicy {
        tests: Some(vec![test("members do not", member, PolicyOutcome::Deny)]),
        ..over(0, NO_MEMBERS)
    };
    policy::update(&house.app, &root, first).await.unwrap();
    let error = policy::update(&house.app, &root, over(1, "")).await;
    assert_eq!(error.unwrap_err().fields[0].field, "/tests/0");
    let body = CheckPolicy {
        text: String::new(),
        tests: None,
    };
    let check = policy::check(&house.app, &root, body).await.unwrap();
    assert!(!check.ok && !check.tests[0].ok);
    assert_eq!(check.tests[0].decision.policies, ["own"]);
    let without = UpdatePolicy {
        tests: Some(Vec::new()),
        ..over(1, "")
    };
    assert_eq!(
        policy::update(&house.app, &root, without)
            .await
            .unwrap()
            .version,
        2
    );
}

#[tokio::test]
async fn questions_are_answered_with_their_reasons() {
    let (house, root, bob) = two().await;
    let app = &house.app;
    let ask = async |text: Option<&str>, request: PolicyRequest| {
        let body = SimulatePolicy {
            text: text.map(str::to_owned),
            request: Some(request),
        };
        policy::simulate(app, &root, body)
            .await
            .unwrap()
            .decision
            .unwrap()
    };
    let other = request(Role::Member, "chat.read", "instance", PolicyOwner::Other);
    let decision = ask(None, other).await;
    assert_eq!(
        (decision.outcome, decision.reason.as_deref()),
        (PolicyOutcome::Deny, Some("forbidden"))
    );
    assert_eq!(decision.policies, ["privacy"]);
    let create = request(
        Role::Owner,
        "instance.create",
        "instance",
        PolicyOwner::Oneself,
    );
    let mut bobs = create.clone();
    bobs.actor = PolicyActor {
        user: Some("bob".into()),
        ..PolicyActor::default()
    };
    assert_eq!(ask(None, bobs.clone()).await.outcome, PolicyOutcome::Allow);
    let decision = ask(Some(NO_MEMBERS), bobs).await;
    assert_eq!(decision.policies, ["no-members"]);
    let mut delete = request(Role::Owner, "user.delete", "user", PolicyOwner::Other);
    delete.resource.owner = None;
    delete.resource.id = Some("bob".into());
    let decision = ask(Some(TWO_TO_DELETE), delete.clone()).await;
    assert_eq!(decision.outcome, PolicyOutcome::NeedsApproval);
    assert_eq!(
        (decision.approvals[0].role, decision.approvals[0].count),
        (Role::Owner, 1)
    );
    delete.approved = true;
    let decision = ask(Some(TWO_TO_DELETE), delete).await;
    assert_eq!(decision.outcome, PolicyOutcome::Allow);

    let nobody = SimulatePolicy {
        text: None,
        request: Some(PolicyRequest {
            actor: PolicyActor {
                user: Some("nobody".into()),
                ..PolicyActor::default()
            },
            ..create
        }),
    };
    let error = policy::simulate(app, &root, nobody).await.unwrap_err();
    assert_eq!(error.fields[0].field, "/request/actor/user");
    let long = SimulatePolicy {
        text: Some(" ".repeat(200_001)),
        request: None,
    };
    let refused = policy::simulate(app, &root, long).await.unwrap_err();
    assert!(refused.fields[0].message.contains("200000"));
    let nothing = policy::simulate(app, &root, SimulatePolicy::default()).await;
    assert_eq!(nothing.unwrap_err().fields[0].field, "/text");
    let refused = policy::simulate(app, &bob, SimulatePolicy::default()).await;
    assert_eq!(refused.unwrap_err().code, ProblemCode::Forbidden);
}

#[tokio::test]
async fn rules_are_tried_on_what_was_really_decided() {
    let (house, root, bob) = two().await;
    let app = &house.app;
    for called in ["one", "two", "three"] {
        makes_instance(&house, &bob, called).await.unwrap();
    }
    makes_instance(&house, &root, "mine").await.unwrap();
    person(&house, &root, "carol").await;
    let carol = house.sign_in("carol").await.user_id().unwrap();
    user::delete(app, &root, carol).await.unwrap();
    // A refusal counts, too.
    let refused = policy::reset(app, &bob).await;
    assert_eq!(refused.unwrap_err().code, ProblemCode::Forbidden);

    let text = format!(
        "{NO_MEMBERS}{TWO_TO_DELETE}@id(\"all-reset\") permit (principal, action == Action::\"policy.reset\", resource);"
    );
    let tried = SimulatePolicy {
        text: Some(text),
        request: None,
    };
    let impact = policy::simulate(app, &root, tried)
        .await
        .unwrap()
        .impact
        .unwrap();
    assert_eq!(
        (impact.refused, impact.held, impact.allowed),
        (3, 1, 1),
        "{impact:?}"
    );
    assert!(impact.asked >= 7 && impact.since.is_some());
    let first = &impact.changes[0];
    assert_eq!(first.times, 3, "equal ones are told together");
    assert_eq!(first.who.as_ref().unwrap().username, name("bob"));
    assert_eq!(
        (first.action.as_str(), first.before),
        ("instance.create", PolicyOutcome::Allow)
    );
    assert_eq!(first.after.policies, ["no-members"]);
    let held = impact
        .changes
        .iter()
        .find(|one| one.action == "user.delete");
    assert_eq!(held.unwrap().after.outcome, PolicyOutcome::NeedsApproval);

    let same = SimulatePolicy {
        text: Some(String::new()),
        request: None,
    };
    let impact = policy::simulate(app, &root, same)
        .await
        .unwrap()
        .impact
        .unwrap();
    assert!(impact.changes.is_empty(), "{impact:?}");
}

/// A rule whose condition cannot be evaluated denies instead of vanishing, and the way back stays open.
#[tokio::test]
async fn a_forbid_that_fails_denies() {
    let (house, root, bob) = two().await;
    // Overflows for everybody: an error of evaluation, which validation cannot see.
    let text = r#"@id("overflow") forbid (principal, action == Action::"instance.create", resource)
when { 9223372036854775807 + 1 == 0 };"#;
    policy::update(&house.app, &root, over(0, text))
        .await
        .unwrap();
    for cx in [&root, &bob] {
        let refused = makes_instance(&house, cx, "one").await;
        assert_eq!(refused, Err(ProblemCode::Forbidden));
    }
    let log = house.log("instance.create").await;
    assert!(log.iter().any(|entry| entry.entry.outcome == "refused"));
    policy::reset(&house.app, &root).await.unwrap();
    makes_instance(&house, &bob, "one").await.unwrap();
}

fractal_testing::on_postgresql! {
    added_rules_count_at_once_and_every_version_stays
    rules_of_another_process_count_for_the_next_change
    what_is_wrong_is_named_and_nothing_is_put_in_force
    tests_stay_with_the_rules_until_they_are_changed
    questions_are_answered_with_their_reasons
    rules_are_tried_on_what_was_really_decided
    a_forbid_that_fails_denies
}
