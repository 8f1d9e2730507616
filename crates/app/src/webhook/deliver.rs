//! Telling webhooks what happens: a reader of the log with a cursor per webhook, and its deliveries.
//!
//! At least once, and in order for each thing: of several entries about one thing only the oldest is tried. What keeps failing is
//! given up after [`MOST_ATTEMPTS`] and can be replayed; then the next about that thing goes on. A message carries ids and words of the
//! house and no values, so it holds nothing that a person could object to. One process at a time delivers, under a lease; an
//! attempt whose outcome was lost with a process is made again, with the same id.

use std::time::Duration;

use fractal_api_types::WebhookTest;
use fractal_background::Backoff;
use fractal_clock::random;
use fractal_connect::{AddressRule, Limits, OutboundError};
use fractal_crypto::webhook_signature;
use fractal_store::{
    DeliveryState, EvidenceEntry, Tx, Webhook, WebhookDelivery, evidence, evidence_tree, leases,
    webhooks,
};
use fractal_types::{Timestamp, WebhookId};
use futures::{StreamExt, stream};
use http::{HeaderName, HeaderValue};
use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use super::place;
use crate::{App, Context, Error, Result};

/// Attempts before an entry is given up: about a day of them.
pub const MOST_ATTEMPTS: u32 = 30;

const BACKOFF: Backoff = Backoff {
    first: Duration::from_secs(5),
    longest: Duration::from_secs(3600),
};

const LEASE: &str = "webhooks";
const LEASE_SPAN: Duration = Duration::from_secs(60);

/// Entries read at once for one webhook.
const CHUNK: u32 = 200;

/// Messages of one webhook on their way at once. Each is about another thing.
const AT_ONCE: usize = 8;

/// How often it is looked without being woken.
const LOOK: Duration = Duration::from_secs(30);

/// How long what was taken stays on the list.
const KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// A receiver answers quickly or is asked again.
const LIMITS: Limits = Limits {
    first_byte: Duration::from_secs(10),
    idle: Duration::from_secs(5),
    total: Some(Duration::from_secs(15)),
    body: 16 << 10,
};

/// The name of a webhook's cursor in the log.
#[must_use]
pub(super) fn cursor_of(id: WebhookId) -> String {
    format!("webhook:{id}")
}

/// Delivers for ever; woken by what is sealed.
pub async fn run(app: App) {
    let holder = fractal_evidence::hex(&random::<8>(&*app.entropy));
    let mut sealed = app.sealer.watch();
    loop {
        let wait = match work(&app, &holder).await {
            Ok(next) => next.map_or(LOOK, |at| at.since(app.clock.now()).min(LOOK)),
            Err(error) => {
                tracing::warn!("webhooks could not be told and are tried again: {error}");
                LOOK
            }
        };
        tokio::select! {
            () = app.clock.sleep(wait) => {}
            changed = sealed.changed() => if changed.is_err() { return },
        }
    }
}

/// Does all that is due now; when there is more to do. `holder` tells this process from others.
///
/// # Errors
///
/// When the database fails. A receiver that fails is no error.
pub async fn work(app: &App, holder: &str) -> Result<Option<Timestamp>> {
    loop {
        let now = app.clock.now();
        let held = app
            .store
            .tx("webhooks.lease", async |tx: Tx| {
                Ok::<_, Error>(
                    leases::acquire(&tx, LEASE, holder, now, LEASE_SPAN)
                        .await?
                        .is_some(),
                )
            })
            .await?;
        if !held {
            return Ok(Some(now.after(LEASE_SPAN)));
        }
        let mut busy = false;
        for hook in webhooks::list_enabled(&app.store.read()).await? {
            busy |= fan_out(app, &hook).await?;
            busy |= deliver_due(app, &hook).await?;
        }
        if !busy {
            break;
        }
    }
    let before = app.clock.now().before(KEPT);
    app.store
        .tx("webhooks.forget", async |tx: Tx| {
            webhooks::delete_delivered_before(&tx, before).await
        })
        .await?;
    Ok(webhooks::next_due(&app.store.read()).await?)
}

