//! A gateway's request, read only as far as the demo provider and the probe need it, the same for
//! every wire. Calls to real providers never pass through here.

use fractal_types::Wire;
use serde_json::Value;

use crate::decoration::undecorated;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prompt {
    /// The person's last words.
    pub words: String,
    /// How often the person spoke before.
    pub earlier: usize,
    /// Names of the tools on offer.
    pub tools: Vec<String>,
    /// What tools answered since the person's last words, with their names.
    pub results: Vec<(String, String)>,
}

enum Entry {
    User(String),
    Call { id: String, name: String },
    Result { id: String, text: String },
}

impl Prompt {
    /// Reads a request body.
    #[must_use]
    pub fn read(wire: Wire, body: &Value) -> Self {
        let entries: Vec<Entry> = match wire {
            Wire::OpenaiCompletions => list(&body["messages"]).flat_map(completions).collect(),
            Wire::OpenaiResponses => match body["input"].as_str() {
                Some(text) => vec![Entry::User(text.to_owned())],
                None => list(&body["input"]).filter_map(responses).collect(),
            },
            Wire::AnthropicMessages => list(&body["messages"]).flat_map(anthropic).collect(),
            Wire::GoogleGenerativeAi => list(&body["contents"]).flat_map(google).collect(),
        };
        let mut prompt = Self {
            tools: tools(wire, body),
            ..Self::default()
        };
        let mut spoken = 0_usize;
        let mut calls: Vec<(String, String)> = Vec::new();
        for entry in entries {
            match entry {
                Entry::User(text) => {
                    if let Some(words) = undecorated(&text) {
                        spoken += 1;
                        prompt.words = words;
                        prompt.results.clear();
                    }
                }
                Entry::Call { id, name } => calls.push((id, name)),
                Entry::Result { id, text } => {
                    let name = calls
                        .iter()
                        .rev()
                        .find(|(call, _)| *call == id)
                        .map_or_else(|| "tool".to_owned(), |(_, name)| name.clone());
                    prompt.results.push((name, text));
                }
            }
        }
        prompt.earlier = spoken.saturating_sub(1);
        prompt
    }
}

fn completions(message: &Value) -> Vec<Entry> {
    match message["role"].as_str() {
        Some("user") => vec![Entry::User(text_of(&message["content"]))],
        Some("assistant") => list(&message["tool_calls"])
            .map(|call| Entry::Call {
                id: word(&call["id"]),
                name: word(&call["function"]["name"]),
            })
            .collect(),
        Some("tool") => vec![Entry::Result {
            id: word(&message["tool_call_id"]),
            text: text_of(&message["content"]),
        }],
        _ => Vec::new(),
    }
}

fn responses(item: &Value) -> Option<Entry> {
    match item["type"].as_str() {
        Some("function_call") => Some(Entry::Call {
            id: word(&item["call_id"]),
            name: word(&item["name"]),
        }),
        Some("function_call_output") => Some(Entry::Result {
            id: word(&item["call_id"]),
            text: text_of(&item["output"]),
        }),
        _ if item["role"] == "user" => Some(Entry::User(text_of(&item["content"]))),
        _ => None,
    }
}

fn anthropic(message: &Value) -> Vec<Entry> {
    let user = message["role"] == "user";
    if let Some(text) = message["content"].as_str() {
        return user
            .then(|| Entry::User(text.to_owned()))
            .into_iter()
            .collect();
    }
    let mut entries: Vec<Entry> = list(&message["content"])
        .filter_map(|part| match part["type"].as_str() {
            Some("tool_use") => Some(Entry::Call {
                id: word(&part["id"]),
                name: word(&part["name"]),
            }),
            Some("tool_result") => Some(Entry::Result {
                id: word(&part["tool_use_id"]),
                text: text_of(&part["content"]),
            }),
            _ => None,
        })
        .collect();
    let text = text_of(&message["content"]);
    if user && !text.is_empty() {
        entries.push(Entry::User(text));
    }
    entries
}

