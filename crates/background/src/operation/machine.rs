//! What follows what, as pure functions over the stored rows. They change the rows and say what happened; nothing here does anything.

use fractal_store::{Operation, OperationStep};
use fractal_types::{OperationState, StepState, Timestamp};
use serde_json::Value;

use super::{Event, Step};

/// How often a step is tried, or taken back, that fails for reasons which may pass.
pub const TRIES: u32 = 5;

/// What came out of the step that is worked on.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It is done, or taken back.
    Done(Value),
    /// It failed for a reason that may pass.
    Passing(String),
    /// It failed for good.
    Lasting(String),
}

/// Something somebody wants of an operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// Take it back.
    Cancel {
        /// Who wants it.
        by: String,
    },
    /// Try the step again that got stuck.
    Retry,
    /// Go on without the step that got stuck.
    Skip,
    /// Take back what was done, instead of going on.
    Undo,
}

/// Why a choice is not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is over.
    #[error("this operation is over")]
    Settled,
    /// Only one that is stuck waits for a choice.
    #[error("this operation is not stuck")]
    NotStuck,
    /// It is on its way back already.
    #[error("this operation is being undone already")]
    Undoing,
    /// A step that has no way back was begun.
    #[error("this operation has begun a step that cannot be undone")]
    Final,
}

/// The rows of an operation, and of which kind it is.
#[derive(Debug)]
pub struct Machine<'a> {
    /// The operation.
    pub row: &'a mut Operation,
    /// Its steps, in order.
    pub steps: &'a mut [OperationStep],
    /// The steps of its kind, in the same order.
    pub kind: &'a [Step],
    /// The time.
    pub now: Timestamp,
}

