//! What goes wrong with a provider, with its cause and its remedy, and without the provider's own
//! words: those go to people who cannot judge them.

use std::sync::Arc;

use fractal_connect::{AddressKind, OutboundError, Refusal};
use openidconnect::{
    ClaimsVerificationError, DiscoveryError, RequestTokenError,
    core::{CoreErrorResponseType, CoreRequestTokenError},
};

/// Why nobody is signed in.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OidcError {
    /// The issuer is no URL.
    #[error("the issuer is not a URL; enter it as the sign-in provider shows it")]
    IssuerUrl,
    /// No answer from the provider.
    #[error(
        "the sign-in provider cannot be reached; try again later, or sign in with the password"
    )]
    Unreachable(#[source] Arc<OutboundError>),
    /// Nothing was asked: our own rule for addresses forbids the provider's.
    #[error("{}", refused(.0))]
    Refused(Refusal),
    /// Its description is missing or makes no sense.
    #[error(
        "the sign-in provider does not describe itself under this issuer; check the issuer in the settings"
    )]
    Description,
    /// The description, or the browser, came from another issuer.
    #[error(
        "the answer comes from another issuer than the one in the settings; check its exact spelling"
    )]
    Issuer,
    /// The browser came back with something else than it left with.
    #[error("this sign-in was not begun here or is over; start again from the sign-in page")]
    State,
    /// The person or the provider said no.
    #[error("the sign-in was cancelled at the sign-in provider")]
    Cancelled,
    /// The provider refused to begin.
    #[error(
        "the sign-in provider refused the request ({0}); check client id, redirect address and scopes there"
    )]
    Declined(&'static str),
    /// The provider does not know us.
    #[error(
        "the sign-in provider does not accept our client id and secret; correct them in the settings"
    )]
    Client,
    /// The code was used, expired, or does not belong to this sign-in.
    #[error(
        "the sign-in provider no longer accepts this sign-in; start again from the sign-in page"
    )]
    Code,
    /// Something else at the token endpoint.
    #[error("the sign-in provider gave an answer that is not understood")]
    Answer,
    /// No id token.
    #[error(
        "the sign-in provider sent no id token; it must support OpenID Connect, not only OAuth"
    )]
    NoIdToken,
    /// The token is too old, or clocks differ.
    #[error("the id token has expired or lies in the future; compare the clocks of both machines")]
    Expired,
    /// The token was made for another sign-in.
    #[error("the id token belongs to another sign-in; start again from the sign-in page")]
    Nonce,
    /// The token is for somebody else's client.
    #[error("the id token is meant for another client; check the client id in the settings")]
    Audience,
    /// The token was not signed by the provider.
    #[error("the signature of the id token is not the sign-in provider's; nobody was signed in")]
    Signature,
}

/// Names the setting where it would help, because a rule that nobody can name nobody can lift.
fn refused(why: &Refusal) -> String {
    match why {
        Refusal::Plain => {
            "the sign-in provider's address is plain http, which is only permitted in private networks; use https, or turn on \
             allow_private_network for it"
                .to_owned()
        }
        Refusal::Address(kind @ (AddressKind::Loopback | AddressKind::Private)) => format!(
            "the sign-in provider's host leads to a {} address, which nobody has permitted; turn on allow_private_network for it",
            kind.as_str()
        ),
        Refusal::Address(kind) => format!(
            "the sign-in provider's host leads to a {} address, which is never permitted; correct its address",
            kind.as_str()
        ),
        Refusal::Scheme | Refusal::UserInfo | Refusal::Host => {
            format!("the sign-in provider's address cannot be used: {why}; correct its address")
        }
    }
}

impl OidcError {
    fn outbound(cause: OutboundError) -> Self {
        match cause {
            OutboundError::Refused(why) => Self::Refused(why),
            cause => Self::Unreachable(Arc::new(cause)),
        }
    }

    pub(super) fn discovery(error: DiscoveryError<OutboundError>) -> Self {
        match error {
            DiscoveryError::Request(cause) => Self::outbound(cause),
            DiscoveryError::UrlParse(_) => Self::IssuerUrl,
            DiscoveryError::Validation(_) => Self::Issuer,
            _ => Self::Description,
        }
    }

    pub(super) fn exchange(error: CoreRequestTokenError<OutboundError>) -> Self {
        match error {
            RequestTokenError::Request(cause) => Self::outbound(cause),
            RequestTokenError::ServerResponse(answer) => match answer.error() {
                CoreErrorResponseType::InvalidClient
                | CoreErrorResponseType::UnauthorizedClient => Self::Client,
                CoreErrorResponseType::InvalidGrant => Self::Code,
                _ => Self::Answer,
            },
            _ => Self::Answer,
        }
    }

    pub(super) fn claims(error: &ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::Expired(_) | ClaimsVerificationError::InvalidAuthTime(_) => {
                Self::Expired
            }
            ClaimsVerificationError::InvalidAudience(_) => Self::Audience,
            ClaimsVerificationError::InvalidIssuer(_) => Self::Issuer,
            ClaimsVerificationError::InvalidNonce(_) => Self::Nonce,
            _ => Self::Signature,
        }
    }

    /// The `error` parameter of a callback; only words of the standard are repeated.
    pub(super) fn declined(code: &str) -> Self {
        const KNOWN: [&str; 10] = [
            "invalid_request",
            "unauthorized_client",
            "unsupported_response_type",
            "invalid_scope",
            "server_error",
            "temporarily_unavailable",
            "interaction_required",
            "login_required",
            "consent_required",
            "account_selection_required",
        ];
        if code == "access_denied" {
            return Self::Cancelled;
        }
        let known = KNOWN.into_iter().find(|known| *known == code);
        Self::Declined(known.unwrap_or("for a reason of its own"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_address_names_the_setting_where_that_would_help() {
        let told = |why| OidcError::outbound(OutboundError::Refused(why)).to_string();
        for why in [
            Refusal::Plain,
            Refusal::Address(AddressKind::Loopback),
            Refusal::Address(AddressKind::Private),
        ] {
            let told = told(why);
            assert!(told.contains("allow_private_network"), "{told}");
            assert_eq!(told.matches("; ").count(), 1, "cause and remedy: {told}");
        }
        for why in [
            Refusal::Address(AddressKind::Metadata),
            Refusal::Address(AddressKind::LinkLocal),
            Refusal::Scheme,
        ] {
            let told = told(why);
            assert!(!told.contains("allow_private_network"), "{told}");
            assert!(told.contains("correct its address"), "{told}");
        }
        let down = OidcError::outbound(OutboundError::Timeout("connecting"));
        assert!(matches!(down, OidcError::Unreachable(_)));
    }
}
