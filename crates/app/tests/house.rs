//! What spans several nouns: the first steps, leaving for good, what was used, what the log says about getting in.

use std::{path::PathBuf, time::Duration};

use fractal_api_types::{
    CreateInstance, CreateProvider, CreateUser, Login, OnboardingAgent, PageQuery, ProblemCode,
    UsageQuery,
};
use fractal_app::{
    Context, engine, instance,
    instance::reconcile::InstanceReconciler,
    onboarding, profile, provider,
    session::{self, Revoked},
    usage, user,
};
use fractal_background::Reconcile;
use fractal_clock::Clock;
use fractal_runtime::{
    contract::{EngineFiles, Runtime},
    fake::Action,
};
use fractal_store::{
    PageRequest, Tx, UsageRecord, instances, owner_keys, providers, usage_records, users,
};
use fractal_testing::house::{House, PASSWORD, client, house, name};
use fractal_types::{InstanceId, ProviderKind, Role, UserId, Wire};
use tokio_util::sync::CancellationToken;

async fn claimed() -> (House, Context) {
    let house = house().await;
    let root = house.claim().await;
    let cx = house.context(&root).await;
    (house, cx)
}

async fn member(house: &House, root: &Context, who: &str) -> (UserId, Context) {
    let body = CreateUser {
        username: name(who),
        display_name: None,
        role: Some(Role::Member),
        password: PASSWORD.into(),
    };
    let made = user::create(&house.app, root, body).await.unwrap();
    (made.id, house.sign_in(who).await)
}

fn anthropic() -> CreateProvider {
    CreateProvider {
        kind: ProviderKind::Anthropic,
        name: "Anthropic".parse().unwrap(),
        base_url: None,
        api_key: Some("sk-ant-of-a-test".into()),
        models: None,
        wire: None,
        shared: None,
        allow_private_network: None,
    }
}

async fn agent(house: &House, cx: &Context, what: &str) -> InstanceId {
    engine::register(&house.app).await.unwrap();
    let body = CreateInstance {
        name: what.parse().unwrap(),
        engine_id: None,
        start: None,
    };
    instance::create(&house.app, cx, body).await.unwrap().0.id
}

/// An engine that the runtime without processes takes for one.
async fn engine_of_paper(house: &House) {
    let row = engine::register(&house.app).await.unwrap();
    let root = PathBuf::from("/engine");
    let files = EngineFiles {
        node: root.join("node"),
        entry: root.join("openclaw.mjs"),
        root,
        version: row.version.clone(),
    };
    let mut known = house.app.engine_files.write().unwrap();
    known.insert(row.id, files);
}

/// Reconciles until something is so.
async fn until(house: &House, id: InstanceId, mut is_so: impl AsyncFnMut() -> bool) {
    let reconciler = InstanceReconciler::new(house.app.clone());
    for _ in 0..50 {
        if is_so().await {
            return;
        }
        reconciler.run_once(&id, &CancellationToken::new()).await;
        house.clock.advance(Duration::from_secs(1));
    }
    panic!(
        "it did not come to that; the runtime did {:?}",
        house.runtime.actions()
    );
}

#[tokio::test]
async fn somebody_deleted_is_gone_at_once_and_their_keys_with_their_last_agent() {
    let (house, root) = claimed().await;
    engine_of_paper(&house).await;
    let (mia, cx) = member(&house, &root, "mia").await;
    provider::create(&house.app, &cx, anthropic())
        .await
        .unwrap();
    let ids = [
        agent(&house, &cx, "one").await,
        agent(&house, &cx, "two").await,
    ];
    let others = agent(&house, &root, "mine").await;
    for id in ids {
        let started = async || {
            let actions = house.runtime.actions();
            actions
                .iter()
                .any(|action| matches!(action, Action::Start(of, _) if *of == id))
        };
        until(&house, id, started).await;
    }
    let read = house.app.store.read();
    let key = async || {
        owner_keys::find_latest(&read, &mia.to_string())
            .await
            .unwrap()
    };
    assert!(
        key().await.is_some(),
        "their provider's key is sealed with it"
    );
    let mut told = house.app.revocations();

    user::delete(&house.app, &root, mia).await.unwrap();
    assert_eq!(told.try_recv().unwrap(), Revoked::User(mia));
    let error = user::view(&house.app, &root, mia).await.unwrap_err();
    assert_eq!(error.code, ProblemCode::NotFound);
    let left = user::list(&house.app, &root, &PageQuery::default())
        .await
        .unwrap();
    assert_eq!(left.items.len(), 1);
    let error = session::sign_in(&house.app, login("mia", PASSWORD), &client(1))
        .await
        .unwrap_err();
    assert_eq!(error.code, ProblemCode::WrongCredentials);
    let all = PageRequest::default();
    let page = providers::list(&read, house.app.organization_id, Some(mia), &all).await;
    assert!(page.unwrap().items.is_empty());
    // Somebody else may have the name, and is somebody else.
    let (second, _) = member(&house, &root, "mia").await;
    assert_ne!(second, mia);

    let gone = async |id: InstanceId| {
        house
            .runtime
            .list()
            .await
            .unwrap()
            .iter()
            .all(|seen| seen.id != id)
            && instances::find(&read, id)
                .await
                .unwrap()
                .is_none_or(|row| row.deleted_at.is_some())
    };
    until(&house, ids[0], async || gone(ids[0]).await).await;
    assert!(
        key().await.is_some() && users::find(&read, mia).await.unwrap().is_some(),
        "an agent that still runs needs it to be ended"
    );
    until(&house, ids[1], async || {
        gone(ids[1]).await && key().await.is_none()
    })
    .await;
    assert!(users::find(&read, mia).await.unwrap().is_none());
    for id in ids {
        assert!(instances::find(&read, id).await.unwrap().is_none());
    }
    assert!(users::find(&read, second).await.unwrap().is_some());
    let kept = instances::find(&read, others).await.unwrap().unwrap();
    assert!(kept.deleted_at.is_none(), "nobody else's agent is touched");
    let log = house.log("user.delete").await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].values["username"], "mia");
}

