//! The runtime driver that hosts instances as sandboxed processes of this machine.
//!
//! The driver itself holds nothing that matters: every running instance has a supervisor of its own
//! (`fractal_runtime::supervisor`), everything else is files below the data folder. Opening the driver
//! over the same folder again adopts what runs.
//!
//! ```text
//! <data>/next-uid              the user ids given out so far; never one twice
//! <data>/removed/<id>          the fence of instances that are gone for good
//! <data>/instances/<id>/home          the volume, the instance's own
//!                      /listener      where the control plane binds listener.sock
//!                      /supervisor    sockets, lock and record
//!                      /logs          the log
//!                      /etc           made-up files for the sandbox
//! ```

mod capabilities;
mod driver;
mod engine;
mod erase;
mod folders;
mod preflight;
mod settings;
mod uids;

pub use driver::ProcessRuntime;
pub use settings::{Bubblewrap, Settings};
