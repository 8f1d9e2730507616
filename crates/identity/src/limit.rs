//! The login limit (design section 8): five failed tries in fifteen minutes per address and account.
//!
//! An account alone is limited too, more loosely, against many addresses; an address alone against
//! trying one password on many accounts. The loose bound of an account is what keeps a stranger from
//! locking somebody out with five requests.

use std::{net::IpAddr, time::Duration};

use fractal_connect::network;
use fractal_types::Timestamp;

/// Where failed tries are counted; implemented over the table `login_attempts`.
#[async_trait::async_trait]
pub trait LoginAttempts: Send + Sync {
    /// What goes wrong when counting.
    type Error;

    /// How many tries failed under a key since then.
    async fn count_since(&self, key: &str, since: Timestamp) -> Result<u64, Self::Error>;
}

/// Who tries to sign in as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginSource {
    pair: String,
    address: String,
    account: String,
}

impl LoginSource {
    /// The address as trusted proxies report it, and the account as typed.
    #[must_use]
    pub fn new(address: IpAddr, account: &str) -> Self {
        let address = network(address);
        // What was typed is not trusted: bounded, and in one spelling.
        let account: String = account.trim().to_lowercase().chars().take(64).collect();
        Self {
            pair: format!("both:{address} {account}"),
            address: format!("address:{address}"),
            account: format!("account:{account}"),
        }
    }

    /// The keys a failed try is noted under, all three of them.
    #[must_use]
    pub fn keys(&self) -> [&str; 3] {
        [&self.pair, &self.address, &self.account]
    }

    /// The keys to clear after a success. The address alone is not cleared, or one own account
    /// would buy tries on all the others.
    #[must_use]
    pub fn keys_to_clear(&self) -> [&str; 2] {
        [&self.pair, &self.account]
    }
}

/// How many tries within which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLimit {
    /// The time looked back.
    pub window: Duration,
    /// Failed tries of one address on one account.
    pub pair: u64,
    /// Failed tries of one address on any account.
    pub address: u64,
    /// Failed tries of any address on one account.
    pub account: u64,
}

impl Default for LoginLimit {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(15 * 60),
            pair: 5,
            address: 50,
            account: 100,
        }
    }
}

/// Too many failed tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many failed sign-ins; try again in {} minutes", .retry_after.as_secs().div_ceil(60))]
pub struct TooMany {
    /// When it is worth another try, at the latest.
    pub retry_after: Duration,
}

impl LoginLimit {
    /// Whether another try may be made now. Ask before looking at the password.
    ///
    /// # Errors
    /// The outer error is the counter's, the inner one the refusal.
    pub async fn check<A: LoginAttempts + ?Sized>(
        &self,
        attempts: &A,
        source: &LoginSource,
        now: Timestamp,
    ) -> Result<Result<(), TooMany>, A::Error> {
        let since = now.before(self.window);
        let bounds = [self.pair, self.address, self.account];
        for (key, bound) in source.keys().into_iter().zip(bounds) {
            if attempts.count_since(key, since).await? >= bound {
                let retry_after = self.window;
                return Ok(Err(TooMany { retry_after }));
            }
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Mutex};

    use super::*;

    #[derive(Default)]
    struct Memory(Mutex<Vec<(String, Timestamp)>>);

    impl Memory {
        fn fail(&self, source: &LoginSource, at: Timestamp) {
            let mut tries = self.0.lock().unwrap();
            tries.extend(source.keys().map(|key| (key.to_owned(), at)));
        }
    }

    #[async_trait::async_trait]
    impl LoginAttempts for Memory {
        type Error = Infallible;

        async fn count_since(&self, key: &str, since: Timestamp) -> Result<u64, Infallible> {
            let tries = self.0.lock().unwrap();
            Ok(tries
                .iter()
                .filter(|(k, at)| k == key && *at >= since)
                .count() as u64)
        }
    }

    fn source(address: &str, account: &str) -> LoginSource {
        LoginSource::new(address.parse().unwrap(), account)
    }

    async fn allowed(memory: &Memory, source: &LoginSource, now: Timestamp) -> bool {
        let Ok(outcome) = LoginLimit::default().check(memory, source, now).await;
        outcome.is_ok()
    }

    #[tokio::test]
    async fn the_sixth_try_waits_until_the_window_has_passed() {
        let (memory, ada) = (Memory::default(), source("192.0.2.1", "ada"));
        let start = Timestamp::from_micros(1_000_000_000_000);
        for _ in 0..5 {
            assert!(allowed(&memory, &ada, start).await);
            memory.fail(&ada, start);
        }
        assert!(!allowed(&memory, &ada, start).await);
        assert!(!allowed(&memory, &source("192.0.2.1", " ADA "), start).await);
        assert!(
            allowed(&memory, &source("192.0.2.2", "ada"), start).await,
            "no lock-out from afar"
        );
        assert!(allowed(&memory, &source("192.0.2.1", "bob"), start).await);
        let later = start.after(Duration::from_secs(15 * 60 + 1));
        assert!(allowed(&memory, &ada, later).await);
    }

    #[tokio::test]
    async fn many_accounts_from_one_address_and_many_addresses_on_one_account_end_too() {
        let start = Timestamp::from_micros(1_000_000_000_000);
        let memory = Memory::default();
        for number in 0..50 {
            memory.fail(&source("192.0.2.1", &format!("user{number}")), start);
        }
        assert!(!allowed(&memory, &source("192.0.2.1", "ada"), start).await);
        for number in 0..100 {
            memory.fail(&source(&format!("10.0.0.{number}"), "ada"), start);
        }
        assert!(!allowed(&memory, &source("203.0.113.9", "ada"), start).await);
    }

    #[test]
    fn the_addresses_of_one_household_are_one() {
        assert_eq!(
            source("2001:db8::1", "ada"),
            source("2001:db8::ffff", "ada")
        );
        assert_ne!(
            source("2001:db8:0:1::1", "ada"),
            source("2001:db8::1", "ada")
        );
        assert_eq!(
            source("::ffff:192.0.2.1", "ada"),
            source("192.0.2.1", "ada")
        );
    }
}
