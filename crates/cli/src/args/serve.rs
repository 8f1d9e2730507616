//! What runs on this machine: the server, the demonstration, the look for what is wrong; and signing in and talking.

use std::{net::SocketAddr, path::PathBuf};

use super::Machine;
use clap::{Args, ValueEnum};
use fractal_types::Username;

/// `fractal serve`.
#[derive(Debug, Clone, Default, Args)]
pub struct ServeArgs {
    /// Where things are.
    #[command(flatten)]
    pub machine: Machine,
    /// An engine of this machine to use instead of installing one: a folder whose node_modules holds openclaw and a Node
    #[arg(long, value_name = "DIR")]
    pub engine: Option<PathBuf>,
    /// Address to listen on [default: 127.0.0.1:8088]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<SocketAddr>,
    /// Its certificate.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Address to serve metrics on; none when absent
    #[arg(long, value_name = "HOST:PORT")]
    pub internal_listen: Option<SocketAddr>,
    /// What becomes of running instances at the end [default: keep on SIGTERM, stop on Ctrl-C]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub on_exit: Option<OnExit>,
    /// The address people use, when it is not the one listened on
    #[arg(long, value_name = "URL")]
    pub public_url: Option<url::Url>,
    /// The pg_dump that backs PostgreSQL up into the data folder before an upgrade changes its schema; searched for
    /// when absent
    #[arg(long, value_name = "FILE")]
    pub pg_dump: Option<PathBuf>,
    /// Once, after a backup of your own: let an upgrade change the schema of the database without making one
    /// (also FRACTAL_MIGRATE_WITHOUT_BACKUP=1)
    #[arg(long)]
    pub migrate_without_backup: bool,
    /// Which log lines, as a filter like info,fractal_app=debug
    #[arg(long, value_name = "FILTER")]
    pub log_level: Option<String>,
    /// The form of log lines
    #[arg(long, value_enum, value_name = "FORM")]
    pub log_format: Option<LogFormat>,
}

/// The certificate of the main listener.
#[derive(Debug, Clone, Default, Args)]
pub struct TlsArgs {
    /// Certificate to serve HTTPS with: a PEM file, this server's own first, then its issuers'. A new one is taken over
    /// when the file changes, or on SIGHUP
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate: a PEM file without a passphrase
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// What becomes of running instances when the server ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnExit {
    /// They go on and are adopted at the next start
    Keep,
    /// They are stopped gracefully
    Stop,
}

/// The form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object per line
    Json,
}

/// `fractal demo`.
#[derive(Debug, Clone, Default, Args)]
pub struct DemoArgs {
    /// Folder of installed engines; may be shared by several installations
    #[arg(long, value_name = "DIR")]
    pub engines: Option<PathBuf>,
    /// An engine of this machine to use instead of installing one
    #[arg(long, value_name = "DIR")]
    pub engine: Option<PathBuf>,
}

/// `fractal doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// Where things are.
    #[command(flatten)]
    pub machine: Machine,
    /// Address the server listens on, or should [default: 127.0.0.1:8088]
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<SocketAddr>,
    /// Its certificate.
    #[command(flatten)]
    pub tls: TlsArgs,
    /// Mend what can be mended without risk
    #[arg(long)]
    pub fix: bool,
}

/// `fractal login`.
#[derive(Debug, Clone, Args)]
pub struct LoginArgs {
    /// Your sign-in name; asked for when absent
    #[arg(long, value_name = "NAME")]
    pub username: Option<Username>,
    /// Enter an API token made in the Portal instead of a password
    #[arg(long, conflicts_with = "username")]
    pub token: bool,
    /// Days until the kept token ends; 0 for never
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(0..=3650), default_value_t = 90)]
    pub expires_in_days: u32,
}

/// `fractal chat`.
#[derive(Debug, Clone, Args)]
pub struct ChatArgs {
    /// The agent, by instance id or name; your only one when absent
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// The session; the agent's main one when absent
    #[arg(long, value_name = "KEY")]
    pub session: Option<String>,
    /// The message; read from standard input when absent, or a conversation when that is a terminal
    pub message: Option<String>,
}
