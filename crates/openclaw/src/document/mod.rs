//! The configuration document of a gateway: rendered from settings, enforced over what is there,
//! changed while the gateway runs.
//!
//! Keys we render are *owned*: they are set back when somebody changes them. Everything else belongs to
//! the person or the agent and is kept. What must hold for safety does not rest on this document, since
//! an agent that runs commands can edit it; it only keeps a gateway in the shape we know.

mod apply;
mod merge;
mod render;
mod settings;
mod workspace;

pub use apply::{Applied, ApplyError, Secrets, apply_live};
pub use merge::{Difference, REDACTED, differences, enforce, merge_patch};
pub(crate) use render::hex;
#[cfg(test)]
pub(crate) use render::tests as render_tests;
pub use render::{Rendered, render};
pub use settings::{
    AgentSettings, BrokerEndpoint, ExecMode, GatewaySettings, ModelAlias, ModelRef, SettingsError,
    ToolPolicy, ToolProfile, WireModels,
};
pub use workspace::{Persona, WorkspaceFile, workspace_files};
