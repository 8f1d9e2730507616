//! A question with everything its decision depends on, so that it can be written down and asked again of other policies.

use fractal_types::Actor;
use serde::{Deserialize, Serialize};

use crate::{Action, Circumstances, Decision, PolicySet, Resource};

/// Who wants to do what to which thing, and under which circumstances.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Question {
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// To which thing.
    pub resource: Resource,
    /// Under which circumstances.
    pub circumstances: Circumstances,
}

impl PolicySet {
    /// Decides a question.
    #[must_use]
    pub fn answer(&self, question: &Question) -> Decision {
        self.decide_in(
            &question.actor,
            question.action,
            &question.resource,
            question.circumstances,
        )
    }
}
