//! The access rules of the release, and texts of rules. Needs no server and no token.

use std::{fmt::Write as _, fs, path::Path, process::ExitCode};

use anyhow::Context;
use fractal_server::{BuiltinPolicy, Checked, FindingSeverity};
use fractal_types::Timestamp;
use serde_json::json;

use crate::{
    cells,
    commands::Session,
    exit::{Advice, Exit, FAILED},
    output::{Row, write_out},
    seams,
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

/// Shows all built-in rules, or the text of one.
pub fn show(session: &Session, name: Option<&str>) -> anyhow::Result<()> {
    let all = seams::builtin_policies()?;
    let Some(name) = name else {
        return session.out.list(all);
    };
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

/// The text of a file of rules.
pub fn read(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file)
        .with_context(|| format!("cannot read {}; name a Cedar file in UTF-8", file.display()))
}

/// Checks a file without a server.
pub fn check(session: &Session, file: &Path) -> anyhow::Result<ExitCode> {
    let text = read(file)?;
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
