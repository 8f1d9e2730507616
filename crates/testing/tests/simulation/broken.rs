//! What is broken on purpose, to see that it is found.

use async_trait::async_trait;
use fractal_background::operation::{Event, Guard, Journal, Trouble};
use fractal_store::{Operation, Tx};

/// One thing that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Machines do what they are told also by one that was overtaken.
    Fences,
    /// Machines say that they have removed something, and have not.
    Removal,
    /// A worker writes down that a job is done before it does it.
    Outcome,
    /// The log is not told what happens to operations.
    Journal,
    /// An entry is taken out of the log.
    Entry,
}

/// Tells nobody, and keeps nothing from beginning.
#[derive(Debug)]
pub struct Silent;

#[async_trait]
impl Guard for Silent {
    async fn before(&self, _operation: &Operation) -> Result<(), Trouble> {
        Ok(())
    }
}

#[async_trait]
impl Journal for Silent {
    async fn note(
        &self,
        _tx: &Tx,
        _operation: &Operation,
        _event: &Event,
    ) -> fractal_store::Result<()> {
        Ok(())
    }

    fn written(&self) {}
}
