//! A broker on a real Unix socket with made-up ports, and a client that speaks to it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use fractal_api_types::{ProviderFault, ProviderFaultCode};
use fractal_clock::{SystemClock, SystemEntropy};
use fractal_connect::{Outbound, OutboundSettings, SystemResolver};
use fractal_proxy::{
    broker::{Broker, BrokerSettings, Listener},
    faults::Faults,
    ports::{BrokerPorts, NoConfig, Route, UsageRecord},
};
use fractal_types::{InstanceId, ProviderId, ProviderKind, Wire};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use uuid::Uuid;

pub const TOKEN: &str = "token-of-mine";
pub const OTHER_TOKEN: &str = "token-of-another";

pub fn mine() -> InstanceId {
    Uuid::from_u128(1).into()
}

pub fn other() -> InstanceId {
    Uuid::from_u128(2).into()
}

#[derive(Debug, Default)]
pub struct Ports {
    pub route: Mutex<Option<Route>>,
    pub records: Mutex<Vec<UsageRecord>>,
    pub outcomes: Mutex<Vec<Option<ProviderFault>>>,
    pub mismatches: Mutex<Vec<(InstanceId, InstanceId)>>,
    tokens: Mutex<HashMap<String, InstanceId>>,
}

impl Ports {
    pub fn routed_to(kind: ProviderKind, base_url: &str) -> Arc<Self> {
        let ports = Self::default();
        *ports.tokens.lock().unwrap() = HashMap::from([
            (TOKEN.to_owned(), mine()),
            (OTHER_TOKEN.to_owned(), other()),
        ]);
        *ports.route.lock().unwrap() = Some(Route {
            provider_id: ProviderId::from_uuid(Uuid::from_u128(9)),
            kind,
            base_url: base_url.to_owned(),
            api_key: Some(SecretString::from("sk-real")),
            model: "real-model".to_owned(),
            allow_private: true,
        });
        Arc::new(ports)
    }

    pub fn records(&self) -> Vec<UsageRecord> {
        self.records.lock().unwrap().clone()
    }

