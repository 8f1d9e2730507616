//! Which Node an engine can run on: the range its own `package.json` asks for.
//!
//! npm's ranges in the form OpenClaw writes them: alternatives divided by `||`, each a row of comparisons with versions that may
//! leave out their last numbers. A range of another form is not judged: the engine itself says so when it starts.

use std::path::Path;

use serde_json::Value;

use super::EngineError;

/// What OpenClaw asked for when this was written, for an engine that does not say.
pub(super) const USUAL_RANGE: &str = ">=24.16.0 <25 || >=26.1.0";

/// Refuses a Node that the engine does not run on, before anything is started with it.
pub(super) fn check(root: &Path, node: &Path, version: &str) -> Result<(), EngineError> {
    let needed = range_of(root).unwrap_or_else(|| USUAL_RANGE.to_owned());
    match fits(version, &needed) {
        Some(false) => Err(EngineError::WrongNode {
            node: node.to_owned(),
            found: version.to_owned(),
            needed,
        }),
        _ => Ok(()),
    }
}

fn range_of(root: &Path) -> Option<String> {
    let text = std::fs::read(root.join("node_modules/openclaw/package.json")).ok()?;
    let package: Value = serde_json::from_slice(&text).ok()?;
    package["engines"]["node"].as_str().map(str::to_owned)
}

/// Whether a version lies in a range; `None` when one of them has an unknown form.
fn fits(version: &str, range: &str) -> Option<bool> {
    let version = numbers(version)?;
    let mut within = false;
    for alternative in range.split("||") {
        within |= fits_all(version, alternative)?;
    }
    Some(within)
}

fn fits_all(version: [u32; 3], comparisons: &str) -> Option<bool> {
    let mut within = true;
    for comparison in comparisons.split_whitespace() {
        let digits = comparison.find(|c: char| c.is_ascii_digit())?;
        let (sign, bound) = comparison.split_at(digits);
        let bound = numbers(bound)?;
        within &= match sign {
            ">=" => version >= bound,
            ">" => version > bound,
            "<=" => version <= bound,
            "<" => version < bound,
            "" | "=" => version == bound,
            _ => return None,
        };
    }
    Some(within)
}

/// `24.16.0`, `24.16` or `24`; what is left out is 0.
fn numbers(text: &str) -> Option<[u32; 3]> {
    let mut found = [0; 3];
    let mut parts = text.split('.');
    for place in &mut found {
        match parts.next() {
            Some(part) => *place = part.parse().ok()?,
            None => break,
        }
    }
    parts.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_the_usual_range_are_where_it_says() {
        for good in ["24.16.0", "24.99.1", "26.1.0", "26.10.0", "27.0.0"] {
            assert_eq!(fits(good, USUAL_RANGE), Some(true), "{good}");
        }
        for bad in ["20.20.2", "24.15.9", "25.0.0", "25.9.0", "26.0.9"] {
            assert_eq!(fits(bad, USUAL_RANGE), Some(false), "{bad}");
        }
    }

    #[test]
    fn what_is_not_understood_is_not_judged() {
        assert_eq!(fits("26.1.0", "^26"), None);
        assert_eq!(fits("26.1.0-nightly", USUAL_RANGE), None);
        assert_eq!(fits("26.1.0", "lts/*"), None);
        assert_eq!(fits("26.1.0", "=26.1 || >99"), Some(true));
    }
}
