//! The machines as one process sees them: slow, refusing, or doing what they are asked while the answer is lost.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fractal_api_types::ProviderTest;
use fractal_app::{ProbeTarget, ProviderProber, instance::reconcile::Listeners};
use fractal_background::{ClaimedJob, JobSource, SourceError, StoredJobs};
use fractal_runtime::{
    contract::{
        BoxByteStream, Capabilities, Error, ErrorClass, Fence, InstanceSpec, LogQuery, LogStream,
        Observation, ProcessState, Result, Runtime, Stopped, Volumes,
    },
    fake::{Action, FakeRuntime},
    machine::Remark,
};
use fractal_types::{Generation, InstanceId, Timestamp};
use secrecy::SecretString;

use crate::{
    broken::Broken,
    faults::{Faults, slowness},
    stage::{Life, Stage},
};

/// What was done to machines, whoever did it.
#[derive(Debug, Default)]
pub struct Effects {
    done: Mutex<Vec<Effect>>,
    /// Until then nothing can be started, for a reason that does not pass by itself.
    refuses_until: Mutex<Duration>,
}

/// Something that was done.
#[derive(Debug, Clone)]
pub struct Effect {
    pub life: Life,
    pub action: Action,
    /// Whether there was something to do: a process or files that were there, or none yet.
    pub real: bool,
}

impl Effects {
    pub fn all(&self) -> Vec<Effect> {
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Nothing can be started until then.
    pub fn refuse_until(&self, end: Duration) {
        *self
            .refuses_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = end;
    }

    fn refuses(&self, now: Duration) -> bool {
        now < *self
            .refuses_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, effect: Effect) {
        self.done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(effect);
    }
}

/// A runtime in the hands of one process.
#[derive(Debug)]
pub struct Machines {
    pub stage: Arc<Stage>,
    pub life: Life,
    pub faults: Faults,
    pub fake: FakeRuntime,
    pub effects: Arc<Effects>,
    pub broken: Option<Broken>,
}

impl Machines {
    /// The call arrives, or does not.
    async fn ask(&self, what: &str) -> Result<()> {
        self.stage.point(self.life, format!("before {what}")).await;
        if self.stage.strikes(self.faults.port_slow) {
            let span = self.stage.draw(slowness);
            self.stage
                .tell(format_args!("    {what} takes {} ms", span.as_millis()));
            self.stage.linger(span).await;
            self.stage.point(self.life, format!("{what} at last")).await;
        }
        if self.stage.strikes(self.faults.port_refuses) {
            let class = self
                .stage
                .draw(|chance| chance.pick(&[ErrorClass::Retry, ErrorClass::Unreachable]));
            self.stage.tell(format_args!("    {what} fails: {class:?}"));
            return Err(Error::new(class, "a fault before anything was done"));
        }
        Ok(())
    }

    /// The answer arrives, or does not.
    async fn answer<T>(&self, what: &str, answer: Result<T>) -> Result<T> {
        self.stage.point(self.life, format!("after {what}")).await;
        if answer.is_ok() && self.stage.strikes(self.faults.port_answer_lost) {
            self.stage
                .tell(format_args!("    the answer to {what} is lost"));
            return Err(Error::new(ErrorClass::Retry, "the answer was lost"));
        }
        answer
    }

    async fn runs(&self, id: InstanceId) -> bool {
        let seen = self.fake.observe(id).await;
        seen.is_ok_and(|seen| matches!(seen.process, ProcessState::Running { .. }))
    }

    async fn has_files(&self, id: InstanceId) -> bool {
        let all = self.fake.list().await.unwrap_or_default();
        all.iter().any(|one| one.id == id)
    }

    /// The fence as the machine takes it.
    async fn fence(&self, id: InstanceId, fence: Fence) -> Fence {
        if self.broken == Some(Broken::Fences) {
            let highest = self.fake.observe(id).await.map(|seen| seen.generation);
            return Fence(fence.0.max(highest.unwrap_or_default()));
        }
        fence
    }

    fn note(&self, action: Action, real: bool) {
        self.effects.note(Effect {
            life: self.life,
            action,
            real,
        });
    }
}

fn short(id: InstanceId) -> String {
    let text = id.to_string();
    text[text.len() - 4..].to_owned()
}

#[async_trait]
impl Runtime for Machines {
    fn capabilities(&self) -> Capabilities {
        self.fake.capabilities()
    }

    // Nobody opens a socket in it, so it need not be there.
    async fn listener_dir(&self, id: InstanceId) -> Result<PathBuf> {
        Ok(PathBuf::from(id.to_string()))
    }

    async fn start(&self, spec: &InstanceSpec, fence: Fence) -> Result<()> {
        let what = format!("start of {} in {}", short(spec.id), fence.0);
        self.ask(&what).await?;
        if !self.stage.is_calm() && self.effects.refuses(self.stage.time.elapsed()) {
            self.stage.tell(format_args!("    {what} is not possible"));
            return Err(Error::new(ErrorClass::Permanent, "no machine can start it"));
        }
        let real = !self.runs(spec.id).await;
        let done = self
            .fake
            .start(spec, self.fence(spec.id, fence).await)
            .await;
        if done.is_ok() {
            self.note(Action::Start(spec.id, fence.0), real);
        }
        self.answer(&what, done).await
    }

