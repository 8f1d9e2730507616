//! What an instance should be, what it is, and which ways lead from one to the other.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What the owner, an operator or the idle reaper wants of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WantedState {
    /// Up and answering.
    Running,
    /// In memory, without CPU.
    Frozen,
    /// Down, volumes kept.
    Stopped,
    /// Gone.
    Deleted,
}

/// What was last seen of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeenState {
    /// Waiting for a start slot.
    Pending,
    /// Process started, not yet proven.
    Starting,
    /// Answered a turn and waits for work.
    Ready,
    /// Working on a turn.
    Busy,
    /// Asked to stop.
    Stopping,
    /// Frozen.
    Frozen,
    /// Down.
    Stopped,
    /// Ended again and again; waits for a person.
    CrashLooping,
    /// Cannot be started as it is; the reason says why.
    Failed,
    /// The asset cannot be asked.
    Unreachable,
}

macro_rules! words {
    ($type:ident, $what:literal, $rule:literal, { $($variant:ident = $word:literal),* $(,)? }) => {
        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in SQL, JSON and the command line.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::NameError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text)
                    .ok_or(crate::NameError { what: $what, rule: $rule })
            }
        }
    };
}
pub(crate) use words;

words!(WantedState, "wanted state", "running, frozen, stopped or deleted", {
    Running = "running", Frozen = "frozen", Stopped = "stopped", Deleted = "deleted",
});
words!(SeenState, "seen state", "a state of an instance", {
    Pending = "pending", Starting = "starting", Ready = "ready", Busy = "busy", Stopping = "stopping",
    Frozen = "frozen", Stopped = "stopped", CrashLooping = "crash_looping", Failed = "failed",
    Unreachable = "unreachable",
});
words!(StopReason, "stop reason", "person, idle, recovery, disk or operation", {
    Person = "person", Idle = "idle", Recovery = "recovery", Disk = "disk",
    Operation = "operation",
});

/// Why an instance is wanted stopped. Only an idle one is woken by a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// Somebody stopped it and wants it to stay down.
    Person,
    /// Nobody used it; it wakes on the next request.
    Idle,
    /// It ended again and again, or cannot start.
    Recovery,
    /// Its files reached what they may take.
    Disk,
    /// An operation works on it.
    Operation,
}

impl SeenState {
    /// Whether `next` may follow directly. `Unreachable` may come and go at any time, because it
    /// says something about the asset and not about the instance.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        use SeenState::{
            Busy, CrashLooping, Failed, Frozen, Pending, Ready, Starting, Stopped, Stopping,
            Unreachable,
        };
        match (self, next) {
            (Unreachable, _) | (_, Unreachable) => true,
            // A process may vanish in any state, and a new start may be queued after any end.
            (_, Stopped | Failed | CrashLooping) => true,
            (Pending, Starting | Stopping) => true,
            (Starting, Ready | Busy | Stopping | Pending) => true,
            (Ready, Busy | Stopping | Frozen | Starting | Pending) => true,
            (Busy, Ready | Stopping | Starting | Pending) => true,
            (Frozen, Ready | Starting | Stopping | Pending) => true,
            (Stopping, Pending | Starting) => true,
            (Stopped | Failed | CrashLooping, Pending | Starting) => true,
            _ => false,
        }
    }

    /// Whether a gateway process should exist in this state.
    #[must_use]
    pub const fn has_process(self) -> bool {
        matches!(
            self,
            Self::Starting | Self::Ready | Self::Busy | Self::Stopping | Self::Frozen
        )
    }

    /// Whether a chat can be answered right now.
    #[must_use]
    pub const fn answers(self) -> bool {
        matches!(self, Self::Ready | Self::Busy)
    }
}

/// A counter that fences effects: a driver refuses an action with a lower generation than one it
/// has already seen (`design.md` section 3).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[serde(transparent)]
pub struct Generation(pub u64);

impl Generation {
    /// The next generation.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl std::fmt::Display for Generation {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_round_trip() {
        for state in SeenState::ALL {
            assert_eq!(state.as_str().parse::<SeenState>().unwrap(), *state);
        }
        for state in WantedState::ALL {
            assert_eq!(state.as_str().parse::<WantedState>().unwrap(), *state);
        }
    }

    #[test]
    fn every_state_can_end_and_every_end_can_start_again() {
        for state in SeenState::ALL {
            assert!(state.may_become(SeenState::Stopped));
        }
        for end in [
            SeenState::Stopped,
            SeenState::Failed,
            SeenState::CrashLooping,
        ] {
            assert!(end.may_become(SeenState::Pending));
        }
    }

    #[test]
    fn an_instance_is_never_ready_without_having_started() {
        for state in [
            SeenState::Pending,
            SeenState::Stopped,
            SeenState::Failed,
            SeenState::CrashLooping,
        ] {
            assert!(!state.may_become(SeenState::Ready), "{state}");
        }
    }
}
