//! The access rules, looked at on the machine itself.

use anyhow::Result;
use fractal_policy::{BuiltinPolicy, Checked, PolicySet};

/// The rules that every release carries.
///
/// # Errors
///
/// When the release itself is broken.
pub fn builtin_policies() -> Result<Vec<BuiltinPolicy>> {
    Ok(fractal_policy::builtin_policies()?)
}

/// Whether a text of rules could be put in force, and what is wrong with it.
///
/// # Errors
///
/// When the release itself is broken.
pub fn check_policies(text: &str) -> Result<Checked> {
    Ok(fractal_policy::check(text)?)
}

/// Goes back to the built-in rules, and says how many added ones went. None can be added yet, so that these are in force already; that
/// they hold is looked at all the same.
///
/// # Errors
///
/// When the built-in rules do not hold against their schema.
pub fn reset_policy() -> Result<usize> {
    PolicySet::builtin()?;
    Ok(0)
}
