//! Operations on instances: carried out, taken back, called off.

use fractal_api_types::{ChangeEngine as Body, OperationQuery, ProblemCode};
use fractal_app::{Context, engine, instance, operation};
use fractal_runtime::{contract::Volumes, fake::Action};
use fractal_store::{Engine, Tx, engines, instances};
use fractal_types::{EngineId, OperationState, SeenState, StepState, StopReason, WantedState};

use crate::{site::sound, support::crash};

#[tokio::test]
async fn an_engine_is_changed_and_has_proven_itself() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let tried = Context {
        dry_run: true,
        ..cx.clone()
    };
    let body = Body {
        engine_id: site.new,
    };
    let error = instance::change_engine(app, &tried, site.id, body)
        .await
        .unwrap_err();
    let would = error.dry_run.unwrap();
    assert_eq!(would.steps, ["stop", "switch", "start", "restore"]);

    let begun = site.ask().await.unwrap();
    assert_eq!(begun.state, OperationState::Pending);
    assert!(begun.can.cancel);
    let view = instance::view(app, cx, site.id).await.unwrap();
    assert_eq!(view.operation_id, Some(begun.id));
    // While it works nobody else does, and a chat waits instead of being refused.
    let refused = instance::restart(app, cx, site.id).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Conflict);
    assert!(refused.detail.unwrap().contains(&begun.id.to_string()));
    assert_eq!(site.ask().await.unwrap_err().code, ProblemCode::Conflict);
    site.until("it is stopped", || async {
        site.home.row(site.id).await.stop_reason == Some(StopReason::Operation)
    })
    .await;
    let (chat, _) = site.home.chat(site.id);

    let done = site.until_over(begun.id).await;
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    assert!(done.steps.iter().all(|step| step.state == StepState::Done));
    assert_eq!(done.by.unwrap().username.as_str(), "root");
    let row = site.home.row(site.id).await;
    assert_eq!((row.engine_id, row.held_by), (site.new, None));
    assert_eq!(row.seen, SeenState::Ready);
    assert_eq!(site.home.starts(site.id), 2);
    chat.await.unwrap().unwrap();
    let steps = site.home.house.log("operation.step").await;
    let steps: Vec<_> = steps.iter().map(|one| &one.values["step"]).collect();
    assert_eq!(steps, ["stop", "switch", "start", "restore"]);
    assert_eq!(site.home.house.log("operation.settle").await.len(), 1);
    let page = operation::list(app, cx, &OperationQuery::default()).await;
    assert_eq!(page.unwrap().items.len(), 1);
    // It has this engine now.
    assert_eq!(site.ask().await.unwrap_err().code, ProblemCode::Conflict);
}

#[tokio::test]
async fn one_that_slept_sleeps_again_and_is_woken_only_to_prove_itself() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    instance::stop(app, cx, site.id).await.unwrap();
    site.home.until_seen(site.id, SeenState::Stopped).await;
    let id = site.begin().await;
    assert_eq!(site.until_over(id).await.state, OperationState::Done);
    let row = site.home.row(site.id).await;
    assert_eq!(row.engine_id, site.new);
    assert_eq!(
        (row.wanted, row.stop_reason, row.seen),
        (
            WantedState::Stopped,
            Some(StopReason::Person),
            SeenState::Stopped
        )
    );
    assert_eq!(site.home.starts(site.id), 2);
}

#[tokio::test]
async fn an_engine_that_does_not_come_up_is_taken_back() {
    let site = sound().await;
    let id = site.begin().await;
    site.until("it is over", || async {
        let row = site.home.row(site.id).await;
        if row.engine_id == site.new && row.seen == SeenState::Starting {
            site.home.gateways.crash(site.id, crash(78));
        }
        site.view(id).await.state.is_settled()
    })
    .await;
    let view = site.view(id).await;
    assert_eq!(view.state, OperationState::Undone, "{view:?}");
    let reason = view.reason.unwrap();
    assert!(reason.contains("2027.1.0"), "{reason}");
    site.until_as_wanted().await;
    let row = site.home.row(site.id).await;
    assert_eq!(
        (row.engine_id, row.wanted),
        (site.old, WantedState::Running)
    );
    assert_eq!(site.switches().await, 2);
}

#[tokio::test]
async fn a_cancelled_one_is_taken_back_from_where_it_is() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    // Before it began there is nothing to take back.
    let id = site.begin().await;
    let view = operation::cancel(app, cx, id).await.unwrap();
    assert_eq!(view.state, OperationState::Undone);
    assert_eq!(site.home.row(site.id).await.held_by, None);
    assert_eq!(site.home.starts(site.id), 1);

    let id = site.begin().await;
    site.until("the engine is switched", || async {
        site.home.row(site.id).await.engine_id == site.new
    })
    .await;
    let view = operation::cancel(app, cx, id).await.unwrap();
    assert_eq!(view.cancelled_by.as_deref(), Some("root"));
    assert!(!view.can.cancel);
    let view = site.until_over(id).await;
    assert_eq!(view.state, OperationState::Undone);
    assert_eq!(view.reason.as_deref(), Some("cancelled by root"));
    site.until_as_wanted().await;
    assert_eq!(site.home.row(site.id).await.engine_id, site.old);
    let again = operation::cancel(app, cx, id).await.unwrap_err();
    assert_eq!(again.code, ProblemCode::Conflict);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let missing = operation::view(app, cx, app.new_id()).await.unwrap_err();
    assert_eq!(missing.code, ProblemCode::NotFound);
    let unknown = Body {
        engine_id: app.new_id(),
    };
    let error = instance::change_engine(app, cx, site.id, unknown)
        .await
        .unwrap_err();
    assert_eq!(error.fields[0].field, "/engine_id");
}

