//! How a command ends: the exit codes, and the words of a failure on standard error.
//!
//! 0 done, 1 failed, 2 wrong usage, 3 refused by policy, 4 waiting for approval (design section 9).

use std::{fmt::Write as _, process::ExitCode};

use fractal_api_types::ProblemCode;
use fractal_client::Error;

use crate::text::printable;

/// Something failed.
pub const FAILED: u8 = 1;
/// The command was not understood.
pub const USAGE_CODE: u8 = 2;
/// The policy said no.
pub const REFUSED: u8 = 3;
/// Somebody has to approve first.
pub const WAITING: u8 = 4;

/// [`USAGE_CODE`] as the process's exit code.
pub const USAGE: Exit = Exit(USAGE_CODE);

/// A number that becomes an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit(pub u8);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.0)
    }
}

/// The command line was understood but asks for something that makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(pub String);

/// A failure with a remedy.
#[derive(Debug, thiserror::Error)]
#[error("{cause}")]
pub struct Advice {
    /// What is wrong.
    pub cause: String,
    /// What to do about it.
    pub remedy: String,
}

impl Advice {
    /// An error of cause and remedy.
    pub fn error(cause: impl Into<String>, remedy: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self {
            cause: cause.into(),
            remedy: remedy.into(),
        })
    }
}

/// The exit code of a failure.
pub fn code_of(error: &anyhow::Error) -> u8 {
    if error.downcast_ref::<UsageError>().is_some() {
        return USAGE_CODE;
    }
    match error.downcast_ref::<Error>() {
        Some(Error::Address { .. }) => USAGE_CODE,
        Some(error) => match error.code() {
            Some(ProblemCode::Forbidden) => REFUSED,
            Some(ProblemCode::ApprovalNeeded) => WAITING,
            _ => FAILED,
        },
        None => FAILED,
    }
}

/// Prints the failure and gives its exit code.
pub fn report(error: &anyhow::Error) -> ExitCode {
    eprint!("{}", words(error));
    ExitCode::from(code_of(error))
}

/// Cause, wrong fields, remedy and request id, one line each.
pub fn words(error: &anyhow::Error) -> String {
    let mut out = format!("error: {}\n", printable(&error.to_string()));
    let problem = error.downcast_ref::<Error>().and_then(Error::problem);
    for cause in error.chain().skip(1) {
        let _ = writeln!(out, "  because: {}", printable(&cause.to_string()));
    }
    if let Some(problem) = problem {
        for field in &problem.errors {
            let _ = writeln!(
                out,
                "  {}: {}",
                printable(&field.field),
                printable(&field.message)
            );
        }
    }
    let remedy = problem
        .and_then(|problem| problem.remedy.clone())
        .or_else(|| {
            error
                .downcast_ref::<Advice>()
                .map(|advice| advice.remedy.clone())
        })
        .or_else(|| {
            (problem?.code == ProblemCode::Unauthenticated)
                .then(|| "run `fractal login`, or set FRACTAL_TOKEN".to_owned())
        });
    if let Some(remedy) = remedy {
        let _ = writeln!(out, "  remedy: {}", printable(&remedy));
    }
    if let Some(problem) = problem {
        let _ = writeln!(
            out,
            "  code: {}, request: {}",
            problem.code.as_str(),
            printable(&problem.request_id)
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use fractal_api_types::{FieldError, Problem};

    use super::*;

    fn problem(code: ProblemCode) -> anyhow::Error {
        anyhow::Error::new(Error::Problem(Box::new(Problem {
            kind: String::new(),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: Some("the name is taken".to_owned()),
            remedy: Some("choose another".to_owned()),
            errors: vec![FieldError {
                field: "/name".to_owned(),
                message: "is taken\u{1b}[31m".to_owned(),
            }],
            request_id: "req_1".to_owned(),
        })))
    }

    #[test]
    fn the_exit_code_tells_refusal_and_waiting_from_failure() {
        assert_eq!(code_of(&problem(ProblemCode::Forbidden)), 3);
        assert_eq!(code_of(&problem(ProblemCode::ApprovalNeeded)), 4);
        assert_eq!(code_of(&problem(ProblemCode::Internal)), 1);
        assert_eq!(code_of(&anyhow::anyhow!("x")), 1);
        assert_eq!(code_of(&anyhow::Error::new(UsageError("x".to_owned()))), 2);
    }

    #[test]
    fn context_does_not_hide_the_exit_code() {
        let error = problem(ProblemCode::Forbidden).context("while listing");
        assert_eq!(code_of(&error), 3);
    }

    #[test]
    fn a_failure_names_cause_field_remedy_and_request_without_escapes() {
        insta::assert_snapshot!(words(&problem(ProblemCode::AlreadyExists)), @r"
        error: the name is taken
          /name: is taken?[31m
          remedy: choose another
          code: already-exists, request: req_1
        ");
    }
}
