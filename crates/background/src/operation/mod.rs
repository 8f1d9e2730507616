//! Operations: ordered steps with an undo each, carried out durably (design section 3).
//!
//! A [`Kind`] says which steps there are and does them. [`machine`] is the whole judgement of what follows what, as pure functions over the
//! stored rows. The [`Executor`] is the job handler between the two: it takes the operation under a new fence, does one step after the
//! other, and writes what came out of each together with what is begun next, in one transaction that fails when somebody else has taken
//! the operation meanwhile.
//!
//! A step may be begun more than once, because the record of its end can be lost; so it looks before it acts, or carries a key that a
//! driver refuses the second time. Its outcome is recorded once.

mod executor;
pub mod machine;

use std::{fmt::Debug, time::Duration};

use fractal_store::{Operation, OperationStep, Tx};
use serde_json::Value;

pub use executor::{Executor, Limits, QUEUE, job};

/// One step of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Its name, in rows, evidence and documentation.
    pub name: &'static str,
    /// How long it may take in all, waiting included.
    pub limit: Duration,
    /// Whether there is no way back once it was begun. An operation that fails after that gets stuck instead of being undone.
    pub is_final: bool,
    /// Whether somebody chooses when it fails. Otherwise everything is taken back.
    pub asks: bool,
}

impl Step {
    /// One that can be taken back, and is when it fails.
    #[must_use]
    pub const fn new(name: &'static str, limit: Duration) -> Self {
        Self {
            name,
            limit,
            is_final: false,
            asks: false,
        }
    }

    /// The same, without a way back.
    #[must_use]
    pub const fn without_a_way_back(self) -> Self {
        Self {
            is_final: true,
            ..self
        }
    }

    /// The same; when it fails somebody chooses.
    #[must_use]
    pub const fn asking(self) -> Self {
        Self { asks: true, ..self }
    }
}

/// What came out of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// It is done; what later steps and people may want to know. No secrets.
    Done(Value),
    /// What it waits for has not happened; ask again after this much.
    Wait(Duration),
}

/// Why a step is not done.
#[derive(Debug)]
pub enum Trouble {
    /// May work another time.
    Passing(String),
    /// Will not work.
    Lasting(String),
    /// Nothing can be said about it, not even written: somebody else has the operation, or the database is away.
    Unrecorded(Box<dyn std::error::Error + Send + Sync>),
}

impl From<fractal_store::Error> for Trouble {
    fn from(error: fractal_store::Error) -> Self {
        Self::Unrecorded(Box::new(error))
    }
}

/// What a step works with.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The operation. Its `fence` goes into every effect.
    pub operation: &'a Operation,
    /// All its steps, with what came out of the earlier ones.
    pub steps: &'a [OperationStep],
}

impl At<'_> {
    /// What came out of an earlier step; null when it was not done.
    #[must_use]
    pub fn output(&self, name: &str) -> &Value {
        let step = self.steps.iter().find(|step| step.name == name);
        step.map_or(&Value::Null, |step| &step.output)
    }
}

/// What one kind of operation does.
#[async_trait::async_trait]
pub trait Kind: Send + Sync + Debug + 'static {
    /// Its name, like `instance.change_engine`.
    fn name(&self) -> &'static str;

    /// Its steps, in order; at least one.
    fn steps(&self) -> &'static [Step];

    /// Whether it waits until others of the same person and machine have had theirs. One that only awaits what goes on anyway
    /// needs none, and takes none from others.
    fn takes_a_turn(&self) -> bool {
        true
    }

    /// Does a step. Called again when its outcome was lost, or after [`Progress::Wait`].
    async fn run(&self, step: &'static str, at: At<'_>) -> Result<Progress, Trouble>;

    /// Takes back what a step did. It may have been done wholly, partly or not at all, and may have been taken back before.
    async fn undo(&self, step: &'static str, at: At<'_>) -> Result<Progress, Trouble>;

    /// Gives back what the operation held, in the transaction that settles it.
    async fn settle(&self, tx: &Tx, operation: &Operation) -> fractal_store::Result<()>;
}

/// What happened to an operation.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A step is done.
    StepDone {
        /// Which.
        step: String,
        /// What came out of it.
        output: Value,
    },
    /// A step failed for good.
    StepFailed {
        /// Which.
        step: String,
        /// Why.
        why: String,
    },
    /// What a step did is taken back.
    StepUndone {
        /// Which.
        step: String,
    },
    /// Somebody goes on without a step.
    StepSkipped {
        /// Which.
        step: String,
    },
    /// What was done is being taken back from here on.
    Undoing {
        /// Why.
        why: String,
    },
    /// All is done.
    Done,
    /// All is taken back.
    Undone,
    /// Somebody has to choose.
    Stuck {
        /// Why.
        why: String,
    },
}

/// What is looked at before anything is done.
#[async_trait::async_trait]
pub trait Guard: Send + Sync + Debug + 'static {
    /// Asked before the first step, each time it is tried.
    ///
    /// # Errors
    /// Why it should not be begun now, as the trouble that the step then has.
    async fn before(&self, operation: &Operation) -> Result<(), Trouble>;
}

/// Where events are written, in the transaction of what they tell.
#[async_trait::async_trait]
pub trait Journal: Send + Sync + Debug + 'static {
    /// Writes one.
    async fn note(
        &self,
        tx: &Tx,
        operation: &Operation,
        event: &Event,
    ) -> fractal_store::Result<()>;

    /// They are committed.
    fn written(&self);
}