fn google(content: &Value) -> Vec<Entry> {
    let user = content["role"] != "model";
    let mut entries = Vec::new();
    for part in list(&content["parts"]) {
        let (call, result) = (&part["functionCall"], &part["functionResponse"]);
        if call.is_object() {
            entries.push(Entry::Call {
                id: google_id(call),
                name: word(&call["name"]),
            });
        } else if result.is_object() {
            let said = &result["response"];
            let text = ["output", "result", "error"]
                .iter()
                .find_map(|key| said[*key].as_str().map(str::to_owned))
                .unwrap_or_else(|| said.to_string());
            entries.push(Entry::Result {
                id: google_id(result),
                text,
            });
        } else if let (true, Some(text)) = (user, part["text"].as_str()) {
            entries.push(Entry::User(text.to_owned()));
        }
    }
    entries
}

/// Google's calls may come without ids; then the name stands in.
fn google_id(value: &Value) -> String {
    value["id"]
        .as_str()
        .map_or_else(|| word(&value["name"]), str::to_owned)
}

fn tools(wire: Wire, body: &Value) -> Vec<String> {
    let name = |value: &Value| value["name"].as_str().map(str::to_owned);
    match wire {
        Wire::OpenaiCompletions => list(&body["tools"])
            .filter_map(|tool| name(&tool["function"]))
            .collect(),
        Wire::OpenaiResponses | Wire::AnthropicMessages => {
            list(&body["tools"]).filter_map(name).collect()
        }
        Wire::GoogleGenerativeAi => list(&body["tools"])
            .flat_map(|group| list(&group["functionDeclarations"]))
            .filter_map(name)
            .collect(),
    }
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        other => list(other)
            .filter_map(|part| part["text"].as_str())
            .collect::<Vec<_>>()
            .join("\n"),
    }
}

fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CONTEXT: &str =
        "<<<BEGIN_OPENCLAW_INTERNAL_CONTEXT>>>\nx\n<<<END_OPENCLAW_INTERNAL_CONTEXT>>>";

    #[test]
    fn the_last_words_and_the_earlier_ones_are_found_on_every_wire() {
        let said = |text: &str| format!("[Sat 2026-11-21 10:32 UTC] {text}");
        for (wire, body) in [
            (
                Wire::OpenaiCompletions,
                json!({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": said("one")},
                {"role": "assistant", "content": "a"}, {"role": "user", "content": said("two")}, {"role": "user", "content": [{"type": "text", "text": CONTEXT}]}],
                "tools": [{"type": "function", "function": {"name": "exec"}}]}),
            ),
            (
                Wire::OpenaiResponses,
                json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": said("one")}]},
                {"role": "user", "content": [{"type": "input_text", "text": said("two")}]}, {"role": "user", "content": [{"type": "input_text", "text": CONTEXT}]}],
                "tools": [{"type": "function", "name": "exec"}]}),
            ),
            (
                Wire::AnthropicMessages,
                json!({"messages": [{"role": "user", "content": [{"type": "text", "text": said("one")}]},
                {"role": "user", "content": [{"type": "text", "text": said("two")}]}, {"role": "user", "content": [{"type": "text", "text": CONTEXT}]}],
                "tools": [{"name": "exec"}]}),
            ),
            (
                Wire::GoogleGenerativeAi,
                json!({"contents": [{"role": "user", "parts": [{"text": said("one")}]}, {"role": "user", "parts": [{"text": said("two")}]},
                {"role": "user", "parts": [{"text": CONTEXT}]}], "tools": [{"functionDeclarations": [{"name": "exec"}]}]}),
            ),
        ] {
            let prompt = Prompt::read(wire, &body);
            assert_eq!(
                (prompt.words.as_str(), prompt.earlier),
                ("two", 1),
                "{wire:?}"
            );
            assert_eq!(prompt.tools, ["exec"]);
        }
    }

    #[test]
    fn a_tool_result_belongs_to_the_words_before_it() {
        let body = json!({"messages": [{"role": "user", "content": "use a tool"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "function": {"name": "ls", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c1", "content": "file.txt"}, {"role": "user", "content": CONTEXT}]});
        let prompt = Prompt::read(Wire::OpenaiCompletions, &body);
        assert_eq!(prompt.results, [("ls".to_owned(), "file.txt".to_owned())]);
        let mut again = body;
        again["messages"]
            .as_array_mut()
            .unwrap()
            .push(json!({"role": "user", "content": "more"}));
        assert!(
            Prompt::read(Wire::OpenaiCompletions, &again)
                .results
                .is_empty()
        );
    }
}
