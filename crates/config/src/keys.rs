//! The keys of the configuration file with the variable and the flag that set the same: the one table that the loader reads and the
//! operator's page is made from.

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The name in `fractal.toml`.
    pub name: &'static str,
    /// The variable.
    pub variable: &'static str,
    /// The flag of `fractal serve`, when there is one.
    pub flag: Option<&'static str>,
    /// Whether its value is a number.
    pub is_number: bool,
    /// What holds when nobody sets it.
    pub default: &'static str,
    /// What it is.
    pub meaning: &'static str,
}

const fn key(
    name: &'static str,
    variable: &'static str,
    flag: Option<&'static str>,
    default: &'static str,
    meaning: &'static str,
) -> Key {
    Key {
        name,
        variable,
        flag,
        is_number: false,
        default,
        meaning,
    }
}

impl Key {
    const fn number(self) -> Self {
        Self {
            is_number: true,
            ..self
        }
    }
}

/// Every key. One variable has a name of its own because deployments expect it.
pub const KEYS: &[Key] = &[
    key(
        "listen",
        "FRACTAL_LISTEN",
        Some("--listen"),
        "`127.0.0.1:8088`",
        "where people and programs connect",
    ),
    key(
        "public_url",
        "FRACTAL_PUBLIC_URL",
        Some("--public-url"),
        "none",
        "the address people use, when it is not the one listened on; what is set in the Portal wins",
    ),
    key(
        "tls.certificate",
        "FRACTAL_TLS_CERT",
        Some("--tls-cert"),
        "none: plain HTTP",
        "a PEM file with the certificate and those between it and its authority; read again when it changes",
    ),
    key(
        "tls.key",
        "FRACTAL_TLS_KEY",
        Some("--tls-key"),
        "none",
        "a PEM file with the certificate's private key",
    ),
    key(
        "database_url",
        "DATABASE_URL",
        None,
        "`sqlite://DATA/fractal.db`",
        "`sqlite://PATH` or `postgres://USER:PASSWORD@HOST/NAME`",
    ),
    key(
        "pg_dump",
        "FRACTAL_PG_DUMP",
        Some("--pg-dump"),
        "`pg_dump`, found like any program",
        "the program that backs PostgreSQL up before its schema changes",
    ),
    key(
        "data_dir",
        "FRACTAL_DATA_DIR",
        Some("--data"),
        "`/var/lib/fractal`, or `~/.local/share/fractal`",
        "database, homes and logs of agents, sockets; in the file it cannot move the file itself",
    ),
    key(
        "engines_dir",
        "FRACTAL_ENGINES_DIR",
        Some("--engines"),
        "`/var/cache/fractal/engines`, or `~/.cache/fractal/engines`",
        "installed engines; may be shared by several installations",
    ),
    key(
        "engine",
        "FRACTAL_ENGINE",
        Some("--engine"),
        "none: one is installed",
        "an engine of this machine to use instead: a folder whose `node_modules` holds `openclaw` and a Node",
    ),
    key(
        "secret_key_file",
        "FRACTAL_SECRET_KEY_FILE",
        None,
        "in `/etc/fractal`, or `~/.config/fractal`",
        "the file of the secret key, made at the first start; not used while `FRACTAL_SECRET_KEY` is set",
    ),
    key(
        "internal_listen",
        "FRACTAL_INTERNAL_LISTEN",
        Some("--internal-listen"),
        "none: metrics are on `DATA/metrics.sock` only",
        "an address to serve metrics on as well",
    ),
    key(
        "on_exit",
        "FRACTAL_ON_EXIT",
        Some("--on-exit"),
        "by the signal",
        "what becomes of running agents at the end: `keep` or `stop`; Ctrl-C stops them, SIGTERM keeps them",
    ),
    key(
        "start_concurrency",
        "FRACTAL_START_CONCURRENCY",
        None,
        "one for each core",
        "agents that may start at the same time",
    )
    .number(),
    key(
        "supervisor_ttl_minutes",
        "FRACTAL_SUPERVISOR_TTL_MINUTES",
        None,
        "`15`",
        "minutes without a control plane after which a supervisor stops its agent",
    )
    .number(),
    key(
        "log_level",
        "FRACTAL_LOG_LEVEL",
        Some("--log-level"),
        "`info`",
        "which log lines, as a filter like `info,fractal_app=debug`",
    ),
    key(
        "log_format",
        "FRACTAL_LOG_FORMAT",
        Some("--log-format"),
        "`text`",
        "`text` or `json`",
    ),
];

/// Variables that set no key, and what they do.
pub const OTHER_VARIABLES: &[(&str, &str)] = &[
    (
        "FRACTAL_SECRET_KEY",
        "the secret key itself, 32 bytes as base64; wins over the file, and is then rotated by hand",
    ),
    (
        "FRACTAL_MIGRATE_WITHOUT_BACKUP",
        "`1`: changes the schema once without a backup of ours, after you made one; as `--migrate-without-backup`",
    ),
    ("FRACTAL_CONFIG", "the configuration file; as `--config`"),
    (
        "FRACTAL_CONFIG_DIR",
        "the folder of the secret key and of what `fractal login` keeps",
    ),
    (
        "FRACTAL_URL",
        "the server that the command line talks to; as `--url`",
    ),
    (
        "FRACTAL_TOKEN",
        "the API token of the command line, instead of the one that `fractal login` keeps",
    ),
    ("NO_COLOR", "no colours"),
];
