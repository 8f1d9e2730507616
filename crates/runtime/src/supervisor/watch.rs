//! The supervisor's state, and what it does to its instance.

use std::{
    io,
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex as StdMutex, PoisonError},
    time::Duration,
};

use fractal_clock::SharedClock;
use fractal_types::Generation;
use rustix::process::{Pid, Signal};
use secrecy::SecretString;
use tokio::{
    process::Child,
    sync::{Mutex, watch},
    task::JoinHandle,
    time::Instant,
};

use super::{
    IDLE,
    cgroup::{Group, Host},
    exit::{Circumstances, Wanted, describe},
    output::{Log, pump, settle},
    protocol::{Answer, Launch},
    record::{Phase, Record},
    sandbox, usage,
};
use crate::{
    contract::{Error, ErrorClass, LogSource, Observation, ProcessState, Result},
    layout::{InstanceDirs, LISTENER_SOCKET},
    logs::{LogWriter, Redactor},
    socket,
};

/// How long a killed instance may take to be gone.
const AFTER_KILL: Duration = Duration::from_secs(10);

/// How often the home is measured.
const MEASURE: Duration = Duration::from_secs(300);

/// How often memory is looked at where no control group limits it.
const SAMPLE: Duration = Duration::from_secs(5);

/// What the supervisor is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not started yet.
    Waiting,
    /// Its instance runs.
    Running,
    /// Its instance has ended, and so will it.
    Ended,
}

/// How an end came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There was nothing to end.
    WasNotRunning,
    /// In time.
    Gracefully,
    /// It was killed.
    Killed,
}

/// Supervises one instance.
#[derive(Debug)]
pub struct Supervisor {
    dirs: InstanceDirs,
    clock: SharedClock,
    stage: watch::Sender<Stage>,
    state: Mutex<State>,
    contact: StdMutex<Contact>,
}

#[derive(Debug)]
struct Contact {
    // Not the wall clock: a laptop that slept for an hour has not forgotten its instances.
    last: Instant,
    patience: Duration,
}

#[derive(Debug)]
struct State {
    record: Record,
    running: Option<Running>,
    wanted: Option<Wanted>,
    killed: bool,
}

#[derive(Debug)]
struct Running {
    relay: u32,
    outer: u32,
    reduced: bool,
    channel: std::os::unix::net::UnixStream,
    group: Option<Group>,
    memory_limit: Option<u64>,
    above_limit: bool,
    log: Log,
    measured: Option<Instant>,
    sampled: Instant,
    measuring: Option<JoinHandle<u64>>,
}

