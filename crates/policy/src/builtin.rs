//! The built-in policies, for people to read.

use cedar_policy::{Effect, PolicySet};
use serde::Serialize;

use crate::{
    PolicyError,
    engine::{BREAKGLASS, BUILTIN},
};

/// One of the policies that every release carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BuiltinPolicy {
    /// Its name, as decisions give it as their reason.
    pub id: String,
    /// `permit` or `forbid`.
    pub effect: &'static str,
    /// What it does, in a sentence.
    pub description: String,
    /// Whether it is decided before all others, so that no added policy can take it away.
    pub breakglass: bool,
    /// Its text in Cedar.
    pub text: String,
}

/// All of them, in the order they are written in.
///
/// # Errors
/// [`PolicyError::Builtin`] when the release itself is broken.
pub fn builtin_policies() -> Result<Vec<BuiltinPolicy>, PolicyError> {
    let mut all = Vec::new();
    for (text, breakglass) in [(BUILTIN, false), (BREAKGLASS, true)] {
        let parsed: PolicySet = text
            .parse()
            .map_err(|why: cedar_policy::ParseErrors| PolicyError::Builtin(why.to_string()))?;
        for policy in in_order(&parsed) {
            let said = |annotation| policy.annotation(annotation).unwrap_or_default().to_owned();
            all.push(BuiltinPolicy {
                id: said("id"),
                effect: match policy.effect() {
                    Effect::Permit => "permit",
                    Effect::Forbid => "forbid",
                },
                description: said("description"),
                breakglass,
                text: policy.to_cedar().unwrap_or_default(),
            });
        }
    }
    Ok(all)
}

/// The policies of a parsed text as they stand in it: the parser calls them `policy0`, `policy1` and so on.
pub(crate) fn in_order(parsed: &PolicySet) -> Vec<&cedar_policy::Policy> {
    let number = |policy: &&cedar_policy::Policy| {
        let name = policy.id().to_string();
        name.trim_start_matches("policy").parse::<usize>().ok()
    };
    let mut all: Vec<_> = parsed.policies().collect();
    all.sort_by_key(number);
    all
}
