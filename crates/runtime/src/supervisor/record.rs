//! What a supervisor leaves behind: one small file per instance, written whole and flushed, so that the
//! fence and the cause of the last exit survive the supervisor's death and the machine's.
//! Never a secret.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use fractal_types::{Generation, InstanceId, Timestamp};
use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::contract::{Error, ErrorClass, Exit, Observation, ProcessState, Result};

const FILE: &str = "record.json";
const LOCK: &str = "lock";

/// The record of one instance on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which instance.
    pub id: InstanceId,
    /// The highest generation acted upon.
    pub generation: Generation,
    /// How often it was started here.
    pub boot: u64,
    /// The host user id of its own.
    pub uid: Option<u32>,
    /// Whether it was removed and only its volume is left.
    pub removed: bool,
    /// What its process does or did.
    pub phase: Phase,
    /// Bytes under its home when last measured.
    pub disk_bytes: Option<u64>,
}

/// The part of a record that says what the process does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Never started.
    Idle,
    /// Started; whether it still runs only a living supervisor knows.
    Running {
        /// When.
        since: Timestamp,
        /// The supervisor's process id.
        supervisor: u32,
    },
    /// Ended.
    Ended {
        /// How.
        exit: Exit,
        /// When.
        at: Timestamp,
    },
}

impl Record {
    /// The record of an instance that was never seen here.
    #[must_use]
    pub const fn new(id: InstanceId, uid: Option<u32>) -> Self {
        Self {
            id,
            generation: Generation(0),
            boot: 0,
            uid,
            removed: false,
            phase: Phase::Idle,
            disk_bytes: None,
        }
    }

    /// Reads the record in `dir`; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or makes no sense.
    pub fn load(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(FILE);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(&path, error)),
        };
        serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|error| unusable(&path, error))
    }

    /// Writes the record into `dir`, all or nothing, and waits until it is on the disk.
    ///
    /// # Errors
    /// When it cannot be written, for example because the disk is full.
    pub fn save(&self, dir: &Path) -> Result<()> {
        let path = dir.join(FILE);
        let write = || -> io::Result<()> {
            let fresh = dir.join("record.json.new");
            let mut file = File::options()
                .create(true)
                .truncate(true)
                .write(true)
                .mode(0o600)
                .open(&fresh)?;
            file.write_all(&serde_json::to_vec(self)?)?;
            file.sync_all()?;
            fs::rename(&fresh, &path)?;
            File::open(dir)?.sync_all()
        };
        write().map_err(|error| {
            Error::new(
                ErrorClass::Retry,
                format!(
                    "cannot write {}; check free space and rights",
                    path.display()
                ),
            )
            .with_source(error)
        })
    }

    /// Takes note of an action's generation.
    ///
    /// # Errors
    /// [`ErrorClass::Stale`] when a higher one was seen.
    pub fn admit(&mut self, generation: Generation) -> Result<()> {
        if generation < self.generation {
            return Err(Error::new(
                ErrorClass::Stale,
                format!(
                    "generation {generation} comes after generation {} has acted; nothing was done",
                    self.generation
                ),
            ));
        }
        self.generation = generation;
        Ok(())
    }

    /// What the record tells of an instance whose supervisor lives but cannot be asked.
    #[must_use]
    pub fn believe(&self, vanished: Timestamp) -> Observation {
        let mut seen = self.observe(vanished);
        if let Phase::Running { since, supervisor } = self.phase {
            seen.process = ProcessState::Running {
                boot: self.boot,
                pid: Some(supervisor),
                since,
            };
        }
        seen
    }

    /// What the record alone tells, when no supervisor is alive. `vanished` is the time to report for a
    /// supervisor that left no exit.
    #[must_use]
    pub fn observe(&self, vanished: Timestamp) -> Observation {
        let process = match &self.phase {
            _ if self.removed => ProcessState::Absent,
            Phase::Idle => ProcessState::Absent,
            Phase::Running { supervisor, .. } => ProcessState::Exited {
                boot: self.boot,
                exit: Exit {
                    code: None,
                    signal: Some(9),
                    asked: false,
                    out_of_memory: false,
                    reason: format!(
                        "its supervisor (process {supervisor}) ended without a word, killed or with the machine, \
                         and took the instance with it"
                    ),
                },
                at: vanished,
            },
            Phase::Ended { exit, at } => ProcessState::Exited {
                boot: self.boot,
                exit: exit.clone(),
                at: *at,
            },
        };
        Observation {
            id: self.id,
            process,
            generation: self.generation,
            memory_bytes: None,
            cpu: None,
            disk_bytes: self.disk_bytes,
            uid: self.uid,
        }
    }
}

/// When the record in `dir` was last written.
#[must_use]
pub fn written_at(dir: &Path) -> Timestamp {
    let modified = fs::metadata(dir.join(FILE)).and_then(|meta| meta.modified());
    let since = modified
        .ok()
        .and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok())
        .unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// The right to write the record; one process at a time has it. A supervisor holds it all its life.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Lock {
    /// Takes the lock in `dir`; `None` when another process has it.
    ///
    /// # Errors
    /// When the lock file cannot be opened.
    pub fn try_take(dir: &Path) -> Result<Option<Self>> {
        let path = dir.join(LOCK);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| unusable(&path, error))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(unusable(&path, io::Error::from(error))),
        }
    }
}

fn unusable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(
        ErrorClass::Permanent,
        format!(
            "{} cannot be used; check its rights and content",
            path.display()
        ),
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use fractal_clock::{ManualClock, SeededEntropy, new_id};

    use super::*;

    fn record() -> Record {
        Record::new(
            new_id(&ManualClock::default(), &SeededEntropy::new(1)),
            Some(600_001),
        )
    }

    #[test]
    fn a_record_survives_being_written_and_read() {
        let folder = tempfile::tempdir().unwrap();
        let mut record = record();
        record.admit(Generation(7)).unwrap();
        record.save(folder.path()).unwrap();
        assert_eq!(Record::load(folder.path()).unwrap(), Some(record));
    }

    #[test]
    fn a_lower_generation_is_stale_and_an_equal_one_is_not() {
        let mut record = record();
        record.admit(Generation(7)).unwrap();
        record.admit(Generation(7)).unwrap();
        assert_eq!(
            record.admit(Generation(6)).unwrap_err().class,
            ErrorClass::Stale
        );
    }

    #[test]
    fn a_second_holder_does_not_get_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let held = Lock::try_take(folder.path()).unwrap();
        assert!(held.is_some());
        assert!(Lock::try_take(folder.path()).unwrap().is_none());
        drop(held);
        assert!(Lock::try_take(folder.path()).unwrap().is_some());
    }
}
