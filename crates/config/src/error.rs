//! Errors that point at the key and say where it was set.

use std::path::PathBuf;

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A value that cannot be.
    #[error("{key} (set in {place}) cannot be used: {reason}")]
    Value {
        /// The key as it is written in the file.
        key: String,
        /// The file, the environment, or the command line.
        place: String,
        /// What is wrong. Never shows values of secret keys.
        reason: String,
    },
    /// The named file is not there or cannot be read.
    #[error("the configuration file {path} cannot be read; correct --config or its permissions")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// There is no home folder to derive the default folders from.
    #[error("no folder for {what} is known, because HOME is not set; set it or pass {flag}")]
    NoHome {
        /// What it is for.
        what: &'static str,
        /// What to pass instead.
        flag: &'static str,
    },
}

/// Keys whose values never stand in a message.
const SECRET: [&str; 2] = ["database_url", "secret_key"];

impl ConfigError {
    pub(crate) fn from_figment(error: figment::Error) -> Self {
        // Several errors come as a chain; the first one is enough to mend and try again.
        let error = error.into_iter().next();
        let Some(error) = error else {
            return Self::Value {
                key: "(unknown)".into(),
                place: "the settings".into(),
                reason: "they contradict each other".into(),
            };
        };
        let mut key = error.path.join(".");
        if key.is_empty() {
            match &error.kind {
                figment::error::Kind::UnknownField(name, _) => key.clone_from(name),
                figment::error::Kind::MissingField(name) => key = name.to_string(),
                _ => {}
            }
        }
        let place = error.metadata.as_ref().map_or_else(
            || "the settings".to_owned(),
            |metadata| match &metadata.source {
                Some(source) => source.to_string(),
                None => metadata.name.to_string(),
            },
        );
        let reason = if SECRET.contains(&key.as_str()) {
            "it has the wrong form".to_owned()
        } else {
            error.kind.to_string()
        };
        Self::Value { key, place, reason }
    }
}
