//! Operations and their steps.

use fractal_store::{Error, Operation, OperationFilter, OperationStep, PageRequest, operations};
use fractal_types::{OperationState, StepState, UserId};
use serde_json::json;

use crate::fixture::Db;

pub async fn operations_are_found_counted_and_fenced(db: &Db) {
    let ada = db.user(&db.organization().await, "ada").await;
    let grace: UserId = db.id();
    let operation = |user_id, state, resource: &str| Operation {
        id: db.id(),
        organization_id: ada.organization_id,
        user_id,
        kind: "instance.change_engine".into(),
        resource_kind: "instance".into(),
        resource_id: resource.into(),
        runtime_asset_id: Some(db.id()),
        actor: json!({"n": 1}),
        proposal_id: None,
        request_id: None,
        input: json!({"engine": "x"}),
        state,
        stuck_undoing: false,
        step: 0,
        fence: 0,
        cancelled_by: None,
        reason: None,
        created_at: db.now(),
        started_at: None,
        settled_at: None,
    };
    let first = operation(ada.id, OperationState::Running, "one");
    let second = operation(ada.id, OperationState::Done, "two");
    let third = Operation {
        runtime_asset_id: first.runtime_asset_id,
        ..operation(grace, OperationState::Undoing, "one")
    };
    let step = |number| OperationStep {
        id: db.id(),
        operation_id: first.id,
        number,
        name: format!("step {number}"),
        state: StepState::Pending,
        output: json!(null),
        error: None,
        attempts: 0,
        started_at: None,
        ended_at: None,
        undone_at: None,
    };
    let steps = [step(0), step(1), step(10)];
    db.store
        .tx("test", async |tx| {
            for row in [&first, &second, &third] {
                operations::insert(&tx, row).await?;
            }
            // However they come in.
            for row in steps.iter().rev() {
                operations::insert_step(&tx, row).await?;
            }
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    let read = db.store.read();
    assert_eq!(operations::steps(&read, first.id).await.unwrap(), steps);
    let found = async |filter: OperationFilter| {
        let page = PageRequest::default();
        let found = operations::list(&read, ada.organization_id, &filter, &page).await;
        found.unwrap().items.len()
    };
    assert_eq!(found(OperationFilter::default()).await, 3);
    let of_ada = OperationFilter {
        user_id: Some(ada.id),
        ..OperationFilter::default()
    };
    assert_eq!(found(of_ada.clone()).await, 2);
    let done = OperationFilter {
        state: Some(OperationState::Done),
        ..of_ada
    };
    assert_eq!(found(done).await, 1);
    let about = OperationFilter {
        resource_id: Some("one".into()),
        ..OperationFilter::default()
    };
    assert_eq!(found(about).await, 2);
    let at_work = async |without: &[&'static str]| {
        operations::count_at_work(&read, &first, without)
            .await
            .unwrap()
    };
    assert_eq!(at_work(&[]).await, (1, 2));
    assert_eq!(at_work(&["another"]).await, (1, 2));
    let kind: &'static str = String::leak(first.kind.clone());
    assert_eq!(at_work(&[kind]).await, (0, 0));
    let open = operations::find_open(&read, kind, "one").await.unwrap();
    assert!(!open.is_empty() && open.iter().all(|one| !one.state.is_settled()));
    let other = operations::find_open(&read, "another", "one").await;
    assert!(other.unwrap().is_empty());

    let take = async || {
        db.store
            .tx("test", async |tx| operations::take(&tx, first.id).await)
            .await
            .unwrap()
    };
    let (earlier, later) = (take().await, take().await);
    assert!(later.fence > earlier.fence);
    let check = async |fence| {
        db.store
            .tx("test", async |tx| {
                operations::check(&tx, first.id, fence).await
            })
            .await
    };
    assert!(matches!(
        check(earlier.fence).await,
        Err(Error::LeaseLost { .. })
    ));
    assert_eq!(check(later.fence).await.unwrap().id, first.id);

    db.store
        .tx("test", async |tx| operations::delete_of(&tx, ada.id).await)
        .await
        .unwrap();
    assert_eq!(found(OperationFilter::default()).await, 1);
    assert!(operations::steps(&read, first.id).await.unwrap().is_empty());
}
