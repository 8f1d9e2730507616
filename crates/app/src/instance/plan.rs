//! What to do next for one instance: a pure function from facts to one step.
//!
//! The reconciler gathers the facts, asks [`next_step`], carries the step out and comes back. All
//! judgement about life cycle is here, without I/O, so that it can be read and tested as a table.

use std::time::Duration;

use fractal_runtime::contract::{Exit, ProcessState};
use fractal_types::{DiskPressure, Generation, SeenState, Timestamp, WantedState};

/// Unasked ends in a row after which an instance is left alone until a person looks at it.
pub const CRASH_LOOP_AFTER: u32 = 5;

/// A gateway that ran this long before it ended counts as having been well: the count starts anew.
pub const WELL_AFTER: Duration = Duration::from_secs(600);

/// Exit code of OpenClaw for a configuration-class failure (`openclaw.md` section 1).
pub const EXIT_CONFIGURATION: i32 = 78;

/// How long a start may take until the gateway must have answered a turn.
pub const START_BUDGET: Duration = Duration::from_secs(180);

/// Everything the judgement rests on.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What is wanted.
    pub wanted: WantedState,
    /// What was last written down as seen.
    pub seen: SeenState,
    /// The generation of the wanted state. A running process of an earlier one is ended first, so a restart is
    /// nothing but a new generation.
    pub generation: Generation,
    /// What the runtime sees.
    pub process: ProcessState,
    /// The generation the process was started with.
    pub process_generation: Generation,
    /// Whether the end that the runtime reports was already counted.
    pub end_counted: bool,
    /// Unasked ends in a row.
    pub failures: u32,
    /// Before this, no new start.
    pub next_attempt_at: Option<Timestamp>,
    /// Whether an engine is there to start.
    pub engine_ready: bool,
    /// Why the last start or run failed, as far as it is known.
    pub last_failure: Option<String>,
    /// The control connection.
    pub link: Link,
    /// For how long we have been looking at a running process that is not connected and proven. What happened before
    /// this control plane was there to look does not count.
    pub unproven_for: Duration,
    /// After a failed proof: not before then is it tried again.
    pub next_proof_at: Option<Timestamp>,
    /// Whether the proof is written down.
    pub proof_noted: bool,
    /// Whether the running configuration is the rendered one.
    pub config_current: bool,
    /// What its files take, and may take.
    pub disk: Disk,
    /// Whether a turn is on its way.
    pub busy: bool,
    /// The time.
    pub now: Timestamp,
}

/// What an instance's files take, and may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Disk {
    /// Bytes, as last measured; `None` before the first measurement of a run.
    pub taken: Option<u64>,
    /// Bytes allowed; `None` is no limit.
    pub limit: Option<u64>,
    /// How near it was when that was last noted.
    pub noted: DiskPressure,
}

impl Disk {
    /// How near it is now. What was noted is left only when there is clearly more room again, so that a size that moves around
    /// a mark is told once.
    #[must_use]
    pub fn pressure(&self) -> DiskPressure {
        let (Some(taken), Some(limit)) = (self.taken, self.limit) else {
            return if self.limit.is_none() {
                DiskPressure::Ok
            } else {
                self.noted
            };
        };
        let reaches =
            |percent: u64| u128::from(taken) * 100 >= u128::from(limit) * u128::from(percent);
        match self.noted {
            _ if reaches(FULL_AT) => DiskPressure::Full,
            DiskPressure::Full if reaches(FULL_UNTIL) => DiskPressure::Full,
            DiskPressure::Ok if reaches(NEAR_AT) => DiskPressure::Near,
            DiskPressure::Near | DiskPressure::Full if reaches(NEAR_UNTIL) => DiskPressure::Near,
            _ => DiskPressure::Ok,
        }
    }

    /// Whether it takes even more than what somebody who cleans up is given.
    fn is_beyond(&self) -> bool {
        matches!((self.taken, self.limit), (Some(taken), Some(limit))
            if u128::from(taken) * 100 >= u128::from(limit) * u128::from(BEYOND))
    }
}