fn call(house: &House, cx: &Context, of: InstanceId, model: &str, days_ago: u64) -> UsageRecord {
    UsageRecord {
        id: house.app.new_id(),
        organization_id: house.app.organization_id,
        user_id: cx.actor.user_id().unwrap(),
        instance_id: of,
        provider_id: None,
        model: model.into(),
        alias: "fractal/default".into(),
        wire: Wire::AnthropicMessages,
        input_tokens: 10,
        output_tokens: 1,
        cache_read_tokens: 0,
        cache_write_tokens: 0,
        status: 200,
        error_code: None,
        started_at: house
            .clock
            .now()
            .before(Duration::from_secs(days_ago * 24 * 60 * 60)),
        duration_ms: 5,
    }
}

#[tokio::test]
async fn usage_is_summed_by_day_and_model_for_oneself_or_for_everybody() {
    let (house, root) = claimed().await;
    house.pass(12 * 60 * 60);
    let (_, mia) = member(&house, &root, "mia").await;
    let (roots, mias) = (
        agent(&house, &root, "one").await,
        agent(&house, &mia, "one").await,
    );
    let failed = UsageRecord {
        error_code: Some("quota".into()),
        status: 429,
        output_tokens: 0,
        ..call(&house, &mia, mias, "large", 0)
    };
    let records = [
        call(&house, &root, roots, "large", 0),
        call(&house, &mia, mias, "large", 0),
        failed,
        call(&house, &mia, mias, "small", 0),
        call(&house, &mia, mias, "large", 1),
        call(&house, &mia, mias, "large", 31),
    ];
    house
        .app
        .store
        .tx("test.usage", async |tx: Tx| {
            usage_records::insert_batch(&tx, &records).await?;
            Ok::<_, fractal_app::Error>(())
        })
        .await
        .unwrap();
    let report = async |cx: &Context, days: Option<u32>, all: bool| {
        let query = UsageQuery {
            days,
            all: Some(all),
        };
        let report = usage::report(&house.app, cx, &query).await.unwrap();
        let rows: Vec<_> = report
            .rows
            .into_iter()
            .map(|row| {
                (
                    row.day[8..].to_owned(),
                    row.model,
                    row.calls,
                    row.failed,
                    row.input_tokens,
                    row.output_tokens,
                )
            })
            .collect();
        (
            rows,
            report.calls,
            report.input_tokens,
            report.output_tokens,
        )
    };
    let row = |day: &str, model: &str, calls, failed, input, output| {
        (
            day.to_owned(),
            model.to_owned(),
            calls,
            failed,
            input,
            output,
        )
    };
    let small = row("21", "small", 1, 0, 10, 1);
    let yesterday = row("20", "large", 1, 0, 10, 1);
    assert_eq!(
        report(&mia, None, false).await,
        (
            vec![
                row("21", "large", 2, 1, 20, 1),
                small.clone(),
                yesterday.clone()
            ],
            4,
            40,
            3
        ),
        "thirty days, and only their own"
    );
    assert_eq!(
        report(&root, None, true).await,
        (
            vec![row("21", "large", 3, 1, 30, 2), small.clone(), yesterday],
            5,
            50,
            4
        )
    );
    assert_eq!(
        report(&root, None, false).await.0,
        [row("21", "large", 1, 0, 10, 1)]
    );
    assert_eq!(report(&mia, Some(1), false).await.1, 3, "today is a day");
    assert_eq!(report(&mia, Some(366), false).await.1, 5);
    for days in [0, 367] {
        let query = UsageQuery {
            days: Some(days),
            all: None,
        };
        let error = usage::report(&house.app, &mia, &query).await.unwrap_err();
        assert_eq!(
            (error.code, &*error.fields[0].field),
            (ProblemCode::InvalidParameter, "days")
        );
    }
}

