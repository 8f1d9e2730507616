//! Which layer wins, where things live, and what is said about mistakes.

use std::{fs, path::Path, time::Duration};

use fractal_config::{Environment, Flags, OnExit, Platform, SecretKeySource, Settings, load};
use secrecy::ExposeSecret;

const PERSON: Platform = Platform {
    system: false,
    cores: 3,
};
const ROOT: Platform = Platform {
    system: true,
    cores: 2,
};

fn at_home(home: &Path) -> Environment {
    Environment::from([("HOME", home.to_str().unwrap())])
}

fn key_file(settings: &Settings) -> &Path {
    match &settings.secret_key {
        SecretKeySource::File(path) => path,
        SecretKeySource::Variable(_) => panic!("expected a file"),
    }
}

#[test]
fn a_person_gets_their_own_folders_and_root_the_system_ones() {
    let home = tempfile::tempdir().unwrap();
    let root = home.path().canonicalize().unwrap();
    let settings = load(&Flags::default(), &at_home(&root), PERSON).unwrap();
    assert_eq!(settings.data_dir, root.join(".local/share/fractal"));
    assert_eq!(settings.engines_dir, root.join(".cache/fractal/engines"));
    assert_eq!(key_file(&settings), root.join(".config/fractal/secret.key"));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8088");
    assert_eq!(settings.start_concurrency, 3);
    assert_eq!(settings.supervisor_ttl, Duration::from_secs(900));
    assert_eq!(settings.on_exit, None);
    assert!(
        settings
            .database_url
            .expose_secret()
            .ends_with(".local/share/fractal/fractal.db")
    );

    let flags = Flags {
        config: Some(empty_file(&root)),
        ..Flags::default()
    };
    let settings = load(&flags, &Environment::default(), ROOT).unwrap();
    assert_eq!(settings.data_dir, Path::new("/var/lib/fractal"));
    assert_eq!(
        settings.engines_dir,
        Path::new("/var/cache/fractal/engines")
    );
    assert_eq!(key_file(&settings), Path::new("/etc/fractal/secret.key"));
}

fn empty_file(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("empty.toml");
    fs::write(&path, "").unwrap();
    path
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_defaults() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(
        data.join("fractal.toml"),
        "listen = '127.0.0.1:1'\nlog_level = 'debug'\non_exit = 'stop'\nsupervisor_ttl_minutes = 5\n",
    )
    .unwrap();
    let environment = Environment::from([
        ("HOME", home.path().to_str().unwrap()),
        ("FRACTAL_LISTEN", "127.0.0.1:2"),
        ("FRACTAL_LOG_LEVEL", "warn"),
        ("FRACTAL_START_CONCURRENCY", "7"),
        ("DATABASE_URL", "postgres://fractal:12345@db/fractal"),
    ]);
    let flags = Flags {
        data: Some(data),
        listen: Some("127.0.0.1:3".parse().unwrap()),
        ..Flags::default()
    };
    let settings = load(&flags, &environment, PERSON).unwrap();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.log_level, "warn");
    assert_eq!(settings.on_exit, Some(OnExit::Stop));
    assert_eq!(settings.supervisor_ttl, Duration::from_secs(300));
    assert_eq!(settings.start_concurrency, 7);
    assert!(
        settings
            .database_url
            .expose_secret()
            .starts_with("postgres://")
    );
    assert!(!format!("{settings:?}").contains("12345"));
}

#[test]
fn the_key_file_lies_outside_the_data_folder_and_is_told_apart_by_it() {
    let home = tempfile::tempdir().unwrap();
    let with_data = |name: &str| {
        let flags = Flags {
            data: Some(home.path().join(name)),
            ..Flags::default()
        };
        load(&flags, &at_home(home.path()), PERSON).unwrap()
    };
    let (one, two) = (with_data("one"), with_data("two"));
    assert_ne!(key_file(&one), key_file(&two));
    assert!(!key_file(&one).starts_with(&one.data_dir));
    assert!(
        key_file(&one)
            .parent()
            .unwrap()
            .ends_with(".config/fractal/keys")
    );
    let before = key_file(&one).to_owned();
    fs::create_dir(home.path().join("one")).unwrap();
    assert_eq!(
        key_file(&with_data("one")),
        before,
        "making the folder changes nothing"
    );
    let link = home.path().join("link");
    std::os::unix::fs::symlink(home.path().join("one"), link).unwrap();
    assert_eq!(key_file(&with_data("link")), before, "one folder, one key");
}

