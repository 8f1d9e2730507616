//! Engines: the pinned one is installed at first start, with progress that everybody can see.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError},
};

use async_trait::async_trait;
use fractal_api_types::{EngineProgress, EngineState as State, EngineView, Page};
use fractal_openclaw::engine::{EngineInfo, Phase, Progress};
use fractal_policy::{Action, Resource};
use fractal_runtime::contract::EngineFiles;
use fractal_store::{Engine, EngineState, Tx, engines};
use fractal_types::EngineId;

use crate::{
    App, Context, Error, Result,
    change::{Change, Door, submit},
};

/// The OpenClaw version this release was built and tested with.
pub const PINNED: &str = "2026.9.6";

/// Why the last installation failed, kept beside the progress.
#[derive(Default)]
pub struct Installation {
    /// How far it is.
    pub progress: Option<EngineProgress>,
    /// What went wrong last.
    pub error: Option<String>,
    /// Why engines of earlier releases that were installed cannot be started.
    missing: HashMap<EngineId, String>,
    /// Who else is told of every step: the terminal.
    listener: Option<Listener>,
}

/// Hears every step of an installation; `None` when it is over, with or without success.
pub type Listener = Arc<dyn Fn(Option<Progress>) + Send + Sync>;

impl fmt::Debug for Installation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Installation")
            .field("progress", &self.progress)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// Has `listener` told of every installation from now on, whoever asks for it.
pub fn on_progress(app: &App, listener: Listener) {
    app.installation
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .listener = Some(listener);
}

fn view_of(app: &App, row: Engine) -> EngineView {
    let installation = app
        .installation
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    let pinned = row.version == PINNED;
    EngineView {
        id: row.id,
        node_version: (!row.node_version.is_empty()).then_some(row.node_version),
        digest: (!row.digest.is_empty()).then_some(row.digest),
        state: match row.state {
            EngineState::Installed => State::Installed,
            EngineState::Installing => State::Installing,
            EngineState::Failed => State::Failed,
        },
        progress: installation
            .progress
            .clone()
            .filter(|_| pinned && row.state == EngineState::Installing),
        error: installation
            .error
            .clone()
            .filter(|_| pinned && row.state == EngineState::Failed)
            .or_else(|| installation.missing.get(&row.id).cloned()),
        version: row.version,
        created_at: row.created_at,
    }
}

/// All engines.
///
/// # Errors
///
/// See [`App::require`].
pub async fn list(app: &App, cx: &Context) -> Result<Page<EngineView>> {
    app.require(cx, Action::EngineList, &Resource::Engine(None))?;
    let rows = engines::list(&app.store.read()).await?;
    Ok(Page {
        items: rows.into_iter().map(|row| view_of(app, row)).collect(),
        next_cursor: None,
    })
}

/// Installs an engine in the background, or tries again.
///
/// # Errors
///
/// See [`submit`].
pub async fn install(app: &App, cx: &Context, id: EngineId) -> Result<EngineView> {
    let row = submit(app, cx, Install { id }).await?;
    if row.state != EngineState::Installed {
        tokio::spawn(provide(app.clone()));
    }
    Ok(view_of(app, row))
}

struct Install {
    id: EngineId,
}

#[async_trait]
impl Change for Install {
    type Output = Engine;

    fn action(&self) -> Action {
        Action::EngineInstall
    }

    async fn resource(&self, _tx: &Tx, _cx: &Context) -> Result<Resource> {
        Ok(Resource::Engine(Some(self.id)))
    }

    async fn apply(&self, door: &Door<'_>) -> Result<Engine> {
        let mut row = engines::find(door.tx, self.id)
            .await?
            .ok_or_else(Error::not_found)?;
        if row.state == EngineState::Failed {
            engines::set_state(door.tx, self.id, EngineState::Installing).await?;
            row.state = EngineState::Installing;
        }
        door.note("version", row.version.as_str());
        Ok(row)
    }
}

/// The row of the pinned engine, made when there is none.
///
/// # Errors
///
/// When the database fails.
pub async fn register(app: &App) -> Result<Engine> {
    app.store
        .tx("engines.register", async |tx: Tx| {
            if let Some(row) = engines::list(&tx)
                .await?
                .into_iter()
                .find(|row| row.version == PINNED)
            {
                return Ok::<_, Error>(row);
            }
            let row = Engine {
                id: app.new_id(),
                version: PINNED.to_owned(),
                node_version: String::new(),
                digest: String::new(),
                path: String::new(),
                state: EngineState::Installing,
                created_at: app.clock.now(),
            };
            engines::insert(&tx, &row).await?;
            Ok(row)
        })
        .await
}

/// Makes the pinned engine available: finds or installs it, notes the outcome, wakes those who wait.
pub async fn provide(app: App) {
    let told = {
        let mut installation = app
            .installation
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        installation.error = None;
        installation.listener.clone()
    };
    let (listener_app, also) = (app.clone(), told.clone());
    let listener = move |progress: Progress| {
        listener_app
            .installation
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .progress = Some(view_of_progress(&progress));
        if let Some(also) = &also {
            also(Some(progress));
        }
    };
    let outcome = match &app.engine_override {
        Some(path) => EngineInfo::at(path.clone()).await,
        None => app.engines.ensure(PINNED, &listener).await,
    };
    if let Some(told) = told {
        told(None);
    }
    let result = note_outcome(&app, &outcome).await;
    if let Err(error) = recall(&app).await {
        tracing::error!("engines of earlier releases could not be looked at: {error}");
    }
    if let Err(error) = &outcome {
        tracing::error!("there is no engine to start agents with: {error}");
    }
    if let Err(error) = result {
        tracing::error!("the state of the engine could not be written: {error}");
    }
    if let Err(error) = crate::instance::wake_all(&app).await {
        tracing::error!("waiting instances could not be woken: {error}");
    }
}

