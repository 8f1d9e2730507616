//! `docs/requirements.md` names every row once, in order, with a known state, and every test it names exists and runs.

use std::{fs, path::Path};

/// How many rows each section has.
const SECTIONS: [(&str, usize); 5] = [("B", 24), ("F", 90), ("A", 74), ("O", 116), ("M", 66)];

struct Row {
    id: String,
    what: String,
    state: String,
    proof: String,
}

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rows(text: &str) -> Vec<Row> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line
                .strip_prefix('|')?
                .strip_suffix('|')?
                .split('|')
                .map(str::trim)
                .collect();
            let [id, what, state, proof] = cells[..] else {
                panic!("a row has four columns: {line}")
            };
            let number = id.trim_start_matches(|c: char| c.is_ascii_uppercase());
            (number.len() + 1 == id.len() && number.parse::<usize>().is_ok()).then(|| Row {
                id: id.to_owned(),
                what: what.to_owned(),
                state: state.to_owned(),
                proof: proof.to_owned(),
            })
        })
        .collect()
}

/// What is wrong with a row, if anything is.
fn objection(row: &Row, read: impl Fn(&str) -> Option<String>) -> Option<String> {
    let known = matches!(row.state.as_str(), "done" | "partly" | "planned")
        || row
            .state
            .strip_prefix("answered by ")
            .is_some_and(|by| !by.is_empty());
    if !known {
        return Some(format!("{}: \"{}\" is no state", row.id, row.state));
    }
    if row.what.is_empty() {
        return Some(format!("{}: says nothing", row.id));
    }
    if row.proof == "—" {
        return (row.state == "done").then(|| format!("{}: done without a proof", row.id));
    }
    proofs(&row.proof).into_iter().find_map(|proof| {
        let (path, test) = match proof.split_once("::") {
            Some((path, test)) => (path, Some(test)),
            None => (proof, None),
        };
        let Some(text) = read(path) else {
            return Some(format!("{}: the proof {path} does not exist", row.id));
        };
        let Some(test) = test else {
            return (row.state == "done")
                .then(|| format!("{}: done, but {path} is a file and no test", row.id));
        };
        let sibling = path
            .rsplit_once('/')
            .map(|(folder, _)| format!("{folder}/main.rs"));
        let sibling = sibling.and_then(|path| read(&path));
        (!is_test(path, &text, sibling.as_deref(), test)).then(|| {
            format!(
                "{}: {path} has no test \"{test}\", or nobody runs it",
                row.id
            )
        })
    })
}

/// The proofs of a row. Names of browser tests may hold commas, so that a comma separates only before a path.
fn proofs(cell: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = cell;
    loop {
        let next = rest.match_indices(", ").map(|(at, _)| at).find(|at| {
            let word = rest[at + 2..].trim_start_matches('`');
            let word = word.split([':', ' ', ',']).next().unwrap_or_default();
            word.contains('/') && word.contains('.')
        });
        let (proof, after) = match next {
            Some(at) => (&rest[..at], Some(&rest[at + 2..])),
            None => (rest, None),
        };
        found.push(proof.trim().trim_matches('`'));
        match after {
            Some(after) => rest = after,
            None => return found,
        }
    }
}

/// Whether the text of a file has this test: in Rust a function marked as one, or one that the suite's `main.rs` lists or calls; in
/// browser and unit tests of the Portal a name in quotes.
fn is_test(path: &str, text: &str, main: Option<&str>, test: &str) -> bool {
    if !path.ends_with(".rs") {
        return ["'", "\"", "`"]
            .iter()
            .any(|quote| text.contains(&format!("{quote}{test}{quote}")));
    }
    let lines: Vec<&str> = text.lines().map(str::trim_start).collect();
    let Some(at) = lines
        .iter()
        .position(|line| line.contains(&format!("fn {test}(")) && !line.starts_with("//"))
    else {
        return false;
    };
    let marked = lines[..at]
        .iter()
        .rev()
        .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
        .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
    marked
        || main.is_some_and(|main| {
            main.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .any(|word| word == test)
        })
}

fn page() -> Vec<Row> {
    rows(&fs::read_to_string(root().join("docs/requirements.md")).unwrap())
}

#[test]
fn every_row_is_named_once_and_in_order() {
    let wanted: Vec<String> = SECTIONS
        .iter()
        .flat_map(|(letter, count)| (1..=*count).map(move |number| format!("{letter}{number}")))
        .collect();
    let present: Vec<String> = page().into_iter().map(|row| row.id).collect();
    let missing: Vec<&String> = wanted.iter().filter(|id| !present.contains(id)).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
    assert_eq!(present, wanted, "a row is doubled, unknown or out of order");
}

#[test]
fn every_state_is_known_and_every_proof_exists() {
    let root = root();
    let read = |path: &str| {
        // Only files of the repository count, wherever the test runs.
        if path.is_empty() || path.starts_with('/') || path.contains("..") {
            return None;
        }
        fs::read_to_string(root.join(path)).ok()
    };
    let wrong: Vec<String> = page()
        .iter()
        .filter_map(|row| objection(row, read))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_wrong_row_is_noticed() {
    let row = |state: &str, proof: &str| Row {
        id: "B1".to_owned(),
        what: "something".to_owned(),
        state: state.to_owned(),
        proof: proof.to_owned(),
    };
    let read = |path: &str| {
        let text = match path {
            "crates/a/tests/b.rs" => {
                "#[tokio::test(flavor = \"x\")]\n// Why.\nasync fn a_sentence() {}\nfn a_helper() {}\n// fn a_dream() {}\n"
            }
            "crates/a/tests/s/part.rs" => "pub async fn listed(db: &Db) {}\nfn forgotten() {}\n",
            "crates/a/tests/s/main.rs" => "suite! { part: listed; }",
            "portal/c.mjs" => "test('one, two', () => {});",
            _ => return None,
        };
        Some(text.to_owned())
    };
    let says = |state: &str, proof: &str| objection(&row(state, proof), read);
    for (state, proof) in [
        ("done", "—"),
        ("almost", "—"),
        ("answered by ", "—"),
        ("done", "crates/a/tests/b.rs"),
        ("done", "crates/a/tests/c.rs::a_sentence"),
        ("done", "crates/a/tests/b.rs::a_helper"),
        ("done", "crates/a/tests/b.rs::a_dream"),
        ("done", "crates/a/tests/b.rs::another"),
        ("done", "crates/a/tests/s/part.rs::forgotten"),
        ("done", "portal/c.mjs::one"),
        (
            "partly",
            "crates/a/tests/b.rs::a_sentence, crates/a/tests/c.rs",
        ),
    ] {
        assert!(says(state, proof).is_some(), "{state} {proof}");
    }
    for (state, proof) in [
        ("planned", "—"),
        ("partly", "crates/a/tests/b.rs"),
        ("done", "`crates/a/tests/b.rs::a_sentence`"),
        (
            "done",
            "portal/c.mjs::one, two, crates/a/tests/b.rs::a_sentence, crates/a/tests/s/part.rs::listed",
        ),
        ("answered by something", "crates/a/tests/b.rs::a_sentence"),
    ] {
        assert_eq!(says(state, proof), None, "{state} {proof}");
    }
}

#[test]
#[should_panic(expected = "four columns")]
fn a_torn_row_is_noticed() {
    rows("| B1 | what | planned |");
}
