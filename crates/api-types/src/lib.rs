//! Request and response bodies and the problem codes, shared by the server, the typed client and
//! the command line.
//!
//! Request types are closed (`deny_unknown_fields`): a misspelt field is refused with its name, not
//! ignored. No type here ever carries a stored secret outwards; a newly made one appears in exactly
//! one response and its field is called `secret`.

mod auth;
mod chat;
mod dry_run;
mod engine;
mod evidence;
mod health;
mod incident;
mod instance;
mod key;
mod live;
mod onboarding;
mod openai;
mod operation;
mod page;
mod people;
mod policy;
mod problem;
mod profile;
mod proposal;
mod provider;
mod settings;
mod skill;
mod usage;
mod webhook;
mod witness;

pub use auth::*;
pub use chat::*;
pub use dry_run::*;
pub use engine::*;
pub use evidence::*;
pub use health::*;
pub use incident::*;
pub use instance::*;
pub use key::*;
pub use live::*;
pub use onboarding::*;
pub use openai::*;
pub use operation::*;
pub use page::*;
pub use people::*;
pub use policy::*;
pub use problem::*;
pub use profile::*;
pub use proposal::*;
pub use provider::*;
pub use settings::*;
pub use skill::*;
pub use usage::*;
pub use webhook::*;
pub use witness::*;
