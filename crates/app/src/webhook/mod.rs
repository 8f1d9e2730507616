//! Webhooks: addresses that are told what happens. This file manages them; [`deliver`] does the telling.

pub mod deliver;

use async_trait::async_trait;
use fractal_api_types::{
    CreateWebhook, DeliveryQuery, DeliveryStateView, DeliveryView, NewWebhook, Page, PageQuery,
    UpdateWebhook, WebhookTest, WebhookView,
};
use fractal_crypto::{Place, webhook_secret};
use fractal_policy::{Action, Resource};
use fractal_store::{
    DeliveryState, Reads, Tx, Webhook, WebhookDelivery, evidence, evidence_tree, webhooks,
};
use fractal_types::{DeliveryId, OrganizationId, Timestamp, WebhookId};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::{
    App, Context, Error, Result, address,
    change::{Change, Door, check, submit, taken},
    lookup::{page_of, page_request},
};

/// Everything.
const ALL: &str = "*";
const MOST_EVENTS: usize = 50;

fn of(organization: OrganizationId, id: Option<WebhookId>) -> Resource {
    Resource::Webhook { id, organization }
}

async fn load(app: &App, db: &dyn Reads, cx: &Context, id: WebhookId) -> Result<Webhook> {
    let row = webhooks::find(db, id).await?.ok_or_else(Error::not_found)?;
    app.require(
        cx,
        Action::WebhookView,
        &of(row.organization_id, Some(row.id)),
    )?;
    Ok(row)
}

async fn view_of(db: &dyn Reads, row: Webhook) -> Result<WebhookView> {
    Ok(WebhookView {
        waiting: webhooks::count_deliveries(db, row.id, DeliveryState::Pending).await?,
        dead: webhooks::count_deliveries(db, row.id, DeliveryState::Dead).await?,
        id: row.id,
        name: row.name,
        url: row.url,
        events: row.events,
        enabled: row.enabled,
        allow_private_network: row.private_network,
        last_status: row.last_status,
        last_error: row.last_error,
        last_delivered_at: row.last_delivered_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// The webhooks of the installation.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &PageQuery) -> Result<Page<WebhookView>> {
    let organization = cx.actor.organization_id;
    app.require(cx, Action::WebhookView, &of(organization, None))?;
    let db = app.store.read();
    let page = webhooks::list(&db, organization, &page_request(query)?).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        items.push(view_of(&db, row).await?);
    }
    Ok(Page {
        items,
        next_cursor: page.next_cursor,
    })
}

/// One webhook.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, id: WebhookId) -> Result<WebhookView> {
    let db = app.store.read();
    let row = load(app, &db, cx, id).await?;
    view_of(&db, row).await
}

/// Makes a webhook. Its secret is shown this once.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn create(app: &App, cx: &Context, body: CreateWebhook) -> Result<NewWebhook> {
    let private_network = body.allow_private_network.unwrap_or(false);
    let secret = webhook_secret(&*app.entropy);
    let now = app.clock.now();
    let row = Webhook {
        id: app.new_id(),
        organization_id: cx.actor.organization_id,
        name: body.name,
        url: checked_url(&body.url, private_network)?,
        events: checked_events(body.events.unwrap_or_else(|| vec![ALL.to_owned()]))?,
        secret: Vec::new(),
        enabled: true,
        private_network,
        last_status: None,
        last_error: None,
        last_delivered_at: None,
        created_at: now,
        updated_at: now,
    };
    let change = Create {
        row,
        secret: &secret,
    };
    let row = submit(app, cx, change).await?;
    Ok(NewWebhook {
        webhook: view_of(&app.store.read(), row).await?,
        secret: secret.expose_secret().to_owned(),
    })
}

struct Create<'a> {
    row: Webhook,
    secret: &'a SecretString,
}

#[async_trait]
impl Change for Create<'_> {
    type Output = Webhook;

    fn action(&self) -> Action {
        Action::WebhookCreate
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(of(self.row.organization_id, None))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Webhook> {
        let mut row = self.row.clone();
        row.secret = seal(door, &row, self.secret).await?;
        webhooks::insert(door.tx, &row)
            .await
            .map_err(|error| taken(error, "the name"))?;
        begin_now(door.tx, row.id, row.created_at).await?;
        door.made(row.id);
        note(door, &row);
        Ok(row)
    }
}

/// It is told what is sealed from now on.
async fn begin_now(tx: &Tx, id: WebhookId, now: Timestamp) -> Result<()> {
    let newest = evidence::latest_seq(tx).await?;
    evidence_tree::set_cursor(tx, &deliver::cursor_of(id), newest, now).await?;
    Ok(())
}

