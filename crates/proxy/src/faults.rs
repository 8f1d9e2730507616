//! The last fault of each instance's provider, kept in memory so that a chat can tell the true reason
//! of a failed turn. The gateway itself is told only a neutral one (design section 7).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use fractal_api_types::ProviderFault;
use fractal_types::{InstanceId, Timestamp};

/// The board. One for the broker and the chat together.
#[derive(Debug, Default)]
pub struct Faults(Mutex<HashMap<InstanceId, (Timestamp, ProviderFault)>>);

impl Faults {
    /// Notes a fault.
    pub fn note(&self, instance: InstanceId, at: Timestamp, fault: ProviderFault) {
        self.lock().insert(instance, (at, fault));
    }

    /// A call went well: what was wrong before is over.
    pub fn clear(&self, instance: InstanceId) {
        self.lock().remove(&instance);
    }

    /// The fault since a point in time, if there was one.
    #[must_use]
    pub fn since(&self, instance: InstanceId, since: Timestamp) -> Option<ProviderFault> {
        self.lock()
            .get(&instance)
            .filter(|(at, _)| *at >= since)
            .map(|(_, fault)| fault.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<InstanceId, (Timestamp, ProviderFault)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
