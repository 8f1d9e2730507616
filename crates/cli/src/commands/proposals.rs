//! `fractal proposals`, and what a command says whose change waits for approval.

use std::{fmt::Write as _, process::ExitCode, time::Duration};

use fractal_api_types::{
    ApproveProposal, DryRun, ProposalQuery, ProposalRequest, ProposalView, RejectProposal,
};
use fractal_client::Client;
use fractal_types::{ProposalId, ProposalState, Timestamp, Verdict};
use serde_json::Value;

use super::Session;
use crate::{
    args::{ProposalStateArg, Proposals},
    cells,
    exit::{Exit, FAILED, WAITING},
    output::{Card, Row, write_out},
    prompt,
    table::Cell,
    text::{printable, relative},
};

/// How long `approve` watches what it set going.
const WATCHED: Duration = Duration::from_secs(60);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(300);

impl Row for ProposalView {
    const HEAD: &'static [&'static str] = &["id", "action", "on", "by", "state", "needs", "asked"];
    const NONE: &'static str =
        "there are no proposals; a change that a rule wants approved becomes one";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        cells![
            self.id,
            &self.action,
            thing(self),
            self.requester.username.as_str(),
            self.state,
            needs(self),
            relative(self.created_at, now),
        ]
    }
}

impl Card for ProposalView {
    fn lines(&self, now: Timestamp) -> Vec<(&'static str, Cell)> {
        let mut lines = vec![
            ("id", cell(self.id)),
            ("state", cell(self.state)),
            ("action", cell(&self.action)),
            ("on", cell(thing(self))),
            ("asked by", cell(self.requester.username.as_str())),
            ("asked", cell(relative(self.created_at, now))),
            ("needs", cell(needs(self))),
            ("because of", cell(self.policies.join(", "))),
        ];
        if let Some(request) = &self.request {
            lines.push((
                "call",
                cell(format!("{} {}", request.method, request.address)),
            ));
            lines.push(("asked for", cell(fields(request))));
        }
        match &self.simulation {
            Some(would) => lines.push(("would set", cell(values(would)))),
            None => lines.push(("would set", cell("private to who asked"))),
        }
        for vote in &self.votes {
            let by = vote
                .by
                .as_ref()
                .map_or("somebody who is deleted", |by| by.username.as_str());
            let verdict = match vote.verdict {
                Verdict::Approve => "approved",
                Verdict::Reject => "rejected",
            };
            let mut words = format!("{by} ({}) {verdict} it", vote.role);
            if !vote.comment.is_empty() {
                let _ = write!(words, ": {}", vote.comment);
            }
            lines.push(("said", cell(words)));
        }
        if let Some(reason) = &self.reason {
            lines.push(("why", cell(reason)));
        }
        if self.state == ProposalState::Open {
            lines.push(("ends", cell(relative(self.expires_at, now))));
        }
        lines.push(("digest", cell(&self.digest)));
        lines
    }
}

fn cell(value: impl ToString) -> Cell {
    Cell::from(value.to_string())
}

fn thing(view: &ProposalView) -> String {
    view.resource_name
        .clone()
        .or_else(|| view.resource_id.clone())
        .unwrap_or_else(|| view.resource_kind.clone())
}

fn needs(view: &ProposalView) -> String {
    let needs: Vec<String> = view
        .demands
        .iter()
        .map(|demand| format!("{} x {}", demand.count, demand.role))
        .collect();
    needs.join(", ")
}

fn pair((name, value): (&String, &Value)) -> String {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    format!("{name}={text}")
}

/// What was given, field by field, and which of it is not shown.
fn fields(request: &ProposalRequest) -> String {
    let body = request.body.as_ref().and_then(Value::as_object);
    let mut fields: Vec<String> = body.into_iter().flatten().map(pair).collect();
    let secrets = request.secrets.iter();
    fields
        .extend(secrets.map(|pointer| format!("{}=(not shown)", pointer.trim_start_matches('/'))));
    if fields.is_empty() {
        "nothing else".to_owned()
    } else {
        fields.join(", ")
    }
}

fn values(would: &DryRun) -> String {
    let values: Vec<String> = would.values.iter().map(pair).collect();
    if values.is_empty() {
        "nothing else".to_owned()
    } else {
        values.join(", ")
    }
}

/// What is said when a change waits.
pub fn waiting(session: &Session, view: &ProposalView) -> anyhow::Result<ExitCode> {
    let id = view.id;
    let what = format!(
        "{} of {} waits for approval as {id} (needs {})",
        view.action,
        thing(view),
        needs(view)
    );
    session.out.done(view, &what)?;
    if !session.out.json {
        eprintln!(
            "see it with `fractal proposals show {id}`, take it back with `fractal proposals withdraw {id}`"
        );
    }
    Ok(Exit(WAITING).into())
}