async fn seal(door: &Door<'_>, row: &Webhook, secret: &SecretString) -> Result<Vec<u8>> {
    let (owner, id) = (row.organization_id.to_string(), row.id.to_string());
    let app = door.app;
    app.keys
        .seal(
            door.tx,
            &*app.clock,
            &*app.entropy,
            place(&owner, &id),
            secret,
        )
        .await
}

const fn place<'a>(owner: &'a str, row: &'a str) -> Place<'a> {
    Place {
        owner,
        table: "webhooks",
        column: "secret",
        row,
    }
}

/// The address may hold a token of the receiver, so the log names its host only.
fn note(door: &Door<'_>, row: &Webhook) {
    door.note("name", row.name.as_str());
    door.note("host", json!(address::host_of(&row.url)));
    door.note("events", json!(row.events));
    door.note("enabled", row.enabled);
    door.note("allow_private_network", row.private_network);
}

/// Changes a webhook.
///
/// # Errors
///
/// Names the field that breaks its rule; see [`submit`].
pub async fn update(
    app: &App,
    cx: &Context,
    id: WebhookId,
    body: UpdateWebhook,
) -> Result<WebhookView> {
    let row = load(app, &app.store.read(), cx, id).await?;
    let private_network = body.allow_private_network.unwrap_or(row.private_network);
    // Judged together: an address that was fine may not be without the permission.
    let url = checked_url(body.url.as_deref().unwrap_or(&row.url), private_network)?;
    let change = Update {
        id,
        name: body.name,
        url,
        events: body.events.map(checked_events).transpose()?,
        enabled: body.enabled,
        private_network,
        now: app.clock.now(),
    };
    let row = submit(app, cx, change).await?;
    app.sealer.wake();
    view_of(&app.store.read(), row).await
}

struct Update {
    id: WebhookId,
    name: Option<fractal_types::Label>,
    url: String,
    events: Option<Vec<String>>,
    enabled: Option<bool>,
    private_network: bool,
    now: Timestamp,
}

async fn resource_of(tx: &Tx, id: WebhookId) -> Result<Resource> {
    let row = webhooks::find(tx, id).await?.ok_or_else(Error::not_found)?;
    Ok(of(row.organization_id, Some(id)))
}

#[async_trait]
impl Change for Update {
    type Output = Webhook;

    fn action(&self) -> Action {
        Action::WebhookUpdate
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        resource_of(tx, self.id).await
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Webhook> {
        let mut row = webhooks::get(door.tx, self.id).await?;
        if let Some(name) = &self.name {
            row.name = name.clone();
        }
        row.url.clone_from(&self.url);
        if let Some(events) = &self.events {
            row.events.clone_from(events);
        }
        if let Some(enabled) = self.enabled {
            if enabled && !row.enabled {
                begin_now(door.tx, row.id, self.now).await?;
            }
            row.enabled = enabled;
        }
        row.private_network = self.private_network;
        row.updated_at = self.now;
        webhooks::update(door.tx, &row)
            .await
            .map_err(|error| taken(error, "the name"))?;
        note(door, &row);
        Ok(row)
    }
}

/// Gives a webhook a new secret, shown this once. What is sent from now on is signed with it.
///
/// # Errors
///
/// See [`submit`].
pub async fn rotate_secret(app: &App, cx: &Context, id: WebhookId) -> Result<NewWebhook> {
    let secret = webhook_secret(&*app.entropy);
    let change = RotateSecret {
        id,
        secret: &secret,
        now: app.clock.now(),
    };
    let row = submit(app, cx, change).await?;
    Ok(NewWebhook {
        webhook: view_of(&app.store.read(), row).await?,
        secret: secret.expose_secret().to_owned(),
    })
}

struct RotateSecret<'a> {
    id: WebhookId,
    secret: &'a SecretString,
    now: Timestamp,
}

#[async_trait]
impl Change for RotateSecret<'_> {
    type Output = Webhook;

    fn action(&self) -> Action {
        Action::WebhookUpdate
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        resource_of(tx, self.id).await
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Webhook> {
        let mut row = webhooks::get(door.tx, self.id).await?;
        row.secret = seal(door, &row, self.secret).await?;
        row.updated_at = self.now;
        webhooks::update(door.tx, &row).await?;
        door.note("secret", "replaced");
        Ok(row)
    }
}

/// Deletes a webhook with what is on its way to it.
///
/// # Errors
///
/// See [`submit`].
pub async fn delete(app: &App, cx: &Context, id: WebhookId) -> Result<()> {
    submit(app, cx, Delete { id }).await
}

struct Delete {
    id: WebhookId,
}

#[async_trait]
impl Change for Delete {
    type Output = ();

