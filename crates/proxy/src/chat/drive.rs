//! The way of one run: wait for the session, wake the instance, send, listen, end exactly once.

use std::{sync::Arc, time::Duration};

use fractal_api_types::{ChatEvent, ChatPhase, ProblemCode, TokenUsage, ToolPhase};
use fractal_openclaw::ws::{
    AgentActivity, Attachment, ChatKind, ChatSend, Events, Gateway, Incoming, Question, RpcError,
    Signal, Usage, codes,
};
use fractal_types::{Timestamp, bytes_in_words};

use super::{ChatHub, history, run::Run, summary};
use crate::ports::{ChatFailure, Progress};

/// How many entries of the transcript are looked at for a lost answer.
const LOOK_BACK: u32 = 40;

/// Between two looks into the transcript.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How an attempt ended.
enum Outcome {
    Answer(String, Option<TokenUsage>),
    Aborted(String),
    Failed(ChatFailure),
    /// A change of configuration got in between; the same once more.
    Superseded,
}

/// Carries a run to its end.
pub(super) async fn drive(hub: ChatHub, run: Arc<Run>, mut send: ChatSend) {
    let lane = hub.lane(run.instance, &run.key);
    let outcome = match lane.clone().try_lock_owned() {
        Ok(turn) => Some(turn),
        Err(_) => {
            run.push(status(ChatPhase::Waiting));
            tokio::select! {
                turn = lane.lock_owned() => Some(turn),
                () = run.abort.cancelled() => None,
            }
        }
    };
    // Held until the end of the turn: a second message would be taken into the running answer
    // (`openclaw.md` section 5, steering).
    let Some(_turn) = outcome else {
        return end(&hub, &run, Outcome::Aborted(String::new()));
    };
    let _busy = hub.inner.access.busy(run.instance);
    let gateway = tokio::select! {
        () = run.abort.cancelled() => return end(&hub, &run, Outcome::Aborted(String::new())),
        ready = ready(&hub, &run) => match ready {
            Ok(gateway) => gateway,
            Err(failure) => return end(&hub, &run, Outcome::Failed(failure)),
        },
    };
    let mut outcome = attempt(&hub, &run, &gateway, &send).await;
    if matches!(outcome, Outcome::Superseded) {
        send.idempotency_key.push_str("-again");
        outcome = attempt(&hub, &run, &gateway, &send).await;
    }
    end(&hub, &run, outcome);
}

async fn ready(hub: &ChatHub, run: &Arc<Run>) -> Result<Gateway, ChatFailure> {
    let progress = |progress: Progress| {
        run.push(ChatEvent::Status {
            phase: progress.phase,
            state: progress.state,
            queue_position: progress.queue_position,
            typical_ms: progress.typical_ms,
            installing: progress.installing,
        });
    };
    let gateway = hub
        .inner
        .access
        .ensure_ready(&run.actor, run.instance, &progress)
        .await?;
    run.set_gateway(gateway.clone());
    Ok(gateway)
}

fn end(hub: &ChatHub, run: &Arc<Run>, outcome: Outcome) {
    let event = match outcome {
        Outcome::Answer(text, usage) => {
            if let Some(usage) = usage {
                run.push(ChatEvent::Usage { usage });
            }
            ChatEvent::Final {
                text,
                usage,
                aborted: false,
            }
        }
        Outcome::Aborted(text) => ChatEvent::Final {
            text,
            usage: None,
            aborted: true,
        },
        Outcome::Failed(failure) => error_event(failure),
        Outcome::Superseded => error_event(
            ChatFailure::new(
                ProblemCode::Unavailable,
                "The agent's settings changed during the turn.",
            )
            .remedy("Send the message again."),
        ),
    };
    run.push(event);
    hub.ended(run);
}

fn error_event(failure: ChatFailure) -> ChatEvent {
    ChatEvent::Error {
        code: failure.code.to_owned(),
        message: failure.message,
        remedy: failure.remedy,
        provider: failure.provider,
    }
}

