//! What may go wrong between us and the server, told apart by what the caller can do about it.

use fractal_api_types::{Problem, ProblemCode};

/// The result of a call.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The server understood and said no; code, cause, remedy, wrong fields and request id are inside.
    #[error("{}", .0.detail.as_deref().unwrap_or(&.0.title))]
    Problem(Box<Problem>),
    /// A change was only tried; what would have happened.
    #[error("it was only tried: {} of {}", .0.action, .0.resource_id.as_deref().unwrap_or(&.0.resource_kind))]
    DryRun(Box<fractal_api_types::DryRun>),
    /// A change waits for approval.
    #[error("{} waits for approval as {}", .0.action, .0.id)]
    Proposed(Box<fractal_api_types::ProposalView>),
    /// Nobody answered at the address.
    #[error("nothing answers at {url}; start it with `fractal serve`, or name another address")]
    Unreachable {
        /// The address that was tried, without path and query.
        url: String,
        /// The transport's reason.
        #[source]
        source: reqwest::Error,
    },
    /// The connection broke or took too long.
    #[error("the connection to the server was lost; try again")]
    Transport(#[source] reqwest::Error),
    /// The answer is not what this version expects.
    #[error(
        "the server answered with status {status} and something this version does not understand; compare `fractal --version` with the server's"
    )]
    Unexpected {
        /// The HTTP status.
        status: u16,
        /// Why it could not be read, when it was JSON of the wrong shape.
        #[source]
        source: Option<serde_json::Error>,
    },
    /// An event stream was not valid.
    #[error("the event stream could not be read: {0}")]
    Stream(String),
    /// The address given is not one of a web server.
    #[error("\"{given}\" is not an http or https address; write it like http://127.0.0.1:8088")]
    Address {
        /// What was given.
        given: String,
    },
    /// The HTTP client could not be set up.
    #[error("the HTTP client could not be set up; check the certificates of this machine")]
    Setup(#[source] reqwest::Error),
    /// TLS could not be set up.
    #[error("TLS could not be set up")]
    Tls(#[source] rustls::Error),
    /// A secret holds characters that cannot stand in a header.
    #[error("the token holds characters that no token has; copy it again")]
    BadToken,
}

impl Error {
    /// The stable code, when the server gave one.
    #[must_use]
    pub fn code(&self) -> Option<ProblemCode> {
        self.problem().map(|problem| problem.code)
    }

    /// The whole problem, when the server gave one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}
