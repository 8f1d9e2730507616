//! The nouns of the house: ids, names, states and their transitions, quantities.
//!
//! Everything here is a value. Nothing here reads a clock, draws a random number, touches a file
//! or awaits, so that every other room can depend on it without inheriting behaviour.

mod id;
mod incident;
mod instance;
mod limits;
mod model;
mod name;
mod operation;
mod principal;
mod proposal;
mod quantity;
mod time;

pub use id::*;
pub use incident::*;
pub use instance::*;
pub use limits::*;
pub use model::*;
pub use name::*;
pub use operation::*;
pub use principal::*;
pub use proposal::*;
pub use quantity::*;
pub use time::Timestamp;
