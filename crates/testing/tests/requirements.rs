//! `docs/requirements.md` names every row once, in order, with a known state, and every proof it names exists.

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
fn objection(row: &Row, exists: impl Fn(&str) -> bool) -> Option<String> {
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
    row.proof
        .split(',')
        .map(|proof| proof.trim().trim_matches('`'))
        // A proof may name one test of its file: `crates/x/tests/y.rs::a_sentence`.
        .map(|proof| proof.split("::").next().unwrap_or_default())
        .find(|path| !exists(path))
        .map(|path| format!("{}: the proof {path} does not exist", row.id))
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
    let exists = |path: &str| {
        // Only files of the repository count, wherever the test runs.
        !path.is_empty()
            && !path.starts_with('/')
            && !path.contains("..")
            && root.join(path).is_file()
    };
    let wrong: Vec<String> = page()
        .iter()
        .filter_map(|row| objection(row, exists))
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
    let exists = |path: &str| path == "crates/a/tests/b.rs";
    assert!(objection(&row("done", "—"), exists).is_some());
    assert!(objection(&row("almost", "—"), exists).is_some());
    assert!(objection(&row("answered by ", "—"), exists).is_some());
    assert!(
        objection(
            &row("done", "`crates/a/tests/b.rs`, crates/a/tests/c.rs"),
            exists
        )
        .is_some()
    );
    assert!(objection(&row("done", "`crates/a/tests/b.rs::a_sentence`"), exists).is_none());
    assert!(objection(&row("planned", "—"), exists).is_none());
}

#[test]
#[should_panic(expected = "four columns")]
fn a_torn_row_is_noticed() {
    rows("| B1 | what | planned |");
}
