//! The proving turn: an instance is ready when a real model turn came back (`requirements.md` B2).
//!
//! The turn runs in a throw-away session against the broker's own `probe` model, so it costs no provider token and
//! says nothing about the provider. It also loads the gateway's reply code, which makes the first real turn quick.

use std::time::Duration;

use fractal_openclaw::ws::{ChatKind, ChatSend, Gateway, Incoming, Signal};
use serde_json::json;
use tokio::time::timeout;

/// The first turn of a process took 1.4 to 5.4 s (`openclaw.md` section 5); a loaded machine is slower.
const TURN_BUDGET: Duration = Duration::from_secs(90);

/// The model that the broker answers itself.
pub const PROBE_MODEL: &str = "fractal/probe";

/// Proves that the gateway answers: `nonce` must come back.
///
/// # Errors
///
/// One readable sentence on what did not work.
pub async fn prove(gateway: &Gateway, nonce: &str) -> Result<(), String> {
    let session = format!("agent:main:fractal-probe-{nonce}");
    let outcome = match attempt(gateway, &session, nonce, 0).await {
        // A turn that races with a configuration change loses once (`openclaw.md` section 3).
        Err(message) if message.contains("was superseded") => {
            attempt(gateway, &session, nonce, 1).await
        }
        other => other,
    };
    // The session must not appear in anybody's history; a failure to delete it is not a failure of the proof.
    if let Err(error) = gateway.sessions_delete(&session).await {
        tracing::debug!("the probe session stays until its retention ends: {error}");
    }
    outcome
}

async fn attempt(gateway: &Gateway, session: &str, nonce: &str, number: u32) -> Result<(), String> {
    let say = |what: &str, error: &dyn std::fmt::Display| format!("{what}: {error}");
    gateway
        .request("sessions.create", json!({ "key": session }))
        .await
        .map_err(|error| say("the test session could not be made", &error))?;
    gateway
        .sessions_patch(session, json!({ "model": PROBE_MODEL }))
        .await
        .map_err(|error| say("the test model could not be chosen", &error))?;
    let mut events = gateway.subscribe();
    let send = ChatSend {
        session_key: session.to_owned(),
        message: format!("probe {nonce}"),
        idempotency_key: format!("probe-{nonce}-{number}"),
        timeout: Some(TURN_BUDGET),
        ..ChatSend::default()
    };
    let run = gateway
        .chat_send(&send)
        .await
        .map_err(|error| say("the test turn was refused", &error))?;
    timeout(TURN_BUDGET, async {
        loop {
            match events.next().await {
                None => return Err("the connection ended during the test turn".to_owned()),
                Some(Signal::Disconnected(reason)) => {
                    return Err(format!(
                        "the connection ended during the test turn: {reason}"
                    ));
                }
                Some(Signal::Gap { .. } | Signal::Connected(_)) => {}
                Some(Signal::Event(event)) => {
                    let Some(Incoming::Chat(chat)) = Incoming::read(&event) else {
                        continue;
                    };
                    if chat.run_id != run {
                        continue;
                    }
                    match chat.kind {
                        ChatKind::Final { text, .. } => {
                            return match text {
                                Some(text) if text.contains(nonce) => Ok(()),
                                _ => {
                                    Err("the test turn ended without the expected answer"
                                        .to_owned())
                                }
                            };
                        }
                        ChatKind::Error { message, .. } => {
                            return Err(format!("the test turn failed: {message}"));
                        }
                        ChatKind::Aborted { .. } => {
                            return Err("the test turn was stopped".to_owned());
                        }
                        _ => {}
                    }
                }
            }
        }
    })
    .await
    .unwrap_or_else(|_| Err("the test turn took too long".to_owned()))
}
