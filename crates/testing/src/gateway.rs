//! Gateways that do what a test says, behind protocol 4 and a runtime without processes.
//!
//! Every process of the [`FakeRuntime`] has one: it fetches its configuration when it starts, as the entry process does, holds it,
//! takes patches and files, answers turns, and lets itself be fenced. What it was asked is kept, so that a test can look.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fractal_app::{App, instance};
use fractal_openclaw::{
    document::{REDACTED, merge_patch},
    ws::codes,
};
use fractal_runtime::{
    contract::{Exit, ProcessState, Runtime},
    fake::FakeRuntime,
};
use fractal_types::InstanceId;
use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::DuplexStream,
    sync::{mpsc, watch},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// How a gateway answers turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Turns {
    /// With what it was asked.
    #[default]
    Echo,
    /// With something else.
    Wrong,
    /// With a failure.
    Fail,
    /// Not until told otherwise.
    Hold,
}

/// How a gateway takes a change of its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patches {
    /// At once.
    #[default]
    Take,
    /// Too many in the last minute.
    RateLimit,
    /// Not at all.
    Refuse,
    /// The next one does not arrive, and the caller hears that the connection was lost.
    LoseOne,
}

/// What a gateway does; the same for every instance.
#[derive(Debug, Clone, Default)]
pub struct Manner {
    /// Turns.
    pub turns: Turns,
    /// Patches.
    pub patches: Patches,
    /// Whether connections are refused.
    pub deaf: bool,
    /// Whether it has work that came by other ways.
    pub working: bool,
    /// Its next own appointment, milliseconds since 1970.
    pub next_wake_at_ms: Option<i64>,
    /// Whether it hesitates to confirm a fence until told otherwise.
    pub slow_fence: bool,
}

/// What is known of one gateway.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Its name for its run.
    pub boot_id: String,
    /// Every request, as method and parameters.
    pub asked: Vec<(String, Value)>,
    /// Its document.
    pub document: Value,
    /// Files that were set while it ran.
    pub files: BTreeMap<String, String>,
    /// Whether it is fenced.
    pub fenced: bool,
    boot: u64,
    version: u64,
}

/// All gateways behind a runtime. Clones are the same.
#[derive(Debug, Clone)]
pub struct Gateways(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    app: App,
    runtime: FakeRuntime,
    manner: watch::Sender<Manner>,
    /// Grows when connections have to end.
    cut: watch::Sender<u64>,
    seen: Mutex<HashMap<InstanceId, Seen>>,
}

impl Gateways {
    /// Puts a gateway behind every process of the runtime.
    #[must_use]
    pub fn behind(app: &App, runtime: &FakeRuntime) -> Self {
        let gateways = Self(Arc::new(Shared {
            app: app.clone(),
            runtime: runtime.clone(),
            manner: watch::Sender::new(Manner::default()),
            cut: watch::Sender::new(0),
            seen: Mutex::default(),
        }));
        let behind = gateways.clone();
        runtime.on_dial(move |id, stream| {
            let gateways = behind.clone();
            async move { gateways.serve(id, stream).await }
        });
        gateways
    }

    /// Changes what they do from now on; what they hesitated to do is looked at again.
    pub fn behave(&self, change: impl FnOnce(&mut Manner)) {
        self.0.manner.send_modify(change);
    }

    /// Ends every connection; a gateway that is not deaf takes the next.
    pub fn cut(&self) {
        self.0.cut.send_modify(|cuts| *cuts += 1);
    }

    /// Ends a process as a crash would, and its connections with it.
    pub fn crash(&self, id: InstanceId, exit: Exit) {
        self.0.runtime.crash(id, exit);
        self.cut();
    }

    /// What is known of one.
    #[must_use]
    pub fn seen(&self, id: InstanceId) -> Seen {
        self.lock().get(&id).cloned().unwrap_or_default()
    }