/// Puts the next sealed entries on their way; whether there were any.
async fn fan_out(app: &App, hook: &Webhook) -> Result<bool> {
    let name = cursor_of(hook.id);
    let now = app.clock.now();
    app.store
        .tx("webhooks.fan_out", async |tx: Tx| {
            let after = evidence_tree::cursor(&tx, &name).await?.unwrap_or(0);
            let organization = Some(hook.organization_id);
            let entries = evidence::list_sealed(&tx, organization, after, CHUNK).await?;
            let Some(last) = entries.last().and_then(|entry| entry.seq) else {
                return Ok(false);
            };
            let rows: Vec<WebhookDelivery> = entries
                .iter()
                .filter(|entry| concerns(hook, entry))
                .map(|entry| WebhookDelivery {
                    id: app.new_id(),
                    webhook_id: hook.id,
                    seq: entry.seq.unwrap_or_default(),
                    event: entry.action.clone(),
                    resource: format!("{}:{}", entry.resource_kind, entry.resource_id),
                    state: DeliveryState::Pending,
                    attempts: 0,
                    next_at: now,
                    last_status: None,
                    last_error: None,
                    created_at: now,
                    done_at: None,
                })
                .collect();
            webhooks::enqueue(&tx, &rows).await?;
            evidence_tree::set_cursor(&tx, &name, last, now).await?;
            Ok::<_, Error>(true)
        })
        .await
}

/// Whether a webhook is told of an entry. Of its own troubles it is not: they would go on for ever.
fn concerns(hook: &Webhook, entry: &EvidenceEntry) -> bool {
    let about_itself = entry.action == "webhook.dead" && entry.resource_id == hook.id.to_string();
    !about_itself
        && hook.events.iter().any(|event| {
            event == "*"
                || *event == entry.action
                || (event.ends_with('.') && entry.action.starts_with(event.as_str()))
        })
}

/// Tries what is due once; whether anything was.
async fn deliver_due(app: &App, hook: &Webhook) -> Result<bool> {
    let due = webhooks::due(&app.store.read(), hook.id, app.clock.now(), CHUNK).await?;
    if due.is_empty() {
        return Ok(false);
    }
    let secret = secret_of(app, hook).await?;
    let outcomes: Vec<Result<()>> = stream::iter(due)
        .map(|delivery| attempt(app, hook, &secret, delivery))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    outcomes.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(true)
}

async fn secret_of(app: &App, hook: &Webhook) -> Result<SecretString> {
    let (owner, id) = (hook.organization_id.to_string(), hook.id.to_string());
    app.keys
        .open(&app.store.read(), place(&owner, &id), &hook.secret)
        .await
}

async fn attempt(
    app: &App,
    hook: &Webhook,
    secret: &SecretString,
    mut delivery: WebhookDelivery,
) -> Result<()> {
    let entry = evidence::find_at(&app.store.read(), delivery.seq)
        .await?
        .ok_or_else(|| Error::internal("a sealed entry is missing"))?;
    let told = send(app, hook, secret, &entry.id.to_string(), &message(&entry)).await;
    let now = app.clock.now();
    delivery.attempts += 1;
    delivery.last_status = told.status;
    delivery.last_error = told.error.clone();
    match &told.error {
        None => {
            delivery.state = DeliveryState::Delivered;
            delivery.done_at = Some(now);
        }
        Some(_) if delivery.attempts >= MOST_ATTEMPTS => {
            delivery.state = DeliveryState::Dead;
            delivery.done_at = Some(now);
        }
        Some(_) => {
            delivery.next_at = now.after(BACKOFF.spread(delivery.attempts, &*app.entropy));
        }
    }
    let word = match delivery.state {
        DeliveryState::Pending => "failed",
        other => other.as_str(),
    };
    metrics::counter!("fractal_webhook_deliveries_total", "outcome" => word).increment(1);
    let written = app
        .store
        .tx("webhooks.outcome", async |tx: Tx| {
            webhooks::update_delivery(&tx, &delivery).await?;
            webhooks::note_outcome(
                &tx,
                hook.id,
                delivery.last_status,
                delivery.last_error.as_deref(),
                now,
            )
            .await
        })
        .await;
    match written {
        // Deleted meanwhile, and its deliveries with it.
        Err(fractal_store::Error::NotFound { .. }) => return Ok(()),
        other => other?,
    }
    if delivery.state == DeliveryState::Dead {
        let values = vec![
            ("seq", json!(delivery.seq)),
            ("attempts", json!(delivery.attempts)),
        ];
        app.record(
            &Context::system(hook.organization_id),
            "webhook.dead",
            "webhook",
            hook.id.to_string(),
            "failed",
            json!({}),
            values,
        )
        .await?;
    }
    Ok(())
}

