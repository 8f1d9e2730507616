//! What was found broken.

use fractal_store::{Error, Incident, IncidentFilter, PageRequest, incidents};
use fractal_types::{IncidentState, Severity};

use crate::fixture::Db;

pub async fn one_incident_is_open_for_a_check_and_a_thing(db: &Db) {
    let ada = db.user(&db.organization().await, "ada").await;
    let incident = |user_id, resource: &str| Incident {
        id: db.id(),
        organization_id: ada.organization_id,
        user_id,
        check_id: "instance-disk".into(),
        open_key: Some(format!("instance-disk {resource}")),
        resource_kind: "instance".into(),
        resource_id: resource.into(),
        severity: Severity::Attention,
        state: IncidentState::Open,
        finding: "little space is left".into(),
        remedy: Some("make room".into()),
        patch: None,
        attempts: 0,
        acknowledged_by: None,
        acknowledged_at: None,
        note: None,
        opened_at: db.now(),
        seen_at: db.now(),
        resolved_at: None,
    };
    let mut first = incident(Some(ada.id), "one");
    let second = incident(None, "two");
    let insert = async |row: &Incident| {
        let insert = async |tx| incidents::insert(&tx, row).await;
        db.store.tx("test", insert).await
    };
    insert(&first).await.unwrap();
    insert(&second).await.unwrap();
    // Two who look at once open one.
    let twice = insert(&incident(Some(ada.id), "one")).await;
    assert!(matches!(twice, Err(Error::Conflict { .. })), "{twice:?}");
    let read = db.store.read();
    assert_eq!(incidents::count_open(&read).await.unwrap(), 2);

    (first.state, first.open_key) = (IncidentState::Resolved, None);
    first.resolved_at = Some(db.now());
    let update = async |tx| incidents::update(&tx, &first).await;
    db.store.tx("test", update).await.unwrap();
    // And the next trouble of the same kind is another one, as often as it comes.
    insert(&incident(Some(ada.id), "one")).await.unwrap();
    let open = incidents::list_open_of(&read, "instance-disk").await;
    assert_eq!(open.unwrap().len(), 2);
    let found = async |filter: IncidentFilter| {
        let page = PageRequest::default();
        let found = incidents::list(&read, ada.organization_id, &filter, &page).await;
        found.unwrap().items.len()
    };
    let resolved = IncidentFilter {
        state: Some(IncidentState::Resolved),
        ..IncidentFilter::default()
    };
    assert_eq!(found(resolved).await, 1);
    let of_ada = IncidentFilter {
        user_id: Some(ada.id),
        resource_id: Some("one".into()),
        ..IncidentFilter::default()
    };
    assert_eq!(found(of_ada).await, 2);
    let remove = async |tx| incidents::delete_of(&tx, ada.id).await;
    db.store.tx("test", remove).await.unwrap();
    assert_eq!(found(IncidentFilter::default()).await, 1);
}
