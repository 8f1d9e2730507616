//! Layered settings: defaults, then a file, then the environment, then flags (design section 8).
//!
//! Only what must be known before the database is open lives here; everything else is in the
//! database and edited in the Portal. Parts of the house get the values they need, never this tree;
//! only `server` and `cli` read it. Environment and machine are passed in, so that a test needs no
//! process of its own.

mod error;
mod keys;
mod load;
mod platform;
mod settings;

pub use error::ConfigError;
pub use keys::{KEYS, Key, OTHER_VARIABLES};
pub use load::{Flags, Tls, load};
pub use platform::{Environment, Platform};
pub use settings::{LogFormat, OnExit, SecretKeySource, Settings, TlsFiles};
