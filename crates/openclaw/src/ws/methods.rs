//! The requests the house makes, with their parameters spelled once.
//!
//! Parameter objects of the gateway are closed: an unknown member is refused, so optional ones are left
//! out rather than sent as null. Results are typed where we decide by them and left as JSON where we
//! only pass them on.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use super::{Approval, Gateway, Question, RpcError, codes};

/// A chat message to send.
#[derive(Debug, Clone, Default)]
pub struct ChatSend {
    /// `agent:<agent>:<anything>`; made on first use.
    pub session_key: String,
    /// The person's words.
    pub message: String,
    /// Becomes the run's id. The same key with the same message is answered `ok` without a new run.
    pub idempotency_key: String,
    /// Files that come with it.
    pub attachments: Vec<Attachment>,
    /// The longest time the run may take.
    pub timeout: Option<Duration>,
}

/// A file that comes with a chat message. Check its size against [`super::Policy::attachments`] first.
#[derive(Debug, Clone)]
pub struct Attachment {
    /// Its name.
    pub file_name: String,
    /// Its media type. `image/*` is shown to the model, text is quoted, anything else is stored in the
    /// workspace and named.
    pub mime_type: String,
    /// Its content in base64.
    pub base64: String,
}

impl Attachment {
    /// How many bytes its content has.
    #[must_use]
    pub fn size(&self) -> u64 {
        let padding = self.base64.bytes().rev().take_while(|byte| *byte == b'=');
        let decoded = self.base64.len() / 4 * 3;
        (decoded.saturating_sub(padding.count())) as u64
    }
}

/// The configuration as the gateway holds it.
#[derive(Debug, Clone)]
pub struct ConfigSnapshot {
    /// The document as written, secrets replaced by the redaction sentinel.
    pub source: Value,
    /// What a change must be based on; opaque.
    pub hash: String,
    /// Whether the running gateway uses this document (a bad edit of the file is ignored).
    pub applied: bool,
    /// Whether the document is valid.
    pub valid: bool,
}

/// A change of the configuration. It may carry secrets, so it does not print.
#[derive(Clone)]
pub struct ConfigPatch {
    /// A merge patch (RFC 7396).
    pub patch: Value,
    /// The hash it is based on.
    pub base_hash: String,
    /// Array paths that may lose entries.
    pub replace_paths: Vec<String>,
}

/// Answer of `gateway.restart.preflight`.
#[derive(Debug, Clone, PartialEq)]
pub struct Preflight {
    /// Nothing would be interrupted.
    pub safe: bool,
    /// Pieces of work in progress.
    pub active: u64,
    /// What they are, in the gateway's words.
    pub blockers: Value,
}

/// Answer of `gateway.suspend.prepare` and `.status` (`openclaw.md` section 9.1).
#[derive(Debug, Clone, PartialEq)]
pub enum Suspension {
    /// No suspension is held.
    Running,
    /// Fenced and idle: freeze or snapshot now.
    Ready {
        /// What resume takes; absent in an answer of status.
        id: Option<String>,
        /// The lease ends then, milliseconds since 1970.
        expires_at_ms: i64,
    },
    /// Fenced, work is still ending.
    Draining {
        /// What resume takes; absent in an answer of status.
        id: Option<String>,
        /// Pieces of work.
        active: u64,
    },
    /// Not fenced, because there is work.
    Busy {
        /// Pieces of work.
        active: u64,
        /// When to ask again.
        retry_after: Duration,
        /// What they are.
        blockers: Value,
    },
}

/// Answer of `cron.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CronStatus {
    /// Whether jobs run at all.
    pub enabled: bool,
    /// How many there are.
    pub jobs: u64,
    /// The next run, milliseconds since 1970: wake a sleeping gateway before it.
    pub next_wake_at_ms: Option<i64>,
}

