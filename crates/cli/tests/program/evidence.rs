//! An export of the log, verified away from the server.

use serde_json::{Value, json};

use super::Home;

/// An export of three entries under two heads, of which a witness cosigned the first.
fn witnessed_export(witness: &fractal_evidence::SignKey) -> (String, String) {
    use fractal_evidence::{
        Checkpoint, SignKey, cosignature,
        export::{Header, checkpoint_line, entry_line},
        merkle::{Frontier, leaf_hash},
        note,
    };
    let key = SignKey::generate("fractal/test", &fractal_clock::SeededEntropy::new(1));
    let mut tree = Frontier::default();
    let mut text = Header::new(&key.verify_key(), &tree).line();
    for seq in 1..=3_u64 {
        let leaf = format!("{{\"action\":\"user.create\",\"seq\":{seq},\"via\":\"browser\"}}");
        tree.push(leaf_hash(leaf.as_bytes()));
        text.push_str(&entry_line(&leaf, &[], &[]));
        if seq == 1 {
            continue;
        }
        let head = Checkpoint {
            origin: "fractal/test".to_owned(),
            size: seq,
            root: tree.root(),
        };
        let mut signed = head.sign(&key);
        if seq == 2 {
            let (body, _) = note::split(&signed).unwrap();
            let line = cosignature::cosign(body, 1_700_000_000, witness);
            signed.push_str(&line);
        }
        text.push_str(&checkpoint_line(&signed));
    }
    (text, key.verify_key().to_string())
}

#[tokio::test]
async fn an_export_says_how_far_a_witness_vouches() {
    let server = Home::new().await;
    let generate = |name: &str| {
        fractal_evidence::SignKey::generate(name, &fractal_clock::SeededEntropy::new(2))
    };
    let witness = generate("w.example");
    let (text, key) = witnessed_export(&witness);
    let file = server.folder.path().join("log.jsonl");
    std::fs::write(&file, text).unwrap();
    let kept = server.folder.path().join("witness");
    std::fs::write(&kept, witness.witness_key().to_string()).unwrap();
    let (file, kept) = (file.to_str().unwrap(), kept.to_str().unwrap());
    let base = ["evidence", "verify", file, "--key", &key];
    let verify = async |more: &[&str]| server.run(&[&base, more].concat()).await;

    let said = verify(&["--witness", kept]).await;
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said.status.success(), "{words}");
    assert!(
        words.contains("w.example vouches for the entries up to 2")
            && words.contains("the 1 after them"),
        "{words}"
    );
    let said = verify(&["--witness", kept, "--json"]).await;
    let told: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(
        told["witnessed"],
        json!([{"name": "w.example", "size": 2, "time": 1_700_000_000}])
    );
    let stranger = generate("other.example").witness_key().to_string();
    let said = verify(&["--witness", kept, "--witness", &stranger]).await;
    assert!(!said.status.success());
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(words.contains("cosigned by other.example"), "{words}");
    // A key that signs logs is no witness's.
    assert!(!verify(&["--witness", &key]).await.status.success());
}
