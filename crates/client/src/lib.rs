//! The typed HTTP client: one method per route, the bodies of `fractal-api-types` in and out.
//!
//! Programs authenticate with a bearer token. [`Client::sign_in`] exists for the one moment when a
//! person has only a password: it gives a client that carries the session's cookie, with which a token
//! can be made.
//!
//! To add a route, add a method to the file of its noun. The client never retries a change by itself;
//! only event streams of chat runs are resumed, because their events carry positions.

mod auth;
mod chat;
mod engines;
mod error;
mod evidence;
mod http;
mod incidents;
mod instances;
mod onboarding;
mod operations;
mod page;
mod people;
mod pinned;
mod policy;
mod proposals;
mod providers;
mod settings;
mod skills;
mod sse;
mod system;
mod webhooks;
mod witnesses;

pub use chat::ChatStream;
pub use error::{Error, Result};
pub use http::Client;
pub use page::collect_pages;
pub use sse::EventStream;
