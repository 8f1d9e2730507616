//! One line about a tool call.

use serde_json::Value;

/// The longest line, in characters.
const LONGEST: usize = 160;

/// What a tool was asked: the telling argument alone, or all of them as `name: value`.
#[must_use]
pub fn of_args(args: &Value) -> Option<String> {
    let members = args.as_object()?;
    let telling = [
        "command",
        "path",
        "file_path",
        "query",
        "url",
        "pattern",
        "id",
        "message",
    ];
    for name in telling {
        if let Some(text) = members.get(name).and_then(Value::as_str) {
            return one_line(text);
        }
    }
    let all: Vec<String> = members
        .iter()
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}: {text}"),
            other => format!("{name}: {other}"),
        })
        .collect();
    one_line(&all.join(", "))
}

/// The first line that says something, cut to a bearable length.
#[must_use]
pub fn one_line(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut short: String = line.chars().take(LONGEST).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    Some(short)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_telling_argument_stands_alone() {
        assert_eq!(
            of_args(&json!({"timeout": 3, "command": "echo hi\nls"})).unwrap(),
            "echo hi"
        );
        assert_eq!(of_args(&json!({"a": 1, "b": "x"})).unwrap(), "a: 1, b: x");
        assert_eq!(of_args(&json!({})), None);
        assert!(one_line(&"ü".repeat(500)).unwrap().chars().count() <= LONGEST + 1);
    }
}
