//! Operations: what a change sets going and what takes longer than a transaction, as ordered steps with undo.
//!
//! A change begins one at the door ([`Door::begin`](crate::change::Door::begin)), in its own transaction. The executor of
//! `fractal_background` carries it out. Steps set what is wanted and await that it is seen; only the instance reconciler calls a runtime.

mod begin;
mod choose;
mod journal;
mod read;

use std::sync::Arc;

use fractal_background::{
    JobHandler,
    operation::{Executor, Kind, Limits},
};
use fractal_policy::Resource;
use fractal_store::Operation;

pub(crate) use begin::Wanted;
pub(crate) use choose::make;
pub use choose::{cancel, retry, skip, undo};
pub(crate) use read::{is_visible, view_of};
pub use read::{list, view};

use crate::{App, incident, instance, key};

pub use fractal_background::operation::QUEUE;
pub(crate) use fractal_background::operation::machine::Choice;

/// An operation as policies see it.
const fn resource_of(row: &Operation) -> Resource {
    Resource::Operation {
        id: Some(row.id),
        owner: row.user_id,
        organization: row.organization_id,
    }
}

/// Every kind there is.
#[must_use]
pub fn kinds(app: &App) -> Vec<Arc<dyn Kind>> {
    vec![
        Arc::new(instance::Provision::new(app.clone())),
        Arc::new(instance::ChangeEngine::new(app.clone())),
        Arc::new(instance::Delete::new(app.clone())),
        Arc::new(key::Rotation::new(app.clone())),
    ]
}

/// The worker's part.
#[must_use]
pub fn work(app: &App) -> Arc<dyn JobHandler> {
    Arc::new(work_with(app, kinds(app), Limits::default()))
}

/// The same with other kinds or limits, for tests.
#[must_use]
pub fn work_with(app: &App, kinds: Vec<Arc<dyn Kind>>, limits: Limits) -> Executor {
    Executor::new(
        app.store.clone(),
        app.clock.clone(),
        kinds,
        Arc::new(incident::Checked::new(app.clone())),
        Arc::new(journal::Log::new(app.clone())),
        limits,
    )
}
