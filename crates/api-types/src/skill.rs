//! Skills of an agent and the environment variables people store for them.

use fractal_types::{SkillCredentialId, SkillKey, Timestamp, VariableName};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What an agent's skills are.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SkillList {
    /// Those that can be used first, then those that lack variables, those this machine cannot offer, those turned off.
    pub items: Vec<SkillView>,
}

/// A skill of an agent, as its gateway tells it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SkillView {
    /// What its gateway knows it by.
    pub key: String,
    /// What it is called.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// A sign shown beside the name.
    pub emoji: Option<String>,
    /// Where to read more.
    pub homepage: Option<String>,
    /// Whether it can be used, or the first thing in the way.
    pub state: SkillState,
    /// Whether the agent can use it now.
    pub eligible: bool,
    /// The variables it asks for.
    pub variables: Vec<String>,
    /// What it lacks.
    pub missing: SkillMissing,
}

/// Whether a skill can be used.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SkillState {
    /// It can.
    Active,
    /// It lacks variables and nothing else.
    NeedsCredentials,
    /// It lacks something this machine does not offer.
    NotAvailable,
    /// It is turned off.
    Inactive,
}

impl SkillState {
    /// The word in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::NeedsCredentials => "needs_credentials",
            Self::NotAvailable => "not_available",
            Self::Inactive => "inactive",
        }
    }
}

/// What a skill lacks; everything empty when nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SkillMissing {
    /// Environment variables.
    pub env: Vec<String>,
    /// Programs.
    pub bins: Vec<String>,
    /// Programs of which one would do.
    pub any_bins: Vec<String>,
    /// Settings of the gateway.
    pub config: Vec<String>,
    /// Operating systems it runs on.
    pub os: Vec<String>,
}

/// Whether to wake the agent for the answer.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SkillsQuery {
    /// Wake a sleeping agent instead of answering that it is asleep.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wake: Option<bool>,
}

/// An environment variable stored for a skill, without its value.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SkillCredentialView {
    /// Its id.
    pub id: SkillCredentialId,
    /// For which skill.
    pub skill: SkillKey,
    /// The variable.
    pub name: VariableName,
    /// The last characters of the value, when it is long enough.
    pub hint: String,
    /// When it was first stored.
    pub created_at: Timestamp,
    /// When it was last stored.
    pub updated_at: Timestamp,
}

/// Stores an environment variable for a skill, in place of an older value.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSkillCredential {
    /// For which skill.
    pub skill: SkillKey,
    /// The variable.
    pub name: VariableName,
    /// Its value. It is given to the agent, because the skill's own program needs it, and to nobody else; no answer carries it.
    #[schema(min_length = 1, max_length = 8192, format = Password)]
    pub value: String,
}
