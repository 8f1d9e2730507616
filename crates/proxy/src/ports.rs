//! What the data plane needs from the rest of the house.
//!
//! The proxy may run as its own process one day, so it names its needs as traits instead of reaching
//! into the use cases; the composition root wires the two together. Nothing here writes evidence: the
//! data plane's only trace is the usage record (design section 1).

use std::{any::Any, fmt};

use async_trait::async_trait;
use fractal_api_types::{ChatPhase, EngineProgress, ProblemCode, ProviderFault, ProviderFaultCode};
use fractal_openclaw::ws::Gateway;
use fractal_types::{
    Actor, InstanceId, ProviderId, ProviderKind, SeenState, Timestamp, UsageRecordId, Wire,
};
use secrecy::SecretString;
use serde_json::Value;

/// What the broker asks for each call of a gateway.
#[async_trait]
pub trait BrokerPorts: Send + Sync + fmt::Debug + 'static {
    /// Whose token this is; `None` when it is nobody's (wrong, expired, revoked, of a deleted instance).
    async fn token_owner(&self, token: &SecretString) -> Option<InstanceId>;

    /// A token of another instance was used on this instance's socket: an incident.
    async fn mismatch(&self, socket: InstanceId, token_of: InstanceId);

    /// Where a call of this alias on this wire goes, with the real model and the decrypted key.
    ///
    /// # Errors
    ///
    /// Why there is no way: no provider, no key, or a wire the provider does not speak.
    async fn route(
        &self,
        instance: InstanceId,
        wire: Wire,
        alias: &str,
    ) -> Result<Route, ProviderFault>;

    /// The configuration document of an instance, as it is rendered for its current revision.
    ///
    /// # Errors
    ///
    /// When there is none or it cannot be read now.
    async fn agent_config(&self, instance: InstanceId) -> Result<Value, NoConfig>;

    /// Takes one usage record. Must not wait: it is called when a stream is dropped.
    fn record(&self, usage: UsageRecord);

    /// The outcome of a real call, for the provider's health and the log. Must not wait. `provider` is
    /// `None` when no route was found; `fault` is `None` when the call went well.
    fn outcome(
        &self,
        instance: InstanceId,
        provider: Option<ProviderId>,
        fault: Option<&ProviderFault>,
    );

    /// The gateway is at work; it must not be put to sleep. Must not wait.
    fn touch(&self, instance: InstanceId);
}

/// The way a call takes.
#[derive(Clone)]
pub struct Route {
    /// The provider's row.
    pub provider_id: ProviderId,
    /// Its kind; [`ProviderKind::Demo`] is answered here, without any outside call.
    pub kind: ProviderKind,
    /// Its address as stored or the kind's own, with or without the version segment.
    pub base_url: String,
    /// Its key, decrypted for this call only.
    pub api_key: Option<SecretString>,
    /// The model as the provider calls it.
    pub model: String,
    /// Whether a private or loopback address is allowed.
    pub allow_private: bool,
}

impl fmt::Debug for Route {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Route")
            .field("provider_id", &self.provider_id)
            .field("kind", &self.kind)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

/// There is no configuration to hand out.
#[derive(Debug, thiserror::Error)]
pub enum NoConfig {
    /// The instance is gone.
    #[error("there is no such instance")]
    Gone,
    /// The database or the key cannot be reached; asking again may help.
    #[error("the configuration cannot be read at the moment: {0}")]
    Unavailable(String),
}

/// What one model call used. Prompts and answers are not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsageRecord {
    /// Its id.
    pub id: UsageRecordId,
    /// Who called.
    pub instance_id: InstanceId,
    /// Who answered; `None` when no route was found.
    pub provider_id: Option<ProviderId>,
    /// The wire.
    pub wire: Wire,
    /// The alias that was asked for.
    pub alias: String,
    /// The real model; empty when no route was found.
    pub model: String,
    /// Tokens in, without cached ones where the provider tells them apart.
    pub input_tokens: u64,
    /// Tokens out.
    pub output_tokens: u64,
    /// Tokens read from the provider's cache.
    pub cache_read_tokens: u64,
    /// Tokens written to the provider's cache.
    pub cache_write_tokens: u64,
    /// How it ended.
    pub status: UsageStatus,
    /// The class of fault, when it failed.
    pub fault: Option<ProviderFaultCode>,
    /// When the call came in.
    pub started_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

/// How a model call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageStatus {
    /// Answered to its end.
    Ok,
    /// The gateway went away before the end.
    Aborted,
    /// Failed.
    Failed,
}

impl UsageStatus {
    /// The word in SQL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }
}

/// What the chat asks for.
#[async_trait]
pub trait InstanceAccess: Send + Sync + fmt::Debug + 'static {
    /// Wakes the instance if needed, waits its turn in the queue and until its gateway serves requests.
    /// Calls `progress` at every change. Must decide first whether the actor may chat with it.
    ///
    /// # Errors
    ///
    /// Not allowed, stopped by a person, or it did not become ready.
    async fn ensure_ready(
        &self,
        actor: &Actor,
        instance: InstanceId,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Gateway, ChatFailure>;

    /// The connected gateway of an instance that is awake, `None` when it sleeps. Never wakes.
    ///
    /// # Errors
    ///
    /// Not allowed.
    async fn if_awake(
        &self,
        actor: &Actor,
        instance: InstanceId,
    ) -> Result<Option<Gateway>, ChatFailure>;

    /// Keeps the instance from being put to sleep until the guard is dropped. Must not wait.
    fn busy(&self, instance: InstanceId) -> Box<dyn Any + Send + Sync>;
}

/// A change on the way to readiness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// What happens.
    pub phase: ChatPhase,
    /// The instance's state.
    pub state: Option<SeenState>,
    /// Place in the queue for a start slot, from 1.
    pub queue_position: Option<u32>,
    /// How long this usually takes, in milliseconds.
    pub typical_ms: Option<u64>,
    /// How far the engine is, while it is being installed.
    pub installing: Option<EngineProgress>,
}

/// Why a chat request failed, in words for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ChatFailure {
    /// What to answer when it fails before a stream has begun.
    pub problem: ProblemCode,
    /// The stable code inside a stream: the problem's own, or a finer one such as `interrupted`.
    pub code: &'static str,
    /// The cause.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// The provider's fault, when it was one.
    pub provider: Option<ProviderFault>,
}

impl ChatFailure {
    /// A failure with the problem's own code.
    #[must_use]
    pub fn new(problem: ProblemCode, message: impl Into<String>) -> Self {
        Self {
            problem,
            code: problem.as_str(),
            message: message.into(),
            remedy: None,
            provider: None,
        }
    }

    /// The same with a remedy.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same with a finer code.
    #[must_use]
    pub const fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// A provider's fault.
    #[must_use]
    pub fn provider(fault: ProviderFault) -> Self {
        Self {
            problem: ProblemCode::ProviderFailed,
            code: ProblemCode::ProviderFailed.as_str(),
            message: fault.message.clone(),
            remedy: Some(fault.remedy.clone()),
            provider: Some(fault),
        }
    }
}
