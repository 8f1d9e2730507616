//! The log.

use fractal_store::{
    CosignatureRow, Error, NewEntry, Witness, WitnessOutcome, evidence, witnesses,
};
use fractal_types::{EvidenceId, OrganizationId, Principal, Via};
use serde_json::json;

use crate::fixture::Db;

fn entry(organization_id: OrganizationId) -> NewEntry<'static> {
    NewEntry {
        organization_id,
        principal: Principal::System,
        via: Via::Internal,
        action: "instance.start",
        resource_kind: "instance",
        resource_id: "inst_1".into(),
        outcome: "allowed",
        decision: json!({"policies": ["system-lifecycle"]}),
        values: vec![
            ("name", json!("old")),
            ("name", json!("Ada")),
            ("n", json!(1)),
        ],
        request_id: None,
    }
}

async fn append(db: &Db, organization_id: OrganizationId) -> EvidenceId {
    db.store
        .tx("test", async |tx| {
            evidence::append(&tx, &db.clock, &db.entropy, entry(organization_id)).await
        })
        .await
        .unwrap()
}

pub async fn an_entry_commits_to_its_values_and_forgets_them_on_demand(db: &Db) {
    let id = append(db, db.id()).await;
    let read = db.store.read();
    let stored = evidence::find(&read, id).await.unwrap().unwrap();
    assert_eq!(
        (stored.actor_kind.as_str(), stored.via.as_str()),
        ("system", "internal")
    );
    assert!(!stored.commitments.to_string().contains("Ada"));
    let openings = evidence::openings(&read, id).await.unwrap();
    assert_eq!(openings.len(), 2);
    for opening in &openings {
        let commitment = fractal_crypto::commit(&opening.salt, &opening.value);
        let hex: String = commitment
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(stored.commitments[&opening.field], json!(hex));
    }
    assert_eq!(openings[1].value, json!("Ada"));
}

pub async fn positions_are_gapless_and_unsealed_entries_are_not_read(db: &Db) {
    let organization = db.id();
    for _ in 0..5 {
        append(db, organization).await;
    }
    let read = db.store.read();
    let sealed = async || {
        evidence::list_sealed(&read, Some(organization), 0, 100)
            .await
            .unwrap()
    };
    assert_eq!(sealed().await, []);
    let seal = async |limit| {
        db.store
            .tx("seal", async |tx| {
                let next = evidence::latest_seq(&tx).await? + 1;
                let entries = evidence::list_unsealed(&tx, limit).await?;
                let positions: Vec<_> = entries.iter().map(|one| one.id).zip(next..).collect();
                evidence::place(&tx, &positions).await?;
                Ok::<_, Error>(positions.len())
            })
            .await
            .unwrap()
    };
    assert_eq!(evidence::count_unsealed(&read).await.unwrap(), 5);
    assert_eq!((seal(3).await, seal(3).await, seal(3).await), (3, 2, 0));
    assert_eq!(evidence::count_unsealed(&read).await.unwrap(), 0);
    let positions: Vec<u64> = sealed()
        .await
        .iter()
        .filter_map(|entry| entry.seq)
        .collect();
    assert_eq!(positions, [1, 2, 3, 4, 5]);
    assert_eq!(evidence::latest_seq(&read).await.unwrap(), 5);
    assert_eq!(
        evidence::list_sealed(&read, None, 3, 100)
            .await
            .unwrap()
            .len(),
        2
    );
    let other = evidence::list_sealed(&read, Some(db.id()), 0, 100)
        .await
        .unwrap();
    assert_eq!(other, []);
    assert_eq!(
        evidence::list_about(&read, "instance", "inst_1")
            .await
            .unwrap()
            .len(),
        5
    );
}

pub async fn a_change_that_fails_leaves_no_entry(db: &Db) {
    let organization = db.id();
    let result: Result<(), Error> = db
        .store
        .tx("test", async |tx| {
            evidence::append(&tx, &db.clock, &db.entropy, entry(organization)).await?;
            Err(Error::Reference)
        })
        .await;
    assert!(matches!(result, Err(Error::Reference)));
    assert_eq!(
        evidence::list_unsealed(&db.store.read(), 10).await.unwrap(),
        []
    );
}

pub async fn cosignatures_are_kept_once_and_outlive_their_witness(db: &Db) {
    let now = db.now();
    let mut row = Witness {
        id: db.id(),
        organization_id: db.organization().await.id,
        name: "w.example".into(),
        url: "https://w.example".into(),
        verify_key: "w.example+00000000+B".into(),
        private_network: false,
        size: 0,
        cosigned_at: None,
        outcome: None,
        last_error: None,
        failures: 0,
        failing_since: None,
        next_at: now,
        created_at: now,
    };
    db.store
        .tx("test", async |tx| witnesses::insert(&tx, &row).await)
        .await
        .unwrap();
    let read = db.store.read();
    assert_eq!(witnesses::latest_cosigned(&read).await.unwrap(), None);
    row.size = 10;
    row.outcome = Some(WitnessOutcome::Cosigned);
    row.cosigned_at = Some(now);
    let line = |size: u64, line: &str| {
        CosignatureRow::new(size, "w.example", "00000000", line.into(), now)
    };
    let other = CosignatureRow::new(10, "a.example", "00000001", "other\n".into(), now);
    db.store
        .tx("test", async |tx| {
            for row in [
                &line(9, "nine\n"),
                &line(10, "old\n"),
                &line(10, "ten\n"),
                &other,
            ] {
                witnesses::put_cosignature(&tx, row).await?;
            }
            assert!(witnesses::note_outcome(&tx, &row).await?);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert_eq!(
        witnesses::find(&read, row.id).await.unwrap().as_ref(),
        Some(&row)
    );
    db.store
        .tx("test", async |tx| {
            assert!(witnesses::delete(&tx, row.id).await?);
            assert!(!witnesses::note_outcome(&tx, &row).await?, "it is gone");
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert_eq!(witnesses::latest_cosigned(&read).await.unwrap(), Some(10));
    let lines = async |first, last| -> Vec<String> {
        let rows = witnesses::cosignatures_between(&read, first, last)
            .await
            .unwrap();
        rows.into_iter().map(|row| row.line).collect()
    };
    assert_eq!(lines(1, 10).await, ["nine\n", "other\n", "ten\n"]);
    assert_eq!(lines(10, 10).await, ["other\n", "ten\n"]);
    assert_eq!(lines(11, 99).await, Vec::<String>::new());
}
