//! What a gateway can be told, as types that cannot say something a gateway refuses.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use fractal_types::{SkillKey, VariableName, Wire};
use secrecy::SecretString;

/// Everything the document is rendered from.
#[derive(Debug, Clone)]
pub struct GatewaySettings {
    /// The loopback port; it can only change with the process.
    pub port: u16,
    /// The token our connection presents.
    pub gateway_token: SecretString,
    /// Where the gateway finds models.
    pub broker: BrokerEndpoint,
    /// Wires and their aliases. `openai_completions` with `default` and `probe` is always there.
    pub wires: Vec<WireModels>,
    /// The model of the agent.
    pub primary: ModelRef,
    /// The agent.
    pub agent: AgentSettings,
    /// What the agent may do.
    pub tools: ToolPolicy,
    /// The environment variables of each skill that has some. They stand in the document in plain text, because
    /// that is the only form in which a gateway gives a skill more than one (`openclaw-notes.md`).
    pub skills: BTreeMap<SkillKey, BTreeMap<VariableName, SecretString>>,
    /// How often the agent wakes by itself; `None` is never. Each time costs tokens.
    pub heartbeat_every: Option<Duration>,
    /// Whether scheduled jobs run. With it come two jobs of the gateway's own, one of which spends tokens
    /// at 03:00 (`openclaw.md` section 9.4).
    pub cron_enabled: bool,
    /// The log file; without it all gateways of a host share one (`openclaw.md` section 1).
    pub log_file: PathBuf,
}

/// The model broker as the gateway reaches it.
#[derive(Debug, Clone)]
pub struct BrokerEndpoint {
    /// Such as `http://127.0.0.1:18790`; the wires' paths are added.
    pub base_url: String,
    /// What the gateway presents instead of a provider's key.
    pub instance_token: SecretString,
}

/// A wire with the aliases it offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireModels {
    /// The wire.
    pub wire: Wire,
    /// Its aliases, without repetition.
    pub aliases: Vec<ModelAlias>,
}

/// A model under its stable name. Limits are those of the alias, not of a real model, so that changing
/// the model behind it touches no gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelAlias {
    /// Its name, such as `default`.
    pub id: String,
    /// Tokens a conversation may have.
    pub context_window: u32,
    /// Tokens an answer may have.
    pub max_tokens: u32,
    /// Whether images are passed on.
    pub images: bool,
    /// Whether thinking may be asked for.
    pub reasoning: bool,
}

impl ModelAlias {
    /// An alias with limits today's models all reach.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            context_window: 128_000,
            max_tokens: 8_192,
            images: true,
            reasoning: false,
        }
    }
}

/// A model: wire and alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelRef {
    /// The wire.
    pub wire: Wire,
    /// The alias on it.
    pub alias: String,
}

impl ModelRef {
    /// `fractal/default`.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            wire: Wire::OpenaiCompletions,
            alias: "default".to_owned(),
        }
    }

    /// As the gateway writes it.
    #[must_use]
    pub fn gateway_name(&self) -> String {
        format!("{}/{}", self.wire.gateway_provider_id(), self.alias)
    }
}

/// The agent `main`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSettings {
    /// What it is called.
    pub name: String,
    /// A sign shown beside the name.
    pub emoji: Option<String>,
    /// Its folder.
    pub workspace: PathBuf,
}

/// What the agent may do. The gateway's own default is everything without asking, so both parts are
/// always written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolPolicy {
    /// The set of tools.
    pub profile: ToolProfile,
    /// Tools beyond the profile.
    pub also_allow: Vec<String>,
    /// Tools taken away, beside those no instance has (see [`ToolPolicy::ALWAYS_DENIED`]).
    pub deny: Vec<String>,
    /// Commands.
    pub exec: ExecMode,
    /// Whether the file tools stay inside the workspace.
    pub workspace_only: bool,
}

impl ToolPolicy {
    /// Tools that change the engine or its plugins, or open pages of the gateway's own interface: the
    /// engine is pinned and that interface is off.
    pub const ALWAYS_DENIED: [&str; 4] = ["gateway", "openclaw", "plugins", "portal"];
}

impl Default for ToolPolicy {
    fn default() -> Self {
        Self {
            profile: ToolProfile::Coding,
            also_allow: Vec::new(),
            deny: Vec::new(),
            exec: ExecMode::Ask,
            workspace_only: true,
        }
    }
}

/// A set of tools the gateway knows by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToolProfile {
    /// Session status only.
    Minimal,
    /// Messages and sessions.
    Messaging,
    /// Files, commands, web, sessions, memory.
    Coding,
    /// Everything.
    Full,
}

impl ToolProfile {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Messaging => "messaging",
            Self::Coding => "coding",
            Self::Full => "full",
        }
    }
}

/// What happens when the agent wants to run a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecMode {
    /// It is refused.
    Deny,
    /// Only commands on the gateway's list run.
    Allowlist,
    /// A person is asked for anything not on the list.
    Ask,
    /// It runs.
    Full,
}

impl ExecMode {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allowlist => "allowlist",
            Self::Ask => "ask",
            Self::Full => "full",
        }
    }
}

/// Settings no document can be rendered from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// The broker's address is not `http://` or `https://` or carries more than host and port.
    #[error("the broker address {0:?} must be http://host:port without a path")]
    BrokerAddress(String),
    /// The agent's model is not among the aliases.
    #[error("the model {0} is not among the configured aliases; add it to its wire")]
    UnknownPrimary(String),
    /// An alias a gateway cannot name.
    #[error("the alias {0:?} must be 1 to 64 characters of a-z, 0-9, '-', '_' or '.'")]
    Alias(String),
    /// A path that is not absolute or not text.
    #[error("the path {0:?} must be absolute and valid text")]
    Path(PathBuf),
}
