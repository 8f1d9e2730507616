//! `kill -9` of the control plane at random moments, on SQLite and on PostgreSQL (design section 10).
//!
//! A change is begun, the server is killed while it is under way, and started again on the same data. Then everything that was
//! acknowledged must be there, exactly once in the log; what was not acknowledged may have happened or not, but not half; every
//! instance reaches its wanted state; no process is left without a live row; and no file is left behind.
//!
//! Then every step of every kind of operation, at which the program kills itself (`rounds/cells.rs`).
//!
//! The moments come from a seed that a failure prints: `CRASH_SEED` repeats it; `CRASH_ROUNDS` makes it longer, and `CRASH_REAL_ROUNDS` does so with
//! the real gateway.

mod ledger;
mod machine;
mod rounds;

use fractal_testing::postgres;

use crate::{machine::peers, rounds::Installation};

/// Rounds per database unless `CRASH_ROUNDS` says otherwise: each kind of change twice.
const ROUNDS: u64 = 18;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The seed: different in every process, so that many runs see many moments.
fn seed() -> u64 {
    number("CRASH_SEED")
        .unwrap_or_else(|| std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), 0_u8))
}

fn survive(database: Option<String>, real: bool, rounds: u64) {
    let Some(peers) = peers() else { return };
    let mut installation = Installation::new(&peers, real, database, seed());
    for round in 0..rounds {
        installation.round(round);
    }
    installation.leave_nothing();
}

#[test]
fn whatever_was_acknowledged_survives_a_kill_on_sqlite() {
    survive(None, false, number("CRASH_ROUNDS").unwrap_or(ROUNDS));
}

#[test]
fn whatever_was_acknowledged_survives_a_kill_on_postgresql() {
    let Some(server) = postgres::server() else {
        return;
    };
    let copy = server.empty();
    survive(
        Some(copy.url.clone()),
        false,
        number("CRASH_ROUNDS").unwrap_or(ROUNDS),
    );
}

/// Cells of the table of steps and faults that are tried unless `CRASH_CELLS` says otherwise.
const CELLS: usize = 20;

/// The program kills itself before or after a step of an operation, going forward or back; which of all, the seed says.
#[test]
fn operations_go_on_after_a_kill_at_a_step() {
    let Some(peers) = peers() else { return };
    let mut installation = Installation::new(&peers, false, None, seed()).with_another_engine();
    let count = number("CRASH_CELLS").and_then(|cells| usize::try_from(cells).ok());
    for cell in installation.some_cells(count.unwrap_or(CELLS)) {
        installation.cell(&cell);
    }
    installation.leave_nothing();
}

/// Kills during a start, a rotation, a turn and a stop of the real gateway, and a power failure.
#[test]
fn a_real_gateway_outlives_the_control_plane_and_is_adopted() {
    survive(None, true, number("CRASH_REAL_ROUNDS").unwrap_or(5));
}

/// One kill, during a start; `CRASH_REAL_ROUNDS` goes on to the others.
#[test]
fn a_real_gateway_is_adopted_on_postgresql() {
    let Some(server) = postgres::server() else {
        return;
    };
    let copy = server.empty();
    survive(
        Some(copy.url.clone()),
        true,
        number("CRASH_REAL_ROUNDS").unwrap_or(1),
    );
}
