//! Changing the document of a running gateway.

use std::time::Duration;

use serde_json::Value;

use super::{
    merge::{Difference, differences, patch_of},
    render::{Rendered, is_variable},
};
use crate::ws::{CloseReason, ConfigPatch, Gateway, RpcError, codes};

/// How often a change is tried against somebody who changes the document at the same time.
const TRIES: usize = 5;

/// How long the gateway may need to come back after its token changed.
const RECONNECT: Duration = Duration::from_secs(30);

/// Whether secrets are sent. They cannot be compared, because a gateway never shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// They are as they were.
    Unchanged,
    /// The variables of skills may be new, the tokens are as they were.
    Variables,
    /// The gateway token or the instance token is new.
    Changed,
}

/// What a change did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The owned keys that were set back or changed (RFC 6901); empty when all was as it should be.
    pub changed: Vec<String>,
    /// The gateway restarts itself to use the change; wait for a new boot id.
    pub restart_required: bool,
}

/// Why the document could not be brought into shape.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The gateway refused.
    #[error("the gateway did not take its configuration")]
    Rpc(#[from] RpcError),
    /// The gateway did not come back after its token changed.
    #[error("the gateway did not come back after its token changed: {0}")]
    Lost(CloseReason),
    /// The gateway took the change but does not show it: something else owns these keys.
    #[error("the gateway does not keep these keys: {}", .0.join(", "))]
    NotKept(Vec<String>),
    /// Somebody else kept changing the document.
    #[error("the configuration kept changing; try again later")]
    Contended,
}

/// Brings the running gateway's document into the rendered shape with as few keys as possible, reads it
/// back and compares.
///
/// # Errors
///
/// [`ApplyError`]. A rate limit is an [`ApplyError::Rpc`] with `retry_after`; waiting a minute is the
/// caller's business.
pub async fn apply_live(
    gateway: &Gateway,
    rendered: &Rendered,
    secrets: Secrets,
) -> Result<Applied, ApplyError> {
    let mut applied = Applied {
        changed: Vec::new(),
        restart_required: false,
    };
    let (mut send_token, mut send_variables) =
        (secrets == Secrets::Changed, secrets != Secrets::Unchanged);
    let mut extra_paths = Vec::new();
    for _ in 0..TRIES {
        let snapshot = match gateway.config_get().await {
            // Our own change of the token closes the connection a moment after the answer.
            Err(error) if error.code == codes::DISCONNECTED && !applied.changed.is_empty() => {
                reconnected(gateway).await?;
                continue;
            }
            other => other?,
        };
        let mut wrong = differences(rendered, &snapshot.source);
        // One that is missing is among the differences already.
        let known = pointers(&wrong);
        wrong.extend(secret_values(rendered).filter(|secret| {
            let is_sent = if is_variable(&secret.pointer) {
                send_variables
            } else {
                send_token
            };
            is_sent && !known.contains(&secret.pointer)
        }));
        if wrong.is_empty() {
            return Ok(applied);
        }
        if !applied.changed.is_empty() && !send_variables && repeats(&applied.changed, &wrong) {
            return Err(ApplyError::NotKept(pointers(&wrong)));
        }
        let change = ConfigPatch {
            patch: patch_of(&wrong),
            base_hash: snapshot.hash,
            replace_paths: array_paths(&wrong, &extra_paths),
        };
        // The gateway closes our connection as soon as its token is the new one.
        let previous = send_token.then(|| gateway.replace_token(rendered.gateway_token()));
        let answer = gateway.config_patch(&change).await;
        if let (Some(previous), Err(error)) = (previous, &answer)
            && error.code != codes::DISCONNECTED
        {
            gateway.replace_token(previous);
        }
        let mut uncertain = false;
        match answer {
            Ok(answer) => {
                applied.restart_required |=
                    answer["sentinel"]["payload"]["stats"]["requiresRestart"] == true;
            }
            Err(error) if error.is_stale_config() => continue,
            Err(error) if !error.guarded_arrays().is_empty() => {
                extra_paths.extend(error.guarded_arrays());
                continue;
            }
            // A change of the token or a restart can end the connection before the answer is out;
            // reading again tells whether it took effect. It does not tell for variables, so those are sent again.
            Err(error) if error.code == codes::DISCONNECTED => uncertain = true,
            Err(error) => return Err(error.into()),
        }
        for pointer in pointers(&wrong) {
            if !applied.changed.contains(&pointer) {
                applied.changed.push(pointer);
            }
        }
        if applied.restart_required {
            // The document is written; the process that would show it is going away.
            return Ok(applied);
        }
        send_token = false;
        send_variables &= uncertain;
        reconnected(gateway).await?;
    }
    Err(ApplyError::Contended)
}

async fn reconnected(gateway: &Gateway) -> Result<(), ApplyError> {
    gateway
        .wait_ready(RECONNECT)
        .await
        .map(drop)
        .map_err(ApplyError::Lost)
}

fn secret_values(rendered: &Rendered) -> impl Iterator<Item = Difference> {
    rendered.secrets.iter().map(|pointer| Difference {
        pointer: pointer.clone(),
        wanted: rendered.config.pointer(pointer).cloned(),
    })
}

/// The gateway guards lists against shortening; ours are always meant as a whole.
fn array_paths(wrong: &[Difference], extra: &[String]) -> Vec<String> {
    wrong
        .iter()
        .filter(|difference| matches!(difference.wanted, Some(Value::Array(_))))
        .map(|difference| difference.pointer[1..].replace('/', "."))
        .chain(extra.iter().cloned())
        .collect()
}

fn pointers(wrong: &[Difference]) -> Vec<String> {
    wrong
        .iter()
        .map(|difference| difference.pointer.clone())
        .collect()
}

/// Whether everything still wrong was already sent once.
fn repeats(sent: &[String], wrong: &[Difference]) -> bool {
    wrong
        .iter()
        .all(|difference| sent.contains(&difference.pointer))
}