/// At so many percent of its limit an instance's disk use is told.
const NEAR_AT: u64 = 90;

/// Below so many percent it is told no longer.
const NEAR_UNTIL: u64 = 85;

/// At so many percent an instance is stopped.
const FULL_AT: u64 = 100;

/// Below so many percent it may reach the limit, and be stopped, anew.
const FULL_UNTIL: u64 = 95;

/// Whoever starts a full instance again, to have it delete files, gets this far; beyond it is stopped whatever it does.
const BEYOND: u64 = 110;

/// The control connection to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// No connection is kept, or one to an earlier boot, or it was refused for good.
    Down,
    /// A connection is being made; it tries again by itself.
    Connecting,
    /// It was proven, and is being connected again.
    Lost,
    /// Connected; no turn has proven the present wires and models yet.
    Unproven,
    /// A proving turn is on its way.
    Proving,
    /// The proving turn failed.
    ProofFailed,
    /// A real turn came back.
    Proven,
}

/// One bounded step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Wanted and seen agree.
    Rest,
    /// Come back at this time.
    WaitUntil(Timestamp),
    /// The engine is being installed; it will signal.
    AwaitEngine,
    /// Take a start slot and launch.
    Start,
    /// Make the control connection.
    Connect,
    /// Prove by a turn.
    Prove,
    /// Wait for the connection or the proving turn.
    AwaitProof,
    /// Write down that it answers.
    NoteReady,
    /// Change the live configuration.
    Configure,
    /// Ask it to end; then start again if that is wanted.
    Stop,
    /// Write down how near its files are to their limit.
    NoteDisk(DiskPressure),
    /// Want it stopped, because its files have reached their limit.
    StopForDisk,
    /// Forget it, with its files or not.
    Remove,
    /// Write down that it ended unasked.
    CountEnd(Exit, Timestamp),
    /// Write down that it is down.
    NoteStopped,
    /// Leave it alone until a person looks at it.
    GiveUp(SeenState, String),
    /// It did not answer in time: end it, and count that.
    Abandon(String),
}

/// How long to wait before the n-th start in a row (1-based): 1, 2, 4, 8, 16, at most 60 seconds.
#[must_use]
pub fn backoff(failures: u32) -> Duration {
    Duration::from_secs((1_u64 << failures.saturating_sub(1).min(6)).min(60))
}

/// The next step for these facts.
#[must_use]
pub fn next_step(facts: &Facts) -> Step {
    match facts.wanted {
        WantedState::Deleted => Step::Remove,
        // No runtime of this release freezes; until one does, frozen means asleep.
        WantedState::Stopped | WantedState::Frozen => toward_stopped(facts),
        WantedState::Running => toward_running(facts),
    }
}

fn toward_stopped(facts: &Facts) -> Step {
    match &facts.process {
        ProcessState::Running { .. } | ProcessState::Stopping { .. } => Step::Stop,
        ProcessState::Absent | ProcessState::Exited { .. } => match facts.seen {
            SeenState::Stopped | SeenState::CrashLooping | SeenState::Failed => Step::Rest,
            _ => Step::NoteStopped,
        },
    }
}

fn toward_running(facts: &Facts) -> Step {
    match &facts.process {
        ProcessState::Running { .. } => {
            if facts.process_generation < facts.generation {
                return Step::Stop;
            }
            crowded(facts).unwrap_or_else(|| live(facts))
        }
        ProcessState::Stopping { .. } => Step::Stop,
        ProcessState::Exited { exit, at, .. } if !exit.asked && !facts.end_counted => {
            Step::CountEnd(exit.clone(), *at)
        }
        ProcessState::Exited { exit, .. } => start(facts, Some(exit)),
        ProcessState::Absent => start(facts, None),
    }
}