impl Gateway {
    /// Starts a run and returns its id.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`]; retrying with the same key is safe.
    pub async fn chat_send(&self, send: &ChatSend) -> Result<String, RpcError> {
        let mut params = json!({
            "sessionKey": send.session_key,
            "message": send.message,
            "idempotencyKey": send.idempotency_key,
        });
        if let Some(limit) = send.timeout {
            params["timeoutMs"] = json!(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX));
        }
        if !send.attachments.is_empty() {
            let files = send.attachments.iter().map(|file| {
                let kind = if file.mime_type.starts_with("image/") {
                    "image"
                } else {
                    "file"
                };
                json!({"type": kind, "mimeType": file.mime_type, "fileName": file.file_name, "content": file.base64})
            });
            params["attachments"] = files.collect();
        }
        let answer = self.request("chat.send", params).await?;
        text(&answer, "runId", "chat.send")
    }

    /// Stops a run, or all of a session; returns the runs that were stopped.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn chat_abort(
        &self,
        session_key: &str,
        run_id: Option<&str>,
    ) -> Result<Vec<String>, RpcError> {
        let params = object([
            ("sessionKey", Some(json!(session_key))),
            ("runId", run_id.map(Value::from)),
        ]);
        let answer = self.request("chat.abort", params).await?;
        Ok(array(&answer["runIds"])
            .filter_map(|id| id.as_str().map(str::to_owned))
            .collect())
    }

    /// The messages of a session, newest page first when `offset` is given.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn chat_history(
        &self,
        session_key: &str,
        limit: Option<u32>,
        offset: Option<u32>,
    ) -> Result<Value, RpcError> {
        let params = object([
            ("sessionKey", Some(json!(session_key))),
            ("limit", limit.map(Value::from)),
            ("offset", offset.map(Value::from)),
        ]);
        self.request("chat.history", params).await
    }

    /// A page of sessions.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn sessions_list(&self, limit: u32, offset: u32) -> Result<Value, RpcError> {
        self.request("sessions.list", json!({"limit": limit, "offset": offset}))
            .await
    }

    /// Changes a session; `changes` is an object such as `{"label": "…"}` or `{"model": "…"}`.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn sessions_patch(&self, key: &str, changes: Value) -> Result<Value, RpcError> {
        let mut params = changes;
        params["key"] = json!(key);
        self.request("sessions.patch", params).await
    }

    /// Deletes a session with its transcript. `false` when there was none.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn sessions_delete(&self, key: &str) -> Result<bool, RpcError> {
        let params = json!({"key": key, "deleteTranscript": true});
        let answer = self.request("sessions.delete", params).await?;
        Ok(answer["deleted"].as_bool().unwrap_or(false))
    }

    /// Begins a session anew under the same key.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn sessions_reset(&self, key: &str) -> Result<Value, RpcError> {
        self.request("sessions.reset", json!({"key": key})).await
    }

    /// The configuration.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn config_get(&self) -> Result<ConfigSnapshot, RpcError> {
        let mut answer = self.request("config.get", json!({})).await?;
        let hash = text(&answer, "hash", "config.get")?;
        let applied = &answer["appliedConfigHash"];
        Ok(ConfigSnapshot {
            hash,
            applied: applied.is_null() || *applied == answer["configRevisionHash"],
            valid: answer["valid"].as_bool().unwrap_or(false),
            source: answer["sourceConfig"].take(),
        })
    }

    /// Changes the configuration and returns the gateway's answer once a hot change is active.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`]; [`RpcError::is_stale_config`] and [`RpcError::guarded_arrays`] say what
    /// can be mended. The gateway allows 30 calls a minute.
    pub async fn config_patch(&self, change: &ConfigPatch) -> Result<Value, RpcError> {
        let mut params = json!({"raw": change.patch.to_string(), "baseHash": change.base_hash});
        if !change.replace_paths.is_empty() {
            params["replacePaths"] = json!(change.replace_paths);
        }
        self.request("config.patch", params).await
    }

    /// Whether a restart would interrupt something.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn restart_preflight(&self) -> Result<Preflight, RpcError> {
        let answer = self.request("gateway.restart.preflight", json!({})).await?;
        Ok(Preflight {
            safe: answer["safe"].as_bool().unwrap_or(false),
            active: answer["counts"]["totalActive"].as_u64().unwrap_or(0),
            blockers: answer["blockers"].clone(),
        })
    }

    /// Fences the gateway for 120 s so that it can be frozen or its state copied. The same `request_id`
    /// renews the fence.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`]; also when somebody else holds a fence.
    pub async fn suspend_prepare(
        &self,
        request_id: &str,
        drain: bool,
    ) -> Result<Suspension, RpcError> {
        let params = json!({"requestId": request_id, "drain": drain});
        let answer = self.request("gateway.suspend.prepare", params).await?;
        suspension(&answer, "gateway.suspend.prepare")
    }

    /// How far a fence is.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn suspend_status(&self, id: &str) -> Result<Suspension, RpcError> {
        let params = json!({"suspensionId": id});
        let answer = self.request("gateway.suspend.status", params).await?;
        suspension(&answer, "gateway.suspend.status")
    }

    /// Lifts a fence; `false` when it had already run out, which is no harm.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn suspend_resume(&self, id: &str) -> Result<bool, RpcError> {
        let params = json!({"suspensionId": id});
        let answer = self.request("gateway.suspend.resume", params).await?;
        Ok(answer["resumed"].as_bool().unwrap_or(false))
    }

    /// Whether jobs run, and when next.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn cron_status(&self) -> Result<CronStatus, RpcError> {
        let answer = self.request("cron.status", json!({})).await?;
        Ok(CronStatus {
            enabled: answer["enabled"].as_bool().unwrap_or(false),
            jobs: answer["jobs"].as_u64().unwrap_or(0),
            next_wake_at_ms: answer["nextWakeAtMs"].as_i64(),
        })
    }

    /// Every skill with whether it can be used and what it lacks.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn skills_status(&self) -> Result<Value, RpcError> {
        self.request("skills.status", json!({})).await
    }

    /// Process, memory and disks as the gateway sees them.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn system_info(&self) -> Result<Value, RpcError> {
        self.request("system.info", json!({})).await
    }

    /// A workspace file; `None` when it does not exist.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn agents_files_get(
        &self,
        agent_id: &str,
        name: &str,
    ) -> Result<Option<String>, RpcError> {
        let params = json!({"agentId": agent_id, "name": name});
        let answer = self.request("agents.files.get", params).await?;
        Ok(answer["file"]["content"].as_str().map(str::to_owned))
    }

    /// Writes a workspace file. Only the files the gateway knows are accepted (`openclaw.md` section 0).
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn agents_files_set(
        &self,
        agent_id: &str,
        name: &str,
        content: &str,
    ) -> Result<(), RpcError> {
        let params = json!({"agentId": agent_id, "name": name, "content": content});
        self.request("agents.files.set", params).await.map(drop)
    }

    /// The commands that wait for permission.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn exec_approval_list(&self) -> Result<Vec<Approval>, RpcError> {
        let answer = self.request("exec.approval.list", json!({})).await?;
        Ok(array(&answer).filter_map(Approval::read).collect())
    }

    /// Decides about a command: `allow-once`, `allow-always` or `deny`, as far as
    /// [`Approval::decisions`] lists it.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn exec_approval_resolve(&self, id: &str, decision: &str) -> Result<(), RpcError> {
        let params = json!({"id": id, "decision": decision});
        self.request("exec.approval.resolve", params)
            .await
            .map(drop)
    }

    /// The questions that wait for an answer.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn question_list(&self) -> Result<Vec<Question>, RpcError> {
        let answer = self.request("question.list", json!({})).await?;
        Ok(array(&answer["questions"])
            .filter_map(Question::read)
            .collect())
    }

    /// Answers questions by their ids, or skips them all with `None`.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn question_resolve(
        &self,
        id: &str,
        answers: Option<&BTreeMap<String, Vec<String>>>,
    ) -> Result<(), RpcError> {
        let params = match answers {
            Some(answers) => json!({"id": id, "answers": {"answers": answers}}),
            None => json!({"id": id, "cancel": true}),
        };
        self.request("question.resolve", params).await.map(drop)
    }

    /// The configured models.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn models_list(&self) -> Result<Value, RpcError> {
        let mut answer = self.request("models.list", json!({})).await?;
        Ok(answer["models"].take())
    }

    /// The tools the gateway has, by group.
    ///
    /// # Errors
    ///
    /// See [`Gateway::request`].
    pub async fn tools_catalog(&self) -> Result<Value, RpcError> {
        self.request("tools.catalog", json!({})).await
    }
}

