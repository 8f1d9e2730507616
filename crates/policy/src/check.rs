//! What is wrong with a text of policies, and where.
//!
//! A text without errors here is one that [`crate::PolicySet::with_extra`] takes.

use std::collections::HashSet;

use cedar_policy::{ParseErrors, PolicyId, PolicySet, Schema, ValidationMode, Validator};
use miette::Diagnostic;
use serde::Serialize;

use crate::{
    Approval, PolicyError,
    builtin::{builtin_policies, in_order},
    engine::SCHEMA,
};

/// What a text of policies is worth.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Checked {
    /// The names of the policies in it, in their order; empty when it cannot be read.
    pub policies: Vec<String>,
    /// What is wrong, in the order of the text.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// Whether it could be put in force.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let is_error = |finding: &Finding| finding.severity == FindingSeverity::Error;
        !self.findings.iter().any(is_error)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingSeverity {
    /// The text cannot be put in force.
    Error,
    /// It can, but does hardly what was meant.
    Warning,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: FindingSeverity,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The policy, where one could be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What may help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// Checks policies against grammar, schema and the rules of the house.
///
/// # Errors
/// [`PolicyError::Builtin`] when the release itself is broken.
pub fn check(text: &str) -> Result<Checked, PolicyError> {
    let broken = |why: &dyn std::fmt::Display| PolicyError::Builtin(why.to_string());
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|why| broken(&why))?;
    let mut found = Findings {
        text,
        all: Vec::new(),
    };
    let parsed: PolicySet = match text.parse() {
        Ok(parsed) => parsed,
        Err(errors) => {
            let errors: ParseErrors = errors;
            for error in errors.iter() {
                found.add(FindingSeverity::Error, None, error);
            }
            return Ok(Checked {
                policies: Vec::new(),
                findings: found.sorted(),
            });
        }
    };
    for template in parsed.templates() {
        let at = text.find(&template.to_cedar()).unwrap_or(0);
        found
            .say(
                at,
                None,
                "this is a template, which nothing would ever fill in",
            )
            .help("write out the policies it stands for");
    }

    let mut taken: HashSet<String> = builtin_policies()?
        .into_iter()
        .map(|policy| policy.id)
        .collect();
    let (mut named, mut names, mut from) = (PolicySet::new(), Vec::new(), 0);
    for policy in in_order(&parsed) {
        let words = policy.to_cedar().unwrap_or_default();
        let at = text[from..].find(&words).map_or(from, |at| from + at);
        from = at + words.len().min(text.len() - at);
        let given = policy.annotation("id").filter(|name| !name.is_empty());
        let name = match given {
            Some(name) if taken.insert(name.to_owned()) => name.to_owned(),
            Some(name) => {
                found
                    .say(
                        at,
                        Some(name),
                        "this name is taken, by a built-in policy or one above",
                    )
                    .help("give it another @id(\"...\")");
                policy.id().to_string()
            }
            None => {
                found
                    .say(at, None, "this policy has no name")
                    .help("write @id(\"...\") before it: decisions give it as their reason");
                policy.id().to_string()
            }
        };
        let is_forbid = policy.effect() == cedar_policy::Effect::Forbid;
        let approval = policy.annotation("approval");
        if approval.is_some_and(|text| !is_forbid || Approval::parse(text).is_none()) {
            found
                .say(at, Some(&name), "this approval is one nobody can give")
                .help("write @approval(\"role:count\") on a forbid, like \"owner:1\"");
        }
        named
            .add(policy.new_id(PolicyId::new(&name)))
            .map_err(|why| broken(&why))?;
        names.push(name);
    }
    let result = Validator::new(schema).validate(&named, ValidationMode::Strict);
    for error in result.validation_errors() {
        found.add(FindingSeverity::Error, Some(error.policy_id()), error);
    }
    // Doubts about a policy that is wrong anyhow mostly follow from what is wrong.
    let wrong: HashSet<&PolicyId> = result
        .validation_errors()
        .map(|error| error.policy_id())
        .collect();
    for warning in result.validation_warnings() {
        if wrong.contains(warning.policy_id()) {
            continue;
        }
        found.add(FindingSeverity::Warning, Some(warning.policy_id()), warning);
    }
    Ok(Checked {
        policies: names,
        findings: found.sorted(),
    })
}

/// Findings and the text they are about.
struct Findings<'a> {
    text: &'a str,
    all: Vec<Finding>,
}

impl Findings<'_> {
    /// What Cedar found.
    fn add(
        &mut self,
        severity: FindingSeverity,
        policy: Option<&PolicyId>,
        what: &(impl Diagnostic + ?Sized),
    ) {
        let label = what.labels().and_then(|mut labels| labels.next());
        let at = label.as_ref().map_or(0, miette::LabeledSpan::offset);
        let (line, column) = self.place(at);
        let mut message = what.to_string();
        let policy = policy.map(ToString::to_string);
        if let Some(policy) = &policy {
            // It is said beside the message already.
            let prefix = format!("for policy `{policy}`, ");
            if let Some(rest) = message.strip_prefix(&prefix) {
                message = rest.to_owned();
            }
        }
        if let Some(label) = label.as_ref().and_then(miette::LabeledSpan::label)
            && !message.contains(label)
        {
            message = format!("{message}: {label}");
        }
        self.all.push(Finding {
            severity,
            line,
            column,
            policy,
            message,
            help: what.help().map(|help| help.to_string()),
        });
    }

    /// What the house says.
    fn say(&mut self, at: usize, policy: Option<&str>, message: &str) -> &mut Finding {
        let (line, column) = self.place(at);
        self.all.push(Finding {
            severity: FindingSeverity::Error,
            line,
            column,
            policy: policy.map(str::to_owned),
            message: message.to_owned(),
            help: None,
        });
        let last = self.all.len() - 1;
        &mut self.all[last]
    }

    /// Line and column of an offset in bytes.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }

    fn sorted(mut self) -> Vec<Finding> {
        self.all
            .sort_by_key(|finding| (finding.line, finding.column));
        self.all.dedup();
        self.all
    }
}

impl Finding {
    fn help(&mut self, help: &str) {
        self.help = Some(help.to_owned());
    }
}
