//! What came out of a decision, and which policies made it so.

use fractal_types::Role;

/// A decision with the ids of the policies that determined it, for evidence and `?dry_run=true`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided.
    pub outcome: Outcome,
    /// Ids of the policies that determined it, sorted; empty when no policy permits.
    pub determining: Vec<String>,
}

impl Decision {
    /// Whether the action may go ahead now.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self.outcome, Outcome::Allow)
    }
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Go ahead.
    Allow,
    /// Refused.
    Deny(Denial),
    /// Possible once all of these approvals were given (design section 3).
    NeedsApproval(Vec<Approval>),
}

impl Outcome {
    /// The word in the store and in answers.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny(_) => "deny",
            Self::NeedsApproval(_) => "needs_approval",
        }
    }
}

/// Why a decision is a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// No policy permits it.
    NotPermitted,
    /// A policy forbids it.
    Forbidden,
    /// The action does not exist for this kind of actor and resource.
    NotApplicable,
    /// A policy failed to evaluate; it is named in `determining`.
    Broken,
}

impl Denial {
    /// The word in evidence.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotPermitted => "not_permitted",
            Self::Forbidden => "forbidden",
            Self::NotApplicable => "not_applicable",
            Self::Broken => "broken",
        }
    }
}

/// Approvals a policy asks for by its annotation `@approval("role:count")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Approval {
    /// The role the approvers must at least have.
    pub role: Role,
    /// How many different people must approve, at least one.
    pub count: u8,
}

impl Approval {
    /// Reads `role:count`; `None` when it is anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (role, count) = text.split_once(':')?;
        let count = count.parse().ok().filter(|count| *count > 0)?;
        Some(Self {
            role: role.parse().ok()?,
            count,
        })
    }

    /// The union of several demands: per role the largest count.
    #[must_use]
    pub fn union(demands: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut union: Vec<Self> = Vec::new();
        for demand in demands {
            match union.iter_mut().find(|known| known.role == demand.role) {
                Some(known) => known.count = known.count.max(demand.count),
                None => union.push(demand),
            }
        }
        union.sort();
        union
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_approval_is_a_role_and_a_positive_count() {
        assert_eq!(
            Approval::parse("owner:2"),
            Some(Approval {
                role: Role::Owner,
                count: 2
            })
        );
        for bad in ["owner", "owner:0", "king:1", "owner:", ":1", "owner:-1"] {
            assert_eq!(Approval::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_union_keeps_the_largest_count_per_role() {
        let demands = ["admin:1", "owner:1", "admin:2"].map(|text| Approval::parse(text).unwrap());
        assert_eq!(
            Approval::union(demands.into_iter()),
            [
                Approval {
                    role: Role::Admin,
                    count: 2
                },
                Approval {
                    role: Role::Owner,
                    count: 1
                }
            ]
        );
    }
}
