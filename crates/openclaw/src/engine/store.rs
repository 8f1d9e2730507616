//! The engines folder: what is in it, and how something gets there.

use std::{
    fs::{File, TryLockError},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::{Deserialize, Serialize};

use super::{
    EngineError, Phase, Pin, Progress,
    install::{self, Listener},
    pin::Platform,
    tree::{self, Listing, MANIFEST},
    verify,
};

/// How often a second installer looks whether the first is done.
const LOCK_EVERY: Duration = Duration::from_millis(200);

/// An engine on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// The `OpenClaw` version.
    pub version: String,
    /// The Node version.
    pub node_version: String,
    /// The folder that holds `node_modules`; mount this.
    pub root: PathBuf,
    /// The Node binary.
    pub node: PathBuf,
    /// What Node is given to run, followed by `gateway run`.
    pub entry: PathBuf,
    /// The fingerprint of the tree.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
}

/// What is written beside a finished engine.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    version: String,
    node_version: String,
    digest: String,
    bytes: u64,
}

impl EngineInfo {
    /// An engine already on this machine: a folder whose `node_modules` holds `openclaw` and a Node.
    ///
    /// # Errors
    ///
    /// [`EngineError::Damaged`] when it does not run, [`EngineError::WrongNode`], [`EngineError::Platform`].
    pub async fn at(root: impl Into<PathBuf>) -> Result<Self, EngineError> {
        let root = root.into();
        let (node, entry) = parts(&root, &Platform::this()?)?;
        let (node_version, version) = verify::versions(&root, &node, &entry).await?;
        let Listing { digest, bytes } = listing(&root.join("node_modules")).await?;
        Ok(Self {
            version,
            node_version,
            root,
            node,
            entry,
            digest,
            bytes,
        })
    }
}

/// The shared folder engines are installed into.
#[derive(Debug, Clone)]
pub struct EngineStore {
    folder: PathBuf,
    npm: PathBuf,
}

impl EngineStore {
    /// A store in `folder`, which is made when needed. It takes about 1.2 GB per engine with npm's cache.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            npm: PathBuf::from("npm"),
        }
    }

    /// Uses another npm than the one on the path.
    #[must_use]
    pub fn with_npm(mut self, npm: impl Into<PathBuf>) -> Self {
        self.npm = npm.into();
        self
    }

    /// The finished engines.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the folder cannot be read; a missing folder is an empty one.
    pub fn list(&self) -> Result<Vec<EngineInfo>, EngineError> {
        let entries = match std::fs::read_dir(&self.folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(EngineError::io("read", &self.folder))?,
        };
        let mut found: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with("openclaw-"))
            .filter_map(|entry| read(&entry.path()))
            .collect();
        found.sort_by(|a, b| a.root.cmp(&b.root));
        Ok(found)
    }

    /// The engine of a version, installed if it is not there. Of two callers, also in two processes, one
    /// installs and the other waits.
    ///
    /// # Errors
    ///
    /// Every [`EngineError`]; its text says what to do. Calling again goes on with what npm's cache has.
    pub async fn ensure(
        &self,
        version: &str,
        listener: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<EngineInfo, EngineError> {
        let pin = Pin::find(version)?;
        let platform = Platform::this()?;
        let root = self.root(pin);
        if let Some(info) = read(&root) {
            listener(whole(Phase::Done, pin, &platform, info.bytes));
            return Ok(info);
        }
        tell(listener, Phase::Prepare);
        std::fs::create_dir_all(&self.folder).map_err(EngineError::io("make", &self.folder))?;
        let _lock = self.lock(version).await?;
        if let Some(info) = read(&root) {
            listener(whole(Phase::Done, pin, &platform, info.bytes));
            return Ok(info);
        }
        install::check_space(self.folder.clone())?;
        let staging = self.folder.join(format!(".staging-{version}"));
        remove(&staging).await?;
        // Without a manifest it is somebody's broken copy.
        remove(&root).await?;
        std::fs::create_dir(&staging).map_err(EngineError::io("make", &staging))?;
        let cache = self.folder.join("npm-cache");
        install::install(&self.npm, pin, &platform, &staging, &cache, listener).await?;
        self.finish(pin, &platform, &staging, &root, listener).await
    }

    /// Checks an engine again: it runs, says the same versions, and its tree is as it was.
    ///
    /// # Errors
    ///
    /// [`EngineError::Damaged`] says what is different.
    pub async fn verify(&self, info: &EngineInfo) -> Result<(), EngineError> {
        let ours = info.root.join(MANIFEST).is_file();
        let tree = if ours {
            info.root.clone()
        } else {
            info.root.join("node_modules")
        };
        let now = listing(&tree).await?;
        if now.digest != info.digest {
            return Err(EngineError::damaged(
                &info.root,
                "files were changed, added or removed",
            ));
        }
        let (node, openclaw) = verify::versions(&info.root, &info.node, &info.entry).await?;
        if (&node, &openclaw) != (&info.node_version, &info.version) {
            let why = format!("it says OpenClaw {openclaw} on Node {node}");
            return Err(EngineError::damaged(&info.root, why));
        }
        Ok(())
    }

    /// Removes an engine of this store. The caller knows that no instance uses it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Damaged`] for a folder outside the store, [`EngineError::Io`].
    pub async fn remove(&self, info: &EngineInfo) -> Result<(), EngineError> {
        if info.root.parent() != Some(self.folder.as_path()) {
            return Err(EngineError::damaged(
                &info.root,
                "it does not belong to this store",
            ));
        }
        remove(&info.root).await
    }

    fn root(&self, pin: &Pin) -> PathBuf {
        self.folder.join(format!(
            "openclaw-{}-node-{}",
            pin.version, pin.node_version
        ))
    }

    async fn finish(
        &self,
        pin: &'static Pin,
        platform: &Platform,
        staging: &Path,
        root: &Path,
        listener: Listener<'_>,
    ) -> Result<EngineInfo, EngineError> {
        tell(listener, Phase::Verify);
        let (node, entry) = parts(staging, platform)?;
        let (node_version, version) = verify::versions(staging, &node, &entry).await?;
        if (node_version.as_str(), version.as_str()) != (pin.node_version, pin.version) {
            let why = format!("it says OpenClaw {version} on Node {node_version}");
            return Err(EngineError::damaged(staging, why));
        }
        let Listing { digest, bytes } = listing(staging).await?;
        let manifest = Manifest {
            version,
            node_version,
            digest,
            bytes,
        };
        let path = staging.join(MANIFEST);
        let text = serde_json::to_vec_pretty(&manifest)
            .map_err(|error| EngineError::damaged(staging, error.to_string()))?;
        std::fs::write(&path, text).map_err(EngineError::io("write", path))?;
        let (from, to) = (staging.to_owned(), root.to_owned());
        tokio::task::spawn_blocking(move || {
            tree::make_read_only(&from)?;
            std::fs::rename(&from, &to)
        })
        .await?
        .map_err(EngineError::io("move into place", root))?;
        listener(whole(Phase::Done, pin, platform, bytes));
        read(root).ok_or_else(|| EngineError::damaged(root, "it vanished after the install"))
    }

    /// Waits for the install lock; it is released when the file closes, also by a crash.
    async fn lock(&self, version: &str) -> Result<File, EngineError> {
        let path = self.folder.join(format!(".lock-{version}"));
        let file = File::create(&path).map_err(EngineError::io("make", &path))?;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_EVERY).await,
                Err(TryLockError::Error(error)) => {
                    return Err(EngineError::io("lock", path)(error));
                }
            }
        }
    }
}

