//! A claimed house with a driven reconciler, a driven worker and a gateway behind every process.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fractal_api_types::CreateInstance;
use fractal_app::{
    App, Context, engine,
    instance::{self, Progress, reconcile::InstanceReconciler},
    operation,
};
use fractal_background::{
    Reconciler, ReconcilerOptions, StoredJobs, Worker, WorkerOptions,
    operation::{Kind, Limits},
};
use fractal_runtime::{
    contract::{EngineFiles, Exit},
    fake::Action,
};
use fractal_store::{Instance, evidence, instances};
use fractal_testing::{
    gateway::Gateways,
    house::{House, house, reduced_house},
};
use fractal_types::{InstanceId, SeenState};

pub struct Home {
    pub house: House,
    pub cx: Context,
    pub gateways: Gateways,
    driver: Reconciler<InstanceReconciler>,
    /// Carries operations out.
    worker: Worker,
}

pub async fn home() -> Home {
    furnish(house().await, operation::kinds).await
}

pub async fn reduced_home() -> Home {
    furnish(reduced_house().await, operation::kinds).await
}

/// A home whose operations are of other kinds.
pub async fn home_with(kinds: impl FnOnce(&App) -> Vec<Arc<dyn Kind>>) -> Home {
    furnish(house().await, kinds).await
}

async fn furnish(house: House, kinds: impl FnOnce(&App) -> Vec<Arc<dyn Kind>>) -> Home {
    let app = house.app.clone();
    let root = house.claim().await;
    let cx = house.context(&root).await;
    let engine = engine::register(&app).await.unwrap();
    let files = EngineFiles {
        node: "/engine/node".into(),
        entry: "/engine/openclaw.mjs".into(),
        root: "/engine".into(),
        version: engine.version,
    };
    app.engine_files
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(engine.id, files);
    let driver = Reconciler::new(
        Arc::new(InstanceReconciler::new(app.clone())),
        app.clock.clone(),
        app.entropy.clone(),
        ReconcilerOptions::default(),
    );
    app.instance_signal.set(driver.signal()).unwrap();
    let gateways = Gateways::behind(&app, &house.runtime);
    let handler = operation::work_with(&app, kinds(&app), Limits::default());
    let worker = Worker::new(
        Arc::new(StoredJobs::new(app.store.clone())),
        [(operation::QUEUE, Arc::new(handler) as _)],
        app.clock.clone(),
        app.entropy.clone(),
        "test",
        WorkerOptions::default(),
    );
    Home {
        house,
        cx,
        gateways,
        driver,
        worker,
    }
}

impl Home {
    pub async fn create(&self, name: &str) -> InstanceId {
        let body = CreateInstance {
            name: name.parse().unwrap(),
            engine_id: None,
            start: None,
        };
        instance::create(&self.house.app, &self.cx, body)
            .await
            .unwrap()
            .0
            .id
    }

    pub async fn ready(&self, name: &str) -> InstanceId {
        let id = self.create(name).await;
        self.until_seen(id, SeenState::Ready).await;
        id
    }

    pub async fn row(&self, id: InstanceId) -> Instance {
        instances::get(&self.house.app.store.read(), id)
            .await
            .unwrap()
    }

    /// Everything that is due now.
    pub async fn work(&self) {
        self.driver.run_all_due().await;
        self.worker.run_all_due().await.unwrap();
    }

    /// Works, half a second after half a second, until this holds.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) {
        for _ in 0..2_000 {
            self.work().await;
            if holds().await {
                return;
            }
            self.house.clock.advance(Duration::from_millis(50));
            // The connection to a gateway lives on the machine's time.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("never: {what}");
    }

    pub async fn until_seen(&self, id: InstanceId, state: SeenState) {
        self.until(&format!("{id} is {state}"), || async {
            self.row(id).await.seen == state
        })
        .await;
    }

    /// Works for a while in which nothing special is expected.
    pub async fn go_on(&self) {
        for _ in 0..30 {
            self.work().await;
            self.house.clock.advance(Duration::from_millis(50));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    pub fn starts(&self, id: InstanceId) -> usize {
        let actions = self.house.runtime.actions();
        actions
            .iter()
            .filter(|action| matches!(action, Action::Start(of, _) if *of == id))
            .count()
    }

    /// The states it was seen in, as the log has them.
    pub async fn transitions(&self, id: InstanceId) -> Vec<String> {
        let entries = evidence::list_unsealed(&self.house.app.store.read(), 1_000)
            .await
            .unwrap();
        entries
            .into_iter()
            .filter(|entry| entry.action == "instance.seen" && entry.resource_id == id.to_string())
            .map(|entry| {
                // As the API document says of every entry, also where nobody decided.
                assert!(entry.decision.is_object(), "{}", entry.decision);
                entry.outcome
            })
            .collect()
    }

    /// Somebody who waits for an answer, and what they were told meanwhile.
    pub fn chat(&self, id: InstanceId) -> (tokio::task::JoinHandle<Result<(), String>>, Told) {
        self.chat_as(&self.cx, id)
    }

    /// The same as another person.
    pub fn chat_as(
        &self,
        cx: &Context,
        id: InstanceId,
    ) -> (tokio::task::JoinHandle<Result<(), String>>, Told) {
        let told = Told::default();
        let (app, cx, heard) = (self.house.app.clone(), cx.clone(), told.clone());
        let task = tokio::spawn(async move {
            let _busy = instance::note_use(&app, id);
            let listen = move |progress: Progress| heard.0.lock().unwrap().push(progress);
            let gateway = instance::ensure_ready(&app, &cx, id, &listen)
                .await
                .map_err(|error| error.code.as_str().to_owned())?;
            drop(gateway);
            Ok(())
        });
        (task, told)
    }
}

#[derive(Debug, Clone, Default)]
pub struct Told(pub Arc<Mutex<Vec<Progress>>>);

pub fn crash(code: i32) -> Exit {
    Exit {
        code: Some(code),
        signal: None,
        asked: false,
        out_of_memory: false,
        reason: "it fell over".into(),
    }
}
