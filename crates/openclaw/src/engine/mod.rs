//! The program instances run: `OpenClaw` and its Node, installed once per machine and shared read-only.
//!
//! Installed from a lockfile of ours (`engines/<version>/` at the repository root) with the machine's own
//! npm, without running any package's install script: the Node binary is a package of its own per
//! platform, so nothing is built and nothing is fetched past npm. A finished engine is renamed into
//! place, so a directory with a manifest is always whole; a broken download costs only the staging
//! folder, and npm's cache in the same place makes the next try cheap.

mod error;
mod install;
mod node;
mod pin;
mod store;
mod tree;
mod verify;

pub use error::EngineError;
pub use install::{Phase, Progress};
pub use pin::{PINS, Pin};
pub use store::{EngineInfo, EngineStore};
