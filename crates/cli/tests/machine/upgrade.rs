//! A new release on a database of an earlier one.

use fractal_testing::postgres;
use tokio::process::Command;

use crate::support::{Machine, bounded, err, names, out};

/// Makes the database look as a release without the step of the skills' variables left it.
async fn age(url: &str) {
    let undo = "DROP TABLE skill_credentials; DELETE FROM seaql_migrations WHERE version = 'm0004_skill_credentials'";
    psql(url, undo).await;
}

/// Changes a database behind the program's back.
async fn psql(url: &str, sql: &str) {
    let psql = Command::new("psql")
        .args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
        .output();
    let output = bounded(psql).await.unwrap();
    assert!(output.status.success(), "{}", err(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upgrade_on_postgres_makes_a_backup_or_says_what_to_do() {
    let empty = tokio::task::spawn_blocking(|| postgres::server().map(|it| it.empty()));
    let Some(database) = empty.await.unwrap() else {
        return;
    };
    let machine = Machine {
        variables: vec![("DATABASE_URL", database.url.clone())],
        ..Machine::new()
    };
    let backups = machine.data().join("backups");

    // The first start needs no backup, and so no program for it.
    let first = machine.serve(&["--pg-dump", "/nowhere/pg_dump"]).await;
    first.unwrap().end().await;
    assert!(names(&backups).is_empty());

    age(&database.url).await;
    let refused = machine.serve(&["--pg-dump", "/nowhere/pg_dump"]).await;
    let said = refused.err().expect("it is refused");
    for part in [
        "/nowhere/pg_dump",
        "postgresql-client",
        "--migrate-without-backup",
        "nothing was changed",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // Looking does not change it either, and says whether there is a program.
    let doctor = machine.run(&["doctor", "--listen", "127.0.0.1:0"]).await;
    let found = out(&doctor);
    assert!(found.contains("does 1 pending step(s)"), "{found}");
    assert!(found.contains("by pg_dump (PostgreSQL)"), "{found}");
    let without = machine
        .command(&["doctor", "--listen", "127.0.0.1:0"])
        .env("FRACTAL_PG_DUMP", "/nowhere/pg_dump")
        .output();
    let found = out(&bounded(without).await.unwrap());
    assert!(found.contains("there is no pg_dump"), "{found}");

    let upgraded = machine.serve(&[]).await.unwrap().end().await;
    assert!(
        upgraded.contains("copied before the migration"),
        "{upgraded}"
    );
    assert_eq!(names(&backups).len(), 1, "{:?}", names(&backups));

    age(&database.url).await;
    let hurried = machine
        .serve(&["--pg-dump", "/nowhere/pg_dump", "--migrate-without-backup"])
        .await;
    let said = hurried.unwrap().end().await;
    assert!(said.contains("without a backup"), "{said}");
    assert_eq!(names(&backups).len(), 1);
}

/// Rules that an earlier release knew and this one does not keep it from deciding anything: it says so, and the way back needs no server.
#[tokio::test(flavor = "multi_thread")]
async fn added_rules_that_do_not_fit_the_release_are_reset_on_the_machine() {
    let empty = tokio::task::spawn_blocking(|| postgres::server().map(|it| it.empty()));
    let Some(database) = empty.await.unwrap() else {
        return;
    };
    let machine = Machine {
        variables: vec![("DATABASE_URL", database.url.clone())],
        ..Machine::new()
    };
    machine.serve(&[]).await.unwrap().end().await;
    let none = machine.run(&["policy", "reset", "--yes"]).await;
    assert!(err(&none).contains("no added ones"), "{}", err(&none));

    let rule = r#"@id("old") permit (principal, action == Action::"moon.fly", resource);"#;
    let add = format!(
        "INSERT INTO policy_versions (id, organization_id, number, text, tests, comment, created_at) \
         SELECT 'pol_01jdx000000000000000000000', id, 1, '{rule}', '[]', '', 0 FROM organizations"
    );
    psql(&database.url, &add).await;
    let said = machine.serve(&[]).await.err().expect("it does not start");
    assert!(said.contains("version 1 of the access rules"), "{said}");
    assert!(said.contains("fractal policy reset"), "{said}");

    let reset = machine.run(&["policy", "reset", "--yes", "--json"]).await;
    assert!(out(&reset).contains("\"removed\": true"), "{}", out(&reset));
    machine.serve(&[]).await.unwrap().end().await;
}
