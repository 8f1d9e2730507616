//! What can go wrong on the way out. Typed, because the broker and sign-in act on the difference;
//! free of the other side's words, because those may hold secrets or lure an agent.

use std::error::Error;

use crate::AddressKind;

/// Why nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not `http` or `https`.
    #[error("only http and https addresses are possible")]
    Scheme,
    /// Plain `http` to where private networks are not permitted.
    #[error(
        "plain http is only possible for an endpoint that an administrator opened for private networks; use https"
    )]
    Plain,
    /// A name or password inside the address.
    #[error("the address must not contain a user name or password")]
    UserInfo,
    /// The address has no host.
    #[error("the address has no host")]
    Host,
    /// The host, or one of the addresses its name leads to.
    #[error("the host leads to a {} address, which is not permitted for this endpoint", .0.as_str())]
    Address(AddressKind),
}

/// Why there is no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Nothing was sent, by our own rules.
    #[error("the request was refused: {0}")]
    Refused(#[from] Refusal),
    /// The name is unknown, nothing listens there, or the connection broke.
    #[error("the other side cannot be reached; check the address and whether the service is up")]
    Unreachable(#[source] Box<dyn Error + Send + Sync>),
    /// The other side was too slow.
    #[error("the other side did not answer in time ({0}); try again later")]
    Timeout(&'static str),
    /// The body is longer than the caller wants.
    #[error("the answer is longer than {limit} bytes and was dropped")]
    TooLarge {
        /// The bound, in bytes.
        limit: usize,
    },
    /// No trustworthy encrypted connection came about.
    #[error(
        "the encrypted connection failed; check the certificate of the other side, or add its authority to the settings"
    )]
    Tls(#[source] Box<dyn Error + Send + Sync>),
    /// The answer is not what the protocol says.
    #[error("the answer is not valid {0}")]
    Malformed(&'static str),
}

impl OutboundError {
    /// Sorts an error of the HTTP library by what the caller can do about it.
    pub(crate) fn sort(error: reqwest::Error) -> Self {
        // The address may hold a secret in its query.
        let error = error.without_url();
        if let Some(refusal) = find::<Refusal>(&error) {
            return Self::Refused(refusal.clone());
        }
        if error.is_timeout() {
            return Self::Timeout("connecting");
        }
        if find::<rustls::Error>(&error).is_some() {
            return Self::Tls(Box::new(error));
        }
        Self::Unreachable(Box::new(error))
    }
}

/// Finds a cause by its type. An `io::Error` hides what it was made of from `source`, so it is opened.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(found) = cause.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(inner) = cause
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref)
            && let Some(found) = find::<T>(inner)
        {
            return Some(found);
        }
        next = cause.source();
    }
    None
}
