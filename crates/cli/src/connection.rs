//! Which server, and the token kept for it.
//!
//! Tokens are kept per server address in `credentials.json` in the person's configuration folder, readable
//! by nobody else. `FRACTAL_TOKEN` goes before it, so that programs need no file.

use std::{
    collections::BTreeMap,
    fs,
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use anyhow::Context;
use fractal_client::Client;
use fractal_types::ApiTokenId;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{args::Global, exit::Advice};

/// The environment variable that holds a token.
pub const TOKEN_VARIABLE: &str = "FRACTAL_TOKEN";

/// A client with the token from the environment, or else the kept one, or else none.
pub fn connect(global: &Global) -> anyhow::Result<Client> {
    let anonymous = Client::new(&global.url, None)?;
    let token = match std::env::var(TOKEN_VARIABLE) {
        Ok(token) if !token.trim().is_empty() => Some(token.trim().to_owned()),
        _ => Kept::load()?.of(&anonymous).map(|kept| kept.token.clone()),
    };
    Ok(Client::new(&global.url, token.map(SecretString::from))?)
}

/// The file of kept tokens.
#[derive(Default, Serialize, Deserialize)]
pub struct Kept {
    servers: BTreeMap<String, KeptToken>,
}

/// One kept token. Deliberately without `Debug`.
#[derive(Serialize, Deserialize)]
pub struct KeptToken {
    /// The bearer token.
    pub token: String,
    /// Its row, for revoking it at logout; absent when it was entered by hand.
    pub token_id: Option<ApiTokenId>,
    /// Whose it is.
    pub username: String,
}

impl Kept {
    /// Reads the file; an absent one is empty.
    pub fn load() -> anyhow::Result<Self> {
        let Some(path) = file() else {
            return Ok(Self::default());
        };
        let metadata = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            other => other.with_context(|| format!("cannot look at {}", path.display()))?,
        };
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(Advice::error(
                format!("{} can be read by others", path.display()),
                format!(
                    "run `chmod 600 {}`, and `fractal login` again if somebody else read it",
                    path.display()
                ),
            ));
        }
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        // The parser's own words could repeat a token, so they are left out.
        serde_json::from_slice(&text).map_err(|_| {
            Advice::error(
                format!("{} is damaged", path.display()),
                "remove it and run `fractal login` again",
            )
        })
    }

    /// The token of a server.
    pub fn of(&self, client: &Client) -> Option<&KeptToken> {
        self.servers.get(client.base_url().as_str())
    }

    /// Keeps a token.
    pub fn put(&mut self, client: &Client, token: KeptToken) -> anyhow::Result<PathBuf> {
        self.servers.insert(client.base_url().to_string(), token);
        self.save()
    }

    /// Forgets a server's token.
    pub fn forget(&mut self, client: &Client) -> anyhow::Result<Option<KeptToken>> {
        let gone = self.servers.remove(client.base_url().as_str());
        if gone.is_some() {
            self.save()?;
        }
        Ok(gone)
    }

    fn save(&self) -> anyhow::Result<PathBuf> {
        let path = file().ok_or_else(|| {
            Advice::error(
                "there is no place for the token: neither XDG_CONFIG_HOME nor HOME is set",
                "set HOME, or use FRACTAL_TOKEN",
            )
        })?;
        write_private(&path, &serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

fn file() -> Option<PathBuf> {
    let absolute = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(base.join("fractal/credentials.json"))
}

/// Replaces a file in one step with one that only its owner can read.
pub fn write_private(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let fresh = folder.join(name);
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&fresh)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    written
}
