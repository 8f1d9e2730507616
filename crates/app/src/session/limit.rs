//! The limit on tries (design section 8), without a gap for tries that come at the same time.
//!
//! A try is noted as failed *before* anything is verified, in the transaction that counts, and taken back when it was right. So a
//! thousand requests at once get no more tries than one after the other.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use fractal_api_types::ProblemCode;
use fractal_clock::random;
use fractal_crypto::TokenHash;
use fractal_identity::{LoginAttempts, LoginLimit, LoginSource};
use fractal_store::{Tx, login_attempts};
use fractal_types::Timestamp;

use crate::{App, Error, Result};

/// What is being tried. Each kind is counted by itself.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tries {
    /// A password at the door.
    SignIn,
    /// The present password, by somebody who is signed in.
    Password,
    /// A setup token.
    Setup,
    /// An invitation.
    Invitation,
}

/// A try that was noted as failed until it succeeds.
#[derive(Debug)]
pub(crate) struct Attempt {
    kind: Tries,
    source: LoginSource,
    at: Timestamp,
}

impl Tries {
    const fn prefix(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Password => "password",
            Self::Setup => "setup",
            Self::Invitation => "invitation",
        }
    }

    fn key(self, key: &str) -> String {
        format!("{}:{key}", self.prefix())
    }

    /// Counts and notes a try. `account` is what it is about; it is kept as a hash only, because people type passwords into
    /// the wrong field.
    ///
    /// # Errors
    ///
    /// `too-many-attempts` with the time to wait.
    pub(crate) async fn begin(self, app: &App, address: IpAddr, account: &str) -> Result<Attempt> {
        let source = LoginSource::new(address, &hex(TokenHash::of(account)));
        let now = app.clock.now();
        // Two tries may fall into one microsecond, and taking one back must not take back the other.
        let jitter = u64::from(u32::from_be_bytes(random::<4>(&*app.entropy)) % 1_000_000);
        let at = now.before(Duration::from_micros(jitter));
        let limit = LoginLimit::default();
        app.store
            .tx("login_attempts.begin", async |tx: Tx| {
                let counter = Counter {
                    tx: &tx,
                    kind: self,
                };
                if let Err(many) = limit.check(&counter, &source, now).await? {
                    return Err(too_many(many.retry_after));
                }
                for key in source.keys() {
                    login_attempts::insert(&tx, &self.key(key), at).await?;
                }
                login_attempts::delete_before(&tx, now.before(limit.window * 2)).await?;
                Ok::<_, Error>(())
            })
            .await?;
        Ok(Attempt {
            kind: self,
            source,
            at,
        })
    }
}

impl Attempt {
    /// It was right: earlier failures on the same account are forgiven, those of the address on other accounts are not.
    pub(crate) async fn succeeded(&self, tx: &Tx) -> Result<()> {
        for key in self.source.keys() {
            login_attempts::delete(tx, &self.kind.key(key), self.at).await?;
        }
        for key in self.source.keys_to_clear() {
            login_attempts::clear(tx, &self.kind.key(key)).await?;
        }
        Ok(())
    }
}

impl Attempt {
    /// The same, where nothing else happens in the transaction.
    pub(crate) async fn take_back(&self, app: &App) -> Result<()> {
        let taken = app.store.tx("login_attempts.take_back", async |tx: Tx| {
            self.succeeded(&tx).await
        });
        taken.await
    }
}

fn too_many(wait: Duration) -> Error {
    Error::new(ProblemCode::TooManyAttempts)
        .detail("too many tries failed from here")
        .remedy(format!(
            "wait {} minutes and try again",
            wait.as_secs().div_ceil(60)
        ))
        .retry_after(wait.as_secs())
}

fn hex(hash: TokenHash) -> String {
    // Half of it: the source shortens accounts to 64 characters, and 128 bits are enough to tell them apart.
    hash.as_bytes()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

struct Counter<'a> {
    tx: &'a Tx,
    kind: Tries,
}

#[async_trait]
impl LoginAttempts for Counter<'_> {
    type Error = fractal_store::Error;

    async fn count_since(&self, key: &str, since: Timestamp) -> fractal_store::Result<u64> {
        login_attempts::count_since(self.tx, &self.kind.key(key), since).await
    }
}
