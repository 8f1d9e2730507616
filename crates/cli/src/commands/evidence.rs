//! `fractal evidence`: what happened, and the proof of it. `verify` needs no server and no account.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write, stdin},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use anyhow::Context;
use fractal_api_types::{EvidenceQuery, EvidenceView, ExportQuery, ProofQuery};
use fractal_evidence::{
    Checkpoint, VerifyKey, WitnessKey,
    merkle::{leaf_hash, verify_inclusion},
    unhex,
    verify::{Known, verify},
};
use fractal_types::Timestamp;
use futures::StreamExt;
use serde_json::json;

use super::Session;
use crate::{
    args::Evidence,
    cells,
    exit::{Advice, UsageError},
    output::{Card, Row, write_out},
    table::Cell,
    text::{printable, relative},
};

/// More in one listing would not be read.
const MOST: u32 = 200;

impl Row for EvidenceView {
    const HEAD: &'static [&'static str] = &["seq", "when", "who", "what", "on", "outcome"];
    const NONE: &'static str = "nothing of that kind is in the log";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        cells![
            self.seq,
            relative(self.at, now),
            who(self),
            &self.action,
            on(self),
            &self.outcome,
        ]
    }
}

impl Card for EvidenceView {
    fn lines(&self, _now: Timestamp) -> Vec<(&'static str, Cell)> {
        let policies = self.decision["policies"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str())
            .collect::<Vec<_>>()
            .join(", ");
        let values = self
            .values
            .iter()
            .map(|(field, value)| format!("{field} = {value}"))
            .chain(
                self.erased
                    .iter()
                    .map(|field| format!("{field} was erased")),
            )
            .collect::<Vec<_>>()
            .join("; ");
        let committed = self.commitments.as_object().map_or(0, |all| all.len());
        vec![
            ("seq", self.seq.to_string().into()),
            ("id", self.id.to_string().into()),
            ("at", self.at.to_string().into()),
            ("who", who(self).into()),
            ("by", self.via.clone().into()),
            ("what", self.action.clone().into()),
            ("on", on(self).into()),
            ("outcome", self.outcome.clone().into()),
            ("policies", policies.into()),
            ("values", values.into()),
            ("commitments", committed.to_string().into()),
            (
                "request",
                self.request_id.clone().unwrap_or_default().into(),
            ),
        ]
    }
}

fn who(entry: &EvidenceView) -> String {
    match &entry.actor_name {
        Some(name) => name.clone(),
        None if entry.actor_id.is_empty() => entry.actor_kind.clone(),
        None => entry.actor_id.clone(),
    }
}

fn on(entry: &EvidenceView) -> String {
    if entry.resource_id.is_empty() {
        entry.resource_kind.clone()
    } else {
        entry.resource_id.clone()
    }
}

pub async fn run(session: &Session, command: Evidence) -> anyhow::Result<()> {
    let out = &session.out;
    match command {
        Evidence::List(args) => {
            let query = EvidenceQuery {
                actor: args.actor,
                action: args.action,
                resource_id: args.on,
                outcome: args.outcome,
                limit: Some(args.number.clamp(1, MOST)),
                ..EvidenceQuery::default()
            };
            out.list(session.client()?.evidence(&query).await?.items)
        }
        Evidence::Show { seq } => out.show(&session.client()?.evidence_at(seq).await?),
        Evidence::Checkpoint { witnessed } => {
            let head = session.client()?.evidence_head().await?;
            if out.json {
                return out.value(&head);
            }
            match (witnessed, head.note, head.witnessed) {
                (true, _, Some(head)) => write_out(&head.note),
                (true, _, None) => Err(Advice::error(
                    "no witness cosigned the log yet",
                    "see `fractal evidence witnesses list`",
                )),
                (false, Some(note), _) => write_out(&note),
                (false, None, _) => Err(Advice::error(
                    "the log holds no sealed entry yet",
                    "try again in a moment",
                )),
            }
        }
        Evidence::Key => {
            let head = session.client()?.evidence_head().await?;
            if out.json {
                return out.value(&json!({"key": head.key}));
            }
            write_out(&format!("{}\n", head.key))
        }
        Evidence::Prove { seq, key } => prove(session, seq, key.as_deref()).await,
        Evidence::Export {
            first,
            values,
            output,
        } => export(session, first, values, output.as_deref()).await,
        Evidence::Watch => watch(session).await,
        Evidence::Verify {
            file,
            key,
            checkpoints,
            witnesses,
        } => check(session, &file, &key, &checkpoints, &witnesses),
        Evidence::Witnesses(command) => super::witnesses::run(session, command).await,
    }
}

/// Fetches the proof and checks it here, with the key that was brought or, failing that, the server's own word for it.
async fn prove(session: &Session, seq: u64, key: Option<&str>) -> anyhow::Result<()> {
    let client = session.client()?;
    let proof = client.evidence_proof(seq, &ProofQuery::default()).await?;
    let key = match key {
        Some(given) => key_of(given)?,
        None => client.evidence_head().await?.key.parse()?,
    };
    let head = Checkpoint::open(&proof.note, &key)?;
    let hashes: Option<Vec<_>> = proof.hashes.iter().map(|hash| unhex(hash)).collect();
    let proven = hashes.is_some_and(|hashes| {
        head.size == proof.size
            && verify_inclusion(
                seq.saturating_sub(1),
                proof.size,
                &leaf_hash(proof.leaf.as_bytes()),
                &hashes,
                &head.root,
            )
    });
    if !proven {
        return Err(Advice::error(
            format!("the proof of entry {seq} does not hold"),
            "export the log and run `fractal evidence verify` on it",
        ));
    }
    session.out.done(
        &proof,
        &format!(
            "entry {seq} is in the signed log of {} entries: {}",
            proof.size, proof.leaf
        ),
    )
}

