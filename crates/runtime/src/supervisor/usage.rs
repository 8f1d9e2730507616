//! What an instance uses, read from `/proc` where no control group counts it, and from its home.

use std::{
    collections::{HashMap, HashSet},
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// The most files looked at when a home is measured; an instance may not keep us busy for ever.
const MOST_FILES: usize = 500_000;

/// Memory and CPU of a process and everything below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Resident memory in bytes; pages shared between the processes count several times.
    pub memory: u64,
    /// CPU time of the processes that live.
    pub cpu: Duration,
}

/// Measures the tree of processes below `root`.
#[must_use]
pub fn of_tree(root: u32) -> Usage {
    let mut below: HashMap<u32, Vec<(u32, Usage)>> = HashMap::new();
    let mut total = Usage::default();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let Some((parent, usage)) = read_stat(&entry.path().join("stat")) else {
            continue;
        };
        if pid == root {
            total = usage;
        }
        below.entry(parent).or_default().push((pid, usage));
    }
    let mut open = vec![root];
    while let Some(pid) = open.pop() {
        for (child, usage) in below.remove(&pid).unwrap_or_default() {
            total.memory += usage.memory;
            total.cpu += usage.cpu;
            open.push(child);
        }
    }
    total
}

/// Parent, memory and CPU time from a `stat` file (proc(5)): the fields after the name in parentheses.
fn read_stat(path: &Path) -> Option<(u32, Usage)> {
    let text = fs::read_to_string(path).ok()?;
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let number = |place: usize| fields.get(place)?.parse::<u64>().ok();
    let ticks = number(11)? + number(12)?;
    let usage = Usage {
        memory: number(21)? * rustix::param::page_size() as u64,
        cpu: Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second().max(1)),
    };
    Some((u32::try_from(number(1)?).ok()?, usage))
}

/// Bytes on disk below `folder`. Links are not followed and hard links count once.
#[must_use]
pub fn on_disk(folder: &Path) -> u64 {
    let mut total = 0;
    let mut files = 0;
    let mut seen = HashSet::new();
    let mut open: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(meta) = entry.metadata() else { continue };
            files += 1;
            if files > MOST_FILES {
                return total;
            }
            if meta.is_dir() {
                open.push(entry.path());
            } else if meta.nlink() > 1 && !seen.insert((meta.dev(), meta.ino())) {
                continue;
            }
            total += meta.blocks() * 512;
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_process_uses_memory() {
        assert!(of_tree(std::process::id()).memory > 100_000);
    }

    #[test]
    fn a_link_out_of_the_folder_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), vec![1; 8_192]).unwrap();
        std::os::unix::fs::symlink("/usr", folder.path().join("b")).unwrap();
        let bytes = on_disk(folder.path());
        assert!((8_192..100_000).contains(&bytes), "{bytes}");
    }
}