#[test]
fn a_migration_without_a_backup_is_asked_for_once_and_not_in_the_file() {
    let home = tempfile::tempdir().unwrap();
    let with = |value: &str| {
        let environment = Environment::from([
            ("HOME", home.path().to_str().unwrap()),
            ("FRACTAL_MIGRATE_WITHOUT_BACKUP", value),
            ("FRACTAL_PG_DUMP", "/opt/pg/bin/pg_dump"),
        ]);
        load(&Flags::default(), &environment, PERSON)
    };
    assert!(with("1").unwrap().migrate_without_backup);
    let settings = with("0").unwrap();
    assert!(!settings.migrate_without_backup);
    assert_eq!(
        settings.pg_dump.as_deref(),
        Some(Path::new("/opt/pg/bin/pg_dump"))
    );
    let error = with("perhaps").unwrap_err().to_string();
    assert!(error.contains("FRACTAL_MIGRATE_WITHOUT_BACKUP"), "{error}");
    let file = home.path().join("my.toml");
    fs::write(&file, "migrate_without_backup = true").unwrap();
    let flags = Flags {
        config: Some(file),
        ..Flags::default()
    };
    let error = load(&flags, &at_home(home.path()), PERSON).unwrap_err();
    assert!(error.to_string().contains("migrate_without_backup"));
    let flags = Flags {
        migrate_without_backup: true,
        ..Flags::default()
    };
    let settings = load(&flags, &at_home(home.path()), PERSON).unwrap();
    assert!(settings.migrate_without_backup);
}

#[test]
fn a_certificate_and_its_key_come_together_from_any_layer() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("my.toml");
    let with = |text: &str, flag: Option<&str>| {
        fs::write(&file, text).unwrap();
        let flags = Flags {
            config: Some(file.clone()),
            tls: fractal_config::Tls {
                certificate: flag.map(Into::into),
                key: None,
            },
            ..Flags::default()
        };
        let environment = Environment::from([
            ("HOME", home.path().to_str().unwrap()),
            ("FRACTAL_TLS_KEY", "/env/key.pem"),
        ]);
        load(&flags, &environment, PERSON)
    };
    let tls = with(
        "tls.certificate = '/file/cert.pem'\ntls.key = '/file/key.pem'",
        None,
    );
    let tls = tls.unwrap().tls.unwrap();
    assert_eq!(tls.certificate, Path::new("/file/cert.pem"));
    assert_eq!(tls.key, Path::new("/env/key.pem"));
    let tls = with("", Some("/flag/cert.pem")).unwrap().tls.unwrap();
    assert_eq!(tls.certificate, Path::new("/flag/cert.pem"));
    let alone = with("", None).unwrap_err().to_string();
    assert!(
        alone.contains("tls.certificate") && alone.contains("belong together"),
        "{alone}"
    );
    let typed = with("tls.cert = 'x'", None).unwrap_err().to_string();
    assert!(
        typed.contains("cert") && typed.contains("my.toml"),
        "{typed}"
    );
    let none = load(&Flags::default(), &at_home(home.path()), PERSON).unwrap();
    assert_eq!(none.tls, None);
}

#[test]
fn a_key_in_the_environment_is_used_and_not_shown() {
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::from([
        ("HOME", home.path().to_str().unwrap()),
        ("FRACTAL_SECRET_KEY", "0123456789"),
    ]);
    let settings = load(&Flags::default(), &environment, PERSON).unwrap();
    assert!(matches!(&settings.secret_key,
        SecretKeySource::Variable(key) if key.expose_secret() == "0123456789"));
    assert!(!format!("{settings:?}").contains("0123456789"));
}

#[test]
fn a_mistake_is_reported_with_its_key_and_its_place() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("my.toml");
    let message = |text: &str, variables: &[(&str, &str)]| {
        fs::write(&file, text).unwrap();
        let home = home.path().to_str().unwrap();
        let environment = match variables {
            [] => Environment::from([("HOME", home)]),
            [one, ..] => Environment::from([("HOME", home), *one]),
        };
        let flags = Flags {
            config: Some(file.clone()),
            ..Flags::default()
        };
        load(&flags, &environment, PERSON).unwrap_err().to_string()
    };
    let unknown = message("lisen = '127.0.0.1:1'", &[]);
    assert!(
        unknown.contains("lisen") && unknown.contains("my.toml"),
        "{unknown}"
    );
    let wrong = message("listen = 'everywhere'", &[]);
    assert!(
        wrong.contains("listen") && wrong.contains("my.toml"),
        "{wrong}"
    );
    let variable = message("", &[("FRACTAL_ON_EXIT", "explode")]);
    assert!(
        variable.contains("on_exit") && variable.contains("the environment"),
        "{variable}"
    );
    let number = message("", &[("FRACTAL_START_CONCURRENCY", "many")]);
    assert!(number.contains("start_concurrency"), "{number}");
    assert!(message("start_concurrency = 0", &[]).contains("start_concurrency"));
    assert!(message("public_url = 'ftp://x'", &[]).contains("public_url"));
    let database = message("", &[("DATABASE_URL", "mysql://root:hunter2@db")]);
    assert!(
        database.contains("database_url") && !database.contains("hunter2"),
        "{database}"
    );
    let typed = message("database_url = 5", &[]);
    assert!(typed.contains("database_url"), "{typed}");
    let syntax = message("listen = ", &[]);
    assert!(syntax.contains("my.toml"), "{syntax}");
}

#[test]
fn a_named_file_that_is_missing_and_a_missing_home_are_errors() {
    let home = tempfile::tempdir().unwrap();
    let flags = Flags {
        config: Some(home.path().join("nowhere.toml")),
        ..Flags::default()
    };
    let error = load(&flags, &at_home(home.path()), PERSON).unwrap_err();
    assert!(error.to_string().contains("nowhere.toml"));
    let error = load(&Flags::default(), &Environment::default(), PERSON).unwrap_err();
    assert!(error.to_string().contains("HOME"));
}
