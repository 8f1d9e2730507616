//! The chat hub: turns as runs that outlive the browser that began them.
//!
//! A run is driven by a task of its own and writes numbered events into a log; readers come and go and
//! resume where they were. Turns of one session follow one another, because a gateway would take a
//! second message into the running answer. A run ends exactly once, with `final` or `error`.

mod drive;
mod history;
mod keys;
mod openai;
mod run;
mod sessions;
mod sse;
mod summary;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use base64::Engine;
use fractal_api_types::{
    ApprovalDecision, Attachment, AttachmentNote, ChatEvent, ChatRequest, ProblemCode, SessionEvent,
};
use fractal_clock::{SharedClock, SharedEntropy, new_id};
use fractal_openclaw::ws::{Attachment as GatewayAttachment, ChatSend};
use fractal_types::{Actor, ChatRunId, InstanceId, UserId};
use futures::stream::BoxStream;
use tokio::sync::{Mutex as AsyncMutex, broadcast};

pub use keys::is_key as is_session_key;
pub use openai::Completion;
pub use sessions::SessionsPage;
pub use sse::{chat_events, session_events};

use self::run::{Answered, Run};
use crate::{
    faults::Faults,
    ports::{ChatFailure, InstanceAccess},
};

/// The largest attachment, decoded, in bytes (`Attachment::content`).
const LARGEST_ATTACHMENT: usize = 20 << 20;

/// The longest message, in characters (`ChatRequest::message`).
const LONGEST_MESSAGE: usize = 200_000;

/// The most attachments of one message (`ChatRequest::attachments`).
const MOST_ATTACHMENTS: usize = 10;

/// The most turns of one instance that run or wait. Each may hold a message of many megabytes.
const MOST_RUNS: usize = 16;

/// Times of the chat.
#[derive(Debug, Clone, Copy)]
pub struct ChatSettings {
    /// How long the events of a finished run are kept.
    pub keep: Duration,
    /// How long a message waits for a gateway that restarts or is suspended.
    pub hold: Duration,
    /// How long a run waits for a lost connection.
    pub reconnect: Duration,
    /// How long a restarted gateway's transcript is watched for the answer of a run it may take up again.
    pub recover: Duration,
    /// How long one turn may take, approvals and questions included.
    pub turn: Duration,
    /// How long a gateway may take to stop a run.
    pub abort: Duration,
    /// The longest an answer without progress waits for a sleeping instance. A turn has no such bound, because its stream tells how
    /// far the wake is.
    pub wake: Duration,
}

impl Default for ChatSettings {
    fn default() -> Self {
        Self {
            keep: Duration::from_secs(60),
            hold: Duration::from_secs(60),
            reconnect: Duration::from_secs(60),
            recover: Duration::from_secs(5),
            turn: Duration::from_secs(2 * 60 * 60),
            abort: Duration::from_secs(10),
            // Under the minute after which clients and proxies usually hang up.
            wake: Duration::from_secs(50),
        }
    }
}

/// The hub. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ChatHub {
    inner: Arc<Inner>,
}

/// One lock for each session that has turns: who holds it runs.
type Lanes = HashMap<(InstanceId, String), Weak<AsyncMutex<()>>>;

#[derive(Debug)]
struct Inner {
    access: Arc<dyn InstanceAccess>,
    faults: Arc<Faults>,
    clock: SharedClock,
    entropy: SharedEntropy,
    settings: ChatSettings,
    runs: Mutex<HashMap<ChatRunId, Arc<Run>>>,
    lanes: Mutex<Lanes>,
    /// What other tabs hear: instance, session, event.
    news: broadcast::Sender<(InstanceId, String, SessionEvent)>,
}

/// A run that was begun.
#[derive(Debug)]
pub struct RunHandle {
    hub: ChatHub,
    run: Arc<Run>,
    abort_on_drop: bool,
}

