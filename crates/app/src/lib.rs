//! Use cases: everything that can be asked for, one folder or file per noun.
//!
//! Changes go through one door, [`change::submit`]. Reads load a thing together with the permission they need
//! ([`lookup`]). Nothing here knows HTTP; nothing here knows a concrete runtime.

mod address;
mod approval;
mod context;
mod error;
mod keys;
mod lookup;
mod parts;
mod ready;
mod secrets;

pub mod asset;
pub mod change;
pub mod chat;
pub mod engine;
pub mod evidence;
pub mod idempotency;
pub mod identity_provider;
pub mod incident;
pub mod instance;
pub mod invitation;
pub mod key;
pub mod me;
pub mod model;
pub mod oidc;
pub mod onboarding;
pub mod operation;
pub mod policy;
pub mod profile;
pub mod proposal;
pub mod provider;
pub mod reseal;
pub mod retention;
pub mod session;
pub mod settings;
pub mod skill;
pub mod skill_credential;
pub mod token;
pub mod usage;
pub mod user;
pub mod webhook;
pub mod witness;

pub use approval::{Approvals, Demanded, Given};
pub use change::Waiting;
pub use context::{ClientInfo, Context, Proposable};
pub use error::{Error, Result};
pub use keys::Keys;
pub use parts::{App, Parts, ProbeTarget, ProviderProber};
