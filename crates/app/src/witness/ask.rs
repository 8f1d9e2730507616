//! Asking witnesses to cosign the newest head, as C2SP tlog-witness has it.
//!
//! A reader like others: it waits for heads and blocks nothing. A witness is asked at most once in the interval of the settings,
//! with doubling pauses while it fails; a head that was overtaken meanwhile is not asked for any more. Only what verifies is kept. One process
//! at a time asks, under a lease.

use std::time::Duration;

use fractal_background::Backoff;
use fractal_clock::random;
use fractal_connect::{AddressRule, Limits};
use fractal_evidence::{
    WitnessKey,
    cosignature::{self, CosignatureError},
    hex, note,
    witness::{ADD_CHECKPOINT, SIZE_TYPE, read_size, request},
};
use fractal_store::{
    CosignatureRow, EvidenceCheckpoint, Lease, Tx, Witness, WitnessOutcome, evidence_tree, leases,
    witnesses,
};
use fractal_types::Timestamp;
use futures::{StreamExt, stream};
use http::{HeaderValue, StatusCode, header};
use url::Url;

use crate::{App, Error, Result};

const LEASE: &str = "witnesses";
const LEASE_SPAN: Duration = Duration::from_secs(60);

/// No pause between two tries is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Witnesses asked at once.
const AT_ONCE: usize = 8;

/// How often it is looked without being woken.
const LOOK: Duration = Duration::from_secs(30);

/// An answer is one or a few lines.
const LIMITS: Limits = Limits {
    first_byte: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    total: Some(Duration::from_secs(15)),
    body: 16 << 10,
};

/// Asks for ever; woken by what is sealed.
pub async fn run(app: App) {
    let holder = hex(&random::<8>(&*app.entropy));
    let mut sealed = app.sealer.watch();
    loop {
        let wait = match work(&app, &holder).await {
            Ok(next) => next.map_or(LOOK, |at| at.since(app.clock.now()).min(LOOK)),
            Err(error) => {
                tracing::warn!("witnesses could not be asked and are asked again: {error}");
                LOOK
            }
        };
        tokio::select! {
            () = app.clock.sleep(wait) => {}
            changed = sealed.changed() => if changed.is_err() { return },
        }
    }
}

/// Asks whom it is due to ask now; when the next is due, `None` while every witness has cosigned the newest head. `holder` tells this
/// process from others.
///
/// # Errors
///
/// When the database fails. A witness that fails is no error.
pub async fn work(app: &App, holder: &str) -> Result<Option<Timestamp>> {
    let Some(round) = Round::now(app).await? else {
        return Ok(None);
    };
    if round.due.is_empty() {
        return Ok(round.next);
    }
    let now = app.clock.now();
    let lease = app
        .store
        .tx("witnesses.lease", async |tx: Tx| {
            let lease = leases::acquire(&tx, LEASE, holder, now, LEASE_SPAN).await?;
            Ok::<_, Error>(lease)
        })
        .await?;
    let Some(lease) = lease else {
        return Ok(Some(now.after(LEASE_SPAN)));
    };
    // Again, now that nobody else asks: whoever asked last may have got further.
    let Some(round) = Round::now(app).await? else {
        return Ok(None);
    };
    let asked: Vec<Result<Option<Timestamp>>> = stream::iter(round.due)
        .map(|row| attempt(app, &lease, row, &round.head))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let again = asked
        .into_iter()
        .collect::<Result<Vec<Option<Timestamp>>>>()?;
    Ok(round
        .next
        .into_iter()
        .chain(again.into_iter().flatten())
        .min())
}

/// The newest head, who is to be asked for it, and when somebody else is.
struct Round {
    head: EvidenceCheckpoint,
    due: Vec<Witness>,
    next: Option<Timestamp>,
}

impl Round {
    /// `None` where nothing is sealed yet.
    async fn now(app: &App) -> Result<Option<Self>> {
        let db = app.store.read();
        let Some(head) = evidence_tree::latest_checkpoint(&db).await? else {
            return Ok(None);
        };
        let (now, interval) = (app.clock.now(), interval(app));
        let waiting = witnesses::list_all(&db).await?.into_iter();
        let waiting = waiting.filter(|row| row.size != head.size || row.failures > 0);
        let (due, others): (Vec<_>, Vec<_>) = waiting.partition(|row| due_at(row, interval) <= now);
        Ok(Some(Self {
            head,
            due,
            next: others.iter().map(|row| due_at(row, interval)).min(),
        }))
    }
}

fn interval(app: &App) -> Duration {
    Duration::from_secs(u64::from(app.settings().witness_interval_seconds))
}

