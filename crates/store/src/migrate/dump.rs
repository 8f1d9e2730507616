//! A copy of a PostgreSQL database by its own `pg_dump`, before the schema changes.
//!
//! What stands in the address reaches the program in libpq's environment variables only: every user of a machine can read arguments.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tokio::process::Command;
use url::Url;

use super::private_file;
use crate::{Error, Result};

/// What a custom-format dump begins with.
const MAGIC: &[u8; 5] = b"PGDMP";

/// How much of what the program said is repeated, in characters.
const WORDS: usize = 600;

/// Not for the child: secrets it does not need, and a service file that would lead it to another server.
const WITHHELD: [&str; 3] = ["DATABASE_URL", "FRACTAL_SECRET_KEY", "PGSERVICE"];

/// Writes a custom-format dump of the database at `url` to `path`, private and durable. Nothing stands there unless it is whole.
///
/// # Errors
/// [`Error::NoDump`] when there is no `pg_dump` or it fails, [`Error::Backup`] when the file cannot be written.
pub(super) async fn write(url: &str, named: Option<&Path>, path: &Path) -> Result<()> {
    let partial = path.with_extension("dump.partial");
    let done = write_partial(url, named, &partial).await.and_then(|()| {
        let finish = || {
            fs::rename(&partial, path)?;
            fs::File::open(path.parent().unwrap_or_else(|| Path::new(".")))?.sync_all()
        };
        finish().map_err(unwritten(path))
    });
    if done.is_err() {
        let _ = fs::remove_file(&partial);
    }
    done
}

async fn write_partial(url: &str, named: Option<&Path>, partial: &Path) -> Result<()> {
    let address = Address::parse(url)?;
    let file = private_file(partial).map_err(unwritten(partial))?;
    let mut source = None;
    for program in candidates(named) {
        let mut command = Command::new(&program);
        address.give_to(&mut command);
        let child = command
            .args(["--format=custom", "--no-password"])
            .stdin(Stdio::null())
            .stdout(file.try_clone().map_err(unwritten(partial))?)
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        match child {
            Ok(child) => {
                // Waited for by itself: a command's own `output` would take the standard output for itself.
                let output = child.wait_with_output().await;
                let output = output.map_err(unwritten(partial))?;
                address.judge(&program, &output, partial)?;
                return file.sync_all().map_err(unwritten(partial));
            }
            Err(error) => source = Some(error),
        }
    }
    Err(Error::NoDump {
        why: named.map_or_else(
            || "there is no pg_dump here to copy PostgreSQL with".to_owned(),
            |named| format!("{} cannot be run to copy PostgreSQL with", named.display()),
        ),
        remedy: "install the PostgreSQL client tools (the package postgresql-client), or name the program with --pg-dump",
        source,
    })
}

/// The first line of `pg_dump --version`, for people; `None` when none can be run.
pub(crate) async fn version(named: Option<&Path>) -> Option<String> {
    for program in candidates(named) {
        let mut command = Command::new(&program);
        for name in WITHHELD {
            command.env_remove(name);
        }
        let output = command
            .arg("--version")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await;
        if let Ok(output) = output
            && output.status.success()
        {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            return Some(text.lines().next().unwrap_or_default().to_owned());
        }
    }
    None
}

/// The named program alone, or that of the search path and then those of installed servers, the newest first.
fn candidates(named: Option<&Path>) -> Vec<PathBuf> {
    if let Some(named) = named {
        return vec![named.to_owned()];
    }
    let mut installed: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin/pg_dump")))
        })
        .collect();
    installed.sort();
    let mut all = vec![PathBuf::from("pg_dump")];
    all.extend(installed.into_iter().rev().map(|(_, path)| path));
    all
}

