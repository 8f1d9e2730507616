//! Walking an installed tree: its size, its fingerprint, its permissions. All blocking; callers move it
//! off the async threads.

use std::{
    fs, io,
    os::unix::{
        ffi::OsStrExt,
        fs::{MetadataExt, PermissionsExt},
    },
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::document::hex;

/// The fingerprint file inside a root; not part of the fingerprint itself.
pub(super) const MANIFEST: &str = "manifest.json";

/// Size and fingerprint of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// SHA-256 over every path with its kind, size and executable bit or link target. Contents are not
    /// read: npm checked them against the lockfile, and 800 MB would take seconds at each look.
    pub(super) digest: String,
    /// Bytes in files.
    pub(super) bytes: u64,
}

pub(super) fn listing(root: &Path) -> io::Result<Listing> {
    let mut lines = Vec::new();
    let mut bytes = 0;
    walk(root, &mut |path, meta| {
        let name = path.strip_prefix(root).unwrap_or(path).as_os_str();
        if name == MANIFEST {
            return Ok(());
        }
        let mut line = name.as_bytes().to_vec();
        if meta.is_symlink() {
            line.extend_from_slice(b"\0l\0");
            line.extend_from_slice(fs::read_link(path)?.as_os_str().as_bytes());
        } else if meta.is_dir() {
            line.extend_from_slice(b"\0d");
        } else {
            bytes += meta.size();
            let runs = meta.mode() & 0o100 != 0;
            line.extend_from_slice(format!("\0f\0{}\0{runs}", meta.size()).as_bytes());
        }
        lines.push(line);
        Ok(())
    })?;
    lines.sort_unstable();
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line);
        hash.update(b"\n");
    }
    Ok(Listing {
        digest: hex(&hash.finalize()),
        bytes,
    })
}

/// Bytes in files below `root`; files that vanish meanwhile are passed over.
pub(super) fn bytes_below(root: &Path) -> u64 {
    let mut bytes = 0;
    let _ = walk(root, &mut |_, meta| {
        if meta.is_file() {
            bytes += meta.size();
        }
        Ok(())
    });
    bytes
}

/// Takes every write permission away and lets everybody read, so that instances of any uid can share it.
pub(super) fn make_read_only(root: &Path) -> io::Result<()> {
    set_modes(root, |mode, is_dir| {
        let runs = is_dir || mode & 0o100 != 0;
        if runs { 0o555 } else { 0o444 }
    })
}

/// Removes a tree, read-only or not. A missing tree is fine.
pub(super) fn remove(root: &Path) -> io::Result<()> {
    if !root.try_exists()? {
        return Ok(());
    }
    set_modes(
        root,
        |mode, is_dir| if is_dir { 0o755 } else { mode & 0o7777 },
    )?;
    fs::remove_dir_all(root)
}

fn set_modes(root: &Path, mode_of: impl Fn(u32, bool) -> u32) -> io::Result<()> {
    let set = |path: &Path, meta: &fs::Metadata| {
        let mode = mode_of(meta.mode(), meta.is_dir());
        if meta.mode() & 0o7777 == mode {
            return Ok(());
        }
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    };
    set(root, &fs::symlink_metadata(root)?)?;
    walk(root, &mut |path, meta| {
        if meta.is_symlink() {
            Ok(())
        } else {
            set(path, meta)
        }
    })
}

/// Visits everything below `root`, a folder before what is in it.
fn walk(
    root: &Path,
    visit: &mut dyn FnMut(&Path, &fs::Metadata) -> io::Result<()>,
) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let meta = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        visit(&path, &meta)?;
        if meta.is_dir() {
            walk(&path, visit)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_sees_added_grown_and_relinked_files() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        fs::create_dir(at("bin")).unwrap();
        fs::write(at("bin/node"), "one").unwrap();
        let digest = || listing(root.path()).unwrap().digest;
        let mut seen = vec![digest()];
        fs::write(at("bin/node"), "four").unwrap();
        seen.push(digest());
        fs::write(at("extra"), "").unwrap();
        seen.push(digest());
        std::os::unix::fs::symlink("extra", at("link")).unwrap();
        seen.push(digest());
        fs::remove_file(at("link")).unwrap();
        std::os::unix::fs::symlink("bin", at("link")).unwrap();
        seen.push(digest());
        let count = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn a_read_only_tree_keeps_its_fingerprint_and_can_be_removed() {
        let root = tempfile::tempdir().unwrap();
        let tree = root.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), "x").unwrap();
        let before = listing(&tree).unwrap();
        make_read_only(&tree).unwrap();
        assert_eq!(listing(&tree).unwrap(), before);
        let mode = fs::metadata(tree.join("a/b/file")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o444);
        remove(&tree).unwrap();
        assert!(!tree.exists());
    }
}
