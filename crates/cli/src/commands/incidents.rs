//! `fractal incidents`.

use fractal_api_types::{AcknowledgeIncident, CheckView, IncidentQuery, IncidentView};
use fractal_client::Client;
use fractal_types::{IncidentState, Severity, Timestamp};

use super::Session;
use crate::{
    args::{IncidentStateArg, Incidents},
    cells,
    output::{Card, Row},
    table::{Cell, Tone},
    text::relative,
};

const fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Good => Tone::Good,
        Severity::Attention => Tone::Attention,
        Severity::Failed => Tone::Bad,
    }
}

/// How bad one is, or that it is over.
fn how(view: &IncidentView) -> Cell {
    match view.state {
        IncidentState::Open => Cell::toned(view.severity.as_str(), tone(view.severity)),
        IncidentState::Resolved => Cell::from("resolved"),
    }
}

impl Row for IncidentView {
    const HEAD: &'static [&'static str] = &["id", "how bad", "check", "on", "found", "what"];
    const NONE: &'static str = "nothing was found broken";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let mut cells = cells![
            self.id,
            self.severity,
            &self.check,
            &self.resource_id,
            relative(self.opened_at, now),
            &self.finding,
        ];
        cells[1] = how(self);
        cells
    }
}

impl Card for IncidentView {
    fn lines(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let text = |text: &str| Cell::from(text.to_owned());
        let mut lines = vec![
            ("id", text(&self.id.to_string())),
            ("how bad", how(self)),
            ("check", text(&self.check)),
            (
                "on",
                text(&format!("{} {}", self.resource_kind, self.resource_id)),
            ),
            ("what", text(&self.finding)),
        ];
        if let Some(remedy) = &self.remedy {
            lines.push(("remedy", text(remedy)));
        }
        if let Some(patch) = &self.patch {
            lines.push(("done about it", text(patch)));
        }
        lines.push(("found", text(&relative(self.opened_at, now))));
        if let Some(at) = self.resolved_at {
            lines.push(("resolved", text(&relative(at, now))));
        }
        if let Some(by) = &self.acknowledged_by {
            lines.push(("looked after by", text(by.username.as_str())));
        }
        if let Some(note) = &self.note {
            lines.push(("note", text(note)));
        }
        lines
    }
}

impl Row for CheckView {
    const HEAD: &'static [&'static str] = &["check", "found", "how many", "looked", "about"];
    const NONE: &'static str = "there are no checks";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let looked = self
            .looked_at
            .map_or_else(|| "not yet".to_owned(), |at| relative(at, now));
        let mut cells = cells![&self.id, "", self.findings, looked, &self.about];
        cells[1] = match (&self.error, self.outcome) {
            (Some(error), _) => Cell::toned(error.clone(), Tone::Bad),
            (None, Some(outcome)) => Cell::toned(outcome.as_str(), tone(outcome)),
            (None, None) => Cell::from(""),
        };
        cells
    }
}

pub async fn run(session: &Session, command: Incidents) -> anyhow::Result<()> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Incidents::List { state } => {
            let query = IncidentQuery {
                state: state.map(state_of),
                limit: Some(200),
                ..IncidentQuery::default()
            };
            out.list(all(client, query).await?)
        }
        Incidents::Show { incident } => out.show(&client.incident(incident).await?),
        Incidents::Acknowledge { incident, note } => {
            let body = AcknowledgeIncident { note };
            let view = client.acknowledge_incident(incident, &body).await?;
            out.done(&view, &format!("you look after {incident}"))
        }
        Incidents::Checks { run: false } => out.list(client.checks().await?),
        Incidents::Checks { run: true } => out.list(client.run_checks().await?),
    }
}

const fn state_of(state: IncidentStateArg) -> IncidentState {
    match state {
        IncidentStateArg::Open => IncidentState::Open,
        IncidentStateArg::Resolved => IncidentState::Resolved,
    }
}

async fn all(client: &Client, mut query: IncidentQuery) -> anyhow::Result<Vec<IncidentView>> {
    let mut found = Vec::new();
    loop {
        let page = client.incidents(&query).await?;
        found.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return Ok(found);
        }
    }
}
