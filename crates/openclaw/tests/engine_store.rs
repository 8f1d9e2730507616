//! Installing an engine: with an npm of the test's own that makes a small engine, and once with the real
//! one when `FRACTAL_TEST_INSTALL` names a folder for it.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Mutex,
};

use fractal_openclaw::engine::{EngineError, EngineInfo, EngineStore, PINS, Phase, Progress};

/// An npm that counts its calls and then runs `body` in the staging folder.
fn npm(folder: &Path, body: &str) -> PathBuf {
    let path = folder.join("npm");
    let calls = folder.join("calls");
    fs::write(
        &path,
        format!("#!/bin/sh\necho call >> {}\n{body}\n", calls.display()),
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Makes an engine whose Node is a script that knows both versions.
fn working(openclaw: &str) -> String {
    on_node(openclaw, PINS[0].node_version)
}

/// The same with another Node, and the range of Node that OpenClaw asks for.
fn on_node(openclaw: &str, node: &str) -> String {
    let arch = if cfg!(target_arch = "aarch64") {
        "arm64"
    } else {
        "x64"
    };
    format!(
        "mkdir -p node_modules/node-linux-{arch}/bin node_modules/openclaw\n\
         echo entry > node_modules/openclaw/openclaw.mjs\n\
         echo '{{\"engines\":{{\"node\":\">=24.16.0 <25 || >=26.1.0\"}}}}' > node_modules/openclaw/package.json\n\
         cat > node_modules/node-linux-{arch}/bin/node <<'END'\n#!/bin/sh\n\
         if [ \"$1\" = --version ]; then echo v{node}; else echo 'OpenClaw {openclaw} (abc)'; fi\nEND\n\
         chmod +x node_modules/node-linux-{arch}/bin/node"
    )
}

/// One test at a time: a script that one thread writes while another forks cannot be run ("text file
/// busy").
static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// Says why a test does not run here. With `CI=true` nothing may be missing.
fn skipped(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    eprintln!("skipped: {why}");
}

struct Bench {
    _one: tokio::sync::MutexGuard<'static, ()>,
    folder: tempfile::TempDir,
    phases: Mutex<Vec<Phase>>,
}

impl Bench {
    async fn new() -> Self {
        Self {
            _one: ONE.lock().await,
            folder: tempfile::tempdir().unwrap(),
            phases: Mutex::default(),
        }
    }

    fn store(&self, body: &str) -> EngineStore {
        EngineStore::new(self.folder.path().join("engines")).with_npm(npm(self.folder.path(), body))
    }

    async fn ensure(&self, store: &EngineStore) -> Result<EngineInfo, EngineError> {
        store
            .ensure(PINS[0].version, &|progress: Progress| {
                self.phases.lock().unwrap().push(progress.phase);
            })
            .await
    }

    fn calls(&self) -> usize {
        let calls = fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default();
        calls.lines().count()
    }

    /// A read-only tree cannot be removed by the temporary folder's own clean-up when not root.
    async fn clean(&self, store: &EngineStore, info: &EngineInfo) {
        store.remove(info).await.unwrap();
    }
}

#[tokio::test]
async fn an_engine_is_installed_once_read_only_and_listed() {
    let bench = Bench::new().await;
    let store = bench.store(&working(PINS[0].version));
    let (one, two) = tokio::join!(bench.ensure(&store), bench.ensure(&store));
    let info = one.unwrap();
    assert_eq!(info, two.unwrap());
    assert_eq!(bench.calls(), 1, "the second installer waits for the first");
    assert_eq!(store.list().unwrap(), std::slice::from_ref(&info));
    assert_eq!(
        fs::metadata(&info.entry).unwrap().permissions().mode() & 0o777,
        0o444
    );
    assert_eq!(
        fs::metadata(&info.node).unwrap().permissions().mode() & 0o777,
        0o555
    );
    store.verify(&info).await.unwrap();
    let phases = bench.phases.lock().unwrap().clone();
    assert_eq!(phases.first(), Some(&Phase::Prepare));
    assert_eq!(phases.last(), Some(&Phase::Done));
    assert!(phases.contains(&Phase::Verify));
    bench.clean(&store, &info).await;
    assert!(store.list().unwrap().is_empty());
}

#[tokio::test]
async fn a_changed_file_is_found_by_verifying() {
    let bench = Bench::new().await;
    let store = bench.store(&working(PINS[0].version));
    let info = bench.ensure(&store).await.unwrap();
    fs::set_permissions(&info.entry, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&info.entry, "something longer").unwrap();
    let error = store.verify(&info).await.unwrap_err();
    assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
    bench.clean(&store, &info).await;
}

#[tokio::test]
async fn another_version_than_the_pin_is_not_put_into_place() {
    let bench = Bench::new().await;
    let store = bench.store(&working("2020.1.1"));
    let error = bench.ensure(&store).await.unwrap_err();
    assert!(error.to_string().contains("2020.1.1"), "{error}");
    assert!(store.list().unwrap().is_empty());
}

#[tokio::test]
async fn a_failed_install_says_why_and_the_next_one_succeeds() {
    let bench = Bench::new().await;
    let store =
        bench.store("mkdir -p node_modules/half; echo 'npm error code EAI_AGAIN' >&2; exit 1");
    let error = bench.ensure(&store).await.unwrap_err();
    assert!(matches!(error, EngineError::Network(_)), "{error}");
    let store = bench.store(&working(PINS[0].version));
    let info = bench.ensure(&store).await.unwrap();
    assert!(!info.root.join("node_modules/half").exists());
    bench.clean(&store, &info).await;
}

#[tokio::test]
async fn an_interrupted_install_is_taken_up_with_what_was_downloaded() {
    let bench = Bench::new().await;
    // The npm of the first try fetches one package into its cache and writes half of it, then stands still.
    let store = bench.store(
        "while [ $# -gt 1 ]; do [ \"$1\" = --cache ] && cache=$2; shift; done\n\
         mkdir -p \"$cache\" node_modules/half; echo package > \"$cache/fetched\"; echo $$ > ../../npm-pid; exec sleep 600",
    );
    let pid_file = bench.folder.path().join("npm-pid");
    let fetched = async {
        loop {
            // Asked as soon as it is whole.
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            if let Some(pid) = text.strip_suffix('\n') {
                return pid.to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let pid = tokio::select! {
        ended = bench.ensure(&store) => panic!("{ended:?}"),
        pid = fetched => pid,
        () = tokio::time::sleep(std::time::Duration::from_secs(60)) => panic!("npm was not run"),
    };
    // The installer is gone with its npm, as after Ctrl-C; nothing can be mistaken for an engine.
    assert!(store.list().unwrap().is_empty());
    let gone = tokio::time::timeout(std::time::Duration::from_secs(60), async {
        let stat = format!("/proc/{pid}/cmdline");
        while fs::read(&stat).is_ok_and(|line| !line.is_empty()) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    });
    gone.await.expect("npm ends with its installer");

    let found = "while [ $# -gt 1 ]; do [ \"$1\" = --cache ] && cache=$2; shift; done\n\
                 [ -s \"$cache/fetched\" ] || { echo 'npm error code ENOTFOUND' >&2; exit 1; }\n";
    let store = bench.store(&format!("{found}{}", working(PINS[0].version)));
    let info = bench.ensure(&store).await.unwrap();
    assert_eq!(bench.calls(), 2);
    assert!(!info.root.join("node_modules/half").exists());
    store.verify(&info).await.unwrap();
    bench.clean(&store, &info).await;
}

#[tokio::test]
async fn no_network_and_a_full_disk_say_what_to_do_and_that_nothing_is_lost() {
    let bench = Bench::new().await;
    let said = |code: &str| format!("echo 'npm error code {code}' >&2; exit 1");
    let store = bench.store(&said("ENOTFOUND"));
    let error = bench.ensure(&store).await.unwrap_err().to_string();
    for words in [
        "check network, proxy",
        "try again",
        "what was downloaded is kept",
    ] {
        assert!(error.contains(words), "{error}");
    }
    let store = bench.store(&said("ENOSPC"));
    let error = bench.ensure(&store).await.unwrap_err().to_string();
    for words in [
        "MB free",
        "an engine needs 1239 MB",
        "free some space",
        "--engines",
        "what was downloaded is kept",
    ] {
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn the_machines_npm_without_a_way_out_is_told_apart_from_other_faults() {
    let bench = Bench::new().await;
    let found = std::process::Command::new("npm").arg("--version").output();
    if found.is_err() {
        return skipped("there is no npm on this machine");
    }
    // Nothing listens on the discard port of loopback; one try is enough to see that.
    let store = bench.store(
        "exec npm \"$@\" --registry=http://127.0.0.1:9/ --fetch-retries=0 --replace-registry-host=always",
    );
    let error = bench.ensure(&store).await.unwrap_err();
    assert!(matches!(error, EngineError::Network(_)), "{error}");
    assert!(!error.to_string().contains("127.0.0.1:9/"), "{error}");
}

#[tokio::test]
async fn a_named_engine_with_a_node_it_does_not_run_on_is_refused_by_both_versions() {
    let bench = Bench::new().await;
    let root = bench.folder.path().join("own");
    for (node, fits) in [("25.1.0", false), ("24.15.0", false), ("24.16.0", true)] {
        fs::create_dir(&root).unwrap();
        let made = std::process::Command::new(npm(bench.folder.path(), &on_node("2026.9.6", node)))
            .current_dir(&root)
            .status()
            .unwrap();
        assert!(made.success());
        match EngineInfo::at(&root).await {
            Ok(info) => assert!(fits, "{}", info.node_version),
            Err(error) => {
                assert!(!fits, "{error}");
                assert!(matches!(error, EngineError::WrongNode { .. }), "{error}");
                let text = error.to_string();
                assert!(text.contains(&format!("is Node {node}")), "{text}");
                assert!(
                    text.contains("needs Node >=24.16.0 <25 || >=26.1.0"),
                    "{text}"
                );
                assert!(text.contains("name another engine"), "{text}");
            }
        }
        fs::remove_dir_all(&root).unwrap();
    }
}

#[tokio::test]
async fn a_missing_npm_and_an_unknown_version_are_named() {
    let bench = Bench::new().await;
    let store = EngineStore::new(bench.folder.path().join("engines")).with_npm("/nonexistent/npm");
    assert!(matches!(
        bench.ensure(&store).await.unwrap_err(),
        EngineError::NoNpm
    ));
    let error = store.ensure("1.0.0", &|_| {}).await.unwrap_err();
    assert!(error.to_string().contains(PINS[0].version), "{error}");
}

#[tokio::test]
async fn an_engine_made_by_hand_can_be_named() {
    let bench = Bench::new().await;
    let root = bench.folder.path().join("own");
    fs::create_dir(&root).unwrap();
    let made = std::process::Command::new(npm(bench.folder.path(), &working("2026.1.2")))
        .current_dir(&root)
        .status()
        .unwrap();
    assert!(made.success());
    let info = EngineInfo::at(&root).await.unwrap();
    assert_eq!(info.version, "2026.1.2");
    EngineStore::new(bench.folder.path())
        .verify(&info)
        .await
        .unwrap();
    let error = EngineInfo::at(bench.folder.path()).await.unwrap_err();
    assert!(matches!(error, EngineError::Damaged { .. }), "{error}");
}

#[tokio::test]
async fn the_pinned_engine_installs_with_the_machines_npm() {
    let Some(folder) = std::env::var_os("FRACTAL_TEST_INSTALL") else {
        return skipped("FRACTAL_TEST_INSTALL names no folder for an engine of 1.2 GB");
    };
    if folder.is_empty() {
        // Tests run with an engine that somebody named; none is installed.
        return;
    }
    let store = EngineStore::new(folder);
    let last = Mutex::new(None);
    let info = store
        .ensure(PINS[0].version, &|progress| {
            *last.lock().unwrap() = Some(progress)
        })
        .await
        .unwrap();
    assert_eq!(
        (info.version.as_str(), info.node_version.as_str()),
        (PINS[0].version, PINS[0].node_version)
    );
    store.verify(&info).await.unwrap();
    let last = last.lock().unwrap().unwrap();
    assert_eq!(last.phase, Phase::Done);
    assert_eq!(last.packages_done, last.packages_total);
}
