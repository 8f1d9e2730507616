//! Sealing on both databases: gapless positions, proofs out of stored tiles, several sealers at once.

/// Included as a file: the testing crate depends on the whole house, which these tests must not wait for.
#[path = "../../testing/src/postgres.rs"]
#[expect(dead_code, reason = "every test here begins with an empty database")]
mod postgres_server;

use std::sync::Arc;

use fractal_clock::{Clock, ManualClock, SeededEntropy, new_id};
use fractal_crypto::SignKey;
use fractal_evidence::{
    Checkpoint, Sealer, SealerOptions, consistency,
    export::{Header, checkpoint_line, entry_line},
    frontier, inclusion, leaf,
    merkle::{leaf_hash, verify_consistency, verify_inclusion},
    verify::verify,
};
use fractal_store::{NewEntry, OpenOptions, Store, evidence, evidence_tree};
use fractal_types::{OrganizationId, Principal, Via};
use serde_json::json;

struct Db {
    store: Store,
    clock: ManualClock,
    entropy: Arc<SeededEntropy>,
    organization_id: OrganizationId,
    _keep: Box<dyn std::any::Any + Send + Sync>,
}

async fn open(url: &str, keep: Box<dyn std::any::Any + Send + Sync>) -> Db {
    let clock = ManualClock::default();
    let entropy = Arc::new(SeededEntropy::new(3));
    let options = OpenOptions::new(Arc::new(clock.clone()));
    Db {
        store: Store::open(url, &options).await.unwrap(),
        organization_id: new_id(&clock, &*entropy),
        clock,
        entropy,
        _keep: keep,
    }
}

async fn sqlite() -> Option<Db> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/test.db", folder.path().display());
    Some(open(&url, Box::new(folder)).await)
}

async fn postgres() -> Option<Db> {
    let empty = tokio::task::spawn_blocking(|| postgres_server::server().map(|it| it.empty()))
        .await
        .unwrap()?;
    let url = empty.url.clone();
    Some(open(&url, Box::new(empty)).await)
}

fn key() -> SignKey {
    SignKey::generate("fractal/test", &SeededEntropy::new(9))
}

impl Db {
    async fn append(&self, name: &str) {
        self.store
            .tx("test", async |tx| {
                let entry = NewEntry {
                    organization_id: self.organization_id,
                    principal: Principal::System,
                    via: Via::Internal,
                    action: "instance.start",
                    resource_kind: "instance",
                    resource_id: name.to_owned(),
                    outcome: "done",
                    decision: json!({"allowed": true, "policies": ["own"]}),
                    values: vec![("name", json!(name))],
                    request_id: None,
                };
                evidence::append(&tx, &self.clock, &*self.entropy, entry).await
            })
            .await
            .unwrap();
    }

    fn sealer(&self, holder: &str, batch: u32) -> Sealer {
        let options = SealerOptions {
            batch,
            ..SealerOptions::default()
        };
        Sealer::new(
            self.store.clone(),
            Arc::new(self.clock.clone()),
            Arc::new(key()),
            holder.to_owned(),
            options,
        )
    }
}

async fn the_sealed_log_is_gapless_and_every_entry_is_proven(db: Db) {
    for n in 0..40 {
        db.append(&format!("inst_{n}")).await;
    }
    let sealer = db.sealer("one", 7);
    let size = sealer.watch();
    assert_eq!(sealer.seal_all().await.unwrap(), 40);
    assert_eq!(*size.borrow(), 40);
    assert_eq!(sealer.seal_all().await.unwrap(), 0);
    let read = db.store.read();
    let entries = evidence::list_sealed(&read, None, 0, 100).await.unwrap();
    let positions: Vec<u64> = entries.iter().filter_map(|entry| entry.seq).collect();
    assert_eq!(positions, (1..=40).collect::<Vec<_>>());

    let note = evidence_tree::latest_checkpoint(&read)
        .await
        .unwrap()
        .unwrap()
        .note;
    let head = Checkpoint::open(&note, &key().verify_key()).unwrap();
    assert_eq!(head.size, 40);
    for entry in &entries {
        let seq = entry.seq.unwrap();
        let hash = leaf_hash(leaf(entry, seq).as_bytes());
        let proof = inclusion(&read, seq, 40).await.unwrap();
        assert!(
            verify_inclusion(seq - 1, 40, &hash, &proof, &head.root),
            "{seq}"
        );
    }
    let old = evidence_tree::find_checkpoint(&read, 14)
        .await
        .unwrap()
        .unwrap();
    let old = Checkpoint::open(&old.note, &key().verify_key()).unwrap();
    let proof = consistency(&read, 14, 40).await.unwrap();
    assert!(verify_consistency(14, 40, &old.root, &head.root, &proof));
}