/// A database's address as libpq's variables.
#[derive(Debug, PartialEq, Eq)]
struct Address {
    variables: Vec<(&'static str, String)>,
}

impl Address {
    /// Reads what the driver reads in an address, so that both go to the same place.
    fn parse(url: &str) -> Result<Self> {
        // Without the driver's words: they may repeat the password.
        let wrong = || Error::Settings("DATABASE_URL is not a PostgreSQL address".to_owned());
        let url = Url::parse(url).map_err(|_| wrong())?;
        let plain = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .map(std::borrow::Cow::into_owned)
                .map_err(|_| wrong())
        };
        let mut variables = Vec::new();
        if let Some(host) = url.host_str().filter(|host| !host.is_empty()) {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            variables.push(("PGHOST", plain(host)?));
        }
        if let Some(port) = url.port() {
            variables.push(("PGPORT", port.to_string()));
        }
        if !url.username().is_empty() {
            variables.push(("PGUSER", plain(url.username())?));
        }
        if let Some(password) = url.password() {
            variables.push(("PGPASSWORD", plain(password)?));
        }
        let database = url.path().trim_start_matches('/');
        if !database.is_empty() {
            variables.push(("PGDATABASE", plain(database)?));
        }
        let mut options = Vec::new();
        for (key, value) in url.query_pairs() {
            let name = match &*key {
                "sslmode" | "ssl-mode" => "PGSSLMODE",
                "sslrootcert" | "ssl-root-cert" | "ssl-ca" => "PGSSLROOTCERT",
                "sslcert" | "ssl-cert" => "PGSSLCERT",
                "sslkey" | "ssl-key" => "PGSSLKEY",
                "host" | "hostaddr" => "PGHOST",
                "port" => "PGPORT",
                "dbname" => "PGDATABASE",
                "user" => "PGUSER",
                "password" => "PGPASSWORD",
                "options" => {
                    options.push(value.into_owned());
                    continue;
                }
                key => {
                    let key = key.strip_prefix("options[");
                    if let Some(key) = key.and_then(|key| key.strip_suffix(']')) {
                        let value = value.replace('\\', "\\\\").replace(' ', "\\ ");
                        options.push(format!("-c {key}={value}"));
                    }
                    continue;
                }
            };
            variables.push((name, value.into_owned()));
        }
        if !options.is_empty() {
            variables.push(("PGOPTIONS", options.join(" ")));
        }
        Ok(Self { variables })
    }

    fn give_to(&self, command: &mut Command) {
        for name in WITHHELD {
            command.env_remove(name);
        }
        for (name, value) in &self.variables {
            // It would win over the host.
            if *name == "PGHOST" {
                command.env_remove("PGHOSTADDR");
            }
            command.env(name, value);
        }
    }

    /// Whether the program made a whole dump.
    fn judge(&self, program: &Path, output: &Output, partial: &Path) -> Result<()> {
        let said = if output.status.success() {
            let mut start = [0; MAGIC.len()];
            let file = fs::File::open(partial).map_err(unwritten(partial))?;
            if (&file).read_exact(&mut start).is_ok() && start == *MAGIC {
                return Ok(());
            }
            "what it wrote is no dump".to_owned()
        } else {
            let passwords = self
                .variables
                .iter()
                .filter(|(name, value)| *name == "PGPASSWORD" && !value.is_empty());
            // Before it is shortened, or half of the password might be left.
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let said = passwords.fold(said, |said, (_, password)| {
                said.replace(password, "[redacted]")
            });
            let said = words(&said);
            if said.is_empty() {
                format!("it ended with {}", output.status)
            } else {
                format!("it said: {said}")
            }
        };
        Err(Error::NoDump {
            why: format!("{} could not copy PostgreSQL ({said})", program.display()),
            remedy: "mend that, or name another with --pg-dump (it must not be older than the server)",
            source: None,
        })
    }
}

/// The end of what a program said, on one line.
fn words(text: &str) -> String {
    let line: Vec<&str> = text.split_whitespace().collect();
    let line = line.join(" ");
    let skipped = line.chars().count().saturating_sub(WORDS);
    line.chars().skip(skipped).collect()
}

fn unwritten(path: &Path) -> impl Fn(io::Error) -> Error {
    let path = path.display().to_string();
    move |error| Error::Backup {
        path: path.clone(),
        source: error.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_variables_that_lead_to_the_same_place() {
        let variables = |url: &str| Address::parse(url).unwrap().variables;
        assert_eq!(
            variables(
                "postgres://me:p%40ss%2Fword@db.example:5433/my%20data?sslmode=verify-full&ssl-ca=/ca.pem"
            ),
            [
                ("PGHOST", "db.example".to_owned()),
                ("PGPORT", "5433".to_owned()),
                ("PGUSER", "me".to_owned()),
                ("PGPASSWORD", "p@ss/word".to_owned()),
                ("PGDATABASE", "my data".to_owned()),
                ("PGSSLMODE", "verify-full".to_owned()),
                ("PGSSLROOTCERT", "/ca.pem".to_owned()),
            ]
        );
        assert_eq!(
            variables("postgres://me@%2Ftmp%2Fpg/db?options[role]=a b&options=-c x=1"),
            [
                ("PGHOST", "/tmp/pg".to_owned()),
                ("PGUSER", "me".to_owned()),
                ("PGDATABASE", "db".to_owned()),
                ("PGOPTIONS", "-c role=a\\ b -c x=1".to_owned()),
            ]
        );
        assert_eq!(
            variables("postgresql://[::1]/"),
            [("PGHOST", "::1".to_owned())]
        );
        let error = Address::parse("postgres://me:hunter2@:x/").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }

    #[test]
    fn the_end_of_many_words_is_kept() {
        let many = "x ".repeat(WORDS);
        let said = words(&format!("{many}\n the cause\n"));
        assert!(said.ends_with("x the cause") && said.len() <= WORDS);
    }
}
