//! An export verifies offline, and nothing about it can be changed without being noticed.

use fractal_clock::SeededEntropy;
use fractal_crypto::{SignKey, canonical_json, commit};
use fractal_evidence::{
    Checkpoint, Hash,
    export::{Header, checkpoint_line, entry_line},
    hex,
    merkle::{Frontier, leaf_hash},
    verify::{Fault, Known, Report, verify},
};
use fractal_store::evidence::Opening;
use proptest::prelude::*;
use serde_json::json;

struct Log {
    key: SignKey,
    tree: Frontier,
    heads: Vec<Checkpoint>,
    lines: Vec<String>,
}

fn key() -> SignKey {
    SignKey::generate("fractal/test", &SeededEntropy::new(7))
}

fn opening(seq: u64) -> Opening {
    Opening {
        field: "name".into(),
        salt: [u8::try_from(seq % 250).unwrap(); 32],
        value: json!(format!("Ada {seq}")),
    }
}

fn leaf(seq: u64) -> String {
    let opening = opening(seq);
    canonical_json(&json!({
        "seq": seq, "via": "session", "action": "instance.start",
        // What an attacker would like to be taken for a position.
        "decision": {"note": "\"seq\":999", "policies": ["own"]},
        "commitments": {"name": hex(&commit(&opening.salt, &opening.value))},
    }))
}

/// A log of `count` entries after `before` unseen ones, with a head after every `batch`.
fn log(before: u64, count: u64, batch: u64) -> Log {
    let key = key();
    let mut tree = Frontier::default();
    for seq in 1..=before {
        tree.push(leaf_hash(leaf(seq).as_bytes()));
    }
    let mut lines = vec![Header::new(&key.verify_key(), &tree).line()];
    let mut heads = Vec::new();
    for seq in before + 1..=before + count {
        let leaf = leaf(seq);
        tree.push(leaf_hash(leaf.as_bytes()));
        let openings = if seq % 2 == 0 {
            vec![opening(seq)]
        } else {
            Vec::new()
        };
        lines.push(entry_line(&leaf, &openings, &[]));
        if (seq - before).is_multiple_of(batch) || seq == before + count {
            let head = Checkpoint {
                origin: "fractal/test".into(),
                size: seq,
                root: tree.root(),
            };
            lines.push(checkpoint_line(&head.sign(&key)));
            heads.push(head);
        }
    }
    Log {
        key,
        tree,
        heads,
        lines,
    }
}

impl Log {
    fn check(&self, known: &[Checkpoint]) -> Result<Report, Fault> {
        verify(
            self.lines.concat().as_bytes(),
            &self.key.verify_key(),
            known,
            &[],
        )
    }

    fn line_of(&self, seq: u64) -> usize {
        self.lines
            .iter()
            .position(|line| line.contains(&format!("\"seq\":{seq},\"via\"")))
            .unwrap()
    }
}

#[test]
fn an_honest_export_verifies_with_every_known_head() {
    let log = log(0, 25, 10);
    let report = log.check(&log.heads).unwrap();
    assert_eq!((report.first, report.last), (1, 25));
    assert_eq!((report.checkpoints, report.openings), (3, 12));
    assert_eq!(report.root, log.tree.root());
    assert_eq!(
        report.known,
        [
            Known::Confirmed(10),
            Known::Confirmed(20),
            Known::Confirmed(25)
        ]
    );
}

#[test]
fn a_part_of_the_log_verifies_too() {
    let whole = log(0, 25, 5);
    let part = log(13, 12, 5);
    let known = [whole.heads[1].clone(), whole.heads[4].clone()];
    let report = part.check(&known).unwrap();
    assert_eq!((report.first, report.last), (14, 25));
    assert_eq!(
        report.known,
        [Known::BeforeTheExport(10), Known::Confirmed(25)]
    );
    let mut forged = part;
    forged.lines[0] = forged.lines[0].replacen(&hex(&whole.tree.root())[..2], "zz", 1);
    forged.lines[0] = Header {
        frontier: vec![hex(&[1; 32]); 3],
        ..serde_json::from_str(&log(13, 1, 5).lines[0]).unwrap()
    }
    .line();
    assert!(matches!(
        forged.check(&[]),
        Err(Fault::Root { first: 14, .. })
    ));
}

#[test]
fn a_changed_entry_is_named() {
    let mut log = log(0, 25, 10);
    let line = log.line_of(13);
    log.lines[line] = log.lines[line].replace("instance.start", "instance.delete");
    assert_eq!(
        log.check(&[]),
        Err(Fault::Changed {
            seq: 13,
            line: line as u64 + 1
        })
    );
}

