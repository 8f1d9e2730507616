//! Chat: turns as resumable event streams, sessions and history.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use fractal_api_types::{
    AnswerQuestion, ApprovalDecision, ChatEvent, ChatHistory, ChatRequest, ChatSession,
    HistoryQuery, Page, ResolveApproval, SessionEvent, SessionsQuery, UpdateChatSession,
};
use fractal_types::{ChatRunId, InstanceId};
use futures::{Stream, StreamExt, stream::BoxStream};
use reqwest::Method;
use serde::Serialize;

use crate::{
    Client, Error, EventStream, Result,
    sse::{RawEvents, raw_events},
};

/// The server keeps a run without a listener for a minute (design section 9); these pauses use about half of it.
const PAUSES_MS: [u64; 7] = [100, 300, 1_000, 2_000, 4_000, 8_000, 16_000];

#[derive(Serialize)]
struct AgentQuery {
    agent_id: Option<InstanceId>,
}

impl Client {
    /// `POST /api/v1/chat/stream`: sends a message. The stream goes on by itself when the connection is lost and
    /// the server still knows the run.
    ///
    /// # Errors
    /// When the turn could not be begun.
    pub async fn chat(&self, body: &ChatRequest) -> Result<ChatStream> {
        let request = self
            .request(Method::POST, &["api", "v1", "chat", "stream"])?
            .json(body);
        let events = raw_events(self.open_events(request).await?);
        Ok(ChatStream::new(self.clone(), events, None, None))
    }

    /// `GET /api/v1/chat/runs/{id}/events`: the events of a run after `last_event_id`, or all.
    ///
    /// # Errors
    /// `run-gone` when it is over and forgotten.
    pub async fn resume_chat(
        &self,
        run: ChatRunId,
        last_event_id: Option<String>,
    ) -> Result<ChatStream> {
        let events = self.run_events(run, last_event_id.as_deref()).await?;
        Ok(ChatStream::new(
            self.clone(),
            events,
            Some(run),
            last_event_id,
        ))
    }

    async fn run_events(&self, run: ChatRunId, after: Option<&str>) -> Result<RawEvents> {
        let run = run.to_string();
        let mut request =
            self.request(Method::GET, &["api", "v1", "chat", "runs", &run, "events"])?;
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        Ok(raw_events(self.open_events(request).await?))
    }

    /// `POST /api/v1/chat/runs/{id}/abort`: stops a turn.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn abort_chat(&self, run: ChatRunId) -> Result<()> {
        let run = run.to_string();
        let request = self.request(Method::POST, &["api", "v1", "chat", "runs", &run, "abort"])?;
        self.done(request.json(&serde_json::json!({}))).await
    }

    /// `POST /api/v1/chat/runs/{id}/approvals/{approval}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn resolve_approval(
        &self,
        run: ChatRunId,
        approval: &str,
        decision: ApprovalDecision,
    ) -> Result<()> {
        let run = run.to_string();
        let path = ["api", "v1", "chat", "runs", &run, "approvals", approval];
        let request = self.request(Method::POST, &path)?;
        self.done(request.json(&ResolveApproval { decision })).await
    }

    /// `POST /api/v1/chat/runs/{id}/questions/{question}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn answer_question(
        &self,
        run: ChatRunId,
        question: &str,
        answer: String,
    ) -> Result<()> {
        let run = run.to_string();
        let path = ["api", "v1", "chat", "runs", &run, "questions", question];
        let request = self.request(Method::POST, &path)?;
        self.done(request.json(&AnswerQuestion { answer })).await
    }

    /// `GET /api/v1/chat/sessions`.
    ///
    /// # Errors
    /// `conflict` when the agent sleeps and `wake` is not set.
    pub async fn chat_sessions(&self, query: &SessionsQuery) -> Result<Page<ChatSession>> {
        self.get_with(&["api", "v1", "chat", "sessions"], query)
            .await
    }

    /// `GET /api/v1/chat/sessions/{key}/history`.
    ///
    /// # Errors
    /// `conflict` when the agent sleeps and `wake` is not set.
    pub async fn chat_history(&self, key: &str, query: &HistoryQuery) -> Result<ChatHistory> {
        self.get_with(&["api", "v1", "chat", "sessions", key, "history"], query)
            .await
    }

    /// `PATCH /api/v1/chat/sessions/{key}`: renames a session.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn update_chat_session(
        &self,
        key: &str,
        agent_id: Option<InstanceId>,
        body: &UpdateChatSession,
    ) -> Result<()> {
        let path = ["api", "v1", "chat", "sessions", key];
        let request = self.request_with(Method::PATCH, &path, &AgentQuery { agent_id })?;
        self.done(request.json(body)).await
    }

    /// `DELETE /api/v1/chat/sessions/{key}`.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn delete_chat_session(&self, key: &str, agent_id: Option<InstanceId>) -> Result<()> {
        let path = ["api", "v1", "chat", "sessions", key];
        self.done(self.request_with(Method::DELETE, &path, &AgentQuery { agent_id })?)
            .await
    }

    /// `GET /api/v1/chat/sessions/{key}/events`: what other tabs, timers and rooms do in a session.
    ///
    /// # Errors
    /// When the call fails.
    pub async fn chat_session_events(
        &self,
        key: &str,
        agent_id: Option<InstanceId>,
    ) -> Result<EventStream<SessionEvent>> {
        let path = ["api", "v1", "chat", "sessions", key, "events"];
        let request = self.request_with(Method::GET, &path, &AgentQuery { agent_id })?;
        Ok(EventStream::of(self.open_events(request).await?, None))
    }
}

