//! One usage record for one call, whatever happens to it: finished, failed, or dropped half way.

use std::sync::Arc;

use fractal_api_types::ProviderFault;
use fractal_clock::{SharedClock, SharedEntropy, new_id};
use fractal_types::{InstanceId, ProviderId, Timestamp, Wire};

use super::usage::Tokens;
use crate::{
    faults::Faults,
    ports::{BrokerPorts, UsageRecord, UsageStatus},
};

/// Counts one call. Dropping it without an end records an aborted call.
pub struct Meter {
    ports: Arc<dyn BrokerPorts>,
    faults: Arc<Faults>,
    clock: SharedClock,
    entropy: SharedEntropy,
    instance: InstanceId,
    /// Filled in when the route is known.
    pub provider: Option<ProviderId>,
    /// Filled in when the route is known.
    pub model: String,
    /// What was counted so far.
    pub tokens: Tokens,
    wire: Wire,
    alias: String,
    started_at: Timestamp,
    ended: bool,
}

impl Meter {
    /// Begins to count.
    pub fn start(
        ports: Arc<dyn BrokerPorts>,
        faults: Arc<Faults>,
        clock: SharedClock,
        entropy: SharedEntropy,
        instance: InstanceId,
        wire: Wire,
        alias: &str,
    ) -> Self {
        let started_at = clock.now();
        Self {
            ports,
            faults,
            clock,
            entropy,
            instance,
            provider: None,
            model: String::new(),
            tokens: Tokens::default(),
            wire,
            alias: alias.to_owned(),
            started_at,
            ended: false,
        }
    }

    /// The call went well.
    pub fn done(&mut self) {
        if self.end(UsageStatus::Ok, None) {
            self.faults.clear(self.instance);
            self.ports.outcome(self.instance, self.provider, None);
        }
    }

    /// The call failed.
    pub fn failed(&mut self, fault: &ProviderFault) {
        if self.end(UsageStatus::Failed, Some(fault)) {
            tracing::info!(instance.id = %self.instance, wire = self.wire.path_segment(), fault = ?fault.code, "a model call failed");
            self.faults
                .note(self.instance, self.clock.now(), fault.clone());
            self.ports
                .outcome(self.instance, self.provider, Some(fault));
        }
    }

    fn end(&mut self, status: UsageStatus, fault: Option<&ProviderFault>) -> bool {
        if std::mem::replace(&mut self.ended, true) {
            return false;
        }
        let spent = self.clock.now().since(self.started_at);
        let wire = self.wire.path_segment();
        metrics::counter!("fractal_broker_calls_total", "wire" => wire, "outcome" => status.as_str())
            .increment(1);
        metrics::histogram!("fractal_broker_call_duration_seconds", "wire" => wire)
            .record(spent.as_secs_f64());
        self.ports.record(UsageRecord {
            id: new_id(&*self.clock, &*self.entropy),
            instance_id: self.instance,
            provider_id: self.provider,
            wire: self.wire,
            alias: std::mem::take(&mut self.alias),
            model: std::mem::take(&mut self.model),
            input_tokens: self.tokens.input,
            output_tokens: self.tokens.output,
            cache_read_tokens: self.tokens.cache_read,
            cache_write_tokens: self.tokens.cache_write,
            status,
            fault: fault.map(|fault| fault.code),
            started_at: self.started_at,
            duration_ms: u64::try_from(spent.as_millis()).unwrap_or(u64::MAX),
        });
        true
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.end(UsageStatus::Aborted, None);
    }
}
