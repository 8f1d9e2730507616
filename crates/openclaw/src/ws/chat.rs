//! The events of a conversation, typed.
//!
//! [`Incoming::read`] turns an [`Event`] into what a chat has to show and passes over everything else.
//! Reading is tolerant: unknown fields are ignored, a missing text is empty, an unknown phase is
//! [`ChatKind::Other`] or [`AgentActivity::Other`]. Only `runId` and `sessionKey` decide whether an event
//! belongs to a conversation at all.

use serde_json::Value;

use super::Event;

/// An event of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Incoming {
    /// Progress or the end of one answer.
    Chat(ChatEvent),
    /// What the agent does meanwhile.
    Agent(AgentEvent),
    /// A command waits for a person's permission.
    ApprovalRequested(Approval),
    /// A permission was given, refused or ran out.
    ApprovalResolved(Resolution),
    /// The agent asks the person something and waits.
    QuestionRequested(Question),
    /// A question was answered, skipped or ran out.
    QuestionResolved(Resolution),
}

/// Progress of one answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatEvent {
    /// The run: the `idempotencyKey` it was sent with.
    pub run_id: String,
    /// Its session.
    pub session_key: String,
    /// Its number within the run.
    pub seq: u64,
    /// What happened.
    pub kind: ChatKind,
}

/// What happened to an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatKind {
    /// Before the first word: `preparing_workspace`, `preparing_context`, `starting_model`.
    Status {
        /// The phase, in the gateway's words.
        phase: String,
    },
    /// More text.
    Delta {
        /// Only the new part.
        text: String,
        /// Everything so far.
        cumulative: String,
        /// The answer was rewritten: forget the parts, show `cumulative`.
        replace: bool,
    },
    /// The answer is complete.
    Final {
        /// The whole text; `None` when the message was taken into a run in progress (steering), whose
        /// own final carries the text.
        text: Option<String>,
        /// What it cost, when the gateway says.
        usage: Option<Usage>,
        /// Why it ended, such as `stop`.
        stop_reason: Option<String>,
    },
    /// The answer was stopped.
    Aborted {
        /// What was written until then.
        text: String,
    },
    /// The answer failed. It can arrive twice, the second time without detail.
    Error {
        /// Text for a person, made by the gateway.
        message: String,
        /// What it was about.
        detail: Option<ErrorDetail>,
    },
    /// A state this version does not know.
    Other {
        /// Its name.
        state: String,
    },
}

impl ChatKind {
    /// Nothing follows in this run.
    #[must_use]
    pub fn is_end(&self) -> bool {
        matches!(
            self,
            Self::Final { .. } | Self::Aborted { .. } | Self::Error { .. }
        )
    }

    /// The run lost a race against a change of configuration; sending it once more succeeds
    /// (`openclaw.md` section 3).
    #[must_use]
    pub fn is_superseded(&self) -> bool {
        matches!(self, Self::Error { message, .. } if is_superseded(message))
    }
}

pub(super) fn is_superseded(message: &str) -> bool {
    message.contains("was superseded")
}

/// What a failed answer was about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ErrorDetail {
    /// The provider as the gateway knows it.
    pub provider: Option<String>,
    /// The model alias.
    pub model: Option<String>,
    /// `auth`, `billing`, `rate_limit`, ...
    pub reason: Option<String>,
}

/// Tokens used, as the gateway counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Read by the model.
    pub input: Option<u64>,
    /// Written by the model.
    pub output: Option<u64>,
}

/// What the agent does during a run.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentEvent {
    /// The run.
    pub run_id: String,
    /// Its session.
    pub session_key: String,
    /// Its number within the run.
    pub seq: u64,
    /// What happened.
    pub activity: AgentActivity,
}

/// One step of an agent's work.
#[derive(Debug, Clone, PartialEq)]
pub enum AgentActivity {
    /// A tool was called.
    ToolStarted {
        /// The call; several may run at once.
        call_id: String,
        /// The call this one was made through, when the agent uses the tool search.
        parent_call_id: Option<String>,
        /// The tool.
        name: String,
        /// What it was given.
        args: Value,
    },
    /// A tool said something while it runs.
    ToolUpdated {
        /// The call.
        call_id: String,
        /// The tool.
        name: String,
        /// Its output so far.
        output: String,
    },
    /// A tool ended.
    ToolEnded {
        /// The call.
        call_id: String,
        /// The tool.
        name: String,
        /// A few words on what was done, made by the gateway.
        summary: Option<String>,
        /// Its output.
        output: String,
        /// Whether it failed.
        failed: bool,
    },
    /// Tokens used so far.
    Usage(Usage),
    /// A step of the run: `start`, `model`, `finishing`, `end`, `error`, ...
    Lifecycle {
        /// Its name.
        phase: String,
        /// Everything said about it.
        data: Value,
    },
    /// A stream this version does not know, or one that repeats what `chat` says.
    Other {
        /// Its name.
        stream: String,
    },
}

