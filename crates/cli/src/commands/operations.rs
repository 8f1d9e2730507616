//! `fractal operations`, and watching what a command has begun.

use std::{process::ExitCode, time::Duration};

use fractal_api_types::{OperationQuery, OperationStepView, OperationView};
use fractal_client::Client;
use fractal_types::{OperationId, OperationState, StepState, Timestamp};

use super::Session;
use crate::{
    args::{OperationStateArg, Operations},
    cells,
    exit::{Exit, FAILED, WAITING},
    output::{Card, Row},
    prompt,
    table::{Cell, Tone},
    text::{printable, relative},
};

/// How often a watched one is looked at.
const LOOK: Duration = Duration::from_millis(500);

const fn tone(state: OperationState) -> Tone {
    match state {
        OperationState::Done => Tone::Good,
        OperationState::Stuck => Tone::Bad,
        OperationState::Running | OperationState::Undoing => Tone::Attention,
        OperationState::Pending | OperationState::Undone => Tone::Plain,
    }
}

impl Row for OperationView {
    const HEAD: &'static [&'static str] = &["id", "kind", "on", "by", "state", "step", "begun"];
    const NONE: &'static str =
        "there are no operations; a change that takes several steps begins one";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let mut cells = cells![
            self.id,
            &self.kind,
            &self.resource_id,
            by(self),
            self.state,
            step_of(self),
            relative(self.created_at, now),
        ];
        cells[4] = Cell::toned(self.state.as_str(), tone(self.state));
        cells
    }
}

impl Card for OperationView {
    fn lines(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let text = |text: String| Cell::from(text);
        let mut lines = vec![
            ("id", text(self.id.to_string())),
            ("kind", text(self.kind.clone())),
            ("on", text(self.resource_id.clone())),
            ("state", Cell::toned(self.state.as_str(), tone(self.state))),
            ("by", text(by(self))),
            ("begun", text(relative(self.created_at, now))),
        ];
        if let Some(proposal) = self.proposal_id {
            lines.push(("proposal", text(proposal.to_string())));
        }
        for step in &self.steps {
            lines.push(("step", text(words(step, now))));
        }
        if let Some(by) = &self.cancelled_by {
            lines.push(("cancelled by", text(by.clone())));
        }
        if let Some(reason) = &self.reason {
            lines.push(("why", text(reason.clone())));
        }
        lines
    }
}

fn by(view: &OperationView) -> String {
    view.by
        .as_ref()
        .map_or_else(|| "Fractal".to_owned(), |by| by.username.to_string())
}

/// The step that is worked on, of how many.
fn step_of(view: &OperationView) -> String {
    let is_current = |step: &&OperationStepView| {
        matches!(
            step.state,
            StepState::Running | StepState::Undoing | StepState::Failed
        )
    };
    let current = view.steps.iter().find(is_current);
    current.map_or_else(String::new, |step| step.name.clone())
}

fn words(step: &OperationStepView, now: Timestamp) -> String {
    let mut words = format!("{} {}", step.name, step.state);
    let at = step.undone_at.or(step.ended_at).or(step.started_at);
    if let Some(at) = at {
        words.push_str(&format!(", {}", relative(at, now)));
    }
    if let Some(error) = &step.error {
        words.push_str(&format!(": {error}"));
    }
    words
}

pub async fn run(session: &Session, command: Operations) -> anyhow::Result<ExitCode> {
    let client = &session.client()?;
    let out = &session.out;
    let chosen = match command {
        Operations::List { state, mine } => {
            let query = OperationQuery {
                state: state.map(state_of),
                mine: mine.then_some(true),
                limit: Some(200),
                ..OperationQuery::default()
            };
            out.list(all(client, query).await?)?;
            return Ok(ExitCode::SUCCESS);
        }
        Operations::Show(which) => {
            out.show(&client.operation(which.operation).await?)?;
            return Ok(ExitCode::SUCCESS);
        }
        Operations::Watch(which) => return watch(session, client, which.operation).await,
        Operations::Cancel(which) => client.cancel_operation(which.operation).await?,
        Operations::Retry(which) => client.retry_operation(which.operation).await?,
        Operations::Skip { operation, yes } => {
            prompt::confirm("Go on without the step that it got stuck in?", yes)?;
            client.skip_operation(operation).await?
        }
        Operations::Undo(which) => client.undo_operation(which.operation).await?,
    };
    let id = chosen.id;
    out.done(&chosen, &format!("{id} is {}", chosen.state))?;
    Ok(ExitCode::SUCCESS)
}

/// Tells each step as it comes, until it is over; the exit code says how.
pub async fn watch(
    session: &Session,
    client: &Client,
    id: OperationId,
) -> anyhow::Result<ExitCode> {
    let mut told = Vec::new();
    loop {
        let view = client.operation(id).await?;
        if !session.out.json {
            for step in &view.steps {
                let now = (step.name.clone(), step.state);
                if step.state != StepState::Pending && !told.contains(&now) {
                    let why = step.error.as_deref().map(printable).unwrap_or_default();
                    eprintln!("{} {} {why}", step.name, step.state);
                    told.push(now);
                }
            }
        }
        let code = match view.state {
            OperationState::Done => 0,
            OperationState::Undone => FAILED,
            OperationState::Stuck => WAITING,
            _ => {
                tokio::time::sleep(LOOK).await;
                continue;
            }
        };
        let why = view.reason.as_deref().map(printable).unwrap_or_default();
        let sentence = match view.state {
            OperationState::Done => format!("{} is done", view.kind),
            OperationState::Undone => format!("{} was taken back: {why}", view.kind),
            _ => format!("{} is stuck: {why}", view.kind),
        };
        session.out.done(&view, &sentence)?;
        return Ok(Exit(code).into());
    }
}

const fn state_of(state: OperationStateArg) -> OperationState {
    match state {
        OperationStateArg::Pending => OperationState::Pending,
        OperationStateArg::Running => OperationState::Running,
        OperationStateArg::Undoing => OperationState::Undoing,
        OperationStateArg::Done => OperationState::Done,
        OperationStateArg::Undone => OperationState::Undone,
        OperationStateArg::Stuck => OperationState::Stuck,
    }
}

async fn all(client: &Client, mut query: OperationQuery) -> anyhow::Result<Vec<OperationView>> {
    let mut found = Vec::new();
    loop {
        let page = client.operations(&query).await?;
        found.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return Ok(found);
        }
    }
}
