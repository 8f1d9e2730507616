//! What a decision depends on besides who and what.

use serde::{Deserialize, Serialize};

/// The circumstances of a request that neither the actor nor the resource carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Circumstances {
    /// The approvals that a policy asked for were given.
    pub approved: bool,
    /// The acting person is the breakglass account (`users.breakglass`).
    pub breakglass: bool,
}
