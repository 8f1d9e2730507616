//! The four wires, written from the providers' documented shapes.

use serde_json::{Value, json};

/// A wire, known by the path it is called at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FakeWire {
    /// `/chat/completions`.
    Completions,
    /// `/responses`.
    Responses,
    /// `/messages`.
    Anthropic,
    /// `:generateContent` and `:streamGenerateContent`.
    Google,
}

/// Tokens every answer claims to have used.
pub(super) const TOKENS: (u64, u64) = (11, 7);

/// A list of models in the shape that fits the path.
pub(super) fn list(path: &str, models: &[String]) -> Value {
    if path.contains("v1beta") {
        let entries: Vec<Value> = models
            .iter()
            .map(|name| json!({"name": format!("models/{name}"), "supportedGenerationMethods": ["generateContent"]}))
            .collect();
        json!({"models": entries})
    } else {
        let entries: Vec<Value> = models
            .iter()
            .map(|name| json!({"id": name, "object": "model", "type": "model"}))
            .collect();
        json!({"object": "list", "data": entries, "has_more": false})
    }
}

impl FakeWire {
    /// The wire of a path.
    #[must_use]
    pub fn of(path: &str) -> Option<Self> {
        if path.ends_with("/chat/completions") {
            Some(Self::Completions)
        } else if path.ends_with("/responses") {
            Some(Self::Responses)
        } else if path.ends_with("/messages") {
            Some(Self::Anthropic)
        } else if path.ends_with("enerateContent") {
            Some(Self::Google)
        } else {
            None
        }
    }

    /// How many events stand before the first word.
    pub(super) const fn opening(self) -> usize {
        match self {
            Self::Completions | Self::Google => 0,
            Self::Responses => 3,
            Self::Anthropic => 2,
        }
    }

    /// Whether the request's last entries hold a tool's result.
    pub(super) fn has_result(self, body: &Value) -> bool {
        let text = match self {
            Self::Completions | Self::Anthropic => body["messages"].to_string(),
            Self::Responses => body["input"].to_string(),
            Self::Google => body["contents"].to_string(),
        };
        [
            "\"role\":\"tool\"",
            "function_call_output",
            "tool_result",
            "functionResponse",
        ]
        .iter()
        .any(|mark| text.contains(mark))
    }

