//! The driver: the Runtime contract over supervisors and files.

use std::{
    collections::HashMap,
    fs::File,
    path::PathBuf,
    process::Stdio,
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fractal_clock::SharedClock;
use fractal_runtime::{
    contract::{
        BoxByteStream, Capabilities, Error, ErrorClass, Fence, InstanceSpec, LogQuery, LogStream,
        Observation, ProcessState, Result, Runtime, Stopped, Volumes,
    },
    layout::InstanceDirs,
    logs,
    machine::{self, Remark},
    relay, socket,
    supervisor::{
        cgroup::{Group, Host},
        protocol::{Answer, Connection, Launch, Request},
        record::{Lock, Phase, Record, written_at},
    },
};
use fractal_types::{Generation, InstanceId};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::{io::AsyncReadExt as _, process::Command, sync::Mutex};

use crate::{
    capabilities::capabilities, engine::check_engine, folders::Folders, preflight,
    settings::Settings, uids,
};

/// How long a supervisor may take to come up or to let go.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// How long an ordinary question to a supervisor may take. Starting and stopping take their own time.
const QUESTION: Duration = Duration::from_secs(10);

/// How long a supervisor may take to launch its sandbox.
const LAUNCH: Duration = Duration::from_secs(60);

/// How much longer than its grace a stop may take.
const KILLING: Duration = Duration::from_secs(15);

/// How long the relay may take to try the gateway's port.
const DIAL: Duration = Duration::from_secs(5);

/// Hosts instances as sandboxed processes of this machine.
#[derive(Debug)]
pub struct ProcessRuntime {
    settings: Settings,
    folders: Folders,
    clock: SharedClock,
    /// The bubblewrap binary, when it works.
    bubblewrap: Option<PathBuf>,
    capabilities: Capabilities,
    /// One action at a time per instance, should a caller not keep to it.
    turns: StdMutex<HashMap<InstanceId, Arc<Mutex<()>>>>,
}

impl ProcessRuntime {
    /// Opens the runtime over its data folder, adopting what runs.
    ///
    /// # Errors
    /// [`ErrorClass::Permanent`] when the machine or its folders cannot serve; the message names the remedy.
    pub fn open(mut settings: Settings, clock: SharedClock) -> Result<Self> {
        let folders = Folders::open(&settings.data_dir)?;
        settings.program = settings.program.canonicalize().map_err(|error| {
            Error::new(
                ErrorClass::Permanent,
                format!("the program {} cannot be found", settings.program.display()),
            )
            .with_source(error)
        })?;
        preflight::passable("the data folder", folders.data())?;
        preflight::passable("the program", &settings.program)?;
        let bubblewrap = preflight::bubblewrap(&settings.bubblewrap)?;
        let capabilities = capabilities(bubblewrap.as_ref().err());
        Ok(Self {
            settings,
            folders,
            clock,
            bubblewrap: bubblewrap.ok(),
            capabilities,
            turns: StdMutex::default(),
        })
    }

    async fn turn(&self, id: InstanceId) -> tokio::sync::OwnedMutexGuard<()> {
        let turn = {
            let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(turns.entry(id).or_default())
        };
        turn.lock_owned().await
    }

    /// A user id of its own for a new instance, when we may give one.
    fn new_uid(&self) -> Result<Option<u32>> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        uids::next(self.folders.data(), &self.settings.uids).map(Some)
    }

    fn prepare(&self, id: InstanceId) -> Result<Record> {
        self.folders.prepare(id, || self.new_uid())
    }

    fn launch(&self, spec: &InstanceSpec, uid: Option<u32>) -> Launch {
        Launch {
            id: spec.id,
            engine: spec.engine.clone(),
            limits: spec.limits,
            instance_token: spec.instance_token.expose_secret().to_owned(),
            redact: spec
                .redact
                .iter()
                .map(|secret| secret.expose_secret().to_owned())
                .collect(),
            env: spec.env.clone(),
            uid,
            bubblewrap: self.bubblewrap.clone(),
            program: self.settings.program.clone(),
            program_args: self.settings.program_args.clone(),
            ttl_ms: u64::try_from(self.settings.ttl.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Starts a supervisor that is no longer ours: own session, no environment, nothing inherited.
    fn spawn_supervisor(&self, dirs: &InstanceDirs) -> Result<()> {
        let errors = dirs.supervisor().join("supervisor.log");
        let spawn = || -> std::io::Result<tokio::process::Child> {
            Command::new(&self.settings.program)
                .args(&self.settings.program_args)
                .arg("supervise")
                .arg("--dir")
                .arg(dirs.root())
                .env_clear()
                .current_dir("/")
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(File::create(&errors)?)
                .spawn()
        };
        let mut child = spawn().map_err(|error| {
            Error::new(
                ErrorClass::Retry,
                format!("cannot start a supervisor: {error}"),
            )
            .with_source(error)
        })?;
        // Buries it while this program lives; afterwards the system's first process does.
        tokio::spawn(async move { child.wait().await });
        Ok(())
    }

    /// Does something to the record of an instance that has no supervisor. `None` when it has one.
    async fn offline<T>(
        &self,
        dirs: &InstanceDirs,
        action: impl FnOnce(Option<Record>) -> Result<T>,
    ) -> Result<Option<T>> {
        let folder = dirs.supervisor();
        if !folder.is_dir() {
            return action(None).map(Some);
        }
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = Lock::try_take(&folder)? {
                let outcome = action(Record::load(&folder)?);
                drop(lock);
                return outcome.map(Some);
            }
            if Connection::open(&dirs.control_socket()).await?.is_some() {
                return Ok(None);
            }
            if tokio::time::Instant::now() > deadline {
                return Err(Error::new(
                    ErrorClass::Unreachable,
                    "the instance's supervisor lives but does not answer",
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn stop_within(&self, id: InstanceId, grace: Duration, fence: Fence) -> Result<Stopped> {
        let dirs = self.folders.of(id);
        let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        loop {
            if let Some(mut connection) = Connection::open(&dirs.control_socket()).await? {
                let request = Request::Stop {
                    generation: fence.0,
                    grace_ms,
                };
                let asked = within(grace + KILLING, connection.ask(&request)).await?;
                match asked {
                    Some(Answer::Stopped {
                        was_running,
                        killed,
                    }) => {
                        self.await_gone(&dirs).await?;
                        return Ok(match (was_running, killed) {
                            (false, _) => Stopped::WasNotRunning,
                            (true, false) => Stopped::Gracefully,
                            (true, true) => Stopped::Killed,
                        });
                    }
                    // It ended meanwhile; its record tells the rest.
                    _ => self.await_gone(&dirs).await?,
                }
            }
            let noted = self
                .offline(&dirs, |record| match record {
                    None => refuse_stale(self.folders.fence_of_removed(id), fence),
                    Some(mut record) => {
                        let before = record.generation;
                        record.admit(fence.0)?;
                        if record.generation != before {
                            settle(&mut record, &dirs);
                            record.save(&dirs.supervisor())?;
                        }
                        Ok(())
                    }
                })
                .await?;
            if noted.is_some() {
                return Ok(Stopped::WasNotRunning);
            }
        }
    }

    /// Waits until a supervisor that has done its work let go of everything.
    async fn await_gone(&self, dirs: &InstanceDirs) -> Result<()> {
        self.offline(dirs, |_| Ok(())).await.map(drop)
    }

    async fn observe_dirs(&self, id: InstanceId) -> Result<Observation> {
        let dirs = self.folders.of(id);
        if let Some(mut connection) = Connection::open(&dirs.control_socket()).await?
            && let Some(Answer::Status { seen }) =
                within(QUESTION, connection.ask(&Request::Status)).await?
        {
            return Ok(*seen);
        }
        let folder = dirs.supervisor();
        if let Some(record) = Record::load(&folder)? {
            return Ok(record.observe(written_at(&folder)));
        }
        Ok(Observation {
            id,
            process: ProcessState::Absent,
            generation: self.folders.fence_of_removed(id),
            memory_bytes: None,
            cpu: None,
            disk_bytes: None,
            uid: None,
        })
    }
}

#[async_trait]
impl Runtime for ProcessRuntime {
    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    async fn listener_dir(&self, id: InstanceId) -> Result<PathBuf> {
        let _turn = self.turn(id).await;
        self.prepare(id)?;
        Ok(self.folders.of(id).listener())
    }

    async fn start(&self, spec: &InstanceSpec, fence: Fence) -> Result<()> {
        let _turn = self.turn(spec.id).await;
        let mut spec = spec.clone();
        check_engine(&mut spec)?;
        refuse_stale(self.folders.fence_of_removed(spec.id), fence)?;
        let record = self.prepare(spec.id)?;
        let dirs = self.folders.of(spec.id);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut spawned = false;
        loop {
            if let Some(mut connection) = Connection::open(&dirs.control_socket()).await? {
                let request = Request::Start {
                    generation: fence.0,
                    launch: Box::new(self.launch(&spec, record.uid)),
                };
                match within(LAUNCH, connection.ask(&request)).await? {
                    Some(Answer::Done) => return Ok(()),
                    // The last one is on its way out; wait for it and begin anew.
                    _ => {
                        self.await_gone(&dirs).await?;
                        spawned = false;
                    }
                }
            } else if !spawned {
                // Refused before a process is spent on it.
                let free = self
                    .offline(&dirs, |record| {
                        record.map_or(Ok(()), |mut record| record.admit(fence.0))
                    })
                    .await?;
                if free.is_some() {
                    self.spawn_supervisor(&dirs)?;
                    spawned = true;
                }
            }
            if tokio::time::Instant::now() > deadline {
                let said = std::fs::read_to_string(dirs.supervisor().join("supervisor.log"));
                return Err(Error::new(
                    ErrorClass::Retry,
                    format!(
                        "the supervisor did not come up: {}",
                        said.unwrap_or_default().trim()
                    ),
                ));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn stop(&self, id: InstanceId, grace: Duration, fence: Fence) -> Result<Stopped> {
        let _turn = self.turn(id).await;
        self.stop_within(id, grace, fence).await
    }

    async fn remove(&self, id: InstanceId, volumes: Volumes, fence: Fence) -> Result<()> {
        let _turn = self.turn(id).await;
        self.stop_within(id, Duration::from_secs(10), fence).await?;
        let dirs = self.folders.of(id);
        Group::named(&Host::find(), id).remove();
        let folders = self.folders.clone();
        let removed = match volumes {
            Volumes::Keep => {
                self.offline(&dirs, |record| {
                    // Nothing was ever there, but a start that was overtaken may be on its way.
                    let Some(mut record) = record else {
                        return self.folders.note_fence(id, fence.0);
                    };
                    record.removed = true;
                    record.phase = Phase::Idle;
                    record.save(&dirs.supervisor())
                })
                .await?
            }
            // A home may hold many files; not on the threads that serve others.
            Volumes::Remove => tokio::task::spawn_blocking(move || folders.remove(id, fence.0))
                .await
                .map_err(|error| {
                    Error::new(ErrorClass::Retry, "removing was cut short").with_source(error)
                })?
                .map(Some)?,
        };
        removed.ok_or_else(|| {
            Error::new(
                ErrorClass::Retry,
                "the instance was started again while it was removed",
            )
        })
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation> {
        self.observe_dirs(id).await
    }

    async fn list(&self) -> Result<Vec<Observation>> {
        let mut all = Vec::new();
        for id in self.folders.all()? {
            let seen = match self.observe_dirs(id).await {
                Ok(seen) => seen,
                // One supervisor that cannot be asked must not hide all the others.
                Err(error) => {
                    tracing::warn!(instance.id = %id, %error, "an instance is listed as it was recorded");
                    let folder = self.folders.of(id).supervisor();
                    match Record::load(&folder)? {
                        Some(record) => record.believe(written_at(&folder)),
                        None => return Err(error),
                    }
                }
            };
            all.push(seen);
        }
        // A listener folder alone is no instance; one that takes space after its removal is.
        all.retain(|seen| seen.process != ProcessState::Absent || seen.generation != Generation(0));
        Ok(all)
    }

    async fn dial(&self, id: InstanceId) -> Result<BoxByteStream> {
        let silent = |what: &str| Error::new(ErrorClass::NotRunning, what.to_owned());
        let path = self.folders.of(id).gateway_socket();
        let dial = async {
            let mut stream = socket::connect(&path).await?;
            let answers = stream.read_u8().await? == relay::ANSWERS;
            std::io::Result::Ok(answers.then_some(stream))
        };
        match tokio::time::timeout(DIAL, dial).await {
            Ok(Ok(Some(stream))) => Ok(Box::new(stream)),
            Ok(Ok(None)) => Err(silent("the gateway does not listen on its port yet")),
            Ok(Err(error)) => Err(silent("the instance does not run").with_source(error)),
            Err(_) => Err(silent(
                "the instance's relay does not accept connections yet",
            )),
        }
    }

    async fn logs(&self, id: InstanceId, query: LogQuery) -> Result<LogStream> {
        logs::read(&self.folders.of(id).logs(), query, Arc::clone(&self.clock)).await
    }

    async fn redact(&self, id: InstanceId, secrets: &[SecretString]) -> Result<()> {
        let control = self.folders.of(id).control_socket();
        let Some(mut connection) = Connection::open(&control).await? else {
            return Ok(());
        };
        let request = Request::Redact {
            secrets: secrets
                .iter()
                .map(|secret| secret.expose_secret().to_owned())
                .collect(),
        };
        match within(QUESTION, connection.ask(&request)).await? {
            Some(Answer::Done) => Ok(()),
            _ => Err(Error::new(
                ErrorClass::Retry,
                "the supervisor did not take what its log must not show",
            )),
        }
    }

    async fn machine(&self) -> Vec<Remark> {
        machine::remarks(self.folders.data())
    }

    async fn heartbeat(&self) -> Result<()> {
        for id in self.folders.all()? {
            // One that cannot be reached must not keep the others from hearing.
            if let Ok(Some(mut connection)) =
                Connection::open(&self.folders.of(id).control_socket()).await
            {
                let _ = within(QUESTION, connection.ask(&Request::Heartbeat)).await;
            }
        }
        Ok(())
    }
}

/// A record left by a supervisor that vanished is settled before it is written again, because what it
/// shows rests on the time it was last written.
fn settle(record: &mut Record, dirs: &InstanceDirs) {
    let at = written_at(&dirs.supervisor());
    if let ProcessState::Exited { exit, .. } = record.observe(at).process {
        record.phase = Phase::Ended { exit, at };
    }
}

fn refuse_stale(highest: Generation, fence: Fence) -> Result<()> {
    if fence.0 < highest {
        return Err(Error::new(
            ErrorClass::Stale,
            format!(
                "generation {} comes after generation {highest} has removed the instance; nothing was done",
                fence.0
            ),
        ));
    }
    Ok(())
}

async fn within<T>(bound: Duration, asking: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(bound, asking)
        .await
        .unwrap_or_else(|_| {
            Err(Error::new(
                ErrorClass::Unreachable,
                "the instance's supervisor does not answer in time",
            ))
        })
}
