//! `--dry-run`: what a change would do.

use std::{fmt::Write as _, process::ExitCode};

use fractal_api_types::{DryRun, PolicyOutcome};

use super::Session;
use crate::{
    exit::{Exit, REFUSED, WAITING},
    output::write_out,
    text::printable,
};

/// Shows it; the exit code says whether it is allowed.
pub fn show(session: &Session, would: &DryRun) -> anyhow::Result<ExitCode> {
    if session.out.json {
        session.out.value(would)?;
    } else {
        write_out(&words(would))?;
    }
    Ok(match would.decision.outcome {
        PolicyOutcome::Allow => ExitCode::SUCCESS,
        PolicyOutcome::Deny => Exit(REFUSED).into(),
        PolicyOutcome::NeedsApproval => Exit(WAITING).into(),
    })
}

pub(super) fn words(would: &DryRun) -> String {
    let thing = would.resource_id.as_deref();
    let thing = thing.unwrap_or(&would.resource_kind);
    let verdict = match would.decision.outcome {
        PolicyOutcome::Allow => "would be done",
        PolicyOutcome::Deny => "would be refused",
        PolicyOutcome::NeedsApproval => "would wait for approval",
    };
    let by = if would.decision.policies.is_empty() {
        "no rule permits it".to_owned()
    } else {
        format!("by {}", would.decision.policies.join(", "))
    };
    let mut out = format!("{} of {} {verdict}, {by}\n", would.action, printable(thing));
    for (name, value) in &would.values {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        let _ = writeln!(out, "  {name}: {}", printable(&value));
    }
    if !would.steps.is_empty() {
        let _ = writeln!(out, "  then, step by step: {}", would.steps.join(", "));
    }
    for instance in &would.instances {
        let _ = writeln!(out, "  then looks at {instance}");
    }
    out.push_str("nothing was changed\n");
    out
}