/// Hands the message over; says whether an answer may have been missed meanwhile.
async fn hand_over(
    hub: &ChatHub,
    run: &Arc<Run>,
    gateway: &Gateway,
    send: &ChatSend,
) -> Result<bool, ChatFailure> {
    let started = hub.inner.clock.now();
    let mut uncertain = false;
    fits(gateway, send)?;
    loop {
        let error = match gateway.chat_send(send).await {
            Ok(_) => return Ok(uncertain),
            Err(error) => error,
        };
        let waited = hub.inner.clock.now().since(started);
        if !is_passing(&error) || waited >= hub.inner.settings.hold {
            return Err(refused(&error));
        }
        tracing::debug!(instance.id = %run.instance, %error, "a message waits for its gateway");
        uncertain |= error.code == codes::DISCONNECTED || error.code == codes::TIMEOUT;
        run.push(status(ChatPhase::Connecting));
        if error.is_suspended() {
            // Whoever suspended it must lift that first, and knows that we wait.
            ready(hub, run).await?;
        }
        let pause = error.retry_after.unwrap_or(Duration::from_millis(500));
        hub.inner.clock.sleep(pause.min(LOOK_EVERY)).await;
        let left = hub.inner.settings.hold.saturating_sub(waited);
        // When it does not come back in time the next try says why.
        let _ = gateway.wait_ready(left).await;
    }
}

/// Whether the gateway takes files of such sizes, as it said when it was connected. It would refuse them without naming one.
fn fits(gateway: &Gateway, send: &ChatSend) -> Result<(), ChatFailure> {
    let Some(limits) = gateway.hello().and_then(|hello| hello.policy.attachments) else {
        return Ok(());
    };
    let over = |file: &&Attachment| file.size() > limits.of(&file.mime_type);
    match send.attachments.iter().find(over) {
        None => Ok(()),
        Some(file) => Err(ChatFailure::new(
            ProblemCode::InvalidFields,
            format!(
                "{} has {}; the agent's gateway takes at most {} of such a file.",
                file.file_name,
                bytes_in_words(file.size()),
                bytes_in_words(limits.of(&file.mime_type))
            ),
        )
        .remedy("Send a smaller one.")),
    }
}

fn is_passing(error: &RpcError) -> bool {
    error.retryable
        || error.is_suspended()
        || error.code == codes::DISCONNECTED
        || error.code == codes::TIMEOUT
        || matches!(
            error.reason(),
            Some(
                "startup-sidecars"
                    | "gateway-restarting"
                    | "gateway-suspending"
                    | "gateway-draining"
            )
        )
}

/// What is shown of a gateway's refusal.
pub(super) fn refused(error: &RpcError) -> ChatFailure {
    tracing::info!(%error, "a gateway refused a request");
    if is_passing(error) {
        ChatFailure::new(
            ProblemCode::Unavailable,
            "The agent's gateway does not take messages at the moment.",
        )
        .remedy("Try again in a moment; if it stays so, restart the agent.")
    } else {
        ChatFailure::new(
            ProblemCode::InstanceFailed,
            format!("The agent's gateway refused: {}", error.message),
        )
        .code("refused")
        .remedy("If the message is not to blame, restart the agent.")
    }
}

async fn attempt(hub: &ChatHub, run: &Arc<Run>, gateway: &Gateway, send: &ChatSend) -> Outcome {
    let mut listener = Listener {
        hub,
        run,
        gateway,
        run_id: &send.idempotency_key,
        text: String::new(),
        usage: None,
        boot: gateway.hello().map(|hello| hello.boot_id.clone()),
        look_until: None,
        steered: false,
        aborting: false,
        lost: false,
    };
    let mut events = gateway.subscribe();
    let handed = tokio::select! {
        handed = hand_over(hub, run, gateway, send) => handed,
        () = run.abort.cancelled() => {
            // It may have arrived; a run that never began is aborted without effect.
            let _ = gateway.chat_abort(&run.key, Some(&send.idempotency_key)).await;
            return Outcome::Aborted(String::new());
        }
    };
    match handed {
        Err(failure) => return Outcome::Failed(failure),
        Ok(true) => listener.look_for(hub.inner.settings.reconnect),
        Ok(false) => {}
    }
    listener.listen(&mut events).await
}

