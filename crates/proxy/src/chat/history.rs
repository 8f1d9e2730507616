//! The gateway's transcript as a conversation people read.
//!
//! A turn with tools is several entries in the transcript (call, result, words); here it is one message.

use fractal_api_types::{AttachmentNote, ChatMessage, TokenUsage, ToolUse};
use fractal_types::Timestamp;
use serde_json::Value;

use super::summary;
use crate::decoration::undecorated;

/// The messages of a `chat.history` answer, oldest first.
#[must_use]
pub fn messages(answer: &Value) -> Vec<ChatMessage> {
    let mut out: Vec<ChatMessage> = Vec::new();
    for entry in answer["messages"].as_array().into_iter().flatten() {
        match entry["role"].as_str() {
            Some("user") => {
                let text = undecorated(&text_of(&entry["content"])).unwrap_or_default();
                let mut asked = message(entry, "user", text);
                asked.attachments = files_of(entry);
                out.push(asked);
            }
            Some("assistant") => {
                let part = assistant(entry);
                match out.last_mut() {
                    Some(last)
                        if last.role == "assistant"
                            && last.run_id.is_some()
                            && last.run_id == part.run_id =>
                    {
                        join(last, part);
                    }
                    _ => out.push(part),
                }
            }
            Some("toolResult") => note_result(&mut out, entry),
            _ => {}
        }
    }
    out.retain(|message| {
        !message.text.is_empty()
            || !message.tools.is_empty()
            || !message.attachments.is_empty()
            || message.error.is_some()
    });
    out
}

/// The final answer of a run, if the transcript has it: its text and usage, or why it failed.
#[must_use]
pub fn answer_of(
    answer: &Value,
    run: &str,
) -> Option<Result<(String, Option<TokenUsage>), String>> {
    let entry = answer["messages"]
        .as_array()?
        .iter()
        .rev()
        .find(|entry| entry["role"] == "assistant" && entry["__openclaw"]["runId"] == run)?;
    match entry["stopReason"].as_str() {
        Some("toolUse") => None,
        Some("error") => Some(Err(entry["errorMessage"]
            .as_str()
            .unwrap_or("no reason was given")
            .to_owned())),
        _ => Some(Ok((text_of(&entry["content"]), usage_of(entry)))),
    }
}

/// The answer to a message that was taken into another run: the last words after it.
#[must_use]
pub fn answer_after(answer: &Value, run: &str) -> Option<(String, Option<TokenUsage>)> {
    let entries = answer["messages"].as_array()?;
    let sent = format!("{run}:user");
    let at = entries
        .iter()
        .position(|entry| entry["idempotencyKey"] == *sent)?;
    let entry = entries[at..]
        .iter()
        .rev()
        .find(|entry| entry["role"] == "assistant" && entry["stopReason"] == "stop")?;
    Some((text_of(&entry["content"]), usage_of(entry)))
}

fn message(entry: &Value, role: &str, text: String) -> ChatMessage {
    let word = |value: &Value| value.as_str().map(str::to_owned);
    let run = word(&entry["__openclaw"]["runId"]).or_else(|| {
        let key = entry["idempotencyKey"].as_str()?;
        key.strip_suffix(":user").map(str::to_owned)
    });
    ChatMessage {
        id: word(&entry["__openclaw"]["id"]).unwrap_or_default(),
        role: role.to_owned(),
        text,
        at: entry["timestamp"]
            .as_i64()
            .map(|ms| Timestamp::from_micros(ms.saturating_mul(1_000))),
        run_id: run,
        model: None,
        tools: Vec::new(),
        attachments: Vec::new(),
        usage: None,
        error: None,
    }
}

/// The files that went with a person's message, as the gateway remembers them: where it put each, not its content.
fn files_of(entry: &Value) -> Vec<AttachmentNote> {
    let media = entry["__openclaw"]["media"].as_array();
    media
        .into_iter()
        .flatten()
        .map(|file| {
            let word = |key: &str| file[key].as_str().map(str::to_owned);
            AttachmentNote {
                name: word("fileName"),
                mime_type: word("contentType").unwrap_or_else(|| {
                    match file["kind"].as_str() {
                        Some("image") => "image/*",
                        Some("audio") => "audio/*",
                        Some("video") => "video/*",
                        _ => "application/octet-stream",
                    }
                    .to_owned()
                }),
            }
        })
        .collect()
}

fn assistant(entry: &Value) -> ChatMessage {
    let mut out = message(entry, "assistant", text_of(&entry["content"]));
    out.model = entry["model"].as_str().map(str::to_owned);
    out.usage = usage_of(entry);
    if entry["stopReason"] == "error" {
        out.error = Some(
            entry["errorMessage"]
                .as_str()
                .unwrap_or("The turn failed.")
                .to_owned(),
        );
    }
    for part in entry["content"].as_array().into_iter().flatten() {
        if part["type"] == "toolCall" {
            out.tools.push(ToolUse {
                id: part["id"].as_str().unwrap_or_default().to_owned(),
                name: part["name"].as_str().unwrap_or_default().to_owned(),
                summary: summary::of_args(&part["arguments"]),
                failed: false,
            });
        }
    }
    out
}

