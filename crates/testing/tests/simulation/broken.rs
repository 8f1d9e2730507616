//! What is broken on purpose, to see that it is found.

/// One thing that is not as it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// Machines do what they are told also by one that was overtaken.
    Fences,
}
