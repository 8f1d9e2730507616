//! What rules would do, in words.

use std::{fmt::Write as _, path::Path, process::ExitCode};

use fractal_api_types::{
    PolicyChange, PolicyCheck, PolicyDecision, PolicyOutcome, PolicySimulation,
};
use fractal_types::Timestamp;

use crate::{
    cells,
    commands::Session,
    exit::{Exit, FAILED, REFUSED},
    output::{Row, write_out},
    table::Cell,
    text::{printable, relative},
};

const fn word(outcome: PolicyOutcome) -> &'static str {
    match outcome {
        PolicyOutcome::Allow => "allowed",
        PolicyOutcome::Deny => "refused",
        PolicyOutcome::NeedsApproval => "waits for approval",
    }
}

fn why(decision: &PolicyDecision) -> String {
    if decision.policies.is_empty() {
        return "no rule permits it".to_owned();
    }
    decision.policies.join(", ")
}

impl Row for PolicyChange {
    const HEAD: &'static [&'static str] = &[
        "who", "action", "on", "was", "would be", "by", "times", "last",
    ];
    const NONE: &'static str = "nothing would come out otherwise";

    fn cells(&self, now: Timestamp) -> Vec<Cell> {
        let who = self.who.as_ref();
        let on = self
            .resource_id
            .clone()
            .unwrap_or_else(|| self.resource_kind.clone());
        cells![
            who.map_or_else(|| "-".to_owned(), |who| who.username.to_string()),
            &self.action,
            on,
            word(self.before),
            word(self.after.outcome),
            why(&self.after),
            self.times,
            relative(self.last_at, now),
        ]
    }
}

/// What would have come out otherwise.
pub fn impact(session: &Session, answer: &PolicySimulation) -> anyhow::Result<()> {
    let impact = answer.impact.clone().unwrap_or_default();
    if session.out.json {
        return session.out.value(&impact);
    }
    session.out.list(impact.changes)?;
    write_out(&format!(
        "\n{} decisions asked again: {} would now be refused, {} allowed, {} would wait for approval\n",
        impact.asked, impact.refused, impact.allowed, impact.held
    ))
}

/// The answer to a question; the exit code says it, too.
pub fn answer(session: &Session, answer: &PolicySimulation) -> anyhow::Result<ExitCode> {
    let Some(decision) = &answer.decision else {
        anyhow::bail!("the server gave no decision");
    };
    if session.out.json {
        session.out.value(decision)?;
    } else {
        let mut line = format!("{}, by {}", word(decision.outcome), why(decision));
        for approval in &decision.approvals {
            let _ = write!(line, "; needs {} of role {}", approval.count, approval.role);
        }
        write_out(&format!("{}\n", printable(&line)))?;
    }
    Ok(match decision.outcome {
        PolicyOutcome::Allow => ExitCode::SUCCESS,
        PolicyOutcome::Deny => Exit(REFUSED).into(),
        PolicyOutcome::NeedsApproval => Exit(crate::exit::WAITING).into(),
    })
}

/// What a file and its tests are worth.
pub fn checked(session: &Session, file: &Path, check: &PolicyCheck) -> anyhow::Result<ExitCode> {
    if session.out.json {
        session.out.value(check)?;
    } else {
        let file = printable(&file.display().to_string());
        let mut out = String::new();
        for finding in &check.findings {
            let (line, column) = (finding.line, finding.column);
            let message = format!("{}: {}", finding.severity, finding.message);
            let _ = writeln!(out, "{file}:{line}:{column}: {}", printable(&message));
        }
        for test in &check.tests {
            let verdict = if test.ok { "ok  " } else { "FAIL" };
            let name = printable(&test.name);
            let _ = write!(out, "{verdict} {name}");
            if !test.ok {
                let _ = write!(
                    out,
                    ": must be {}, is {} by {}",
                    word(test.expect),
                    word(test.decision.outcome),
                    printable(&why(&test.decision))
                );
            }
            out.push('\n');
        }
        let rules = check.policies.len();
        let _ = if check.ok {
            writeln!(
                out,
                "{file}: {rules} rules and {} tests are sound",
                check.tests.len()
            )
        } else {
            writeln!(out, "{file}: not sound")
        };
        write_out(&out)?;
    }
    Ok(if check.ok {
        ExitCode::SUCCESS
    } else {
        Exit(FAILED).into()
    })
}
