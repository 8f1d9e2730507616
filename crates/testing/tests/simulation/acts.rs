//! What people do: the use cases, asked of one process, which may die over it.

use std::sync::{Arc, Mutex, PoisonError};

use fractal_api_types::{ChangeEngine, CreateInstance, UpdateInstance};
use fractal_app::{App, Context, Error, instance, operation};
use fractal_store::{Instance, Operation, PageRequest, instances, operations};
use fractal_types::{InstanceId, OperationId, OperationState};

use crate::{plane::Ground, stage::Life};

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Create,
    CreateStopped,
    Start,
    Stop,
    Restart,
    Rename,
    ChangeEngine,
    Delete,
    DeleteKeepingFiles,
    Cancel,
    Retry,
    Skip,
    Undo,
}

/// What is done in the first place, and then more often than the rest.
pub const DEEDS: &[Deed] = &[
    Deed::Create,
    Deed::Create,
    Deed::CreateStopped,
    Deed::Start,
    Deed::Start,
    Deed::Stop,
    Deed::Stop,
    Deed::Restart,
    Deed::Rename,
    Deed::ChangeEngine,
    Deed::ChangeEngine,
    Deed::ChangeEngine,
    Deed::Delete,
    Deed::DeleteKeepingFiles,
    Deed::Cancel,
    Deed::Cancel,
    Deed::Retry,
    Deed::Skip,
    Deed::Undo,
];

/// What was told a person: it is done, or begun.
#[derive(Debug, Clone)]
pub struct Acknowledged {
    pub deed: Deed,
    /// As the log names it.
    pub action: &'static str,
    pub resource_id: String,
    pub instance: Option<InstanceId>,
    pub operation: Option<OperationId>,
}

/// Everything that people were told.
#[derive(Debug, Default)]
pub struct Told(Mutex<Vec<Acknowledged>>);

