//! One control plane: what `serve` puts together, over ports of the simulation, from its start to its death.

use std::{
    sync::{Arc, Mutex, OnceLock, RwLock, atomic::AtomicI64},
    time::Duration,
};

use fractal_app::{
    App, Keys, Parts,
    engine::Installation,
    instance::{live::Live, queue::StartQueue, reconcile::InstanceReconciler},
    oidc::SignIns,
    operation,
    policy::Policies,
    session::Sessions,
    settings::Settings,
};
use fractal_background::{
    ClaimedJob, JobHandler, Reconciler, ReconcilerOptions, StoredJobs, Worker, WorkerOptions,
    operation::{Executor, Limits},
};
use fractal_clock::{SeededEntropy, SharedClock, SharedEntropy};
use fractal_evidence::{Sealer, SealerOptions};
use fractal_openclaw::engine::EngineStore;
use fractal_runtime::{contract::Runtime, fake::FakeRuntime};
use fractal_store::Store;
use tokio_util::sync::CancellationToken;

use crate::{
    beside::Beside,
    broken::{Broken, Silent},
    faults::Faults,
    ports::{AlwaysOk, Effects, Machines, NoListeners, TwiceDelivered},
    stage::{Life, Stage},
    template::{Template, provide},
    time::SimulatedClock,
};

/// What all processes of a run share: the database, the machines, and the stage.
pub struct Ground {
    pub template: &'static Template,
    pub stage: Arc<Stage>,
    pub faults: Faults,
    pub store: Store,
    pub fake: FakeRuntime,
    pub effects: Arc<Effects>,
    pub seed: u64,
    /// What was ever delivered by the queue.
    pub delivered: Arc<Mutex<Vec<ClaimedJob>>>,
    /// What is broken on purpose.
    pub broken: Option<Broken>,
}

impl Ground {
    /// What time it is for a process whose clock is ahead by this.
    pub fn clock(&self, skew: &Arc<AtomicI64>) -> SimulatedClock {
        SimulatedClock {
            time: Arc::clone(&self.stage.time),
            start: self.template.start,
            skew: Arc::clone(skew),
        }
    }

    /// The use cases of one life.
    pub async fn open(&self, life: Life, skew: &Arc<AtomicI64>) -> Result<App, fractal_app::Error> {
        let template = self.template;
        let clock: SharedClock = Arc::new(self.clock(skew));
        let entropy: SharedEntropy = Arc::new(SeededEntropy::new(
            self.seed.wrapping_mul(1_000).wrapping_add(life.0 as u64),
        ));
        let store = self.store.beside(Arc::new(Beside {
            stage: Arc::clone(&self.stage),
            life,
            faults: self.faults,
        }));
        let runtime: Arc<dyn Runtime> = Arc::new(Machines {
            stage: Arc::clone(&self.stage),
            life,
            faults: self.faults,
            fake: self.fake.clone(),
            effects: Arc::clone(&self.effects),
            broken: self.broken,
        });
        let keys = Keys::new(template.key.clone());
        let key = fractal_app::evidence::signing_key(
            &store,
            &keys,
            &*clock,
            &*entropy,
            template.organization_id,
            "test",
        )
        .await?;
        let sealer = Sealer::new(
            store.clone(),
            clock.clone(),
            Arc::new(key),
            format!("life-{}", life.0),
            SealerOptions::default(),
        );
        let app = App::new(Parts {
            store,
            clock,
            sealer: Arc::new(sealer),
            keys,
            entropy,
            policies: Policies::of(Arc::clone(&template.policies)),
            outbound: template.outbound.clone(),
            runtime,
            asset_id: template.asset_id,
            engines: EngineStore::new("/engines"),
            installation: RwLock::new(Installation::default()),
            checks: Default::default(),
            engine_files: RwLock::default(),
            engine_override: None,
            live: Live::default(),
            queue: StartQueue::new(2),
            sessions: Sessions::default(),
            remembered: fractal_app::model::Remembered::default(),
            sign_ins: SignIns::default(),
            listeners: Arc::new(NoListeners),
            prober: Arc::new(AlwaysOk),
            organization_id: template.organization_id,
            installation_id: "test".into(),
            setup_token_file: None,
            settings: RwLock::new(Arc::new(Settings::default())),
            instance_signal: OnceLock::new(),
            worker_signal: OnceLock::new(),
        });
        provide(&app, template);
        Ok(app)
    }

    /// Who carries operations out.
    fn work(&self, app: &App) -> Arc<dyn JobHandler> {
        if self.broken == Some(Broken::Journal) {
            return Arc::new(Executor::new(
                app.store.clone(),
                app.clock.clone(),
                operation::kinds(app),
                Arc::new(Silent),
                Arc::new(Silent),
                Limits::default(),
            ));
        }
        operation::work(app)
    }

    /// Begins everything that a control plane does by itself, as `serve` does.
    pub fn run(&self, life: Life, app: &App) {
        // Nobody stops it: it dies, or it lives to the end.
        let stop = CancellationToken::new();
        let reconciler = Reconciler::new(
            Arc::new(InstanceReconciler::new(app.clone())),
            app.clock.clone(),
            app.entropy.clone(),
            ReconcilerOptions::default(),
        );
        let _ = app.instance_signal.set(reconciler.signal());
        let worker = Worker::new(
            Arc::new(TwiceDelivered {
                stage: Arc::clone(&self.stage),
                faults: self.faults,
                jobs: StoredJobs::new(app.store.clone()),
                broken: self.broken,
                delivered: Arc::clone(&self.delivered),
            }),
            [(operation::QUEUE, self.work(app))],
            app.clock.clone(),
            app.entropy.clone(),
            format!("life-{}", life.0),
            WorkerOptions {
                // As the house has it.
                poll: Duration::from_secs(15),
                lease: Duration::from_secs(15),
                ..WorkerOptions::default()
            },
        );
        let _ = app.worker_signal.set(worker.waker());
        let sealer = Arc::clone(&app.sealer);
        let (reconciling, working, sealing) = (stop.clone(), stop.clone(), stop);
        tokio::spawn(async move { reconciler.run(reconciling).await });
        tokio::spawn(async move { worker.run(working).await });
        tokio::spawn(async move { sealer.run(sealing).await });
        tokio::spawn(fractal_app::incident::run(app.clone()));
    }
}