    async fn stop(&self, id: InstanceId, grace: Duration, fence: Fence) -> Result<Stopped> {
        let what = format!("stop of {} in {}", short(id), fence.0);
        self.ask(&what).await?;
        let real = self.runs(id).await;
        let done = self.fake.stop(id, grace, self.fence(id, fence).await).await;
        if done.is_ok() {
            self.note(Action::Stop(id, fence.0), real);
        }
        self.answer(&what, done).await
    }

    async fn remove(&self, id: InstanceId, volumes: Volumes, fence: Fence) -> Result<()> {
        let what = format!("removal of {} in {}", short(id), fence.0);
        self.ask(&what).await?;
        let real = self.has_files(id).await;
        let volumes = match self.broken {
            Some(Broken::Removal) => Volumes::Keep,
            _ => volumes,
        };
        let done = self
            .fake
            .remove(id, volumes, self.fence(id, fence).await)
            .await;
        if done.is_ok() {
            self.note(Action::Remove(id, volumes, fence.0), real);
        }
        self.answer(&what, done).await
    }

    async fn observe(&self, id: InstanceId) -> Result<Observation> {
        let what = format!("look at {}", short(id));
        self.ask(&what).await?;
        self.fake.observe(id).await
    }

    async fn list(&self) -> Result<Vec<Observation>> {
        self.ask("look at all").await?;
        self.fake.list().await
    }

    async fn dial(&self, id: InstanceId) -> Result<BoxByteStream> {
        self.ask(&format!("call of {}", short(id))).await?;
        self.fake.dial(id).await
    }

    async fn logs(&self, id: InstanceId, query: LogQuery) -> Result<LogStream> {
        self.fake.logs(id, query).await
    }

    async fn redact(&self, id: InstanceId, secrets: &[SecretString]) -> Result<()> {
        self.fake.redact(id, secrets).await
    }

    async fn heartbeat(&self) -> Result<()> {
        self.fake.heartbeat().await
    }

    async fn machine(&self) -> Vec<Remark> {
        self.fake.machine().await
    }
}

/// Sockets of instances: nobody calls there.
#[derive(Debug)]
pub struct NoListeners;

#[async_trait]
impl Listeners for NoListeners {
    async fn serve(&self, _id: InstanceId, _dir: &Path) -> io::Result<()> {
        Ok(())
    }

    async fn end(&self, _id: InstanceId) {}
}

/// Providers of models: always well.
#[derive(Debug)]
pub struct AlwaysOk;

#[async_trait]
impl ProviderProber for AlwaysOk {
    async fn probe(&self, _target: ProbeTarget) -> ProviderTest {
        ProviderTest {
            ok: true,
            latency_ms: 1,
            models: Vec::new(),
            error: None,
        }
    }
}

/// The queue, which delivers some jobs a second time: while they are worked on, or when they are long done.
pub struct TwiceDelivered {
    pub stage: Arc<Stage>,
    pub faults: Faults,
    pub jobs: StoredJobs,
    pub broken: Option<Broken>,
    pub delivered: Arc<Mutex<Vec<ClaimedJob>>>,
}

#[async_trait]
impl JobSource for TwiceDelivered {
    async fn claim(
        &self,
        queues: &[&str],
        holder: &str,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> std::result::Result<Vec<ClaimedJob>, SourceError> {
        if self.stage.strikes(self.faults.delivered_twice) {
            let again = {
                let delivered = self
                    .delivered
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                let count = delivered.len();
                (count > 0)
                    .then(|| delivered[self.stage.draw(|chance| chance.below(count))].clone())
            };
            if let Some(again) = again {
                self.stage
                    .tell(format_args!("    job {} is delivered once more", again.id));
                return Ok(vec![again]);
            }
        }
        let claimed = self.jobs.claim(queues, holder, now, lease, limit).await?;
        if self.broken == Some(Broken::Outcome) {
            for job in &claimed {
                self.jobs.complete(job, now).await?;
            }
        }
        self.delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(claimed.iter().cloned());
        Ok(claimed)
    }

    async fn extend(
        &self,
        job: &ClaimedJob,
        until: Timestamp,
    ) -> std::result::Result<(), SourceError> {
        self.jobs.extend(job, until).await
    }

    async fn complete(
        &self,
        job: &ClaimedJob,
        now: Timestamp,
    ) -> std::result::Result<(), SourceError> {
        self.jobs.complete(job, now).await
    }

    async fn postpone(
        &self,
        job: &ClaimedJob,
        run_at: Timestamp,
    ) -> std::result::Result<(), SourceError> {
        self.jobs.postpone(job, run_at).await
    }

    async fn fail(
        &self,
        job: &ClaimedJob,
        error: &str,
        retry_at: Option<Timestamp>,
        now: Timestamp,
    ) -> std::result::Result<(), SourceError> {
        self.jobs.fail(job, error, retry_at, now).await
    }
}

/// The generation of an action.
pub const fn generation(action: &Action) -> (InstanceId, Generation) {
    match action {
        Action::Start(id, generation)
        | Action::Stop(id, generation)
        | Action::Remove(id, _, generation) => (*id, *generation),
    }
}
