//! The chat hub against a gateway that follows a script.

mod requests;
mod sessions;
mod trouble;
mod turns;

use std::{
    any::Any,
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fractal_api_types::{ChatEvent, ChatPhase, ChatRequest};
use fractal_clock::{SystemClock, SystemEntropy};
use fractal_openclaw::ws::Gateway;
use fractal_proxy::{
    chat::{ChatHub, ChatSettings, RunHandle},
    faults::Faults,
    ports::{ChatFailure, InstanceAccess, Progress},
};
use fractal_types::{Actor, InstanceId, OrganizationId, Principal, Role, Via};
use futures::{Stream, StreamExt};
use uuid::Uuid;

use crate::{gateway::FakeGateway, support::mine};

fn person(number: u128) -> Actor {
    Actor {
        principal: Principal::User(Uuid::from_u128(number).into()),
        organization_id: OrganizationId::from_uuid(Uuid::from_u128(1)),
        role: Some(Role::Member),
        via: Via::Browser,
        scopes: None,
    }
}

#[derive(Debug)]
struct Access {
    gateway: Gateway,
    /// What the next calls of `ensure_ready` fail with.
    failures: Mutex<VecDeque<ChatFailure>>,
    readied: AtomicUsize,
    busy: Arc<AtomicUsize>,
    asleep: bool,
    /// Never becomes ready.
    stuck: bool,
}

struct Busy(Arc<AtomicUsize>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl InstanceAccess for Access {
    async fn ensure_ready(
        &self,
        _: &Actor,
        _: InstanceId,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Gateway, ChatFailure> {
        self.readied.fetch_add(1, Ordering::SeqCst);
        progress(Progress {
            phase: ChatPhase::Queued,
            state: None,
            queue_position: Some(2),
            typical_ms: None,
            installing: None,
        });
        if self.stuck {
            std::future::pending::<()>().await;
        }
        let failure = self.failures.lock().unwrap().pop_front();
        failure.map_or_else(|| Ok(self.gateway.clone()), Err)
    }

    async fn if_awake(&self, _: &Actor, _: InstanceId) -> Result<Option<Gateway>, ChatFailure> {
        Ok((!self.asleep).then(|| self.gateway.clone()))
    }

    fn busy(&self, _: InstanceId) -> Box<dyn Any + Send + Sync> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        Box::new(Busy(Arc::clone(&self.busy)))
    }
}

struct World {
    gateway: FakeGateway,
    access: Arc<Access>,
    faults: Arc<Faults>,
    hub: ChatHub,
}

async fn world() -> World {
    world_with(|_| {}, false).await
}

async fn world_with(change: impl FnOnce(&mut ChatSettings), asleep: bool) -> World {
    let gateway = FakeGateway::start().await;
    let access = Arc::new(Access {
        gateway: gateway.handle.clone(),
        failures: Mutex::default(),
        readied: AtomicUsize::new(0),
        busy: Arc::default(),
        asleep,
        stuck: asleep,
    });
    let faults = Arc::new(Faults::default());
    let mut settings = ChatSettings {
        recover: Duration::from_millis(10),
        ..ChatSettings::default()
    };
    change(&mut settings);
    let hub = ChatHub::new(
        access.clone(),
        faults.clone(),
        Arc::new(SystemClock),
        Arc::new(SystemEntropy),
        settings,
    );
    World {
        gateway,
        access,
        faults,
        hub,
    }
}

fn message(session: &str, text: &str) -> ChatRequest {
    ChatRequest {
        session: Some(session.to_owned()),
        message: Some(text.to_owned()),
        ..ChatRequest::default()
    }
}

impl World {
    fn say(&self, session: &str, text: &str) -> RunHandle {
        self.hub
            .start(person(1), mine(), message(session, text))
            .unwrap()
    }
}

async fn all(events: impl Stream<Item = (u64, ChatEvent)>) -> Vec<ChatEvent> {
    let all = events.map(|(_, event)| event).collect();
    tokio::time::timeout(Duration::from_secs(20), all)
        .await
        .expect("a run ends")
}

/// Waits until a run has said something that fits.
async fn until(run: &RunHandle, fits: impl Fn(&ChatEvent) -> bool) -> ChatEvent {
    let mut events = Box::pin(run.events());
    let found = async {
        loop {
            let (_, event) = events.next().await.expect("it was never said");
            if fits(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), found)
        .await
        .expect("it was not said in time")
}

fn last(events: &[ChatEvent]) -> &ChatEvent {
    assert_eq!(
        events.iter().filter(|event| event.is_last()).count(),
        1,
        "{events:?}"
    );
    events.last().unwrap()
}

fn final_text(events: &[ChatEvent]) -> &str {
    match last(events) {
        ChatEvent::Final { text, .. } => text,
        other => panic!("no answer: {other:?}"),
    }
}

fn error_code(events: &[ChatEvent]) -> &str {
    match last(events) {
        ChatEvent::Error { code, remedy, .. } => {
            assert!(remedy.is_some(), "an error without remedy");
            code
        }
        other => panic!("no error: {other:?}"),
    }
}