/// What its disk use asks for, if anything.
fn crowded(facts: &Facts) -> Option<Step> {
    let pressure = facts.disk.pressure();
    let (full, before) = (pressure == DiskPressure::Full, facts.disk.noted);
    if full && facts.disk.is_beyond() {
        return Some(Step::StopForDisk);
    }
    if full && before != DiskPressure::Full {
        // A turn that is on its way may end first; it was told before, and goes no further than "beyond".
        return if facts.busy && before == DiskPressure::Ok {
            Some(Step::NoteDisk(DiskPressure::Near))
        } else {
            (!facts.busy).then_some(Step::StopForDisk)
        };
    }
    (pressure != before).then_some(Step::NoteDisk(pressure))
}

fn live(facts: &Facts) -> Step {
    let late = facts.unproven_for > START_BUDGET;
    match facts.link {
        // It ends by itself, within its own time limit.
        Link::Proving => Step::AwaitProof,
        // Written down before anything else is done to it: people wait for that.
        Link::Proven if !facts.proof_noted => Step::NoteReady,
        Link::Proven if !facts.config_current => Step::Configure,
        Link::Proven => Step::Rest,
        Link::Unproven | Link::ProofFailed if late => {
            Step::Abandon("its gateway runs but could not complete a test turn".into())
        }
        Link::Down | Link::Connecting | Link::Lost if late => {
            Step::Abandon("its gateway did not answer within three minutes".into())
        }
        Link::Down => Step::Connect,
        Link::Connecting | Link::Lost => Step::AwaitProof,
        Link::Unproven => Step::Prove,
        Link::ProofFailed => match facts.next_proof_at {
            Some(at) if at > facts.now => Step::WaitUntil(at),
            _ => Step::Prove,
        },
    }
}