    pub async fn one_record(&self) -> UsageRecord {
        for _ in 0..500 {
            if let [record] = &self.records()[..] {
                return record.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not exactly one record: {:?}", self.records());
    }
}

#[async_trait]
impl BrokerPorts for Ports {
    async fn token_owner(&self, token: &SecretString) -> Option<InstanceId> {
        self.tokens
            .lock()
            .unwrap()
            .get(token.expose_secret())
            .copied()
    }

    async fn mismatch(&self, socket: InstanceId, token_of: InstanceId) {
        self.mismatches.lock().unwrap().push((socket, token_of));
    }

    async fn route(&self, _: InstanceId, _: Wire, _: &str) -> Result<Route, ProviderFault> {
        self.route
            .lock()
            .unwrap()
            .clone()
            .ok_or_else(|| ProviderFault {
                code: ProviderFaultCode::KeyMissing,
                message: "No key is stored.".to_owned(),
                remedy: "Enter one.".to_owned(),
            })
    }

    async fn agent_config(&self, instance: InstanceId) -> Result<Value, NoConfig> {
        Ok(json!({"for": instance}))
    }

    fn record(&self, usage: UsageRecord) {
        self.records.lock().unwrap().push(usage);
    }

    fn outcome(&self, _: InstanceId, _: Option<ProviderId>, fault: Option<&ProviderFault>) {
        self.outcomes.lock().unwrap().push(fault.cloned());
    }

    fn touch(&self, _: InstanceId) {}
}

pub struct Served {
    pub ports: Arc<Ports>,
    pub faults: Arc<Faults>,
    pub broker: Broker,
    listener: Listener,
    pub folder: tempfile::TempDir,
}

pub fn outbound() -> Outbound {
    Outbound::new(&OutboundSettings::default(), Arc::new(SystemResolver)).unwrap()
}

pub fn serve(ports: Arc<Ports>) -> Served {
    let faults = Arc::new(Faults::default());
    let broker = Broker::new(
        ports.clone(),
        outbound(),
        faults.clone(),
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        BrokerSettings {
            demo_pace: Duration::from_millis(1),
            ..BrokerSettings::default()
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let listener = Listener::bind(folder.path(), broker.router(mine())).unwrap();
    Served {
        ports,
        faults,
        broker,
        listener,
        folder,
    }
}

pub struct Heard {
    pub status: StatusCode,
    pub kind: String,
    pub text: String,
}

impl Heard {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    /// The JSON of every event.
    pub fn events(&self) -> Vec<Value> {
        self.text
            .lines()
            .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
            .collect()
    }
}

impl Served {
    pub async fn open(&self) -> hyper::client::conn::http1::SendRequest<Full<Bytes>> {
        let stream = tokio::net::UnixStream::connect(self.listener.path())
            .await
            .unwrap();
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .unwrap();
        tokio::spawn(connection);
        sender
    }

    pub async fn send(&self, request: Request<Full<Bytes>>) -> Heard {
        let response = self.open().await.send_request(request).await.unwrap();
        let status = response.status();
        let kind = response
            .headers()
            .get("content-type")
            .map_or("", |kind| kind.to_str().unwrap())
            .to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        Heard {
            status,
            kind,
            text: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub async fn get(&self, path: &str, token: &str) -> Heard {
        let request = Request::get(path)
            .header("host", "x")
            .header("authorization", format!("Bearer {token}"));
        self.send(request.body(Full::default()).unwrap()).await
    }

    pub async fn call(&self, wire: Wire, body: &Value) -> Heard {
        self.send(request(wire, "default", body, TOKEN)).await
    }
}

/// A request as the gateway's client of this wire makes it.
pub fn request(wire: Wire, alias: &str, body: &Value, token: &str) -> Request<Full<Bytes>> {
    let (path, header, value) = match wire {
        Wire::OpenaiCompletions => (
            "/llm/openai/v1/chat/completions".to_owned(),
            "authorization",
            format!("Bearer {token}"),
        ),
        Wire::OpenaiResponses => (
            "/llm/responses/v1/responses".to_owned(),
            "authorization",
            format!("Bearer {token}"),
        ),
        Wire::AnthropicMessages => (
            "/llm/anthropic/v1/messages".to_owned(),
            "x-api-key",
            token.to_owned(),
        ),
        Wire::GoogleGenerativeAi => (
            format!("/llm/google/v1beta/models/{alias}:streamGenerateContent?alt=sse"),
            "x-goog-api-key",
            token.to_owned(),
        ),
    };
    let mut body = body.clone();
    if wire != Wire::GoogleGenerativeAi {
        body["model"] = json!(alias);
    }
    Request::post(path)
        .header("host", "x")
        .header("content-type", "application/json")
        .header(header, value)
        .header("cookie", "secret=1")
        .body(Full::from(body.to_string()))
        .unwrap()
}

pub const WIRES: [Wire; 4] = [
    Wire::OpenaiCompletions,
    Wire::OpenaiResponses,
    Wire::AnthropicMessages,
    Wire::GoogleGenerativeAi,
];

/// A streaming request with one message.
pub fn saying(wire: Wire, text: &str) -> Value {
    match wire {
        Wire::OpenaiCompletions => {
            json!({"stream": true, "stream_options": {"include_usage": true}, "messages": [{"role": "user", "content": text}]})
        }
        Wire::OpenaiResponses => {
            json!({"stream": true, "input": [{"role": "user", "content": [{"type": "input_text", "text": text}]}]})
        }
        Wire::AnthropicMessages => {
            json!({"stream": true, "max_tokens": 100, "messages": [{"role": "user", "content": text}]})
        }
        Wire::GoogleGenerativeAi => {
            json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
        }
    }
}

/// The words of a streamed answer.
pub fn words(wire: Wire, heard: &Heard) -> String {
    heard
        .events()
        .iter()
        .filter_map(|event| match wire {
            Wire::OpenaiCompletions => event["choices"][0]["delta"]["content"].as_str(),
            Wire::OpenaiResponses => {
                (event["type"] == "response.output_text.delta").then(|| event["delta"].as_str())?
            }
            Wire::AnthropicMessages => event["delta"]["text"].as_str(),
            Wire::GoogleGenerativeAi => {
                event["candidates"][0]["content"]["parts"][0]["text"].as_str()
            }
        })
        .collect()
}

/// A provider kind that speaks the wire, and the base of a fake provider as people would enter it.
pub fn base(
    wire: Wire,
    provider: &fractal_testing::fake_provider::FakeProvider,
) -> (ProviderKind, String) {
    match wire {
        Wire::OpenaiCompletions | Wire::OpenaiResponses => {
            (ProviderKind::OpenaiCompatible, provider.base_url())
        }
        Wire::AnthropicMessages => (ProviderKind::AnthropicCompatible, provider.root_url()),
        Wire::GoogleGenerativeAi => (ProviderKind::Google, provider.root_url()),
    }
}
