//! A runtime without processes, for tests of everything above it: instances are entries in a map, faults
//! are injected, and what `dial` leads to is the test's own function.

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fractal_clock::SharedClock;
use fractal_types::{Enforcement, Generation, InstanceId, Timestamp};
use futures::{StreamExt as _, stream};
use secrecy::SecretString;
use tokio::{
    io::DuplexStream,
    sync::{broadcast, watch},
};

use crate::contract::{
    BoxByteStream, Capabilities, Error, ErrorClass, Exit, Fence, InstanceSpec, Isolation, LogLine,
    LogQuery, LogSource, LogStream, Observation, ProcessState, Result, Runtime, Stopped, Volumes,
};
use crate::{logs::Redactor, machine::Remark};

/// What happens at the far end of a dialled stream.
pub type DialHandler =
    Arc<dyn Fn(InstanceId, DuplexStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// The buffer of a dialled stream, in bytes.
const BUFFER: usize = 64 << 10;

/// A runtime in memory. Clones share everything, like drivers over the same data.
#[derive(Clone)]
pub struct FakeRuntime {
    shared: Arc<Shared>,
}

struct Shared {
    clock: SharedClock,
    folder: PathBuf,
    state: Mutex<State>,
    held: watch::Sender<bool>,
    lines: broadcast::Sender<(InstanceId, LogLine)>,
}

#[derive(Default)]
struct State {
    instances: BTreeMap<InstanceId, Instance>,
    tombstones: BTreeMap<InstanceId, Generation>,
    faults: Vec<ErrorClass>,
    handler: Option<DialHandler>,
    actions: Vec<Action>,
    heartbeats: u64,
    remarks: Vec<Remark>,
}

/// An action that the fake was asked for, fences and faults included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `start`
    Start(InstanceId, Generation),
    /// `stop`
    Stop(InstanceId, Generation),
    /// `remove`
    Remove(InstanceId, Volumes, Generation),
}

#[derive(Debug)]
struct Instance {
    generation: Generation,
    boot: u64,
    process: ProcessState,
    removed: bool,
    listening: bool,
    stubborn: bool,
    disk: Option<u64>,
    log: Vec<LogLine>,
    redactor: Redactor,
}

impl fmt::Debug for FakeRuntime {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "FakeRuntime({} instances)",
            self.state().instances.len()
        )
    }
}

impl FakeRuntime {
    /// An empty runtime whose listener folders lie below `folder`.
    pub fn new(clock: SharedClock, folder: impl Into<PathBuf>) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                folder: folder.into(),
                state: Mutex::default(),
                held: watch::Sender::new(false),
                lines: broadcast::Sender::new(1_024),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What `dial` leads to. Without one, bytes come back as they are.
    pub fn on_dial<F, Done>(&self, handler: F)
    where
        F: Fn(InstanceId, DuplexStream) -> Done + Send + Sync + 'static,
        Done: Future<Output = ()> + Send + 'static,
    {
        self.state().handler = Some(Arc::new(move |id, stream| Box::pin(handler(id, stream))));
    }

    /// Lets the next `count` actions (start, stop, remove) fail without effect.
    pub fn fail_next(&self, count: usize, class: ErrorClass) {
        self.state()
            .faults
            .extend(std::iter::repeat_n(class, count));
    }

    /// Holds every `start` before it takes effect, until [`Self::release_starts`].
    pub fn hold_starts(&self) {
        self.shared.held.send_replace(true);
    }

    /// Lets held starts go on.
    pub fn release_starts(&self) {
        self.shared.held.send_replace(false);
    }

    /// Ends a running instance as a crash would.
    pub fn crash(&self, id: InstanceId, exit: Exit) {
        let at = self.shared.clock.now();
        if let Some(instance) = self.state().instances.get_mut(&id)
            && let ProcessState::Running { boot, .. } = instance.process
        {
            instance.process = ProcessState::Exited { boot, exit, at };
        }
    }

    /// Whether the gateway's port answers while the instance runs; it does unless told otherwise.
    pub fn set_listening(&self, id: InstanceId, listening: bool) {
        if let Some(instance) = self.state().instances.get_mut(&id) {
            instance.listening = listening;
        }
    }

    /// Whether the instance ignores requests to end, so that it has to be killed.
    pub fn set_stubborn(&self, id: InstanceId, stubborn: bool) {
        if let Some(instance) = self.state().instances.get_mut(&id) {
            instance.stubborn = stubborn;
        }
    }

    /// What its files take from now on; `None` while nobody has measured.
    pub fn set_disk(&self, id: InstanceId, bytes: Option<u64>) {
        if let Some(instance) = self.state().instances.get_mut(&id) {
            instance.disk = bytes;
        }
    }

    /// What is said about its machine from now on.
    pub fn set_machine(&self, remarks: Vec<Remark>) {
        self.state().remarks = remarks;
    }

