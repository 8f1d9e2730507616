//! `fractal engine`: OpenClaw versions on this machine. Works without a server.

use std::{path::PathBuf, process::ExitCode};

use fractal_openclaw::engine::{EngineError, EngineInfo, EngineStore, PINS};
use fractal_server::Meter;
use fractal_types::Timestamp;
use serde::Serialize;

use super::Session;
use crate::{
    args::{Engine, Machine},
    cells,
    exit::{Advice, Exit, FAILED},
    output::{Card, Row},
    place,
    table::{Cell, Tone},
    text::bytes,
};

/// An installed engine as `--json` prints it.
#[derive(Serialize)]
struct InstalledEngine {
    version: String,
    node_version: String,
    root: PathBuf,
    node: PathBuf,
    entry: PathBuf,
    digest: String,
    bytes: u64,
}

impl From<EngineInfo> for InstalledEngine {
    fn from(info: EngineInfo) -> Self {
        Self {
            version: info.version,
            node_version: info.node_version,
            root: info.root,
            node: info.node,
            entry: info.entry,
            digest: info.digest,
            bytes: info.bytes,
        }
    }
}

/// Whether an engine is as it was installed.
#[derive(Serialize)]
struct Verdict {
    version: String,
    root: PathBuf,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Row for InstalledEngine {
    const HEAD: &'static [&'static str] = &["version", "node", "size", "folder"];
    const NONE: &'static str = "no engine is installed; install one with `fractal engine install`";

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        cells![
            &self.version,
            &self.node_version,
            bytes(self.bytes),
            self.root.display()
        ]
    }
}

impl Card for InstalledEngine {
    fn lines(&self, _: Timestamp) -> Vec<(&'static str, Cell)> {
        vec![
            ("version", Cell::from(&self.version)),
            ("node", Cell::from(&self.node_version)),
            ("folder", Cell::from(self.root.display())),
            ("size", Cell::from(bytes(self.bytes))),
            ("digest", Cell::from(&self.digest)),
        ]
    }
}

impl Row for Verdict {
    const HEAD: &'static [&'static str] = &["version", "state", "detail"];
    const NONE: &'static str = InstalledEngine::NONE;

    fn cells(&self, _: Timestamp) -> Vec<Cell> {
        let state = if self.ok {
            Cell::toned("as installed", Tone::Good)
        } else {
            Cell::toned("damaged", Tone::Bad)
        };
        vec![
            Cell::from(&self.version),
            state,
            Cell::from(self.detail.as_deref().unwrap_or_default()),
        ]
    }
}

pub async fn run(session: &Session, command: Engine) -> anyhow::Result<ExitCode> {
    let out = &session.out;
    match command {
        Engine::List { machine } => {
            out.list(
                store(machine)?
                    .list()?
                    .into_iter()
                    .map(InstalledEngine::from)
                    .collect(),
            )?;
        }
        Engine::Install { version, machine } => {
            let version = match &version {
                Some(version) => version,
                None => newest()?,
            };
            let meter = Meter::for_command();
            let installed = store(machine)?
                .ensure(version, &|progress| meter.show(Some(progress)))
                .await;
            meter.show(None);
            let info = installed?;
            out.show(&InstalledEngine::from(info))?;
        }
        Engine::Verify { version, machine } => {
            let verdicts = verify(&store(machine)?, version.as_deref()).await?;
            if verdicts.is_empty() && version.is_some() {
                return Err(Advice::error(
                    "that version is not installed",
                    "see `fractal engine list`",
                ));
            }
            let damaged = verdicts.iter().any(|verdict| !verdict.ok);
            out.list(verdicts)?;
            if damaged {
                eprintln!("remedy: remove the damaged folder and run `fractal engine install`");
                return Ok(Exit(FAILED).into());
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn store(machine: Machine) -> anyhow::Result<EngineStore> {
    Ok(EngineStore::new(place::of(machine)?.engines_dir))
}

/// The version this release installs by itself.
fn newest() -> anyhow::Result<&'static str> {
    PINS.last()
        .map(|pin| pin.version)
        .ok_or_else(|| anyhow::anyhow!("this release pins no engine"))
}

async fn verify(store: &EngineStore, version: Option<&str>) -> anyhow::Result<Vec<Verdict>> {
    let mut verdicts = Vec::new();
    for info in store.list()? {
        if version.is_some_and(|version| version != info.version) {
            continue;
        }
        let detail = match store.verify(&info).await {
            Ok(()) => None,
            Err(EngineError::Damaged { why, .. }) => Some(why),
            Err(error) => return Err(error.into()),
        };
        verdicts.push(Verdict {
            version: info.version,
            root: info.root,
            ok: detail.is_none(),
            detail,
        });
    }
    Ok(verdicts)
}
