//! A change that is asked for again under the same key is made once, and gets its first answer again.
//!
//! The key is taken in the transaction of the change itself, so that neither a crash nor two requests at once can make it twice. What
//! failed took no key and may be tried again. A secret that a change gave is not kept: whoever lost it makes a new one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fractal_api_types::ProblemCode;
use fractal_policy::Action;
use fractal_store::{IdempotencyKey, Tx, idempotency_keys};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{App, Context, Error, Result};

/// How long a key is remembered.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a key may be, in characters. A short one could be guessed, and with it a body from its hash.
const LENGTHS: std::ops::RangeInclusive<usize> = 16..=255;

/// A key of a caller's, for one request.
#[derive(Debug, Clone)]
pub struct Key {
    /// Hash of who, what and the key.
    id: String,
    /// Hash of the key and the body. The key in it, which nothing keeps, hides a body that could be guessed.
    body_hash: String,
    /// Whether a change was made under it. A request that makes several takes the key with the first.
    taken: Arc<AtomicBool>,
}

impl Key {
    /// A change was made under it.
    pub(crate) fn took(&self) {
        self.taken.store(true, Ordering::SeqCst);
    }
}

/// What to do with a request.
#[derive(Debug)]
pub enum Begun {
    /// Make the change under this key.
    Fresh(Key),
    /// It was made; its answer.
    Done {
        /// The HTTP status.
        status: u16,
        /// The body, without secrets.
        answer: String,
    },
}

/// Looks whether a request was made before.
///
/// # Errors
///
/// `conflict` when the key stands for another request, or when the change was made and its answer was lost.
pub async fn begin(app: &App, cx: &Context, route: &str, key: &str, body: &[u8]) -> Result<Begun> {
    let sound = LENGTHS.contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if !sound {
        return Err(Error::new(ProblemCode::InvalidParameter).detail(
            "Idempotency-Key must be 16 to 255 printable characters without spaces, like a UUID",
        ));
    }
    let who = cx.user_id()?.to_string();
    let key = Key {
        id: hash(&[who.as_bytes(), route.as_bytes(), key.as_bytes()]),
        body_hash: hash(&[key.as_bytes(), body]),
        taken: Arc::default(),
    };
    let Some(row) = idempotency_keys::find(&app.store.read(), &key.id).await? else {
        return Ok(Begun::Fresh(key));
    };
    if app.clock.now().since(row.created_at) > KEPT {
        return Ok(Begun::Fresh(key));
    }
    if row.body_hash != key.body_hash {
        return Err(
            Error::conflict("this Idempotency-Key stands for another request")
                .remedy("use a new key for every change"),
        );
    }
    match (row.status, row.answer) {
        (Some(status), Some(answer)) => Ok(Begun::Done { status, answer }),
        _ => Err(lost(&row.action, &row.resource_id)),
    }
}

fn lost(action: &str, resource_id: &str) -> Error {
    let about = if resource_id.is_empty() {
        String::new()
    } else {
        format!(" of {resource_id}")
    };
    Error::conflict(format!(
        "{action}{about} was done or is being done under this key, and its answer is not known"
    ))
    .remedy("look at the thing itself before you change it again")
}

/// Takes the key, in the transaction of the change.
pub(crate) async fn take(
    app: &App,
    tx: &Tx,
    key: &Key,
    action: Action,
    resource_id: &str,
) -> Result<()> {
    if key.taken.load(Ordering::SeqCst) {
        return Ok(());
    }
    let now = app.clock.now();
    let old = now.before(KEPT);
    idempotency_keys::forget(tx, &key.id, old).await?;
    // Now and then all of them: every change doing so would stand in the way of the others.
    if key.id.ends_with("00") {
        idempotency_keys::forget_before(tx, old).await?;
    }
    let row = IdempotencyKey {
        id: key.id.clone(),
        body_hash: key.body_hash.clone(),
        action: action.as_str().to_owned(),
        resource_id: resource_id.to_owned(),
        status: None,
        answer: None,
        created_at: now,
    };
    match idempotency_keys::insert(tx, &row).await {
        Err(fractal_store::Error::Conflict { .. }) => Err(lost(action.as_str(), resource_id)),
        other => Ok(other?),
    }
}

/// Keeps the answer of a change that was made.
///
/// # Errors
///
/// When the database fails.
pub async fn answered(app: &App, key: &Key, status: u16, answer: &[u8]) -> Result<()> {
    let answer = without_secrets(answer);
    app.store
        .tx("idempotency.answered", async |tx: Tx| {
            idempotency_keys::answered(&tx, &key.id, status, &answer).await
        })
        .await?;
    Ok(())
}

/// A body as it may be kept: a secret is shown once (`fractal_api_types`: its field is called `secret`).
fn without_secrets(answer: &[u8]) -> String {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if name == "secret" {
                        // Empty and not absent: the answer keeps the shape that is documented.
                        *value = Value::String(String::new());
                    } else {
                        strip(value);
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let Ok(mut value) = serde_json::from_slice::<Value>(answer) else {
        // An empty body, or one that is no JSON and so none of ours.
        return String::new();
    };
    strip(&mut value);
    value.to_string()
}

fn hash(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths keep the parts apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_kept_wherever_it_stands() {
        let body = br#"{"secret":"frk_api_x","token":{"id":"tok_1"},"all":[{"secret":"y"}]}"#;
        let kept: Value = serde_json::from_str(&without_secrets(body)).unwrap();
        let expected =
            serde_json::json!({"secret": "", "token": {"id": "tok_1"}, "all": [{"secret": ""}]});
        assert_eq!(kept, expected);
        assert_eq!(without_secrets(b""), "");
    }
}