#[test]
fn a_changed_entry_with_a_hash_that_fits_it_is_found_by_the_signature() {
    let mut log = log(0, 25, 10);
    let line = log.line_of(13);
    let changed = leaf(13).replace("instance.start", "instance.delete");
    log.lines[line] = entry_line(&changed, &[], &[]);
    assert_eq!(
        log.check(&[]),
        Err(Fault::Root {
            first: 11,
            last: 20
        })
    );
}

#[test]
fn removed_moved_and_inserted_entries_are_named() {
    let mut log = log(0, 25, 10);
    let line = log.line_of(13);
    let taken = log.lines.remove(line);
    assert!(matches!(
        log.check(&[]),
        Err(Fault::Order {
            expected: 13,
            found: 14,
            ..
        })
    ));
    log.lines.insert(line + 1, taken.clone());
    assert!(matches!(
        log.check(&[]),
        Err(Fault::Order {
            expected: 13,
            found: 14,
            ..
        })
    ));
    log.lines.swap(line, line + 1);
    assert!(log.check(&[]).is_ok());
    log.lines.insert(line, taken);
    assert!(matches!(
        log.check(&[]),
        Err(Fault::Order {
            expected: 14,
            found: 13,
            ..
        })
    ));
}

#[test]
fn a_cut_end_is_noticed_against_a_known_head_only() {
    let mut log = log(0, 25, 10);
    let known = log.heads.last().cloned().unwrap();
    log.lines.pop();
    assert_eq!(log.check(&[]), Err(Fault::Unsigned { first: 21 }));
    log.lines.truncate(1 + 20 + 2);
    assert!(log.check(&[]).is_ok(), "nothing in the file itself tells");
    assert_eq!(
        log.check(&[known]),
        Err(Fault::Truncated {
            known: 25,
            last: 20
        })
    );
}

#[test]
fn a_rewritten_history_is_noticed_although_it_is_signed() {
    let honest = log(0, 25, 10);
    let mut other = log(0, 25, 10);
    let mut tree = Frontier::default();
    other.lines.truncate(1);
    for seq in 1..=30 {
        let leaf = leaf(seq).replace("instance.start", "instance.stop");
        tree.push(leaf_hash(leaf.as_bytes()));
        other.lines.push(entry_line(&leaf, &[], &[]));
    }
    let head = Checkpoint {
        origin: "fractal/test".into(),
        size: 30,
        root: tree.root(),
    };
    other.lines.push(checkpoint_line(&head.sign(&other.key)));
    assert!(other.check(&[]).is_ok());
    assert_eq!(
        other.check(&[honest.heads[2].clone()]),
        Err(Fault::Rewritten { known: 25 })
    );
}

#[test]
fn a_value_that_was_not_committed_to_is_named() {
    let mut log = log(0, 5, 5);
    let line = log.line_of(4);
    log.lines[line] = log.lines[line].replace("Ada 4", "Eve 4");
    assert!(matches!(
        log.check(&[]),
        Err(Fault::Opening { seq: 4, field, .. }) if field == "name"
    ));
    // Erased openings leave everything else provable.
    log.lines[line] = entry_line(&leaf(4), &[], &[]);
    assert_eq!(log.check(&[]).unwrap().openings, 1);
}

#[test]
fn another_key_and_another_log_are_refused() {
    let log = log(0, 5, 5);
    let text = log.lines.concat();
    let entropy = SeededEntropy::new(8);
    let same_name = SignKey::generate("fractal/test", &entropy).verify_key();
    assert!(matches!(
        verify(text.as_bytes(), &same_name, &[], &[]),
        Err(Fault::Checkpoint { .. })
    ));
    let other = SignKey::generate("fractal/other", &entropy).verify_key();
    assert!(matches!(
        verify(text.as_bytes(), &other, &[], &[]),
        Err(Fault::OtherLog { .. })
    ));
    for broken in ["", "{}\n", "hello\n"] {
        assert!(matches!(
            verify(broken.as_bytes(), &same_name, &[], &[]),
            Err(Fault::Shape { .. })
        ));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Whatever single byte of an export is changed, it does not verify, or says the same as before.
    #[test]
    fn no_byte_of_an_export_can_be_changed(at: prop::sample::Index, to: u8) {
        let log = log(0, 6, 3);
        let honest = log.check(&log.heads).unwrap();
        let mut bytes = log.lines.concat().into_bytes();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != to);
        // The key in the header is for people; the verifier brings their own.
        let key_line = log.lines[0].len();
        prop_assume!(at >= key_line);
        bytes[at] = to;
        if let Ok(report) = verify(bytes.as_slice(), &log.key.verify_key(), &log.heads, &[]) {
            // A space between two members, an escape spelled otherwise: the same content.
            prop_assert_eq!((report.first, report.last, report.root), (honest.first, honest.last, honest.root));
        }
    }
}

#[test]
fn roots_are_hashes() {
    let root: Hash = log(0, 1, 1).tree.root();
    assert_eq!(root, leaf_hash(leaf(1).as_bytes()));
}
