//! Answers the house gives itself (demo and probe), spoken on every wire, streamed or whole.

use fractal_types::Wire;
use serde_json::{Value, json};

/// What is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Words.
    Text(String),
    /// One tool call.
    Call {
        /// Its id.
        id: String,
        /// The tool.
        name: String,
        /// Its arguments.
        args: Value,
    },
}

/// What surrounds an answer.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// The wire.
    pub wire: Wire,
    /// The model as the gateway named it.
    pub model: &'a str,
    /// An id for the answer.
    pub id: &'a str,
    /// Seconds since 1970.
    pub created: i64,
    /// Tokens in, roughly.
    pub input: u64,
}

impl Envelope<'_> {
    /// Tokens out, roughly: a word is a token here, as nothing is really counted.
    fn output(reply: &Reply) -> u64 {
        match reply {
            Reply::Text(text) => text.split_whitespace().count() as u64,
            Reply::Call { .. } => 1,
        }
    }

    /// The whole answer as one document.
    #[must_use]
    pub fn whole(&self, reply: &Reply) -> Value {
        let output = Self::output(reply);
        match self.wire {
            Wire::OpenaiCompletions => {
                let (message, finish) = match reply {
                    Reply::Text(text) => (json!({"role": "assistant", "content": text}), "stop"),
                    Reply::Call { id, name, args } => (
                        json!({"role": "assistant", "content": null, "tool_calls": [
                            {"id": id, "type": "function", "function": {"name": name, "arguments": args.to_string()}}]}),
                        "tool_calls",
                    ),
                };
                json!({"id": self.id, "object": "chat.completion", "created": self.created, "model": self.model,
                    "choices": [{"index": 0, "message": message, "finish_reason": finish}], "usage": self.openai_usage(output)})
            }
            Wire::OpenaiResponses => self.response(reply, "completed"),
            Wire::AnthropicMessages => {
                let (block, stop) = match reply {
                    Reply::Text(text) => (json!({"type": "text", "text": text}), "end_turn"),
                    Reply::Call { id, name, args } => (
                        json!({"type": "tool_use", "id": id, "name": name, "input": args}),
                        "tool_use",
                    ),
                };
                json!({"id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [block],
                    "stop_reason": stop, "stop_sequence": null, "usage": {"input_tokens": self.input, "output_tokens": output}})
            }
            Wire::GoogleGenerativeAi => {
                let part = match reply {
                    Reply::Text(text) => json!({"text": text}),
                    Reply::Call { name, args, .. } => {
                        json!({"functionCall": {"name": name, "args": args}})
                    }
                };
                self.google(&part, true, output)
            }
        }
    }

    /// The answer as server-sent events, word by word.
    #[must_use]
    pub fn events(&self, reply: &Reply) -> Vec<String> {
        let output = Self::output(reply);
        match self.wire {
            Wire::OpenaiCompletions => self.completions_events(reply, output),
            Wire::OpenaiResponses => self.responses_events(reply),
            Wire::AnthropicMessages => self.anthropic_events(reply, output),
            Wire::GoogleGenerativeAi => match reply {
                Reply::Text(text) => {
                    let mut words = words(text).peekable();
                    let mut events = Vec::new();
                    while let Some(word) = words.next() {
                        let last = words.peek().is_none();
                        events.push(data(&self.google(&json!({"text": word}), last, output)));
                    }
                    events
                }
                Reply::Call { .. } => vec![data(&self.whole(reply))],
            },
        }
    }

    fn openai_usage(&self, output: u64) -> Value {
        json!({"prompt_tokens": self.input, "completion_tokens": output, "total_tokens": self.input + output})
    }

    fn completions_events(&self, reply: &Reply, output: u64) -> Vec<String> {
        let chunk = |delta: Value, finish: Value| {
            data(
                &json!({"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model,
                "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}),
            )
        };
        let mut events = vec![chunk(
            json!({"role": "assistant", "content": ""}),
            Value::Null,
        )];
        let finish = match reply {
            Reply::Text(text) => {
                events.extend(words(text).map(|word| chunk(json!({"content": word}), Value::Null)));
                "stop"
            }
            Reply::Call { id, name, args } => {
                events.push(chunk(
                    json!({"tool_calls": [{"index": 0, "id": id, "type": "function",
                        "function": {"name": name, "arguments": args.to_string()}}]}),
                    Value::Null,
                ));
                "tool_calls"
            }
        };
        events.push(chunk(json!({}), json!(finish)));
        events.push(data(
            &json!({"id": self.id, "object": "chat.completion.chunk", "created": self.created,
            "model": self.model, "choices": [], "usage": self.openai_usage(output)}),
        ));
        events.push("data: [DONE]\n\n".to_owned());
        events
    }

    fn response(&self, reply: &Reply, status: &str) -> Value {
        let output = Self::output(reply);
        json!({"id": self.id, "object": "response", "created_at": self.created, "model": self.model, "status": status,
            "output": [self.response_item(reply, "completed")],
            "usage": {"input_tokens": self.input, "output_tokens": output, "total_tokens": self.input + output}})
    }

    fn response_item(&self, reply: &Reply, status: &str) -> Value {
        match reply {
            Reply::Text(text) => {
                json!({"type": "message", "id": format!("msg_{}", self.id), "role": "assistant",
                "status": status, "content": [{"type": "output_text", "text": text, "annotations": []}]})
            }
            Reply::Call { id, name, args } => {
                json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id,
                "name": name, "arguments": args.to_string(), "status": status})
            }
        }
    }

    fn responses_events(&self, reply: &Reply) -> Vec<String> {
        let mut number = 0_u64;
        let mut events = Vec::new();
        let mut event = |kind: &str, mut body: Value| {
            body["type"] = json!(kind);
            body["sequence_number"] = json!(number);
            number += 1;
            events.push(named(kind, &body));
        };
        let item_id = match reply {
            Reply::Text(_) => format!("msg_{}", self.id),
            Reply::Call { id, .. } => format!("fc_{id}"),
        };
        let mut begun = self.response(reply, "in_progress");
        begun["output"] = json!([]);
        begun["usage"] = Value::Null;
        event("response.created", json!({"response": begun}));
        match reply {
            Reply::Text(text) => {
                let mut item = self.response_item(reply, "in_progress");
                item["content"] = json!([]);
                event(
                    "response.output_item.added",
                    json!({"output_index": 0, "item": item}),
                );
                let part =
                    |text: &str| json!({"type": "output_text", "text": text, "annotations": []});
                event(
                    "response.content_part.added",
                    json!({"item_id": item_id, "output_index": 0, "content_index": 0, "part": part("")}),
                );
                for word in words(text) {
                    event(
                        "response.output_text.delta",
                        json!({"item_id": item_id, "output_index": 0, "content_index": 0, "delta": word}),
                    );
                }
                event(
                    "response.output_text.done",
                    json!({"item_id": item_id, "output_index": 0, "content_index": 0, "text": text}),
                );
                event(
                    "response.content_part.done",
                    json!({"item_id": item_id, "output_index": 0, "content_index": 0, "part": part(text)}),
                );
            }
            Reply::Call { args, .. } => {
                let mut item = self.response_item(reply, "in_progress");
                item["arguments"] = json!("");
                event(
                    "response.output_item.added",
                    json!({"output_index": 0, "item": item}),
                );
                event(
                    "response.function_call_arguments.delta",
                    json!({"item_id": item_id, "output_index": 0, "delta": args.to_string()}),
                );
                event(
                    "response.function_call_arguments.done",
                    json!({"item_id": item_id, "output_index": 0, "arguments": args.to_string()}),
                );
            }
        }
        event(
            "response.output_item.done",
            json!({"output_index": 0, "item": self.response_item(reply, "completed")}),
        );
        event(
            "response.completed",
            json!({"response": self.response(reply, "completed")}),
        );
        events
    }

    fn anthropic_events(&self, reply: &Reply, output: u64) -> Vec<String> {
        let mut events = Vec::new();
        let mut event = |kind: &str, mut body: Value| {
            body["type"] = json!(kind);
            events.push(named(kind, &body));
        };
        event(
            "message_start",
            json!({"message": {"id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
                "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": self.input, "output_tokens": 0}}}),
        );
        let stop = match reply {
            Reply::Text(text) => {
                event(
                    "content_block_start",
                    json!({"index": 0, "content_block": {"type": "text", "text": ""}}),
                );
                for word in words(text) {
                    event(
                        "content_block_delta",
                        json!({"index": 0, "delta": {"type": "text_delta", "text": word}}),
                    );
                }
                "end_turn"
            }
            Reply::Call { id, name, args } => {
                event(
                    "content_block_start",
                    json!({"index": 0, "content_block": {"type": "tool_use", "id": id, "name": name, "input": {}}}),
                );
                event(
                    "content_block_delta",
                    json!({"index": 0, "delta": {"type": "input_json_delta", "partial_json": args.to_string()}}),
                );
                "tool_use"
            }
        };
        event("content_block_stop", json!({"index": 0}));
        event(
            "message_delta",
            json!({"delta": {"stop_reason": stop, "stop_sequence": null}, "usage": {"output_tokens": output}}),
        );
        event("message_stop", json!({}));
        events
    }

    fn google(&self, part: &Value, last: bool, output: u64) -> Value {
        let mut body = json!({"candidates": [{"content": {"role": "model", "parts": [part]}, "index": 0}],
            "modelVersion": self.model, "responseId": self.id});
        if last {
            body["candidates"][0]["finishReason"] = json!("STOP");
            body["usageMetadata"] = json!({"promptTokenCount": self.input, "candidatesTokenCount": output,
                "totalTokenCount": self.input + output});
        }
        body
    }
}

/// Words with the space after them, so that they join to the text again.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}

fn data(body: &Value) -> String {
    format!("data: {body}\n\n")
}

fn named(kind: &str, body: &Value) -> String {
    format!("event: {kind}\ndata: {body}\n\n")
}
