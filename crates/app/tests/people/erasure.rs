//! What the log says about a person goes on demand or with time, and every proof over it holds.

use fractal_api_types::{
    CreateApiToken, CreateInstance, CreateProvider, EvidenceQuery, EvidenceView, ExportQuery,
    PageQuery, ProblemCode, UpdateProvider, UpdateSettings,
};
use fractal_app::{
    Context, engine, evidence, instance, policy, provider, retention, settings, token, user,
};
use fractal_store::{NewEntry, Tx, system_config};
use fractal_testing::{
    evidence::{
        Checkpoint,
        verify::{Known, Report, verify},
    },
    house::{House, name},
};
use fractal_types::{Principal, Role, UserId, Via};
use futures::TryStreamExt;
use serde_json::json;

use super::{DAY, add, claimed};

async fn seal(house: &House) {
    house.app.sealer.seal_all().await.unwrap();
}

async fn head(house: &House, cx: &Context) -> Checkpoint {
    let note = evidence::head(&house.app, cx).await.unwrap().note.unwrap();
    Checkpoint::open(&note, &house.app.sealer.key().verify_key()).unwrap()
}

/// The log with all values that an owner may see, verified against heads that were kept.
async fn verified(house: &House, cx: &Context, kept: &[Checkpoint]) -> (String, Report) {
    let query = ExportQuery {
        first: None,
        values: Some(true),
    };
    let lines = evidence::export(&house.app, cx, &query).await.unwrap();
    let text = lines.try_collect::<Vec<String>>().await.unwrap().concat();
    let key = house.app.sealer.key().verify_key();
    let report = verify(text.as_bytes(), &key, kept, &[]).unwrap();
    (text, report)
}

async fn about(house: &House, cx: &Context, action: &str) -> Vec<EvidenceView> {
    let query = EvidenceQuery {
        action: Some(action.to_owned()),
        limit: Some(200),
        ..EvidenceQuery::default()
    };
    evidence::list(&house.app, cx, &query).await.unwrap().items
}

/// What opens anything at all, private or not.
async fn everything(house: &House) -> String {
    let db = house.app.store.read();
    let rows = fractal_store::evidence::list_sealed(&db, None, 0, 10_000)
        .await
        .unwrap();
    let mut text = String::new();
    for row in rows {
        for opening in fractal_store::evidence::openings(&db, row.id)
            .await
            .unwrap()
        {
            text.push_str(&format!(
                "{} {}={}\n",
                row.action, opening.field, opening.value
            ));
        }
    }
    text
}

/// Ada, an administrator, leaves what people leave: an agent, a key of her own, a token, sign-ins; and does something of the house's.
async fn ada(house: &House, root: &Context) -> (UserId, Context) {
    let id = add(house, root, "ada", Role::Admin).await;
    let cx = house.sign_in("ada").await;
    engine::register(&house.app).await.unwrap();
    let agent = CreateInstance {
        name: "adas-helper".parse().unwrap(),
        engine_id: None,
        start: Some(false),
    };
    instance::create(&house.app, &cx, agent).await.unwrap();
    for shared in [false, true] {
        let body: CreateProvider = serde_json::from_value(json!({
            "type": "demo", "name": if shared { "for-everybody" } else { "adas-own" }, "shared": shared,
        }))
        .unwrap();
        provider::create(&house.app, &cx, body).await.unwrap();
    }
    let body: CreateApiToken = serde_json::from_value(json!({"name": "adas-laptop"})).unwrap();
    token::create(&house.app, &cx, body).await.unwrap();
    set(house, &cx, |body| body.idle_timeout_minutes = Some(77)).await;
    (id, cx)
}

async fn set(house: &House, cx: &Context, what: impl FnOnce(&mut UpdateSettings)) {
    let mut body = UpdateSettings::default();
    what(&mut body);
    settings::update(&house.app, cx, body).await.unwrap();
}

