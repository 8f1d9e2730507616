//! Checks an engine before an instance fails of it.

use std::path::{Path, PathBuf};

use fractal_runtime::contract::{Error, ErrorClass, InstanceSpec, Result};

use crate::preflight;

/// Makes the engine's paths real ones and checks that instances can reach them.
pub fn check_engine(spec: &mut InstanceSpec) -> Result<()> {
    let engine = &mut spec.engine;
    for (what, path) in [
        ("the engine", &mut engine.root),
        ("the engine's Node binary", &mut engine.node),
        ("the engine's entry file", &mut engine.entry),
    ] {
        *path = real(what, path)?;
        preflight::passable(
            what,
            if path.is_dir() {
                path
            } else {
                path.parent().unwrap_or(path)
            },
        )?;
    }
    Ok(())
}

fn real(what: &str, path: &Path) -> Result<PathBuf> {
    path.canonicalize().map_err(|error| {
        Error::new(
            ErrorClass::Permanent,
            format!(
                "{what} {} cannot be found; install the engine again",
                path.display()
            ),
        )
        .with_source(error)
    })
}
