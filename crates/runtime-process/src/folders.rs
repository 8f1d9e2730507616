//! Makes and removes the folders of an instance, with the rights that keep instances apart.

use std::{
    fs::{self, DirBuilder, Permissions},
    io,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use fractal_runtime::{
    contract::{Error, ErrorClass, Result},
    layout::InstanceDirs,
    supervisor::record::Record,
};
use fractal_types::{Generation, InstanceId};

use crate::erase::erase;

/// The data folder.
#[derive(Debug, Clone)]
pub struct Folders {
    data: PathBuf,
}

impl Folders {
    /// Makes the data folder ready. Others may pass through (instances have user ids of their own), but not
    /// look around.
    pub fn open(data: &Path) -> Result<Self> {
        let make = || -> io::Result<PathBuf> {
            DirBuilder::new().recursive(true).mode(0o711).create(data)?;
            let data = data.canonicalize()?;
            for (name, mode) in [("instances", 0o711), ("removed", 0o700)] {
                make(&data.join(name), mode, None)?;
            }
            Ok(data)
        };
        make()
            .map(|data| Self { data })
            .map_err(|error| cannot("make the data folder", data, error))
    }

    /// The data folder.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The folders of one instance, made or not.
    pub fn of(&self, id: InstanceId) -> InstanceDirs {
        InstanceDirs::new(self.data.join("instances").join(id.to_string()))
    }

    /// Every instance that has a folder.
    pub fn all(&self) -> Result<Vec<InstanceId>> {
        let folder = self.data.join("instances");
        let entries = fs::read_dir(&folder).map_err(|error| cannot("list", &folder, error))?;
        let mut ids: Vec<InstanceId> = entries
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Makes what an instance needs, with a record. `uid` is asked for once in an instance's life.
    pub fn prepare(
        &self,
        id: InstanceId,
        uid: impl FnOnce() -> Result<Option<u32>>,
    ) -> Result<Record> {
        let dirs = self.of(id);
        let fail = |error| cannot("make", dirs.root(), error);
        make(dirs.root(), 0o711, None).map_err(fail)?;
        make(&dirs.supervisor(), 0o700, None).map_err(fail)?;
        let record = match Record::load(&dirs.supervisor())? {
            Some(record) => record,
            None => {
                let mut record = Record::new(id, uid()?);
                record.generation = self.fence_of_removed(id);
                record.save(&dirs.supervisor())?;
                record
            }
        };
        let own = record.uid;
        make(&dirs.logs(), 0o700, None).map_err(fail)?;
        make(&dirs.etc(), 0o755, None).map_err(fail)?;
        make(&dirs.home(), 0o700, own.map(|uid| (uid, uid))).map_err(fail)?;
        // Ours to bind in, the instance's group to connect through, closed to everybody else.
        make(&dirs.listener(), 0o750, own.map(|uid| (0, uid))).map_err(fail)?;
        Ok(record)
    }

    /// Removes everything of an instance but its fence.
    pub fn remove(&self, id: InstanceId, generation: Generation) -> Result<()> {
        let dirs = self.of(id);
        self.note_fence(id, generation)?;
        erase(dirs.root()).map_err(|error| cannot("remove", dirs.root(), error))
    }

    /// Keeps the fence of an instance that has no record.
    pub fn note_fence(&self, id: InstanceId, generation: Generation) -> Result<()> {
        let tombstone = self.data.join("removed").join(id.to_string());
        fs::write(&tombstone, generation.to_string())
            .map_err(|error| cannot("write", &tombstone, error))
    }

    /// The highest generation of an instance that is gone for good; zero when it never was.
    pub fn fence_of_removed(&self, id: InstanceId) -> Generation {
        let text = fs::read_to_string(self.data.join("removed").join(id.to_string()));
        Generation(text.ok().and_then(|text| text.parse().ok()).unwrap_or(0))
    }
}

/// Makes a folder with exactly these rights, whatever the umask; puts right what is there.
fn make(path: &Path, mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    // The parents are ours alone to write, so this is the folder just made and not a link.
    fs::set_permissions(path, Permissions::from_mode(mode))?;
    match owner {
        Some((uid, gid)) => chown(path, Some(uid), Some(gid)),
        None => Ok(()),
    }
}

fn cannot(what: &str, path: &Path, error: io::Error) -> Error {
    Error::new(
        ErrorClass::Retry,
        format!(
            "cannot {what} {}: {error}; check free space and rights",
            path.display()
        ),
    )
    .with_source(error)
}
