//! Incidents: what checks find broken, from the finding to its end.
//!
//! One registry of checks ([`checks`]) is looked through again and again ([`look`]). A finding opens an incident; what can be done about it
//! at once without harm is done and told as its patch; when it is not found any more it is resolved. All of it stands in the log, so that
//! webhooks tell it and lists change by themselves. People only say that they look after one.

pub mod checks;
mod guard;
mod look;
mod machine;

use async_trait::async_trait;
use fractal_api_types::{
    AcknowledgeIncident, CheckView, IncidentQuery, IncidentView, Page, PageQuery,
};
use fractal_policy::{Action, Resource};
use fractal_store::{Incident, IncidentFilter, Reads, Tx, incidents};
use fractal_types::{IncidentId, IncidentState};

pub(crate) use guard::{Checked, obstacle};
pub use look::{Board, look, run};

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, check, submit},
    lookup::{page_request, person},
};

/// The most characters of a note.
const LONGEST_NOTE: usize = 500;

/// An incident as policies see it.
const fn resource_of(row: &Incident) -> Resource {
    Resource::Incident {
        id: Some(row.id),
        owner: row.user_id,
        organization: row.organization_id,
    }
}

/// The incidents that the caller may see, newest first.
///
/// # Errors
///
/// Names a parameter that makes no sense; see [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &IncidentQuery) -> Result<Page<IncidentView>> {
    let organization = cx.actor.organization_id;
    let everything = app.may(
        cx,
        Action::IncidentList,
        &Resource::Organization(organization),
    );
    if !everything {
        let own = Resource::Incident {
            id: None,
            owner: Some(cx.user_id()?),
            organization,
        };
        app.require(cx, Action::IncidentList, &own)?;
    }
    let filter = IncidentFilter {
        state: query.state,
        user_id: if everything {
            None
        } else {
            Some(cx.user_id()?)
        },
        resource_id: query.resource_id.clone(),
    };
    let request = page_request(&PageQuery {
        cursor: query.cursor.clone(),
        limit: query.limit,
    })?;
    let db = app.store.read();
    let page = incidents::list(&db, organization, &filter, &request).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        // A rule of the installation may keep some from being seen.
        if app.may(cx, Action::IncidentView, &resource_of(&row)) {
            items.push(view_of(app, cx, &db, row).await?);
        }
    }
    Ok(Page {
        items,
        next_cursor: page.next_cursor,
    })
}

/// One incident.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, id: IncidentId) -> Result<IncidentView> {
    let db = app.store.read();
    let row = incidents::find(&db, id)
        .await?
        .ok_or_else(Error::not_found)?;
    app.require(cx, Action::IncidentView, &resource_of(&row))?;
    view_of(app, cx, &db, row).await
}

/// Whether the caller may see it, for live events.
pub(crate) async fn is_visible(
    app: &App,
    cx: &Context,
    db: &dyn Reads,
    id: IncidentId,
) -> Result<bool> {
    let row = incidents::find(db, id).await?;
    Ok(row.is_some_and(|row| app.may(cx, Action::IncidentView, &resource_of(&row))))
}

/// Says that the caller looks after it.
///
/// # Errors
///
/// `conflict` when it is resolved; names the field that breaks its rule; see [`submit`].
pub async fn acknowledge(
    app: &App,
    cx: &Context,
    id: IncidentId,
    body: AcknowledgeIncident,
) -> Result<IncidentView> {
    let note = body.note.map(|text| text.trim().to_owned());
    let note = note.filter(|text| !text.is_empty());
    check(
        note.as_ref()
            .is_none_or(|text| text.chars().count() <= LONGEST_NOTE),
        "/note",
        "is longer than 500 characters",
    )?;
    let row = submit(app, cx, Acknowledge { id, note }).await?;
    view_of(app, cx, &app.store.read(), row).await
}

struct Acknowledge {
    id: IncidentId,
    note: Option<String>,
}

#[async_trait]
impl Change for Acknowledge {
    type Output = Incident;

    fn action(&self) -> Action {
        Action::IncidentAcknowledge
    }

    async fn resource(&self, tx: &Tx, _cx: &Context) -> Result<Resource> {
        let row = incidents::find(tx, self.id)
            .await?
            .ok_or_else(Error::not_found)?;
        Ok(resource_of(&row))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Incident> {
        let mut row = incidents::get(door.tx, self.id).await?;
        if row.state == IncidentState::Resolved {
            return Err(Error::conflict("it is resolved already"));
        }
        row.acknowledged_by = Some(door.cx.user_id()?);
        row.acknowledged_at = Some(door.app.clock.now());
        row.note.clone_from(&self.note);
        incidents::update(door.tx, &row).await?;
        door.note("note", self.note.clone());
        Ok(row)
    }
}

/// The checks, with what each found last.
///
/// # Errors
///
/// See [`App::require`].
pub fn list_checks(app: &App, cx: &Context) -> Result<Vec<CheckView>> {
    let everything = Resource::Organization(cx.actor.organization_id);
    app.require(cx, Action::CheckView, &everything)?;
    Ok(app.checks.views())
}

/// Looks at everything now.
///
/// # Errors
///
/// See [`App::require`].
pub async fn run_checks(app: &App, cx: &Context) -> Result<Vec<CheckView>> {
    let everything = Resource::Organization(cx.actor.organization_id);
    app.require(cx, Action::CheckRun, &everything)?;
    look(app).await;
    Ok(app.checks.views())
}

async fn view_of(app: &App, cx: &Context, db: &dyn Reads, row: Incident) -> Result<IncidentView> {
    let can_acknowledge = row.state == IncidentState::Open
        && app.may_ask(cx, Action::IncidentAcknowledge, &resource_of(&row));
    Ok(IncidentView {
        id: row.id,
        check: row.check_id,
        severity: row.severity,
        state: row.state,
        finding: row.finding,
        remedy: row.remedy,
        patch: row.patch,
        attempts: row.attempts,
        resource_kind: row.resource_kind,
        resource_id: row.resource_id,
        owner: person(db, row.user_id).await?,
        acknowledged_by: person(db, row.acknowledged_by).await?,
        acknowledged_at: row.acknowledged_at,
        note: row.note,
        can_acknowledge,
        opened_at: row.opened_at,
        seen_at: row.seen_at,
        resolved_at: row.resolved_at,
    })
}
