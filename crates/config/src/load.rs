//! The one function that lays the layers on top of each other.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Serialized, Toml},
    value::{Dict, Map, Value},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    ConfigError, Environment, KEYS, LogFormat, OnExit, Platform, SecretKeySource, Settings,
    TlsFiles,
};

/// What the command line said; nothing by default.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Flags {
    /// `--config`: the file; `fractal.toml` in the data folder when it is there.
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// `--data`
    #[serde(rename = "data_dir", skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// `--engines`
    #[serde(rename = "engines_dir", skip_serializing_if = "Option::is_none")]
    pub engines: Option<PathBuf>,
    /// `--engine`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<PathBuf>,
    /// `--listen`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    /// `--tls-cert` and `--tls-key`
    #[serde(skip_serializing_if = "Tls::is_empty")]
    pub tls: Tls,
    /// `--internal-listen`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub internal_listen: Option<SocketAddr>,
    /// `--on-exit`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_exit: Option<OnExit>,
    /// `--log-format`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_format: Option<LogFormat>,
    /// `--log-level`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_level: Option<String>,
    /// `--public-url`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<Url>,
    /// `--pg-dump`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pg_dump: Option<PathBuf>,
    /// `--migrate-without-backup`; not a key of the file, where it would stay.
    #[serde(skip)]
    pub migrate_without_backup: bool,
}

/// The certificate of the main listener as it is written; one without the other is an error.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// A PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<PathBuf>,
    /// A PEM file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
}

impl Tls {
    const fn is_empty(&self) -> bool {
        self.certificate.is_none() && self.key.is_none()
    }

    fn files(self) -> Result<Option<TlsFiles>, ConfigError> {
        let (missing, present) = match (self.certificate, self.key) {
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => {
                return Ok(Some(TlsFiles {
                    certificate: absolute(certificate),
                    key: absolute(key),
                }));
            }
            (Some(_), None) => ("tls.key", "tls.certificate"),
            (None, Some(_)) => ("tls.certificate", "tls.key"),
        };
        Err(refuse(
            missing,
            &format!(
                "it is missing, but {present} is set; a certificate and its key belong together"
            ),
        ))
    }
}

/// The keys of the file. Unknown ones are errors: a misspelt setting must not be silently ignored.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    data_dir: Option<PathBuf>,
    engines_dir: Option<PathBuf>,
    engine: Option<PathBuf>,
    listen: SocketAddr,
    #[serde(default)]
    tls: Tls,
    internal_listen: Option<SocketAddr>,
    database_url: Option<SecretString>,
    secret_key_file: Option<PathBuf>,
    on_exit: Option<OnExit>,
    log_format: LogFormat,
    log_level: String,
    public_url: Option<Url>,
    pg_dump: Option<PathBuf>,
    supervisor_ttl_minutes: u64,
    start_concurrency: usize,
}

#[derive(Debug, Serialize)]
struct Defaults {
    listen: SocketAddr,
    log_format: LogFormat,
    log_level: &'static str,
    supervisor_ttl_minutes: u64,
    start_concurrency: usize,
}

/// The environment as a layer. The library's own reads the process and guesses types, so that a
/// password of digits becomes a number.
struct Variables<'a>(&'a Environment);

impl Provider for Variables<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named("the environment")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let mut values = Dict::new();
        for key in KEYS {
            let Some(text) = self.0.get(key.variable) else {
                continue;
            };
            let value = match text.trim().parse::<u64>() {
                Ok(count) if key.is_number => Value::from(count),
                _ => Value::from(text),
            };
            match key.name.split_once('.') {
                None => {
                    values.insert(key.name.to_owned(), value);
                }
                Some((table, name)) => {
                    let table = values
                        .entry(table.to_owned())
                        .or_insert_with(|| Value::from(Dict::new()));
                    if let Value::Dict(_, table) = table {
                        table.insert(name.to_owned(), value);
                    }
                }
            }
        }
        Ok(Map::from([(Profile::Default, values)]))
    }
}

/// The command line as a layer with a name people understand.
struct CommandLine<'a>(&'a Flags);