#[tokio::test]
async fn an_engine_whose_files_are_gone_is_said_to_be_and_left_by_changing_it() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let gone: EngineId = app.new_id();
    let row = Engine {
        id: gone,
        version: "2025.1.1".into(),
        digest: "gone".into(),
        path: "/nowhere".into(),
        ..engines::get(&app.store.read(), site.new).await.unwrap()
    };
    app.store
        .tx("test", async |tx: Tx| {
            engines::insert(&tx, &row).await?;
            let mut agent = instances::get(&tx, site.id).await?;
            agent.engine_id = gone;
            agent.generation = agent.generation.next();
            instances::update(&tx, &agent).await
        })
        .await
        .unwrap();
    engine::recall(app).await.unwrap();
    let listed = engine::list(app, cx).await.unwrap().items;
    let listed = listed.into_iter().find(|engine| engine.id == gone).unwrap();
    assert!(listed.error.unwrap().contains("2025.1.1"));
    let body = Body { engine_id: gone };
    let error = instance::change_engine(app, cx, site.id, body).await;
    let error = error.unwrap_err();
    // It has it already; another agent could not be given it either.
    assert!(error.code == ProblemCode::InvalidFields, "{error}");

    site.home.until_seen(site.id, SeenState::Pending).await;
    let reason = site.home.row(site.id).await.seen_reason.unwrap();
    assert!(reason.contains("give it another engine"), "{reason}");
    let id = site.begin().await;
    assert_eq!(site.until_over(id).await.state, OperationState::Done);
    assert_eq!(site.home.row(site.id).await.engine_id, site.new);
}

#[tokio::test]
async fn a_deleted_agent_is_stopped_and_then_removed() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let view = instance::delete(app, cx, site.id, false).await.unwrap();
    let id = view.operation_id.unwrap();
    // Asked twice it is deleted once; but not in two ways.
    let again = instance::delete(app, cx, site.id, false).await.unwrap();
    assert_eq!(again.operation_id, Some(id));
    let other = instance::delete(app, cx, site.id, true).await.unwrap_err();
    assert_eq!(other.code, ProblemCode::Conflict);
    let refused = instance::start(app, cx, site.id).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Conflict);

    let view = site.until_over(id).await;
    assert_eq!(view.state, OperationState::Done, "{view:?}");
    assert_eq!(view.input["name"], "ada");
    assert!(site.home.row(site.id).await.deleted_at.is_some());
    let last = site.home.house.runtime.actions().pop();
    assert!(
        matches!(last, Some(Action::Remove(of, Volumes::Remove, _)) if of == site.id),
        "{last:?}"
    );
    let gone = instance::delete(app, cx, site.id, false).await.unwrap_err();
    assert_eq!(gone.code, ProblemCode::NotFound);
}

#[tokio::test]
async fn a_deletion_is_called_off_until_the_removal_begins() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let view = instance::delete(app, cx, site.id, false).await.unwrap();
    let id = view.operation_id.unwrap();
    site.until("it is told to stop", || async {
        site.home.row(site.id).await.stop_reason == Some(StopReason::Operation)
    })
    .await;
    operation::cancel(app, cx, id).await.unwrap();
    let view = site.until_over(id).await;
    assert_eq!(view.state, OperationState::Undone, "{view:?}");
    site.until_as_wanted().await;
    assert_eq!(site.home.row(site.id).await.seen, SeenState::Ready);

    let view = instance::delete(app, cx, site.id, false).await.unwrap();
    let id = view.operation_id.unwrap();
    site.until("it goes", || async {
        site.home.row(site.id).await.wanted == WantedState::Deleted
    })
    .await;
    let late = operation::cancel(app, cx, id).await.unwrap_err();
    assert!(
        late.detail.unwrap().contains("cannot be undone"),
        "the removal has begun"
    );
    assert_eq!(site.until_over(id).await.state, OperationState::Done);
}

#[tokio::test]
async fn an_agent_that_another_operation_holds_is_not_deleted_until_it_lets_go() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let other = site.home.ready("bob").await;
    // Somebody else's operation has it: nothing is begun.
    let hold = |held| {
        let store = &app.store;
        store.tx("test.hold", move |tx: Tx| async move {
            instances::hold(&tx, other, "op_other", held).await
        })
    };
    assert!(hold(true).await.unwrap());
    let refused = instance::delete(app, cx, other, false).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Conflict);
    assert!(hold(false).await.unwrap());
    let begun = instance::delete(app, cx, other, true).await.unwrap();
    let view = site.until_over(begun.operation_id.unwrap()).await;
    assert_eq!(view.state, OperationState::Done);
}
