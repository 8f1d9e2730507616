//! Model providers.

use fractal_types::{Label, ProviderId, ProviderKind, Timestamp, Wire};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A model provider, without its key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProviderView {
    /// Its id.
    pub id: ProviderId,
    /// Its name.
    pub name: Label,
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: ProviderKind,
    /// The wire it speaks.
    pub wire: Wire,
    /// Its address, when not the kind's own.
    pub base_url: Option<String>,
    /// The last characters of the key; absent when none is stored.
    pub key_hint: Option<String>,
    /// Whether everybody in the organization may use it.
    pub shared: bool,
    /// Whether the caller may change it, at least once somebody approves.
    pub editable: bool,
    /// Whether the caller may delete it, at least once somebody approves.
    pub deletable: bool,
    /// The models it offers, as last listed or as given.
    pub models: Vec<String>,
    /// Whether it may be on a private or loopback address.
    pub allow_private_network: bool,
    /// Whether the last contact went well; absent before the first.
    pub ok: Option<bool>,
    /// Why not, in words for people.
    pub error: Option<String>,
    /// When that was found.
    pub checked_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Adds a model provider.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateProvider {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: ProviderKind,
    /// Its name.
    pub name: Label,
    /// Its address; needed for the compatible kinds.
    #[schema(max_length = 2000)]
    pub base_url: Option<String>,
    /// The key.
    #[schema(max_length = 4000, format = Password)]
    pub api_key: Option<String>,
    /// Models to offer when the provider cannot list them.
    #[schema(max_items = 200)]
    pub models: Option<Vec<String>>,
    /// The wire, when not the kind's own (`openai_responses` for example).
    pub wire: Option<Wire>,
    /// Offer it to everybody in the organization (administrators only).
    pub shared: Option<bool>,
    /// Allow a private or loopback address (administrators only).
    pub allow_private_network: Option<bool>,
}

/// Changes a provider. A new `base_url` clears the stored key unless a key comes with it.
#[derive(Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProvider {
    /// Its name.
    pub name: Option<Label>,
    /// Its address.
    #[schema(max_length = 2000)]
    pub base_url: Option<String>,
    /// A new key.
    #[schema(max_length = 4000, format = Password)]
    pub api_key: Option<String>,
    /// Models to offer.
    #[schema(max_items = 200)]
    pub models: Option<Vec<String>>,
    /// The wire.
    pub wire: Option<Wire>,
    /// Allow a private or loopback address (administrators only).
    pub allow_private_network: Option<bool>,
}

/// How a tiny call to a provider went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ProviderTest {
    /// Whether it answered.
    pub ok: bool,
    /// How long it took, in milliseconds.
    pub latency_ms: u64,
    /// The models it offers.
    pub models: Vec<String>,
    /// What is wrong, with cause and remedy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ProviderFault>,
}

/// Why a provider did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProviderFault {
    /// The class of fault.
    pub code: ProviderFaultCode,
    /// Cause in words.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

/// The classes of provider faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProviderFaultCode {
    /// No provider or model is assigned.
    NotConfigured,
    /// No key is stored.
    KeyMissing,
    /// The provider refused the key.
    KeyRefused,
    /// Quota or credit is used up.
    QuotaExceeded,
    /// Too many requests right now.
    RateLimited,
    /// The provider does not know the model.
    ModelUnknown,
    /// The provider did not like the request.
    BadRequest,
    /// The provider answered with an error of its own.
    ProviderError,
    /// Nothing answered at the address.
    Unreachable,
    /// The address may not be used.
    AddressRefused,
    /// No answer in time.
    Timeout,
}
