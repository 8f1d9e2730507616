//! Salted commitments: what the log keeps of a value instead of the value.
//!
//! Without a salt a small value (a role, a yes) could be guessed from its hash. With a salt kept apart, the value can be
//! erased later (salt and value go, the commitment stays) without breaking a proof (design section 10).

use serde_json::Value;
use sha2::{Digest, Sha256};

/// Commits to a value: SHA-256 over a label, the salt and the canonical JSON.
#[must_use]
pub fn commit(salt: &[u8; 32], value: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"fractal commitment 1");
    hash.update(salt);
    hash.update(canonical_json(value).as_bytes());
    hash.finalize().into()
}

/// JSON with one spelling per value, after RFC 8785: no white space, members sorted by UTF-16 code units, shortest
/// escapes. Integers are written as they are; other numbers as `serde_json` writes them (shortest round trip), which
/// differs from RFC 8785 in the exponent form of very large and very small numbers. The house writes and reads both sides.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut names: Vec<&String> = members.keys().collect();
            names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            out.push('{');
            for (place, name) in names.into_iter().enumerate() {
                if place > 0 {
                    out.push(',');
                }
                write(&Value::String(name.clone()), out);
                out.push(':');
                write(&members[name], out);
            }
            out.push('}');
        }
        Value::Number(number) => match number.as_f64() {
            // 1.0 and 1 are one number in JSON, so they must have one spelling.
            Some(float)
                if number.is_f64()
                    && float.fract() == 0.0
                    && float.abs() < 9_007_199_254_740_992.0 =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53")]
                out.push_str(&(float as i64).to_string());
            }
            _ => out.push_str(&number.to_string()),
        },
        Value::Null | Value::Bool(_) | Value::String(_) => out.push_str(&value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_order_of_members_does_not_matter() {
        let a = json!({"b": 1, "a": [true, null, {"z": "é", "y": 1.0}]});
        let b: Value =
            serde_json::from_str(r#" {"a":[true,null,{"y":1,"z":"\u00e9"}],"b":1} "#).unwrap();
        assert_eq!(
            canonical_json(&a),
            r#"{"a":[true,null,{"y":1,"z":"é"}],"b":1}"#
        );
        assert_eq!(commit(&[1; 32], &a), commit(&[1; 32], &b));
    }

    #[test]
    fn members_sort_by_utf_16_as_the_rfc_says() {
        // U+1F600 starts with the surrogate D83D, below U+FB33; by code point it would come last.
        let value = json!({"\u{fb33}": 1, "\u{1f600}": 2, "\r": 3, "1": 4});
        assert_eq!(
            canonical_json(&value),
            "{\"\\r\":3,\"1\":4,\"\u{1f600}\":2,\"\u{fb33}\":1}"
        );
    }

    #[test]
    fn another_salt_or_value_is_another_commitment() {
        let value = json!("admin");
        assert_ne!(commit(&[1; 32], &value), commit(&[2; 32], &value));
        assert_ne!(commit(&[1; 32], &value), commit(&[1; 32], &json!("owner")));
        assert_ne!(commit(&[1; 32], &json!(1)), commit(&[1; 32], &json!("1")));
    }

    proptest! {
        #[test]
        fn canonical_text_reads_back_and_is_stable(text: String, number: i64, name: String) {
            let value = json!({name: [text, number]});
            let once = canonical_json(&value);
            let back: Value = serde_json::from_str(&once).unwrap();
            prop_assert_eq!(&back, &value);
            prop_assert_eq!(canonical_json(&back), once);
        }
    }
}