    /// Writes a line as the gateway would.
    pub fn print(&self, id: InstanceId, source: LogSource, text: impl Into<String>) {
        // Under the lock, so that a follower sees a line either in the past or in the news.
        let mut state = self.state();
        let text = text.into();
        let line = LogLine {
            at: self.shared.clock.now(),
            source,
            text: match state.instances.get(&id) {
                Some(instance) => instance.redactor.clean(&text),
                None => text,
            },
        };
        if let Some(instance) = state.instances.get_mut(&id) {
            instance.log.push(line.clone());
        }
        let _ = self.shared.lines.send((id, line));
    }

    /// Forgets an instance as a wiped machine would.
    pub fn lose(&self, id: InstanceId) {
        self.state().instances.remove(&id);
    }

    /// Every action asked for so far.
    #[must_use]
    pub fn actions(&self) -> Vec<Action> {
        self.state().actions.clone()
    }

    /// How often the control plane gave a sign of life.
    #[must_use]
    pub fn heartbeats(&self) -> u64 {
        self.state().heartbeats
    }

    /// Notes an action, lets it fail where a fault was injected, and checks its fence.
    fn admit(state: &mut State, action: Action, id: InstanceId, fence: Fence) -> Result<()> {
        state.actions.push(action);
        if !state.faults.is_empty() {
            let class = state.faults.remove(0);
            return Err(Error::new(class, "an injected fault"));
        }
        let known = state.instances.get(&id).map(|instance| instance.generation);
        let highest = known
            .or_else(|| state.tombstones.get(&id).copied())
            .unwrap_or_default();
        if fence.0 < highest {
            return Err(Error::new(
                ErrorClass::Stale,
                format!(
                    "generation {} comes after generation {highest} has acted",
                    fence.0
                ),
            ));
        }
        if let Some(instance) = state.instances.get_mut(&id) {
            instance.generation = fence.0;
        }
        Ok(())
    }
}

fn asked(signal: Option<i32>) -> Exit {
    Exit {
        code: signal.is_none().then_some(0),
        signal,
        asked: true,
        out_of_memory: false,
        reason: "stopped as asked".to_owned(),
    }
}

fn end(instance: &mut Instance, at: Timestamp, kill: bool) -> Stopped {
    let ProcessState::Running { boot, .. } = instance.process else {
        return Stopped::WasNotRunning;
    };
    let exit = asked(kill.then_some(9));
    instance.process = ProcessState::Exited { boot, exit, at };
    if kill {
        Stopped::Killed
    } else {
        Stopped::Gracefully
    }
}

fn seen(id: InstanceId, instance: &Instance) -> Observation {
    let running = matches!(instance.process, ProcessState::Running { .. });
    Observation {
        id,
        process: instance.process.clone(),
        generation: instance.generation,
        memory_bytes: running.then_some(700 << 20),
        cpu: running.then_some(Duration::from_secs(6)),
        disk_bytes: instance.disk,
        uid: None,
    }
}

