//! Moving what is sealed from older versions of the owners' keys to the newest, while everything runs.
//!
//! A rotation makes a new version of every owner's key; what is stored from then on is sealed with it. This moves the rest,
//! one owner at a time in short transactions, so a crash loses nothing: until the last value of an owner is moved, both
//! versions open what they sealed. An older version is removed some time later, because somebody may have read a value just
//! before it was moved. It takes no input: whatever has an older version is work, also after a restart or an offline rotation.

use std::time::Duration;

use fractal_crypto::{Place, key_version_of, reencrypt};
use fractal_store::{OwnerKeyRow, Tx, owner_keys, sealed};
use fractal_types::KeyId;

use crate::{App, Error, Result};

/// Values that are moved in one transaction. SQLite has one writer, and others wait for it.
const BATCH: usize = 100;

/// Older versions that are looked up at once.
const PAGE: u32 = 100;

/// How long an older version is kept after its last value was moved: longer than any request runs that has read a value and
/// not yet opened it.
const KEPT: Duration = Duration::from_secs(600);

/// How often it is looked for work that nobody announced: versions whose time is over.
const LOOK: Duration = Duration::from_secs(60);

/// Does the work for ever; a rotation wakes it.
pub async fn run(app: App) {
    loop {
        if let Err(error) = work(&app).await {
            tracing::warn!(
                "stored secrets could not be moved to the newest keys, and are tried again: {error}"
            );
        }
        let _ = tokio::time::timeout(LOOK, app.keys.rotated.notified()).await;
    }
}

/// Does all there is to do now; how many values cannot be opened. They stay as they are with their key, and are told in the log.
///
/// # Errors
///
/// When the database fails.
pub async fn work(app: &App) -> Result<usize> {
    let mut after: Option<KeyId> = None;
    let mut damaged = 0;
    loop {
        let older = owner_keys::list_older(&app.store.read(), after, PAGE).await?;
        for row in &older {
            loop {
                match settle(app, row).await {
                    Ok(Left::More) => {}
                    Ok(Left::Damaged(count)) => {
                        damaged += count;
                        break;
                    }
                    Err(error) if error.code == fractal_api_types::ProblemCode::Internal => {
                        tracing::error!(key.id = %row.id, "what an older key sealed could not be moved and stays under it: {error}");
                        break;
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        let Some(last) = older.last().filter(|_| older.len() == PAGE as usize) else {
            return Ok(damaged);
        };
        after = Some(last.id);
    }
}

/// What is left for an older version.
#[derive(Clone, Copy)]
enum Left {
    /// More to move now.
    More,
    /// Nothing that could be moved now; so many values cannot be opened.
    Damaged(usize),
}

/// One step for one older version.
async fn settle(app: &App, row: &OwnerKeyRow) -> Result<Left> {
    let now = app.clock.now();
    let (left, gone) = app
        .store
        .tx("keys.reseal", async |tx: Tx| {
            let Some(older) = owner_keys::find(&tx, row.id).await? else {
                return Ok((Left::Damaged(0), true));
            };
            let mut values = sealed::list(&tx, &older.owner).await?;
            values.retain(|value| key_version_of(&value.bytes) == Some(older.version));
            if !values.is_empty() {
                if older.retired_at.is_some() {
                    // Stored under it by somebody who began before the rotation, and may be read yet.
                    owner_keys::retire(&tx, older.id, now).await?;
                }
                let (moved, damaged) = move_values(app, &tx, &older, &values).await?;
                // Whether any is left, and that none is, is for the next step to see; what cannot be moved waits.
                let left = if moved > 0 {
                    Left::More
                } else {
                    Left::Damaged(damaged)
                };
                return Ok((left, false));
            }
            match older.retired_at {
                None => owner_keys::retire(&tx, older.id, now).await?,
                Some(at) if now.since(at) >= KEPT => {
                    owner_keys::delete(&tx, older.id).await?;
                    return Ok((Left::Damaged(0), true));
                }
                Some(_) => {}
            }
            Ok::<_, Error>((Left::Damaged(0), false))
        })
        .await?;
    if gone {
        // The key need not stay in memory either; the newer ones are opened again when needed.
        app.keys.forget(&row.owner);
    }
    Ok(left)
}

/// How many were moved, and how many cannot be opened.
async fn move_values(
    app: &App,
    tx: &Tx,
    older: &OwnerKeyRow,
    values: &[sealed::SealedValue],
) -> Result<(usize, usize)> {
    let newest = owner_keys::find_latest(tx, &older.owner)
        .await?
        .ok_or_else(Error::not_found)?;
    let (from, to) = (app.keys.unwrap(older)?, app.keys.unwrap(&newest)?);
    let (mut moved, mut damaged) = (0, 0);
    for value in values {
        if moved == BATCH {
            break;
        }
        let place = Place {
            owner: &older.owner,
            table: value.column.table,
            column: value.column.column,
            row: &value.row,
        };
        // One damaged value keeps its key, and keeps no other value from moving.
        let bytes = match reencrypt(&from, &to, place, &value.bytes, &*app.entropy) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::error!(key.id = %older.id, "{}.{} of {} cannot be opened and stays under its older key: {error}", place.table, place.column, place.row);
                damaged += 1;
                continue;
            }
        };
        sealed::replace(tx, value, &bytes).await?;
        moved += 1;
    }
    Ok((moved, damaged))
}
