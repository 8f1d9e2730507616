//! What a seed decides.

use std::time::Duration;

use fractal_clock::{SeededEntropy, random};

/// The draws of one seed, one after the other.
#[derive(Debug)]
pub struct Chance(SeededEntropy);

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(SeededEntropy::new(seed))
    }

    /// A number below this one, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let drawn = u64::from_be_bytes(random::<8>(&self.0));
        usize::try_from(drawn % bound as u64).expect("it is below a usize")
    }

    /// Whether it happens, which it does so many times out of a thousand.
    pub fn happens(&mut self, permille: usize) -> bool {
        self.below(1_000) < permille
    }

    /// From this many milliseconds to fewer than that many.
    pub fn millis(&mut self, from: u64, to: u64) -> Duration {
        let span = usize::try_from(to - from).expect("it is small");
        Duration::from_millis(from + self.below(span) as u64)
    }

    /// One of them.
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}