/// A command that waits for permission.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// What [`super::Gateway::exec_approval_resolve`] takes.
    pub id: String,
    /// The session it belongs to.
    pub session_key: Option<String>,
    /// The run that waits.
    pub run_id: Option<String>,
    /// The tool call that waits.
    pub call_id: Option<String>,
    /// The command.
    pub command: String,
    /// Where it would run.
    pub cwd: Option<String>,
    /// A warning to show with it.
    pub warning: Option<String>,
    /// The decisions it accepts: `allow-once`, `allow-always`, `deny`.
    pub decisions: Vec<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// Questions the agent waits for.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// What [`super::Gateway::question_resolve`] takes.
    pub id: String,
    /// The session it belongs to.
    pub session_key: Option<String>,
    /// The run that waits.
    pub run_id: Option<String>,
    /// One to three questions.
    pub items: Vec<QuestionItem>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuestionItem {
    /// The key of its answer.
    pub id: String,
    /// A short title.
    pub header: String,
    /// The question.
    pub question: String,
    /// Label and description of each choice.
    pub options: Vec<(String, Option<String>)>,
    /// Whether several may be chosen.
    pub multi_select: bool,
    /// Whether another answer may be typed.
    pub free_text: bool,
    /// Whether the answer is a secret and must be masked.
    pub secret: bool,
}

/// How an approval or a question ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// Which one.
    pub id: String,
    /// `allow-once`, `allow-always`, `deny`, `answered`, `cancelled`, `expired`.
    pub outcome: String,
    /// The session, when the gateway says.
    pub session_key: Option<String>,
}

impl Incoming {
    /// Reads an event; `None` when it is not part of a conversation.
    #[must_use]
    pub fn read(event: &Event) -> Option<Self> {
        let payload = &event.payload;
        match event.event.as_str() {
            "chat" => read_chat(payload).map(Self::Chat),
            "agent" => read_agent(payload).map(Self::Agent),
            "exec.approval.requested" => Approval::read(payload).map(Self::ApprovalRequested),
            "exec.approval.resolved" => {
                read_resolution(payload, "decision").map(Self::ApprovalResolved)
            }
            "question.requested" => Question::read(payload).map(Self::QuestionRequested),
            "question.resolved" => read_resolution(payload, "status").map(Self::QuestionResolved),
            _ => None,
        }
    }
}

impl Approval {
    /// Reads an element of `exec.approval.list` or the content of `exec.approval.requested`.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let request = &value["request"];
        Some(Self {
            id: word(&value["id"])?,
            session_key: word(&request["sessionKey"]),
            run_id: word(&request["runId"]),
            call_id: word(&request["toolCallId"]),
            command: word(&request["command"]).unwrap_or_default(),
            cwd: word(&request["cwd"]),
            warning: word(&request["warningText"]),
            decisions: list(&request["allowedDecisions"])
                .filter_map(word)
                .collect(),
            created_at_ms: value["createdAtMs"].as_i64().unwrap_or(0),
            expires_at_ms: value["expiresAtMs"].as_i64().unwrap_or(0),
        })
    }
}

impl Question {
    /// Reads an element of `question.list` or the content of `question.requested`.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let item = |item: &Value| {
            Some(QuestionItem {
                id: word(&item["questionId"])?,
                header: word(&item["header"]).unwrap_or_default(),
                question: word(&item["question"])?,
                options: list(&item["options"])
                    .filter_map(|option| {
                        Some((word(&option["label"])?, word(&option["description"])))
                    })
                    .collect(),
                multi_select: item["multiSelect"].as_bool().unwrap_or(false),
                free_text: item["isOther"].as_bool().unwrap_or(false),
                secret: item["isSecret"].as_bool().unwrap_or(false),
            })
        };
        Some(Self {
            id: word(&value["id"])?,
            session_key: word(&value["sessionKey"]),
            run_id: word(&value["runId"]),
            items: list(&value["questions"]).filter_map(item).collect(),
            created_at_ms: value["createdAtMs"].as_i64().unwrap_or(0),
            expires_at_ms: value["expiresAtMs"].as_i64().unwrap_or(0),
        })
    }
}

