//! What is looked at of a machine that hosts instances, before it is in their way: shared by the runtimes that start processes on it, whose
//! findings the server watches, and by `fractal doctor`.

use std::{fs, path::Path};

use fractal_types::Severity;

/// What one gateway takes (`openclaw.md` section 1).
pub const GATEWAY_BYTES: u64 = 3 << 28;
/// Below this an instance's own files would soon fill the disk.
pub const LOW_DISK: u64 = 1 << 30;

/// Something about the machine that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// What of the machine, as one word that stays: `memory`, `disk`.
    pub about: &'static str,
    /// How bad it is. With [`Severity::Failed`] nothing new should be begun on it.
    pub severity: Severity,
    /// What was found, in words.
    pub finding: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// Everything there is to say about a machine whose instances lie under this folder; nothing when all is well.
#[must_use]
pub fn remarks(folder: &Path) -> Vec<Remark> {
    let memory = available_memory().and_then(judge_memory);
    memory
        .into_iter()
        .chain(free_space(folder).and_then(judge_disk))
        .collect()
}

/// The memory that can be had without swapping, in bytes; `None` where the system does not tell.
#[must_use]
pub fn available_memory() -> Option<u64> {
    available_bytes(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib = line.trim().strip_suffix("kB")?.trim().parse::<u64>();
    kib.ok().map(|kib| kib * 1024)
}

/// The space that is free for us where this folder lies, in bytes; `None` when there is no such folder.
#[must_use]
pub fn free_space(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn judge_memory(available: u64) -> Option<Remark> {
    (available < GATEWAY_BYTES).then(|| Remark {
        about: "memory",
        severity: Severity::Attention,
        finding: format!(
            "{} of memory are available, and an agent that wakes needs 768 MiB",
            mebibytes(available)
        ),
        remedy: "let fewer agents be awake, or add memory or swap",
    })
}

fn judge_disk(free: u64) -> Option<Remark> {
    (free < LOW_DISK).then(|| Remark {
        about: "disk",
        severity: Severity::Failed,
        finding: format!(
            "{} are free where the agents' files lie, less than the 1024 MiB that are kept for what runs",
            mebibytes(free)
        ),
        remedy: "free some space",
    })
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_available_memory_is_read() {
        let text = "MemTotal:       24576000 kB\nMemAvailable:    2097152 kB\n";
        assert_eq!(available_bytes(text), Some(2 << 30));
        assert_eq!(available_bytes("MemTotal: 1 kB"), None);
    }

    #[test]
    fn only_what_is_low_is_remarked() {
        assert_eq!(judge_memory(GATEWAY_BYTES), None);
        assert_eq!(judge_disk(LOW_DISK), None);
        let memory = judge_memory(GATEWAY_BYTES - 1).unwrap();
        assert_eq!(memory.severity, Severity::Attention);
        let disk = judge_disk(5 << 20).unwrap();
        assert_eq!((disk.about, disk.severity), ("disk", Severity::Failed));
        assert!(disk.finding.starts_with("5 MiB are free"), "{disk:?}");
    }

    #[test]
    fn a_folder_that_is_not_there_has_no_space() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free_space(folder.path()).is_some());
        assert_eq!(free_space(&folder.path().join("gone")), None);
    }
}
