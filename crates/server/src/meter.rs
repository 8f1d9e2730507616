//! The progress of an engine's installation, for whoever looks at the terminal or reads the log.

use std::sync::{Mutex, PoisonError};

use fractal_openclaw::engine::{Phase, Progress};
use fractal_types::bytes_in_words;

use crate::terminal;

/// Shows an installation: one line that moves on a terminal, else one line per phase.
#[derive(Debug)]
pub struct Meter {
    form: Form,
    state: Mutex<State>,
}

/// Where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A terminal.
    Moving,
    /// Standard error, when it is no terminal.
    Lines,
    /// The log of a service: its lines have a form of their own.
    Log,
}

#[derive(Debug, Default)]
struct State {
    last: Option<Phase>,
}

/// What to show.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Move(String),
    Line(String),
    Clear,
}

impl Meter {
    /// For a command that somebody waits for.
    #[must_use]
    pub fn for_command() -> Self {
        Self::of(if terminal::can_move() {
            Form::Moving
        } else {
            Form::Lines
        })
    }

    /// For `fractal serve`.
    #[must_use]
    pub fn for_service() -> Self {
        Self::of(if terminal::can_move() {
            Form::Moving
        } else {
            Form::Log
        })
    }

    fn of(form: Form) -> Self {
        Self {
            form,
            state: Mutex::default(),
        }
    }

    /// Shows a step, or, with `None`, that it is over for whatever reason.
    pub fn show(&self, progress: Option<Progress>) {
        let said = {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.next(self.form == Form::Moving, progress)
        };
        match said {
            None => {}
            Some(Said::Move(line)) => terminal::draw(&line),
            Some(Said::Clear) => terminal::clear(),
            Some(Said::Line(line)) if self.form == Form::Log => tracing::info!("{line}"),
            Some(Said::Line(line)) => terminal::say(&line),
        }
    }
}

impl State {
    fn next(&mut self, moving: bool, progress: Option<Progress>) -> Option<Said> {
        let Some(progress) = progress else {
            let shown = self.last.take();
            return (moving && shown.is_some()).then_some(Said::Clear);
        };
        if progress.phase == Phase::Done {
            // An engine that was there already is no news.
            return self.last.take().map(|_| Said::Line(line(&progress)));
        }
        let changed = self.last.replace(progress.phase) != Some(progress.phase);
        if moving {
            Some(Said::Move(line(&progress)))
        } else {
            changed.then(|| Said::Line(line(&progress)))
        }
    }
}

fn line(progress: &Progress) -> String {
    let what = match progress.phase {
        Phase::Prepare => "preparing",
        Phase::Download => "downloading",
        Phase::Unpack => "unpacking",
        Phase::Verify => "verifying",
        Phase::Done => {
            return format!(
                "The engine is installed: {} packages, {}",
                progress.packages_total,
                bytes_in_words(progress.bytes_done)
            );
        }
    };
    if progress.packages_total == 0 {
        return format!("Installing the engine: {what}");
    }
    format!(
        "Installing the engine: {what}, {} of {} packages, {} of {}",
        progress.packages_done,
        progress.packages_total,
        bytes_in_words(progress.bytes_done),
        bytes_in_words(progress.bytes_total),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(phase: Phase, packages_done: u64, bytes_done: u64) -> Option<Progress> {
        let known = !matches!(phase, Phase::Prepare | Phase::Verify);
        Some(Progress {
            phase,
            packages_done,
            packages_total: if known { 334 } else { 0 },
            bytes_done,
            bytes_total: if known { 772_000_000 } else { 0 },
        })
    }

    #[test]
    fn a_terminal_sees_every_step_in_one_line_and_the_end_in_a_line_that_stays() {
        let mut state = State::default();
        let mut step = |progress| state.next(true, progress);
        assert_eq!(
            step(at(Phase::Prepare, 0, 0)),
            Some(Said::Move("Installing the engine: preparing".into()))
        );
        let moved = "Installing the engine: unpacking, 12 of 334 packages, 40 MiB of 736 MiB";
        assert_eq!(
            step(at(Phase::Unpack, 12, 40 << 20)),
            Some(Said::Move(moved.into()))
        );
        assert!(step(at(Phase::Unpack, 13, 41 << 20)).is_some());
        assert_eq!(
            step(at(Phase::Done, 334, 736 << 20)),
            Some(Said::Line(
                "The engine is installed: 334 packages, 736 MiB".into()
            ))
        );
        assert_eq!(step(None), None, "nothing is left to take away");
    }

    #[test]
    fn elsewhere_each_phase_is_one_line() {
        let mut state = State::default();
        let steps = [
            at(Phase::Prepare, 0, 0),
            at(Phase::Download, 0, 0),
            at(Phase::Download, 0, 1 << 20),
            at(Phase::Unpack, 5, 9 << 20),
            at(Phase::Unpack, 6, 9 << 20),
            at(Phase::Verify, 0, 0),
            at(Phase::Done, 334, 1 << 20),
            None,
        ];
        let said: Vec<String> = steps
            .into_iter()
            .filter_map(|step| match state.next(false, step)? {
                Said::Line(line) => Some(line),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(said.len(), 5, "{said:?}");
        assert!(
            said[1].contains("downloading, 0 of 334 packages"),
            "{said:?}"
        );
    }

    #[test]
    fn an_engine_that_is_there_is_no_news_and_a_failure_leaves_no_half_line() {
        let mut state = State::default();
        assert_eq!(state.next(true, at(Phase::Done, 334, 1)), None);
        assert_eq!(state.next(true, None), None);
        state.next(true, at(Phase::Download, 0, 0));
        assert_eq!(state.next(true, None), Some(Said::Clear));
    }
}
