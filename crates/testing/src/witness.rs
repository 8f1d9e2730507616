//! A witness as C2SP tlog-witness describes one: it knows logs by their keys, checks every proof itself, keeps what it cosigned last and
//! cosigns nothing that does not continue it.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::post,
};
use fractal_clock::SeededEntropy;
use fractal_crypto::{SignKey, VerifyKey};
use fractal_evidence::{
    Checkpoint, Hash,
    cosignature::cosign,
    merkle::{empty_root, verify_consistency},
    note,
    witness::{SIZE_TYPE, read_request},
};

/// How a witness behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// As it should.
    Honest,
    /// It does not do its work.
    Down,
    /// It cosigns with another key than its own, under its own name and key's id.
    Forging,
    /// As it should, but a conflict is all it says: not which size it holds.
    Brief,
}

#[derive(Debug)]
struct Inner {
    log: VerifyKey,
    key: SignKey,
    /// Size and root of what it cosigned last.
    latest: (u64, Hash),
    mood: Mood,
    asked: u32,
    statuses: Vec<u16>,
}

/// A running witness; it ends with the test.
#[derive(Debug, Clone)]
pub struct FakeWitness {
    /// What its addresses begin with.
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

/// The second at which it says to cosign.
pub const SECOND: u64 = 1_700_000_000;

fn signer(number: u32) -> SignKey {
    let name = format!("witness.example/w{number}");
    SignKey::generate(&name, &SeededEntropy::new(u64::from(number) + 77))
}

/// The key of the witness with this number.
#[must_use]
pub fn key(number: u32) -> String {
    signer(number).witness_key().to_string()
}

/// A key of some log of this name, which is not the house's.
#[must_use]
pub fn log_key(name: &str) -> VerifyKey {
    SignKey::generate(name, &SeededEntropy::new(5)).verify_key()
}

impl FakeWitness {
    /// Starts a witness of this log.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn start(number: u32, log: VerifyKey) -> Self {
        let inner = Arc::new(Mutex::new(Inner {
            log,
            key: signer(number),
            latest: (0, empty_root()),
            mood: Mood::Honest,
            asked: 0,
            statuses: Vec::new(),
        }));
        let router = Router::new()
            .route("/prefix/add-checkpoint", post(add_checkpoint))
            .with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("its address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url: format!("http://{address}/prefix"),
            inner,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key of its cosignatures.
    #[must_use]
    pub fn key(&self) -> fractal_crypto::WitnessKey {
        self.lock().key.witness_key()
    }

    /// From now on it behaves like this.
    pub fn behave(&self, mood: Mood) {
        self.lock().mood = mood;
    }

    /// From now on it trusts this log's key.
    pub fn trust(&self, log: VerifyKey) {
        self.lock().log = log;
    }

    /// The size it cosigned last.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.lock().latest.0
    }

    /// Makes it believe that it cosigned this.
    pub fn remember(&self, size: u64, root: Hash) {
        self.lock().latest = (size, root);
    }

    /// The statuses it answered with, oldest first.
    #[must_use]
    pub fn statuses(&self) -> Vec<u16> {
        self.lock().statuses.clone()
    }
}

async fn add_checkpoint(State(inner): State<Arc<Mutex<Inner>>>, body: String) -> Response {
    let mut inner = inner.lock().unwrap_or_else(PoisonError::into_inner);
    inner.asked += 1;
    let answer = inner.answer(&body);
    inner.statuses.push(answer.status().as_u16());
    answer
}

impl Inner {
    fn answer(&mut self, body: &str) -> Response {
        if self.mood == Mood::Down {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let Some(asked) = read_request(body) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        let Ok((text, _)) = note::split(asked.checkpoint) else {
            return StatusCode::BAD_REQUEST.into_response();
        };
        if text.lines().next() != Some(self.log.name()) {
            return StatusCode::NOT_FOUND.into_response();
        }
        let Ok(head) = Checkpoint::open(asked.checkpoint, &self.log) else {
            return StatusCode::FORBIDDEN.into_response();
        };
        if asked.old > head.size {
            return StatusCode::BAD_REQUEST.into_response();
        }
        let (size, root) = self.latest;
        if asked.old != size || size == head.size && root != head.root {
            if self.mood == Mood::Brief {
                return StatusCode::CONFLICT.into_response();
            }
            let kind = [(header::CONTENT_TYPE, SIZE_TYPE)];
            return (StatusCode::CONFLICT, kind, format!("{size}\n")).into_response();
        }
        let continues = if size == 0 || size == head.size {
            asked.proof.is_empty()
        } else {
            verify_consistency(size, head.size, &root, &head.root, &asked.proof)
        };
        if !continues {
            return StatusCode::UNPROCESSABLE_ENTITY.into_response();
        }
        let line = match self.mood {
            Mood::Forging => cosign("another text\n", SECOND, &self.key),
            _ => cosign(text, SECOND, &self.key),
        };
        self.latest = (head.size, head.root);
        line.into_response()
    }
}
