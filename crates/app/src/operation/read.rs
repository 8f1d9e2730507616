//! Looking at operations.

use fractal_api_types::{
    OperationAbilities, OperationQuery, OperationStepView, OperationView, Page, PageQuery,
};
use fractal_background::operation::machine::{Choice, Machine};
use fractal_policy::{Action, Resource};
use fractal_store::{Operation, OperationFilter, OperationStep, Reads, operations};
use fractal_types::{Actor, OperationId};

use super::resource_of;
use crate::{
    App, Context, Error, Result,
    lookup::{page_request, person},
};

/// The operations that the caller may see, newest first.
///
/// # Errors
///
/// Names a parameter that makes no sense; see [`App::require`].
pub async fn list(app: &App, cx: &Context, query: &OperationQuery) -> Result<Page<OperationView>> {
    let organization = cx.actor.organization_id;
    let everything = app.may(
        cx,
        Action::OperationList,
        &Resource::Organization(organization),
    );
    if !everything {
        let own = Resource::Operation {
            id: None,
            owner: cx.user_id()?,
            organization,
        };
        app.require(cx, Action::OperationList, &own)?;
    }
    let own_only = !everything || query.mine.unwrap_or(false);
    let filter = OperationFilter {
        state: query.state,
        user_id: if own_only { Some(cx.user_id()?) } else { None },
        resource_id: query.resource_id.clone(),
    };
    let request = page_request(&PageQuery {
        cursor: query.cursor.clone(),
        limit: query.limit,
    })?;
    let db = app.store.read();
    let page = operations::list(&db, organization, &filter, &request).await?;
    let mut items = Vec::with_capacity(page.items.len());
    for row in page.items {
        // A rule of the installation may keep some from being seen.
        if app.may(cx, Action::OperationView, &resource_of(&row)) {
            items.push(view_of(app, cx, &db, row).await?);
        }
    }
    Ok(Page {
        items,
        next_cursor: page.next_cursor,
    })
}

/// One operation.
///
/// # Errors
///
/// See [`App::require`].
pub async fn view(app: &App, cx: &Context, id: OperationId) -> Result<OperationView> {
    let db = app.store.read();
    let row = operations::find(&db, id)
        .await?
        .ok_or_else(Error::not_found)?;
    app.require(cx, Action::OperationView, &resource_of(&row))?;
    view_of(app, cx, &db, row).await
}

/// Whether the caller may see it, for live events.
pub(crate) async fn is_visible(
    app: &App,
    cx: &Context,
    db: &dyn Reads,
    id: OperationId,
) -> Result<bool> {
    let row = operations::find(db, id).await?;
    Ok(row.is_some_and(|row| app.may(cx, Action::OperationView, &resource_of(&row))))
}

/// As people see it.
pub(crate) async fn view_of(
    app: &App,
    cx: &Context,
    db: &dyn Reads,
    row: Operation,
) -> Result<OperationView> {
    let steps = operations::steps(db, row.id).await?;
    let can = abilities(app, cx, &row, &steps);
    let actor: Option<Actor> = serde_json::from_value(row.actor.clone()).ok();
    let by = person(db, actor.and_then(|actor| actor.user_id())).await?;
    Ok(OperationView {
        id: row.id,
        kind: row.kind,
        state: row.state,
        resource_kind: row.resource_kind,
        resource_id: row.resource_id,
        owner: person(db, row.user_id).await?,
        by,
        proposal_id: row.proposal_id,
        input: row.input,
        steps: steps.into_iter().map(step_view).collect(),
        cancelled_by: row.cancelled_by,
        reason: row.reason,
        can,
        created_at: row.created_at,
        started_at: row.started_at,
        settled_at: row.settled_at,
    })
}

fn step_view(step: OperationStep) -> OperationStepView {
    OperationStepView {
        name: step.name,
        state: step.state,
        output: step.output,
        error: step.error,
        attempts: step.attempts,
        started_at: step.started_at,
        ended_at: step.ended_at,
        undone_at: step.undone_at,
    }
}

fn abilities(
    app: &App,
    cx: &Context,
    row: &Operation,
    steps: &[OperationStep],
) -> OperationAbilities {
    let kinds = super::kinds(app);
    let Some(kind) = kinds.iter().find(|kind| kind.name() == row.kind) else {
        return OperationAbilities::default();
    };
    let open = |choice: &Choice| {
        let (mut row, mut steps) = (row.clone(), steps.to_vec());
        let mut machine = Machine {
            row: &mut row,
            steps: &mut steps,
            kind: kind.steps(),
            now: app.clock.now(),
        };
        machine.choose(choice).is_ok()
    };
    let resource = resource_of(row);
    let resolve = app.may_ask(cx, Action::OperationResolve, &resource);
    let cancel = app.may_ask(cx, Action::OperationCancel, &resource);
    OperationAbilities {
        cancel: cancel && row.cancelled_by.is_none() && open(&Choice::Cancel { by: String::new() }),
        retry: resolve && open(&Choice::Retry),
        skip: resolve && open(&Choice::Skip),
        undo: resolve && open(&Choice::Undo),
    }
}
