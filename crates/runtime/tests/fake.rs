//! The fake keeps the contract.

use std::sync::Arc;

use async_trait::async_trait;
use fractal_clock::{ManualClock, SystemEntropy, new_id};
use fractal_runtime::{
    conformance::{Behaviour, Harness, run_all},
    contract::{EngineFiles, Exit, InstanceSpec, LogSource, Runtime},
    fake::FakeRuntime,
};

struct Fake {
    runtime: FakeRuntime,
    folder: tempfile::TempDir,
}

#[async_trait]
impl Harness for Fake {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(self.runtime.clone())
    }

    async fn reopen(&self) -> Arc<dyn Runtime> {
        self.runtime()
    }

    async fn prepare(&self, _behaviour: Behaviour) -> InstanceSpec {
        InstanceSpec {
            id: new_id(&ManualClock::default(), &SystemEntropy),
            engine: EngineFiles {
                node: self.folder.path().join("node"),
                entry: self.folder.path().join("openclaw.mjs"),
                root: self.folder.path().to_owned(),
                version: "0".to_owned(),
            },
            limits: fractal_types::Limits::default(),
            instance_token: "token".to_owned().into(),
            redact: Vec::new(),
            env: Vec::new(),
        }
    }

    async fn started(&self, spec: &InstanceSpec, behaviour: Behaviour) {
        self.runtime
            .print(spec.id, LogSource::Stdout, "hello from the gateway");
        self.runtime
            .set_stubborn(spec.id, behaviour == Behaviour::Stubborn);
        if behaviour == Behaviour::Crash {
            let exit = Exit {
                code: Some(3),
                signal: None,
                asked: false,
                out_of_memory: false,
                reason: "it failed with exit code 3; it last said: a bad end".to_owned(),
            };
            self.runtime.crash(spec.id, exit);
        }
    }
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    run_all(|| async {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::default());
        Fake {
            runtime: FakeRuntime::new(clock, folder.path()),
            folder,
        }
    })
    .await;
}
