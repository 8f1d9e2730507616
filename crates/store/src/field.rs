//! How a value of the house becomes a value of the database and back.

use fractal_crypto::TokenHash;
use fractal_types::{
    ApiTokenId, BrowserSessionId, CredentialId, DecisionId, DeliveryId, DiskPressure, EngineId,
    EvidenceId, Generation, IdentityProviderId, IncidentId, IncidentState, InstanceId,
    InvitationId, JobId, KeyId, Label, Limits, OperationId, OperationState, OrganizationId,
    PolicyVersionId, ProfileId, ProposalId, ProposalState, ProviderId, ProviderKind, RevisionId,
    Role, RuntimeAssetId, Scope, SeenState, Severity, SkillCredentialId, SkillKey, StepId,
    StepState, StopReason, Timestamp, UsageRecordId, UserId, Username, VariableName, Verdict,
    VoteId, WantedState, WebhookId, Wire, WitnessId,
};
use sea_orm::{
    ColIdx, QueryResult, TryGetable, Value,
    sea_query::{self, Nullable},
};

/// A value that one column holds.
pub(crate) trait Scalar: Sized {
    /// What the database holds.
    type Raw: TryGetable + sea_query::ValueType + Nullable + Into<Value>;
    fn encode(&self) -> Self::Raw;
    /// The error says what was expected, without the value.
    fn decode(raw: Self::Raw) -> Result<Self, String>;
}

/// A column: a scalar or an optional scalar.
pub(crate) trait Field: Sized {
    fn to_value(&self) -> Value;
    fn from_row<I: ColIdx>(row: &QueryResult, column: I) -> Result<Self, String>;
}

impl<T: Scalar> Field for T {
    fn to_value(&self) -> Value {
        self.encode().into()
    }

    fn from_row<I: ColIdx>(row: &QueryResult, column: I) -> Result<Self, String> {
        // The database's own text is dropped: it may quote the value.
        let raw = row
            .try_get_by(column)
            .map_err(|_| "it is missing or of another type".to_owned())?;
        T::decode(raw)
    }
}

impl<T: Scalar> Field for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref()
            .map_or_else(T::Raw::null, |value| value.encode().into())
    }

    fn from_row<I: ColIdx>(row: &QueryResult, column: I) -> Result<Self, String> {
        let raw: Option<T::Raw> = row
            .try_get_by(column)
            .map_err(|_| "it is of another type".to_owned())?;
        raw.map(T::decode).transpose()
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Scalar for $type {
            type Raw = Self;
            fn encode(&self) -> Self { self.clone() }
            fn decode(raw: Self) -> Result<Self, String> { Ok(raw) }
        }
    )*};
}
plain!(String, bool, i64, Vec<u8>);

macro_rules! counts {
    ($($type:ty),*) => {$(
        impl Scalar for $type {
            type Raw = i64;
            // A count beyond 2^63 is kept at the end of the scale; nothing in the house counts that far.
            fn encode(&self) -> i64 { i64::try_from(*self).unwrap_or(i64::MAX) }
            fn decode(raw: i64) -> Result<Self, String> {
                Self::try_from(raw).map_err(|_| "a count was expected".to_owned())
            }
        }
    )*};
}
counts!(u16, u32, u64);

/// Types whose `Display` and `FromStr` are each other's inverse.
macro_rules! texts {
    ($($type:ty),* $(,)?) => {$(
        impl $crate::field::Scalar for $type {
            type Raw = String;
            fn encode(&self) -> String { self.to_string() }
            fn decode(raw: String) -> Result<Self, String> {
                raw.parse::<$type>().map_err(|error| error.to_string())
            }
        }
    )*};
}
pub(crate) use texts;
texts!(
    ApiTokenId,
    BrowserSessionId,
    CredentialId,
    DiskPressure,
    EngineId,
    EvidenceId,
    IdentityProviderId,
    InstanceId,
    InvitationId,
    JobId,
    KeyId,
    Label,
    OrganizationId,
    ProfileId,
    ProviderId,
    ProviderKind,
    RevisionId,
    Role,
    RuntimeAssetId,
    SeenState,
    SkillCredentialId,
    SkillKey,
    StopReason,
    UsageRecordId,
    UserId,
    Username,
    VariableName,
    WantedState,
    WebhookId,
    WitnessId,
    DeliveryId,
    PolicyVersionId,
    DecisionId,
    ProposalId,
    OperationId,
    OperationState,
    ProposalState,
    StepId,
    StepState,
    Verdict,
    VoteId,
    IncidentId,
    IncidentState,
    Severity,
    Wire,
);

