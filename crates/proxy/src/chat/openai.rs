//! The OpenAI-compatible form: one request, one throw-away session, deleted afterwards.

use std::sync::Arc;

use fractal_api_types::{ChatEvent, CompletionMessage, CompletionRequest, ProblemCode, TokenUsage};
use fractal_clock::new_id;
use fractal_types::{Actor, ChatRunId, InstanceId};
use futures::{Stream, StreamExt};
use serde_json::{Value, json};

use super::{ChatHub, RunHandle};
use crate::ports::ChatFailure;

/// A completion on its way. Dropping it stops the run; its session is deleted in any case.
#[derive(Debug)]
pub struct Completion {
    run: RunHandle,
    instance: InstanceId,
    model: String,
    created: i64,
    include_usage: bool,
}

impl ChatHub {
    /// Begins a completion. Earlier entries of the conversation go along as context before the last
    /// user entry.
    ///
    /// # Errors
    ///
    /// When the request holds nothing to answer.
    pub fn complete(
        &self,
        actor: Actor,
        instance: InstanceId,
        request: &CompletionRequest,
    ) -> Result<Completion, ChatFailure> {
        self.check_room(instance)?;
        let message = conversation(&request.messages)?;
        let id: ChatRunId = new_id(&*self.inner.clock, &*self.inner.entropy);
        let session = format!("api-{id}");
        let run = self
            .begin(actor, instance, session, message, Vec::new(), Some(id))
            .abort_on_drop();
        self.delete_afterwards(&run);
        Ok(Completion {
            run,
            instance,
            model: request.model.clone(),
            created: self.inner.clock.now().as_millis() / 1_000,
            include_usage: request
                .stream_options
                .as_ref()
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
        })
    }

    fn delete_afterwards(&self, handle: &RunHandle) {
        let run = Arc::clone(&handle.run);
        tokio::spawn(async move {
            Arc::clone(&run)
                .follow(0)
                .for_each(|_| std::future::ready(()))
                .await;
            if let Some(gateway) = run.gateway()
                && let Err(error) = gateway.sessions_delete(&run.key).await
            {
                tracing::warn!(instance.id = %run.instance, %error, "a throw-away session was left behind");
            }
        });
    }
}

impl Completion {
    /// Waits for the end and gives the whole completion.
    ///
    /// # Errors
    ///
    /// Why there is no answer.
    pub async fn collect(self) -> Result<Value, ChatFailure> {
        let mut events = Box::pin(self.run.events());
        while let Some((_, event)) = events.next().await {
            match event {
                ChatEvent::Final { text, usage, .. } => {
                    return Ok(
                        json!({"id": self.id(), "object": "chat.completion", "created": self.created, "model": self.model,
                        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
                        "usage": usage_of(usage)}),
                    );
                }
                ChatEvent::Error {
                    code,
                    message,
                    remedy,
                    provider,
                } => {
                    // The status of the cause: a client repeats a 503 by itself, and must not a stopped agent's 409.
                    let cause = ProblemCode::ALL.iter().find(|known| known.as_str() == code);
                    let cause = cause.copied().unwrap_or(ProblemCode::Unavailable);
                    let failure = provider
                        .map_or_else(|| ChatFailure::new(cause, message), ChatFailure::provider);
                    return Err(match remedy {
                        Some(remedy) => failure.remedy(remedy),
                        None => failure,
                    });
                }
                _ => {}
            }
        }
        Err(ChatFailure::new(
            ProblemCode::Internal,
            "The turn ended without a word.",
        ))
    }

    /// The completion as the `data` of server-sent events, `[DONE]` last. A failure is an error object.
    pub fn chunks(self) -> impl Stream<Item = String> + Send {
        let mut said = String::new();
        let mut begun = false;
        let events = self.run.events();
        events.flat_map(move |(_, event)| {
            let chunk = |delta: Value, finish: Value| {
                json!({"id": self.id(), "object": "chat.completion.chunk", "created": self.created, "model": self.model,
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
                .to_string()
            };
            let mut out = Vec::new();
            if !std::mem::replace(&mut begun, true) {
                out.push(chunk(json!({"role": "assistant", "content": ""}), Value::Null));
            }
            match event {
                ChatEvent::Delta { text, replace } => {
                    // This form cannot take words back, so only what continues them is sent on.
                    let new = if replace {
                        text.strip_prefix(&said).unwrap_or_default().to_owned()
                    } else {
                        text
                    };
                    if !new.is_empty() {
                        said.push_str(&new);
                        out.push(chunk(json!({"content": new}), Value::Null));
                    }
                }
                ChatEvent::Final { text, usage, .. } => {
                    if let Some(rest) = text.strip_prefix(&said).filter(|rest| !rest.is_empty()) {
                        out.push(chunk(json!({"content": rest}), Value::Null));
                    }
                    out.push(chunk(json!({}), json!("stop")));
                    if self.include_usage {
                        let last = json!({"id": self.id(), "object": "chat.completion.chunk", "created": self.created,
                            "model": self.model, "choices": [], "usage": usage_of(usage)});
                        out.push(last.to_string());
                    }
                    out.push("[DONE]".to_owned());
                }
                ChatEvent::Error { code, message, .. } => {
                    out.push(json!({"error": {"message": message, "type": "agent_error", "code": code}}).to_string());
                    out.push("[DONE]".to_owned());
                }
                _ => {}
            }
            futures::stream::iter(out)
        })
    }

    /// The agent that answers.
    #[must_use]
    pub const fn instance(&self) -> InstanceId {
        self.instance
    }

    fn id(&self) -> String {
        format!("chatcmpl-{}", self.run.id())
    }
}

fn usage_of(usage: Option<TokenUsage>) -> Value {
    let usage = usage.unwrap_or_default();
    json!({"prompt_tokens": usage.input_tokens, "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens})
}

/// The last user entry, with what came before it as quoted context.
fn conversation(messages: &[CompletionMessage]) -> Result<String, ChatFailure> {
    let last = messages
        .iter()
        .rposition(|message| message.role == "user")
        .ok_or_else(|| {
            ChatFailure::new(
                ProblemCode::InvalidFields,
                "messages holds no entry of the role user.",
            )
        })?;
    let words = text_of(messages[last].content.as_ref());
    if words.trim().is_empty() {
        return Err(ChatFailure::new(
            ProblemCode::InvalidFields,
            "The last user entry is empty.",
        ));
    }
    let before: Vec<String> = messages[..last]
        .iter()
        .map(|message| (message.role.as_str(), text_of(message.content.as_ref())))
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(role, text)| format!("{role}: {text}"))
        .collect();
    if before.is_empty() {
        return Ok(words);
    }
    Ok(format!(
        "The conversation so far:\n\n{}\n\nNow answer this:\n\n{words}",
        before.join("\n\n")
    ))
}

fn text_of(content: Option<&Value>) -> String {
    match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect::<Vec<_>>()
            .join("\n"),
        _ => String::new(),
    }
}
