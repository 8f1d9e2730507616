//! Checks of what must not be lost: data folder, database, secret key.

use std::{
    fs,
    io::Read,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use fractal_config::SecretKeySource;
use secrecy::ExposeSecret;

use super::{Found, Severity, Surroundings, nearest};
use crate::{commands::export_marker, seams};

/// Others may pass through the data folder (instances run as users of their own), but neither list nor write it.
const OTHERS_READ_WRITE: u32 = 0o066;

pub fn folder(surroundings: &Surroundings) -> Found {
    let path = &surroundings.settings.data_dir;
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Found::good(format!("{shown} will be made at the first start"));
        }
        Err(error) => {
            return Found::failed(
                format!("{shown} cannot be looked at: {error}"),
                "correct the folder's permissions, or name another with --data",
            );
        }
    };
    if !metadata.is_dir() {
        return Found::failed(
            format!("{shown} is not a folder"),
            "name a folder with --data",
        );
    }
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Found::failed(
            format!("{shown} belongs to another user ({})", metadata.uid()),
            "run doctor and the server as the user the data belongs to",
        );
    }
    let mode = metadata.permissions().mode();
    if mode & OTHERS_READ_WRITE != 0 {
        return tighten(
            surroundings,
            path,
            mode & !OTHERS_READ_WRITE,
            &format!("others can read or write {shown}"),
            "chmod go-rw",
        );
    }
    Found::good(format!("{shown} is yours alone"))
}

/// Instances have users of their own when we are root; each must be able to pass through every folder above.
pub fn way(surroundings: &Surroundings) -> Found {
    if !surroundings.root {
        return Found::good("instances run under your own user and reach what you reach");
    }
    // The sandbox of each instance runs this very program as its relay.
    let program = std::env::current_exe().unwrap_or_default();
    let settings = &surroundings.settings;
    let closed = [
        settings.data_dir.as_path(),
        settings.engines_dir.as_path(),
        program.parent().unwrap_or(&program),
    ]
    .into_iter()
    .flat_map(|path| nearest(path).ancestors())
    // The data folder's own mode is set at each start.
    .filter(|path| *path != settings.data_dir)
    .find(|path| {
        fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 == 0)
    });
    match closed {
        Some(path) => Found::failed(
            format!(
                "the users of instances cannot pass through {}",
                path.display()
            ),
            format!(
                "run `chmod o+x {}`, or use other folders for data, engines and this program",
                path.display()
            ),
        ),
        None => {
            Found::good("the users of instances can pass to their files, engines and this program")
        }
    }
}

pub async fn database(surroundings: &Surroundings) -> Found {
    let outside = from_outside(surroundings).await;
    // What is not there, or does not answer, cannot be looked into.
    if outside.severity == Severity::Failed
        || (is_sqlite(surroundings) && !has_database(surroundings))
    {
        return outside;
    }
    match seams::look_into_database(&surroundings.settings).await {
        None => outside,
        Some(Ok(finding)) => Found::good(finding),
        Some(Err(error)) => Found::failed(
            format!("{error:#}"),
            "restore it from a backup, or use the version of Fractal it was written by",
        ),
    }
}

/// Whether an upgrade that changes the schema can make its backup.
pub async fn upgrade_backup(surroundings: &Surroundings) -> Found {
    if is_sqlite(surroundings) {
        return Found::good("SQLite is copied into the data folder before an upgrade changes it");
    }
    match seams::pg_dump_version(&surroundings.settings).await {
        Some(version) => Found::good(format!(
            "PostgreSQL is backed up into the data folder before an upgrade changes it, by {version}"
        )),
        None => Found::attention(
            "there is no pg_dump to back PostgreSQL up with, so an upgrade that changes the schema will be refused",
            "install the PostgreSQL client tools (the package postgresql-client), or name pg_dump with FRACTAL_PG_DUMP",
        ),
    }
}

fn is_sqlite(surroundings: &Surroundings) -> bool {
    surroundings
        .settings
        .database_url
        .expose_secret()
        .starts_with("sqlite:")
}

