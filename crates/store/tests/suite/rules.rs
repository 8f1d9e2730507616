//! Versions of access rules, and what was decided.

use fractal_store::{DecisionRow, PageRequest, PolicyVersion, decisions, policy_versions};
use serde_json::json;

use crate::fixture::Db;

pub async fn the_newest_rules_are_found_and_only_the_newest_decisions_kept(db: &Db) {
    let organization_id = db.organization().await.id;
    let read = db.store.read();
    let latest = policy_versions::latest_number(&read, organization_id);
    assert_eq!(latest.await.unwrap(), 0);
    let version = |number: u64| PolicyVersion {
        id: db.id(),
        organization_id,
        number,
        text: format!("// {number} \u{2603}"),
        tests: json!([{"name": "a test"}]),
        comment: "why".into(),
        author: None,
        created_at: db.now(),
    };
    let (first, second) = (version(1), version(2));
    db.store
        .tx("test", async |tx| {
            policy_versions::insert(&tx, &first).await?;
            policy_versions::insert(&tx, &second).await
        })
        .await
        .unwrap();
    let found = policy_versions::find_latest(&read, organization_id).await;
    assert_eq!(found.unwrap(), Some(second.clone()));
    let found = policy_versions::find_number(&read, organization_id, 1).await;
    assert_eq!(found.unwrap(), Some(first));
    let again = version(2);
    let twice = db
        .store
        .tx("test", async |tx| {
            policy_versions::insert(&tx, &again).await
        })
        .await;
    assert!(twice.unwrap_err().is_conflict(), "a number is given once");

    let rows: Vec<DecisionRow> = (0..5)
        .map(|n| DecisionRow {
            id: db.id(),
            organization_id,
            question: json!({"n": n}),
            outcome: "allow".into(),
            policies: vec!["own".into()],
            created_at: db.now(),
        })
        .collect();
    let gone = db
        .store
        .tx("test", async |tx| {
            for row in &rows {
                decisions::insert(&tx, row).await?;
            }
            decisions::keep_newest(&tx, organization_id, 3).await
        })
        .await;
    assert_eq!(gone.unwrap(), 2);
    let kept = decisions::list(&read, organization_id, &PageRequest::default()).await;
    let mut newest = rows;
    newest.sort_by_key(|row| row.id);
    let mut kept = kept.unwrap().items;
    kept.sort_by_key(|row| row.id);
    assert_eq!(kept, newest[2..]);
}
