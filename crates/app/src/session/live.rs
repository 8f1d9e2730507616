//! What is remembered about sessions and tokens for a few seconds, and who is told when one ends.
//!
//! The cache spares the database a read for every request. It may never outlive a revocation in this process: an
//! entry is only kept when nothing was revoked while it was being read, which the epoch tells.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fractal_crypto::TokenHash;
use fractal_types::{ApiTokenId, BrowserSessionId, Timestamp, UserId};
use tokio::sync::broadcast;

use crate::{App, Context};

/// How long another process's revocation may go unnoticed here.
const KEPT: Duration = Duration::from_secs(5);
/// More entries than this are not kept; a flood of tokens must not eat the memory.
const MOST: usize = 10_000;
/// Evidence of refused tokens is written this often per address at most.
const REFUSAL_PAUSE: Duration = Duration::from_secs(60);
/// Listeners that fall this far behind are told so and must assume the worst.
const BACKLOG: usize = 256;

/// What ended. Open streams and turns that belong to it end too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// One signed-in browser.
    Session(BrowserSessionId),
    /// One API token.
    Token(ApiTokenId),
    /// Everything of one person.
    User(UserId),
    /// Nothing yet: what a person may do, or how long a token of theirs lives, has changed. Whoever goes by it looks again.
    Changed(UserId),
}

impl Revoked {
    /// Whether a request of this context may go on no longer.
    #[must_use]
    pub fn concerns(self, cx: &Context) -> bool {
        match self {
            Self::Session(id) => cx.session_id == Some(id),
            Self::Token(id) => cx.token_id == Some(id),
            Self::User(id) => cx.actor.user_id() == Some(id),
            Self::Changed(_) => false,
        }
    }
}

/// Sessions and tokens in memory.
#[derive(Debug)]
pub struct Sessions {
    known: Mutex<HashMap<TokenHash, Known>>,
    epoch: AtomicU64,
    revoked: broadcast::Sender<Revoked>,
    refusals: Mutex<HashMap<IpAddr, Timestamp>>,
}

#[derive(Debug, Clone)]
struct Known {
    context: Context,
    read_at: Timestamp,
    ends_at: Option<Timestamp>,
}

impl Default for Sessions {
    fn default() -> Self {
        Self {
            known: Mutex::default(),
            epoch: AtomicU64::new(0),
            revoked: broadcast::Sender::new(BACKLOG),
            refusals: Mutex::default(),
        }
    }
}

impl Sessions {
    /// Forgets what ended and tells everybody who listens. Call it after the commit.
    pub fn end(&self, what: Revoked) {
        self.forget(|context| what.concerns(context));
        // Nobody may be listening.
        let _ = self.revoked.send(what);
    }

    /// Has the next request of a person, and whatever is open of theirs, read their row again (a new role, a token that ends earlier).
    pub fn refresh(&self, id: UserId) {
        self.forget(|context| context.actor.user_id() == Some(id));
        let _ = self.revoked.send(Revoked::Changed(id));
    }

    fn forget(&self, which: impl Fn(&Context) -> bool) {
        let mut known = self.known();
        // Under the lock, so that `keep` sees either the new epoch or its entry removed.
        self.epoch.fetch_add(1, Ordering::SeqCst);
        known.retain(|_, entry| !which(&entry.context));
    }

    fn known(&self) -> MutexGuard<'_, HashMap<TokenHash, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, hash: TokenHash, now: Timestamp) -> Option<Context> {
        let known = self.known();
        let entry = known.get(&hash)?;
        let fresh = now.since(entry.read_at) <= KEPT && entry.ends_at.is_none_or(|end| now < end);
        fresh.then(|| entry.context.clone())
    }

    /// Ask before reading, and hand it to [`Sessions::keep`] afterwards.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::SeqCst)
    }

    pub(super) fn keep(
        &self,
        epoch: u64,
        hash: TokenHash,
        context: &Context,
        read_at: Timestamp,
        ends_at: Option<Timestamp>,
    ) {
        let mut known = self.known();
        if self.epoch.load(Ordering::SeqCst) != epoch {
            return;
        }
        if known.len() >= MOST {
            known.retain(|_, entry| read_at.since(entry.read_at) <= KEPT);
        }
        if known.len() < MOST {
            known.insert(
                hash,
                Known {
                    context: context.clone(),
                    read_at,
                    ends_at,
                },
            );
        }
    }

    /// Whether a refused token of this address is worth a line in the log now.
    pub(super) fn should_note_refusal(&self, address: IpAddr, now: Timestamp) -> bool {
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Timestamp| now.since(*at) < REFUSAL_PAUSE;
        if refusals.get(&address).is_some_and(recent) {
            return false;
        }
        refusals.retain(|_, at| recent(at));
        if refusals.len() >= MOST {
            return false;
        }
        refusals.insert(address, now);
        true
    }
}

impl App {
    /// Tells what is revoked from now on, so that open streams can end. A listener that lags must end its stream.
    #[must_use]
    pub fn revocations(&self) -> broadcast::Receiver<Revoked> {
        self.sessions.revoked.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use fractal_types::{Actor, OrganizationId};

    use super::*;

    fn context() -> Context {
        let organization_id = OrganizationId::from_uuid(uuid::Uuid::from_u128(1));
        let session_id = Some(BrowserSessionId::from_uuid(uuid::Uuid::from_u128(2)));
        Context {
            session_id,
            ..Context::of(Actor::system(organization_id))
        }
    }

    #[test]
    fn what_was_revoked_while_it_was_read_is_not_kept() {
        let (sessions, context) = (Sessions::default(), context());
        let (hash, now) = (TokenHash::of("x"), Timestamp::from_micros(0));
        let epoch = sessions.epoch();
        sessions.end(Revoked::Session(context.session_id.unwrap()));
        sessions.keep(epoch, hash, &context, now, None);
        assert!(sessions.find(hash, now).is_none());
        sessions.keep(sessions.epoch(), hash, &context, now, None);
        assert!(sessions.find(hash, now).is_some());
    }

    #[test]
    fn an_entry_is_believed_for_five_seconds_and_never_beyond_its_end() {
        let (sessions, context) = (Sessions::default(), context());
        let (hash, now) = (TokenHash::of("x"), Timestamp::from_micros(0));
        sessions.keep(sessions.epoch(), hash, &context, now, None);
        assert!(
            sessions
                .find(hash, now.after(Duration::from_secs(5)))
                .is_some()
        );
        assert!(
            sessions
                .find(hash, now.after(Duration::from_secs(6)))
                .is_none()
        );
        let end = now.after(Duration::from_secs(1));
        sessions.keep(sessions.epoch(), hash, &context, now, Some(end));
        assert!(sessions.find(hash, end).is_none());
    }
}
