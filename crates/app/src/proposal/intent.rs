//! What was asked for, as data, and who carries it out.

use async_trait::async_trait;
use fractal_api_types::{DryRun, ProblemCode, ProposalRequest};
use fractal_types::{Actor, ApiTokenId};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Context;

/// A change as the API takes it. Every surface can say what it wants in this form, every change has it, and it means the same after an
/// upgrade, because the API does. It may hold a key or a password, so it is stored sealed and never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path and query.
    pub address: String,
    /// The JSON body, or nothing.
    pub body: String,
}

impl std::fmt::Debug for Intent {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Not the body.
        write!(out, "Intent({} {})", self.method, self.address)
    }
}

/// An intent as it is stored: with who asked and how, and with a number that nobody can guess, so that its digest tells nothing about a
/// short body.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) intent: Intent,
    pub(super) actor: Actor,
    pub(super) token_id: Option<ApiTokenId>,
    pub(super) nonce: String,
}

/// What approvers are shown.
#[derive(Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) request: ProposalRequest,
    pub(super) would: DryRun,
}

/// What an approval binds to: the proposal, whose it is, what they asked for and how, and what approvers were shown. Both texts are taken as
/// they are stored, so that a release which writes them otherwise still knows them again.
pub(super) fn digest(proposal: &str, requester: &str, kept: &str, shown: &str) -> String {
    let mut hash = Sha256::new();
    for part in [proposal, requester, kept, shown] {
        // Lengths keep the parts apart.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// What came out of carrying an intent out.
#[derive(Debug)]
pub enum Performed {
    /// It was done; the body of the answer, which may hold a new secret.
    Done(SecretString),
    /// It was only tried.
    Tried(Box<DryRun>),
    /// It was refused or failed.
    Failed {
        /// Why, as the API says it.
        code: ProblemCode,
        /// For people.
        detail: String,
    },
}

/// Carries intents out, as the context says: the API, called from inside.
#[async_trait]
pub trait Performer: Send + Sync + std::fmt::Debug {
    /// Calls it.
    async fn perform(&self, cx: Context, intent: &Intent) -> Performed;
}
