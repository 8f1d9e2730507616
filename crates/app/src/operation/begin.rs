//! Beginning an operation, in the transaction of the change that wants it.

use fractal_background::operation::{Kind, job, machine::Machine};
use fractal_store::{Operation, OperationStep, operations};
use fractal_types::{OperationId, OperationState, RuntimeAssetId, StepState, UserId};
use serde_json::Value;

use crate::{Approvals, Error, Result, change::Door};

/// An operation to begin.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    /// Its id, for whatever it holds.
    pub(crate) id: OperationId,
    /// Which kind.
    pub(crate) kind: &'a dyn Kind,
    /// Whose thing it is about.
    pub(crate) owner: UserId,
    /// On which machine surface.
    pub(crate) asset: Option<RuntimeAssetId>,
    /// What the steps are given; no secrets.
    pub(crate) input: Value,
}

impl Door<'_> {
    /// Begins an operation about the thing of this change. It is carried out after the commit.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn begin(&self, wanted: Wanted<'_>) -> Result<Operation> {
        let about = self.resource.id_text().unwrap_or_default();
        self.begin_about(&about, wanted).await
    }

    /// The same about a thing that this change has made.
    ///
    /// # Errors
    ///
    /// When the database fails.
    pub(crate) async fn begin_about(&self, about: &str, wanted: Wanted<'_>) -> Result<Operation> {
        let (app, cx) = (self.app, self.cx);
        let now = app.clock.now();
        let mut row = Operation {
            id: wanted.id,
            organization_id: cx.actor.organization_id,
            user_id: wanted.owner,
            kind: wanted.kind.name().to_owned(),
            resource_kind: self.resource.kind().to_owned(),
            resource_id: about.to_owned(),
            runtime_asset_id: wanted.asset,
            actor: serde_json::to_value(&cx.actor).map_err(Error::internal)?,
            proposal_id: match &cx.approvals {
                Approvals::Given(given) => Some(given.proposal),
                _ => None,
            },
            request_id: cx.request_id.clone(),
            input: wanted.input,
            state: OperationState::Pending,
            stuck_undoing: false,
            step: 0,
            fence: 0,
            cancelled_by: None,
            reason: None,
            created_at: now,
            started_at: None,
            settled_at: None,
        };
        let numbered = wanted.kind.steps().iter().zip(0..);
        let steps = numbered.map(|(step, number)| OperationStep {
            id: app.new_id(),
            operation_id: row.id,
            number,
            name: step.name.to_owned(),
            state: StepState::Pending,
            output: Value::Null,
            error: None,
            attempts: 0,
            started_at: None,
            ended_at: None,
            undone_at: None,
        });
        let mut steps: Vec<_> = steps.collect();
        if !wanted.kind.takes_a_turn() {
            let mut machine = Machine {
                row: &mut row,
                steps: &mut steps,
                kind: wanted.kind.steps(),
                now,
            };
            machine.begin();
        }
        operations::insert(self.tx, &row).await?;
        for step in &steps {
            operations::insert_step(self.tx, step).await?;
        }
        self.enqueue(&job(app.new_id(), row.id, now)).await?;
        self.note_fresh("operation", row.id.to_string());
        self.note_steps(wanted.kind.steps().iter().map(|step| step.name));
        Ok(row)
    }
}
