//! The command line: `fractal noun verb`.
//!
//! Data goes to standard output, everything else to standard error; `--json` prints what the HTTP
//! interface answered. To add a command, add its words to [`args`], its behaviour to `commands`, and
//! regenerate `docs/reference/cli.md` with `FRACTAL_REGENERATE=1 cargo test -p fractal-cli`.
//!
//! What runs inside this process instead of over HTTP (serving, keys, engines) is reached through
//! `seams` only.

pub mod args;
mod commands;
mod connection;
mod doctor;
mod exit;
mod output;
mod place;
mod prompt;
mod seams;
mod table;
mod text;

use std::process::ExitCode;

use clap::Parser;

/// Runs the command given on the process's command line.
#[must_use]
pub fn main() -> ExitCode {
    let args = match args::Arguments::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let _ = error.print();
            // Help and version are asked for and thus no failure.
            return if error.use_stderr() {
                exit::USAGE.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    // These two run once per instance, stay single-threaded and make a runtime of their own.
    let args = match args.command {
        args::Command::Supervise(args) => return fractal_runtime::supervisor::main(args),
        args::Command::Relay(args) => return fractal_runtime::relay::main(args),
        command => args::Arguments { command, ..args },
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            return exit::report(&anyhow::Error::new(error).context("no threads could be started"));
        }
    };
    // A blocking read of the terminal may still wait when the command is over; it must not hold the process.
    let result = runtime.block_on(Box::pin(commands::run(args)));
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(error) => exit::report(&error),
    }
}