fn read_chat(payload: &Value) -> Option<ChatEvent> {
    let message = &payload["message"];
    let text = || text_of(&message["content"]);
    let state = payload["state"].as_str().unwrap_or_default();
    let kind = match state {
        "status" => ChatKind::Status {
            phase: word(&payload["phase"]).unwrap_or_default(),
        },
        "delta" => ChatKind::Delta {
            text: word(&payload["deltaText"]).unwrap_or_default(),
            cumulative: text(),
            replace: payload["replace"].as_bool().unwrap_or(false),
        },
        "final" => ChatKind::Final {
            text: (!message.is_null()).then(text),
            usage: read_usage(&message["usage"]).or_else(|| read_usage(&payload["usage"])),
            stop_reason: word(&payload["stopReason"]),
        },
        "aborted" => ChatKind::Aborted { text: text() },
        "error" => {
            let detail = &payload["errorDetail"];
            ChatKind::Error {
                message: word(&payload["errorMessage"])
                    .unwrap_or_else(|| "the gateway gave no reason".to_owned()),
                detail: detail.is_object().then(|| ErrorDetail {
                    provider: word(&detail["provider"]),
                    model: word(&detail["model"]),
                    reason: word(&detail["failoverReason"]),
                }),
            }
        }
        other => ChatKind::Other {
            state: other.to_owned(),
        },
    };
    Some(ChatEvent {
        run_id: word(&payload["runId"])?,
        session_key: word(&payload["sessionKey"])?,
        seq: payload["seq"].as_u64().unwrap_or(0),
        kind,
    })
}

fn read_agent(payload: &Value) -> Option<AgentEvent> {
    let data = &payload["data"];
    let name = || word(&data["name"]).unwrap_or_default();
    let phase = data["phase"].as_str().unwrap_or_default();
    let call_id = word(&data["toolCallId"]);
    let stream = payload["stream"].as_str().unwrap_or_default();
    let activity = match (stream, phase, call_id) {
        ("tool", "start", Some(call_id)) => AgentActivity::ToolStarted {
            call_id,
            parent_call_id: word(&data["parentToolCallId"]),
            name: name(),
            args: data["args"].clone(),
        },
        ("tool", "update", Some(call_id)) => AgentActivity::ToolUpdated {
            call_id,
            name: name(),
            output: text_of(&data["partialResult"]["content"]),
        },
        ("tool", "result", Some(call_id)) => AgentActivity::ToolEnded {
            call_id,
            name: name(),
            summary: word(&data["meta"]),
            output: text_of(&data["result"]["content"]),
            failed: data["isError"].as_bool().unwrap_or(false),
        },
        ("usage", ..) => AgentActivity::Usage(read_usage(data).unwrap_or_default()),
        ("lifecycle" | "run_status", ..) => AgentActivity::Lifecycle {
            phase: phase.to_owned(),
            data: data.clone(),
        },
        _ => AgentActivity::Other {
            stream: stream.to_owned(),
        },
    };
    Some(AgentEvent {
        run_id: word(&payload["runId"])?,
        session_key: word(&payload["sessionKey"])?,
        seq: payload["seq"].as_u64().unwrap_or(0),
        activity,
    })
}

fn read_resolution(payload: &Value, outcome: &str) -> Option<Resolution> {
    Some(Resolution {
        id: word(&payload["id"])?,
        outcome: word(&payload[outcome]).unwrap_or_else(|| "expired".to_owned()),
        session_key: word(&payload["request"]["sessionKey"])
            .or_else(|| word(&payload["sessionKey"])),
    })
}

/// History says `input` and `output`, the event stream `inputTokens` and `outputTokens`.
fn read_usage(value: &Value) -> Option<Usage> {
    let count = |short: &str, long: &str| value[short].as_u64().or_else(|| value[long].as_u64());
    let usage = Usage {
        input: count("input", "inputTokens"),
        output: count("output", "outputTokens"),
    };
    (usage != Usage::default()).then_some(usage)
}

/// The text of a message: a plain string, or the text parts of a list.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        other => list(other)
            .filter_map(|part| part["text"].as_str())
            .collect(),
    }
}