#[tokio::test]
async fn what_the_log_says_of_a_person_is_erased_and_every_proof_holds() {
    let (house, root) = claimed().await;
    let (id, cx) = ada(&house, &root).await;
    add(&house, &root, "bob", Role::Member).await;
    seal(&house).await;
    let kept = head(&house, &root).await;
    let (_, before) = verified(&house, &root, &[]).await;
    assert_eq!(before.erased, 0);
    let values = everything(&house).await;
    for word in ["\"ada\"", "adas-helper", "adas-own", "adas-laptop"] {
        assert!(values.contains(word), "{word} is to be found before");
    }

    let erased = user::erase(&house.app, &root, id).await.unwrap();
    assert!(
        erased.values > erased.entries && erased.entries >= 5,
        "{erased:?}"
    );
    seal(&house).await;
    let values = everything(&house).await;
    // Whose address a sign-in came from is looked at below.
    let left = values.lines().filter(|line| line.contains("ada"));
    let left: Vec<_> = left.filter(|line| !line.contains("sign_in")).collect();
    assert!(left.is_empty(), "{left:?}");
    // What is not about her stays: what she did for the house, the organization's key, other people, other sign-ins.
    for word in ["idle_timeout_minutes=77", "for-everybody", "\"bob\""] {
        assert!(
            values.contains(word),
            "{word} is no value about her:\n{values}"
        );
    }

    // The log is the one that was signed before, and says what is missing.
    let (text, after) = verified(&house, &root, std::slice::from_ref(&kept)).await;
    assert_eq!(after.known, [Known::Confirmed(kept.size)]);
    // What was added since are the entry that tells of it, and two values of that.
    let visible = before.openings + 2 - after.openings;
    assert!(
        visible > 0 && visible == after.erased,
        "{before:?} {after:?}"
    );
    assert!(text.contains("\"erased\":["));
    let made = about(&house, &root, "user.create").await;
    let hers = made
        .iter()
        .find(|one| one.resource_id == id.to_string())
        .unwrap();
    assert!(hers.values.is_empty(), "{:?}", hers.values);
    assert!(
        hers.erased.contains(&"username".to_owned()),
        "{:?}",
        hers.erased
    );
    assert_eq!(
        hers.commitments.as_object().unwrap().len(),
        hers.erased.len()
    );
    let sign_ins = about(&house, &root, "session.sign_in").await;
    for one in &sign_ins {
        let hers = one.actor_id == id.to_string();
        assert_eq!(one.erased.contains(&"address".to_owned()), hers);
        assert_ne!(one.values.contains_key("address"), hers);
    }
    let told = &about(&house, &root, "user.erase").await[0];
    assert_eq!(told.actor_id, root.actor.principal.id_text());
    assert_eq!(told.resource_id, id.to_string());
    assert_eq!(told.values["values"], erased.values);
    assert_eq!(told.values["entries"], erased.entries);
    assert!(told.erased.is_empty());

    // Who deletes her writes her name once more; it goes as well, when she is long gone, and what told of the first time stays.
    let _ = cx;
    user::delete(&house.app, &root, id).await.unwrap();
    seal(&house).await;
    assert!(everything(&house).await.contains("\"ada\""));
    let again = user::erase(&house.app, &root, id).await.unwrap();
    assert_eq!(again.entries, 1);
    assert!(!everything(&house).await.contains("\"ada\""));
    let nothing = user::erase(&house.app, &root, id).await.unwrap();
    assert_eq!((nothing.values, nothing.entries), (0, 0));
    seal(&house).await;
    assert_eq!(about(&house, &root, "user.erase").await.len(), 3);
    verified(&house, &root, &[kept]).await;
}

#[tokio::test]
async fn what_was_the_organizations_and_what_was_found_of_an_agent_are_told_apart_when_both_are_gone()
 {
    let (house, root) = claimed().await;
    let (id, cx) = ada(&house, &root).await;
    let app = &house.app;
    let page = PageQuery::default();
    let all = provider::list(app, &root, &page).await.unwrap().items;
    let shared = all.iter().find(|one| one.shared).unwrap().id;
    let body: UpdateProvider = serde_json::from_value(json!({"name": "bettered"})).unwrap();
    provider::update(app, &root, shared, body).await.unwrap();
    provider::delete(app, &root, shared).await.unwrap();
    let agents = instance::list(app, &cx, false, &page).await.unwrap().items;
    // As the checks write it when an agent does not come up: with words of the gateway.
    let noted = NewEntry {
        organization_id: root.actor.organization_id,
        principal: Principal::System,
        via: Via::Internal,
        action: "incident.open",
        resource_kind: "incident",
        resource_id: "inc_01".to_owned(),
        outcome: "opened",
        decision: json!({}),
        values: vec![
            ("about", json!(agents[0].id)),
            ("finding", json!("no such file: /home/ada/secret-plans")),
        ],
        request_id: None,
    };
    let append = async |tx: Tx| {
        let noted = noted.clone();
        fractal_store::evidence::append(&tx, &*app.clock, &*app.entropy, noted).await
    };
    app.store.tx("test", append).await.unwrap();
    user::erase(app, &root, id).await.unwrap();
    seal(&house).await;
    let values = everything(&house).await;
    assert!(!values.contains("secret-plans"), "{values}");
    for word in ["for-everybody", "bettered"] {
        assert!(
            values.contains(word),
            "{word} was the organization's: {values}"
        );
    }
}

#[tokio::test]
async fn a_rule_may_have_an_erasure_wait_for_approval() {
    let (house, root) = claimed().await;
    let bob = add(&house, &root, "bob", Role::Member).await;
    add(&house, &root, "adm", Role::Admin).await;
    let admin = house.sign_in("adm").await;
    let text = r#"
@id("erasing-needs-two")
@approval("owner:1")
forbid (principal is User, action == Action::"user.erase", resource) unless { context.approved };
"#;
    let body = serde_json::from_value(json!({"base_version": 0, "text": text})).unwrap();
    policy::update(&house.app, &root, body).await.unwrap();
    let refused = user::erase(&house.app, &admin, bob).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::ApprovalNeeded);
    seal(&house).await;
    assert!(
        everything(&house).await.contains("\"bob\""),
        "nothing is erased"
    );
}

