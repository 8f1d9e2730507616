//! Why nobody was signed in: words for the log and the API, a stable reason for the sign-in page, which tells it in any language.

use fractal_api_types::{ProblemCode, SignInReason as Reason};
use fractal_identity::oidc::OidcError;

use crate::Error;

#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error(transparent)]
    Provider(#[from] OidcError),
    #[error(
        "no account is linked to this identity; ask an administrator for an invitation, or sign in and link it under Settings / Account"
    )]
    NoAccount,
    #[error("this account at the identity provider is linked to somebody else here")]
    LinkedElsewhere,
    #[error(
        "the session in which the linking began is over; sign in and begin again under Settings / Account"
    )]
    LinkOver,
    #[error("another way to sign in is only added soon after signing in")]
    LinkStale,
    #[error("no free username was found; ask for an invitation")]
    NoFreeName,
}

impl Fault {
    const fn reason(&self) -> Reason {
        match self {
            Self::Provider(error) => match error {
                OidcError::IssuerUrl | OidcError::Description => Reason::NotDescribed,
                OidcError::Unreachable(_) => Reason::Unreachable,
                OidcError::Refused(_) => Reason::AddressRefused,
                OidcError::Issuer => Reason::OtherIssuer,
                OidcError::State => Reason::NotBegun,
                OidcError::Cancelled => Reason::Cancelled,
                OidcError::Declined(_) => Reason::Declined,
                OidcError::Client => Reason::ClientRefused,
                OidcError::Code => Reason::CodeRefused,
                OidcError::Answer => Reason::NotUnderstood,
                OidcError::NoIdToken => Reason::NoIdToken,
                OidcError::Expired => Reason::Clock,
                OidcError::Nonce => Reason::OtherSignIn,
                OidcError::Audience => Reason::OtherClient,
                OidcError::Signature => Reason::WrongSignature,
            },
            Self::NoAccount => Reason::NoAccount,
            Self::LinkedElsewhere => Reason::LinkedElsewhere,
            Self::LinkOver => Reason::LinkOver,
            Self::LinkStale => Reason::LinkStale,
            Self::NoFreeName => Reason::NoFreeName,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let error = Self::new(ProblemCode::SignInFailed).detail(fault.to_string());
        let error = match fault {
            Fault::LinkStale => {
                error.remedy("sign out, sign in again and link it within 15 minutes")
            }
            _ => error,
        };
        error.because(fault)
    }
}

/// The reason that came along with an error through the door.
pub(super) fn reason_of(error: &Error) -> Option<Reason> {
    let fault: Option<&Fault> = error.source.as_ref()?.downcast_ref();
    fault.map(Fault::reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_comes_along_and_other_errors_have_none() {
        let error = Error::from(Fault::from(OidcError::Cancelled));
        assert_eq!(error.code, ProblemCode::SignInFailed);
        assert_eq!(reason_of(&error), Some(Reason::Cancelled));
        let error = Error::from(Fault::LinkStale);
        assert!(error.remedy.is_some());
        assert_eq!(reason_of(&error), Some(Reason::LinkStale));
        assert_eq!(reason_of(&Error::not_found()), None);
    }
}
