//! The house rules that are about files and crates: who may depend on whom, why each dependency is here, and that
//! no lockfile says where a package was fetched from.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which crate may depend on which of ours (design section 4), with the reason. A crate that is not listed may not
/// exist; an arrow that is not listed is refused. Widening a line is a decision: say why.
const ARROWS: &[(&str, &str, &str)] = &[
    ("types", "", "nouns stand on nothing"),
    ("clock", "types", "time in the house's own unit"),
    ("api-types", "types", "bodies are made of nouns"),
    ("config", "types", "settings are made of nouns"),
    (
        "crypto",
        "types clock",
        "owners are nouns; randomness is an argument",
    ),
    (
        "policy",
        "types",
        "decisions are about nouns; it knows no database",
    ),
    (
        "openclaw",
        "types clock",
        "the gateway as seen from outside; waits on the clock",
    ),
    (
        "runtime",
        "types clock",
        "the contract names instances; the supervisor waits on the clock",
    ),
    (
        "connect",
        "types clock",
        "contracts of outside systems; waits on the clock",
    ),
    (
        "store",
        "types clock crypto",
        "rows are nouns, some columns are sealed",
    ),
    (
        "evidence",
        "types clock crypto store",
        "the tree stands on the log; verifying needs no database",
    ),
    (
        "identity",
        "types clock crypto connect",
        "sign-in hashes, signs and asks identity providers",
    ),
    (
        "background",
        "types clock store",
        "queue and leases are tables; it knows no business noun",
    ),
    (
        "runtime-process",
        "runtime types clock",
        "a driver stands on its contract",
    ),
    (
        "app",
        "types clock crypto policy store evidence openclaw runtime connect identity background api-types",
        "use cases bring contracts together; never a concrete driver. api-types: views are made where permissions are known",
    ),
    (
        "proxy",
        "types clock api-types connect openclaw",
        "the data plane defines ports that the server wires, so that it may run as its own process without app and store",
    ),
    ("ui", "", "embedded files"),
    (
        "http",
        "app proxy ui api-types types",
        "converts; never touches the store",
    ),
    ("client", "api-types types", "what programs outside may use"),
    (
        "server",
        "types clock api-types config crypto policy openclaw runtime connect store evidence identity background runtime-process app proxy ui http",
        "the composition root",
    ),
    (
        "cli",
        "client server config api-types types clock evidence openclaw runtime",
        "serve is the server; engines, supervisor and relay run without one, and so does verifying an export",
    ),
    (
        "testing",
        "types clock api-types config crypto policy openclaw runtime connect store evidence identity background runtime-process app proxy ui http client server",
        "tests may look at everything",
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--no-deps",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    match metadata["packages"].take() {
        Value::Array(packages) => packages,
        other => panic!("packages should be a list, not {other}"),
    }
}

fn noun(package: &str) -> Option<&str> {
    package.strip_prefix("fractal-")
}

fn allowed() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    ARROWS
        .iter()
        .map(|(from, to, _)| (*from, to.split_whitespace().collect()))
        .collect()
}

/// The arrows of one package: `(to, kind)`, where kind is empty, `dev` or `build`.
fn arrows(package: &Value) -> Vec<(String, String)> {
    package["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|dependency| {
            let to = noun(dependency["name"].as_str()?)?.to_owned();
            Some((
                to,
                dependency["kind"].as_str().unwrap_or_default().to_owned(),
            ))
        })
        .collect()
}

/// What is wrong with an arrow, if anything is.
fn objection(from: &str, to: &str, kind: &str) -> Option<String> {
    let allowed = allowed();
    let Some(targets) = allowed.get(from) else {
        return Some(format!(
            "{from} is not a room of the house; add it to ARROWS with a reason"
        ));
    };
    // Anybody's tests may use the test helpers; cargo itself refuses circles in what ships.
    if targets.contains(to) || (kind == "dev" && to == "testing") {
        return None;
    }
    Some(format!("{from} -> {to} ({kind}) is no arrow of the design"))
}

