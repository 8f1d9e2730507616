//! How the house reaches the outside: the one outbound HTTP client.
//!
//! Everything that leaves the control plane (model providers, sign-in, webhooks) goes through
//! [`Outbound`], so that no address a user typed can point the control plane at itself, its
//! neighbours or a cloud's metadata service (design section 8). A name is resolved once, every
//! address is judged, and the connection goes to the judged address; redirects are handed back,
//! proxies from the environment are ignored, time and size are bounded. Errors never carry what the
//! other side said.
//!
//! Contracts of outside systems (chat, mail, payment) join this crate with their fakes as they come.

mod address;
mod answer;
mod client;
mod error;
mod network;
mod resolver;

pub use address::{AddressKind, AddressRule};
pub use answer::Answer;
pub use client::{Limits, Outbound, OutboundRequest, OutboundSettings, SettingsError};
pub use error::{OutboundError, Refusal};
pub use network::network;
pub use resolver::{FakeResolver, Resolver, SystemResolver};