fn suspension(answer: &Value, method: &str) -> Result<Suspension, RpcError> {
    let id = answer["suspensionId"].as_str().map(str::to_owned);
    let active = answer["activeCount"].as_u64().unwrap_or(0);
    Ok(match answer["status"].as_str() {
        Some("running") => Suspension::Running,
        Some("ready") => Suspension::Ready {
            id,
            expires_at_ms: answer["expiresAtMs"].as_i64().unwrap_or(0),
        },
        Some("draining") => Suspension::Draining { id, active },
        Some("busy") => Suspension::Busy {
            active,
            retry_after: Duration::from_millis(answer["retryAfterMs"].as_u64().unwrap_or(20_000)),
            blockers: answer["blockers"].clone(),
        },
        other => {
            let why = format!("unknown suspension status {other:?}");
            return Err(RpcError::local(method, codes::BAD_ANSWER, why, false));
        }
    })
}

fn text(answer: &Value, key: &str, method: &str) -> Result<String, RpcError> {
    answer[key].as_str().map(str::to_owned).ok_or_else(|| {
        let why = format!("the answer has no {key}");
        RpcError::local(method, codes::BAD_ANSWER, why, false)
    })
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An object of the members that are there.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    Value::Object(
        members
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect::<Map<_, _>>(),
    )
}
