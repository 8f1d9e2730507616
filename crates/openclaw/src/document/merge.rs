//! Our keys over what is there.
//!
//! A gateway reformats its document and adds keys of its own (`meta`, `plugins.entries`, ownership), so
//! documents are compared by meaning: each owned key, not byte by byte (`openclaw.md` section 8).

use std::fmt;

use serde_json::{Map, Value};

use super::render::{Rendered, is_variable};

/// What a gateway shows in place of a secret. Sent back it keeps the stored value.
pub const REDACTED: &str = "__OPENCLAW_REDACTED__";

/// An owned key that is not as it should be.
#[derive(Clone, PartialEq)]
pub struct Difference {
    /// Where (RFC 6901).
    pub pointer: String,
    /// The value we own; `None` for a key that must not be there.
    pub wanted: Option<Value>,
}

impl fmt::Debug for Difference {
    /// Without the value: it may be a secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.pointer)
    }
}

/// Applies a merge patch (RFC 7396): objects merge, null deletes, anything else replaces.
pub fn merge_patch(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else {
        return;
    };
    for (key, change) in changes {
        if change.is_null() {
            members.shift_remove(key);
        } else {
            merge_patch(members.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// The existing document with every owned key as rendered; keys of the person or the agent are kept.
#[must_use]
pub fn enforce(existing: &Value, rendered: &Rendered) -> Value {
    let mut document = existing.clone();
    merge_patch(&mut document, &rendered.config);
    merge_patch(&mut document, &patch_of(&intruders(rendered, existing)));
    document
}

/// The owned keys that differ. A secret counts as equal when there is one: a gateway shows it redacted, or (a variable
/// of a skill whose name does not look secret) with what it makes of it, and neither can be compared.
#[must_use]
pub fn differences(rendered: &Rendered, actual: &Value) -> Vec<Difference> {
    rendered
        .owned
        .iter()
        .filter_map(|pointer| {
            let wanted = rendered.config.pointer(pointer)?;
            let is_secret = is_variable(pointer);
            let same = actual.pointer(pointer).is_some_and(|actual| {
                means_the_same(wanted, actual) || (is_secret && actual.is_string())
            });
            (!same).then(|| Difference {
                pointer: pointer.clone(),
                wanted: Some(wanted.clone()),
            })
        })
        .chain(intruders(rendered, actual))
        .collect()
}

/// Keys of others in objects that are ours alone.
fn intruders(rendered: &Rendered, actual: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    for pointer in &rendered.exclusive {
        let ours = rendered.config.pointer(pointer);
        let there = actual.pointer(pointer).and_then(Value::as_object);
        for key in there.into_iter().flat_map(Map::keys) {
            if ours.is_none_or(|ours| ours.get(key).is_none()) {
                let key = key.replace('~', "~0").replace('/', "~1");
                found.push(Difference {
                    pointer: format!("{pointer}/{key}"),
                    wanted: None,
                });
            }
        }
    }
    found
}

/// The merge patch that mends the differences.
pub(super) fn patch_of(differences: &[Difference]) -> Value {
    let mut patch = Value::Object(Map::new());
    for difference in differences {
        let mut at = &mut patch;
        for key in difference.pointer.split('/').skip(1) {
            let key = key.replace("~1", "/").replace("~0", "~");
            if !at.is_object() {
                *at = Value::Object(Map::new());
            }
            at = &mut at[key];
        }
        *at = difference.wanted.clone().unwrap_or(Value::Null);
    }
    patch
}

/// Whether `actual` says at least what `wanted` says. The gateway may add members to objects, also to
/// those inside lists, but not change their number or order.
fn means_the_same(wanted: &Value, actual: &Value) -> bool {
    match (wanted, actual) {
        (Value::String(_), Value::String(shown)) if shown == REDACTED => true,
        (Value::Object(wanted), Value::Object(actual)) => wanted.iter().all(|(key, wanted)| {
            actual
                .get(key)
                .is_some_and(|actual| means_the_same(wanted, actual))
        }),
        (Value::Array(wanted), Value::Array(actual)) => {
            wanted.len() == actual.len()
                && wanted
                    .iter()
                    .zip(actual)
                    .all(|(wanted, actual)| means_the_same(wanted, actual))
        }
        (Value::Number(wanted), Value::Number(actual)) => wanted.as_f64() == actual.as_f64(),
        _ => wanted == actual,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::document::render::{render, tests::settings};

    fn rendered() -> Rendered {
        render(&settings()).unwrap()
    }

    #[test]
    fn a_merge_patch_follows_the_examples_of_the_standard() {
        // RFC 7396, appendix A.
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": "b"}),
                json!({"b": "c"}),
                json!({"a": "b", "b": "c"}),
            ),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (
                json!({"e": null}),
                json!({"a": 1}),
                json!({"e": null, "a": 1}),
            ),
            (
                json!([1, 2]),
                json!({"a": "b", "c": null}),
                json!({"a": "b"}),
            ),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
        ] {
            let mut merged = target;
            merge_patch(&mut merged, &patch);
            assert_eq!(merged, result);
        }
    }

    #[test]
    fn keys_of_the_gateway_and_the_person_are_no_difference_and_are_kept() {
        let rendered = rendered();
        let mut actual = rendered.config.clone();
        actual["meta"] = json!({"lastTouchedVersion": "2026.9.6"});
        actual["tts"] = json!({"enabled": true});
        actual["agents"]["entries"]["bea"] = json!({"workspace": "/x"});
        actual["models"]["providers"]["fractal"]["models"][0]["cost"] = json!({"input": 0});
        assert_eq!(differences(&rendered, &actual), []);
        let enforced = enforce(&actual, &rendered);
        assert_eq!(enforced["tts"], actual["tts"]);
        assert_eq!(
            enforced["agents"]["entries"]["bea"],
            json!({"workspace": "/x"})
        );
    }

    #[test]
    fn a_redacted_secret_is_no_difference() {
        let rendered = rendered();
        let mut actual = rendered.config.clone();
        actual["gateway"]["auth"]["token"] = json!(REDACTED);
        actual["models"]["providers"]["fractal"]["apiKey"] = json!(REDACTED);
        assert_eq!(differences(&rendered, &actual), []);
    }

    #[test]
    fn a_foreign_provider_is_a_difference_and_is_removed() {
        let rendered = rendered();
        let mut actual = rendered.config.clone();
        actual["models"]["providers"]["own/one"] = json!({"apiKey": "x"});
        let found = differences(&rendered, &actual);
        assert_eq!(found[0].pointer, "/models/providers/own~1one");
        assert_eq!(
            patch_of(&found),
            json!({"models": {"providers": {"own/one": null}}})
        );
        assert_eq!(enforce(&actual, &rendered), rendered.config);
    }

    #[test]
    fn a_changed_and_a_missing_key_are_differences() {
        let rendered = rendered();
        let mut actual = rendered.config.clone();
        actual["tools"]["exec"]["mode"] = json!("full");
        actual["telemetry"] = json!({});
        let patch = patch_of(&differences(&rendered, &actual));
        assert_eq!(
            patch,
            json!({"telemetry": {"enabled": false}, "tools": {"exec": {"mode": "ask"}}})
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-z]{0,4}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            Just("gateway".to_owned()),
            Just("models".to_owned()),
            Just("providers".to_owned()),
            Just("auth".to_owned()),
            Just("tools".to_owned()),
            Just("exec".to_owned()),
            "[a-z/~]{1,3}"
        ];
        leaf.prop_recursive(4, 32, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key.clone(), inner, 0..5)
                    .prop_map(|map| map.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn enforcing_leaves_no_difference_and_twice_is_once(existing in any_json()) {
            let rendered = rendered();
            let once = enforce(&existing, &rendered);
            prop_assert_eq!(differences(&rendered, &once), []);
            prop_assert_eq!(enforce(&once, &rendered), once);
        }

        #[test]
        fn patching_the_differences_mends_any_document(existing in any_json()) {
            let rendered = rendered();
            let mut document = existing;
            let patch = patch_of(&differences(&rendered, &document));
            merge_patch(&mut document, &patch);
            prop_assert_eq!(differences(&rendered, &document), []);
        }

        #[test]
        fn foreign_top_level_keys_survive(value in "[a-z]{1,5}") {
            let rendered = rendered();
            let existing = json!({"hooks": {"x": value}});
            prop_assert_eq!(&enforce(&existing, &rendered)["hooks"], &existing["hooks"]);
        }
    }
}