/// Reads a finished engine; `None` when it has no manifest or misses its main parts.
fn read(root: &Path) -> Option<EngineInfo> {
    let text = std::fs::read(root.join(MANIFEST)).ok()?;
    let manifest: Manifest = serde_json::from_slice(&text).ok()?;
    let (node, entry) = parts(root, &Platform::this().ok()?).ok()?;
    Some(EngineInfo {
        version: manifest.version,
        node_version: manifest.node_version,
        root: root.to_owned(),
        node,
        entry,
        digest: manifest.digest,
        bytes: manifest.bytes,
    })
}

/// Node and entry below a root.
fn parts(root: &Path, platform: &Platform) -> Result<(PathBuf, PathBuf), EngineError> {
    let node = platform
        .node_below(root)
        .ok_or_else(|| EngineError::damaged(root, "it has no Node binary for this machine"))?;
    let entry = root.join("node_modules/openclaw/openclaw.mjs");
    if !entry.is_file() {
        return Err(EngineError::damaged(
            root,
            "it has no node_modules/openclaw",
        ));
    }
    Ok((node, entry))
}

async fn listing(root: &Path) -> Result<Listing, EngineError> {
    let path = root.to_owned();
    tokio::task::spawn_blocking(move || tree::listing(&path))
        .await?
        .map_err(EngineError::io("read", root))
}

async fn remove(root: &Path) -> Result<(), EngineError> {
    let path = root.to_owned();
    tokio::task::spawn_blocking(move || tree::remove(&path))
        .await?
        .map_err(EngineError::io("remove", root))
}

fn tell(listener: Listener<'_>, phase: Phase) {
    listener(Progress {
        phase,
        packages_done: 0,
        packages_total: 0,
        bytes_done: 0,
        bytes_total: 0,
    });
}

fn whole(phase: Phase, pin: &Pin, platform: &Platform, bytes: u64) -> Progress {
    let packages = pin.packages(platform).len() as u64;
    Progress {
        phase,
        packages_done: packages,
        packages_total: packages,
        bytes_done: bytes,
        bytes_total: bytes,
    }
}