/// When it is to be asked next: a shorter interval counts at once.
fn due_at(row: &Witness, interval: Duration) -> Timestamp {
    match row.cosigned_at {
        Some(at) if row.failures == 0 => row.next_at.min(at.after(interval)),
        _ => row.next_at,
    }
}

/// What came of asking.
#[derive(Debug)]
enum Answered {
    /// A cosignature that fits, of the head of this size.
    Cosigned(Box<Cosigned>),
    Failed(WitnessOutcome, String),
    /// Another process had a newer head cosigned meanwhile: no other history. It is asked for the newest one.
    Overtaken,
}

#[derive(Debug)]
struct Cosigned {
    size: u64,
    key: WitnessKey,
    cosignature: cosignature::Cosignature,
}

fn failed(outcome: WitnessOutcome, why: impl Into<String>) -> Answered {
    Answered::Failed(outcome, why.into())
}

/// Asks one witness and notes what came of it; when it is to be asked for this head once more.
async fn attempt(
    app: &App,
    lease: &Lease,
    mut row: Witness,
    head: &EvidenceCheckpoint,
) -> Result<Option<Timestamp>> {
    let answered = ask(app, &row, head).await?;
    let (now, interval) = (app.clock.now(), interval(app));
    let (outcome, kept) = match answered {
        Answered::Overtaken => return Ok(Some(now)),
        Answered::Cosigned(cosigned) => {
            row.size = cosigned.size;
            row.cosigned_at = Some(now);
            row.last_error = None;
            row.failures = 0;
            row.failing_since = None;
            row.next_at = now.after(interval);
            (WitnessOutcome::Cosigned, Some(row_of(&cosigned)))
        }
        Answered::Failed(outcome, why) => {
            let backoff = Backoff {
                first: interval,
                longest: LONGEST_PAUSE.max(interval),
            };
            row.failures = row.failures.saturating_add(1);
            row.failing_since = row.failing_since.or(Some(now));
            row.next_at = now.after(backoff.spread(row.failures, &*app.entropy));
            if row.last_error.as_ref() != Some(&why) {
                tracing::warn!(witness = row.name, "a witness did not cosign: {why}");
            }
            row.last_error = Some(why);
            (outcome, None)
        }
    };
    row.outcome = Some(outcome);
    metrics::counter!("fractal_witness_asks_total", "outcome" => outcome.as_str()).increment(1);
    app.store
        .tx("witnesses.outcome", async |tx: Tx| {
            // One that was removed meanwhile was somebody's witness when it was asked: what it said is true all the same.
            if let Some(kept) = &kept {
                witnesses::put_cosignature(&tx, kept).await?;
            }
            // Whoever took longer than the lease knows less than who has it now.
            match leases::check(&tx, lease, app.clock.now()).await {
                Ok(()) => witnesses::note_outcome(&tx, &row).await,
                Err(fractal_store::Error::LeaseLost { .. }) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await?;
    Ok((row.failures > 0).then_some(row.next_at))
}

/// Whether the log has that many entries by now.
async fn reaches(app: &App, size: u64) -> Result<bool> {
    let newest = evidence_tree::latest_checkpoint(&app.store.read()).await?;
    Ok(newest.is_some_and(|newest| newest.size >= size))
}

fn row_of(cosigned: &Cosigned) -> CosignatureRow {
    let micros = i64::try_from(cosigned.cosignature.time)
        .ok()
        .and_then(|seconds| seconds.checked_mul(1_000_000))
        .unwrap_or(i64::MAX);
    CosignatureRow::new(
        cosigned.size,
        cosigned.key.name(),
        &hex(&cosigned.key.id()),
        cosigned.cosignature.line.clone(),
        Timestamp::from_micros(micros),
    )
}

/// Asks from the size that it cosigned last as far as we know, and once more from the size that it names itself.
async fn ask(app: &App, row: &Witness, head: &EvidenceCheckpoint) -> Result<Answered> {
    let (Ok(key), Ok(url)) = (
        row.verify_key.parse::<WitnessKey>(),
        Url::parse(&format!("{}/{ADD_CHECKPOINT}", row.url)),
    ) else {
        return Ok(failed(
            WitnessOutcome::Refused,
            "its stored key or address is damaged; remove it and add it again",
        ));
    };
    // A log that is shorter than what it cosigned (a database that was put back) cannot be proven from there; asked from its own end,
    // the witness says which size it holds.
    let mut old = row.size.min(head.size);
    for again in [true, false] {
        let proof = fractal_evidence::consistency(&app.store.read(), old, head.size)
            .await
            .map_err(Error::internal)?;
        let body = request(old, &proof, &head.note);
        let (status, size, answer) = match send(app, row, url.clone(), body).await {
            Ok(told) => told,
            Err(why) => return Ok(failed(WitnessOutcome::Unreachable, why)),
        };
        if status == StatusCode::CONFLICT
            && let Some(size) = size
            && size != old
            && size <= head.size
            && again
        {
            if size < row.size {
                tracing::warn!(
                    witness = row.name,
                    "a witness says that it cosigned {size} entries, and it cosigned {}: it lost what it knew",
                    row.size
                );
            }
            old = size;
            continue;
        }
        if status == StatusCode::CONFLICT
            && let Some(size) = size
            && size > head.size
            && reaches(app, size).await?
        {
            return Ok(Answered::Overtaken);
        }
        return Ok(judge(&key, head, old, status, size, &answer));
    }
    Ok(failed(
        WitnessOutcome::Refused,
        "it names another size every time it is asked",
    ))
}

type Told = (StatusCode, Option<u64>, String);

async fn send(
    app: &App,
    row: &Witness,
    url: Url,
    body: String,
) -> std::result::Result<Told, String> {
    let rule = if row.private_network {
        AddressRule::PRIVATE
    } else {
        AddressRule::PUBLIC
    };
    let answer = app
        .outbound
        .post("witness", url, rule)
        .header(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        )
        .body(body)
        .limits(LIMITS)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let status = answer.status();
    let names_size = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.split(';').next().unwrap_or("").trim() == SIZE_TYPE);
    let bytes = answer.bytes().await.map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let size = names_size.then(|| read_size(&text)).flatten();
    Ok((status, size, text))
}

/// What an answer says. The other side's own words are left out: they are for its operator.
fn judge(
    key: &WitnessKey,
    head: &EvidenceCheckpoint,
    old: u64,
    status: StatusCode,
    size: Option<u64>,
    answer: &str,
) -> Answered {
    use WitnessOutcome::{Conflict, Forged, Refused, Unreachable};

    match status {
        StatusCode::OK => match cosigned(key, head, answer) {
            Ok(cosigned) => Answered::Cosigned(Box::new(cosigned)),
            Err(CosignatureError::Forged(_)) => failed(
                Forged,
                "it answered with a cosignature that its key did not give; is it still the same witness?",
            ),
            Err(CosignatureError::Missing(_)) => failed(
                Refused,
                "it answered without a cosignature by its key; remove it and add it with the key it publishes",
            ),
            Err(CosignatureError::Shape(_)) => failed(
                Refused,
                "its answer holds no lines of signatures; is this the address of a witness?",
            ),
        },
        StatusCode::CONFLICT => match size {
            Some(size) if size > head.size => failed(
                Conflict,
                format!(
                    "it has cosigned {size} entries of this log, and there are {}: the log was cut, or the database put back to an earlier state",
                    head.size
                ),
            ),
            Some(size) if size == head.size && size == old => failed(
                Conflict,
                format!(
                    "it has cosigned another history of {size} entries: this log was rewritten"
                ),
            ),
            None if old == head.size => failed(
                Conflict,
                format!("it has cosigned another history of {old} entries: this log was rewritten"),
            ),
            Some(_) => failed(Refused, "it names another size every time it is asked"),
            None => failed(
                Refused,
                "it holds another size than it was asked from and does not say which",
            ),
        },
        StatusCode::UNPROCESSABLE_ENTITY => failed(
            Conflict,
            format!(
                "it does not take the log of {} entries for a continuation of the {old} that it cosigned: one of the two was rewritten",
                head.size
            ),
        ),
        StatusCode::NOT_FOUND => failed(
            Refused,
            "it does not know this log; have its operator add the log's key (`fractal evidence key`), and check the address",
        ),
        StatusCode::FORBIDDEN => failed(
            Refused,
            "it knows this log under another key; have its operator add the key that `fractal evidence key` prints",
        ),
        other if other.is_server_error() || other == StatusCode::TOO_MANY_REQUESTS => {
            failed(Unreachable, format!("it answered {other}"))
        }
        other => failed(
            Refused,
            format!("it answered {other}; is this the address of a witness?"),
        ),
    }
}

fn cosigned(
    key: &WitnessKey,
    head: &EvidenceCheckpoint,
    answer: &str,
) -> std::result::Result<Cosigned, CosignatureError> {
    let (text, _) = note::split(&head.note).map_err(CosignatureError::Shape)?;
    Ok(Cosigned {
        size: head.size,
        key: key.clone(),
        cosignature: cosignature::find(text, answer, key)?,
    })
}