impl Supervisor {
    /// A supervisor that waits for its start request.
    pub fn new(dirs: InstanceDirs, record: Record, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self {
            dirs,
            clock,
            stage: watch::Sender::new(Stage::Waiting),
            state: Mutex::new(State {
                record,
                running: None,
                wanted: None,
                killed: false,
            }),
            contact: StdMutex::new(Contact {
                last: Instant::now(),
                patience: IDLE,
            }),
        })
    }

    /// The instance's folders.
    pub const fn dirs(&self) -> &InstanceDirs {
        &self.dirs
    }

    /// The stage now.
    pub fn is_at(&self) -> Stage {
        *self.stage.borrow()
    }

    /// Follows the stage.
    pub fn stage(&self) -> watch::Receiver<Stage> {
        self.stage.subscribe()
    }

    /// Somebody spoke to us.
    pub fn heard(&self) {
        let mut contact = self.contact.lock().unwrap_or_else(PoisonError::into_inner);
        contact.last = Instant::now();
    }

    /// Whether nobody spoke to us for too long.
    pub fn is_forgotten(&self) -> bool {
        let contact = self.contact.lock().unwrap_or_else(PoisonError::into_inner);
        contact.last.elapsed() > contact.patience
    }

    /// Ends the supervisor.
    pub fn finish(&self) {
        self.stage.send_replace(Stage::Ended);
    }

    /// Takes note of a generation, on disk before anything is done in its name.
    pub async fn admit(&self, generation: Generation) -> Result<()> {
        let mut state = self.state.lock().await;
        let before = state.record.generation;
        state.record.admit(generation)?;
        if state.record.generation != before {
            state.record.save(&self.dirs.supervisor())?;
        }
        Ok(())
    }

    /// What is seen now.
    pub async fn observe(&self) -> Observation {
        let state = self.state.lock().await;
        let mut seen = state.record.observe(self.clock.now());
        let Some(running) = &state.running else {
            return seen;
        };
        let boot = state.record.boot;
        if state.wanted.is_some() {
            seen.process = ProcessState::Stopping { boot };
        } else if let Phase::Running { since, .. } = state.record.phase {
            seen.process = ProcessState::Running {
                boot,
                pid: Some(std::process::id()),
                since,
            };
        }
        let group = running.group.as_ref();
        let (memory, cpu) = (group.and_then(Group::memory), group.and_then(Group::cpu));
        if memory.is_none() || cpu.is_none() {
            let tree = usage::of_tree(running.outer);
            seen.memory_bytes = memory.or(Some(tree.memory));
            seen.cpu = cpu.or(Some(tree.cpu));
        } else {
            (seen.memory_bytes, seen.cpu) = (memory, cpu);
        }
        seen
    }

    /// Launches the instance, unless it runs.
    pub async fn start(self: &Arc<Self>, launch: Launch) -> Result<Answer> {
        let mut state = self.state.lock().await;
        match self.is_at() {
            Stage::Waiting => {}
            // One that is on its way out was asked to go and cannot be kept.
            Stage::Running if state.wanted.is_none() => return Ok(Answer::Done),
            Stage::Running | Stage::Ended => return Ok(Answer::Ending),
        }
        state.record.boot += 1;
        state.record.removed = false;
        state.record.uid = launch.uid;
        // Files may have come and gone while it was down: a size of the run before is no fact about this one.
        state.record.disk_bytes = None;
        state.record.phase = Phase::Running {
            since: self.clock.now(),
            supervisor: std::process::id(),
        };
        state.record.save(&self.dirs.supervisor())?;
        self.contact
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .patience = Duration::from_millis(launch.ttl_ms);
        match self.launch(&mut state, &launch).await {
            Ok(()) => {
                self.stage.send_replace(Stage::Running);
                Ok(Answer::Done)
            }
            Err(error) => {
                let mut exit = describe(None, Circumstances::default());
                exit.reason.clone_from(&error.message);
                state.record.phase = Phase::Ended {
                    exit,
                    at: self.clock.now(),
                };
                state.record.save(&self.dirs.supervisor())?;
                self.finish();
                Err(error)
            }
        }
    }

    async fn launch(self: &Arc<Self>, state: &mut State, launch: &Launch) -> Result<()> {
        let log = self.open_log(launch)?;
        let gateway = socket::bind(&self.dirs.gateway_socket())
            .map_err(|error| failed("cannot bind the gateway socket", error))?;
        self.open_listener(launch.uid);
        let (mut launched, missing) = sandbox::launch(&self.dirs, launch)
            .await
            .map_err(|error| failed("cannot launch the sandbox", error))?;
        let pumps = [
            pump(launched.child.stdout.take(), LogSource::Stdout, &log),
            pump(launched.child.stderr.take(), LogSource::Stderr, &log),
        ];
        if missing.is_some() {
            let _ = launched.child.start_kill();
            let _ = launched.child.wait().await;
            settle(pumps).await;
            let said = log
                .last_error()
                .unwrap_or_else(|| "it said nothing".to_owned());
            return Err(Error::new(
                ErrorClass::Permanent,
                format!("the sandbox did not come up: {said}"),
            ));
        }
        let outer = launched.child.id().unwrap_or_default();
        let group = limit(launch, [outer, launched.relay], &log);
        let enforced = group.is_some();
        // Counted per user, so it means something only for a user of its own.
        let by_user = !enforced && launch.uid.is_some();
        sandbox::hand_over(&launched, &gateway, &self.dirs, launch, by_user)
            .await
            .map_err(|error| failed("the sandbox ended while it was set up", error))?;
        // From here on only the relay holds the socket: when it is gone, so is the way in.
        drop(gateway);
        let sandbox::Launched {
            child,
            relay,
            channel,
        } = launched;
        state.running = Some(Running {
            relay,
            outer,
            reduced: launch.bubblewrap.is_none(),
            channel,
            group,
            memory_limit: launch.limits.memory_bytes.filter(|_| !enforced),
            above_limit: false,
            log: log.clone(),
            measured: None,
            sampled: Instant::now(),
            measuring: None,
        });
        log.write(
            LogSource::Supervisor,
            format!(
                "start {} with OpenClaw {}",
                state.record.boot, launch.engine.version
            )
            .as_bytes(),
        );
        tokio::spawn(Arc::clone(self).wait(child, pumps, log));
        Ok(())
    }

    fn open_log(&self, launch: &Launch) -> Result<Log> {
        let token = SecretString::from(launch.instance_token.clone());
        let more: Vec<SecretString> = launch
            .redact
            .iter()
            .cloned()
            .map(SecretString::from)
            .collect();
        let redactor = Redactor::new(std::iter::once(&token).chain(&more));
        let writer = LogWriter::open(&self.dirs.logs(), redactor, Arc::clone(&self.clock))
            .map_err(|error| failed("cannot open the instance's log", error))?;
        Ok(Log::new(writer))
    }

    /// Keeps these strings, too, out of the log of what runs.
    pub async fn redact(&self, secrets: Vec<String>) {
        let secrets: Vec<SecretString> = secrets.into_iter().map(SecretString::from).collect();
        if let Some(running) = &self.state.lock().await.running {
            running.log.redact(&secrets);
        }
    }

    /// The control plane binds its socket with its own rights, but the instance's user must be able to
    /// connect; the folder keeps everybody else out.
    fn open_listener(&self, uid: Option<u32>) {
        let path = self.dirs.listener().join(LISTENER_SOCKET);
        if uid.is_some()
            && let Ok(meta) = std::fs::symlink_metadata(&path)
            && meta.permissions().mode() & 0o006 != 0o006
        {
            let _ = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666));
        }
    }

    /// Small regular duties.
    pub async fn look_after(&self) {
        let mut state = self.state.lock().await;
        self.open_listener(state.record.uid);
        let mut disk = None;
        let home = self.dirs.home();
        if let Some(running) = &mut state.running {
            running.watch_memory();
            if running
                .measuring
                .as_ref()
                .is_some_and(JoinHandle::is_finished)
                && let Some(task) = running.measuring.take()
            {
                disk = task.await.ok();
                running.measured = Some(Instant::now());
            } else if running.measuring.is_none()
                && running.measured.is_none_or(|at| at.elapsed() > MEASURE)
            {
                running.measuring =
                    Some(tokio::task::spawn_blocking(move || usage::on_disk(&home)));
            }
        }
        if disk.is_some() {
            state.record.disk_bytes = disk;
        }
    }

    /// Ends the instance: asks, waits, kills.
    pub async fn end(self: Arc<Self>, why: Wanted, grace: Duration) -> Result<Ended> {
        {
            let mut state = self.state.lock().await;
            let State {
                running, wanted, ..
            } = &mut *state;
            let Some(running) = running else {
                return Ok(Ended::WasNotRunning);
            };
            if wanted.is_none() {
                *wanted = Some(why);
            }
            running.ask_to_end();
        }
        if self.is_over(grace).await {
            let state = self.state.lock().await;
            return Ok(if state.killed {
                Ended::Killed
            } else {
                Ended::Gracefully
            });
        }
        {
            let mut state = self.state.lock().await;
            state.killed = true;
            if let Some(running) = &state.running {
                running.kill();
            }
        }
        if self.is_over(AFTER_KILL).await {
            return Ok(Ended::Killed);
        }
        Err(Error::new(
            ErrorClass::Retry,
            "the instance was killed and is still there; a process may hang in the kernel, for example on a broken disk",
        ))
    }

    async fn is_over(&self, within: Duration) -> bool {
        let mut stage = self.stage();
        let over = stage.wait_for(|stage| *stage == Stage::Ended);
        tokio::time::timeout(within, over).await.is_ok()
    }

    async fn wait(self: Arc<Self>, mut child: Child, pumps: [JoinHandle<()>; 2], log: Log) {
        let status = child.wait().await.ok();
        let mut state = self.state.lock().await;
        let running = state.running.take();
        if let Some(running) = &running
            && running.reduced
        {
            // Without a process namespace, what the gateway left behind goes by its group.
            running.kill();
        }
        settle(pumps).await;
        let group = running.as_ref().and_then(|running| running.group.as_ref());
        let exit = describe(
            status,
            Circumstances {
                wanted: state.wanted,
                killed: state.killed,
                out_of_memory: group.is_some_and(|group| group.out_of_memory_kills() > 0),
                last_error: log.last_error(),
            },
        );
        if let Some(group) = group {
            group.remove();
        }
        log.write(LogSource::Supervisor, exit.reason.as_bytes());
        state.record.phase = Phase::Ended {
            exit,
            at: self.clock.now(),
        };
        if let Err(error) = state.record.save(&self.dirs.supervisor()) {
            eprintln!("{error}");
        }
        drop(state);
        self.finish();
    }
}

