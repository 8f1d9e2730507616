//! Replacing the key file in step with a database, so that a crash at any moment leaves a key that opens it.
//!
//! The order is: [`stage_key_file`] puts the new key durably beside the old one; the database commits what the new key wraps,
//! together with its check value; [`finish_key_swap`] keeps the old file under its generation and puts the new one in its place in
//! one step. The check value in the database says which of the two is in force, so whoever starts after a crash asks it
//! ([`settle_key_file`]) and completes or drops what was left. There is no moment without a file of the configured name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::{KeyFileError, MasterKey, read_key_file, write_key_file};

/// Puts a new key beside the present one, durably. One left behind by an attempt that never committed is replaced.
///
/// # Errors
/// [`KeyFileError::Io`].
pub fn stage_key_file(path: &Path, new: &MasterKey) -> Result<(), KeyFileError> {
    drop_staged_key(path)?;
    write_key_file(&beside(path, "next"), new)
}

/// Removes a staged key that never came into force. None is fine.
///
/// # Errors
/// [`KeyFileError::Io`].
pub fn drop_staged_key(path: &Path) -> Result<(), KeyFileError> {
    match fs::remove_file(beside(path, "next")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("replace", path)(error))
        }
        _ => Ok(()),
    }
}

/// Puts the staged key in force: the old file stays beside it under its generation, because backups of the database from
/// before need it.
///
/// # Errors
/// [`KeyFileError::Io`]; then calling again, or the next start, completes it.
pub fn finish_key_swap(path: &Path, old_generation: u32) -> Result<(), KeyFileError> {
    swap(path, &old_generation.to_string()).map_err(failed("replace", path))
}

/// Puts a key in the place of a file that does not open the database, or where there is none. What stood there stays beside it as
/// `….replaced`: it may be the only copy of another installation's key.
///
/// # Errors
/// [`KeyFileError::Io`]; then the old file is in its place, or the next start completes it.
pub fn replace_key_file(path: &Path, key: &MasterKey) -> Result<(), KeyFileError> {
    stage_key_file(path, key)?;
    swap(path, "replaced").map_err(failed("replace", path))
}

/// The key that `check_value` recognises: the file's, or the staged one after a crash between commit and swap. Changes nothing,
/// so it may be asked while another process uses the files.
///
/// # Errors
/// [`KeyFileError::Missing`] and [`KeyFileError::Wrong`] when neither is it, or what reading met.
pub fn find_key(path: &Path, check_value: &str) -> Result<MasterKey, KeyFileError> {
    find(path, check_value).map(|(key, _)| key)
}

/// Like [`find_key`], and completes or drops what a crash left. Only for the process that holds the installation.
///
/// # Errors
/// As [`find_key`], and [`KeyFileError::Io`] when the files cannot be put right.
pub fn settle_key_file(path: &Path, check_value: &str) -> Result<MasterKey, KeyFileError> {
    let (key, staged) = find(path, check_value)?;
    if staged {
        finish_key_swap(path, key.generation().saturating_sub(1))?;
    } else {
        drop_staged_key(path)?;
    }
    sweep(path).map_err(failed("replace", path))?;
    Ok(key)
}

/// The key and whether it is the staged one.
fn find(path: &Path, check_value: &str) -> Result<(MasterKey, bool), KeyFileError> {
    let read = |path: &Path| {
        read_key_file(path, 1)?
            .checked(check_value)
            .map_err(|source| KeyFileError::Wrong {
                path: path.to_owned(),
                source,
            })
    };
    match read(path) {
        Ok(key) => Ok((key, false)),
        // What is wrong with the file of the configured name is what people can act on.
        Err(error) => match read(&beside(path, "next")) {
            Ok(key) => Ok((key, true)),
            Err(_) => Err(match error {
                KeyFileError::Io { path, source, .. }
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    KeyFileError::Missing { path }
                }
                error => error,
            }),
        },
    }
}

fn swap(path: &Path, old_name: &str) -> io::Result<()> {
    if path.exists() {
        keep(path, old_name)?;
    }
    fs::rename(beside(path, "next"), path)?;
    fs::File::open(folder(path))?.sync_all()
}

/// Gives the old file a second name. A file of that name with other content is another key, and is never overwritten.
fn keep(path: &Path, ending: &str) -> io::Result<()> {
    let old = fs::read(path)?;
    let mut kept = beside(path, ending);
    let mut number = 1;
    loop {
        match fs::hard_link(path, &kept) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if fs::read(&kept)? == old {
                    return Ok(());
                }
                number += 1;
                kept = beside(path, &format!("{ending}.{number}"));
            }
            other => return other,
        }
    }
}