#[test]
fn crates_depend_downward_only() {
    let wrong: Vec<String> = packages()
        .iter()
        .flat_map(|package| {
            let from = noun(package["name"].as_str().unwrap())
                .expect("every package is called fractal-…")
                .to_owned();
            arrows(package)
                .into_iter()
                .filter_map(move |(to, kind)| objection(&from, &to, &kind))
                .collect::<Vec<_>>()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_package_has_its_line_in_the_table() {
    let present: BTreeSet<String> = packages()
        .iter()
        .filter_map(|package| noun(package["name"].as_str()?).map(str::to_owned))
        .collect();
    let listed: BTreeSet<String> = ARROWS.iter().map(|(from, ..)| (*from).to_owned()).collect();
    assert_eq!(present, listed);
}

#[test]
fn the_table_itself_keeps_the_promises_of_the_design() {
    let allowed = allowed();
    let users = |of: &str| -> Vec<&str> {
        allowed
            .iter()
            .filter(|(_, to)| to.contains(of))
            .map(|(from, _)| *from)
            .collect()
    };
    assert_eq!(users("server"), ["cli", "testing"]);
    assert_eq!(users("config"), ["cli", "server", "testing"]);
    assert_eq!(
        users("runtime-process"),
        ["server", "testing"],
        "app and http know no concrete driver"
    );
    assert!(
        !allowed["http"].contains("store")
            && !allowed["store"].contains("app")
            && !allowed["app"].contains("http")
    );
    assert!(ARROWS.iter().all(|(_, _, reason)| !reason.is_empty()));
    // No circles: taking away crates that depend on nothing left must end with none.
    let mut left = allowed.clone();
    while !left.is_empty() {
        let done: Vec<&str> = left
            .iter()
            .filter(|(_, to)| to.is_empty())
            .map(|(from, _)| *from)
            .collect();
        assert!(!done.is_empty(), "a circle among {:?}", left.keys());
        left.retain(|from, _| !done.contains(from));
        left.values_mut()
            .for_each(|to| to.retain(|to| !done.contains(to)));
    }
}

#[test]
fn a_forbidden_arrow_is_noticed() {
    assert!(objection("http", "store", "").is_some());
    assert!(objection("app", "runtime-process", "dev").is_some());
    assert!(objection("cellar", "types", "").is_some());
    assert!(objection("http", "app", "").is_none());
    assert!(objection("proxy", "testing", "dev").is_none());
    assert!(objection("proxy", "testing", "").is_some());
}

#[test]
fn every_dependency_is_declared_once_at_the_root() {
    let root = root();
    for package in packages() {
        let manifest = PathBuf::from(package["manifest_path"].as_str().unwrap());
        assert!(
            manifest.starts_with(&root),
            "{} lies outside",
            manifest.display()
        );
        let text = fs::read_to_string(&manifest).unwrap();
        let mut section = "";
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                section = line;
            } else if section.contains("dependencies]")
                && line.contains('=')
                && !line.starts_with('#')
            {
                assert!(
                    line.contains(".workspace = true") || line.contains("workspace = true"),
                    "{}: `{line}` belongs into the root manifest",
                    manifest.display()
                );
            }
        }
        for dependency in package["dependencies"].as_array().unwrap() {
            if let Some(path) = dependency["path"].as_str() {
                assert!(Path::new(path).starts_with(&root), "{path} lies outside");
            }
            let source = dependency["source"].as_str().unwrap_or_default();
            assert!(
                !source.starts_with("git+"),
                "{}: use a released version",
                dependency["name"]
            );
        }
    }
}

#[test]
fn every_dependency_says_why_it_is_here() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let silent: Vec<&str> = text
        .lines()
        .skip_while(|line| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.contains('=') && !line.contains("path = \"crates/"))
        .filter(|line| {
            line.split_once(" # ")
                .is_none_or(|(_, reason)| reason.trim().is_empty())
        })
        .collect();
    assert!(
        silent.is_empty(),
        "without a reason:\n{}",
        silent.join("\n")
    );
}

/// Folders that hold what was fetched or built.
const NOT_OURS: [&str; 4] = ["node_modules", "target", ".git", "dist"];

fn npm_lockfiles(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let name = entry.file_name();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && !NOT_OURS.iter().any(|skip| name == *skip) {
            npm_lockfiles(&entry.path(), found);
        } else if name == "package-lock.json" || name == "npm-shrinkwrap.json" {
            found.push(entry.path());
        }
    }
}

/// Where a lockfile says packages are fetched from. Links and folders inside the lockfile's own tree are no addresses.
fn addresses(lock: &Value) -> Vec<String> {
    match lock {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| match value {
                Value::String(text) if name == "resolved" && text.contains("://") => {
                    vec![text.clone()]
                }
                other => addresses(other),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(addresses).collect(),
        _ => Vec::new(),
    }
}

/// Cargo.lock names its registry by nature and is not looked at.
#[test]
fn npm_lockfiles_name_no_registry() {
    let mut files = Vec::new();
    npm_lockfiles(&root(), &mut files);
    assert!(
        !files.is_empty(),
        "the engines' lockfile should have been found"
    );
    for file in files {
        let lock: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let found = addresses(&lock);
        assert!(
            found.is_empty(),
            "{} names {} addresses, such as {}; run npm with omit-lockfile-registry-resolved",
            file.display(),
            found.len(),
            found[0]
        );
    }
}

#[test]
fn an_address_in_a_lockfile_is_noticed() {
    let lock = serde_json::json!({"packages": {"node_modules/a": {"resolved": "https://example.org/a.tgz"}, "b": {"resolved": "b", "link": true}}});
    assert_eq!(addresses(&lock), ["https://example.org/a.tgz"]);
}
