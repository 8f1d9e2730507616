//! Pages and order.

use fractal_store::{Order, PageRequest, users};
use fractal_types::UserId;

use crate::fixture::Db;

pub async fn pages_cover_everything_once_while_rows_come_and_go(db: &Db) {
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let organization = db.organization().await;
        let mut expected = Vec::new();
        for n in 0..25 {
            db.clock.advance(std::time::Duration::from_millis(1));
            expected.push(db.user(&organization, &format!("user{n}")).await.id);
        }
        if order == Order::NewestFirst {
            expected.reverse();
        }
        let read = db.store.read();
        let mut seen: Vec<UserId> = Vec::new();
        let mut request = PageRequest {
            after: None,
            limit: 10,
            order,
        };
        loop {
            let page = users::list(&read, organization.id, &request).await.unwrap();
            assert!(page.items.len() <= 10);
            seen.extend(page.items.iter().map(|user| user.id));
            // Somebody who was listed already leaves: nobody else is skipped.
            let gone = page.items[0].id;
            db.store
                .tx("test", async |tx| users::delete(&tx, gone).await)
                .await
                .unwrap();
            match page.next_cursor {
                Some(cursor) => request.after = Some(cursor),
                None => break,
            }
        }
        assert_eq!(seen, expected);
    }
}

pub async fn ids_sort_alike_on_both_databases(db: &Db) {
    // A language's collation would sort digits, letters and underscores differently than bytes do.
    let organization = db.organization().await;
    let mut ids: Vec<UserId> = (0..40_u128)
        .map(|n| {
            UserId::from_uuid(uuid::Uuid::from_u128(
                n.wrapping_mul(0x1234_5678_9abc_def1_2345),
            ))
        })
        .collect();
    for (n, id) in ids.iter().enumerate() {
        let mut user = db.new_user(&organization, &format!("user{n}"));
        user.id = *id;
        db.store
            .tx("test", async |tx| users::insert(&tx, &user).await)
            .await
            .unwrap();
    }
    ids.sort();
    let request = PageRequest {
        order: Order::OldestFirst,
        limit: 200,
        ..PageRequest::default()
    };
    let page = users::list(&db.store.read(), organization.id, &request)
        .await
        .unwrap();
    assert_eq!(
        page.items.iter().map(|user| user.id).collect::<Vec<_>>(),
        ids
    );
}
