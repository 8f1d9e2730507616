//! Where things live by default, on which machine and for whom.

use std::{collections::BTreeMap, path::PathBuf};

use crate::ConfigError;

/// Environment variables, as values.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Those of this process. Variables that are not Unicode are left out.
    #[must_use]
    pub fn of_process() -> Self {
        Self(
            std::env::vars_os()
                .filter_map(|(key, value)| {
                    Some((key.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
        )
    }

    /// A variable; an empty one counts as unset.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .get(key)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(pairs: [(&str, &str); N]) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        )
    }
}

/// What the defaults depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Platform {
    /// Root on Linux: system folders instead of those of a person.
    pub system: bool,
    /// How many cores there are.
    pub cores: usize,
}

impl Platform {
    /// This machine and this process.
    #[must_use]
    pub fn here() -> Self {
        Self {
            system: cfg!(target_os = "linux") && rustix::process::geteuid().is_root(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
        }
    }

    pub(crate) fn data_dir(self, environment: &Environment) -> Result<PathBuf, ConfigError> {
        self.folder(
            environment,
            "/var/lib/fractal",
            "XDG_DATA_HOME",
            ".local/share",
            "data",
            "--data",
        )
    }

    pub(crate) fn engines_dir(self, environment: &Environment) -> Result<PathBuf, ConfigError> {
        let cache = self.folder(
            environment,
            "/var/cache/fractal",
            "XDG_CACHE_HOME",
            ".cache",
            "engines",
            "--engines",
        )?;
        Ok(cache.join("engines"))
    }

    pub(crate) fn config_dir(self, environment: &Environment) -> Result<PathBuf, ConfigError> {
        if let Some(dir) = environment.get("FRACTAL_CONFIG_DIR") {
            return Ok(dir.into());
        }
        self.folder(
            environment,
            "/etc/fractal",
            "XDG_CONFIG_HOME",
            ".config",
            "configuration",
            "FRACTAL_CONFIG_DIR",
        )
    }

    fn folder(
        self,
        environment: &Environment,
        system: &str,
        variable: &str,
        in_home: &str,
        what: &'static str,
        flag: &'static str,
    ) -> Result<PathBuf, ConfigError> {
        if self.system {
            return Ok(system.into());
        }
        // The XDG rules: a relative value is to be ignored.
        let named = environment.get(variable).map(PathBuf::from);
        if let Some(dir) = named.filter(|dir| dir.is_absolute()) {
            return Ok(dir.join("fractal"));
        }
        environment
            .get("HOME")
            .map(|home| PathBuf::from(home).join(in_home).join("fractal"))
            .ok_or(ConfigError::NoHome { what, flag })
    }
}