    /// The whole answer.
    pub(super) fn whole_text(self, body: &Value, text: &str) -> Value {
        let (input, output) = TOKENS;
        match self {
            Self::Completions => {
                json!({"id": "c1", "object": "chat.completion", "created": 1, "model": body["model"],
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output}})
            }
            Self::Responses => response(body, "completed", &json!([message_item(text)])),
            Self::Anthropic => {
                json!({"id": "m1", "type": "message", "role": "assistant", "model": body["model"],
                "content": [{"type": "text", "text": text}], "stop_reason": "end_turn",
                "usage": {"input_tokens": input, "output_tokens": output}})
            }
            Self::Google => {
                json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}],
                "usageMetadata": {"promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output}})
            }
        }
    }

    /// The answer as events, one per word.
    pub(super) fn text(self, body: &Value, text: &str) -> Vec<String> {
        let (input, output) = TOKENS;
        let words = text.split_inclusive(' ');
        match self {
            Self::Completions => {
                let mut events: Vec<String> = words
                    .enumerate()
                    .map(|(at, word)| {
                        let delta = if at == 0 {
                            json!({"role": "assistant", "content": word})
                        } else {
                            json!({"content": word})
                        };
                        data(&chunk(body, &delta, &Value::Null))
                    })
                    .collect();
                events.push(data(&chunk(body, &json!({}), &json!("stop"))));
                events.extend(completions_end(body));
                events
            }
            Self::Responses => {
                let mut events = vec![
                    named(
                        json!({"type": "response.created", "response": response(body, "in_progress", &json!([]))}),
                    ),
                    named(
                        json!({"type": "response.output_item.added", "output_index": 0,
                        "item": {"type": "message", "id": "m1", "role": "assistant", "status": "in_progress", "content": []}}),
                    ),
                    named(
                        json!({"type": "response.content_part.added", "item_id": "m1", "output_index": 0, "content_index": 0,
                        "part": {"type": "output_text", "text": "", "annotations": []}}),
                    ),
                ];
                events.extend(words.map(|word| {
                    named(json!({"type": "response.output_text.delta", "item_id": "m1", "output_index": 0, "content_index": 0, "delta": word}))
                }));
                events.push(named(json!({"type": "response.output_item.done", "output_index": 0, "item": message_item(text)})));
                events.push(named(json!({"type": "response.completed", "response": response(body, "completed", &json!([message_item(text)]))})));
                events
            }
            Self::Anthropic => {
                let mut events = anthropic_start(body, &json!({"type": "text", "text": ""}));
                events.extend(words.map(|word| {
                    named(json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}}))
                }));
                events.extend(anthropic_end("end_turn"));
                events
            }
            Self::Google => {
                let mut events: Vec<String> = words
                    .map(|word| data(&json!({"candidates": [{"content": {"role": "model", "parts": [{"text": word}]}, "index": 0}]})))
                    .collect();
                events.push(data(&json!({"candidates": [{"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": "STOP", "index": 0}],
                    "usageMetadata": {"promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output}})));
                events
            }
        }
    }

    /// One tool call as events.
    pub(super) fn call(self, body: &Value, tool: &str, args: &Value) -> Vec<String> {
        match self {
            Self::Completions => {
                let delta = json!({"role": "assistant", "tool_calls": [{"index": 0, "id": "call_1", "type": "function",
                    "function": {"name": tool, "arguments": args.to_string()}}]});
                let mut events = vec![
                    data(&chunk(body, &delta, &Value::Null)),
                    data(&chunk(body, &json!({}), &json!("tool_calls"))),
                ];
                events.extend(completions_end(body));
                events
            }
            Self::Responses => {
                let item = json!({"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": tool,
                    "arguments": args.to_string(), "status": "completed"});
                let mut begun = item.clone();
                begun["arguments"] = json!("");
                vec![
                    named(
                        json!({"type": "response.created", "response": response(body, "in_progress", &json!([]))}),
                    ),
                    named(
                        json!({"type": "response.output_item.added", "output_index": 0, "item": begun}),
                    ),
                    named(
                        json!({"type": "response.function_call_arguments.delta", "item_id": "fc_1", "output_index": 0, "delta": args.to_string()}),
                    ),
                    named(
                        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
                    ),
                    named(
                        json!({"type": "response.completed", "response": response(body, "completed", &json!([item]))}),
                    ),
                ]
            }
            Self::Anthropic => {
                let mut events = anthropic_start(
                    body,
                    &json!({"type": "tool_use", "id": "call_1", "name": tool, "input": {}}),
                );
                events.push(named(json!({"type": "content_block_delta", "index": 0,
                    "delta": {"type": "input_json_delta", "partial_json": args.to_string()}})));
                events.extend(anthropic_end("tool_use"));
                events
            }
            Self::Google => vec![data(&json!({"candidates": [{"content": {"role": "model",
                "parts": [{"functionCall": {"name": tool, "args": args}}]}, "finishReason": "STOP", "index": 0}],
                "usageMetadata": {"promptTokenCount": TOKENS.0, "candidatesTokenCount": TOKENS.1}}))],
        }
    }
}

fn chunk(body: &Value, delta: &Value, finish: &Value) -> Value {
    json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body["model"],
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

/// The chunk with counts comes only when asked for, as the original does it.
fn completions_end(body: &Value) -> Vec<String> {
    let (input, output) = TOKENS;
    let mut events = Vec::new();
    if body["stream_options"]["include_usage"] == true {
        events.push(data(&json!({"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": body["model"], "choices": [],
            "usage": {"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output}})));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn message_item(text: &str) -> Value {
    json!({"type": "message", "id": "m1", "role": "assistant", "status": "completed",
        "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

fn response(body: &Value, status: &str, output: &Value) -> Value {
    let (input, said) = TOKENS;
    let usage = if status == "completed" {
        json!({"input_tokens": input, "output_tokens": said, "total_tokens": input + said})
    } else {
        Value::Null
    };
    json!({"id": "r1", "object": "response", "created_at": 1, "model": body["model"], "status": status, "error": null,
        "output": output, "usage": usage})
}

fn anthropic_start(body: &Value, block: &Value) -> Vec<String> {
    vec![
        named(
            json!({"type": "message_start", "message": {"id": "m1", "type": "message", "role": "assistant", "model": body["model"],
            "content": [], "stop_reason": null, "usage": {"input_tokens": TOKENS.0, "output_tokens": 1}}}),
        ),
        named(json!({"type": "content_block_start", "index": 0, "content_block": block})),
    ]
}

fn anthropic_end(stop: &str) -> Vec<String> {
    vec![
        named(json!({"type": "content_block_stop", "index": 0})),
        named(
            json!({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": TOKENS.1}}),
        ),
        named(json!({"type": "message_stop"})),
    ]
}

fn data(body: &Value) -> String {
    format!("data: {body}\n\n")
}

fn named(body: Value) -> String {
    let kind = body["type"].as_str().unwrap_or_default().to_owned();
    format!("event: {kind}\ndata: {body}\n\n")
}