/// The events of one turn. Ends after `final` or `error`; an `Err` is a lost connection that could not be resumed.
pub struct ChatStream {
    inner: BoxStream<'static, Result<ChatEvent>>,
}

struct Turn {
    client: Client,
    events: RawEvents,
    run: Option<ChatRunId>,
    last_event_id: Option<String>,
    /// Resumptions since the last event.
    tries: usize,
    over: bool,
}

impl ChatStream {
    fn new(
        client: Client,
        events: RawEvents,
        run: Option<ChatRunId>,
        last_event_id: Option<String>,
    ) -> Self {
        let turn = Turn {
            client,
            events,
            run,
            last_event_id,
            tries: 0,
            over: false,
        };
        let inner = futures::stream::unfold(turn, |mut turn| async move {
            if turn.over {
                return None;
            }
            let next = turn.next().await;
            turn.over = !matches!(&next, Ok(event) if !event.is_last());
            Some((next, turn))
        });
        Self {
            inner: inner.boxed(),
        }
    }
}

impl Turn {
    async fn next(&mut self) -> Result<ChatEvent> {
        loop {
            let lost = match self.events.next().await {
                Some(Ok(event)) => {
                    if !event.id.is_empty() {
                        self.last_event_id = Some(event.id);
                    }
                    self.tries = 0;
                    // Kinds that a newer server may send are passed over.
                    let Ok(event) = serde_json::from_str::<ChatEvent>(&event.data) else {
                        continue;
                    };
                    if let ChatEvent::Run { run_id, .. } = &event {
                        self.run = Some(*run_id);
                    }
                    return Ok(event);
                }
                Some(Err(error)) => error,
                None => Error::Stream("it ended before the answer did".to_owned()),
            };
            self.resume(lost).await?;
        }
    }

    /// Opens the run's events again after a pause that grows; gives `lost` back when it is no use.
    async fn resume(&mut self, lost: Error) -> Result<()> {
        let Some(run) = self.run else {
            return Err(lost);
        };
        while let Some(pause) = PAUSES_MS.get(self.tries) {
            self.tries += 1;
            tokio::time::sleep(Duration::from_millis(*pause)).await;
            match self
                .client
                .run_events(run, self.last_event_id.as_deref())
                .await
            {
                Ok(events) => {
                    self.events = events;
                    return Ok(());
                }
                // The server answered and does not know the run any more, or refuses us: trying on is no use.
                Err(Error::Problem(problem)) if problem.status < 500 => {
                    return Err(Error::Problem(problem));
                }
                Err(_) => {}
            }
        }
        Err(lost)
    }
}

impl Stream for ChatStream {
    type Item = Result<ChatEvent>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.poll_next_unpin(context)
    }
}

impl std::fmt::Debug for ChatStream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ChatStream").finish_non_exhaustive()
    }
}