/// Removes half-written files of a process that was killed while it wrote one.
fn sweep(path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let prefix = format!(".{name}.");
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let found = entry.file_name();
        let found = found.to_string_lossy();
        if found.starts_with(&prefix) && found.ends_with(".new") {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."))
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> KeyFileError {
    let path = path.to_owned();
    move |source| KeyFileError::Io { what, path, source }
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;

    use super::*;

    struct Scene {
        folder: tempfile::TempDir,
        path: PathBuf,
        old: MasterKey,
        new: MasterKey,
    }

    /// A key file in force and a new key to come.
    fn scene() -> Scene {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        let entropy = SeededEntropy::new(1);
        let old = MasterKey::generate(1, &entropy);
        write_key_file(&path, &old).unwrap();
        Scene {
            folder,
            path,
            old,
            new: MasterKey::generate(2, &entropy),
        }
    }

    impl Scene {
        fn names(&self) -> Vec<String> {
            let mut names: Vec<String> = fs::read_dir(self.folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            names.sort();
            names
        }

        /// What a start after a crash finds, twice, because the first may crash as well.
        fn settles_to(&self, key: &MasterKey, names: &[&str]) {
            let check = key.check_value();
            assert_eq!(find_key(&self.path, &check).unwrap().check_value(), check);
            for _ in 0..2 {
                let found = settle_key_file(&self.path, &check).unwrap();
                assert_eq!(found.check_value(), check);
                assert_eq!(self.names(), names);
            }
            assert_eq!(
                read_key_file(&self.path, key.generation())
                    .unwrap()
                    .check_value(),
                check
            );
        }
    }

    #[test]
    fn a_crash_before_the_commit_leaves_the_old_key_in_force() {
        let half = scene();
        fs::write(half.folder.path().join(".secret.key.next.77.new"), "ha").unwrap();
        half.settles_to(&half.old, &["secret.key"]);
        let staged = scene();
        stage_key_file(&staged.path, &staged.new).unwrap();
        staged.settles_to(&staged.old, &["secret.key"]);
    }

    #[test]
    fn a_crash_after_the_commit_is_completed_from_every_point() {
        let whole = ["secret.key", "secret.key.1"];
        let committed = scene();
        stage_key_file(&committed.path, &committed.new).unwrap();
        committed.settles_to(&committed.new, &whole);
        let kept = scene();
        stage_key_file(&kept.path, &kept.new).unwrap();
        keep(&kept.path, "1").unwrap();
        kept.settles_to(&kept.new, &whole);
        let done = scene();
        stage_key_file(&done.path, &done.new).unwrap();
        finish_key_swap(&done.path, 1).unwrap();
        done.settles_to(&done.new, &whole);
        assert_eq!(
            find_key(
                &done.folder.path().join("secret.key.1"),
                &done.old.check_value()
            )
            .unwrap()
            .check_value(),
            done.old.check_value()
        );
    }

    #[test]
    fn a_file_that_was_moved_away_before_the_new_one_came_is_no_loss() {
        let scene = scene();
        stage_key_file(&scene.path, &scene.new).unwrap();
        fs::rename(&scene.path, scene.folder.path().join("secret.key.1")).unwrap();
        scene.settles_to(&scene.new, &["secret.key", "secret.key.1"]);
    }

    #[test]
    fn a_kept_key_of_the_same_generation_is_never_overwritten() {
        let scene = scene();
        let other = scene.folder.path().join("secret.key.1");
        write_key_file(&other, &MasterKey::generate(1, &SeededEntropy::new(9))).unwrap();
        stage_key_file(&scene.path, &scene.new).unwrap();
        finish_key_swap(&scene.path, 1).unwrap();
        assert_eq!(
            scene.names(),
            ["secret.key", "secret.key.1", "secret.key.1.2"]
        );
        assert!(find_key(&other, &scene.old.check_value()).is_err());
    }

    #[test]
    fn a_key_takes_the_place_of_a_wrong_one_or_of_none() {
        let scene = scene();
        let (wrong, check) = (fs::read(&scene.path).unwrap(), scene.new.check_value());
        replace_key_file(&scene.path, &scene.new).unwrap();
        scene.settles_to(&scene.new, &["secret.key", "secret.key.replaced"]);
        let kept = scene.folder.path().join("secret.key.replaced");
        assert_eq!(fs::read(kept).unwrap(), wrong);
        fs::remove_file(&scene.path).unwrap();
        let missing = settle_key_file(&scene.path, &check).unwrap_err();
        assert!(matches!(missing, KeyFileError::Missing { .. }));
        assert!(missing.to_string().contains("fractal keys import FILE"));
        replace_key_file(&scene.path, &scene.new).unwrap();
        scene.settles_to(&scene.new, &["secret.key", "secret.key.replaced"]);
        // Killed before the swap: the next start completes it.
        fs::remove_file(&scene.path).unwrap();
        stage_key_file(&scene.path, &scene.new).unwrap();
        scene.settles_to(&scene.new, &["secret.key", "secret.key.replaced"]);
    }

    #[test]
    fn a_key_that_is_neither_is_refused_and_nothing_is_touched() {
        let scene = scene();
        stage_key_file(&scene.path, &scene.new).unwrap();
        let third = MasterKey::generate(3, &SeededEntropy::new(5)).check_value();
        assert!(matches!(
            settle_key_file(&scene.path, &third),
            Err(KeyFileError::Wrong { .. })
        ));
        assert_eq!(scene.names(), ["secret.key", "secret.key.next"]);
    }
}
