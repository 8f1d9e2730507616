//! The process runtime with real processes: the contract, the isolation, a real gateway.

mod contract;
mod isolation;
mod real_engine;
mod support;
