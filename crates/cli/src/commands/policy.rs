//! `fractal policy`: the access rules, on the machine itself. Needs no server and no token.

use std::{fmt::Write as _, fs, path::Path, process::ExitCode};

use anyhow::Context;
use fractal_server::{BuiltinPolicy, Checked, FindingSeverity};
use fractal_types::Timestamp;
use serde_json::json;

use super::Session;
use crate::{
    args::Policy,
    cells,
    exit::{Advice, Exit, FAILED},
    output::{Row, write_out},
    place, seams,
    table::Cell,
    text::printable,
};

impl Row for BuiltinPolicy {
    const HEAD: &'static [&'static str] = &["name", "effect", "what it does"];
    const NONE: &'static str = "there are no access rules";

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        cells![&self.id, self.effect, &self.description]
    }
}

pub fn run(session: &Session, command: Policy) -> anyhow::Result<ExitCode> {
    match command {
        Policy::Show { name: None } => session.out.list(seams::builtin_policies()?)?,
        Policy::Show { name: Some(name) } => show(session, &name)?,
        Policy::Check { file } => return check(session, &file),
        // Nothing is lost, so nothing is asked.
        Policy::Reset { machine, yes: _ } => {
            place::of(machine)?;
            let removed = seams::reset_policy()?;
            session.out.done(
                &json!({"reset": true, "removed": removed}),
                "the built-in access rules are in force, and no others: there were no added ones to remove",
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn show(session: &Session, name: &str) -> anyhow::Result<()> {
    let all = seams::builtin_policies()?;
    let found = all.into_iter().find(|policy| policy.id == name);
    let policy = found.ok_or_else(|| {
        Advice::error(
            format!("there is no access rule called \"{name}\""),
            "list them with `fractal policy show`",
        )
    })?;
    if session.out.json {
        return session.out.value(&policy);
    }
    write_out(&format!("{}\n", policy.text))
}

fn check(session: &Session, file: &Path) -> anyhow::Result<ExitCode> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("cannot read {}; name a Cedar file in UTF-8", file.display()))?;
    let checked = seams::check_policies(&text)?;
    if session.out.json {
        session.out.value(&json!({
            "ok": checked.is_sound(),
            "file": file,
            "policies": checked.policies,
            "findings": checked.findings,
        }))?;
    } else {
        write_out(&words(file, &checked))?;
    }
    Ok(if checked.is_sound() {
        ExitCode::SUCCESS
    } else {
        Exit(FAILED).into()
    })
}

/// One line a finding, in the form that editors jump to, and the outcome.
fn words(file: &Path, checked: &Checked) -> String {
    let file = printable(&file.display().to_string());
    let mut out = String::new();
    let mut errors = 0;
    for finding in &checked.findings {
        let severity = match finding.severity {
            FindingSeverity::Error => {
                errors += 1;
                "error"
            }
            FindingSeverity::Warning => "warning",
        };
        let (line, column) = (finding.line, finding.column);
        let policy = finding.policy.as_ref();
        let policy = policy.map_or_else(String::new, |name| format!(" in \"{name}\""));
        let message = format!("{severity}{policy}: {}", finding.message);
        let _ = writeln!(out, "{file}:{line}:{column}: {}", printable(&message));
        if let Some(help) = &finding.help {
            let _ = writeln!(out, "  -> {}", printable(help));
        }
    }
    let _ = match (errors, checked.policies.len()) {
        (0, 0) => writeln!(out, "{file}: there are no access rules in it"),
        (0, 1) => writeln!(out, "{file}: 1 access rule is sound"),
        (0, rules) => writeln!(out, "{file}: {rules} access rules are sound"),
        (1, _) => writeln!(out, "{file}: 1 error"),
        (errors, _) => writeln!(out, "{file}: {errors} errors"),
    };
    out
}