impl Provider for CommandLine<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named("the command line")
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Serialized::defaults(self.0).data()
    }
}

/// Lays defaults, file, environment and flags on top of each other and checks the result.
///
/// # Errors
/// Names the key and the place where it was set.
pub fn load(
    flags: &Flags,
    environment: &Environment,
    platform: Platform,
) -> Result<Settings, ConfigError> {
    let defaults = Defaults {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8088)),
        log_format: LogFormat::Text,
        log_level: "info",
        supervisor_ttl_minutes: 15,
        start_concurrency: platform.cores.max(1),
    };
    let mut layers = Figment::from(Serialized::defaults(defaults));
    if let Some((path, text)) = file(flags, environment, platform)? {
        layers = layers.merge(Named {
            path,
            inner: Toml::string(&text),
        });
    }
    let keys: Keys = layers
        .merge(Variables(environment))
        .merge(CommandLine(flags))
        .extract()
        .map_err(ConfigError::from_figment)?;
    let mut settings = finish(keys, environment, platform)?;
    settings.migrate_without_backup =
        flags.migrate_without_backup || is_set(environment, "FRACTAL_MIGRATE_WITHOUT_BACKUP")?;
    Ok(settings)
}

/// Whether a variable says yes.
fn is_set(environment: &Environment, variable: &str) -> Result<bool, ConfigError> {
    match environment.get(variable).map(str::trim) {
        None | Some("0" | "false") => Ok(false),
        Some("1" | "true") => Ok(true),
        Some(_) => Err(ConfigError::Value {
            key: variable.to_owned(),
            place: "the environment".to_owned(),
            reason: "it must be 1 or 0".to_owned(),
        }),
    }
}

/// A file whose text we read ourselves, so that a missing one and an unreadable one differ.
struct Named<P> {
    path: PathBuf,
    inner: P,
}

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::from("file", self.path.as_path())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        self.inner.data()
    }
}

fn file(
    flags: &Flags,
    environment: &Environment,
    platform: Platform,
) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let named = flags
        .config
        .clone()
        .or_else(|| environment.get("FRACTAL_CONFIG").map(PathBuf::from));
    let path = match &named {
        Some(path) => path.clone(),
        None => data_dir(flags.data.as_deref(), environment, platform)?.join("fractal.toml"),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(why) if named.is_none() && why.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(ConfigError::File { path, cause }),
    }
}

fn data_dir(
    named: Option<&Path>,
    environment: &Environment,
    platform: Platform,
) -> Result<PathBuf, ConfigError> {
    match named
        .map(Path::to_owned)
        .or_else(|| environment.get("FRACTAL_DATA_DIR").map(PathBuf::from))
    {
        Some(dir) => Ok(dir),
        None => platform.data_dir(environment),
    }
}

fn refuse(key: &str, reason: &str) -> ConfigError {
    ConfigError::Value {
        key: key.to_owned(),
        place: "the settings".to_owned(),
        reason: reason.to_owned(),
    }
}