async fn what_is_stored_exports_and_verifies(db: Db) {
    for n in 0..30 {
        db.append(&format!("inst_{n}")).await;
    }
    db.sealer("one", 8).seal_all().await.unwrap();
    let read = db.store.read();
    for before in [0, 5, 30] {
        let mut lines =
            vec![Header::new(&key().verify_key(), &frontier(&read, before).await.unwrap()).line()];
        for entry in evidence::list_sealed(&read, None, before, 100)
            .await
            .unwrap()
        {
            let seq = entry.seq.unwrap();
            let openings = evidence::openings(&read, entry.id).await.unwrap();
            lines.push(entry_line(&leaf(&entry, seq), &openings, &[]));
            if let Some(head) = evidence_tree::find_checkpoint(&read, seq).await.unwrap() {
                lines.push(checkpoint_line(&head.note));
            }
        }
        if before == 30 {
            let head = evidence_tree::find_checkpoint(&read, 30)
                .await
                .unwrap()
                .unwrap();
            lines.push(checkpoint_line(&head.note));
        }
        let report = verify(lines.concat().as_bytes(), &key().verify_key(), &[], &[]).unwrap();
        assert_eq!((report.first, report.last), (before + 1, 30));
        assert_eq!(report.openings, 30 - before);
    }
}

async fn several_sealers_give_every_position_once(db: Db) {
    let sealers: Vec<Sealer> = ["one", "two", "three"]
        .map(|holder| db.sealer(holder, 5))
        .into();
    for round in 0..6 {
        for n in 0..6 {
            db.append(&format!("inst_{round}_{n}")).await;
        }
        let (a, b, c) = tokio::join!(
            sealers[0].seal_all(),
            sealers[1].seal_all(),
            sealers[2].seal_all()
        );
        let sealed = a.unwrap() + b.unwrap() + c.unwrap();
        assert_eq!(sealed, 6, "exactly one of them has the lease");
        // The holder goes away; the next round is another one's.
        db.clock.advance(SealerOptions::default().lease * 2);
    }
    let read = db.store.read();
    let entries = evidence::list_sealed(&read, None, 0, 100).await.unwrap();
    let positions: Vec<u64> = entries.iter().filter_map(|entry| entry.seq).collect();
    assert_eq!(positions, (1..=36).collect::<Vec<_>>());
}

/// An entry whose transaction stays open while others commit and are sealed is not lost to readers that go by positions.
async fn an_entry_that_commits_late_gets_a_later_position(db: Db) {
    let (begun, wait_begun) = tokio::sync::oneshot::channel();
    let (go_on, wait_go_on) = tokio::sync::oneshot::channel();
    let channels = std::sync::Mutex::new(Some((begun, wait_go_on)));
    let late = db.store.tx("late", async |tx| {
        let entry = NewEntry {
            organization_id: db.organization_id,
            principal: Principal::System,
            via: Via::Internal,
            action: "instance.stop",
            resource_kind: "instance",
            resource_id: "late".to_owned(),
            outcome: "done",
            decision: json!({}),
            values: Vec::new(),
            request_id: None,
        };
        evidence::append(&tx, &db.clock, &*db.entropy, entry).await?;
        let once = channels.lock().unwrap().take();
        if let Some((begun, wait_go_on)) = once {
            begun.send(()).unwrap();
            let _ = wait_go_on.await;
        }
        Ok::<_, fractal_store::Error>(())
    });
    let sealer = db.sealer("one", 100);
    let others = async {
        wait_begun.await.unwrap();
        for n in 0..3 {
            db.append(&format!("early_{n}")).await;
        }
        sealer.seal_all().await.unwrap();
        let read = db.store.read();
        let seen = evidence::list_sealed(&read, None, 0, 100).await.unwrap();
        assert_eq!(seen.len(), 3);
        go_on.send(()).unwrap();
        seen.last().and_then(|entry| entry.seq).unwrap()
    };
    let (late, cursor) = tokio::join!(late, others);
    late.unwrap();
    sealer.seal_all().await.unwrap();
    let rest = evidence::list_sealed(&db.store.read(), None, cursor, 100)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0].resource_id, "late");
}

async fn a_cut_log_is_not_sealed_over(db: Db) {
    db.append("inst_1").await;
    let sealer = db.sealer("one", 10);
    sealer.seal_all().await.unwrap();
    db.append("inst_2").await;
    // A tile that is gone: the tree cannot be continued as if nothing had happened.
    db.store
        .tx("test", async |tx| {
            evidence_tree::put_tile(
                &tx,
                &fractal_store::EvidenceTile {
                    id: "0/0".to_owned(),
                    hashes: Vec::new(),
                },
            )
            .await
        })
        .await
        .unwrap();
    let error = sealer.seal_all().await.unwrap_err();
    assert!(error.to_string().contains("damaged at size 1"), "{error}");
    assert_eq!(evidence::count_unsealed(&db.store.read()).await.unwrap(), 1);
    assert!(db.clock.now() >= ManualClock::default().now());
}

macro_rules! on_both {
    ($($case:ident)*) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(db) = super::sqlite().await {
                    super::$case(db).await;
                }
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                if let Some(db) = super::postgres().await {
                    super::$case(db).await;
                }
            })*
        }
    };
}

on_both! {
    the_sealed_log_is_gapless_and_every_entry_is_proven
    what_is_stored_exports_and_verifies
    several_sealers_give_every_position_once
    a_cut_log_is_not_sealed_over
}

/// SQLite has one writer, so nothing commits while a transaction is open; only PostgreSQL can be late.
#[tokio::test(flavor = "multi_thread")]
async fn on_postgres_an_entry_that_commits_late_gets_a_later_position() {
    if let Some(db) = postgres().await {
        an_entry_that_commits_late_gets_a_later_position(db).await;
    }
}
