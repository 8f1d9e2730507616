//! Removes a folder that an instance has filled.
//!
//! Its agents may have nested folders without end. The standard library goes down one call and one open file per level, so that a few
//! thousand levels use up this process's files, or its stack. Here nothing goes deeper than two levels: a folder that is
//! not empty is moved up to the top first. Only names below open folders are used and no link is followed.

use std::{ffi::CString, io, path::Path};

use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, RenameFlags},
    io::Errno,
};

/// Removes `folder` with everything in it; does nothing when it is not there. Whoever could write below it must be gone.
///
/// # Errors
/// What the system says. What was removed by then stays removed, and the next try goes on.
pub fn erase(folder: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let top = match rustix::fs::open(folder, flags, Mode::empty()) {
        Err(Errno::NOENT) => return Ok(()),
        other => other?,
    };
    let mut moved = 0_u64;
    loop {
        let names = remove_plain(&top)?;
        if names.is_empty() {
            return std::fs::remove_dir(folder);
        }
        for name in names {
            let below = rustix::fs::openat(&top, name.as_c_str(), flags, Mode::empty())?;
            for deeper in remove_plain(&below)? {
                lift(&below, &deeper, &top, &mut moved)?;
            }
            rustix::fs::unlinkat(&top, name.as_c_str(), AtFlags::REMOVEDIR)?;
        }
    }
}

/// Removes what is no folder, and empty folders; the names of the other folders.
fn remove_plain(folder: &rustix::fd::OwnedFd) -> io::Result<Vec<CString>> {
    let mut left = Vec::new();
    // Read to the end first: what a folder shows while it is changed is left open.
    let entries = Dir::read_from(folder)?.collect::<Result<Vec<_>, Errno>>()?;
    for entry in entries {
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let removed = match entry.file_type() {
            FileType::Directory => rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR),
            // Some file systems do not tell the kind; a folder then says so.
            _ => match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
                Err(Errno::ISDIR | Errno::PERM) => {
                    rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
                }
                other => other,
            },
        };
        match removed {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => left.push(name.to_owned()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(left)
}

/// Moves a folder to the top under a name that is free there.
fn lift(
    from: &rustix::fd::OwnedFd,
    name: &CString,
    top: &rustix::fd::OwnedFd,
    moved: &mut u64,
) -> io::Result<()> {
    loop {
        *moved += 1;
        let place = format!(".erase-{moved}");
        match rustix::fs::renameat_with(from, name.as_c_str(), top, &place, RenameFlags::NOREPLACE)
        {
            Err(Errno::EXIST | Errno::NOTEMPTY) => {}
            other => return Ok(other?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_folder_nested_without_end_is_removed_and_links_are_not_followed() {
        let place = tempfile::tempdir().unwrap();
        let kept = place.path().join("kept");
        fs::write(&kept, "x").unwrap();
        let top = place.path().join("top");
        fs::create_dir(&top).unwrap();
        std::os::unix::fs::symlink(place.path(), top.join("link")).unwrap();
        fs::write(top.join(".erase-1"), "in the way").unwrap();
        fs::create_dir_all(top.join(".erase-2/not/empty")).unwrap();
        // Deeper than the usual limit of open files.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut deepest = rustix::fs::open(&top, flags, Mode::empty()).unwrap();
        for _ in 0..1_500 {
            rustix::fs::mkdirat(&deepest, "d", Mode::RWXU).unwrap();
            deepest = rustix::fs::openat(&deepest, "d", flags, Mode::empty()).unwrap();
        }
        drop(deepest);
        erase(&top).unwrap();
        assert!(!top.exists());
        assert!(kept.exists());
        erase(&top).unwrap();
    }
}