    fn action(&self) -> Action {
        Action::WebhookDelete
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        resource_of(tx, self.id).await
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        let row = webhooks::get(door.tx, self.id).await?;
        webhooks::delete(door.tx, self.id).await?;
        evidence_tree::delete_cursor(door.tx, &deliver::cursor_of(self.id)).await?;
        door.note("name", row.name.as_str());
        Ok(())
    }
}

/// What is on its way to a webhook, and what became of it, newest first.
///
/// # Errors
///
/// See [`App::require`].
pub async fn deliveries(
    app: &App,
    cx: &Context,
    id: WebhookId,
    query: &DeliveryQuery,
) -> Result<Page<DeliveryView>> {
    let db = app.store.read();
    load(app, &db, cx, id).await?;
    let request = page_request(&PageQuery {
        cursor: query.cursor.clone(),
        limit: query.limit,
    })?;
    let state = query.state.map(|state| match state {
        DeliveryStateView::Pending => DeliveryState::Pending,
        DeliveryStateView::Delivered => DeliveryState::Delivered,
        DeliveryStateView::Dead => DeliveryState::Dead,
    });
    let page = webhooks::list_deliveries(&db, id, state, &request).await?;
    Ok(page_of(page, delivery_view))
}

fn delivery_view(row: WebhookDelivery) -> DeliveryView {
    DeliveryView {
        id: row.id,
        seq: row.seq,
        event: row.event,
        resource: row.resource,
        state: match row.state {
            DeliveryState::Pending => DeliveryStateView::Pending,
            DeliveryState::Delivered => DeliveryStateView::Delivered,
            DeliveryState::Dead => DeliveryStateView::Dead,
        },
        attempts: row.attempts,
        next_at: (row.state == DeliveryState::Pending).then_some(row.next_at),
        last_status: row.last_status,
        last_error: row.last_error,
        created_at: row.created_at,
        done_at: row.done_at,
    }
}

/// Sends an entry once more: one that was given up, or that the receiver lost.
///
/// # Errors
///
/// `conflict` while it is on its way anyhow; see [`submit`].
pub async fn replay(
    app: &App,
    cx: &Context,
    id: WebhookId,
    delivery: DeliveryId,
) -> Result<DeliveryView> {
    let change = Replay {
        id,
        delivery,
        now: app.clock.now(),
    };
    let row = submit(app, cx, change).await?;
    Ok(delivery_view(row))
}

struct Replay {
    id: WebhookId,
    delivery: DeliveryId,
    now: Timestamp,
}

#[async_trait]
impl Change for Replay {
    type Output = WebhookDelivery;

    fn action(&self) -> Action {
        Action::WebhookReplay
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        resource_of(tx, self.id).await
    }

    async fn apply(&self, door: &Door<'_>) -> Result<WebhookDelivery> {
        let mut row = webhooks::find_delivery(door.tx, self.id, self.delivery)
            .await?
            .ok_or_else(Error::not_found)?;
        if row.state == DeliveryState::Pending {
            return Err(Error::conflict("it is on its way already"));
        }
        row.state = DeliveryState::Pending;
        row.attempts = 0;
        row.next_at = self.now;
        row.done_at = None;
        webhooks::update_delivery(door.tx, &row).await?;
        door.note("seq", row.seq);
        Ok(row)
    }
}

/// Sends a test message now and says how it was taken.
///
/// # Errors
///
/// See [`App::require`].
pub async fn test(app: &App, cx: &Context, id: WebhookId) -> Result<WebhookTest> {
    let db = app.store.read();
    let row = load(app, &db, cx, id).await?;
    app.require(
        cx,
        Action::WebhookUpdate,
        &of(row.organization_id, Some(row.id)),
    )?;
    deliver::test(app, &row).await
}

fn checked_url(text: &str, private_network: bool) -> Result<String> {
    let example = "https://example.org/hooks/fractal";
    let url = address::checked(
        text,
        private_network,
        example,
        "messages are signed instead",
    )?;
    Ok(url.into())
}

fn checked_events(events: Vec<String>) -> Result<Vec<String>> {
    check(
        !events.is_empty() && events.len() <= MOST_EVENTS,
        "/events",
        "must name 1 to 50 actions",
    )?;
    for (place, event) in events.iter().enumerate() {
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        };
        let valid = event == ALL
            || event.strip_suffix('.').is_some_and(word)
            || event
                .split_once('.')
                .is_some_and(|(noun, verb)| word(noun) && word(verb));
        check(
            valid && event.len() <= 64,
            &format!("/events/{place}"),
            "must be an action like instance.start, a kind like instance., or *",
        )?;
    }
    Ok(events)
}