impl ChatHub {
    /// Makes the hub. `faults` is the broker's board.
    #[must_use]
    pub fn new(
        access: Arc<dyn InstanceAccess>,
        faults: Arc<Faults>,
        clock: SharedClock,
        entropy: SharedEntropy,
        settings: ChatSettings,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                access,
                faults,
                clock,
                entropy,
                settings,
                runs: Mutex::default(),
                lanes: Mutex::default(),
                news: broadcast::Sender::new(256),
            }),
        }
    }

    /// Begins a run and returns at once. Must be called inside a tokio runtime. Whether the actor may
    /// chat with the instance is decided by [`InstanceAccess::ensure_ready`], on the run's way.
    ///
    /// # Errors
    ///
    /// When the request itself is not valid, or too many turns of the instance run or wait.
    pub fn start(
        &self,
        actor: Actor,
        instance: InstanceId,
        request: ChatRequest,
    ) -> Result<RunHandle, ChatFailure> {
        self.check_room(instance)?;
        let session = keys::checked(request.session.as_deref())?;
        let message = message_of(&request)?;
        let attachments = attachments_of(request.attachments)?;
        Ok(self.begin(actor, instance, session, message, attachments, None))
    }

    fn begin(
        &self,
        actor: Actor,
        instance: InstanceId,
        session: String,
        message: String,
        attachments: Vec<GatewayAttachment>,
        id: Option<ChatRunId>,
    ) -> RunHandle {
        let inner = &self.inner;
        let id = id.unwrap_or_else(|| new_id(&*inner.clock, &*inner.entropy));
        let key = keys::to_gateway(&session);
        let run = Arc::new(Run::new(
            id,
            instance,
            actor,
            session.clone(),
            key.clone(),
            inner.clock.clone(),
        ));
        run.push(ChatEvent::Run {
            run_id: id,
            session: session.clone(),
            agent_id: instance,
            message: message.clone(),
            attachments: attachments
                .iter()
                .map(|file| AttachmentNote {
                    name: Some(file.file_name.clone()),
                    mime_type: file.mime_type.clone(),
                })
                .collect(),
        });
        lock(&inner.runs).insert(id, Arc::clone(&run));
        self.tell(instance, session, SessionEvent::RunStarted { run_id: id });
        let send = ChatSend {
            session_key: key,
            message,
            idempotency_key: id.to_string(),
            attachments,
            timeout: None,
        };
        tokio::spawn(drive::drive(self.clone(), Arc::clone(&run), send));
        RunHandle {
            hub: self.clone(),
            run,
            abort_on_drop: false,
        }
    }

    /// The events of a run after number `after`, until its last one. Any number may read.
    ///
    /// # Errors
    ///
    /// `run-gone` when the run is over and forgotten, or not this actor's.
    pub fn subscribe(
        &self,
        actor: &Actor,
        run: ChatRunId,
        after: u64,
    ) -> Result<BoxStream<'static, (u64, ChatEvent)>, ChatFailure> {
        Ok(self.mine(actor, run)?.follow(after))
    }

    /// The instance a run belongs to, for the policy decision of the routes below it.
    #[must_use]
    pub fn instance_of(&self, run: ChatRunId) -> Option<InstanceId> {
        lock(&self.inner.runs).get(&run).map(|run| run.instance)
    }

    /// Stops a run. Its last event follows; stopping twice changes nothing.
    ///
    /// # Errors
    ///
    /// As [`Self::subscribe`].
    pub fn abort(&self, actor: &Actor, run: ChatRunId) -> Result<(), ChatFailure> {
        self.mine(actor, run)?.abort.cancel();
        Ok(())
    }

    /// Decides about a command that waits.
    ///
    /// # Errors
    ///
    /// The run is gone, it asked no such thing, or the gateway refuses.
    pub async fn resolve_approval(
        &self,
        actor: &Actor,
        run: ChatRunId,
        approval: &str,
        decision: ApprovalDecision,
    ) -> Result<(), ChatFailure> {
        let run = self.mine(actor, run)?;
        let asked = run
            .approval(approval)
            .ok_or_else(|| not_asked("approval"))?;
        let word = match decision {
            ApprovalDecision::AllowOnce => "allow-once",
            ApprovalDecision::AllowAlways => "allow-always",
            ApprovalDecision::Deny => "deny",
        };
        if !asked.decisions.is_empty() && !asked.decisions.iter().any(|known| known == word) {
            return Err(ChatFailure::new(
                ProblemCode::InvalidFields,
                "This command can only be allowed once or denied.",
            ));
        }
        let gateway = run.gateway().ok_or_else(|| not_asked("approval"))?;
        gateway
            .exec_approval_resolve(approval, word)
            .await
            .map_err(|error| drive::refused(&error))
    }

    /// Answers one question of a run. The gateway gets the answers when all of a set are there.
    ///
    /// # Errors
    ///
    /// The run is gone, it asked no such thing, or the gateway refuses.
    pub async fn answer_question(
        &self,
        actor: &Actor,
        run: ChatRunId,
        question: &str,
        answer: &str,
    ) -> Result<(), ChatFailure> {
        let run = self.mine(actor, run)?;
        let (id, item) = question
            .rsplit_once(':')
            .ok_or_else(|| not_asked("question"))?;
        let item = item.parse().map_err(|_| not_asked("question"))?;
        match run
            .answer(id, item, answer)
            .ok_or_else(|| not_asked("question"))?
        {
            Answered::Some => Ok(()),
            Answered::All(answers) => {
                let gateway = run.gateway().ok_or_else(|| not_asked("question"))?;
                gateway
                    .question_resolve(id, Some(&answers))
                    .await
                    .map_err(|error| drive::refused(&error))
            }
        }
    }

    /// Stops every run of a person, whoever asks.
    pub fn stop_all_of(&self, person: UserId) {
        for run in lock(&self.inner.runs).values() {
            if run.actor.user_id() == Some(person) && !run.is_over() {
                tracing::info!(run.id = %run.id, instance.id = %run.instance, "a turn is stopped, because its person was signed out everywhere");
                run.abort.cancel();
            }
        }
    }

    /// Stops the runs that may not go on: of one person, or of everybody.
    pub async fn stop_unless<F: Future<Output = bool>>(
        &self,
        person: Option<UserId>,
        may_go_on: impl Fn(Actor, InstanceId) -> F,
    ) {
        let runs: Vec<Arc<Run>> = lock(&self.inner.runs)
            .values()
            .filter(|run| !run.is_over())
            .filter(|run| person.is_none() || run.actor.user_id() == person)
            .cloned()
            .collect();
        for run in runs {
            if !may_go_on(run.actor.clone(), run.instance).await {
                tracing::info!(run.id = %run.id, instance.id = %run.instance, "a turn is stopped, because its person may not go on with it");
                run.abort.cancel();
            }
        }
    }

    /// Runs that are going on, for shutdown and for the reaper.
    #[must_use]
    pub fn active(&self, instance: InstanceId) -> usize {
        lock(&self.inner.runs)
            .values()
            .filter(|run| run.instance == instance && !run.is_over())
            .count()
    }

    /// Refuses a turn when more than enough of this instance are on their way.
    fn check_room(&self, instance: InstanceId) -> Result<(), ChatFailure> {
        if self.active(instance) < MOST_RUNS {
            return Ok(());
        }
        Err(ChatFailure::new(
            ProblemCode::Conflict,
            format!("{MOST_RUNS} turns of this agent run or wait already."),
        )
        .remedy("Wait until one is over, or stop one."))
    }

    /// The run that is going on in a session.
    fn active_run(&self, instance: InstanceId, session: &str) -> Option<ChatRunId> {
        lock(&self.inner.runs)
            .values()
            .filter(|run| run.instance == instance && run.session == session && !run.is_over())
            .map(|run| run.id)
            .min()
    }

    fn mine(&self, actor: &Actor, run: ChatRunId) -> Result<Arc<Run>, ChatFailure> {
        lock(&self.inner.runs)
            .get(&run)
            .filter(|run| run.actor.principal == actor.principal)
            .cloned()
            .ok_or_else(|| {
                ChatFailure::new(
                    ProblemCode::RunGone,
                    "This turn is over and its events are not kept any more.",
                )
                .remedy("Look into the conversation for the answer.")
            })
    }

    /// The order of turns in a session.
    fn lane(&self, instance: InstanceId, key: &str) -> Arc<AsyncMutex<()>> {
        let mut lanes = lock(&self.inner.lanes);
        let place = (instance, key.to_owned());
        if let Some(lane) = lanes.get(&place).and_then(Weak::upgrade) {
            return lane;
        }
        lanes.retain(|_, lane| lane.strong_count() > 0);
        let lane = Arc::new(AsyncMutex::new(()));
        lanes.insert(place, Arc::downgrade(&lane));
        lane
    }

    /// A run has said its last: tell other tabs, and forget it after a while.
    fn ended(&self, run: &Run) {
        self.tell(run.instance, run.session.clone(), SessionEvent::Changed {});
        let (hub, id) = (self.clone(), run.id);
        tokio::spawn(async move {
            hub.inner.clock.sleep(hub.inner.settings.keep).await;
            lock(&hub.inner.runs).remove(&id);
        });
    }

    fn tell(&self, instance: InstanceId, session: String, event: SessionEvent) {
        // Nobody listening is fine.
        let _ = self.inner.news.send((instance, session, event));
    }
}