#[tokio::test]
async fn who_may_delete_may_erase_and_nobody_erases_themselves() {
    let (house, root) = claimed().await;
    let bob = add(&house, &root, "bob", Role::Member).await;
    add(&house, &root, "adm", Role::Admin).await;
    let (member, admin) = (house.sign_in("bob").await, house.sign_in("adm").await);
    let root_id = root.actor.user_id().unwrap();
    let code = async |cx: &Context, id: UserId| {
        let error = user::erase(&house.app, cx, id).await.unwrap_err();
        error.code
    };
    assert_eq!(code(&root, root_id).await, ProblemCode::Conflict);
    assert_eq!(code(&member, bob).await, ProblemCode::Forbidden);
    assert_eq!(code(&admin, root_id).await, ProblemCode::Forbidden);
    assert_eq!(code(&root, house.app.new_id()).await, ProblemCode::NotFound);
    user::erase(&house.app, &admin, bob).await.unwrap();
    // Of somebody who is gone nothing says that they were no owner.
    let gone = add(&house, &root, "carol", Role::Member).await;
    user::delete(&house.app, &root, gone).await.unwrap();
    assert_eq!(code(&admin, gone).await, ProblemCode::Forbidden);
    user::erase(&house.app, &root, gone).await.unwrap();
    // Their account is as it was.
    assert_eq!(
        user::view(&house.app, &admin, bob).await.unwrap().username,
        name("bob")
    );
}

#[tokio::test]
async fn values_are_kept_for_ever_unless_a_time_is_set() {
    let (house, root) = claimed().await;
    add(&house, &root, "bob", Role::Member).await;
    house.pass(400 * DAY);
    seal(&house).await;
    assert_eq!(retention::work(&house.app).await.unwrap(), 0);
    let root = house.sign_in("root").await;
    for (days, fits) in [(36_500, true), (36_501, false)] {
        let body = UpdateSettings {
            value_retention_days: Some(days),
            ..UpdateSettings::default()
        };
        let error = settings::update(&house.app, &root, body).await.err();
        assert_eq!(error.is_none(), fits);
        if let Some(error) = error {
            assert_eq!(error.fields[0].field, "/value_retention_days");
        }
    }
    set(&house, &root, |body| body.value_retention_days = Some(30)).await;
    seal(&house).await;
    let kept = head(&house, &root).await;
    let erased = retention::work(&house.app).await.unwrap();
    assert!(erased >= 4, "{erased}");
    seal(&house).await;
    let values = everything(&house).await;
    assert!(!values.contains("bob"), "{values}");
    assert!(
        values.contains("value_retention_days=30"),
        "what is younger stays"
    );
    let told = &about(&house, &root, "evidence.expire").await[0];
    assert_eq!(
        (told.actor_kind.as_str(), told.outcome.as_str()),
        ("system", "done")
    );
    assert_eq!(told.values["values"], erased);
    let (_, report) = verified(&house, &root, &[kept]).await;
    assert_eq!(
        report.erased, erased,
        "an owner is told of every one that is not private"
    );

    // A round that finds nothing leaves no entry, and what told of the first one never goes.
    assert_eq!(retention::work(&house.app).await.unwrap(), 0);
    house.pass(400 * DAY);
    retention::work(&house.app).await.unwrap();
    assert_eq!(retention::work(&house.app).await.unwrap(), 0);
    seal(&house).await;
    assert!(everything(&house).await.contains("evidence.expire values="));
}

#[tokio::test]
async fn what_another_process_has_set_counts_at_once() {
    let (house, root) = claimed().await;
    add(&house, &root, "bob", Role::Member).await;
    set(&house, &root, |body| body.value_retention_days = Some(30)).await;
    house.pass(31 * DAY);
    // Another one sets it back: this process has the old settings in memory.
    let other: serde_json::Value = json!({"value_retention_days": 0, "idle_timeout_minutes": 7});
    let key = system_config::Key::<serde_json::Value>::new("settings");
    let now = house.app.clock.now();
    let put = async |tx: Tx| system_config::set(&tx, &key, &other, now).await;
    house.app.store.tx("test", put).await.unwrap();
    assert_eq!(house.app.settings().value_retention_days, 30);
    assert_eq!(retention::work(&house.app).await.unwrap(), 0);
    seal(&house).await;
    assert!(everything(&house).await.contains("\"bob\""));
    // And a change here takes nothing of it back.
    let root = house.sign_in("root").await;
    set(&house, &root, |body| {
        body.witness_interval_seconds = Some(90)
    })
    .await;
    let settings = house.app.settings();
    assert_eq!(
        (settings.value_retention_days, settings.idle_timeout_minutes),
        (0, 7)
    );
}

fractal_testing::on_postgresql! {
    what_was_the_organizations_and_what_was_found_of_an_agent_are_told_apart_when_both_are_gone
    what_the_log_says_of_a_person_is_erased_and_every_proof_holds
    values_are_kept_for_ever_unless_a_time_is_set
}