async fn from_outside(surroundings: &Surroundings) -> Found {
    let address = surroundings.settings.database_url.expose_secret();
    if let Some(rest) = address.strip_prefix("sqlite:") {
        let path = rest
            .trim_start_matches("//")
            .split('?')
            .next()
            .unwrap_or_default();
        return sqlite(Path::new(path));
    }
    let Ok(url) = url::Url::parse(address) else {
        return Found::failed(
            "DATABASE_URL is not an address",
            "write it like postgres://user@host/database",
        );
    };
    // Only host and port are shown: the address may hold a password.
    let (host, port) = (
        url.host_str().unwrap_or("localhost").to_owned(),
        url.port().unwrap_or(5432),
    );
    if host.starts_with('/')
        || host.starts_with("%2F")
        || url.query().is_some_and(|query| query.contains("host="))
    {
        return Found::good("PostgreSQL over a local socket; the server opens it at its start");
    }
    let connected = tokio::time::timeout(
        std::time::Duration::from_secs(5),
        tokio::net::TcpStream::connect((host.as_str(), port)),
    )
    .await;
    match connected {
        Ok(Ok(_)) => Found::good(format!("PostgreSQL answers at {host}:{port}")),
        Ok(Err(error)) => Found::failed(
            format!("PostgreSQL does not answer at {host}:{port}: {error}"),
            "start it, or correct DATABASE_URL",
        ),
        Err(_) => Found::failed(
            format!("PostgreSQL does not answer at {host}:{port} within 5 seconds"),
            "check network and DATABASE_URL",
        ),
    }
}

fn sqlite(path: &Path) -> Found {
    const MAGIC: &[u8; 16] = b"SQLite format 3\0";
    let shown = path.display();
    let restore = "restore it from a backup";
    let mut start = [0; 16];
    match fs::OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Found::good("the database will be made at the first start")
        }
        Err(error) => Found::failed(
            format!("the database {shown} cannot be opened: {error}"),
            "correct its owner and permissions",
        ),
        Ok(mut file) => match file.read_exact(&mut start) {
            Ok(()) if &start == MAGIC => {
                Found::good(format!("{shown} is an SQLite database and can be written"))
            }
            // An empty file is what SQLite itself makes before the first write.
            Err(_) if file.metadata().is_ok_and(|metadata| metadata.len() == 0) => {
                Found::good(format!("{shown} is empty"))
            }
            Ok(()) => Found::failed(format!("{shown} is not an SQLite database"), restore),
            Err(error) => Found::failed(format!("{shown} cannot be read: {error}"), restore),
        },
    }
}

pub fn secret_key(surroundings: &Surroundings) -> Found {
    let path = match &surroundings.settings.secret_key {
        SecretKeySource::Variable(_) => {
            return Found::good("the secret key comes from FRACTAL_SECRET_KEY");
        }
        SecretKeySource::File(path) => path,
    };
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return if has_database(surroundings) {
                Found::failed(
                    format!("there is a database, but no secret key in {shown}"),
                    "put the file back, import an export with `fractal keys import FILE`, or name the key with FRACTAL_SECRET_KEY or \
                     FRACTAL_SECRET_KEY_FILE; \
                     without it stored provider keys cannot be opened",
                )
            } else {
                Found::good(format!(
                    "the secret key will be made in {shown} at the first start"
                ))
            };
        }
        Err(error) => {
            return Found::failed(
                format!("{shown} cannot be looked at: {error}"),
                "correct its permissions",
            );
        }
    };
    let mode = metadata.permissions().mode();
    if mode & 0o077 != 0 {
        return tighten(
            surroundings,
            path,
            0o600,
            &format!("others can read the secret key in {shown}"),
            "chmod 600",
        );
    }
    if path.starts_with(&surroundings.settings.data_dir) {
        return Found::attention(
            format!("the secret key lies in the data folder, in {shown}"),
            "keep it elsewhere (FRACTAL_SECRET_KEY_FILE): who copies the folder has key and locks together",
        );
    }
    Found::good(format!("{shown} can be read by its owner only"))
}

pub fn key_backup(surroundings: &Surroundings) -> Found {
    let remedy = "run `fractal keys export` and keep the text and its passphrase away from this machine, apart from each other";
    let (SecretKeySource::File(key), Some(marker)) = (
        &surroundings.settings.secret_key,
        export_marker(&surroundings.settings),
    ) else {
        return Found::good("the secret key is kept by whoever sets FRACTAL_SECRET_KEY");
    };
    let made = |path: &Path| {
        fs::metadata(path)
            .and_then(|metadata| metadata.modified())
            .ok()
    };
    match (made(key), made(&marker)) {
        (None, _) => Found::good("there is no secret key to keep yet"),
        (Some(key), Some(exported)) if exported >= key => {
            Found::good("the secret key was exported")
        }
        (Some(_), Some(_)) => {
            Found::attention("the secret key was replaced since its last export", remedy)
        }
        (Some(_), None) => Found::attention(
            "the secret key was never exported; with this disk it would be lost",
            remedy,
        ),
    }
}