impl Machine<'_> {
    /// Begins with the first step.
    pub fn begin(&mut self) {
        self.row.state = OperationState::Running;
        self.row.started_at = Some(self.now);
        self.enter(0);
    }

    /// Goes on after what came out of the step that is worked on.
    pub fn advance(&mut self, outcome: Outcome) -> Vec<Event> {
        let undoing = self.row.state == OperationState::Undoing;
        let step = self.step();
        match outcome {
            Outcome::Done(_) if undoing => {
                step.error = None;
                let event = Event::StepUndone {
                    step: step.name.clone(),
                };
                self.leave_undone(StepState::Undone, event)
            }
            Outcome::Done(output) => {
                step.error = None;
                step.output = output.clone();
                let event = Event::StepDone {
                    step: step.name.clone(),
                    output,
                };
                self.leave(StepState::Done, event)
            }
            Outcome::Passing(why) if step.attempts + 1 < TRIES => {
                step.attempts += 1;
                step.error = Some(why);
                Vec::new()
            }
            Outcome::Passing(why) | Outcome::Lasting(why) => {
                step.attempts += 1;
                step.error = Some(why.clone());
                let event = Event::StepFailed {
                    step: step.name.clone(),
                    why: why.clone(),
                };
                let mut events = vec![event];
                if undoing || self.asks() || !self.may_go_back() {
                    events.push(self.get_stuck(why));
                } else {
                    self.fail_step();
                    events.extend(self.go_back(why));
                }
                events
            }
        }
    }

    /// Does what somebody wants.
    ///
    /// # Errors
    ///
    /// When it is not possible in this state; nothing has changed then.
    pub fn choose(&mut self, choice: &Choice) -> Result<Vec<Event>, Refused> {
        let state = self.row.state;
        match (choice, state) {
            (_, OperationState::Done | OperationState::Undone) => Err(Refused::Settled),
            (Choice::Cancel { by }, OperationState::Pending) => {
                let why = cancelled(by);
                self.row.cancelled_by = Some(by.clone());
                self.row.reason = Some(why);
                self.settle(OperationState::Undone);
                Ok(vec![Event::Undone])
            }
            (Choice::Cancel { .. }, OperationState::Undoing) => Err(Refused::Undoing),
            (Choice::Cancel { .. }, OperationState::Stuck) if self.row.stuck_undoing => {
                Err(Refused::Undoing)
            }
            (Choice::Cancel { .. } | Choice::Undo, _) if !self.may_go_back() => Err(Refused::Final),
            // Whoever works on it sees the wish when the step that is on its way has come to an end.
            (Choice::Cancel { by }, OperationState::Running) => {
                self.row.cancelled_by = Some(by.clone());
                Ok(Vec::new())
            }
            (Choice::Cancel { by }, OperationState::Stuck) => {
                self.row.cancelled_by = Some(by.clone());
                Ok(self.go_back(cancelled(by)))
            }
            (_, OperationState::Pending | OperationState::Running | OperationState::Undoing) => {
                Err(Refused::NotStuck)
            }
            (Choice::Retry, OperationState::Stuck) => {
                let undoing = self.row.stuck_undoing;
                self.row.state = if undoing {
                    OperationState::Undoing
                } else {
                    OperationState::Running
                };
                let now = self.now;
                let step = self.step();
                step.attempts = 0;
                if undoing {
                    step.state = StepState::Undoing;
                    step.ended_at = Some(now);
                } else {
                    step.state = StepState::Running;
                    step.started_at = Some(now);
                }
                Ok(Vec::new())
            }
            (Choice::Skip, OperationState::Stuck) => {
                let event = Event::StepSkipped {
                    step: self.step().name.clone(),
                };
                if self.row.stuck_undoing {
                    self.row.state = OperationState::Undoing;
                    Ok(self.leave_undone(StepState::Skipped, event))
                } else {
                    self.row.state = OperationState::Running;
                    Ok(self.leave(StepState::Skipped, event))
                }
            }
            (Choice::Undo, OperationState::Stuck) if self.row.stuck_undoing => {
                Err(Refused::Undoing)
            }
            (Choice::Undo, OperationState::Stuck) => {
                let why = self.row.reason.clone().unwrap_or_default();
                Ok(self.go_back(why))
            }
        }
    }

    /// Turns round, when somebody has cancelled it and that is still possible.
    pub fn heed_cancel(&mut self) -> Vec<Event> {
        match self.row.cancelled_by.clone() {
            Some(by) if self.row.state == OperationState::Running && self.may_go_back() => {
                self.go_back(cancelled(&by))
            }
            _ => Vec::new(),
        }
    }

    /// Since when the step is worked on, in the present direction.
    #[must_use]
    pub fn since(row: &Operation, steps: &[OperationStep]) -> Option<Timestamp> {
        let step = steps.get(row.step as usize)?;
        if row.state == OperationState::Undoing {
            step.ended_at
        } else {
            step.started_at
        }
    }

    /// Whether no step without a way back was begun.
    #[must_use]
    pub fn may_go_back(&self) -> bool {
        let begun = self.steps.iter().zip(self.kind);
        !begun
            .filter(|(step, _)| step.state != StepState::Pending)
            .any(|(_, kind)| kind.is_final)
    }

    fn asks(&self) -> bool {
        let step = self.kind.get(self.row.step as usize);
        step.is_some_and(|step| step.asks)
    }

    fn step(&mut self) -> &mut OperationStep {
        // A number beyond the steps is never written.
        let last = self.steps.len() - 1;
        &mut self.steps[(self.row.step as usize).min(last)]
    }

    fn enter(&mut self, number: usize) {
        self.row.step = u32::try_from(number).unwrap_or(u32::MAX);
        let now = self.now;
        let step = self.step();
        step.state = StepState::Running;
        step.started_at = Some(now);
        step.attempts = 0;
    }

    fn leave(&mut self, state: StepState, event: Event) -> Vec<Event> {
        let now = self.now;
        let step = self.step();
        step.state = state;
        step.ended_at = Some(now);
        let next = self.row.step as usize + 1;
        let mut events = vec![event];
        if next < self.steps.len() {
            self.enter(next);
        } else {
            self.settle(OperationState::Done);
            events.push(Event::Done);
        }
        events
    }

    /// Takes back, beginning with the step that is worked on: it may have done something.
    fn go_back(&mut self, why: String) -> Vec<Event> {
        self.row.state = OperationState::Undoing;
        self.row.reason = Some(why.clone());
        self.take_back();
        vec![Event::Undoing { why }]
    }

    fn take_back(&mut self) {
        let now = self.now;
        let step = self.step();
        step.state = StepState::Undoing;
        // The end of its own work, and the beginning of this.
        step.ended_at = Some(now);
        step.attempts = 0;
    }

    fn leave_undone(&mut self, state: StepState, event: Event) -> Vec<Event> {
        let now = self.now;
        let step = self.step();
        step.state = state;
        step.undone_at = Some(now);
        let mut events = vec![event];
        match self.row.step.checked_sub(1) {
            Some(before) => {
                self.row.step = before;
                self.take_back();
            }
            None => {
                self.settle(OperationState::Undone);
                events.push(Event::Undone);
            }
        }
        events
    }

    fn get_stuck(&mut self, why: String) -> Event {
        self.row.stuck_undoing = self.row.state == OperationState::Undoing;
        self.row.state = OperationState::Stuck;
        self.fail_step();
        // Why it turned round stays the reason of an undo that got stuck; the step has its own.
        if !self.row.stuck_undoing {
            self.row.reason = Some(why.clone());
        }
        Event::Stuck { why }
    }

    fn fail_step(&mut self) {
        let now = self.now;
        let step = self.step();
        step.state = StepState::Failed;
        step.ended_at = Some(now);
    }

    fn settle(&mut self, state: OperationState) {
        self.row.state = state;
        self.row.settled_at = Some(self.now);
    }
}

fn cancelled(by: &str) -> String {
    format!("cancelled by {by}")
}
