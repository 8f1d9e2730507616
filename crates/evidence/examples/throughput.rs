//! Measures the log for `docs/benchmarks.md`: durable appends by many at once, sealing, and verification of a long export.
//!
//! `cargo run --release --example throughput -- FOLDER SECONDS SUBMITTERS ENTRIES` prints one JSON object. The folder gets a
//! database, whose disk is what is measured, and an export of so many entries.

use std::{
    error::Error,
    fs::File,
    io::{BufReader, BufWriter, Write as _},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use fractal_clock::{Clock, Entropy, SystemClock, SystemEntropy, new_id};
use fractal_crypto::SignKey;
use fractal_evidence::{
    Checkpoint, Sealer, SealerOptions,
    export::{Header, checkpoint_line, entry_line},
    leaf,
    merkle::{Frontier, leaf_hash},
    verify::verify,
};
use fractal_store::{EvidenceEntry, NewEntry, OpenOptions, Store, evidence};
use fractal_types::{OrganizationId, Principal, UserId, Via};
use serde_json::json;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Entries of the export between two signed heads, as a busy sealer makes them.
const HEAD_EVERY: u64 = 256;

#[tokio::main]
async fn main() -> Outcome<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seconds, submitters, entries] = words.as_slice() else {
        return Err("usage: throughput FOLDER SECONDS SUBMITTERS ENTRIES".into());
    };
    let folder = Path::new(folder);
    let url = format!("sqlite://{}/log.db", folder.display());
    let store = Store::open(&url, &OpenOptions::new(Arc::new(SystemClock))).await?;
    let organization_id = new_id(&SystemClock, &SystemEntropy);

    let mut took = append(
        &store,
        organization_id,
        seconds.parse()?,
        submitters.parse()?,
    )
    .await?;
    took.sort_unstable();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_micros();
    let per_second = took.len() as f64 / seconds.parse::<f64>()?;

    let key = SignKey::generate("fractal/bench", &SystemEntropy);
    let sealer = Sealer::new(
        store.clone(),
        Arc::new(SystemClock),
        Arc::new(SignKey::generate("fractal/bench", &SystemEntropy)),
        "bench".to_owned(),
        SealerOptions::default(),
    );
    let began = Instant::now();
    let sealed = sealer.seal_all().await?;
    let seal_per_second = sealed as f64 / began.elapsed().as_secs_f64();

    let path = folder.join("export.jsonl");
    let entries: u64 = entries.parse()?;
    let bytes = export(&path, &key, organization_id, entries)?;
    let began = Instant::now();
    let report = verify(
        BufReader::new(File::open(&path)?),
        &key.verify_key(),
        &[],
        &[],
    )?;
    let verify_per_second = report.last as f64 / began.elapsed().as_secs_f64();
    if report.last != entries {
        return Err("the export does not verify to its end".into());
    }
    let told = json!({
        "appends_per_second": per_second, "ack_p50_us": at(0.5), "ack_p99_us": at(0.99),
        "sealed": sealed, "seal_per_second": seal_per_second,
        "verified": entries, "verify_per_second": verify_per_second, "export_bytes": bytes,
    });
    writeln!(std::io::stdout(), "{told}")?;
    Ok(())
}

fn entry(organization_id: OrganizationId, name: &str) -> NewEntry<'_> {
    NewEntry {
        organization_id,
        principal: Principal::User(UserId::from_uuid(uuid_of(7))),
        via: Via::Browser,
        action: "instance.start",
        resource_kind: "instance",
        resource_id: name.to_owned(),
        outcome: "done",
        decision: json!({"allowed": true, "policies": ["own"]}),
        values: vec![("name", json!(name))],
        request_id: None,
    }
}

fn uuid_of(number: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(number)
}

/// How long each append took until it was durable. Each has a transaction of its own, as a change has.
async fn append(
    store: &Store,
    organization_id: OrganizationId,
    seconds: u64,
    submitters: u32,
) -> Outcome<Vec<Duration>> {
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut running = Vec::new();
    for _ in 0..submitters {
        let store = store.clone();
        running.push(tokio::spawn(async move {
            let mut took = Vec::new();
            while Instant::now() < end {
                let began = Instant::now();
                store
                    .tx("bench", async |tx| {
                        let new = entry(organization_id, "inst_bench");
                        evidence::append(&tx, &SystemClock, &SystemEntropy, new).await
                    })
                    .await?;
                took.push(began.elapsed());
            }
            Ok::<_, fractal_store::Error>(took)
        }));
    }
    let mut all = Vec::new();
    for one in running {
        all.extend(one.await??);
    }
    Ok(all)
}

/// Writes an export of so many entries, as the server would.
fn export(
    path: &Path,
    key: &SignKey,
    organization_id: OrganizationId,
    entries: u64,
) -> Outcome<u64> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut tree = Frontier::new(0, Vec::new()).ok_or("an empty tree")?;
    out.write_all(Header::new(&key.verify_key(), &tree).line().as_bytes())?;
    let mut row = EvidenceEntry {
        id: new_id(&SystemClock, &SystemEntropy),
        seq: None,
        organization_id,
        at: SystemClock.now(),
        actor_kind: "user".into(),
        actor_id: UserId::from_uuid(uuid_of(7)).to_string(),
        via: "browser".into(),
        action: "instance.start".into(),
        resource_kind: "instance".into(),
        resource_id: "inst_01jdx000000000000000000000".into(),
        outcome: "done".into(),
        decision: json!({"allowed": true, "policies": ["own"]}),
        commitments: json!({}),
        request_id: None,
    };
    let mut salt = [0; 32];
    for seq in 1..=entries {
        SystemEntropy.fill(&mut salt);
        row.commitments = json!({"name": fractal_evidence::hex(&salt)});
        let leaf = leaf(&row, seq);
        tree.push(leaf_hash(leaf.as_bytes()));
        out.write_all(entry_line(&leaf, &[], &[]).as_bytes())?;
        if seq.is_multiple_of(HEAD_EVERY) || seq == entries {
            let head = Checkpoint {
                origin: key.verify_key().name().to_owned(),
                size: seq,
                root: tree.root(),
            };
            out.write_all(checkpoint_line(&head.sign(key)).as_bytes())?;
        }
    }
    out.flush()?;
    Ok(out.get_ref().metadata()?.len())
}
