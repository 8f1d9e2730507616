//! The approvals that stand behind a change, and decisions with them.
//!
//! Approvals lift nothing by themselves: a decision is asked without them first. Only when it comes out as "needs approval", and the
//! approvals at hand are those it asks for, it is asked again as approved. So an approval for one change opens no other.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use fractal_policy::{Action, Approval, Circumstances, Decision, Outcome, PolicySet, Resource};
use fractal_types::{ProposalId, Role};

use crate::Context;

/// What stands behind a change.
#[derive(Debug, Clone, Default)]
pub enum Approvals {
    /// Nothing: what asks for approval waits.
    #[default]
    None,
    /// As if all were given, to see what would happen. Only with `dry_run`: the door refuses it otherwise.
    Assumed(Arc<Demanded>),
    /// Those of a proposal.
    Given(Given),
}

/// What a change that was tried would need.
#[derive(Debug, Default)]
pub struct Demanded(Mutex<(Vec<Approval>, Vec<String>)>);

impl Demanded {
    fn add(&self, demands: &[Approval], policies: &[String]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.0 = Approval::union(known.0.iter().chain(demands).copied());
        known.1.extend(policies.iter().cloned());
        known.1.sort();
        known.1.dedup();
    }

    /// The approvals, and the rules that ask for them.
    #[must_use]
    pub fn found(&self) -> (Vec<Approval>, Vec<String>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// The approvals of a proposal that is being carried out.
#[derive(Debug, Clone)]
pub struct Given {
    /// Which one.
    pub proposal: ProposalId,
    /// What was approved; the door compares.
    pub digest: String,
    /// The present roles of those who approved.
    pub roles: Vec<Role>,
    /// Whether a change was made under it. A request that makes several settles the proposal with the first.
    taken: Arc<AtomicBool>,
}

impl Given {
    /// Approvals by people who have these roles now.
    #[must_use]
    pub fn new(proposal: ProposalId, digest: String, roles: Vec<Role>) -> Self {
        Self {
            proposal,
            digest,
            roles,
            taken: Arc::default(),
        }
    }

    /// A change was made under it.
    pub(crate) fn took(&self) {
        self.taken.store(true, Ordering::SeqCst);
    }

    /// Whether one was.
    pub(crate) fn is_taken(&self) -> bool {
        self.taken.load(Ordering::SeqCst)
    }
}

/// Whether people of these roles are those that are asked for: for each demand enough of them have at least its role.
#[must_use]
pub fn meet(demands: &[Approval], roles: &[Role]) -> bool {
    demands.iter().all(|demand| {
        let fit = roles.iter().filter(|role| **role >= demand.role).count();
        fit >= usize::from(demand.count)
    })
}

/// A decision with the approvals at hand.
#[derive(Debug)]
pub(crate) struct Decided {
    /// What came out.
    pub(crate) decision: Decision,
    /// What would have come out without approvals, where that is another.
    pub(crate) waited: Option<Decision>,
    /// The circumstances it was decided in.
    pub(crate) circumstances: Circumstances,
}

impl Context {
    /// Decides with the approvals at hand.
    pub(crate) fn decide(
        &self,
        policies: &PolicySet,
        action: Action,
        resource: &Resource,
    ) -> Decided {
        let circumstances = self.circumstances();
        let decision = policies.decide_in(&self.actor, action, resource, circumstances);
        let lifted = match &decision.outcome {
            Outcome::NeedsApproval(demands) => match &self.approvals {
                Approvals::None => false,
                Approvals::Assumed(demanded) => {
                    demanded.add(demands, &decision.determining);
                    true
                }
                Approvals::Given(given) => meet(demands, &given.roles),
            },
            _ => false,
        };
        if !lifted {
            return Decided {
                decision,
                waited: None,
                circumstances,
            };
        }
        let circumstances = Circumstances {
            approved: true,
            ..circumstances
        };
        Decided {
            decision: policies.decide_in(&self.actor, action, resource, circumstances),
            waited: Some(decision),
            circumstances,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_demand_counts_people_of_at_least_its_role() {
        let demand = |role, count| Approval { role, count };
        let two_and_an_owner = [demand(Role::Admin, 2), demand(Role::Owner, 1)];
        assert!(!meet(&two_and_an_owner, &[Role::Admin, Role::Admin]));
        assert!(!meet(&two_and_an_owner, &[Role::Owner]));
        assert!(meet(&two_and_an_owner, &[Role::Owner, Role::Admin]));
        assert!(!meet(&[demand(Role::Admin, 1)], &[Role::Auditor]));
        assert!(meet(&[], &[]));
    }
}
