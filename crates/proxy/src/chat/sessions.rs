//! Conversations: list, read, rename, delete, and hear of changes that others make.

use std::time::Duration;

use fractal_api_types::{ChatHistory, ChatSession, ProblemCode, SessionEvent};
use fractal_openclaw::ws::{Gateway, Incoming, Signal};
use fractal_types::{Actor, ChatRunId, InstanceId, Timestamp};
use futures::{StreamExt, stream::BoxStream};
use serde_json::{Value, json};
use tokio::{sync::broadcast::error::RecvError, time::timeout};

use super::{ChatHub, drive::refused, history, keys};
use crate::ports::ChatFailure;

/// How often a sleeping instance is looked at by those who listen to its sessions.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// A page of sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionsPage {
    /// The sessions, last used first.
    pub items: Vec<ChatSession>,
    /// The offset of the next page.
    pub next: Option<u32>,
}

impl ChatHub {
    /// The instance's gateway; wakes it only when told to.
    async fn gateway(
        &self,
        actor: &Actor,
        instance: InstanceId,
        wake: bool,
    ) -> Result<Gateway, ChatFailure> {
        if let Some(gateway) = self.inner.access.if_awake(actor, instance).await? {
            return Ok(gateway);
        }
        if wake {
            let ready = self.inner.access.ensure_ready(actor, instance, &|_| {});
            return timeout(self.inner.settings.wake, ready)
                .await
                .unwrap_or_else(|_| {
                    let told = "The agent is still waking up.";
                    Err(ChatFailure::new(ProblemCode::Unavailable, told)
                        .remedy("Ask again in a moment; it goes on waking meanwhile."))
                });
        }
        Err(
            ChatFailure::new(ProblemCode::Conflict, "The agent is asleep.")
                .code("asleep")
                .remedy("Ask again with wake=true, or send it a message."),
        )
    }