#[async_trait]
impl Runtime for FakeRuntime {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            isolation: Isolation::Sandboxed,
            own_uid: true,
            memory: Enforcement::Enforced,
            cpu: Enforcement::Enforced,
            processes: Enforcement::Enforced,
            disk: Enforcement::Watched,
            open_files: Enforcement::Enforced,
            freeze: false,
            remarks: Vec::new(),
        }
    }

    async fn machine(&self) -> Vec<Remark> {
        self.state().remarks.clone()
    }

    async fn listener_dir(&self, id: InstanceId) -> Result<PathBuf> {
        let folder = self.shared.folder.join(id.to_string());
        std::fs::create_dir_all(&folder).map_err(|error| {
            Error::new(ErrorClass::Permanent, "cannot make the listener's folder")
                .with_source(error)
        })?;
        Ok(folder)
    }

    async fn start(&self, spec: &InstanceSpec, fence: Fence) -> Result<()> {
        let mut held = self.shared.held.subscribe();
        // Fails only when the sender is gone, which lives as long as this runtime.
        let _ = held.wait_for(|held| !held).await;
        let since = self.shared.clock.now();
        let mut state = self.state();
        Self::admit(&mut state, Action::Start(spec.id, fence.0), spec.id, fence)?;
        state.tombstones.remove(&spec.id);
        let instance = state.instances.entry(spec.id).or_insert_with(|| Instance {
            generation: fence.0,
            boot: 0,
            process: ProcessState::Absent,
            removed: false,
            listening: true,
            stubborn: false,
            disk: Some(2 << 20),
            log: Vec::new(),
            redactor: Redactor::new([]),
        });
        instance.redactor =
            Redactor::new(std::iter::once(&spec.instance_token).chain(&spec.redact));
        if !matches!(instance.process, ProcessState::Running { .. }) {
            instance.boot += 1;
            instance.removed = false;
            instance.process = ProcessState::Running {
                boot: instance.boot,
                pid: None,
                since,
            };
        }
        Ok(())
    }

    async fn stop(&self, id: InstanceId, _grace: Duration, fence: Fence) -> Result<Stopped> {
        let at = self.shared.clock.now();
        let mut state = self.state();
        Self::admit(&mut state, Action::Stop(id, fence.0), id, fence)?;
        Ok(state
            .instances
            .get_mut(&id)
            .map_or(Stopped::WasNotRunning, |instance| {
                let kill = instance.stubborn;
                end(instance, at, kill)
            }))
    }

    async fn remove(&self, id: InstanceId, volumes: Volumes, fence: Fence) -> Result<()> {
        let mut state = self.state();
        Self::admit(&mut state, Action::Remove(id, volumes, fence.0), id, fence)?;
        match volumes {
            Volumes::Keep => {
                if let Some(instance) = state.instances.get_mut(&id) {
                    instance.process = ProcessState::Absent;
                    instance.removed = true;
                } else {
                    state.tombstones.insert(id, fence.0);
                }
            }
            Volumes::Remove => {
                state.instances.remove(&id);
                state.tombstones.insert(id, fence.0);
            }
        }
        Ok(())
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation> {
        let state = self.state();
        Ok(state.instances.get(&id).map_or_else(
            || Observation {
                id,
                process: ProcessState::Absent,
                generation: state.tombstones.get(&id).copied().unwrap_or_default(),
                memory_bytes: None,
                cpu: None,
                disk_bytes: None,
                uid: None,
            },
            |instance| seen(id, instance),
        ))
    }

    async fn list(&self) -> Result<Vec<Observation>> {
        let state = self.state();
        let all = state.instances.iter();
        Ok(all.map(|(id, instance)| seen(*id, instance)).collect())
    }

    async fn dial(&self, id: InstanceId) -> Result<BoxByteStream> {
        let handler = {
            let state = self.state();
            let up = state.instances.get(&id).is_some_and(|instance| {
                instance.listening && matches!(instance.process, ProcessState::Running { .. })
            });
            if !up {
                return Err(Error::new(
                    ErrorClass::NotRunning,
                    "nothing listens in the instance",
                ));
            }
            state.handler.clone()
        };
        let (near, far) = tokio::io::duplex(BUFFER);
        match handler {
            Some(handler) => tokio::spawn(handler(id, far)),
            None => tokio::spawn(async move {
                let (mut from, mut to) = tokio::io::split(far);
                let _ = tokio::io::copy(&mut from, &mut to).await;
            }),
        };
        Ok(Box::new(near))
    }

    async fn logs(&self, id: InstanceId, query: LogQuery) -> Result<LogStream> {
        let (past, news) = {
            let state = self.state();
            let log = state
                .instances
                .get(&id)
                .map(|instance| instance.log.clone());
            (log.unwrap_or_default(), self.shared.lines.subscribe())
        };
        let skip = past.len().saturating_sub(query.tail);
        let past = stream::iter(past.into_iter().skip(skip).map(Ok));
        if !query.follow {
            return Ok(Box::pin(past));
        }
        let news = stream::unfold(news, move |mut news| async move {
            loop {
                match news.recv().await {
                    Ok((of, line)) if of == id => return Some((Ok(line), news)),
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(broadcast::error::RecvError::Closed) => return None,
                }
            }
        });
        Ok(Box::pin(past.chain(news)))
    }

    async fn redact(&self, id: InstanceId, secrets: &[SecretString]) -> Result<()> {
        if let Some(instance) = self.state().instances.get_mut(&id) {
            instance.redactor.learn(secrets);
        }
        Ok(())
    }

    async fn heartbeat(&self) -> Result<()> {
        self.state().heartbeats += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use fractal_clock::{ManualClock, SeededEntropy, new_id};

    use super::*;
    use crate::contract::EngineFiles;

    fn spec() -> InstanceSpec {
        InstanceSpec {
            id: new_id(&ManualClock::default(), &SeededEntropy::new(1)),
            engine: EngineFiles {
                node: "/engine/node".into(),
                entry: "/engine/openclaw.mjs".into(),
                root: "/engine".into(),
                version: "0".to_owned(),
            },
            limits: fractal_types::Limits::default(),
            instance_token: "token".to_owned().into(),
            redact: Vec::new(),
            env: Vec::new(),
        }
    }

    fn runtime() -> FakeRuntime {
        FakeRuntime::new(Arc::new(ManualClock::default()), "/nowhere")
    }

    #[tokio::test]
    async fn an_injected_fault_has_no_effect_and_is_used_up() {
        let (runtime, spec) = (runtime(), spec());
        runtime.fail_next(1, ErrorClass::Retry);
        let failed = runtime
            .start(&spec, Fence(Generation(1)))
            .await
            .unwrap_err();
        assert_eq!(failed.class, ErrorClass::Retry);
        assert_eq!(runtime.list().await.unwrap(), []);
        runtime.start(&spec, Fence(Generation(1))).await.unwrap();
    }

    #[tokio::test]
    async fn a_held_start_takes_effect_when_it_is_released() {
        let (runtime, spec) = (runtime(), spec());
        runtime.hold_starts();
        let start = runtime.start(&spec, Fence(Generation(1)));
        tokio::pin!(start);
        assert!(futures::poll!(&mut start).is_pending());
        assert_eq!(runtime.list().await.unwrap(), []);
        runtime.release_starts();
        start.await.unwrap();
        assert_eq!(runtime.list().await.unwrap().len(), 1);
    }
}
