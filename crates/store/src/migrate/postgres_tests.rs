//! Migrations of a real PostgreSQL: a dump first, or nothing at all.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
};

use fractal_clock::ManualClock;
use sea_orm::{ConnectionTrait, Statement};
use sea_orm_migration::MigratorTrait;

use super::{
    Waiting,
    tests::{Broken, Later},
    up_to,
};
use crate::{Error, OpenOptions, Store};

/// Included as a file, as the suite does: the testing crate depends on the whole house.
#[path = "../../../testing/src/postgres.rs"]
mod postgres_server;

/// A database of this release and a folder for what is made of it.
struct Scene {
    folder: tempfile::TempDir,
    store: Store,
    database: postgres_server::Copy,
}

impl Scene {
    /// `None` without PostgreSQL on this machine.
    async fn new() -> Option<Self> {
        let database = tokio::task::spawn_blocking(|| {
            postgres_server::server().map(|server| server.copy(prepare))
        })
        .await
        .unwrap()?;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&database.url, &options(folder.path()))
            .await
            .unwrap();
        Some(Self {
            folder,
            store,
            database,
        })
    }

    fn options(&self) -> OpenOptions {
        options(self.folder.path())
    }

    async fn migrate<M: MigratorTrait>(&self, options: &OpenOptions) -> crate::Result<()> {
        up_to::<M>(&self.store, &self.database.url, options).await
    }

    /// A program in the place of `pg_dump`.
    fn program(&self, script: &str) -> PathBuf {
        let path = self.folder.path().join("pg_dump");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn dumps(&self) -> Vec<PathBuf> {
        fs::read_dir(self.folder.path().join("backups"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect()
    }

    async fn has_table(&self, name: &str) -> bool {
        self.store
            .writer
            .execute_unprepared(&format!("SELECT * FROM {name}"))
            .await
            .is_ok()
    }

    /// The whole schema, as text.
    async fn schema(&self) -> Vec<String> {
        let columns = "SELECT table_name || '.' || column_name || ':' || data_type AS line \
                       FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1";
        let db = &self.store.writer;
        let statement = Statement::from_string(db.get_database_backend(), columns);
        let rows = db.query_all_raw(statement).await.unwrap();
        let line = |row: &sea_orm::QueryResult| row.try_get("", "line").unwrap();
        rows.iter().map(line).collect()
    }
}

fn options(folder: &Path) -> OpenOptions {
    OpenOptions {
        backup_dir: Some(folder.join("backups")),
        ..OpenOptions::new(Arc::new(ManualClock::default()))
    }
}

/// Fills the template. On a thread and runtime of its own: the caller is inside one.
fn prepare(url: &str) {
    std::thread::scope(|scope| {
        let fill = async {
            let options = OpenOptions::new(Arc::new(ManualClock::default()));
            let store = Store::open(url, &options).await.unwrap();
            store.close().await.unwrap();
        };
        scope.spawn(|| tokio::runtime::Runtime::new().unwrap().block_on(fill));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_postgres_is_dumped_before_it_is_migrated_and_an_empty_one_is_not() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let empty = tokio::task::spawn_blocking(|| postgres_server::server().map(|it| it.empty()));
    let restored = empty.await.unwrap().unwrap();
    // Without any tables there is nothing to lose, so that not even the program is needed.
    let never = OpenOptions {
        pg_dump: Some("/nowhere/pg_dump".into()),
        ..scene.options()
    };
    let new = tokio::task::spawn_blocking(|| postgres_server::server().map(|it| it.empty()));
    let new = new.await.unwrap().unwrap();
    Store::open(&new.url, &never).await.unwrap();
    assert!(scene.dumps().is_empty());

    scene.migrate::<Later>(&scene.options()).await.unwrap();
    assert!(scene.has_table("later").await);
    let [dump] = &scene.dumps()[..] else {
        panic!("one dump, not {:?}", scene.dumps());
    };
    assert!(dump.extension().is_some_and(|ending| ending == "dump"));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(dump), mode(dump.parent().unwrap())), (0o600, 0o700));
    // Nothing is pending any more, so nothing is dumped.
    scene.migrate::<Later>(&scene.options()).await.unwrap();
    assert_eq!(scene.dumps().len(), 1);
    // The dump is a whole database of the earlier release.
    let restore = Command::new("pg_restore")
        .args(["--exit-on-error", "--dbname", &restored.url])
        .arg(dump)
        .output()
        .unwrap();
    assert!(
        restore.status.success(),
        "{}",
        String::from_utf8_lossy(&restore.stderr)
    );
    let earlier = Store::open(&restored.url, &never).await.unwrap();
    let waiting = Waiting::of::<Later>(&earlier.writer).await.unwrap();
    assert!(waiting.steps == 1 && waiting.used);
    earlier.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_dump_nothing_is_changed_unless_the_operator_has_one() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let before = scene.schema().await;
    let unable = scene.program("echo 'fatal: hunter2 was refused' >&2; exit 1");
    for (program, cause) in [
        (
            PathBuf::from("/nowhere/pg_dump"),
            "/nowhere/pg_dump cannot be run",
        ),
        (unable, "it said: fatal:"),
        ("/bin/true".into(), "what it wrote is no dump"),
        ("/bin/false".into(), "it ended with"),
    ] {
        let options = OpenOptions {
            pg_dump: Some(program),
            ..scene.options()
        };
        let error = scene.migrate::<Later>(&options).await.unwrap_err();
        assert!(matches!(error, Error::NoDump { .. }), "{error:?}");
        let said = error.to_string();
        for part in [
            cause,
            "nothing was changed",
            "--pg-dump",
            "--migrate-without-backup",
        ] {
            assert!(said.contains(part), "{said}");
        }
        assert_eq!(scene.schema().await, before);
        assert!(scene.dumps().is_empty(), "nothing half is left");
    }
    let without = OpenOptions {
        pg_dump: Some("/nowhere/pg_dump".into()),
        migrate_without_backup: true,
        ..scene.options()
    };
    scene.migrate::<Later>(&without).await.unwrap();
    assert!(scene.has_table("later").await && scene.dumps().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_in_no_argument_and_in_no_message() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let (start, rest) = scene.database.url.split_once('@').unwrap();
    // A server that trusts everybody does not look at it.
    let start = start
        .split_once("://")
        .unwrap()
        .1
        .split(':')
        .next()
        .unwrap();
    let url = format!("postgres://{start}:hunter2%40@{rest}");
    let seen = scene.folder.path().join("seen");
    let script = format!(
        "echo \"$@ DATABASE_URL=$DATABASE_URL\" >'{0}'; test \"$PGPASSWORD\" = hunter2@ || exit 7\nexec pg_dump \"$@\"",
        seen.display()
    );
    let options = OpenOptions {
        pg_dump: Some(scene.program(&script)),
        ..scene.options()
    };
    up_to::<Later>(&scene.store, &url, &options).await.unwrap();
    assert_eq!(
        fs::read_to_string(&seen).unwrap(),
        "--format=custom --no-password DATABASE_URL=\n"
    );
    assert_eq!(scene.dumps().len(), 1);

    let Some(other) = Scene::new().await else {
        return;
    };
    let talks = other.program("echo \"$PGPASSWORD does not match\" >&2; exit 1");
    let options = OpenOptions {
        pg_dump: Some(talks),
        ..other.options()
    };
    let error = up_to::<Later>(&other.store, &url, &options)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("[redacted] does not match"));
    assert!(!format!("{error:?}").contains("hunter2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_leaves_the_schema_as_it_was() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let before = scene.schema().await;
    let error = scene.migrate::<Broken>(&scene.options()).await.unwrap_err();
    assert!(matches!(error, Error::Migration { .. }), "{error:?}");
    assert_eq!(scene.schema().await, before);
    assert!(!scene.has_table("half").await);
    assert_eq!(scene.dumps().len(), 1, "it was dumped all the same");
    // The release that works goes on from there.
    scene.migrate::<Later>(&scene.options()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_processes_that_start_at_once_one_makes_the_dump() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let start = async || {
        let store = Store::open(&scene.database.url, &scene.options())
            .await
            .unwrap();
        up_to::<Later>(&store, &scene.database.url, &scene.options())
            .await
            .unwrap();
    };
    tokio::join!(start(), start(), start(), start());
    assert_eq!(scene.dumps().len(), 1);
}
