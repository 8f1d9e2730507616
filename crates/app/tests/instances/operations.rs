//! Operations on instances: carried out, taken back, called off.

use std::sync::PoisonError;

use fractal_api_types::{
    ChangeEngine as Body, CreateInstance, OperationQuery, OperationView, ProblemCode,
};
use fractal_app::{Context, engine, instance, operation};
use fractal_runtime::{contract::Volumes, fake::Action};
use fractal_store::{Engine, Tx, engines, instances};
use fractal_types::{
    EngineId, InstanceId, OperationState, SeenState, StepState, StopReason, WantedState,
};

use crate::{
    site::sound,
    support::{Home, crash, home},
};

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
    let id = begun.id.to_string();
    let mut steps = site.home.house.log("operation.step").await;
    steps.retain(|one| one.entry.resource_id == id);
    let steps: Vec<_> = steps.iter().map(|one| &one.values["step"]).collect();
    assert_eq!(steps, ["stop", "switch", "start", "restore"]);
    let mut ends = site.home.house.log("operation.settle").await;
    ends.retain(|one| one.entry.resource_id == id);
    assert_eq!(ends.len(), 1);
    let page = operation::list(app, cx, &OperationQuery::default()).await;
    let kinds: Vec<_> = page
        .unwrap()
        .items
        .into_iter()
        .map(|one| one.kind)
        .collect();
    assert_eq!(kinds, ["instance.change_engine", "instance.create"]);
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

/// The operation that makes an agent ready.
pub async fn making(home: &Home, id: InstanceId) -> OperationView {
    let query = OperationQuery {
        resource_id: Some(id.to_string()),
        ..OperationQuery::default()
    };
    let page = operation::list(&home.house.app, &home.cx, &query).await;
    let mut items = page.unwrap().items;
    items.retain(|one| one.kind == "instance.create");
    items.remove(0)
}

#[tokio::test]
async fn a_new_agent_is_followed_until_it_answers_and_belongs_to_nobody_meanwhile() {
    let home = home().await;
    let id = home.create("ada").await;
    // It waits in no line but that for a start.
    assert_eq!(making(&home, id).await.state, OperationState::Running);
    let view = instance::view(&home.house.app, &home.cx, id).await.unwrap();
    assert_eq!(view.operation_id, None);
    home.until_seen(id, SeenState::Ready).await;
    home.until("it is made", || async {
        making(&home, id).await.state == OperationState::Done
    })
    .await;
    let made = making(&home, id).await;
    let steps: Vec<_> = made.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(steps, ["engine", "start"]);

    // One that is to stay down is made at once.
    let body = CreateInstance {
        name: "bob".parse().unwrap(),
        engine_id: None,
        start: Some(false),
    };
    let (_, operation) = instance::create(&home.house.app, &home.cx, body)
        .await
        .unwrap();
    assert_eq!(operation, None);

    // Somebody stops it before it came up: then there is nothing to wait for.
    let id = home.create("eve").await;
    instance::stop(&home.house.app, &home.cx, id).await.unwrap();
    home.until("it is over", || async {
        making(&home, id).await.state == OperationState::Done
    })
    .await;
    let over = making(&home, id).await;
    assert_eq!(over.steps[0].output["overtaken"], "stopped");
}

/// An agent whose first start was given up.
pub async fn one_that_does_not_come_up(home: &Home) -> InstanceId {
    let id = home.create("ada").await;
    home.until("it is given up", || async {
        if home.row(id).await.seen == SeenState::Starting {
            home.gateways.crash(id, crash(78));
        }
        making(home, id).await.state == OperationState::Stuck
    })
    .await;
    let view = making(home, id).await;
    assert!(
        view.reason.as_deref().unwrap().contains("does not come up"),
        "{view:?}"
    );
    assert!(view.can.retry && view.can.skip && view.can.undo);
    assert!(home.row(id).await.deleted_at.is_none());
    id
}

#[tokio::test]
async fn one_that_does_not_come_up_asks_and_starting_it_is_an_answer() {
    let home = home().await;
    let id = one_that_does_not_come_up(&home).await;
    instance::start(&home.house.app, &home.cx, id)
        .await
        .unwrap();
    assert_eq!(making(&home, id).await.state, OperationState::Running);
    home.until("it is made", || async {
        making(&home, id).await.state == OperationState::Done
    })
    .await;
    assert_eq!(home.row(id).await.seen, SeenState::Ready);
}

#[tokio::test]
async fn one_that_does_not_come_up_is_removed_when_somebody_has_it_taken_back() {
    let home = home().await;
    let id = one_that_does_not_come_up(&home).await;
    let stuck = making(&home, id).await.id;
    operation::undo(&home.house.app, &home.cx, stuck)
        .await
        .unwrap();
    home.until("it is gone", || async {
        home.row(id).await.deleted_at.is_some()
    })
    .await;
    home.until("it is taken back", || async {
        making(&home, id).await.state == OperationState::Undone
    })
    .await;
}

#[tokio::test]
async fn deleting_or_stopping_one_that_asks_is_an_answer_too() {
    let home = home().await;
    let id = one_that_does_not_come_up(&home).await;
    instance::stop(&home.house.app, &home.cx, id).await.unwrap();
    assert_eq!(making(&home, id).await.state, OperationState::Done);
    instance::delete(&home.house.app, &home.cx, id, false)
        .await
        .unwrap();
    home.until("it is gone", || async {
        home.row(id).await.deleted_at.is_some()
    })
    .await;

    let id = one_that_does_not_come_up(&home).await;
    instance::delete(&home.house.app, &home.cx, id, false)
        .await
        .unwrap();
    home.until("it is gone", || async {
        home.row(id).await.deleted_at.is_some()
    })
    .await;
    let made = making(&home, id).await;
    assert_eq!(made.state, OperationState::Done, "{made:?}");
}

#[tokio::test]
async fn making_one_can_be_called_off_and_keeps_nobody_from_deleting_it() {
    let home = home().await;
    let (app, cx) = (&home.house.app, &home.cx);
    let id = home.create("ada").await;
    let operation = making(&home, id).await.id;
    operation::cancel(app, cx, operation).await.unwrap();
    home.until("it is gone", || async {
        home.row(id).await.deleted_at.is_some()
    })
    .await;

    // The engine does not come, so none of these gets ready.
    let engine = home.row(id).await.engine_id;
    let files = {
        let mut known = app
            .engine_files
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known.remove(&engine)
    };
    assert!(files.is_some());
    let all = [
        home.create("bob").await,
        home.create("eve").await,
        home.create("mia").await,
    ];
    home.go_on().await;
    for id in all {
        let made = making(&home, id).await;
        assert_eq!(made.state, OperationState::Running);
        assert_eq!(made.steps[0].state, StepState::Running);
    }
    instance::delete(app, cx, all[0], false).await.unwrap();
    home.until("it is gone", || async {
        home.row(all[0]).await.deleted_at.is_some()
    })
    .await;
    home.until("it is over", || async {
        making(&home, all[0]).await.state == OperationState::Done
    })
    .await;
}
