//! Distinct id types made by one registry: a time-ordered UUID inside, a readable prefix outside.
//!
//! The text form is `prefix_` followed by 26 lower-case Crockford base32 digits of the 128-bit
//! UUID, so ids of one kind sort by creation time as text and survive a double click.

use std::{fmt, str::FromStr};

use uuid::Uuid;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const DIGITS: usize = 26;

/// Text that is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id like {prefix}_01jdx… and got something else")]
pub struct IdError {
    /// The prefix the id should have had.
    pub prefix: &'static str,
}

fn encode(value: u128, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    for place in (0..DIGITS).rev() {
        let digit = (value >> (place * 5)) & 31;
        fmt::Write::write_char(out, char::from(ALPHABET[digit as usize]))?;
    }
    Ok(())
}

fn decode(text: &str) -> Option<u128> {
    // 26 digits hold 130 bits; the first digit may therefore not exceed 7.
    if text.len() != DIGITS || text.as_bytes()[0] > b'7' {
        return None;
    }
    text.bytes().try_fold(0_u128, |value, byte| {
        let digit = ALPHABET.iter().position(|known| *known == byte)?;
        Some((value << 5) | digit as u128)
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The readable prefix of this kind of id, without the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// Wraps a UUID (version 7 for rows, so that ids sort by creation time).
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(uuid: Uuid) -> Self {
                Self(uuid)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(concat!($prefix, "_"))?;
                encode(self.0.as_u128(), out)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, out)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(decode)
                    .map(|value| Self(Uuid::from_u128(value)))
                    .ok_or(IdError { prefix: $prefix })
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(input)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .pattern(Some(concat!("^", $prefix, "_[0-7][0-9a-hjkmnp-tv-z]{25}$")))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {
            fn name() -> std::borrow::Cow<'static, str> {
                std::borrow::Cow::Borrowed(stringify!($name))
            }
        }
    )*};
}

ids! {
    /// A tenant.
    OrganizationId = "org";
    /// A person.
    UserId = "user";
    /// A program that acts for an organization.
    ServiceAccountId = "svc";
    /// A stored way to prove who one is (a password, an OIDC link).
    CredentialId = "cred";
    /// A signed-in browser.
    BrowserSessionId = "sess";
    /// A bearer token for programs.
    ApiTokenId = "tok";
    /// A pending invitation.
    InvitationId = "invt";
    /// An OIDC provider people may sign in with.
    IdentityProviderId = "idp";
    /// Credentials of a model provider.
    ProviderId = "prov";
    /// A user's agent settings.
    ProfileId = "prof";
    /// An environment variable a person stored for a skill.
    SkillCredentialId = "skc";
    /// A machine surface that hosts instances.
    RuntimeAssetId = "asset";
    /// An installable OpenClaw version with its Node version and digest.
    EngineId = "eng";
    /// One OpenClaw gateway.
    InstanceId = "inst";
    /// The immutable configuration document an instance was given.
    RevisionId = "rev";
    /// Queued background work.
    JobId = "job";
    /// What one model call used.
    UsageRecordId = "use";
    /// One line of the log.
    EvidenceId = "ev";
    /// One chat turn on its way.
    ChatRunId = "crun";
    /// A key of the hierarchy, one per owner and version.
    KeyId = "key";
    /// One request, for correlating an answer with the log.
    RequestId = "req";
    /// A durable execution of an allowed change.
    OperationId = "op";
    /// Something found broken.
    IncidentId = "inc";
    /// An address that is told what happens.
    WebhookId = "hook";
    /// A third party that cosigns the heads of the log.
    WitnessId = "wit";
    /// One entry of the log on its way to a webhook.
    DeliveryId = "dlv";
    /// One version of the access rules that operators added.
    PolicyVersionId = "pol";
    /// One decision as it was made.
    DecisionId = "dec";
    /// A change that waits for approval.
    ProposalId = "prop";
    /// What somebody said about a proposal.
    VoteId = "vote";
    /// A step of an operation.
    StepId = "step";
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_and_back_is_the_same_id(value: u128) {
            let id = InstanceId::from_uuid(Uuid::from_u128(value));
            prop_assert_eq!(id.to_string().parse::<InstanceId>(), Ok(id));
        }

        #[test]
        fn text_order_is_value_order(left: u128, right: u128) {
            let (a, b) = (Uuid::from_u128(left), Uuid::from_u128(right));
            prop_assert_eq!(a.cmp(&b), UserId(a).to_string().cmp(&UserId(b).to_string()));
        }

        #[test]
        fn arbitrary_text_never_panics(text: String) {
            let _ = text.parse::<UserId>();
        }
    }

    #[test]
    fn another_kind_of_id_is_refused() {
        let user = UserId::from_uuid(Uuid::from_u128(7));
        assert_eq!(
            user.to_string().parse::<InstanceId>(),
            Err(IdError { prefix: "inst" })
        );
    }

    #[test]
    fn a_value_beyond_128_bits_is_refused() {
        assert!("user_8zzzzzzzzzzzzzzzzzzzzzzzzz".parse::<UserId>().is_err());
    }
}