fn start(facts: &Facts, last: Option<&Exit>) -> Step {
    if facts.failures >= CRASH_LOOP_AFTER {
        // The last failure may have been a start that was refused, after the last end.
        let cause = (facts.last_failure.clone())
            .or_else(|| last.map(|exit| exit.reason.clone()))
            .unwrap_or_else(|| "it ended again and again".into());
        return Step::GiveUp(
            SeenState::CrashLooping,
            format!(
                "it ended {} times in a row and was not started again. Last cause: {cause}",
                facts.failures
            ),
        );
    }
    // A configuration-class failure is tried once more, because a repaired document may pass, and then left alone.
    if let Some(exit) = last
        && exit.code == Some(EXIT_CONFIGURATION)
        && facts.failures >= 2
    {
        return Step::GiveUp(
            SeenState::Failed,
            format!("its configuration is refused: {}", exit.reason),
        );
    }
    if !facts.engine_ready {
        return Step::AwaitEngine;
    }
    match facts.next_attempt_at {
        Some(at) if at > facts.now => Step::WaitUntil(at),
        _ => Step::Start,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            wanted: WantedState::Running,
            seen: SeenState::Stopped,
            generation: Generation(3),
            process: ProcessState::Absent,
            process_generation: Generation(3),
            end_counted: false,
            failures: 0,
            next_attempt_at: None,
            engine_ready: true,
            last_failure: None,
            link: Link::Down,
            unproven_for: Duration::ZERO,
            next_proof_at: None,
            proof_noted: false,
            config_current: true,
            disk: Disk::default(),
            busy: false,
            now: Timestamp::from_micros(1_000_000_000),
        }
    }

    fn running(facts: &Facts) -> ProcessState {
        ProcessState::Running {
            boot: 1,
            pid: None,
            since: facts.now,
        }
    }

    fn exit(code: i32, asked: bool) -> Exit {
        Exit {
            code: Some(code),
            signal: None,
            asked,
            out_of_memory: false,
            reason: "it said no".into(),
        }
    }

    fn exited(code: i32, asked: bool) -> ProcessState {
        ProcessState::Exited {
            boot: 4,
            exit: exit(code, asked),
            at: Timestamp::from_micros(1),
        }
    }

    #[test]
    fn a_wanted_instance_is_started_connected_proven_and_left_alone() {
        let mut facts = facts();
        assert_eq!(next_step(&facts), Step::Start);
        facts.process = running(&facts);
        assert_eq!(next_step(&facts), Step::Connect);
        facts.link = Link::Connecting;
        assert_eq!(next_step(&facts), Step::AwaitProof);
        facts.link = Link::Unproven;
        assert_eq!(next_step(&facts), Step::Prove);
        facts.link = Link::Proving;
        assert_eq!(next_step(&facts), Step::AwaitProof);
        facts.link = Link::Proven;
        assert_eq!(next_step(&facts), Step::NoteReady);
        facts.proof_noted = true;
        facts.seen = SeenState::Ready;
        assert_eq!(next_step(&facts), Step::Rest);
    }

    #[test]
    fn an_unwanted_instance_is_never_started() {
        for wanted in [
            WantedState::Stopped,
            WantedState::Frozen,
            WantedState::Deleted,
        ] {
            for process in [ProcessState::Absent, exited(1, false), exited(0, true)] {
                let facts = Facts {
                    wanted,
                    process,
                    ..facts()
                };
                assert_ne!(next_step(&facts), Step::Start, "{wanted}");
            }
        }
    }

    #[test]
    fn nothing_is_started_before_the_engine_is_there() {
        assert_eq!(
            next_step(&Facts {
                engine_ready: false,
                ..facts()
            }),
            Step::AwaitEngine
        );
    }

    #[test]
    fn an_unasked_end_is_counted_once_and_then_started_again_after_a_pause() {
        let mut facts = Facts {
            process: exited(1, false),
            ..facts()
        };
        assert_eq!(
            next_step(&facts),
            Step::CountEnd(exit(1, false), Timestamp::from_micros(1))
        );
        facts.end_counted = true;
        facts.failures = 1;
        facts.next_attempt_at = Some(facts.now.after(backoff(1)));
        assert!(matches!(next_step(&facts), Step::WaitUntil(_)));
        facts.now = facts.now.after(backoff(1));
        assert_eq!(next_step(&facts), Step::Start);
    }

    #[test]
    fn an_asked_end_is_not_counted() {
        assert_eq!(
            next_step(&Facts {
                process: exited(0, true),
                ..facts()
            }),
            Step::Start
        );
    }

    #[test]
    fn too_many_ends_stop_the_loop_with_the_last_cause() {
        let facts = Facts {
            process: exited(1, false),
            end_counted: true,
            failures: CRASH_LOOP_AFTER,
            ..facts()
        };
        let Step::GiveUp(SeenState::CrashLooping, reason) = next_step(&facts) else {
            panic!("must give up")
        };
        assert!(reason.contains("it said no"), "{reason}");
    }

    #[test]
    fn a_refused_configuration_is_tried_twice_only() {
        let mut facts = Facts {
            process: exited(EXIT_CONFIGURATION, false),
            end_counted: true,
            failures: 1,
            ..facts()
        };
        assert_eq!(next_step(&facts), Step::Start);
        facts.failures = 2;
        assert!(matches!(
            next_step(&facts),
            Step::GiveUp(SeenState::Failed, _)
        ));
    }

    #[test]
    fn a_restart_stops_the_older_process_first() {
        let mut facts = facts();
        facts.process = running(&facts);
        facts.generation = Generation(4);
        assert_eq!(next_step(&facts), Step::Stop);
    }

    #[test]
    fn a_gateway_that_does_not_answer_is_abandoned_whatever_keeps_it() {
        let mut facts = facts();
        facts.process = running(&facts);
        for link in [
            Link::Down,
            Link::Connecting,
            Link::Lost,
            Link::Unproven,
            Link::ProofFailed,
        ] {
            facts.link = link;
            facts.unproven_for = START_BUDGET;
            assert!(
                !matches!(next_step(&facts), Step::Abandon(_)),
                "{link:?} in time"
            );
            facts.unproven_for = START_BUDGET + Duration::from_secs(1);
            assert!(
                matches!(next_step(&facts), Step::Abandon(_)),
                "{link:?} late"
            );
        }
    }

    #[test]
    fn a_failed_proof_is_tried_again_after_a_pause() {
        let mut facts = facts();
        facts.process = running(&facts);
        facts.link = Link::ProofFailed;
        let then = facts.now.after(Duration::from_secs(2));
        facts.next_proof_at = Some(then);
        assert_eq!(next_step(&facts), Step::WaitUntil(then));
        facts.now = then;
        assert_eq!(next_step(&facts), Step::Prove);
    }

    #[test]
    fn a_changed_configuration_is_applied_only_to_a_proven_gateway_that_is_known_to_be_ready() {
        let mut facts = facts();
        facts.process = running(&facts);
        facts.config_current = false;
        facts.link = Link::Unproven;
        assert_eq!(next_step(&facts), Step::Prove);
        facts.link = Link::Proven;
        assert_eq!(next_step(&facts), Step::NoteReady);
        facts.proof_noted = true;
        assert_eq!(next_step(&facts), Step::Configure);
    }

    /// Each of these steps in a row, with the size in percent of the limit.
    fn crowd(facts: &mut Facts, sizes: &[(u64, Step)]) {
        for (percent, wanted) in sizes {
            facts.disk.taken = Some(*percent);
            let step = next_step(facts);
            assert_eq!(&step, wanted, "at {percent}, noted {}", facts.disk.noted);
            match step {
                Step::NoteDisk(pressure) => facts.disk.noted = pressure,
                Step::StopForDisk => facts.disk.noted = DiskPressure::Full,
                _ => {}
            }
        }
    }

    fn well() -> Facts {
        let mut facts = facts();
        facts.process = running(&facts);
        facts.link = Link::Proven;
        facts.proof_noted = true;
        facts.seen = SeenState::Ready;
        facts.disk.limit = Some(100);
        facts
    }

    #[test]
    fn growing_files_are_told_once_and_stop_the_instance_at_the_limit() {
        let near = Step::NoteDisk(DiskPressure::Near);
        crowd(
            &mut well(),
            &[
                (89, Step::Rest),
                (90, near.clone()),
                (91, Step::Rest),
                (89, Step::Rest),
                (85, Step::Rest),
                (84, Step::NoteDisk(DiskPressure::Ok)),
                (89, Step::Rest),
                (90, near),
                (99, Step::Rest),
                (100, Step::StopForDisk),
            ],
        );
        let mut sudden = well();
        crowd(&mut sudden, &[(50, Step::Rest), (200, Step::StopForDisk)]);
    }

    #[test]
    fn a_full_one_that_a_person_starts_again_has_room_to_clean_up_and_no_more() {
        let mut facts = well();
        facts.disk.noted = DiskPressure::Full;
        crowd(
            &mut facts,
            &[
                (104, Step::Rest),
                (109, Step::Rest),
                (110, Step::StopForDisk),
                (109, Step::Rest),
                (96, Step::Rest),
                (94, Step::NoteDisk(DiskPressure::Near)),
                (99, Step::Rest),
                (100, Step::StopForDisk),
            ],
        );
    }

    #[test]
    fn a_running_turn_may_end_before_its_instance_is_stopped_unless_it_goes_far_beyond() {
        let mut facts = well();
        facts.busy = true;
        crowd(
            &mut facts,
            &[
                (101, Step::NoteDisk(DiskPressure::Near)),
                (105, Step::Rest),
                (110, Step::StopForDisk),
            ],
        );
        facts.disk.noted = DiskPressure::Near;
        facts.busy = false;
        crowd(&mut facts, &[(101, Step::StopForDisk)]);
    }

    #[test]
    fn a_raised_limit_and_no_limit_end_the_pressure_and_an_unknown_size_changes_nothing() {
        let mut facts = well();
        facts.disk.noted = DiskPressure::Full;
        facts.disk.taken = None;
        assert_eq!(next_step(&facts), Step::Rest);
        facts.disk.taken = Some(100);
        facts.disk.limit = Some(200);
        assert_eq!(next_step(&facts), Step::NoteDisk(DiskPressure::Ok));
        facts.disk.limit = None;
        facts.disk.taken = Some(u64::MAX);
        assert_eq!(next_step(&facts), Step::NoteDisk(DiskPressure::Ok));
        facts.disk.noted = DiskPressure::Ok;
        facts.disk.limit = Some(u64::MAX);
        assert_eq!(next_step(&facts), Step::StopForDisk, "no overflow");
    }

    #[test]
    fn pauses_grow_and_are_bounded() {
        let pauses: Vec<u64> = (1..=8).map(|n| backoff(n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }

    /// An instance, its runtime and its person, moved by a seed.
    struct World {
        facts: Facts,
        entropy: fractal_clock::SeededEntropy,
        boot: u64,
        unproven_since: Timestamp,
        gone: bool,
        calm: bool,
    }

    impl World {
        fn new(seed: u64) -> Self {
            let mut facts = facts();
            facts.disk.limit = Some(100);
            Self {
                unproven_since: facts.now,
                facts,
                entropy: fractal_clock::SeededEntropy::new(seed),
                boot: 0,
                gone: false,
                calm: false,
            }
        }

        /// Whether something that happens once in `n` times happens now; no mishap does when all is calm.
        fn one_in(&self, n: u8) -> bool {
            !self.calm && fractal_clock::random::<1>(&self.entropy)[0].is_multiple_of(n)
        }

        fn runs(&self) -> bool {
            matches!(self.facts.process, ProcessState::Running { .. })
        }

        fn count_failure(&mut self) {
            self.facts.failures += 1;
            self.facts.next_attempt_at = Some(self.facts.now.after(backoff(self.facts.failures)));
            self.facts.seen = SeenState::Pending;
        }

        fn end(&mut self, asked: bool, code: i32) {
            if self.runs() {
                self.facts.process = ProcessState::Exited {
                    boot: self.boot,
                    exit: exit(code, asked),
                    at: self.facts.now,
                };
                self.facts.end_counted = false;
                self.facts.link = Link::Down;
                self.facts.proof_noted = false;
            }
        }

        /// A second passes, in which people wish and processes break.
        fn pass(&mut self) {
            self.facts.now = self.facts.now.after(Duration::from_secs(1));
            if self.one_in(40) {
                let wishes = [
                    WantedState::Running,
                    WantedState::Running,
                    WantedState::Stopped,
                ];
                let wish = wishes[usize::from(fractal_clock::random::<1>(&self.entropy)[0]) % 3];
                self.wish(wish);
            }
            if self.one_in(30) {
                let code = if self.one_in(3) {
                    EXIT_CONFIGURATION
                } else {
                    1
                };
                self.end(false, code);
            }
            if self.one_in(25) {
                self.facts.config_current = false;
            }
            let size = self.facts.disk.taken.unwrap_or(80);
            // Whoever is calm tidies up.
            self.facts.disk.taken = Some(if self.calm {
                80
            } else if self.one_in(3) {
                (size + 3).min(115)
            } else {
                size.saturating_sub(1)
            });
            self.facts.busy = self.one_in(4);
            self.facts.link = match self.facts.link {
                Link::Connecting if !self.one_in(3) => Link::Unproven,
                Link::Proving if self.one_in(3) => {
                    self.facts.next_proof_at = Some(self.facts.now.after(Duration::from_secs(2)));
                    Link::ProofFailed
                }
                Link::Proving => Link::Proven,
                Link::Proven if self.one_in(20) => Link::Lost,
                Link::Lost if !self.one_in(3) => Link::Proven,
                same => same,
            };
            if !self.runs() || self.facts.link == Link::Proven {
                self.unproven_since = self.facts.now;
            }
            self.facts.unproven_for = self.facts.now.since(self.unproven_since);
        }

        fn wish(&mut self, wanted: WantedState) {
            let given_up = matches!(self.facts.seen, SeenState::CrashLooping | SeenState::Failed);
            if wanted != self.facts.wanted || given_up {
                self.facts.generation = self.facts.generation.next();
                self.facts.failures = 0;
                self.facts.next_attempt_at = None;
                if wanted == WantedState::Running && !self.facts.seen.has_process() {
                    self.facts.seen = SeenState::Pending;
                }
            }
            self.facts.wanted = wanted;
        }

        fn carry_out(&mut self, step: Step) {
            match step {
                Step::Rest | Step::WaitUntil(_) | Step::AwaitEngine | Step::AwaitProof => {}
                Step::Start => {
                    assert!(!self.runs(), "started while it runs");
                    assert_eq!(self.facts.wanted, WantedState::Running);
                    self.facts.seen = SeenState::Starting;
                    if self.one_in(5) {
                        self.count_failure();
                    } else {
                        self.boot += 1;
                        self.facts.process = ProcessState::Running {
                            boot: self.boot,
                            pid: None,
                            since: self.facts.now,
                        };
                        self.facts.process_generation = self.facts.generation;
                    }
                }
                Step::Connect => self.facts.link = Link::Connecting,
                Step::Prove => self.facts.link = Link::Proving,
                Step::NoteReady => {
                    assert!(self.runs());
                    self.facts.seen = SeenState::Ready;
                    self.facts.proof_noted = true;
                }
                Step::Configure => self.facts.config_current = true,
                Step::NoteDisk(pressure) => {
                    assert_ne!(pressure, self.facts.disk.noted, "noted twice");
                    self.facts.disk.noted = pressure;
                }
                Step::StopForDisk => {
                    assert!(self.facts.disk.taken >= self.facts.disk.limit);
                    self.facts.disk.noted = DiskPressure::Full;
                    self.wish(WantedState::Stopped);
                }
                Step::Stop => {
                    self.facts.seen = SeenState::Stopping;
                    self.end(true, 0);
                }
                Step::Abandon(_) => {
                    self.end(true, 0);
                    self.count_failure();
                }
                Step::Remove => {
                    self.end(true, 0);
                    self.gone = true;
                }
                Step::CountEnd(..) => {
                    assert!(!self.facts.end_counted, "counted twice");
                    self.facts.end_counted = true;
                    self.count_failure();
                }
                Step::NoteStopped => self.facts.seen = SeenState::Stopped,
                Step::GiveUp(seen, _) => self.facts.seen = seen,
            }
        }

        fn is_as_wanted(&self) -> bool {
            let given_up = matches!(self.facts.seen, SeenState::CrashLooping | SeenState::Failed);
            match self.facts.wanted {
                WantedState::Deleted => self.gone,
                WantedState::Running => {
                    given_up && !self.runs()
                        || self.runs()
                            && self.facts.seen == SeenState::Ready
                            && self.facts.config_current
                }
                _ => !self.runs() && !self.facts.seen.has_process(),
            }
        }
    }

    #[test]
    fn whatever_happens_it_never_starts_twice_and_becomes_what_is_wanted_once_all_is_calm() {
        for seed in 0..500 {
            let mut world = World::new(seed);
            for _ in 0..400 {
                world.pass();
                let step = next_step(&world.facts);
                world.carry_out(step);
            }
            world.calm = true;
            let last = [
                WantedState::Running,
                WantedState::Stopped,
                WantedState::Deleted,
            ][usize::try_from(seed % 3).unwrap()];
            world.wish(last);
            // The longest pause between two starts, and the steps around it.
            for _ in 0..90 {
                world.pass();
                let step = next_step(&world.facts);
                world.carry_out(step);
            }
            assert!(
                world.is_as_wanted(),
                "seed {seed}: {:?}, next {:?}",
                world.facts,
                next_step(&world.facts)
            );
        }
    }
}
