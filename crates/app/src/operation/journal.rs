//! What happens to operations, in the log: every step, every undo and every end, each in the transaction of what it tells.

use async_trait::async_trait;
use fractal_background::operation::{Event, Journal};
use fractal_store::{NewEntry, Operation, Tx, evidence};
use fractal_types::{Principal, Via};
use serde_json::{Value, json};

use crate::App;

/// Appends to the log of a house.
#[derive(Debug)]
pub(super) struct Log {
    app: App,
}

impl Log {
    pub(super) const fn new(app: App) -> Self {
        Self { app }
    }
}

/// One thing that happened, as an entry of the log: the action, the outcome, and values.
fn words(event: &Event) -> (&'static str, &'static str, Vec<(&'static str, Value)>) {
    match event {
        Event::StepDone { step, output } => (
            "operation.step",
            "done",
            vec![("step", json!(step)), ("output", output.clone())],
        ),
        Event::StepFailed { step, why } => (
            "operation.step",
            "failed",
            vec![("step", json!(step)), ("reason", json!(why))],
        ),
        Event::StepUndone { step } => ("operation.step", "undone", vec![("step", json!(step))]),
        Event::StepSkipped { step } => ("operation.step", "skipped", vec![("step", json!(step))]),
        Event::Undoing { why } => ("operation.undo", "begun", vec![("reason", json!(why))]),
        Event::Done => ("operation.settle", "done", Vec::new()),
        Event::Undone => ("operation.settle", "undone", Vec::new()),
        Event::Stuck { why } => ("operation.settle", "stuck", vec![("reason", json!(why))]),
    }
}

/// Writes one, and counts the ends.
pub(super) async fn note(
    app: &App,
    tx: &Tx,
    operation: &Operation,
    event: &Event,
) -> fractal_store::Result<()> {
    let (action, outcome, mut values) = words(event);
    values.push(("kind", json!(operation.kind)));
    values.push(("about", json!(operation.resource_id)));
    values.push(("fence", json!(operation.fence)));
    if action == "operation.settle" {
        metrics::counter!("fractal_operations_total", "kind" => operation.kind.clone(), "outcome" => outcome)
            .increment(1);
        // Verified by what looks at everything, also after a failure.
        app.checks.look_soon();
    }
    let entry = NewEntry {
        organization_id: operation.organization_id,
        principal: Principal::System,
        via: Via::Internal,
        action,
        resource_kind: "operation",
        resource_id: operation.id.to_string(),
        outcome,
        decision: json!({}),
        values,
        request_id: operation.request_id.clone(),
    };
    evidence::append(tx, &*app.clock, &*app.entropy, entry).await?;
    Ok(())
}

#[async_trait]
impl Journal for Log {
    async fn note(
        &self,
        tx: &Tx,
        operation: &Operation,
        event: &Event,
    ) -> fractal_store::Result<()> {
        note(&self.app, tx, operation, event).await
    }

    fn written(&self) {
        self.app.sealer.wake();
    }
}
