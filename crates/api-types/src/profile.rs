//! The caller's agent settings.

use fractal_types::{Label, ProfileId, ProviderId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the caller's agent is and which model it uses.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProfileView {
    /// Its id.
    pub id: ProfileId,
    /// What the agent is called.
    pub agent_name: Label,
    /// How it should be, in words.
    pub persona: String,
    /// What it should know about its person.
    pub about_me: String,
    /// The provider of its model.
    pub provider_id: Option<ProviderId>,
    /// Its model.
    pub model: Option<String>,
    /// What it may do on its machine.
    pub tools: ToolAccess,
    /// Minutes between heartbeats; 0 for none.
    pub heartbeat_minutes: u32,
    /// Whether it may plan its own timed work.
    pub cron_enabled: bool,
    /// Minutes without use after which it goes to sleep.
    pub idle_timeout_minutes: u32,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Changes the profile; absent fields stay.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateProfile {
    /// What the agent is called.
    pub agent_name: Option<Label>,
    /// How it should be, in words.
    #[schema(max_length = 4000)]
    pub persona: Option<String>,
    /// What it should know about its person.
    #[schema(max_length = 4000)]
    pub about_me: Option<String>,
    /// The provider of its model.
    pub provider_id: Option<ProviderId>,
    /// Its model.
    #[schema(min_length = 1, max_length = 200)]
    pub model: Option<String>,
    /// What it may do on its machine.
    pub tools: Option<ToolAccess>,
    /// Minutes between heartbeats; 0 for none.
    #[schema(maximum = 10080)]
    pub heartbeat_minutes: Option<u32>,
    /// Whether it may plan its own timed work.
    pub cron_enabled: Option<bool>,
    /// Minutes without use after which it goes to sleep, 1 to 10080.
    #[schema(minimum = 1, maximum = 10080)]
    pub idle_timeout_minutes: Option<u32>,
}

/// What an agent may do inside its sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ToolAccess {
    /// Talk only.
    None,
    /// Files and commands, asking its person before each command.
    Ask,
    /// Files and commands inside its sandbox, without asking.
    #[default]
    Full,
}