impl Told {
    pub fn all(&self) -> Vec<Acknowledged> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// Somebody at one process.
pub struct Act {
    pub ground: Arc<Ground>,
    pub told: Arc<Told>,
    pub outside: App,
    pub app: App,
    pub life: Life,
    pub person: usize,
    pub deed: Deed,
}

impl Act {
    /// Does it; what comes back is noted, and an error is no promise.
    pub async fn perform(self) {
        let person = &self.ground.template.people[self.person];
        let stage = &self.ground.stage;
        let who = format!("{} at {}", person.name, self.life.0);
        let outcome = match self.app.authenticate_session(&person.token).await {
            Ok(Some(cx)) => self.attempt(&cx).await,
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        match outcome {
            Ok(Some(done)) => {
                stage.tell(format_args!(
                    "  {who}: {:?} of {} is acknowledged",
                    self.deed, done.resource_id
                ));
                self.told
                    .0
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(done);
            }
            Ok(None) => stage.tell(format_args!(
                "  {who}: {:?}, but there is nothing",
                self.deed
            )),
            Err(error) => stage.tell(format_args!(
                "  {who}: {:?} fails: {}{}",
                self.deed,
                error.code.as_str(),
                error
                    .detail
                    .as_deref()
                    .map_or_else(String::new, |detail| format!(", {detail}"))
            )),
        }
    }

    async fn attempt(&self, cx: &Context) -> Result<Option<Acknowledged>, Error> {
        match self.deed {
            Deed::Create | Deed::CreateStopped => self.create(cx).await.map(Some),
            Deed::Cancel | Deed::Retry | Deed::Skip | Deed::Undo => self.choose(cx).await,
            _ => match self.agent(cx).await? {
                Some(row) => self.change(cx, &row).await.map(Some),
                None => Ok(None),
            },
        }
    }

    async fn create(&self, cx: &Context) -> Result<Acknowledged, Error> {
        let number = self.ground.stage.draw(|chance| chance.below(6));
        let engine = self
            .ground
            .stage
            .draw(|chance| chance.below(self.ground.template.engines.len()));
        let body = CreateInstance {
            name: format!("agent {number}").parse().expect("a label"),
            engine_id: Some(self.ground.template.engines[engine].0),
            start: Some(self.deed == Deed::Create),
        };
        let (view, operation) = instance::create(&self.app, cx, body).await?;
        Ok(Acknowledged {
            deed: self.deed,
            action: "instance.create",
            resource_id: view.id.to_string(),
            instance: Some(view.id),
            operation,
        })
    }

    /// One of their agents.
    async fn agent(&self, cx: &Context) -> Result<Option<Instance>, Error> {
        let db = self.outside.store.read();
        let request = PageRequest {
            limit: 200,
            ..PageRequest::default()
        };
        let own = instances::list(
            &db,
            self.outside.organization_id,
            cx.actor.user_id(),
            &request,
        )
        .await?
        .items;
        if own.is_empty() {
            return Ok(None);
        }
        let place = self.ground.stage.draw(|chance| chance.below(own.len()));
        Ok(own.into_iter().nth(place))
    }

    async fn change(&self, cx: &Context, row: &Instance) -> Result<Acknowledged, Error> {
        let (app, id) = (&self.app, row.id);
        let mut operation = None;
        let action = match self.deed {
            Deed::Start => {
                instance::start(app, cx, id).await?;
                "instance.start"
            }
            Deed::Stop => {
                instance::stop(app, cx, id).await?;
                "instance.stop"
            }
            Deed::Restart => {
                instance::restart(app, cx, id).await?;
                "instance.restart"
            }
            Deed::Rename => {
                let number = self.ground.stage.draw(|chance| chance.below(1_000));
                let body = UpdateInstance {
                    name: Some(format!("named {number}").parse().expect("a label")),
                    ..UpdateInstance::default()
                };
                instance::update(app, cx, id, body).await?;
                "instance.configure"
            }
            Deed::ChangeEngine => {
                let engines = &self.ground.template.engines;
                let other = engines.iter().find(|(engine, _)| *engine != row.engine_id);
                let body = ChangeEngine {
                    engine_id: other.expect("there are two").0,
                };
                let view = instance::change_engine(app, cx, id, body).await?;
                operation = Some(view.id);
                "instance.change_engine"
            }
            Deed::DeleteKeepingFiles | Deed::Delete => {
                let keeps = self.deed == Deed::DeleteKeepingFiles;
                let view = instance::delete(app, cx, id, keeps).await?;
                operation = view.operation_id;
                "instance.delete"
            }
            other => unreachable!("{other:?} is not about an agent"),
        };
        Ok(Acknowledged {
            deed: self.deed,
            action,
            resource_id: id.to_string(),
            instance: Some(id),
            operation,
        })
    }

    /// Chooses for one of the operations that are not over.
    async fn choose(&self, cx: &Context) -> Result<Option<Acknowledged>, Error> {
        let all = every_operation(&self.outside).await?;
        let open: Vec<&Operation> = all
            .iter()
            .filter(|one| {
                !one.state.is_settled()
                    && (self.deed == Deed::Cancel || one.state == OperationState::Stuck)
            })
            .collect();
        if open.is_empty() {
            return Ok(None);
        }
        let place = self.ground.stage.draw(|chance| chance.below(open.len()));
        let (app, id) = (&self.app, open[place].id);
        let (action, view) = match self.deed {
            Deed::Cancel => ("operation.cancel", operation::cancel(app, cx, id).await?),
            Deed::Retry => ("operation.resolve", operation::retry(app, cx, id).await?),
            Deed::Skip => ("operation.resolve", operation::skip(app, cx, id).await?),
            _ => ("operation.resolve", operation::undo(app, cx, id).await?),
        };
        Ok(Some(Acknowledged {
            deed: self.deed,
            action,
            resource_id: view.id.to_string(),
            instance: None,
            operation: Some(view.id),
        }))
    }
}

/// Every operation there is.
pub async fn every_operation(app: &App) -> Result<Vec<Operation>, Error> {
    let request = PageRequest {
        limit: 200,
        ..PageRequest::default()
    };
    let filter = fractal_store::OperationFilter::default();
    let db = app.store.read();
    Ok(
        operations::list(&db, app.organization_id, &filter, &request)
            .await?
            .items,
    )
}
