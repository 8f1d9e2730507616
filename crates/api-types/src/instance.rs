//! Instances.

use fractal_types::{
    DiskPressure, Enforcement, EngineId, EvidenceId, InstanceId, Label, Limits, OperationId,
    RevisionId, RuntimeAssetId, SeenState, StopReason, Timestamp, UserId, Username, WantedState,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::EngineProgress;

/// An instance as its owner and administrators see it: life cycle, health and sizes, no content.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct InstanceView {
    /// Its id; also the agent id of its main agent.
    pub id: InstanceId,
    /// Its name.
    pub name: Label,
    /// Whose it is.
    pub owner: OwnerRef,
    /// What is wanted.
    pub wanted: WantedState,
    /// Why it is wanted stopped.
    pub stop_reason: Option<StopReason>,
    /// What was last seen.
    pub seen: SeenState,
    /// Cause and remedy when it is not well, or what it is doing while it starts.
    pub reason: Option<String>,
    /// Place in the queue for a start slot, from 1.
    pub queue_position: Option<u32>,
    /// How far its engine is, while the instance waits for that.
    #[serde(default)]
    pub engine_progress: Option<EngineProgress>,
    /// Where it runs.
    pub runtime_asset_id: RuntimeAssetId,
    /// The engine it runs.
    pub engine_id: EngineId,
    /// The engine's OpenClaw version.
    pub engine_version: String,
    /// The configuration it was given.
    pub revision_id: Option<RevisionId>,
    /// Grows with every wanted change.
    pub generation: u64,
    /// Whether its model provider answered last time; absent before the first contact.
    pub provider_ok: Option<bool>,
    /// Memory in bytes.
    pub memory_bytes: Option<u64>,
    /// CPU time since start in milliseconds.
    pub cpu_ms: Option<u64>,
    /// Disk in bytes.
    pub disk_bytes: Option<u64>,
    /// How near that is to its limit.
    #[serde(default)]
    pub disk_pressure: DiskPressure,
    /// Limits asked for.
    pub limits: Limits,
    /// Starts after unasked ends since it was last well.
    pub restarts: u32,
    /// Minutes without use after which it goes to sleep.
    pub idle_timeout_minutes: u32,
    /// The operation that works on it now; until it is over nobody else starts, stops or deletes it.
    #[serde(default)]
    pub operation_id: Option<OperationId>,
    /// When it was last used.
    pub last_active_at: Option<Timestamp>,
    /// When it was last started.
    pub started_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whose something is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnerRef {
    /// Their id.
    pub id: UserId,
    /// Their sign-in name.
    pub username: Username,
}

/// Makes an instance for the caller and starts it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateInstance {
    /// Its name, unique among the owner's.
    pub name: Label,
    /// The engine; the newest installed when absent.
    pub engine_id: Option<EngineId>,
    /// Whether to start it at once; yes when absent.
    pub start: Option<bool>,
}

/// Changes an instance.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateInstance {
    /// Its name.
    pub name: Option<Label>,
    /// Minutes without use after which it goes to sleep, 1 to 10080.
    #[schema(minimum = 1, maximum = 10080)]
    pub idle_timeout_minutes: Option<u32>,
}

/// Sets what an instance may use; for administrators.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetInstanceLimits {
    /// Bytes its files may take, 256 MiB to 64 TiB.
    #[schema(minimum = 268_435_456, maximum = 70_368_744_177_664_u64)]
    pub disk_bytes: u64,
}

/// How to delete an instance.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeleteInstanceQuery {
    /// Keep its files on the asset; they are removed when absent or `false`.
    pub keep_volumes: Option<bool>,
}

/// Which log lines.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// At most this many of the newest lines, up to 5000; 200 when absent.
    #[param(minimum = 0, maximum = 5000)]
    pub tail: Option<u32>,
    /// Stay and stream new lines as server-sent events.
    pub follow: Option<bool>,
}

/// One log line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogLineView {
    /// When.
    pub at: Timestamp,
    /// `stdout`, `stderr` or `supervisor`.
    pub source: String,
    /// The line, redacted.
    pub text: String,
}

/// One thing that happened to an instance.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// The evidence entry behind it.
    pub id: EvidenceId,
    /// When.
    pub at: Timestamp,
    /// What, as an action name such as `instance.start` or `instance.seen`.
    pub action: String,
    /// Who, as kind and id.
    pub actor: String,
    /// `done`, `refused` or a state.
    pub outcome: String,
    /// Details that are not personal: states, reasons, sizes.
    pub detail: serde_json::Value,
}

/// A machine surface that hosts instances.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RuntimeAssetView {
    /// Its id.
    pub id: RuntimeAssetId,
    /// Its name.
    pub name: String,
    /// `process` here.
    pub kind: String,
    /// Whether it can be asked.
    pub healthy: bool,
    /// Instances on it.
    pub instances: u32,
    /// Instances that may start at the same time.
    pub start_slots: u32,
    /// What it promises.
    pub capabilities: CapabilitiesView,
}

/// What a runtime asset promises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CapabilitiesView {
    /// `sandboxed` or `reduced`.
    pub isolation: String,
    /// Whether each instance has a host user of its own.
    pub own_uid: bool,
    /// Memory limit.
    pub memory: Enforcement,
    /// CPU limit.
    pub cpu: Enforcement,
    /// Process limit.
    pub processes: Enforcement,
    /// Disk limit.
    pub disk: Enforcement,
    /// Open-file limit.
    pub open_files: Enforcement,
    /// What could be better, with the remedy.
    pub remarks: Vec<String>,
}