fn word(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(event: &str, payload: Value) -> Option<Incoming> {
        Incoming::read(&Event {
            event: event.to_owned(),
            payload,
            seq: None,
        })
    }

    fn chat(payload: Value) -> ChatKind {
        let mut payload = payload;
        payload["runId"] = json!("r");
        payload["sessionKey"] = json!("agent:main:main");
        match read("chat", payload) {
            Some(Incoming::Chat(event)) => event.kind,
            other => panic!("not a chat event: {other:?}"),
        }
    }

    #[test]
    fn a_delta_carries_the_new_part_and_everything_so_far() {
        let kind = chat(
            json!({"state": "delta", "deltaText": " world", "unknown": 1,
            "message": {"role": "assistant", "content": [{"type": "text", "text": "Hello world"}]}}),
        );
        assert_eq!(
            kind,
            ChatKind::Delta {
                text: " world".into(),
                cumulative: "Hello world".into(),
                replace: false
            }
        );
    }

    #[test]
    fn a_steered_message_ends_without_text() {
        let kind = chat(json!({"state": "final", "stopReason": "stop"}));
        assert!(matches!(kind, ChatKind::Final { text: None, .. }));
        assert!(kind.is_end());
    }

    #[test]
    fn a_superseded_run_is_recognised_by_its_text() {
        let kind = chat(json!({"state": "error", "errorMessage":
            "Error: prepared model runtime plugin generation was superseded for fractal"}));
        assert!(kind.is_superseded());
        assert!(
            !chat(json!({"state": "error", "errorMessage": "authentication failed"}))
                .is_superseded()
        );
    }

    #[test]
    fn a_tool_call_keeps_its_parent() {
        let event = json!({"runId": "r", "sessionKey": "s", "stream": "tool", "seq": 10,
            "data": {"phase": "start", "name": "ask_user", "toolCallId": "c2", "parentToolCallId": "c1", "args": {"a": 1}}});
        let Some(Incoming::Agent(event)) = read("agent", event) else {
            panic!("not an agent event");
        };
        assert_eq!(
            event.activity,
            AgentActivity::ToolStarted {
                call_id: "c2".into(),
                parent_call_id: Some("c1".into()),
                name: "ask_user".into(),
                args: json!({"a": 1}),
            }
        );
    }

    #[test]
    fn an_approval_names_command_and_decisions() {
        let Some(Incoming::ApprovalRequested(approval)) = read(
            "exec.approval.requested",
            json!({"id": "be02", "createdAtMs": 1, "expiresAtMs": 2, "request": {"command": "echo hi",
                "cwd": "/w", "warningText": null, "allowedDecisions": ["allow-once", "deny"],
                "sessionKey": "agent:main:ex", "runId": "r", "toolCallId": "call_1"}}),
        ) else {
            panic!("not an approval");
        };
        assert_eq!(approval.command, "echo hi");
        assert_eq!(approval.decisions, ["allow-once", "deny"]);
        assert_eq!(approval.call_id.as_deref(), Some("call_1"));
    }

    #[test]
    fn a_question_keeps_its_choices() {
        let Some(Incoming::QuestionRequested(question)) = read(
            "question.requested",
            json!({"id": "ask_1", "status": "pending", "createdAtMs": 1, "expiresAtMs": 2, "sessionKey": "s",
                "questions": [{"questionId": "color", "header": "Color", "question": "Which color?",
                    "options": [{"label": "Red", "description": "warm"}, {"label": "Blue"}], "isOther": true}]}),
        ) else {
            panic!("not a question");
        };
        assert_eq!(question.items[0].options.len(), 2);
        assert!(question.items[0].free_text);
    }

    proptest! {
        #[test]
        fn no_payload_breaks_the_reader(text in "\\PC{0,40}", number in any::<i64>(), state in "(delta|final|error|status|tool|x)") {
            for event in ["chat", "agent", "exec.approval.requested", "question.requested", "question.resolved", "tick"] {
                for payload in [json!(text.clone()), json!(number), json!([text.clone()]), json!({
                    "runId": text.clone(), "sessionKey": number, "state": state.clone(), "message": text.clone(), "data": [number], "stream": state.clone(),
                }), json!({"runId": "r", "sessionKey": "s", "state": state.clone(), "message": {"content": number}, "stream": state.clone(), "data": {"phase": text.clone()}})] {
                    let _ = read(event, payload);
                }
            }
        }
    }
}