#[tokio::test]
async fn the_first_steps_lead_to_one_agent_with_the_newest_provider() {
    let (house, root) = claimed().await;
    engine::register(&house.app).await.unwrap();
    let body = |what: &str| OnboardingAgent {
        name: what.parse().unwrap(),
        persona: Some("Kind and brief.".into()),
        model: "test-model".into(),
        provider_id: None,
    };
    let early = onboarding::agent(&house.app, &root, body("Robin"))
        .await
        .unwrap_err();
    assert_eq!(early.fields[0].field, "/provider_id");
    let (_, mia) = member(&house, &root, "mia").await;
    let refused = onboarding::provider(&house.app, &mia, anthropic())
        .await
        .unwrap_err();
    assert_eq!(refused.code, ProblemCode::Forbidden);

    let first = onboarding::provider(&house.app, &root, anthropic())
        .await
        .unwrap();
    assert!(first.test.ok);
    house.pass(1);
    let newest = CreateProvider {
        name: "Newer".parse().unwrap(),
        ..anthropic()
    };
    let newest = onboarding::provider(&house.app, &root, newest)
        .await
        .unwrap();
    let steps = onboarding::status(&house.app).await.unwrap().steps;
    assert!(steps.breakglass && steps.provider && !steps.agent && !steps.oidc);

    let made = onboarding::agent(&house.app, &root, body("Robin"))
        .await
        .unwrap();
    let again = onboarding::agent(&house.app, &root, body("Robin"))
        .await
        .unwrap();
    assert_eq!(made.instance_id, again.instance_id, "a second click");
    let view = profile::view(&house.app, &root).await.unwrap();
    assert_eq!(
        (
            view.agent_name.as_str(),
            view.persona.as_str(),
            view.model.as_deref(),
            view.provider_id
        ),
        (
            "Robin",
            "Kind and brief.",
            Some("test-model"),
            Some(newest.id)
        )
    );
    let status = onboarding::status(&house.app).await.unwrap();
    assert!(status.steps.agent && !status.completed);
    onboarding::complete(&house.app, &root).await.unwrap();
    let late = onboarding::agent(&house.app, &root, body("Late"))
        .await
        .unwrap_err();
    assert_eq!(late.code, ProblemCode::SetupDone);
}

fn login(who: &str, password: &str) -> Login {
    Login {
        username: name(who),
        password: password.into(),
    }
}

#[tokio::test]
async fn the_log_says_who_came_in_and_that_somebody_did_not() {
    let (house, root) = claimed().await;
    let id = root.actor.user_id().unwrap().to_string();
    let setup = house.log("session.sign_in").await;
    assert_eq!(setup[0].values["how"], "setup");
    for (who, named) in [("root", id.as_str()), ("my-secret-password", "")] {
        session::sign_in(&house.app, login(who, "wrong password!"), &client(7))
            .await
            .unwrap_err();
        let log = house.log("session.sign_in").await;
        let last = log.last().unwrap();
        assert_eq!(
            (&*last.entry.outcome, &*last.entry.actor_kind),
            ("refused", "system")
        );
        assert_eq!(last.entry.resource_id, named);
        assert!(
            !format!("{last:?}").contains("secret-password"),
            "what stands in the wrong field may be a password"
        );
    }
    session::sign_in(&house.app, login("root", PASSWORD), &client(7))
        .await
        .unwrap();
    let log = house.log("session.sign_in").await;
    let last = log.last().unwrap();
    assert_eq!(
        (
            &*last.entry.outcome,
            &*last.entry.actor_kind,
            &last.entry.actor_id
        ),
        ("done", "user", &id)
    );
    assert_eq!(
        (&last.values["how"], &last.values["address"]),
        (&"password".into(), &"192.0.2.7".into())
    );
}

fractal_testing::on_postgresql! {
    somebody_deleted_is_gone_at_once_and_their_keys_with_their_last_agent
    usage_is_summed_by_day_and_model_for_oneself_or_for_everybody
    the_first_steps_lead_to_one_agent_with_the_newest_provider
    the_log_says_who_came_in_and_that_somebody_did_not
}