fn finish(
    keys: Keys,
    environment: &Environment,
    platform: Platform,
) -> Result<Settings, ConfigError> {
    if keys.start_concurrency == 0 {
        return Err(refuse("start_concurrency", "it must be at least 1"));
    }
    if keys.supervisor_ttl_minutes == 0 {
        return Err(refuse("supervisor_ttl_minutes", "it must be at least 1"));
    }
    if let Some(url) = &keys.public_url
        && (!matches!(url.scheme(), "http" | "https")
            || url.query().is_some()
            || url.fragment().is_some())
    {
        return Err(refuse(
            "public_url",
            "it must be http or https, without query and fragment",
        ));
    }
    let usual_data_dir = platform.data_dir(environment).ok().map(|dir| real(&dir));
    let data_dir = match keys.data_dir {
        Some(dir) => real(&dir),
        None => real(&platform.data_dir(environment)?),
    };
    let config_dir = real(&platform.config_dir(environment)?);
    let database_url = keys
        .database_url
        .unwrap_or_else(|| format!("sqlite://{}", data_dir.join("fractal.db").display()).into());
    let scheme = database_url
        .expose_secret()
        .split(':')
        .next()
        .unwrap_or_default();
    if !matches!(scheme, "sqlite" | "postgres" | "postgresql") {
        return Err(refuse(
            "database_url",
            "it must begin with sqlite:// or postgres://",
        ));
    }
    let secret_key = match (environment.get("FRACTAL_SECRET_KEY"), keys.secret_key_file) {
        (Some(value), _) => SecretKeySource::Variable(value.into()),
        (None, Some(file)) => SecretKeySource::File(real(&file)),
        (None, None) => SecretKeySource::File(key_file(
            &config_dir,
            &data_dir,
            usual_data_dir.as_ref() == Some(&data_dir),
        )),
    };
    Ok(Settings {
        engines_dir: match keys.engines_dir {
            Some(dir) => real(&dir),
            None => real(&platform.engines_dir(environment)?),
        },
        engine: keys.engine.as_deref().map(real),
        data_dir,
        config_dir,
        listen: keys.listen,
        tls: keys.tls.files()?,
        internal_listen: keys.internal_listen,
        database_url,
        secret_key,
        on_exit: keys.on_exit,
        log_format: keys.log_format,
        log_level: keys.log_level,
        public_url: keys.public_url,
        // Links stay as they are: some programs go by the name they are called by.
        pg_dump: keys.pg_dump.map(absolute),
        migrate_without_backup: false,
        supervisor_ttl: Duration::from_secs(keys.supervisor_ttl_minutes.saturating_mul(60)),
        start_concurrency: keys.start_concurrency,
    })
}

/// The key file never lies beside the database (who copies the data folder must not get both). The
/// usual installation has the plain name; others are told apart by their data folder.
fn key_file(config_dir: &Path, data_dir: &Path, usual: bool) -> PathBuf {
    if usual {
        return config_dir.join("secret.key");
    }
    let digest = Sha256::digest(data_dir.as_os_str().as_encoded_bytes());
    let name: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    config_dir.join("keys").join(format!("{name}.key"))
}

fn absolute(path: PathBuf) -> PathBuf {
    std::path::absolute(&path).unwrap_or(path)
}

/// The absolute path with links resolved as far as it exists, so that one folder has one name
/// before and after it was made.
fn real(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for ancestor in absolute.ancestors() {
        if let Ok(found) = ancestor.canonicalize() {
            return match absolute.strip_prefix(ancestor) {
                Ok(rest) if rest.as_os_str().is_empty() => found,
                Ok(rest) => found.join(rest),
                Err(_) => absolute,
            };
        }
    }
    absolute
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_keys_is_what_the_file_takes() {
        let refused = Figment::from(Serialized::default("no_such_key", 1))
            .extract::<Keys>()
            .unwrap_err();
        let taken = refused
            .into_iter()
            .find_map(|error| match error.kind {
                figment::error::Kind::UnknownField(_, known) => Some(known),
                _ => None,
            })
            .expect("it names the fields it knows");
        let mut taken: Vec<&str> = taken.to_vec();
        // Of a key in a table of the file the name of that table; several share one.
        let outermost = |name: &'static str| name.split_once('.').map_or(name, |(table, _)| table);
        let mut table: Vec<&str> = KEYS.iter().map(|key| outermost(key.name)).collect();
        taken.sort_unstable();
        table.sort_unstable();
        table.dedup();
        assert_eq!(table, taken);
    }

    #[test]
    fn every_variable_reaches_its_key() {
        for key in KEYS {
            let environment = Environment::from([(key.variable, "7")]);
            let layer = Variables(&environment).data().unwrap();
            let values = &layer[&Profile::Default];
            assert_eq!(values.len(), 1, "{}", key.variable);
            let value = match key.name.split_once('.') {
                None => &values[key.name],
                Some((table, name)) => &values[table].as_dict().unwrap()[name],
            };
            let is_number = value.to_u128().is_some();
            assert_eq!(is_number, key.is_number, "{}", key.name);
        }
    }
}
