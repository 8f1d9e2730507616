//! `fractal keys`: for whoever is at home on the machine itself. It works on the data folder and needs no server and no token; only a
//! rotation under a running server asks that server.

use std::{
    fmt::Write as _,
    fs,
    io::{Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use fractal_config::{SecretKeySource, Settings};
use serde_json::json;

use super::Session;
use crate::{
    args::{Keys, Machine},
    connection,
    output::write_out,
    place, prompt, seams,
};

pub async fn run(session: &Session, command: Keys) -> anyhow::Result<()> {
    match command {
        Keys::Rotate { machine } => {
            let settings = place::of(machine)?;
            let mut said = "the secret key was replaced; earlier exports do not open new data, so run `fractal keys export` now".to_owned();
            let mut operation = None;
            if seams::in_use(&settings) {
                // The server holds folder and key; it replaces the key without stopping anything.
                let begun = session.client()?.rotate_key().await.context(
                    "a server runs on this data folder, so it was asked to replace the key",
                )?;
                let id = *operation.insert(begun.id);
                write!(
                    said,
                    "\nwhat is stored moves to the new keys; watch it with `fractal operations watch {id}`"
                )?;
            } else {
                seams::rotate_keys(settings).await?;
            }
            session
                .out
                .done(&json!({"rotated": true, "operation_id": operation}), &said)
        }
        Keys::Status { machine } => {
            let settings = place::of(machine)?;
            let now = if seams::in_use(&settings) {
                session.client()?.key_status().await?
            } else {
                seams::key_status(settings).await?
            };
            let stored = match now.waiting {
                0 => "everything stored is under the newest keys".to_owned(),
                1 => "1 older key still seals something".to_owned(),
                more => format!("{more} older keys still seal something"),
            };
            session.out.done(
                &now,
                &format!("secret key {} is in force; {stored}", now.generation),
            )
        }
        Keys::Export { machine, output } => {
            let settings = place::of(machine)?;
            let passphrase = prompt::new_secret("passphrase, at least 12 characters")?;
            let marker = export_marker(&settings);
            let text = seams::export_key(settings, passphrase).await?;
            let Some(path) = output else {
                write_out(&text)?;
                return mark(marker.as_deref());
            };
            fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path)
                .and_then(|mut file| {
                    file.write_all(text.as_bytes())
                        .and_then(|()| file.sync_all())
                })
                .with_context(|| format!("cannot write {}", path.display()))?;
            mark(marker.as_deref())?;
            session.out.done(
                &json!({"written": path}),
                &format!("wrote {}; keep it and the passphrase apart", path.display()),
            )
        }
        Keys::Import { machine, file } => import(session, machine, &file).await,
    }
}

/// An export is a few hundred bytes; mail around it may be more.
const LONGEST_EXPORT: u64 = 1 << 20;

async fn import(session: &Session, machine: Machine, file: &Path) -> anyhow::Result<()> {
    let settings = place::of(machine)?;
    let mut text = String::new();
    fs::File::open(file)
        .and_then(|open| open.take(LONGEST_EXPORT).read_to_string(&mut text))
        .with_context(|| {
            format!(
                "cannot read {}; name the file that `fractal keys export` wrote",
                file.display()
            )
        })?;
    let passphrase = prompt::secret("passphrase of the export")?;
    let marker = export_marker(&settings);
    let done = seams::import_key(settings, text, passphrase).await?;
    // Whoever imports it has an export of it.
    mark(marker.as_deref())?;
    let path = done.path.display();
    let words = match (done.written, done.checked) {
        (true, true) => format!(
            "secret key {} is in force again, in {path}; start the server with `fractal serve`",
            done.generation
        ),
        (true, false) => format!(
            "wrote the secret key to {path}; there is no database in this data folder yet to compare it with"
        ),
        (false, _) => format!("{path} holds this key already; nothing was changed"),
    };
    session.out.done(
        &json!({
            "imported": done.written, "path": done.path, "generation": done.generation, "checked": done.checked,
        }),
        &words,
    )
}

/// The file whose age says when the key file was last exported; `fractal doctor` compares it with the key's. It lies
/// beside the key, because several installations may share a configuration folder. A key that comes from the
/// environment has none: whoever sets the variable keeps the key.
pub fn export_marker(settings: &Settings) -> Option<PathBuf> {
    match &settings.secret_key {
        SecretKeySource::Variable(_) => None,
        SecretKeySource::File(path) => {
            let mut name = path.clone().into_os_string();
            name.push(".exported");
            Some(name.into())
        }
    }
}

fn mark(marker: Option<&Path>) -> anyhow::Result<()> {
    let Some(marker) = marker else { return Ok(()) };
    connection::write_private(
        marker,
        b"The secret key was exported when this file was written.\n",
    )
    .with_context(|| {
        format!(
            "the key was exported, but {} cannot be written",
            marker.display()
        )
    })
}
