//! `fractal webhooks`.

use fractal_api_types::{
    CreateWebhook, DeliveryQuery, DeliveryStateView, DeliveryView, NewWebhook, UpdateWebhook,
    WebhookView,
};
use fractal_client::{Client, collect_pages};
use fractal_types::{Timestamp, WebhookId};

use super::{Session, by_name};
use crate::{
    args::{DeliveryStateArg, Webhooks},
    cells,
    exit::Advice,
    output::{Row, write_out},
    prompt,
    table::Cell,
    text::{printable, relative, relative_or},
};

impl Row for WebhookView {
    const HEAD: &'static [&'static str] = &[
        "id", "name", "url", "events", "state", "waiting", "dead", "last",
    ];
    const NONE: &'static str =
        "there are no webhooks; make one with `fractal webhooks create NAME URL`";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let state = match (self.enabled, &self.last_error) {
            (false, _) => "off".to_owned(),
            (true, Some(why)) => why.clone(),
            (true, None) => "fine".to_owned(),
        };
        cells![
            self.id,
            &self.name,
            &self.url,
            self.events.join(", "),
            state,
            self.waiting,
            self.dead,
            relative_or(self.last_delivered_at, now, "never"),
        ]
    }
}

impl Row for DeliveryView {
    const HEAD: &'static [&'static str] = &[
        "id", "seq", "event", "on", "state", "attempts", "next", "why",
    ];
    const NONE: &'static str = "nothing was sent to it yet";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let state = match self.state {
            DeliveryStateView::Pending => "waiting",
            DeliveryStateView::Delivered => "taken",
            DeliveryStateView::Dead => "given up",
        };
        cells![
            self.id,
            self.seq,
            &self.event,
            &self.resource,
            state,
            self.attempts,
            self.next_at.map(|at| relative(at, now)).unwrap_or_default(),
            self.last_error.clone().unwrap_or_default(),
        ]
    }
}

pub async fn run(session: &Session, command: Webhooks) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Webhooks::List => out.list(all(client).await?),
        Webhooks::Create {
            name,
            address,
            events,
            allow_private_network,
        } => {
            let body = CreateWebhook {
                name,
                url: address,
                events: (!events.is_empty()).then_some(events),
                allow_private_network: allow_private_network.then_some(true),
            };
            once(session, &client.create_webhook(&body).await?)
        }
        Webhooks::Update {
            webhook,
            name,
            address,
            events,
            enabled,
            allow_private_network,
        } => {
            let id = find(client, &webhook).await?;
            let body = UpdateWebhook {
                name,
                url: address,
                events: (!events.is_empty()).then_some(events),
                enabled,
                allow_private_network,
            };
            let view = client.update_webhook(id, &body).await?;
            out.done(&view, "the webhook was changed")
        }
        Webhooks::RotateSecret { webhook } => {
            let id = find(client, &webhook).await?;
            once(session, &client.rotate_webhook_secret(id).await?)
        }
        Webhooks::Test { webhook } => {
            let id = find(client, &webhook).await?;
            let told = client.test_webhook(id).await?;
            if out.json || told.ok {
                let sentence = format!("it took the test message in {} ms", told.latency_ms);
                return out.done(&told, &sentence);
            }
            Err(Advice::error(
                told.error
                    .unwrap_or_else(|| "it did not take the test message".to_owned()),
                "check the address, and that the receiver is up and verifies with the right secret",
            ))
        }
        Webhooks::Deliveries { webhook, state } => {
            let id = find(client, &webhook).await?;
            let query = DeliveryQuery {
                state: state.map(|state| match state {
                    DeliveryStateArg::Pending => DeliveryStateView::Pending,
                    DeliveryStateArg::Delivered => DeliveryStateView::Delivered,
                    DeliveryStateArg::Dead => DeliveryStateView::Dead,
                }),
                limit: Some(100),
                ..DeliveryQuery::default()
            };
            out.list(client.webhook_deliveries(id, &query).await?.items)
        }
        Webhooks::Replay { webhook, delivery } => {
            let id = find(client, &webhook).await?;
            let row = client.replay_webhook_delivery(id, delivery).await?;
            out.done(&row, "it is on its way once more")
        }
        Webhooks::Delete { webhook, yes } => {
            let id = find(client, &webhook).await?;
            prompt::confirm("Delete the webhook with what is on its way to it?", yes)?;
            client.delete_webhook(id).await?;
            out.done_nothing("the webhook is gone");
            Ok(())
        }
    }
}

async fn all(client: &Client) -> anyhow::Result<Vec<WebhookView>> {
    Ok(collect_pages(None, |page| async move { client.webhooks(&page).await }).await?)
}

async fn find(client: &Client, wanted: &str) -> anyhow::Result<WebhookId> {
    if let Ok(id) = wanted.parse() {
        return Ok(id);
    }
    let found = by_name("webhook", wanted, all(client).await?, |hook| {
        hook.name.as_str()
    })?;
    Ok(found.id)
}

/// The secret alone on standard output, so that it can be piped into a secret store.
fn once(session: &Session, made: &NewWebhook) -> anyhow::Result<()> {
    if session.out.json {
        return session.out.value(made);
    }
    eprintln!(
        "webhook {} ({}); its messages are signed with this secret, which is shown only now:",
        printable(made.webhook.name.as_str()),
        made.webhook.id
    );
    write_out(&format!("{}\n", printable(&made.secret)))
}
