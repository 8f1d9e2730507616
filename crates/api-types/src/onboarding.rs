//! First start: claim, sign-in, provider, agent.

use fractal_types::{InstanceId, Label, ProviderId, Username};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{CreateIdentityProvider, CreateProvider, ProviderTest};

/// How far setup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnboardingStatus {
    /// Whether it is over.
    pub completed: bool,
    /// The steps.
    pub steps: OnboardingSteps,
}

/// The steps of setup, each done or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OnboardingSteps {
    /// The first administrator exists.
    pub breakglass: bool,
    /// An identity provider was set up, or the step was skipped.
    pub oidc: bool,
    /// A model provider exists.
    pub provider: bool,
    /// The first agent exists.
    pub agent: bool,
}

/// Makes the first administrator; needs the header `X-Setup-Token`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClaimBreakglass {
    /// Their sign-in name.
    pub username: Username,
    /// Their password, at least 12 characters.
    #[schema(min_length = 12, max_length = 256, format = Password)]
    pub password: String,
}

/// Sets up an identity provider, or skips the step.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnboardingOidc {
    /// Skip the step.
    #[serde(default)]
    pub skip: bool,
    /// The provider, unless skipped.
    pub provider: Option<CreateIdentityProvider>,
}

/// A model provider, tested as it is saved.
pub type OnboardingProvider = CreateProvider;

/// The saved provider and how its test went.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OnboardingProviderResult {
    /// Its id.
    pub id: ProviderId,
    /// The test.
    pub test: ProviderTest,
}

/// Makes the first agent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OnboardingAgent {
    /// What it is called.
    pub name: Label,
    /// How it should be, in words.
    #[schema(max_length = 4000)]
    pub persona: Option<String>,
    /// The model it uses, one that the provider offers.
    #[schema(min_length = 1, max_length = 200)]
    pub model: String,
    /// The provider of the model; the newest one when absent.
    pub provider_id: Option<ProviderId>,
}

/// The first agent, starting.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OnboardingAgentResult {
    /// Its instance.
    pub instance_id: InstanceId,
}
