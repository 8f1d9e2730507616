//! How many sign-ins one address begins. In memory: after a restart everybody begins anew, which costs nothing worth a table.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fractal_api_types::ProblemCode;
use fractal_identity::network;
use fractal_types::Timestamp;

use crate::{Error, Result};

/// A person clicks a few times; an office behind one address signs in within the first minutes of a day.
const MOST: u32 = 60;
const WINDOW: Duration = Duration::from_secs(60);
/// More addresses than this are not told apart.
const MOST_ADDRESSES: usize = 10_000;

/// What each address began in its present minute.
#[derive(Debug, Default)]
pub(super) struct Starts(Mutex<HashMap<IpAddr, (Timestamp, u32)>>);

impl Starts {
    /// Counts one.
    ///
    /// # Errors
    ///
    /// `too-many-attempts` with the time to wait.
    pub(super) fn note(&self, address: IpAddr, now: Timestamp) -> Result<()> {
        let mut starts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let address = network(address);
        if starts.len() >= MOST_ADDRESSES && !starts.contains_key(&address) {
            starts.retain(|_, (since, _)| now.since(*since) < WINDOW);
            if starts.len() >= MOST_ADDRESSES {
                return Err(too_many(WINDOW));
            }
        }
        let (since, count) = starts.entry(address).or_insert((now, 0));
        if now.since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        if *count >= MOST {
            return Err(too_many(WINDOW.saturating_sub(now.since(*since))));
        }
        *count += 1;
        Ok(())
    }
}

fn too_many(wait: Duration) -> Error {
    let seconds = wait.as_secs().max(1);
    Error::new(ProblemCode::TooManyAttempts)
        .detail("too many sign-ins were begun from here")
        .remedy(format!("wait {seconds} seconds and try again"))
        .retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_begins_so_many_in_a_minute_and_others_are_not_held_up() {
        let (starts, now) = (Starts::default(), Timestamp::from_micros(0));
        let [one, same_network, other] =
            ["2001:db8::1", "2001:db8::2", "192.0.2.1"].map(|text| text.parse().unwrap());
        for _ in 0..MOST {
            starts.note(one, now).unwrap();
        }
        let error = starts.note(same_network, now).unwrap_err();
        assert_eq!(
            (error.code, error.retry_after_s),
            (ProblemCode::TooManyAttempts, Some(60))
        );
        starts.note(other, now).unwrap();
        starts.note(one, now.after(WINDOW)).unwrap();
    }

    #[test]
    fn a_flood_of_addresses_does_not_eat_the_memory() {
        let (starts, now) = (Starts::default(), Timestamp::from_micros(0));
        let address = |n: usize| IpAddr::from((n as u32).to_be_bytes());
        for n in 0..MOST_ADDRESSES {
            starts.note(address(n), now).unwrap();
        }
        assert!(starts.note(address(MOST_ADDRESSES), now).is_err());
        starts
            .note(address(MOST_ADDRESSES), now.after(WINDOW))
            .unwrap();
        assert_eq!(starts.0.lock().unwrap().len(), 1);
    }
}
