//! The supervisor: one small process per running instance, outside its sandbox, in a session of its own.
//! It outlives the control plane, starts the sandbox, writes the log, knows the cause of an exit, and
//! refuses what a newer generation has overtaken. It ends when its instance ends.
//!
//! It never opens a network connection and never reads the instance's configuration.

pub mod cgroup;
mod control;
mod exit;
mod output;
pub mod protocol;
pub mod record;
mod sandbox;
pub mod usage;
mod watch;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use fractal_clock::{SharedClock, SystemClock};
use rustix::fs::Mode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::task::TaskTracker;

use self::{
    exit::Wanted,
    record::{Lock, Record},
    watch::{Stage, Supervisor},
};
use crate::{contract::Result, layout::InstanceDirs, socket};

/// How long a supervisor waits for its first start request.
const IDLE: Duration = Duration::from_secs(60);

/// How long an instance may take to end when the supervisor ends it on its own account.
const GRACE: Duration = Duration::from_secs(20);

/// How long open conversations may last after the instance has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How often it looks after things.
const TICK: Duration = Duration::from_secs(1);

/// `fractal supervise`
#[derive(Debug, Clone, clap::Args)]
pub struct SuperviseArgs {
    /// The instance's folder
    #[arg(long)]
    pub dir: PathBuf,
}

/// Supervises one instance until it ends. Blocks; makes a runtime of its own.
#[must_use]
pub fn main(args: SuperviseArgs) -> ExitCode {
    // Fails only for a leader of a process group, which is then already apart from the terminal's.
    let _ = rustix::process::setsid();
    rustix::process::umask(Mode::from_raw_mode(0o077));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(run(InstanceDirs::new(args.dir))),
        Err(error) => {
            eprintln!("the supervisor cannot begin: {error}");
            return ExitCode::FAILURE;
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}{}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

async fn run(dirs: InstanceDirs) -> Result<()> {
    let clock: SharedClock = Arc::new(SystemClock);
    let folder = dirs.supervisor();
    let Some(_lock) = take_lock(&folder).await? else {
        // Another supervisor is in charge; whoever started this one will find it.
        return Ok(());
    };
    let Some(record) = Record::load(&folder)? else {
        return Err(failed(format!(
            "{} holds no record; the driver makes one before it starts a supervisor",
            folder.display()
        )));
    };
    let listener = socket::listen(&dirs.control_socket())
        .map_err(|error| failed("cannot bind the control socket").with_source(error))?;
    let supervisor = Supervisor::new(dirs, record, clock);
    let mut terminate = signal(SignalKind::terminate())
        .map_err(|error| failed("cannot listen for signals").with_source(error))?;
    let conversations = TaskTracker::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut stage = supervisor.stage();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    conversations.spawn(control::converse(stream, Arc::clone(&supervisor)));
                }
            }
            _ = tick.tick() => {
                if supervisor.is_forgotten() {
                    // Counts anew, so that the end is asked for once.
                    supervisor.heard();
                    if supervisor.is_at() == Stage::Waiting {
                        supervisor.finish();
                    } else {
                        conversations.spawn(Supervisor::end(Arc::clone(&supervisor), Wanted::Forgotten, GRACE));
                    }
                }
                supervisor.look_after().await;
            }
            _ = terminate.recv() => {
                if supervisor.is_at() == Stage::Waiting {
                    supervisor.finish();
                } else {
                    conversations.spawn(Supervisor::end(Arc::clone(&supervisor), Wanted::Terminated, GRACE));
                }
            }
            _ = stage.wait_for(|stage| *stage == Stage::Ended) => break,
        }
    }
    // New requests go to the next supervisor, once this one has let go of the lock.
    let _ = std::fs::remove_file(supervisor.dirs().control_socket());
    drop(listener);
    conversations.close();
    let _ = tokio::time::timeout(LAST_WORDS, conversations.wait()).await;
    Ok(())
}

/// A supervisor that is just ending lets go of the lock in a moment.
async fn take_lock(folder: &std::path::Path) -> Result<Option<Lock>> {
    for _ in 0..100 {
        if let Some(lock) = Lock::try_take(folder)? {
            return Ok(Some(lock));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(None)
}

fn failed(message: impl Into<String>) -> crate::contract::Error {
    crate::contract::Error::new(crate::contract::ErrorClass::Permanent, message)
}
