//! The key file: one line of base64, readable by its owner only.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use fractal_clock::Entropy;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use crate::{MasterKey, MasterKeyError};

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// Reading or writing failed.
    #[error("cannot {what} the key file {}", path.display())]
    Io {
        /// `read`, `write` or `replace`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is none, but a database that needs it.
    #[error(
        "the key file {} is missing, and the database cannot be used without it; put it back, name it with FRACTAL_SECRET_KEY_FILE, or \
         import an export with `fractal keys import FILE`",
        path.display()
    )]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// Others can read it.
    #[error("the key file {} can be read by others; run `chmod 600` on it, and rotate the key if somebody did", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// Its content is no key.
    #[error("the key file {} holds no key", path.display())]
    Content {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: MasterKeyError,
    },
    /// It holds another key than the one wanted.
    #[error("the key file {} does not open this database", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// What was expected.
        source: MasterKeyError,
    },
}

/// Reads a key file; one that others can read is refused.
///
/// # Errors
/// See [`KeyFileError`].
pub fn read_key_file(path: &Path, generation: u32) -> Result<MasterKey, KeyFileError> {
    let io = |source| KeyFileError::Io {
        what: "read",
        path: path.to_owned(),
        source,
    };
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(path).map_err(io)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyFileError::Open {
                path: path.to_owned(),
            });
        }
    }
    let text = Zeroizing::new(fs::read_to_string(path).map_err(io)?);
    MasterKey::parse(&text, generation).map_err(|source| KeyFileError::Content {
        path: path.to_owned(),
        source,
    })
}

/// Writes a key file that did not exist, mode 0600, durably. An existing file is never overwritten: it may be the only copy.
///
/// # Errors
/// [`KeyFileError::Io`], also when the file exists.
pub fn write_key_file(path: &Path, key: &MasterKey) -> Result<(), KeyFileError> {
    write(path, key).map_err(|source| KeyFileError::Io {
        what: "write",
        path: path.to_owned(),
        source,
    })
}

/// Reads the key file, or makes it at the first start. The flag says whether it was made now.
///
/// # Errors
/// See [`KeyFileError`].
pub fn load_or_create(
    path: &Path,
    entropy: &dyn Entropy,
) -> Result<(MasterKey, bool), KeyFileError> {
    if path.exists() {
        return Ok((read_key_file(path, 1)?, false));
    }
    let key = MasterKey::generate(1, entropy);
    match write_key_file(path, &key) {
        Ok(()) => Ok((key, true)),
        // Another process made it in between: theirs counts.
        Err(KeyFileError::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => {
            Ok((read_key_file(path, 1)?, false))
        }
        Err(error) => Err(error),
    }
}

fn write(path: &Path, key: &MasterKey) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    // Written aside and linked into place, so that a reader or a crash never meets half a key.
    let aside = folder.join(format!(
        ".{}.{}.new",
        path.file_name().unwrap_or_default().to_string_lossy(),
        std::process::id()
    ));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let result = (|| {
        let mut file = options.open(&aside)?;
        file.write_all(key.to_base64().expose_secret().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::hard_link(&aside, path)?;
        fs::File::open(folder)?.sync_all()
    })();
    let _ = fs::remove_file(&aside);
    result
}

#[cfg(test)]
mod tests {
    use fractal_clock::SeededEntropy;

    use super::*;

    #[test]
    fn a_key_file_is_made_once_and_read_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/secret.key");
        let entropy = SeededEntropy::new(1);
        let (made, new) = load_or_create(&path, &entropy).unwrap();
        let (read, again) = load_or_create(&path, &entropy).unwrap();
        assert!(new && !again);
        assert_eq!(made.check_value(), read.check_value());
        assert!(
            write_key_file(&path, &made).is_err(),
            "an existing key is never overwritten"
        );
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        load_or_create(&path, &SeededEntropy::new(1)).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(
            read_key_file(&path, 1),
            Err(KeyFileError::Open { .. })
        ));
    }

    #[test]
    fn a_file_without_a_key_names_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret.key");
        fs::write(&path, "nonsense").unwrap();
        #[cfg(unix)]
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let error = read_key_file(&path, 1).unwrap_err();
        assert!(matches!(error, KeyFileError::Content { .. }));
        assert!(error.to_string().contains("secret.key"));
    }
}
