//! Witnesses: third parties that cosign the heads of the log once they have checked that it only grew. This file manages them; [`ask`]
//! does the asking.
//!
//! A witness is added and removed and never changed: with another key it is another witness, and one that moved is added anew under
//! its new address and says itself which size it cosigned last. What it cosigned stays when it is removed.

pub mod ask;

use async_trait::async_trait;
use fractal_api_types::{AddWitness, Page, PageQuery, WitnessStateView, WitnessView};
use fractal_evidence::WitnessKey;
use fractal_policy::{Action, Resource};
use fractal_store::{Tx, Witness, WitnessOutcome, witnesses};
use fractal_types::{OrganizationId, WitnessId};
use serde_json::json;

use crate::{
    App, Context, Error, Result, address,
    change::{Change, Door, check, submit, taken},
    lookup::{page_of, page_request},
};

const LONGEST_KEY: usize = 512;

fn of(organization: OrganizationId, id: Option<WitnessId>) -> Resource {
    Resource::Witness { id, organization }
}

fn view_of(row: Witness) -> WitnessView {
    WitnessView {
        id: row.id,
        name: row.name,
        url: row.url,
        key: row.verify_key,
        allow_private_network: row.private_network,
        state: match row.outcome {
            None => WitnessStateView::New,
            Some(WitnessOutcome::Cosigned) => WitnessStateView::Cosigned,
            Some(WitnessOutcome::Unreachable) => WitnessStateView::Unreachable,
            Some(WitnessOutcome::Refused) => WitnessStateView::Refused,
            Some(WitnessOutcome::Conflict) => WitnessStateView::Conflict,
            Some(WitnessOutcome::Forged) => WitnessStateView::Forged,
        },
        size: row.size,
        cosigned_at: row.cosigned_at,
        last_error: row.last_error,
        failing_since: row.failing_since,
        next_at: row.next_at,
        created_at: row.created_at,
    }
}

/// The witnesses of the log.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &PageQuery) -> Result<Page<WitnessView>> {
    let organization = cx.actor.organization_id;
    app.require(cx, Action::WitnessView, &of(organization, None))?;
    let page = witnesses::list(&app.store.read(), organization, &page_request(query)?).await?;
    Ok(page_of(page, view_of))
}

/// Adds a witness; it is asked at once.
///
/// # Errors
///
/// Names the field that breaks its rule; `already-exists` for a witness of this name; see [`submit`].
pub async fn add(app: &App, cx: &Context, body: AddWitness) -> Result<WitnessView> {
    let private_network = body.allow_private_network.unwrap_or(false);
    check(
        body.key.len() <= LONGEST_KEY,
        "/key",
        "must be at most 512 characters",
    )?;
    let key: WitnessKey = body
        .key
        .parse()
        .map_err(|why| Error::field("/key", format!("cannot be used: {why}")))?;
    let now = app.clock.now();
    let row = Witness {
        id: app.new_id(),
        organization_id: cx.actor.organization_id,
        name: key.name().to_owned(),
        url: checked_url(&body.url, private_network)?,
        verify_key: key.to_string(),
        private_network,
        size: 0,
        cosigned_at: None,
        outcome: None,
        last_error: None,
        failures: 0,
        failing_since: None,
        next_at: now,
        created_at: now,
    };
    let row = submit(app, cx, Add { row }).await?;
    app.sealer.wake();
    Ok(view_of(row))
}

struct Add {
    row: Witness,
}

#[async_trait]
impl Change for Add {
    type Output = Witness;

    fn action(&self) -> Action {
        Action::WitnessAdd
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(of(self.row.organization_id, None))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Witness> {
        witnesses::insert(door.tx, &self.row)
            .await
            .map_err(|error| taken(error, "a witness of this name"))?;
        door.made(self.row.id);
        note(door, &self.row);
        Ok(self.row.clone())
    }
}

/// A key is no secret: it is in the log, so that nobody can say later that another one was meant. Of the address only the host is,
/// because its path may hold a token.
fn note(door: &Door<'_>, row: &Witness) {
    door.note("name", row.name.as_str());
    door.note("key", row.verify_key.as_str());
    door.note("host", json!(address::host_of(&row.url)));
    door.note("allow_private_network", row.private_network);
}

/// Removes a witness: it is not asked any more. What it cosigned stays with the heads.
///
/// # Errors
///
/// See [`submit`].
pub async fn remove(app: &App, cx: &Context, id: WitnessId) -> Result<()> {
    submit(app, cx, Remove { id }).await
}

struct Remove {
    id: WitnessId,
}

#[async_trait]
impl Change for Remove {
    type Output = ();

    fn action(&self) -> Action {
        Action::WitnessRemove
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = witnesses::find(tx, self.id)
            .await?
            .ok_or_else(Error::not_found)?;
        Ok(of(row.organization_id, Some(self.id)))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<()> {
        let row = witnesses::find(door.tx, self.id)
            .await?
            .ok_or_else(Error::not_found)?;
        witnesses::delete(door.tx, self.id).await?;
        note(door, &row);
        door.note("size", row.size);
        Ok(())
    }
}

/// What the addresses begin with, without a slash at its end.
fn checked_url(text: &str, private_network: bool) -> Result<String> {
    let url = address::checked(
        text,
        private_network,
        "https://witness.example.org/fractal, to which /add-checkpoint is added",
        "witnesses know a log by its signature",
    )?;
    check(
        url.query().is_none() && url.fragment().is_none(),
        "/url",
        "must hold no query and no fragment, because /add-checkpoint is added to it",
    )?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
