//! What the tests of the process runtime share: a driver over a throw-away folder, an engine whose gateway
//! is a small script, and a server on each instance's listener.

use std::{
    collections::HashMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use fractal_clock::{SystemClock, SystemEntropy, new_id};
use fractal_runtime::{
    conformance::{Behaviour, Harness},
    contract::{EngineFiles, InstanceSpec, Runtime},
    socket,
};
use fractal_runtime_process::{Bubblewrap, ProcessRuntime, Settings};
use fractal_types::{InstanceId, Limits};
use http_body_util::Full;
use hyper::{Request, Response, StatusCode, body::Bytes, header, service::service_fn};
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

/// The driver under test and its surroundings.
pub struct Process {
    pub runtime: Arc<ProcessRuntime>,
    pub settings: Settings,
    pub folder: tempfile::TempDir,
    listeners: Mutex<HashMap<InstanceId, tokio::task::JoinHandle<()>>>,
}

/// Says why a test does not run here. With `CI=true` nothing may be missing.
pub fn skipped(why: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{why}");
    eprintln!("skipped: {why}");
}

pub fn open_to_others(path: &Path) {
    fs::set_permissions(path, Permissions::from_mode(0o755)).unwrap();
}

impl Process {
    pub fn new(bubblewrap: Bubblewrap) -> Self {
        Self::with(|settings| settings.bubblewrap = bubblewrap)
    }

    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        open_to_others(folder.path());
        let engine = folder.path().join("engine");
        fs::create_dir(&engine).unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/process/stand_in.mjs");
        fs::copy(script, engine.join("openclaw.mjs")).unwrap();
        // Deep enough that plain socket addresses would be too long.
        let data = folder.path().join("d".repeat(80)).join("data");
        fs::create_dir_all(data.parent().unwrap()).unwrap();
        let mut settings = Settings::new(data, env!("CARGO_BIN_EXE_fractal-supervise"));
        // Tests run side by side and look at the processes of a user.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let first =
            700_000 + std::process::id() % 10_000 * 100 + NEXT.fetch_add(10, Ordering::Relaxed);
        settings.uids = first..=first + 9;
        change(&mut settings);
        let runtime = ProcessRuntime::open(settings.clone(), Arc::new(SystemClock)).unwrap();
        Self {
            runtime: Arc::new(runtime),
            settings,
            folder,
            listeners: Mutex::default(),
        }
    }

    pub fn engine(&self) -> EngineFiles {
        let root = self.folder.path().join("engine");
        EngineFiles {
            node: node(),
            entry: root.join("openclaw.mjs"),
            root,
            version: "stand-in".to_owned(),
        }
    }

    /// The folder of an instance on the host.
    pub fn dirs(&self, id: InstanceId) -> PathBuf {
        let data = self.settings.data_dir.canonicalize().unwrap();
        data.join("instances").join(id.to_string())
    }

    /// An instance whose listener serves a document.
    pub async fn instance(&self, behaviour: &str, document: Value) -> InstanceSpec {
        let id: InstanceId = new_id(&SystemClock, &SystemEntropy);
        let spec = InstanceSpec {
            id,
            engine: self.engine(),
            limits: Limits::default(),
            instance_token: format!("instance-token-of-{id}").into(),
            redact: Vec::new(),
            env: vec![("BEHAVIOUR".to_owned(), behaviour.to_owned())],
        };
        self.serve(&spec, document).await;
        spec
    }

    /// Serves the agent configuration on the instance's listener, as the control plane does.
    pub async fn serve(&self, spec: &InstanceSpec, document: Value) {
        let folder = self.runtime.listener_dir(spec.id).await.unwrap();
        let listener = socket::listen(&folder.join("listener.sock")).unwrap();
        let path = format!("/api/internal/agent-config/{}", spec.id);
        let bearer = format!("Bearer {}", spec.instance_token.expose_secret());
        let answer = Arc::new((path, bearer, document.to_string()));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let answer = Arc::clone(&answer);
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let answer = Arc::clone(&answer);
                    async move {
                        let token = request.headers().get(header::AUTHORIZATION);
                        let right = request.uri().path() == answer.0
                            && token.is_some_and(|token| token.as_bytes() == answer.1.as_bytes());
                        let mut response = Response::new(Full::new(Bytes::from(answer.2.clone())));
                        if !right {
                            response = Response::new(Full::default());
                            *response.status_mut() = StatusCode::FORBIDDEN;
                        }
                        Ok::<_, std::convert::Infallible>(response)
                    }
                });
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        self.listeners.lock().unwrap().insert(spec.id, task);
    }
}

/// The Node that the stand-in runs on.
pub fn node() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path)
        .map(|folder| folder.join("node"))
        .find(|file| file.is_file())
        .expect("the stand-in gateway needs node in the PATH")
}

/// A document as the control plane would send it.
pub fn document() -> Value {
    json!({
        "revision": "rev_test",
        "config": {"gateway": {"mode": "local"}, "listener": "127.0.0.1:18790", "place": "/home/agent/state"},
        "owned": ["/gateway"],
        "files": [{"path": "workspace/SOUL.md", "content": "kind"}],
    })
}

#[async_trait]
impl Harness for Process {
    fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::clone(&self.runtime) as Arc<dyn Runtime>
    }

    async fn reopen(&self) -> Arc<dyn Runtime> {
        let clock = Arc::new(SystemClock);
        Arc::new(ProcessRuntime::open(self.settings.clone(), clock).unwrap())
    }

    async fn prepare(&self, behaviour: Behaviour) -> InstanceSpec {
        let behaviour = match behaviour {
            Behaviour::Echo => "echo",
            Behaviour::Stubborn => "stubborn",
            Behaviour::Crash => "crash",
        };
        self.instance(behaviour, document()).await
    }
}
