//! One run's log: numbered events, any number of readers, each from where it likes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fractal_api_types::{ChatEvent, ChatPhase};
use fractal_clock::SharedClock;
use fractal_openclaw::ws::{Approval, Gateway, Question};
use fractal_types::{Actor, ChatRunId, InstanceId, Timestamp};
use futures::{StreamExt, stream::BoxStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// A run and what is known of it.
#[derive(Debug)]
pub(super) struct Run {
    pub id: ChatRunId,
    pub instance: InstanceId,
    pub actor: Actor,
    /// The session as people name it.
    pub session: String,
    /// The session as the gateway names it.
    pub key: String,
    pub started_at: Timestamp,
    /// Somebody wants it to stop.
    pub abort: CancellationToken,
    clock: SharedClock,
    state: Mutex<State>,
    length: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct State {
    events: Vec<ChatEvent>,
    /// Whether its agent had to be woken.
    was_asleep: bool,
    /// Whether the first word was said.
    has_spoken: bool,
    gateway: Option<Gateway>,
    approvals: BTreeMap<String, Approval>,
    questions: BTreeMap<String, Asked>,
}

/// A question with the answers so far; the gateway wants them all at once.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub question: Question,
    pub answers: BTreeMap<String, Vec<String>>,
}

impl Run {
    pub fn new(
        id: ChatRunId,
        instance: InstanceId,
        actor: Actor,
        session: String,
        key: String,
        clock: SharedClock,
    ) -> Self {
        Self {
            id,
            instance,
            actor,
            session,
            key,
            started_at: clock.now(),
            clock,
            abort: CancellationToken::new(),
            state: Mutex::default(),
            length: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an event. Nothing comes after the last one, and the same status is not said twice in a row.
    pub fn push(&self, event: ChatEvent) {
        let length = {
            let mut state = self.lock();
            let last = state.events.last();
            let repeated = matches!(event, ChatEvent::Status { .. }) && last == Some(&event);
            if repeated || last.is_some_and(ChatEvent::is_last) {
                return;
            }
            self.measure(&mut state, &event);
            state.events.push(event);
            state.events.len()
        };
        self.length.send_replace(length);
    }

    /// Counts the end of a turn, and the time until its first word: apart for agents that had to be woken, because that takes as long
    /// as a start.
    fn measure(&self, state: &mut State, event: &ChatEvent) {
        let outcome = match event {
            ChatEvent::Status { phase, .. } => {
                state.was_asleep |= matches!(
                    phase,
                    ChatPhase::Waking
                        | ChatPhase::Installing
                        | ChatPhase::Queued
                        | ChatPhase::Starting
                );
                return;
            }
            ChatEvent::Delta { .. } if !state.has_spoken => {
                state.has_spoken = true;
                let agent = if state.was_asleep { "asleep" } else { "awake" };
                metrics::histogram!("fractal_chat_first_delta_seconds", "agent" => agent)
                    .record(self.clock.now().since(self.started_at).as_secs_f64());
                return;
            }
            ChatEvent::Final { aborted: false, .. } => "answered",
            ChatEvent::Final { aborted: true, .. } => "stopped",
            ChatEvent::Error { .. } => "failed",
            _ => return,
        };
        metrics::counter!("fractal_chat_turns_total", "outcome" => outcome).increment(1);
    }

    /// Whether the last event has been said.
    pub fn is_over(&self) -> bool {
        self.lock().events.last().is_some_and(ChatEvent::is_last)
    }

    pub fn set_gateway(&self, gateway: Gateway) {
        self.lock().gateway = Some(gateway);
    }

    pub fn gateway(&self) -> Option<Gateway> {
        self.lock().gateway.clone()
    }

    pub fn remember_approval(&self, approval: Approval) {
        self.lock().approvals.insert(approval.id.clone(), approval);
    }

    pub fn approval(&self, id: &str) -> Option<Approval> {
        self.lock().approvals.get(id).cloned()
    }

    pub fn remember_question(&self, question: Question) {
        let asked = Asked {
            question,
            answers: BTreeMap::new(),
        };
        self.lock()
            .questions
            .insert(asked.question.id.clone(), asked);
    }

    pub fn question(&self, id: &str) -> Option<Question> {
        self.lock()
            .questions
            .get(id)
            .map(|asked| asked.question.clone())
    }

    /// Takes one answer; `Some` with all of them once every item has one.
    pub fn answer(&self, id: &str, item: usize, answer: &str) -> Option<Answered> {
        let mut state = self.lock();
        let asked = state.questions.get_mut(id)?;
        let item = asked.question.items.get(item)?.id.clone();
        asked.answers.insert(item, vec![answer.to_owned()]);
        Some(if asked.answers.len() == asked.question.items.len() {
            Answered::All(asked.answers.clone())
        } else {
            Answered::Some
        })
    }

    /// The events after number `after` (they count from 1), until the last one.
    pub fn follow(self: std::sync::Arc<Self>, after: u64) -> BoxStream<'static, (u64, ChatEvent)> {
        let next = usize::try_from(after).unwrap_or(usize::MAX);
        let length = self.length.subscribe();
        futures::stream::unfold(Some((self, length, next)), |state| async move {
            let (run, mut length, next) = state?;
            // The sender lives in the run that is held here.
            length
                .wait_for(|length| *length > next || run.is_over())
                .await
                .ok()?;
            let event = run.lock().events.get(next).cloned()?;
            let number = next as u64 + 1;
            let rest = (!event.is_last()).then_some((run, length, next + 1));
            Some(((number, event), rest))
        })
        .boxed()
    }
}

/// What an answer led to.
pub(super) enum Answered {
    /// Every item has its answer.
    All(BTreeMap<String, Vec<String>>),
    /// Others are still open.
    Some,
}