impl RunHandle {
    /// The run.
    #[must_use]
    pub fn id(&self) -> ChatRunId {
        self.run.id
    }

    /// Its events from the first on.
    pub fn events(&self) -> BoxStream<'static, (u64, ChatEvent)> {
        Arc::clone(&self.run).follow(0)
    }

    /// Stops the run when this handle is dropped before its end: for the compatible routes, which
    /// have no way to resume.
    #[must_use]
    pub fn abort_on_drop(mut self) -> Self {
        self.abort_on_drop = true;
        self
    }
}

impl Drop for RunHandle {
    fn drop(&mut self) {
        if self.abort_on_drop && !self.run.is_over() {
            tracing::debug!(run.id = %self.run.id, instance.id = %self.run.instance, active = self.hub.active(self.run.instance), "the client left; its run is stopped");
            self.run.abort.cancel();
        }
    }
}

fn not_asked(what: &str) -> ChatFailure {
    ChatFailure::new(
        ProblemCode::NotFound,
        format!("This turn does not wait for such a {what}."),
    )
}

fn message_of(request: &ChatRequest) -> Result<String, ChatFailure> {
    let wrong = |why: &str| ChatFailure::new(ProblemCode::InvalidFields, why);
    let text = match (&request.message, &request.messages) {
        (Some(_), Some(_)) => return Err(wrong("Give either message or messages, not both.")),
        (Some(message), None) => message.clone(),
        (None, Some(messages)) => messages
            .iter()
            .rev()
            .find(|entry| entry.role == "user")
            .map(|entry| entry.content.clone())
            .ok_or_else(|| wrong("messages holds no entry of the role user."))?,
        (None, None) => return Err(wrong("message is missing.")),
    };
    let attached = request
        .attachments
        .as_ref()
        .is_some_and(|all| !all.is_empty());
    if text.trim().is_empty() && !attached {
        return Err(wrong("The message is empty."));
    }
    if text.chars().count() > LONGEST_MESSAGE {
        return Err(wrong("The message is longer than 200000 characters."));
    }
    Ok(text)
}

fn attachments_of(
    attachments: Option<Vec<Attachment>>,
) -> Result<Vec<GatewayAttachment>, ChatFailure> {
    let wrong = |why: String| ChatFailure::new(ProblemCode::InvalidFields, why);
    let attachments = attachments.unwrap_or_default();
    if attachments.len() > MOST_ATTACHMENTS {
        return Err(wrong(format!(
            "At most {MOST_ATTACHMENTS} files go with a message."
        )));
    }
    attachments
        .into_iter()
        .map(|file| {
            // Checked by length first, so that nothing large is decoded in vain.
            if file.content.len() / 4 * 3 > LARGEST_ATTACHMENT + 3 {
                return Err(wrong(format!(
                    "The file {} is larger than 20 MiB.",
                    file.name
                )));
            }
            base64::engine::general_purpose::STANDARD
                .decode(&file.content)
                .map_err(|_| wrong(format!("The content of {} is not base64.", file.name)))?;
            Ok(GatewayAttachment {
                file_name: file.name,
                mime_type: file.mime_type,
                base64: file.content,
            })
        })
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