impl Running {
    fn ask_to_end(&self) {
        signal(self.relay, Signal::TERM);
        // A relay that has not installed its handler yet ignores the signal but sees this.
        let _ = self.channel.shutdown(std::net::Shutdown::Write);
    }

    fn kill(&self) {
        if self.reduced {
            if let Some(pid) = pid(self.relay) {
                let _ = rustix::process::kill_process_group(pid, Signal::KILL);
            }
        } else {
            // The first process of the namespace takes all others with it.
            signal(self.relay, Signal::KILL);
        }
    }

    fn watch_memory(&mut self) {
        let Some(limit) = self.memory_limit else {
            return;
        };
        if self.sampled.elapsed() < SAMPLE {
            return;
        }
        self.sampled = Instant::now();
        let above = usage::of_tree(self.outer).memory > limit;
        if above && !self.above_limit {
            let text = format!(
                "uses more memory than its limit of {limit} bytes, which is only watched here"
            );
            self.log.write(LogSource::Supervisor, text.as_bytes());
        }
        self.above_limit = above;
    }
}

fn pid(raw: u32) -> Option<Pid> {
    Pid::from_raw(i32::try_from(raw).ok()?)
}

fn signal(raw: u32, signal: Signal) {
    if let Some(pid) = pid(raw) {
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Puts the sandbox under limits before the relay has begun to start anything.
fn limit(launch: &Launch, pids: [u32; 2], log: &Log) -> Option<Group> {
    let host = Host::find();
    if host == Host::Nothing {
        return None;
    }
    Group::named(&host, launch.id).remove();
    let limited = Group::create(&host, launch.id, &launch.limits).and_then(|group| {
        for pid in pids {
            group.take(pid)?;
        }
        Ok(group)
    });
    match limited {
        Ok(group) if group.memory().is_some() => Some(group),
        Ok(_) => None,
        Err(error) => {
            let text = format!(
                "the kernel does not take this instance's limits, they are only watched: {error}"
            );
            log.write(LogSource::Supervisor, text.as_bytes());
            None
        }
    }
}

fn failed(message: &str, error: io::Error) -> Error {
    Error::new(ErrorClass::Permanent, format!("{message}: {error}")).with_source(error)
}
