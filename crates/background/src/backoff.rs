//! How long to wait after the n-th failure: doubling, bounded, spread.

use std::time::Duration;

use fractal_clock::{Entropy, random};

/// A doubling wait with an upper bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_secs(1),
            longest: Duration::from_secs(300),
        }
    }
}

impl Backoff {
    /// The wait after `failures` failures in a row (at least one), without spread.
    #[must_use]
    pub fn plain(self, failures: u32) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        self.first
            .saturating_mul(1_u32 << doublings)
            .min(self.longest)
    }

    /// The wait with up to a quarter taken off at random, so that what failed together does not
    /// come back together.
    #[must_use]
    pub fn spread(self, failures: u32, entropy: &dyn Entropy) -> Duration {
        let plain = self.plain(failures);
        let share = f64::from(random::<1>(entropy)[0]) / 255.0;
        plain.mul_f64(1.0 - share / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn waits_double_up_to_their_bound() {
        let backoff = Backoff::default();
        let seconds: Vec<u64> = [0, 1, 2, 3, 9, 10, 1000]
            .map(|failures| backoff.plain(failures).as_secs())
            .into();
        assert_eq!(seconds, [1, 1, 2, 4, 256, 300, 300]);
    }

    proptest! {
        #[test]
        fn a_spread_wait_stays_within_a_quarter_of_the_plain_one(failures: u32, seed: u64) {
            let backoff = Backoff::default();
            let (plain, spread) = (
                backoff.plain(failures),
                backoff.spread(failures, &SeededEntropy::new(seed)),
            );
            prop_assert!(spread <= plain && spread >= plain.mul_f64(0.749));
        }
    }
}