pub async fn run(session: &Session, command: Proposals) -> anyhow::Result<ExitCode> {
    let client = &session.client()?;
    let out = &session.out;
    match command {
        Proposals::List {
            state,
            awaiting_me,
            mine,
        } => {
            let query = ProposalQuery {
                state: state.map(state_of),
                mine: mine.then_some(true),
                awaiting_me: awaiting_me.then_some(true),
                cursor: None,
                limit: Some(200),
            };
            out.list(all(client, query).await?)?;
        }
        Proposals::Show { proposal } => out.show(&client.proposal(proposal).await?)?,
        Proposals::Simulate { proposal } => {
            let found = client.simulate_proposal(proposal).await?;
            if out.json {
                out.value(&found)?;
            } else {
                let mut words = match (&found.now, &found.problem) {
                    (_, Some(problem)) => {
                        format!("it could not be carried out now: {}\n", printable(problem))
                    }
                    (Some(now), None) => super::dry_run::words(now),
                    (None, None) => String::new(),
                };
                words.push_str(if found.changed {
                    "this differs from what it would have done when it was asked for\n"
                } else {
                    "as when it was asked for\n"
                });
                write_out(&words)?;
            }
        }
        Proposals::Approve {
            proposal,
            comment,
            digest,
            yes,
        } => return approve(session, client, proposal, comment, digest, yes).await,
        Proposals::Reject { proposal, comment } => {
            let body = RejectProposal { comment };
            let view = client.reject_proposal(proposal, &body).await?;
            out.done(&view, "the proposal is rejected")?;
        }
        Proposals::Withdraw { proposal } => {
            let view = client.withdraw_proposal(proposal).await?;
            out.done(&view, "the proposal is withdrawn")?;
        }
        Proposals::Collect { proposal } => {
            let answer = client.collect_proposal(proposal).await?;
            out.value(&answer.answer)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows it, asks, approves, and watches what comes of it.
async fn approve(
    session: &Session,
    client: &Client,
    id: ProposalId,
    comment: Option<String>,
    digest: Option<String>,
    yes: bool,
) -> anyhow::Result<ExitCode> {
    let out = &session.out;
    let digest = match digest {
        Some(digest) => digest,
        None => {
            let view = client.proposal(id).await?;
            if !out.json && !yes {
                out.show(&view)?;
            }
            view.digest
        }
    };
    prompt::confirm("Approve this?", yes)?;
    let body = ApproveProposal { digest, comment };
    let mut view = client.approve_proposal(id, &body).await?;
    let watch = async {
        while view.state == ProposalState::Approved {
            tokio::time::sleep(LOOK).await;
            view = client.proposal(id).await?;
        }
        Ok::<_, fractal_client::Error>(())
    };
    if let Ok(seen) = tokio::time::timeout(WATCHED, watch).await {
        seen?;
    }
    let (sentence, code) = match view.state {
        ProposalState::Done => ("approved, and carried out".to_owned(), 0),
        ProposalState::Open => (
            "approved; it waits for further approvals".to_owned(),
            WAITING,
        ),
        ProposalState::Approved => (
            "approved; it is still being carried out".to_owned(),
            WAITING,
        ),
        _ => {
            let why = view.reason.clone().unwrap_or_default();
            let state = view.state;
            (
                format!("approved, but it is {state}: {}", printable(&why)),
                FAILED,
            )
        }
    };
    out.done(&view, &sentence)?;
    Ok(Exit(code).into())
}

const fn state_of(state: ProposalStateArg) -> ProposalState {
    match state {
        ProposalStateArg::Open => ProposalState::Open,
        ProposalStateArg::Approved => ProposalState::Approved,
        ProposalStateArg::Done => ProposalState::Done,
        ProposalStateArg::Failed => ProposalState::Failed,
        ProposalStateArg::Rejected => ProposalState::Rejected,
        ProposalStateArg::Withdrawn => ProposalState::Withdrawn,
        ProposalStateArg::Expired => ProposalState::Expired,
    }
}

async fn all(client: &Client, mut query: ProposalQuery) -> anyhow::Result<Vec<ProposalView>> {
    let mut found = Vec::new();
    loop {
        let page = client.proposals(&query).await?;
        found.extend(page.items);
        query.cursor = page.next_cursor;
        if query.cursor.is_none() {
            return Ok(found);
        }
    }
}