/// Documents kept as JSON text.
macro_rules! documents {
    ($($type:ty),* $(,)?) => {$(
        impl Scalar for $type {
            type Raw = String;
            fn encode(&self) -> String {
                serde_json::to_string(self).expect("a document of plain values and text keys always has a JSON form")
            }
            fn decode(raw: String) -> Result<Self, String> {
                // Only the place of the fault: the text of the error may quote the value.
                serde_json::from_str(&raw)
                    .map_err(|error| format!("the JSON breaks at column {}", error.column()))
            }
        }
    )*};
}
documents!(
    serde_json::Value,
    Vec<String>,
    Vec<Scope>,
    Vec<Timestamp>,
    Limits
);

impl Scalar for Timestamp {
    type Raw = i64;
    fn encode(&self) -> i64 {
        self.as_micros()
    }
    fn decode(raw: i64) -> Result<Self, String> {
        Ok(Self::from_micros(raw))
    }
}

impl Scalar for Generation {
    type Raw = i64;
    fn encode(&self) -> i64 {
        self.0.encode()
    }
    fn decode(raw: i64) -> Result<Self, String> {
        u64::decode(raw).map(Self)
    }
}

impl Scalar for TokenHash {
    type Raw = Vec<u8>;
    fn encode(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
    fn decode(raw: Vec<u8>) -> Result<Self, String> {
        <[u8; 32]>::try_from(raw)
            .map(Self::from_bytes)
            .map_err(|_| "a hash of 32 bytes was expected".to_owned())
    }
}

/// An enum of the store with its words in SQL.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$doc])* $variant),* }

        impl $name {
            /// The word in SQL and JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(text: &str) -> std::result::Result<Self, String> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(concat!("one of", $(" ", $word),*, " was expected").to_owned()),
                }
            }
        }

        $crate::field::texts!($name);
    };
}
pub(crate) use words;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn values_survive_the_way_to_the_database_and_back(
            number: u32, small: u16, at: i64, names: Vec<String>, bytes: [u8; 32],
        ) {
            prop_assert_eq!(u32::decode(number.encode()), Ok(number));
            prop_assert_eq!(u16::decode(small.encode()), Ok(small));
            let at = Timestamp::from_micros(at);
            prop_assert_eq!(Timestamp::decode(at.encode()), Ok(at));
            prop_assert_eq!(Vec::<String>::decode(names.encode()), Ok(names));
            let hash = TokenHash::from_bytes(bytes);
            prop_assert_eq!(TokenHash::decode(hash.encode()), Ok(hash));
        }

        #[test]
        fn arbitrary_stored_text_never_panics_and_is_never_repeated(text in "[a-z]{20}[^a-z]?") {
            for error in [
                UserId::decode(text.clone()).unwrap_err(),
                Role::decode(text.clone()).unwrap_err(),
                SeenState::decode(text.clone()).unwrap_err(),
                Limits::decode(text.clone()).unwrap_err(),
                Vec::<Scope>::decode(text.clone()).unwrap_err(),
                Vec::<Scope>::decode(format!("[{text:?}]")).unwrap_err(),
            ] {
                prop_assert!(!error.contains(&text), "{}", error);
            }
        }

        #[test]
        fn a_count_beyond_its_type_is_an_error(number: i64) {
            prop_assert_eq!(u16::decode(number).is_ok(), (0..=65_535).contains(&number));
            prop_assert_eq!(u64::decode(number).is_ok(), number >= 0);
        }
    }

    #[test]
    fn a_document_that_breaks_says_where() {
        assert_eq!(
            Limits::decode("{\"memory".into()).unwrap_err(),
            "the JSON breaks at column 8"
        );
    }
}