struct Listener<'a> {
    hub: &'a ChatHub,
    run: &'a Arc<Run>,
    gateway: &'a Gateway,
    run_id: &'a str,
    /// What was said so far.
    text: String,
    usage: Option<TokenUsage>,
    /// The gateway's generation at the start; another one has forgotten the run.
    boot: Option<String>,
    /// Something may have been missed: look into the transcript until then.
    look_until: Option<Timestamp>,
    /// The message went into somebody else's turn; its answer stands in the transcript.
    steered: bool,
    aborting: bool,
    /// The gateway that carried the run is gone.
    lost: bool,
}

impl Listener<'_> {
    fn look_for(&mut self, span: Duration) {
        self.look_until = Some(self.hub.inner.clock.now().after(span));
    }

    async fn listen(&mut self, events: &mut Events) -> Outcome {
        let settings = self.hub.inner.settings;
        let mut limit = self.hub.inner.clock.sleep(settings.turn);
        loop {
            let look = async {
                if self.look_until.is_some() {
                    self.hub.inner.clock.sleep(LOOK_EVERY).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            let (run, aborting) = (self.run, self.aborting);
            tokio::select! {
                signal = events.next() => {
                    if let Some(outcome) = self.hear(signal).await {
                        return outcome;
                    }
                }
                () = run.abort.cancelled(), if !aborting => {
                    self.aborting = true;
                    let stopped = self.gateway.chat_abort(&run.key, Some(self.run_id)).await;
                    if !stopped.is_ok_and(|runs| !runs.is_empty()) {
                        return Outcome::Aborted(std::mem::take(&mut self.text));
                    }
                    limit = self.hub.inner.clock.sleep(settings.abort);
                }
                () = look => {
                    if let Some(outcome) = self.look().await {
                        return outcome;
                    }
                }
                () = &mut limit => {
                    if self.aborting {
                        return Outcome::Aborted(std::mem::take(&mut self.text));
                    }
                    let _ = self.gateway.chat_abort(&run.key, Some(self.run_id)).await;
                    return Outcome::Failed(
                        ChatFailure::new(ProblemCode::Unavailable, "The turn took too long and was stopped.")
                            .code("too-long")
                            .remedy("Ask for less at once."),
                    );
                }
            }
        }
    }

    async fn hear(&mut self, signal: Option<Signal>) -> Option<Outcome> {
        match signal {
            None => Some(self.interrupted()),
            Some(Signal::Event(event)) => Incoming::read(&event).and_then(|said| self.take(said)),
            Some(Signal::Gap { .. }) => {
                self.look_for(self.hub.inner.settings.reconnect);
                None
            }
            Some(Signal::Disconnected(_)) => {
                self.run.push(status(ChatPhase::Connecting));
                self.reconnect().await
            }
            Some(Signal::Connected(_)) => None,
        }
    }

    /// Waits for the gateway to come back; then the transcript tells what became of the run.
    async fn reconnect(&mut self) -> Option<Outcome> {
        let settings = self.hub.inner.settings;
        let hello = tokio::select! {
            hello = self.gateway.wait_ready(settings.reconnect) => hello,
            () = self.run.abort.cancelled() => return Some(Outcome::Aborted(std::mem::take(&mut self.text))),
        };
        let Ok(hello) = hello else {
            return Some(self.interrupted());
        };
        self.lost = self.boot.as_ref() != Some(&hello.boot_id);
        // A gateway of the same generation still works on it; a new one has only the transcript.
        self.look_for(if self.lost {
            settings.recover
        } else {
            settings.turn
        });
        self.look().await
    }

    /// Looks into the transcript for the answer.
    async fn look(&mut self) -> Option<Outcome> {
        if let Ok(page) = self
            .gateway
            .chat_history(&self.run.key, Some(LOOK_BACK), None)
            .await
        {
            match history::answer_of(&page, self.run_id) {
                Some(Ok((text, usage))) => {
                    return Some(Outcome::Answer(text, usage.or(self.usage)));
                }
                Some(Err(why)) => return Some(self.failed(&why, true)),
                None => {}
            }
            let busy = page["sessionInfo"]["status"] == "running"
                || page["sessionInfo"]["hasActiveRun"] == true;
            if self.steered
                && !busy
                && let Some((text, usage)) = history::answer_after(&page, self.run_id)
            {
                return Some(Outcome::Answer(text, usage));
            }
        }
        let over = self
            .look_until
            .is_some_and(|until| self.hub.inner.clock.now() >= until);
        if !over {
            return None;
        }
        self.look_until = None;
        if self.steered {
            return Some(Outcome::Answer(std::mem::take(&mut self.text), self.usage));
        }
        self.lost.then(|| self.interrupted())
    }

    fn interrupted(&self) -> Outcome {
        Outcome::Failed(
            ChatFailure::new(
                ProblemCode::Unavailable,
                "The connection to the agent was lost during the turn, and its answer was not found.",
            )
            .code("interrupted")
            .remedy("Send the message again; look into the conversation first when it started some work."),
        )
    }

    fn failed(&self, message: &str, from_model: bool) -> Outcome {
        if message.contains("was superseded") && !self.run_id.ends_with("-again") {
            return Outcome::Superseded;
        }
        if let Some(fault) = self
            .hub
            .inner
            .faults
            .since(self.run.instance, self.run.started_at)
        {
            return Outcome::Failed(ChatFailure::provider(fault));
        }
        let problem = if from_model {
            ProblemCode::ProviderFailed
        } else {
            ProblemCode::Unavailable
        };
        Outcome::Failed(
            ChatFailure::new(problem, message.trim_start_matches("⚠️").trim())
                .code("turn-failed")
                .remedy("Send the message again; if it stays so, restart the agent."),
        )
    }

    /// Takes what the gateway said; `Some` at the end.
    fn take(&mut self, said: Incoming) -> Option<Outcome> {
        match said {
            Incoming::Chat(chat) if chat.run_id == self.run_id => self.take_chat(chat.kind),
            Incoming::Agent(agent) if agent.run_id == self.run_id => {
                self.take_activity(agent.activity);
                None
            }
            Incoming::ApprovalRequested(approval)
                if self.is_mine(approval.run_id.as_deref(), approval.session_key.as_deref()) =>
            {
                // Remembered before it is shown: an answer may come at once.
                self.run.remember_approval(approval.clone());
                self.run.push(ChatEvent::Approval {
                    id: approval.id,
                    command: approval.command,
                    expires_at: at_millis(approval.expires_at_ms),
                    decision: None,
                });
                None
            }
            Incoming::ApprovalResolved(resolution) => {
                if let Some(approval) = self.run.approval(&resolution.id) {
                    self.run.push(ChatEvent::Approval {
                        id: approval.id,
                        command: approval.command,
                        expires_at: at_millis(approval.expires_at_ms),
                        decision: Some(resolution.outcome.replace('-', "_")),
                    });
                }
                None
            }
            Incoming::QuestionRequested(question)
                if self.is_mine(question.run_id.as_deref(), question.session_key.as_deref()) =>
            {
                self.run.remember_question(question.clone());
                self.push_question(&question, false);
                None
            }
            Incoming::QuestionResolved(resolution) => {
                if let Some(question) = self.run.question(&resolution.id) {
                    self.push_question(&question, true);
                }
                None
            }
            _ => None,
        }
    }

    fn is_mine(&self, run_id: Option<&str>, session_key: Option<&str>) -> bool {
        run_id.map_or_else(
            || session_key == Some(self.run.key.as_str()),
            |run_id| run_id == self.run_id,
        )
    }

    fn push_question(&self, question: &Question, answered: bool) {
        for (at, item) in question.items.iter().enumerate() {
            self.run.push(ChatEvent::Question {
                id: format!("{}:{at}", question.id),
                text: item.question.clone(),
                options: item
                    .options
                    .iter()
                    .map(|(label, _)| label.clone())
                    .collect(),
                answered,
            });
        }
    }

    fn take_chat(&mut self, kind: ChatKind) -> Option<Outcome> {
        match kind {
            ChatKind::Status { phase } => {
                let phase = if phase == "starting_model" {
                    ChatPhase::Thinking
                } else {
                    ChatPhase::Preparing
                };
                self.run.push(status(phase));
                None
            }
            ChatKind::Delta {
                text,
                cumulative,
                replace,
            } => {
                self.take_text(text, cumulative, replace);
                None
            }
            ChatKind::Final {
                text: Some(text),
                usage,
                ..
            } => {
                // The final text is the whole truth; what was streamed may lack its end.
                Some(Outcome::Answer(text, usage.map(counted).or(self.usage)))
            }
            ChatKind::Final { text: None, .. } => {
                self.steered = true;
                self.look_for(self.hub.inner.settings.reconnect);
                None
            }
            ChatKind::Aborted { text } => Some(Outcome::Aborted(text)),
            ChatKind::Error { message, detail } => Some(self.failed(&message, detail.is_some())),
            ChatKind::Other { .. } => None,
        }
    }

    /// From the gateway's cumulative text to what is new.
    fn take_text(&mut self, text: String, cumulative: String, replace: bool) {
        if cumulative.is_empty() && !replace {
            self.text.push_str(&text);
            return self.say(text, false);
        }
        match cumulative.strip_prefix(self.text.as_str()) {
            Some(new) if !replace => {
                let new = new.to_owned();
                self.text = cumulative;
                self.say(new, false);
            }
            _ => {
                self.text.clone_from(&cumulative);
                self.say(cumulative, true);
            }
        }
    }

    fn say(&self, text: String, replace: bool) {
        if replace || !text.is_empty() {
            self.run.push(ChatEvent::Delta { text, replace });
        }
    }

    fn take_activity(&mut self, activity: AgentActivity) {
        match activity {
            AgentActivity::ToolStarted {
                call_id,
                name,
                args,
                ..
            } => self.run.push(ChatEvent::Tool {
                id: call_id,
                name,
                phase: ToolPhase::Start,
                summary: summary::of_args(&args),
            }),
            AgentActivity::ToolEnded {
                call_id,
                name,
                summary,
                output,
                failed,
            } => {
                self.run.push(ChatEvent::Tool {
                    id: call_id,
                    name,
                    phase: if failed {
                        ToolPhase::Failed
                    } else {
                        ToolPhase::Done
                    },
                    summary: summary::one_line(&output).or(summary),
                });
            }
            AgentActivity::Usage(usage) => self.usage = Some(counted(usage)),
            AgentActivity::ToolUpdated { .. }
            | AgentActivity::Lifecycle { .. }
            | AgentActivity::Other { .. } => {}
        }
    }
}

fn counted(usage: Usage) -> TokenUsage {
    TokenUsage {
        input_tokens: usage.input.unwrap_or(0),
        output_tokens: usage.output.unwrap_or(0),
    }
}

fn at_millis(millis: i64) -> Option<Timestamp> {
    (millis > 0).then(|| Timestamp::from_micros(millis.saturating_mul(1_000)))
}

const fn status(phase: ChatPhase) -> ChatEvent {
    ChatEvent::Status {
        phase,
        state: None,
        queue_position: None,
        typical_ms: None,
        installing: None,
    }
}
