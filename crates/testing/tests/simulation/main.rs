//! The control plane under a seed: real use cases, worker, executor, reconciler and sealer over a real database, with machines, time and chance
//! of the simulation. What it does and cannot find: `docs/simulation.md`.
//!
//! `SIM_SEEDS` sets how many seeds, `SIM_FIRST` the first of them; `SIM_SEED=7 cargo test --workspace --test simulation -- one_seed` repeats one.

mod acts;
mod beside;
mod broken;
mod chance;
mod export;
mod faults;
mod invariants;
mod plane;
mod ports;
mod stage;
mod template;
mod time;
mod world;

use std::sync::{
    Mutex, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use broken::Broken;
use template::Template;
use world::{Outcome, run};

/// How many seeds run where nobody says.
const SEEDS: u64 = 1_000;

/// How many lines of a trace are shown of a seed that fails.
const SHOWN: usize = 400;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn template() -> &'static Template {
    static TEMPLATE: OnceLock<Template> = OnceLock::new();
    TEMPLATE.get_or_init(Template::build)
}

/// What to read and do about a seed that fails.
fn report(outcome: &Outcome) -> String {
    let skipped = outcome.trace.len().saturating_sub(SHOWN);
    let lines = outcome.trace[skipped..].join("\n");
    let (seed, broken) = (outcome.seed, outcome.broken.join("\n"));
    format!(
        "{lines}\n\nseed {seed}: {broken}\n\nrepeat it: SIM_SEED={seed} cargo test --workspace --test simulation -- one_seed\n"
    )
}

/// Runs so many seeds, on two threads that share nothing but the installation they begin with; what came of those that fail.
fn failing(first: u64, seeds: u64) -> Vec<Outcome> {
    let next = AtomicU64::new(first);
    let failed = Mutex::new(Vec::new());
    let template = template();
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                return;
            }
            let outcome = run(seed, template, None);
            if !outcome.broken.is_empty() {
                println!("seed {seed}: {}", outcome.broken.join("; "));
                failed.lock().expect("no panic").push(outcome);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let mut failed = failed.into_inner().expect("no panic");
    failed.sort_by_key(|outcome| outcome.seed);
    failed
}

#[test]
fn many_seeds_break_no_promise() {
    let first = number("SIM_FIRST").unwrap_or(1);
    let seeds = number("SIM_SEEDS").unwrap_or(SEEDS);
    let failed = failing(first, seeds);
    if let Some(worst) = failed.first() {
        panic!("{}{} of {seeds} seeds fail", report(worst), failed.len());
    }
}

#[test]
fn one_seed() {
    let seed = number("SIM_SEED");
    let outcome = run(seed.unwrap_or(1), template(), None);
    if seed.is_some() {
        println!("{}", outcome.trace.join("\n"));
    }
    assert!(outcome.broken.is_empty(), "{}", report(&outcome));
}

#[test]
fn a_seed_gives_the_same_run_to_the_last_step() {
    for seed in 1..=5 {
        let (one, other) = (run(seed, template(), None), run(seed, template(), None));
        let differs = one
            .trace
            .iter()
            .zip(&other.trace)
            .position(|(one, other)| one != other);
        if let Some(line) = differs {
            panic!(
                "seed {seed} differs in line {line}:\n{}\n{}",
                one.trace[line], other.trace[line]
            );
        }
        assert_eq!(one.hash, other.hash, "seed {seed}");
    }
}

#[test]
fn what_is_broken_on_purpose_is_found_and_named() {
    for (broken, words) in [
        (Broken::Fences, "had acted"),
        (Broken::Removal, "is deleted, and is on a machine yet"),
        (Broken::Outcome, "it never settles: operation"),
        (Broken::Journal, "and the log has []"),
        (Broken::Entry, "is due"),
    ] {
        let found = (1..=300).find_map(|seed| {
            let outcome = run(seed, template(), Some(broken));
            let told = report(&outcome);
            (!outcome.broken.is_empty()).then_some((seed, told))
        });
        let (seed, told) = found.unwrap_or_else(|| panic!("nobody notices {broken:?}"));
        println!("{broken:?} is found by seed {seed}");
        assert!(told.contains(words), "{broken:?}: {told}");
        assert!(told.contains(&format!("SIM_SEED={seed} ")), "{told}");
    }
}