fn has_database(surroundings: &Surroundings) -> bool {
    let address = surroundings.settings.database_url.expose_secret();
    match address.strip_prefix("sqlite:") {
        Some(rest) => Path::new(
            rest.trim_start_matches("//")
                .split('?')
                .next()
                .unwrap_or_default(),
        )
        .exists(),
        // Whether a PostgreSQL database has been used cannot be told from here.
        None => false,
    }
}

fn tighten(
    surroundings: &Surroundings,
    path: &Path,
    mode: u32,
    finding: &str,
    command: &str,
) -> Found {
    if surroundings.fix
        && fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777)).is_ok()
    {
        return Found::mended(format!("{finding}; not any more"));
    }
    Found::failed(
        finding,
        format!(
            "run `{command} {}`, or `fractal doctor --fix`",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use fractal_config::{Environment, Flags, Platform, load};

    use super::*;

    fn surroundings(base: &Path, fix: bool) -> Surroundings {
        let config = base.join("config");
        let environment = Environment::from([
            ("FRACTAL_CONFIG_DIR", config.to_str().unwrap()),
            ("HOME", base.to_str().unwrap()),
        ]);
        let flags = Flags {
            data: Some(base.join("data")),
            engines: Some(base.join("engines")),
            ..Flags::default()
        };
        let settings = load(
            &flags,
            &environment,
            Platform {
                system: false,
                cores: 1,
            },
        )
        .unwrap();
        Surroundings {
            settings,
            root: false,
            fix,
        }
    }

    fn key_file(surroundings: &Surroundings) -> PathBuf {
        match &surroundings.settings.secret_key {
            SecretKeySource::File(path) => path.clone(),
            SecretKeySource::Variable(_) => panic!("no variable was set"),
        }
    }

    fn write(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "key").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_fresh_machine_has_nothing_to_complain_about() {
        let base = tempfile::tempdir().unwrap();
        let here = surroundings(base.path(), false);
        for found in [folder(&here), secret_key(&here), key_backup(&here)] {
            assert_eq!(found.severity, Severity::Good, "{}", found.finding);
        }
    }

    #[test]
    fn an_open_key_is_found_and_mended_only_when_asked() {
        let base = tempfile::tempdir().unwrap();
        let mut here = surroundings(base.path(), false);
        let key = key_file(&here);
        write(&key, 0o644);
        assert_eq!(secret_key(&here).severity, Severity::Failed);
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o644
        );
        here.fix = true;
        let found = secret_key(&here);
        assert!(found.fixed);
        assert_eq!(found.severity, Severity::Good);
        assert_eq!(
            fs::metadata(&key).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_key_that_was_never_exported_is_told() {
        let base = tempfile::tempdir().unwrap();
        let here = surroundings(base.path(), false);
        write(&key_file(&here), 0o600);
        assert_eq!(key_backup(&here).severity, Severity::Attention);
        write(&export_marker(&here.settings).unwrap(), 0o600);
        assert_eq!(key_backup(&here).severity, Severity::Good);
    }

    #[tokio::test]
    async fn a_damaged_database_and_a_lost_key_are_failures() {
        let base = tempfile::tempdir().unwrap();
        let here = surroundings(base.path(), false);
        let address = here.settings.database_url.expose_secret().to_owned();
        let path = address
            .trim_start_matches("sqlite:")
            .trim_start_matches("//")
            .split('?')
            .next()
            .unwrap()
            .to_owned();
        fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
        fs::write(&path, "something else entirely").unwrap();
        assert_eq!(database(&here).await.severity, Severity::Failed);
        assert_eq!(secret_key(&here).severity, Severity::Failed);
    }

    #[test]
    fn a_readable_data_folder_is_mended_without_losing_the_way_through() {
        let base = tempfile::tempdir().unwrap();
        let here = surroundings(base.path(), true);
        fs::create_dir_all(&here.settings.data_dir).unwrap();
        fs::set_permissions(&here.settings.data_dir, fs::Permissions::from_mode(0o755)).unwrap();
        assert!(folder(&here).fixed);
        assert_eq!(
            fs::metadata(&here.settings.data_dir)
                .unwrap()
                .permissions()
                .mode()
                & 0o777,
            0o711
        );
    }
}