    /// How often one was asked this.
    #[must_use]
    pub fn count(&self, id: InstanceId, method: &str) -> usize {
        let seen = self.seen(id);
        seen.asked.iter().filter(|(name, _)| name == method).count()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<InstanceId, Seen>> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The boot of the process, when it runs.
    async fn boot(&self, id: InstanceId) -> Option<u64> {
        match self.0.runtime.observe(id).await.ok()?.process {
            ProcessState::Running { boot, .. } => Some(boot),
            _ => None,
        }
    }

    async fn serve(&self, id: InstanceId, stream: DuplexStream) {
        let Some(boot) = self.boot(id).await else {
            return;
        };
        if self.0.manner.borrow().deaf {
            return;
        }
        if self.seen(id).boot != boot {
            let Ok(mut given) = instance::agent_config(&self.0.app, id).await else {
                return;
            };
            let mut all = self.lock();
            let seen = all.entry(id).or_default();
            seen.boot = boot;
            seen.boot_id = format!("boot-{boot}");
            seen.document = given["config"].take();
            seen.files.clear();
            seen.fenced = false;
        }
        self.converse(id, boot, stream).await;
    }

    async fn converse(&self, id: InstanceId, boot: u64, stream: DuplexStream) {
        let mut cut = self.0.cut.subscribe();
        let Ok(mut socket) = accept_async(stream).await else {
            return;
        };
        let challenge = json!({"type": "event", "event": "connect.challenge", "payload": {"nonce": "n", "ts": 1}});
        if socket
            .send(Message::text(challenge.to_string()))
            .await
            .is_err()
        {
            return;
        }
        let (say, mut said) = mpsc::unbounded_channel::<Value>();
        loop {
            tokio::select! {
                biased;
                _ = cut.changed() => return,
                Some(frame) = said.recv() => {
                    if socket.send(Message::text(frame.to_string())).await.is_err() {
                        return;
                    }
                }
                message = socket.next() => {
                    let Some(Ok(message)) = message else { return };
                    let Message::Text(text) = message else { continue };
                    if self.boot(id).await != Some(boot) {
                        return;
                    }
                    let Ok(request) = serde_json::from_str(&text) else { continue };
                    let (gateways, say) = (self.clone(), say.clone());
                    tokio::spawn(async move { gateways.answer(id, &request, &say).await });
                }
            }
        }
    }

    async fn answer(&self, id: InstanceId, request: &Value, say: &mpsc::UnboundedSender<Value>) {
        let method = request["method"].as_str().unwrap_or_default();
        let params = &request["params"];
        let fenced = {
            let mut all = self.lock();
            let seen = all.entry(id).or_default();
            seen.asked.push((method.to_owned(), params.clone()));
            seen.fenced
        };
        let result = if fenced
            && !matches!(
                method,
                "connect" | "gateway.suspend.resume" | "gateway.suspend.status"
            ) {
            Err(
                json!({"code": "UNAVAILABLE", "message": format!("{method} unavailable during gateway suspension"),
                "retryable": true, "retryAfterMs": 50, "details": {"method": method, "reason": "gateway-suspending", "phase": "prepared"}}),
            )
        } else {
            self.decide(id, method, params).await
        };
        // A test that is over does not listen any more.
        let _ = say.send(match result {
            Ok(payload) => {
                json!({"type": "res", "id": request["id"], "ok": true, "payload": payload})
            }
            Err(error) => {
                json!({"type": "res", "id": request["id"], "ok": false, "error": error})
            }
        });
        if method == "chat.send" && !fenced {
            self.turn(params, say).await;
        }
    }

    async fn decide(&self, id: InstanceId, method: &str, params: &Value) -> Result<Value, Value> {
        let manner = self.0.manner.borrow().clone();
        let refused = |message: &str| {
            let error = json!({"code": "INVALID_REQUEST", "message": message, "retryable": false});
            Err(error)
        };
        Ok(match method {
            "connect" => self.hello(id),
            "chat.send" => json!({"runId": params["idempotencyKey"], "status": "started"}),
            "config.get" => {
                let mut seen = self.seen(id);
                hide_variables(&mut seen.document);
                json!({"hash": seen.version.to_string(), "valid": true, "sourceConfig": seen.document})
            }
            "config.patch" => match manner.patches {
                Patches::RateLimit => return refused("rate limit exceeded for config.patch"),
                Patches::Refuse => return refused("invalid config"),
                Patches::LoseOne => {
                    self.0
                        .manner
                        .send_modify(|manner| manner.patches = Patches::Take);
                    let lost = json!({"code": codes::DISCONNECTED, "message": "the connection was lost", "retryable": true});
                    return Err(lost);
                }
                Patches::Take => {
                    let patch = params["raw"].as_str().unwrap_or_default();
                    let Ok(patch) = serde_json::from_str(patch) else {
                        return refused("not JSON");
                    };
                    let mut all = self.lock();
                    let seen = all.entry(id).or_default();
                    merge_patch(&mut seen.document, &patch);
                    seen.version += 1;
                    json!({"ok": true})
                }
            },
            "skills.status" => skills_of(&self.seen(id).document),
            "agents.files.set" => {
                let text = |key: &str| params[key].as_str().unwrap_or_default().to_owned();
                let mut all = self.lock();
                let seen = all.entry(id).or_default();
                seen.files.insert(text("name"), text("content"));
                json!({"ok": true})
            }
            "gateway.restart.preflight" => {
                let active = u32::from(manner.working);
                json!({"safe": !manner.working, "counts": {"totalActive": active}, "blockers": []})
            }
            "cron.status" => {
                json!({"enabled": true, "jobs": 1, "nextWakeAtMs": manner.next_wake_at_ms})
            }
            "gateway.suspend.prepare" => {
                self.lock().entry(id).or_default().fenced = true;
                let mut manner = self.0.manner.subscribe();
                let _ = manner.wait_for(|manner| !manner.slow_fence).await;
                json!({"status": "ready", "suspensionId": "s", "expiresAtMs": 0, "activeCount": 0, "blockers": []})
            }
            "gateway.suspend.resume" => {
                self.lock().entry(id).or_default().fenced = false;
                json!({"ok": true, "status": "running", "resumed": true})
            }
            _ => json!({"ok": true, "deleted": true}),
        })
    }

    fn hello(&self, id: InstanceId) -> Value {
        let boot_id = self.seen(id).boot_id;
        json!({"type": "hello-ok", "protocol": 4,
            "server": {"version": "2026.9.6", "bootId": boot_id, "connId": "c"},
            "features": {"methods": ["chat.send"], "events": []}, "snapshot": {"uptimeMs": 1},
            "auth": {"scopes": ["operator.read", "operator.write", "operator.admin"]},
            "policy": {"maxPayload": 26_214_400, "tickIntervalMs": 30000}})
    }

    async fn turn(&self, params: &Value, say: &mpsc::UnboundedSender<Value>) {
        let mut manner = self.0.manner.subscribe();
        let Ok(turns) = manner
            .wait_for(|manner| manner.turns != Turns::Hold)
            .await
            .map(|manner| manner.turns)
        else {
            return;
        };
        let mut payload =
            json!({"runId": params["idempotencyKey"], "sessionKey": params["sessionKey"]});
        let text = match turns {
            Turns::Wrong => "something else",
            _ => params["message"].as_str().unwrap_or_default(),
        };
        if turns == Turns::Fail {
            payload["state"] = json!("error");
            payload["errorMessage"] = json!("the model said no");
        } else {
            payload["state"] = json!("final");
            payload["message"] =
                json!({"role": "assistant", "content": [{"type": "text", "text": text}]});
        }
        let _ = say.send(json!({"type": "event", "event": "chat", "payload": payload}));
    }
}

/// Shows variables of skills as a gateway does.
fn hide_variables(document: &mut Value) {
    let entries = document.pointer_mut("/skills/entries");
    for entry in entries
        .and_then(Value::as_object_mut)
        .into_iter()
        .flat_map(|entries| entries.values_mut())
    {
        let variables = entry["env"].as_object_mut();
        for (name, value) in variables.into_iter().flatten() {
            if name.ends_with("TOKEN") || name.ends_with("API_KEY") {
                *value = json!(REDACTED);
            }
        }
    }
}

/// One skill that needs a variable, and one that needs a program.
fn skills_of(document: &Value) -> Value {
    let has = document["skills"]["entries"]["trello"]["env"]["TRELLO_TOKEN"].is_string();
    let env: &[&str] = if has { &[] } else { &["TRELLO_TOKEN"] };
    json!({"skills": [
        {"name": "trello", "skillKey": "trello", "description": "boards", "eligible": has, "disabled": false,
            "requirements": {"env": ["TRELLO_TOKEN"]}, "missing": {"env": env, "bins": []}},
        {"name": "github", "skillKey": "github", "description": "issues", "eligible": false, "disabled": false,
            "requirements": {"bins": ["gh"]}, "missing": {"env": [], "bins": ["gh"]}},
    ]})
}