fn join(last: &mut ChatMessage, part: ChatMessage) {
    if !last.text.is_empty() && !part.text.is_empty() {
        last.text.push_str("\n\n");
    }
    last.text.push_str(&part.text);
    last.tools.extend(part.tools);
    last.error = part.error.or_else(|| last.error.take());
    last.usage = match (last.usage, part.usage) {
        (Some(a), Some(b)) => Some(TokenUsage {
            input_tokens: a.input_tokens + b.input_tokens,
            output_tokens: a.output_tokens + b.output_tokens,
        }),
        (a, b) => a.or(b),
    };
}

fn note_result(out: &mut [ChatMessage], entry: &Value) {
    let id = entry["toolCallId"].as_str().unwrap_or_default();
    let tools = out
        .iter_mut()
        .rev()
        .flat_map(|message| message.tools.iter_mut());
    for tool in tools.filter(|tool| tool.id == id).take(1) {
        tool.failed = entry["isError"] == true;
        if tool.summary.is_none() {
            tool.summary = summary::one_line(&text_of(&entry["content"]));
        }
    }
}

fn usage_of(entry: &Value) -> Option<TokenUsage> {
    let usage = &entry["usage"];
    let count = |key: &str| usage[key].as_u64();
    (count("input").is_some() || count("output").is_some()).then(|| TokenUsage {
        input_tokens: count("input").unwrap_or(0) + count("cacheRead").unwrap_or(0),
        output_tokens: count("output").unwrap_or(0),
    })
}

fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        other => other
            .as_array()
            .into_iter()
            .flatten()
            .filter(|part| part["type"] == "text")
            .filter_map(|part| part["text"].as_str())
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn transcript() -> Value {
        json!({"messages": [
            {"role": "user", "content": "[Sat 2026-11-21 10:32 UTC] list it", "timestamp": 1000, "idempotencyKey": "r1:user", "__openclaw": {"id": "a"}},
            {"role": "assistant", "content": [{"type": "toolCall", "id": "call_1", "name": "exec", "arguments": {"command": "ls"}}],
             "usage": {"input": 10, "output": 2}, "stopReason": "toolUse", "__openclaw": {"id": "b", "runId": "r1"}},
            {"role": "toolResult", "toolCallId": "call_1", "toolName": "exec", "content": [{"type": "text", "text": "boom"}], "isError": true},
            {"role": "assistant", "content": [{"type": "text", "text": "done"}], "usage": {"input": 20, "output": 3}, "stopReason": "stop",
             "model": "default", "__openclaw": {"id": "c", "runId": "r1"}}]})
    }

    #[test]
    fn a_turn_with_tools_is_one_message() {
        let read = messages(&transcript());
        assert_eq!(read.len(), 2);
        assert_eq!(
            (read[0].text.as_str(), read[0].run_id.as_deref()),
            ("list it", Some("r1"))
        );
        assert_eq!(read[1].text, "done");
        assert_eq!(
            read[1].tools[0],
            ToolUse {
                id: "call_1".into(),
                name: "exec".into(),
                summary: Some("ls".into()),
                failed: true
            }
        );
        assert_eq!(
            read[1].usage,
            Some(TokenUsage {
                input_tokens: 30,
                output_tokens: 5
            })
        );
    }

    #[test]
    fn a_message_keeps_its_files_also_without_words() {
        let file = |name: Option<&str>, kind: &str| {
            let mut file = json!({"path": "/home/instance/media/x", "kind": kind});
            if let Some(name) = name {
                file["fileName"] = name.into();
                file["contentType"] = "image/png".into();
            }
            file
        };
        let read = messages(&json!({"messages": [
            {"role": "user", "content": "", "__openclaw": {"id": "a", "media": [file(Some("red.png"), "image"), file(None, "document")]}},
            {"role": "user", "content": "", "__openclaw": {"id": "b"}}]}));
        assert_eq!(read.len(), 1, "one that says nothing is none");
        let files: Vec<_> = read[0]
            .attachments
            .iter()
            .map(|file| (file.name.as_deref(), file.mime_type.as_str()))
            .collect();
        assert_eq!(
            files,
            [
                (Some("red.png"), "image/png"),
                (None, "application/octet-stream")
            ]
        );
        assert!(
            !serde_json::to_string(&read)
                .unwrap()
                .contains("/home/instance"),
            "where it lies is the gateway's own affair"
        );
    }

    #[test]
    fn the_answer_of_a_run_is_found_only_when_it_is_the_last_word() {
        let mut all = transcript();
        assert_eq!(answer_of(&all, "r1").unwrap().unwrap().0, "done");
        assert_eq!(answer_of(&all, "r2"), None);
        assert_eq!(answer_after(&all, "r1").unwrap().0, "done");
        all["messages"].as_array_mut().unwrap().pop();
        assert_eq!(answer_of(&all, "r1"), None, "a tool call is not the answer");
    }
}
