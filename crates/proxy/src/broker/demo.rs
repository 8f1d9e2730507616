//! The demo provider: deterministic, without any key, and honest about it.
//!
//! A newcomer sees the real path work: the words come back quoted as the gateway sent them, with the
//! alias, the number of earlier turns and of tools on offer, and one real tool call when asked for.

use serde_json::{Value, json};

use super::{prompt::Prompt, reply::Reply};

/// What the demo says of itself, in every answer.
pub const LABEL: &str = "demo, not a language model";

/// The demo's only model.
pub const MODEL: &str = "demo";

/// The longest quotation, in characters.
const QUOTED: usize = 2_000;

/// What the demo answers.
#[must_use]
pub fn answer(alias: &str, prompt: &Prompt, call_id: &str) -> Reply {
    if let Some((name, text)) = prompt.results.last() {
        let name = if name == "tool_call" {
            "the tool"
        } else {
            name
        };
        return Reply::Text(format!(
            "[{LABEL}] The tool call worked. {name} answered: {}",
            quote(text)
        ));
    }
    if wants_tool(&prompt.words)
        && let Some((name, args)) = choose(&prompt.words, &prompt.tools)
    {
        return Reply::Call {
            id: call_id.to_owned(),
            name: name.to_owned(),
            args,
        };
    }
    let turns = match prompt.earlier {
        0 => "no earlier message of yours".to_owned(),
        1 => "1 earlier message of yours".to_owned(),
        n => format!("{n} earlier messages of yours"),
    };
    Reply::Text(format!(
        "[{LABEL}] You said: {} This arrived for the model \"{alias}\" with {turns} and {} tools on offer. \
         Say \"use a tool\" to see a tool call, or add a model provider to talk to a real model.",
        quote(&prompt.words),
        prompt.tools.len(),
    ))
}

fn wants_tool(words: &str) -> bool {
    let words = words.to_lowercase();
    [
        "use a tool",
        "use the tool",
        "use tool",
        "call a tool",
        "tool call",
        "run a command",
    ]
    .iter()
    .any(|phrase| words.contains(phrase))
}

/// A harmless tool. A command is only run when a command was asked for, because it may need approval.
fn choose<'a>(words: &str, tools: &'a [String]) -> Option<(&'a str, Value)> {
    let offered = |wanted: &str| {
        tools
            .iter()
            .find(|tool| *tool == wanted)
            .map(String::as_str)
    };
    let exec =
        || offered("exec").map(|name| (name, json!({"command": "echo hello from the demo"})));
    if words.to_lowercase().contains("command") {
        return exec();
    }
    offered("session_status")
        .map(|name| (name, json!({})))
        .or_else(|| offered("ls").map(|name| (name, json!({"path": "."}))))
        .or_else(exec)
}

fn quote(text: &str) -> String {
    let mut short: String = text.chars().take(QUOTED).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("“{short}”.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(words: &str) -> Prompt {
        Prompt {
            words: words.to_owned(),
            earlier: 2,
            tools: vec!["exec".to_owned(), "ls".to_owned()],
            results: Vec::new(),
        }
    }

    #[test]
    fn it_quotes_and_counts_and_says_what_it_is() {
        let Reply::Text(text) = answer("default", &prompt("hello there"), "c") else {
            panic!("a call")
        };
        for part in [
            LABEL,
            "“hello there”",
            "\"default\"",
            "2 earlier messages",
            "2 tools",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn it_calls_one_tool_when_asked_and_then_reports() {
        let asked = prompt("please use a tool");
        let Reply::Call { name, .. } = answer("default", &asked, "c") else {
            panic!("no call")
        };
        assert_eq!(name, "ls");
        let answered = Prompt {
            results: vec![("ls".into(), "a.txt".into())],
            ..asked
        };
        let Reply::Text(text) = answer("default", &answered, "c") else {
            panic!("a second call")
        };
        assert!(text.contains("a.txt"));
    }

    #[test]
    fn a_command_is_run_only_when_a_command_was_asked_for() {
        let Reply::Call { name, .. } = answer("default", &prompt("run a command"), "c") else {
            panic!("no call")
        };
        assert_eq!(name, "exec");
    }

    #[test]
    fn without_tools_it_talks() {
        let bare = Prompt {
            tools: Vec::new(),
            ..prompt("use a tool")
        };
        assert!(matches!(answer("default", &bare, "c"), Reply::Text(_)));
    }
}
