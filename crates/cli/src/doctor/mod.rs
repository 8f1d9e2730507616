//! `fractal doctor`: what is wrong on this machine, and what to do about it.
//!
//! Each check is a function from the [`Surroundings`] to a [`Finding`], listed in [`CHECKS`]. To add one, write
//! it in the file of its area and list it. A check never changes anything unless `--fix` is given and mending
//! cannot lose anything.

mod data;
mod machine;
mod server;

use std::{path::Path, process::ExitCode};

use fractal_config::Settings;
use futures::future::BoxFuture;
use serde::Serialize;

use crate::{
    args::DoctorArgs,
    commands::Session,
    exit::{Exit, FAILED},
    output::write_out,
    place,
    table::{Tone, paint},
    text::printable,
};

/// What checks look at.
pub struct Surroundings {
    /// Where things are.
    pub settings: Settings,
    /// Whether this process is root.
    pub root: bool,
    /// Whether to mend.
    pub fix: bool,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// As it should be.
    Good,
    /// Works, but could be better.
    Attention,
    /// Does not work.
    Failed,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check, a stable word.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, in words.
    pub finding: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Whether it was mended just now.
    pub fixed: bool,
}

/// What a check gives back; the registry adds the id.
pub struct Found {
    severity: Severity,
    finding: String,
    remedy: Option<String>,
    fixed: bool,
}

impl Found {
    /// As it should be.
    pub fn good(finding: impl Into<String>) -> Self {
        Self {
            severity: Severity::Good,
            finding: finding.into(),
            remedy: None,
            fixed: false,
        }
    }

    /// Works, but could be better.
    pub fn attention(finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Attention,
            finding: finding.into(),
            remedy: Some(remedy.into()),
            fixed: false,
        }
    }

    /// Does not work.
    pub fn failed(finding: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            severity: Severity::Failed,
            finding: finding.into(),
            remedy: Some(remedy.into()),
            fixed: false,
        }
    }

    /// Was wrong and has been mended.
    pub fn mended(finding: impl Into<String>) -> Self {
        Self {
            fixed: true,
            ..Self::good(finding)
        }
    }
}

type Check = for<'a> fn(&'a Surroundings) -> BoxFuture<'a, Found>;

/// Every check, in the order a newcomer meets what it is about.
const CHECKS: &[(&str, Check)] = &[
    ("platform", |s| Box::pin(async { machine::platform(s) })),
    ("memory", |s| Box::pin(async { machine::memory(s) })),
    ("disk", |s| Box::pin(async { machine::disk(s) })),
    ("sandbox", |s| Box::pin(machine::sandbox(s))),
    ("own-user", |s| Box::pin(async { machine::own_user(s) })),
    ("limits", |s| Box::pin(async { machine::limits(s) })),
    ("npm", |s| Box::pin(machine::npm(s))),
    ("engine", |s| Box::pin(machine::engine(s))),
    ("data-folder", |s| Box::pin(async { data::folder(s) })),
    ("way-to-data", |s| Box::pin(async { data::way(s) })),
    ("database", |s| Box::pin(data::database(s))),
    ("upgrade-backup", |s| Box::pin(data::upgrade_backup(s))),
    ("secret-key", |s| Box::pin(async { data::secret_key(s) })),
    ("key-backup", |s| Box::pin(async { data::key_backup(s) })),
    ("tls", |s| Box::pin(async { server::tls(s) })),
    ("server", |s| Box::pin(server::server(s))),
    ("incidents", |s| Box::pin(server::incidents(s))),
];

/// Runs every check and prints what was found.
pub async fn run(session: &Session, args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let surroundings = Surroundings {
        settings: place::doctor(args)?,
        root: rustix::process::geteuid().is_root(),
        fix: args.fix,
    };
    let mut findings = Vec::new();
    for (id, check) in CHECKS {
        let Found {
            severity,
            finding,
            remedy,
            fixed,
        } = check(&surroundings).await;
        findings.push(Finding {
            id,
            severity,
            finding,
            remedy,
            fixed,
        });
    }
    if session.out.json {
        session
            .out
            .value(&serde_json::json!({ "items": findings }))?;
    } else {
        write_out(&words(&findings, session.out.colours))?;
    }
    let failed = findings
        .iter()
        .any(|finding| finding.severity == Severity::Failed);
    Ok(if failed {
        Exit(FAILED).into()
    } else {
        ExitCode::SUCCESS
    })
}

/// The worst first within sight of the end: good, then attention, then failed, so that the last lines matter most.
fn words(findings: &[Finding], colours: bool) -> String {
    let groups = [
        (Severity::Good, "good", Tone::Good),
        (Severity::Attention, "needs attention", Tone::Attention),
        (Severity::Failed, "failed", Tone::Bad),
    ];
    let mut out = String::new();
    for (severity, word, tone) in groups {
        let group: Vec<_> = findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .collect();
        if group.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&paint(word, tone, colours));
        out.push('\n');
        for finding in group {
            let mended = if finding.fixed {
                " (mended just now)"
            } else {
                ""
            };
            out.push_str(&format!(
                "  {:<14}  {}{mended}\n",
                finding.id,
                printable(&finding.finding)
            ));
            if let Some(remedy) = &finding.remedy {
                out.push_str(&format!("  {:<14}  -> {}\n", "", printable(remedy)));
            }
        }
    }
    out
}

/// The folder itself, or the nearest one above it that exists.
pub fn nearest(path: &Path) -> &Path {
    path.ancestors()
        .find(|path| path.exists())
        .unwrap_or_else(|| Path::new("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_ids_are_unique() {
        let mut ids: Vec<_> = CHECKS.iter().map(|(id, _)| id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), CHECKS.len());
    }

    #[test]
    fn findings_are_grouped_with_the_worst_last() {
        let finding = |id, severity, remedy: Option<&str>, fixed| Finding {
            id,
            severity,
            finding: format!("{id} was looked at"),
            remedy: remedy.map(str::to_owned),
            fixed,
        };
        let findings = [
            finding("disk", Severity::Failed, Some("free some space"), false),
            finding("platform", Severity::Good, None, false),
            finding("data-folder", Severity::Good, None, true),
            finding("own-user", Severity::Attention, Some("run as root"), false),
        ];
        insta::assert_snapshot!(words(&findings, false), @r"
        good
          platform        platform was looked at
          data-folder     data-folder was looked at (mended just now)

        needs attention
          own-user        own-user was looked at
                          -> run as root

        failed
          disk            disk was looked at
                          -> free some space
        ");
    }
}
