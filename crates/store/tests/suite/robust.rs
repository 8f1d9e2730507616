//! What holds when things go wrong or happen at once.

use std::sync::atomic::{AtomicU32, Ordering};

use fractal_clock::Clock;
use fractal_store::{
    Error, Store, instances, organizations,
    system_config::{self, Key},
    users,
};

use crate::fixture::Db;

const COUNTER: Key<u32> = Key::new("test_counter");

pub async fn a_transaction_that_fails_changes_nothing(db: &Db) {
    let organization = db.organization().await;
    let user = db.new_user(&organization, "ada");
    // The caller's own error type comes back as it was.
    #[derive(Debug)]
    enum Mine {
        Store,
        Refused,
    }
    impl From<Error> for Mine {
        fn from(_: Error) -> Self {
            Self::Store
        }
    }
    let result: Result<(), Mine> = db
        .store
        .tx("test", async |tx| {
            users::insert(&tx, &user).await?;
            assert!(users::find(&tx, user.id).await?.is_some(), "seen inside");
            Err(Mine::Refused)
        })
        .await;
    assert!(matches!(result, Err(Mine::Refused)));
    assert_eq!(users::find(&db.store.read(), user.id).await.unwrap(), None);
}

async fn count_up(store: &Store, clock: &fractal_clock::ManualClock, runs: &AtomicU32) {
    store
        .tx("count-up", async |tx| {
            runs.fetch_add(1, Ordering::Relaxed);
            let value = system_config::find(&tx, &COUNTER).await?.unwrap_or(0);
            // Lets others in between, so that a store without isolation fails this test.
            tokio::task::yield_now().await;
            system_config::set(&tx, &COUNTER, &(value + 1), clock.now()).await
        })
        .await
        .unwrap();
}

pub async fn concurrent_transactions_lose_no_update(db: &Db) {
    let runs: &'static AtomicU32 = Box::leak(Box::default());
    let tasks: Vec<_> = (0..6)
        .map(|_| {
            let (store, clock) = (db.store.clone(), db.clock.clone());
            tokio::spawn(async move {
                for _ in 0..10 {
                    count_up(&store, &clock, runs).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let value = system_config::find(&db.store.read(), &COUNTER)
        .await
        .unwrap();
    assert_eq!(value, Some(60));
    assert!(runs.load(Ordering::Relaxed) >= 60);
}

pub async fn a_transaction_can_be_spawned(db: &Db) {
    // Use cases run inside request handlers, so the future must be `Send` with borrows in it.
    let organization = db.organization().await;
    let (store, id) = (db.store.clone(), organization.id);
    let found = tokio::spawn(async move {
        let wanted = &id;
        store
            .tx("test", async |tx| {
                let all = organizations::list(&tx).await?;
                Ok::<_, Error>(all.into_iter().find(|row| row.id == *wanted))
            })
            .await
    });
    assert_eq!(found.await.unwrap().unwrap(), Some(organization));
}

pub async fn damaged_rows_name_table_column_and_row(db: &Db) {
    let instance = db.instance().await;
    let read = db.store.read();
    for (column, damage) in [
        ("wanted", "'flying'"),
        ("limits", "'{\"flying'"),
        ("generation", "-1"),
        ("restarts", "'[\"flying\"]'"),
    ] {
        let touched = db
            .damage(&format!("UPDATE instances SET {column} = {damage}"))
            .await;
        assert_eq!(touched, 1);
        let error = instances::get(&read, instance.id).await.unwrap_err();
        let Error::Corrupt {
            table,
            column: named,
            row,
            ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert_eq!(
            (*table, *named, row),
            ("instances", column, &instance.id.to_string())
        );
        assert!(
            !error.to_string().contains("flying"),
            "a value may be personal: {error}"
        );
        db.store
            .tx("test", async |tx| instances::update(&tx, &instance).await)
            .await
            .unwrap();
    }
    db.damage(
        "INSERT INTO system_config (key, value, updated_at) VALUES ('test_counter', '\"x\"', 0)",
    )
    .await;
    let error = system_config::find(&read, &COUNTER).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("system_config.value of row test_counter"),
        "{error}"
    );
}

pub async fn a_reader_does_not_see_what_is_not_committed(db: &Db) {
    let organization = db.organization().await;
    let user = db.new_user(&organization, "ada");
    db.store
        .tx("test", async |tx| {
            users::insert(&tx, &user).await?;
            let outside = users::find(&db.store.read(), user.id).await?;
            assert_eq!(outside, None);
            Ok::<_, Error>(())
        })
        .await
        .unwrap();
    assert_eq!(users::get(&db.store.read(), user.id).await.unwrap(), user);
}