/// Makes engines that were installed before this release brought another one ready again: agents stay with theirs until somebody changes it.
/// One whose files are gone or changed is not started; who waits for it is told.
///
/// # Errors
///
/// When the database fails.
pub async fn recall(app: &App) -> Result<()> {
    for row in engines::list(&app.store.read()).await? {
        let earlier = row.version != PINNED && row.state == EngineState::Installed;
        if !earlier || files(app, row.id).is_some() {
            continue;
        }
        let why = match EngineInfo::at(&row.path).await {
            Ok(info) if info.version == row.version && info.digest == row.digest => {
                keep_files(app, row.id, &info);
                continue;
            }
            Ok(_) => "its files are not those that were installed".to_owned(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(
            engine.version = row.version,
            "an installed engine cannot be started: {why}"
        );
        let why = format!("engine {} cannot be started: {why}", row.version);
        let mut installation = app
            .installation
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        installation.missing.insert(row.id, why);
    }
    Ok(())
}

fn keep_files(app: &App, id: EngineId, info: &EngineInfo) {
    let files = EngineFiles {
        node: info.node.clone(),
        entry: info.entry.clone(),
        root: info.root.clone(),
        version: info.version.clone(),
    };
    app.engine_files
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(id, files);
    let mut installation = app
        .installation
        .write()
        .unwrap_or_else(PoisonError::into_inner);
    installation.missing.remove(&id);
}

async fn note_outcome(
    app: &App,
    outcome: &std::result::Result<EngineInfo, fractal_openclaw::engine::EngineError>,
) -> Result<()> {
    {
        let mut installation = app
            .installation
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        installation.progress = None;
        installation.error = outcome.as_ref().err().map(ToString::to_string);
    }
    let row = register(app).await?;
    app.store
        .tx("engines.outcome", async |tx: Tx| {
            let mut row = row.clone();
            match outcome {
                Ok(info) => {
                    row.node_version.clone_from(&info.node_version);
                    row.digest.clone_from(&info.digest);
                    row.path = info.root.to_string_lossy().into_owned();
                    row.state = EngineState::Installed;
                }
                Err(_) => row.state = EngineState::Failed,
            }
            engines::update(&tx, &row).await?;
            Ok::<_, Error>(())
        })
        .await?;
    if let Ok(info) = outcome {
        keep_files(app, row.id, info);
    }
    Ok(())
}

/// The files of an engine that can be started now.
pub(crate) fn files(app: &App, id: EngineId) -> Option<EngineFiles> {
    app.engine_files
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&id)
        .cloned()
}

/// Why the engine of a waiting instance is not coming, unless it is still on its way.
pub(crate) fn trouble(app: &App, id: EngineId) -> Option<String> {
    if files(app, id).is_some() {
        return None;
    }
    let installation = app
        .installation
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    let missing = installation.missing.get(&id).cloned();
    missing.or_else(|| installation.error.clone())
}

/// Why an installed engine cannot be started, if that is known.
pub(crate) fn missing(app: &App, id: EngineId) -> Option<String> {
    let installation = app
        .installation
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    installation.missing.get(&id).cloned()
}

/// Whether an instance of this engine has to wait for it.
pub(crate) fn is_awaited(app: &App, id: EngineId) -> bool {
    files(app, id).is_none()
}

/// How far the installation is, for everybody who waits for it: it says nothing about anybody.
pub(crate) fn progress(app: &App) -> Option<EngineProgress> {
    app.installation
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .progress
        .clone()
}

fn view_of_progress(progress: &Progress) -> EngineProgress {
    let count = |packages: u64| u32::try_from(packages).unwrap_or(u32::MAX);
    EngineProgress {
        phase: phase_word(progress.phase).to_owned(),
        packages_done: count(progress.packages_done),
        packages_total: count(progress.packages_total),
        bytes: progress.bytes_done,
        bytes_total: progress.bytes_total,
    }
}

/// What people are told while the engine is not there.
pub(crate) fn waiting_reason(app: &App, id: EngineId) -> String {
    let installation = app
        .installation
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(missing) = installation.missing.get(&id) {
        return format!("{missing}; give it another engine");
    }
    match (&installation.error, &installation.progress) {
        (Some(error), _) => format!("its engine is not there: {error}"),
        (None, Some(progress)) if progress.packages_total > 0 => format!(
            "its engine is being installed ({}, {} of {} packages)",
            progress.phase, progress.packages_done, progress.packages_total
        ),
        _ => "its engine is being installed".to_owned(),
    }
}

const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Prepare => "prepare",
        Phase::Download => "download",
        Phase::Unpack => "unpack",
        Phase::Verify => "verify",
        Phase::Done => "done",
    }
}