async fn export(
    session: &Session,
    first: Option<u64>,
    values: bool,
    output: Option<&Path>,
) -> anyhow::Result<()> {
    let query = ExportQuery {
        first,
        values: values.then_some(true),
    };
    let mut pieces = session.client()?.export_evidence(&query).await?;
    let Some(path) = output else {
        let mut out = std::io::stdout().lock();
        while let Some(piece) = pieces.next().await {
            out.write_all(&piece?)?;
        }
        return Ok(());
    };
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    while let Some(piece) = pieces.next().await {
        file.write_all(&piece?)
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    file.sync_all()?;
    session.out.done(
        &json!({"written": path}),
        &format!("wrote {}", path.display()),
    )
}

async fn watch(session: &Session) -> anyhow::Result<()> {
    let mut events = session.client()?.follow_events().await?;
    while let Some(entry) = events.next().await {
        let entry = entry?;
        if session.out.json {
            write_out(&format!("{}\n", serde_json::to_string(&entry)?))?;
        } else {
            let line = format!(
                "{}  {}  {}  {}  {}",
                entry.at,
                who(&entry),
                entry.action,
                on(&entry),
                entry.outcome
            );
            write_out(&format!("{}\n", printable(&line)))?;
        }
    }
    Ok(())
}

/// A key as text, or in a file.
fn key_of(given: &str) -> anyhow::Result<VerifyKey> {
    Ok(key_text(given)?.parse()?)
}

/// The key of a witness as text, or in a file.
pub(super) fn witness_key_of(given: &str) -> anyhow::Result<WitnessKey> {
    Ok(key_text(given)?.parse()?)
}

fn key_text(given: &str) -> anyhow::Result<String> {
    if given.matches('+').count() >= 2 && !Path::new(given).exists() {
        return Ok(given.to_owned());
    }
    std::fs::read_to_string(given).with_context(|| {
        format!("{given} is neither a verification key nor a file that can be read")
    })
}

fn check(
    session: &Session,
    file: &Path,
    key: &str,
    checkpoints: &[std::path::PathBuf],
    witnesses: &[String],
) -> anyhow::Result<()> {
    let key = key_of(key)?;
    let known = checkpoints
        .iter()
        .map(|path| {
            let note = std::fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            Checkpoint::open(&note, &key)
                .with_context(|| format!("{} is no checkpoint of this log", path.display()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let witnesses = witnesses
        .iter()
        .map(|given| witness_key_of(given))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let export: Box<dyn BufRead> = if file == Path::new("-") {
        Box::new(stdin().lock())
    } else if file.is_dir() {
        return Err(anyhow::Error::new(UsageError(format!(
            "{} is a folder",
            file.display()
        ))));
    } else {
        let opened = File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
        Box::new(BufReader::with_capacity(1 << 20, opened))
    };
    let report = verify(export, &key, &known, &witnesses)?;
    let confirmed: Vec<u64> = report
        .known
        .iter()
        .filter_map(|one| match one {
            Known::Confirmed(size) => Some(*size),
            Known::BeforeTheExport(_) => None,
        })
        .collect();
    for one in &report.known {
        if let Known::BeforeTheExport(size) = one {
            eprintln!(
                "the checkpoint of {size} entries lies before this export; export from entry 1 to hold them against each other"
            );
        }
    }
    let remembered = match confirmed.as_slice() {
        [] => "; bring a checkpoint you kept (--checkpoint) to be sure that nothing was cut off its end".to_owned(),
        sizes => format!(
            "; it continues the known checkpoint{} of {} entries",
            if sizes.len() == 1 { "" } else { "s" },
            sizes.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
        ),
    };
    for one in &report.witnessed {
        let printed = printable(&one.name);
        if one.size < report.last {
            eprintln!(
                "{printed} vouches for the entries up to {}; it has not cosigned the {} after them, which only the log's own key signed",
                one.size,
                report.last - one.size
            );
        } else {
            eprintln!("{printed} vouches for all entries up to {}", one.size);
        }
    }
    let witnessed: Vec<_> = report
        .witnessed
        .iter()
        .map(|one| json!({"name": one.name, "size": one.size, "time": one.time}))
        .collect();
    if report.erased > 0 {
        eprintln!(
            "{} values were erased, as the exporter says; their commitments stand, and the entries are whole",
            report.erased
        );
    }
    let entries = (report.last + 1).saturating_sub(report.first);
    session.out.done(
        &json!({
            "verified": true, "first": report.first, "last": report.last, "checkpoints": report.checkpoints,
            "openings": report.openings, "erased": report.erased, "root": fractal_evidence::hex(&report.root), "known": confirmed,
            "witnessed": witnessed,
        }),
        &format!(
            "{entries} entries ({} to {}) are as they were signed, under {} checkpoints; {} opened values fit{remembered}",
            report.first, report.last, report.checkpoints, report.openings
        ),
    )
}
