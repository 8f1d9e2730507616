//! The two programs a process runtime needs, and nothing else. The tests use it; a machine that only
//! hosts instances may.

use std::process::ExitCode;

use clap::Parser;
use fractal_runtime::{
    relay::{self, RelayArgs},
    supervisor::{self, SuperviseArgs},
};

#[derive(Parser)]
#[command(
    version,
    about = "Supervises one instance, or relays inside its sandbox"
)]
enum Command {
    /// Supervise one instance until it ends
    Supervise(SuperviseArgs),
    /// Relay between a sandbox and the world outside; started by a supervisor
    Relay(RelayArgs),
}

fn main() -> ExitCode {
    match Command::parse() {
        Command::Supervise(args) => supervisor::main(args),
        Command::Relay(args) => relay::main(args),
    }
}
