//! Finds out what this machine can do, and says what is missing before an instance fails of it.

use std::{
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use fractal_runtime::contract::{Error, ErrorClass, Result};

use crate::settings::Bubblewrap;

/// What was found of bubblewrap: the binary, or why there is none and what helps.
pub fn bubblewrap(wanted: &Bubblewrap) -> Result<std::result::Result<PathBuf, String>> {
    let install = "install it (Debian, Ubuntu: apt-get install bubblewrap) and start again";
    match wanted {
        Bubblewrap::Off => Ok(Err(
            "bubblewrap is switched off in the settings: instances are plain processes of one trust domain".to_owned(),
        )),
        Bubblewrap::At(path) => works(path).map(|()| Ok(path.clone())).map_err(|why| {
            Error::new(
                ErrorClass::Permanent,
                format!("bubblewrap at {} does not work: {why}", path.display()),
            )
        }),
        Bubblewrap::Auto => {
            let found = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"]
                .iter()
                .map(PathBuf::from)
                .find(|path| path.is_file());
            let Some(path) = found else {
                return Ok(Err(format!("bubblewrap is not installed: instances are plain processes; {install}")));
            };
            Ok(works(&path).map(|()| path).map_err(|why| {
                format!(
                    "bubblewrap does not work here ({why}): instances are plain processes; allow unprivileged user \
                     namespaces (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces, \
                     kernel.apparmor_restrict_unprivileged_userns=0)"
                )
            }))
        }
    }
}

/// Tries the very namespaces that instances get, as a user without rights when we are root.
fn works(bubblewrap: &Path) -> std::result::Result<(), String> {
    let mut command = Command::new(bubblewrap);
    command
        .args([
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-net",
        ])
        .args(["--disable-userns", "--cap-drop", "ALL", "--die-with-parent"])
        .args([
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc",
            "--dev",
            "/dev",
            "--",
            "/bin/true",
        ])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        use std::os::unix::process::CommandExt as _;
        command.uid(65_534).gid(65_534);
    }
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(said
                .lines()
                .last()
                .unwrap_or("it failed silently")
                .to_owned())
        }
        Err(error) => Err(error.to_string()),
    }
}

/// Checks that every folder above `path`, and `path` itself, lets other users pass. Only root gives
/// instances user ids of their own, so only then does it matter.
///
/// # Errors
/// Names the folder and the remedy.
pub fn passable(what: &str, path: &Path) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let real = path.canonicalize().map_err(|error| {
        Error::new(
            ErrorClass::Permanent,
            format!("{what} {} cannot be found", path.display()),
        )
        .with_source(error)
    })?;
    for folder in real.ancestors() {
        let mode = folder
            .metadata()
            .map(|meta| meta.permissions().mode())
            .unwrap_or(0o777);
        if mode & 0o001 == 0 {
            return Err(Error::new(
                ErrorClass::Permanent,
                format!(
                    "instances run under user ids of their own and cannot reach {what} {}, because {} is closed to \
                     others; move it elsewhere (for example below /var/lib or /opt) or open the folder with: chmod o+x {}",
                    real.display(),
                    folder.display(),
                    folder.display()
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_folder_on_the_way_is_named_with_the_remedy() {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("closed");
        let inside = closed.join("inside");
        std::fs::create_dir_all(&inside).unwrap();
        for (path, mode) in [(folder.path(), 0o755), (&closed, 0o700), (&inside, 0o755)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let error = passable("the engine", &inside).unwrap_err();
        assert!(
            error
                .message
                .contains(&format!("chmod o+x {}", closed.display())),
            "{error}"
        );
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o711)).unwrap();
        passable("the engine", &inside).unwrap();
    }
}
