//! The one error of use cases: what a caller can do about it, with the source kept for the log.

use std::sync::Arc;

use fractal_api_types::{DryRun, FieldError, ProblemCode};

use crate::change::Waiting;

/// A refused or failed use case.
///
/// `detail` and `remedy` are for people outside; the source is for the log and never leaves the
/// process.
#[derive(Debug, thiserror::Error)]
#[error("{}: {}", code.as_str(), detail.as_deref().unwrap_or_else(|| code.title()))]
pub struct Error {
    /// The stable code; it fixes the HTTP status and the exit code.
    pub code: ProblemCode,
    /// The cause in this case.
    pub detail: Option<String>,
    /// What to do about it.
    pub remedy: Option<String>,
    /// The wrong fields, when fields were.
    pub fields: Vec<FieldError>,
    /// Seconds after which trying again makes sense.
    pub retry_after_s: Option<u64>,
    /// Not an error at all: what a change would do that was only tried.
    pub dry_run: Option<Box<DryRun>>,
    /// Not a refusal yet: the change may be kept as a proposal.
    pub waiting: Option<Arc<Waiting>>,
    /// The error underneath.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The result of a use case.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error with a code only.
    #[must_use]
    pub const fn new(code: ProblemCode) -> Self {
        Self {
            code,
            detail: None,
            remedy: None,
            fields: Vec::new(),
            retry_after_s: None,
            dry_run: None,
            waiting: None,
            source: None,
        }
    }

    /// No such thing, or not the caller's: the two are never told apart.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(ProblemCode::NotFound)
    }

    /// One field breaks its rule.
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = Self::new(ProblemCode::InvalidFields);
        error.fields.push(FieldError {
            field: field.into(),
            message: message.into(),
        });
        error
    }

    /// Its present state does not allow this.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(ProblemCode::Conflict).detail(detail)
    }

    /// Our fault.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::new(ProblemCode::Internal);
        error.source = Some(source.into());
        error
    }

    /// Adds the cause in this case.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds when to try again.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl From<fractal_store::Error> for Error {
    fn from(error: fractal_store::Error) -> Self {
        use fractal_store::Error as Store;

        let code = match &error {
            Store::NotFound { .. } => ProblemCode::NotFound,
            Store::Conflict { .. } => ProblemCode::AlreadyExists,
            Store::Reference | Store::LeaseLost { .. } => ProblemCode::Conflict,
            Store::Busy { .. } | Store::Unavailable(_) => ProblemCode::Unavailable,
            _ => ProblemCode::Internal,
        };
        Self::new(code).because(error)
    }
}

impl From<fractal_types::NameError> for Error {
    fn from(error: fractal_types::NameError) -> Self {
        Self::field(
            format!("/{}", error.what),
            format!("must be {}", error.rule),
        )
    }
}
