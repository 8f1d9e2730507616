//! The data plane: model calls of gateways on their way out ([`broker`]), and people's chats on their
//! way in ([`chat`]).
//!
//! Nothing here changes state that evidence is kept of. What it needs from the rest of the house it
//! names in [`ports`].

pub mod broker;
pub mod chat;
pub mod decoration;
pub mod faults;
pub mod ports;
pub mod serve;
