//! The settings tree.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

/// Everything that must be known before the database is open.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The data folder, absolute: database, instances, sockets, backups.
    pub data_dir: PathBuf,
    /// The configuration folder, absolute; never inside the data folder by default.
    pub config_dir: PathBuf,
    /// Where people and programs connect. Default `127.0.0.1:8088`.
    pub listen: SocketAddr,
    /// The certificate that the main listener serves with; plain HTTP when absent.
    pub tls: Option<TlsFiles>,
    /// Where metrics are served; none by default.
    pub internal_listen: Option<SocketAddr>,
    /// `sqlite://…` or `postgres://…`; may hold a password.
    pub database_url: SecretString,
    /// The `pg_dump` that backs PostgreSQL up before its schema changes; searched for when absent.
    pub pg_dump: Option<PathBuf>,
    /// Once: the operator has a backup of their own, so that none is made before the schema changes. Never in the file, where it
    /// would stay.
    pub migrate_without_backup: bool,
    /// The engines, shared between installations.
    pub engines_dir: PathBuf,
    /// An engine of this machine to use instead of installing one: a folder whose `node_modules` holds `openclaw` and a Node.
    pub engine: Option<PathBuf>,
    /// Where the master key comes from.
    pub secret_key: SecretKeySource,
    /// What becomes of instances when the control plane ends; `None` decides by how it ends
    /// (Ctrl-C stops them, SIGTERM keeps them).
    pub on_exit: Option<OnExit>,
    /// The form of log lines.
    pub log_format: LogFormat,
    /// Which log lines, as a filter (`info,fractal_app=debug`).
    pub log_level: String,
    /// The address people use, when it is not the one listened on.
    pub public_url: Option<Url>,
    /// After how long without control plane a supervisor stops its instance. Default 15 minutes.
    pub supervisor_ttl: Duration,
    /// How many instances may start at once. Default: one per core.
    pub start_concurrency: usize,
}

/// A certificate with its key, as PEM files. Absolute, with links as they are: renewals move them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate of this server, then those of its issuers.
    pub certificate: PathBuf,
    /// Its private key, without a passphrase.
    pub key: PathBuf,
}

/// Where the master key comes from.
#[derive(Debug, Clone)]
pub enum SecretKeySource {
    /// The value of `FRACTAL_SECRET_KEY`.
    Variable(SecretString),
    /// A file of mode 0600, made at first start.
    File(PathBuf),
}

/// What becomes of instances when the control plane ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnExit {
    /// They go on and are adopted at the next start.
    Keep,
    /// They are stopped gracefully.
    Stop,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}
