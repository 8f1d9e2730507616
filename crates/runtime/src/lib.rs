//! The contract between the control plane and any machine surface that hosts instances.
//!
//! [`contract::Runtime`] is the whole of it. Only the instance reconciler calls it, one action at a
//! time per instance. Every driver passes the same [`conformance`] suite, the [`fake`] included.
//!
//! Here too live the two programs that drivers put between the control plane and a gateway, because
//! more than one driver uses them: the [`supervisor`] outside the sandbox and the [`relay`] inside.

pub mod conformance;
pub mod contract;
pub mod fake;
pub mod layout;
pub mod logs;
pub mod machine;
pub mod relay;
pub mod socket;
pub mod supervisor;
