//! Extractors: a handler receives ready, checked things; each rejection is a problem with the field named.

mod body;
mod caller;
mod params;

pub use body::{BodyLimit, DEFAULT_LIMIT, Json};
pub use caller::{Caller, Client, MaybeCaller};
pub use params::{Path, Query};
