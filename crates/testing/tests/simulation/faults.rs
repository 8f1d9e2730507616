//! What goes wrong in one run, and how often.

use std::time::Duration;

use crate::chance::Chance;

/// How often, in a thousand, at every occasion.
#[derive(Debug, Clone, Copy)]
pub struct Faults {
    /// A process dies where it stands.
    pub dies: usize,
    /// A process stands still for longer than its leases.
    pub stalls: usize,
    /// The database cannot be reached.
    pub database_away: usize,
    /// It is written, but the answer is lost.
    pub database_answer_lost: usize,
    /// A transaction is taken back at its end, and runs again.
    pub collides: usize,
    /// A port refuses, before it does anything.
    pub port_refuses: usize,
    /// A port does what it is asked, but the answer is lost.
    pub port_answer_lost: usize,
    /// A port takes long.
    pub port_slow: usize,
    /// A job is delivered once more than it should be.
    pub delivered_twice: usize,
    /// How many processes die at most, and how many stand still.
    pub deaths: usize,
}

impl Faults {
    /// Some seeds have much of one, some a little of everything, some nothing at all.
    pub fn draw(chance: &mut Chance) -> Self {
        let mut often = |levels: &[usize]| chance.pick(levels);
        Self {
            dies: often(&[0, 2, 5, 15]),
            stalls: often(&[0, 0, 2, 6]),
            database_away: often(&[0, 0, 5, 30]),
            database_answer_lost: often(&[0, 0, 5, 30]),
            collides: often(&[0, 10, 50]),
            port_refuses: often(&[0, 0, 20, 80]),
            port_answer_lost: often(&[0, 0, 20, 80]),
            port_slow: often(&[0, 20, 80]),
            delivered_twice: often(&[0, 20, 150]),
            deaths: often(&[1, 2, 4]),
        }
    }
}

/// How long a slow port takes.
pub fn slowness(chance: &mut Chance) -> Duration {
    match chance.below(6) {
        0 => chance.millis(20_000, 60_000),
        _ => chance.millis(200, 5_000),
    }
}