/// What a receiver is told of an entry.
fn message(entry: &EvidenceEntry) -> Value {
    json!({
        "type": entry.action,
        "timestamp": entry.at,
        "data": {
            "id": entry.id,
            "seq": entry.seq,
            "organization_id": entry.organization_id,
            "actor": {"kind": entry.actor_kind, "id": entry.actor_id},
            "resource": {"kind": entry.resource_kind, "id": entry.resource_id},
            "outcome": entry.outcome,
            "request_id": entry.request_id,
        },
    })
}

struct Told {
    status: Option<u16>,
    /// None when it was taken.
    error: Option<String>,
}

async fn send(app: &App, hook: &Webhook, secret: &SecretString, id: &str, body: &Value) -> Told {
    let failed = |error: String| Told {
        status: None,
        error: Some(error),
    };
    let body = body.to_string();
    let second = app.clock.now().as_millis().div_euclid(1000);
    let Some(signature) = webhook_signature(secret, id, second, body.as_bytes()) else {
        return failed("its secret is damaged; give it a new one".to_owned());
    };
    let Ok(url) = Url::parse(&hook.url) else {
        return failed("its address is not a valid one".to_owned());
    };
    let rule = if hook.private_network {
        AddressRule::PRIVATE
    } else {
        AddressRule::PUBLIC
    };
    let mut request = app.outbound.post("webhook", url, rule);
    for (name, value) in [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", second.to_string()),
        ("webhook-signature", signature),
    ] {
        // Ids, digits and base64 always fit into a header.
        if let Ok(value) = HeaderValue::from_str(&value) {
            request = request.header(HeaderName::from_static(name), value);
        }
    }
    match request.json(body).limits(LIMITS).send().await {
        Ok(answer) => {
            let status = answer.status();
            Told {
                status: Some(status.as_u16()),
                // A redirect is not followed: the receiver moved, and somebody should know.
                error: (!status.is_success()).then(|| format!("it answered {status}")),
            }
        }
        Err(error) => failed(words(&error)),
    }
}

fn words(error: &OutboundError) -> String {
    error.to_string()
}

/// Sends a message that says no more than that it is a test.
pub(super) async fn test(app: &App, hook: &Webhook) -> Result<WebhookTest> {
    let secret = secret_of(app, hook).await?;
    let began = app.clock.now();
    let id = format!(
        "test_{}",
        fractal_evidence::hex(&random::<8>(&*app.entropy))
    );
    let body = json!({
        "type": "webhook.test",
        "timestamp": began,
        "data": {"organization_id": hook.organization_id, "resource": {"kind": "webhook", "id": hook.id}},
    });
    let told = send(app, hook, &secret, &id, &body).await;
    Ok(WebhookTest {
        ok: told.error.is_none(),
        status: told.status,
        latency_ms: u64::try_from(app.clock.now().since(began).as_millis()).unwrap_or(u64::MAX),
        error: told.error,
    })
}