    /// A page of an instance's sessions; `limit` 1 to 200.
    ///
    /// # Errors
    ///
    /// Not allowed, asleep, or refused by the gateway.
    pub async fn sessions(
        &self,
        actor: &Actor,
        instance: InstanceId,
        limit: u32,
        offset: u32,
        wake: bool,
    ) -> Result<SessionsPage, ChatFailure> {
        let gateway = self.gateway(actor, instance, wake).await?;
        let answer = gateway
            .sessions_list(limit.clamp(1, 200), offset)
            .await
            .map_err(|error| refused(&error))?;
        let items = answer["sessions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|session| self.session(instance, session))
            .collect();
        let next = answer["nextOffset"]
            .as_u64()
            .filter(|_| answer["hasMore"] == true)
            .and_then(|offset| u32::try_from(offset).ok());
        Ok(SessionsPage { items, next })
    }

    fn session(&self, instance: InstanceId, session: &Value) -> Option<ChatSession> {
        let key = keys::from_gateway(session["key"].as_str()?)?;
        let text = |name: &str| {
            session[name]
                .as_str()
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let running = session["hasActiveRun"] == true || session["status"] == "running";
        let theirs = || {
            let run: ChatRunId = session["lastRunId"].as_str()?.parse().ok()?;
            running.then_some(run)
        };
        Some(ChatSession {
            key: key.to_owned(),
            title: text("label")
                .or_else(|| text("displayName"))
                .or_else(|| text("autoLabel")),
            updated_at: session["updatedAt"]
                .as_i64()
                .map(|ms| Timestamp::from_micros(ms.saturating_mul(1_000))),
            model: text("model"),
            total_tokens: session["totalTokens"].as_u64(),
            origin: keys::origin(key).to_owned(),
            active_run: self.active_run(instance, key).or_else(theirs),
        })
    }

    /// A conversation's messages, oldest first; `limit` counts the newest, after `offset` of them.
    ///
    /// # Errors
    ///
    /// Not allowed, asleep, or refused by the gateway.
    pub async fn history(
        &self,
        actor: &Actor,
        instance: InstanceId,
        session: &str,
        limit: u32,
        offset: u32,
        wake: bool,
    ) -> Result<ChatHistory, ChatFailure> {
        let session = keys::checked(Some(session))?;
        let gateway = self.gateway(actor, instance, wake).await?;
        let answer = gateway
            .chat_history(
                &keys::to_gateway(&session),
                Some(limit.clamp(1, 500)),
                (offset > 0).then_some(offset),
            )
            .await
            .map_err(|error| refused(&error))?;
        Ok(ChatHistory {
            messages: history::messages(&answer),
            has_more: answer["hasMore"] == true,
            active_run: self.active_run(instance, &session),
            session,
        })
    }

    /// Renames a session. Wakes the instance.
    ///
    /// # Errors
    ///
    /// Not allowed or refused by the gateway.
    pub async fn rename_session(
        &self,
        actor: &Actor,
        instance: InstanceId,
        session: &str,
        title: &str,
    ) -> Result<(), ChatFailure> {
        let session = keys::checked(Some(session))?;
        let gateway = self.gateway(actor, instance, true).await?;
        gateway
            .sessions_patch(&keys::to_gateway(&session), json!({"label": title}))
            .await
            .map_err(|error| refused(&error))?;
        self.tell(instance, session, SessionEvent::Changed {});
        Ok(())
    }

    /// Deletes a session with its messages; the main session is begun anew instead, because the
    /// gateway keeps one. Wakes the instance.
    ///
    /// # Errors
    ///
    /// Not allowed, busy, not there, or refused by the gateway.
    pub async fn delete_session(
        &self,
        actor: &Actor,
        instance: InstanceId,
        session: &str,
    ) -> Result<(), ChatFailure> {
        let session = keys::checked(Some(session))?;
        let gateway = self.gateway(actor, instance, true).await?;
        if self.active_run(instance, &session).is_some() {
            return Err(ChatFailure::new(
                ProblemCode::Conflict,
                "A turn is going on in this session.",
            )
            .remedy("Stop it first."));
        }
        let key = keys::to_gateway(&session);
        if session == keys::MAIN {
            gateway
                .sessions_reset(&key)
                .await
                .map_err(|error| refused(&error))?;
        } else if !gateway
            .sessions_delete(&key)
            .await
            .map_err(|error| refused(&error))?
        {
            return Err(ChatFailure::new(
                ProblemCode::NotFound,
                "There is no such session.",
            ));
        }
        self.tell(instance, session, SessionEvent::Changed {});
        Ok(())
    }

    /// What happens in a session from now on, whoever causes it: other tabs, timers, rooms. Never wakes.
    ///
    /// # Errors
    ///
    /// Not allowed.
    pub async fn session_events(
        &self,
        actor: &Actor,
        instance: InstanceId,
        session: &str,
    ) -> Result<BoxStream<'static, SessionEvent>, ChatFailure> {
        let session = keys::checked(Some(session))?;
        let key = keys::to_gateway(&session);
        let news = self.inner.news.subscribe();
        let gateway = self.inner.access.if_awake(actor, instance).await?;
        let events = gateway.as_ref().map(Gateway::subscribe);
        let state = (self.clone(), actor.clone(), news, events);
        Ok(futures::stream::unfold(
            state,
            move |(hub, actor, mut news, mut events)| {
                let (session, key) = (session.clone(), key.clone());
                async move {
                    // News of other sessions, of which a busy house has many, must not put this off.
                    let mut look_again = hub.inner.clock.sleep(LOOK_AGAIN);
                    loop {
                        let outside = async {
                            match &mut events {
                                Some(events) => events.next().await,
                                None => {
                                    (&mut look_again).await;
                                    None
                                }
                            }
                        };
                        tokio::select! {
                            told = news.recv() => match told {
                                Ok((of, named, event)) if of == instance && named == session => {
                                    return Some((event, (hub, actor, news, events)));
                                }
                                Ok(_) => {}
                                // Something was missed, so reading anew is right.
                                Err(RecvError::Lagged(_)) => {
                                    return Some((SessionEvent::Changed {}, (hub, actor, news, events)));
                                }
                                Err(RecvError::Closed) => return None,
                            },
                            signal = outside => match signal {
                                Some(Signal::Event(event)) => {
                                    if let Some(Incoming::Chat(chat)) = Incoming::read(&event)
                                        && chat.session_key == key
                                        && chat.kind.is_end()
                                        && chat.run_id.parse::<ChatRunId>().is_err()
                                    {
                                        return Some((SessionEvent::Changed {}, (hub, actor, news, events)));
                                    }
                                }
                                Some(_) => {}
                                None => {
                                    let again = hub.inner.access.if_awake(&actor, instance).await;
                                    // The right to read may have been taken away meanwhile.
                                    let Ok(gateway) = again else { return None };
                                    if events.is_some() {
                                        hub.inner.clock.sleep(LOOK_AGAIN).await;
                                    }
                                    events = gateway.as_ref().map(Gateway::subscribe);
                                    look_again = hub.inner.clock.sleep(LOOK_AGAIN);
                                }
                            },
                        }
                    }
                }
            },
        )
        .boxed())
    }
}
