//! Who may do what, decided by Cedar so that it fails closed.
//!
//! The meaning of roles stands in `policies/*.cedar`, not in code; this crate turns an actor, an
//! action and a resource into a Cedar request and the answer into a [`Decision`]. It knows no
//! database: whoever asks brings the owner of the thing along. Anything unexpected (an evaluation
//! error, a pair of action and resource the schema does not know) is a denial.
//!
//! A new permission is an entry in [`Action`], a line in the schema, its place in the policies, and
//! a reviewed change of `docs/reference/permissions.md`.

mod action;
mod builtin;
mod check;
mod circumstances;
mod decision;
mod engine;
mod entity;
mod question;
mod remembered;
mod resource;

pub use action::Action;
pub use builtin::{BuiltinPolicy, builtin_policies};
pub use check::{Checked, Finding, FindingSeverity, check};
pub use circumstances::Circumstances;
pub use decision::{Approval, Decision, Denial, Outcome};
pub use engine::{PolicyError, PolicySet, SCHEMA};
pub use question::Question;
pub use resource::Resource;
