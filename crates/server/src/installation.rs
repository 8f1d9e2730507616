//! What a first start makes and every start checks: the key, the tenant, the installation's name, the setup token.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use fractal_clock::{Clock, Entropy, new_id, random};
use fractal_config::{SecretKeySource, Settings};
use fractal_crypto::{MasterKey, Token, TokenKind, load_or_create, settle_key_file};
use fractal_store::{Organization, Store, Tx, organizations, system_config, users};
use fractal_types::OrganizationId;
use secrecy::{ExposeSecret, SecretString};

/// The lock of a data folder; held as long as this lives.
#[derive(Debug)]
pub struct FolderLock(#[expect(dead_code, reason = "holding it is its use")] fs::File);

/// Makes the data folder and takes it for this process.
///
/// # Errors
///
/// When the folder cannot be made or another process uses it.
pub fn take_folder(dir: &Path) -> Result<FolderLock> {
    // Others may pass through to their own homes below, but see nothing.
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(dir)
        .with_context(|| {
            format!(
                "the data folder {} cannot be made; choose another with --data",
                dir.display()
            )
        })?;
    let file = fs::OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(dir.join("lock"))
        .with_context(|| {
            format!(
                "the data folder {} cannot be written; choose another with --data",
                dir.display()
            )
        })?;
    match file.try_lock() {
        Ok(()) => Ok(FolderLock(file)),
        Err(fs::TryLockError::WouldBlock) => bail!(
            "another Fractal uses the data folder {}; stop it first, or choose another folder with --data",
            dir.display()
        ),
        Err(fs::TryLockError::Error(error)) => Err(error)
            .with_context(|| format!("the data folder {} cannot be locked", dir.display())),
    }
}

/// The master key that the database expects; made at the first start when it comes from a file. Puts key files right that a crash
/// during a rotation left behind, so only the process that holds the folder may ask.
///
/// # Errors
///
/// When it cannot be read, made, or is not the one of this database.
fn master_key(
    source: &SecretKeySource,
    check: Option<&str>,
    entropy: &dyn Entropy,
) -> Result<MasterKey> {
    match (source, check) {
        (SecretKeySource::File(path), Some(check)) => Ok(settle_key_file(path, check)?),
        (SecretKeySource::File(path), None) => {
            let (key, made) = load_or_create(path, entropy)?;
            if made {
                tracing::info!(
                    "made the secret key {}; keep a copy: fractal keys export",
                    path.display()
                );
            }
            Ok(key)
        }
        (SecretKeySource::Variable(text), _) => {
            let key = MasterKey::parse(text.expose_secret(), 1).context("FRACTAL_SECRET_KEY")?;
            Ok(match check {
                Some(check) => key.checked(check)?,
                None => key,
            })
        }
    }
}

/// What is known of an installation after its start.
#[derive(Debug)]
pub struct Installation {
    /// The tenant.
    pub organization_id: OrganizationId,
    /// The installation's own name, for cookies.
    pub id: String,
    /// The setup token, while nobody has claimed the installation.
    pub setup: Option<Setup>,
    /// The key, with the generation that the database expects.
    pub key: MasterKey,
}

/// The way in for the first administrator.
#[derive(Debug)]
pub struct Setup {
    /// The token.
    pub token: SecretString,
    /// Where it stands, readable by this user only.
    pub file: PathBuf,
}

/// Checks the key against the database and makes what a first start needs.
///
/// # Errors
///
/// A wrong key, with the remedy; a failing database; a data folder that cannot be written.
pub async fn prepare(
    store: &Store,
    settings: &Settings,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Installation> {
    let check = system_config::find(&store.read(), &system_config::KEY_CHECK).await?;
    let key = master_key(&settings.secret_key, check.as_deref(), entropy)?;
    let fresh_id = random::<6>(entropy)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect::<String>();
    let now = clock.now();
    let (organization_id, id) = store
        .tx("installation.prepare", async |tx: Tx| {
            system_config::insert(&tx, &system_config::KEY_CHECK, &key.check_value(), now).await?;
            system_config::insert(&tx, &system_config::INSTALLATION_ID, &fresh_id, now).await?;
            let id = system_config::find(&tx, &system_config::INSTALLATION_ID)
                .await?
                .unwrap_or_else(|| fresh_id.clone());
            if let Some(organization) = organizations::list(&tx).await?.into_iter().next() {
                return Ok::<_, fractal_app::Error>((organization.id, id));
            }
            let organization = Organization {
                id: new_id(clock, entropy),
                name: "Home".parse()?,
                created_at: now,
            };
            organizations::insert(&tx, &organization).await?;
            Ok((organization.id, id))
        })
        .await?;
    let claimed = users::count_all(&store.read()).await? > 0;
    let setup = if claimed {
        None
    } else {
        Some(setup_token(store, &settings.data_dir, clock, entropy).await?)
    };
    Ok(Installation {
        organization_id,
        id,
        setup,
        key,
    })
}

/// A new token at every start until the claim: an old one in a forgotten terminal opens nothing.
async fn setup_token(
    store: &Store,
    dir: &Path,
    clock: &dyn Clock,
    entropy: &dyn Entropy,
) -> Result<Setup> {
    let token = Token::generate(TokenKind::Setup, entropy);
    let file = dir.join("setup-token");
    let _ = fs::remove_file(&file);
    let mut out = fs::OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&file)?;
    writeln!(out, "{}", token.secret().expose_secret())?;
    let (hash, now) = (token.hash().to_hex(), clock.now());
    store
        .tx("installation.setup_token", async |tx: Tx| {
            system_config::set(&tx, &system_config::SETUP_TOKEN_HASH, &hash, now).await
        })
        .await?;
    Ok(Setup {
        token: token.into_secret(),
        file,
    })
}
