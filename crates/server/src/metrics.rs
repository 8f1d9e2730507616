//! What is measured: the one table of names, the recorder behind it, and the figures that are gathered when somebody asks.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use fractal_app::App;
use fractal_store::figures;
use fractal_types::{DiskPressure, SeenState};
use metrics::Unit;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its name; the unit ends it.
    pub name: &'static str,
    /// How it moves.
    pub kind: Kind,
    /// Its labels. Never ids, names of people, addresses or anything else that has no bound.
    pub labels: &'static [&'static str],
    /// What it is, in words.
    pub help: &'static str,
}

/// How a metric moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only up.
    Counter,
    /// Up and down.
    Gauge,
    /// Values in buckets.
    Histogram,
}

impl Kind {
    /// The word in the exposition format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

macro_rules! metrics {
    ($($kind:ident $name:literal [$($label:literal),*] $help:literal;)*) => {
        /// Every metric there is; `docs/operations/metrics.md` lists the same.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

metrics! {
    Gauge "fractal_build_info" ["version"] "Always 1; the label says which version runs.";
    Gauge "fractal_engine_ready" [] "Whether an engine is there to start agents with.";
    Gauge "fractal_instances" ["seen"] "Instances that are not deleted, by the state they were last seen in.";
    Gauge "fractal_instances_disk" ["pressure"] "Instances by how near their files are to their limit.";
    Counter "fractal_instance_failures_total" [] "Ends of gateways that nobody asked for, and starts that failed.";
    Counter "fractal_instance_disk_stops_total" [] "Instances stopped because their files reached their limit.";
    Gauge "fractal_start_slots" [] "Instances that may start at the same time.";
    Gauge "fractal_starts_running" [] "Instances that hold a start slot.";
    Gauge "fractal_start_queue_length" [] "Instances that wait for a start slot.";
    Histogram "fractal_start_wait_seconds" [] "How long instances waited for their start slot.";
    Counter "fractal_http_requests_total" ["route", "method", "status"] "Requests of the main listener, by route template and class of status.";
    Histogram "fractal_http_request_duration_seconds" ["route", "method"] "Time until an answer begins; streams go on after that.";
    Gauge "fractal_incidents_open" [] "Incidents that are open.";
    Counter "fractal_incidents_total" ["check"] "Incidents that were opened, by the check that found them.";
    Counter "fractal_incident_patches_total" ["check"] "What was done at once about incidents.";
    Gauge "fractal_live_sockets" [] "Open WebSockets that carry event streams.";
    Counter "fractal_chat_turns_total" ["outcome"] "Turns that ended: answered, stopped by somebody, or failed.";
    Histogram "fractal_chat_first_delta_seconds" ["agent"] "Time from a message to the first word of its answer, for agents that were awake and that had to be woken.";
    Counter "fractal_broker_calls_total" ["wire", "outcome"] "Model calls of gateways: ok, aborted by the gateway, or failed.";
    Histogram "fractal_broker_call_duration_seconds" ["wire"] "Time from a gateway's model call to the end of its answer.";
    Counter "fractal_usage_records_total" ["outcome"] "Usage records written, or lost because the database failed.";
    Counter "fractal_changes_total" ["action", "outcome"] "Changes that were asked for: done, refused by policy, or failed.";
    Counter "fractal_policy_decisions_total" [] "Decisions the policies were asked for.";
    Gauge "fractal_evidence_unsealed" [] "Evidence entries that have no position in the log yet.";
    Gauge "fractal_evidence_size" [] "Entries of the sealed log.";
    Counter "fractal_evidence_sealed_total" [] "Entries sealed by this process.";
    Counter "fractal_evidence_seal_failures_total" [] "Rounds of sealing that failed; they are tried again.";
    Counter "fractal_webhook_deliveries_total" ["outcome"] "Attempts to deliver a webhook.";
    Counter "fractal_witness_asks_total" ["outcome"] "Times a witness was asked to cosign the log.";
    Counter "fractal_tls_handshakes_total" ["outcome"] "TLS handshakes of the main listener.";
    Gauge "fractal_tls_certificate_ends_seconds" [] "When the certificate in force ends, in seconds since 1970.";
    Gauge "fractal_proposals_open" [] "Changes that wait for approval.";
    Gauge "fractal_operations" ["state"] "Operations that are under way, or stuck until somebody chooses.";
    Counter "fractal_operations_total" ["kind", "outcome"] "Operations that ended, or got stuck.";
    Gauge "fractal_jobs" ["state"] "Background jobs that wait, or were given up.";
    Counter "fractal_jobs_total" ["queue", "outcome"] "Background jobs that ran.";
    Histogram "fractal_job_duration_seconds" ["queue"] "How long background jobs ran.";
    Gauge "fractal_reconciler_keys" ["reconciler"] "Things a reconciler looks after.";
    Counter "fractal_reconciler_runs_total" ["reconciler", "outcome"] "Looks of a reconciler: settled, pending, failed or forgotten.";
    Histogram "fractal_reconciler_duration_seconds" ["reconciler"] "How long one look took.";
    Gauge "fractal_database_connections" ["pool", "state"] "Open connections to the database, used and free.";
    Gauge "fractal_up" [] "Whether the database answered when the figures were gathered; what comes from it is older if not.";
    Gauge "process_resident_memory_bytes" [] "Memory of the control plane itself.";
    Gauge "process_open_fds" [] "Open descriptors of the control plane.";
    Gauge "process_max_fds" [] "Descriptors it may open.";
}

/// Bounds of the buckets, in seconds: from an answer out of memory to a first start with an engine to install.
const BUCKETS: [f64; 15] = [
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0,
];

/// How often samples of histograms are sorted into their buckets. Until then they take memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// The process-wide recorder; several houses of one process (tests) share it. The first call makes it: before that nothing is measured.
pub fn recorder() -> Option<Arc<PrometheusHandle>> {
    static RECORDER: OnceLock<Option<Arc<PrometheusHandle>>> = OnceLock::new();
    RECORDER
        .get_or_init(|| {
            let built = PrometheusBuilder::new()
                .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
                .and_then(PrometheusBuilder::install_recorder);
            match built {
                Ok(handle) => {
                    describe();
                    Some(Arc::new(handle))
                }
                Err(error) => {
                    tracing::warn!("nothing is measured: {error}");
                    None
                }
            }
        })
        .clone()
}

fn describe() {
    for metric in METRICS {
        let unit = if metric.name.ends_with("_seconds") {
            Some(Unit::Seconds)
        } else if metric.name.ends_with("_bytes") {
            Some(Unit::Bytes)
        } else {
            None
        };
        match (metric.kind, unit) {
            (Kind::Counter, _) => metrics::describe_counter!(metric.name, metric.help),
            (Kind::Gauge, Some(unit)) => metrics::describe_gauge!(metric.name, unit, metric.help),
            (Kind::Gauge, None) => metrics::describe_gauge!(metric.name, metric.help),
            (Kind::Histogram, Some(unit)) => {
                metrics::describe_histogram!(metric.name, unit, metric.help);
            }
            (Kind::Histogram, None) => metrics::describe_histogram!(metric.name, metric.help),
        }
    }
}

/// Sorts samples until told to stop.
pub async fn keep_up(stop: CancellationToken) {
    let Some(handle) = recorder() else { return };
    loop {
        tokio::select! {
            () = tokio::time::sleep(UPKEEP) => handle.run_upkeep(),
            () = stop.cancelled() => return,
        }
    }
}

/// The route of the internal listener and of the socket.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/metrics", get(page))
        .fallback(|| async {
            (
                axum::http::StatusCode::NOT_FOUND,
                "only /metrics is served here\n",
            )
        })
        .with_state(app)
}

async fn page(State(app): State<App>) -> impl IntoResponse {
    gather(&app).await;
    let text = recorder().map(|handle| handle.render()).unwrap_or_default();
    (
        [(
            header::CONTENT_TYPE,
            "text/plain; version=0.0.4; charset=utf-8",
        )],
        text,
    )
}

/// Looks at what is counted where it stands.
async fn gather(app: &App) {
    set(
        "fractal_build_info",
        &[("version", env!("CARGO_PKG_VERSION"))],
        1.0,
    );
    let (starting, waiting) = app.queue.lengths();
    set("fractal_start_slots", &[], app.queue.slots() as f64);
    set("fractal_starts_running", &[], starting as f64);
    set("fractal_start_queue_length", &[], waiting as f64);
    let engine = app
        .engine_files
        .read()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .len();
    set("fractal_engine_ready", &[], f64::from(u8::from(engine > 0)));
    metrics::counter!("fractal_policy_decisions_total").absolute(app.policies.decisions());
    for pool in app.store.pools() {
        for (state, count) in [
            ("used", pool.open.saturating_sub(pool.free)),
            ("free", pool.free),
        ] {
            let labels = [("pool", pool.name), ("state", state)];
            set("fractal_database_connections", &labels, f64::from(count));
        }
    }
    let found = figures::gather(&app.store.read()).await;
    set("fractal_up", &[], f64::from(u8::from(found.is_ok())));
    match found {
        Ok(found) => set_figures(&found),
        Err(error) => tracing::warn!("figures of the database could not be gathered: {error}"),
    }
    process();
}

fn set_figures(found: &figures::Figures) {
    for state in SeenState::ALL {
        let count: u64 = (found.instances.iter())
            .filter(|(seen, ..)| seen == state)
            .map(|(.., count)| count)
            .sum();
        set(
            "fractal_instances",
            &[("seen", state.as_str())],
            count as f64,
        );
    }
    for pressure in DiskPressure::ALL {
        let count: u64 = (found.instances.iter())
            .filter(|(_, one, _)| one == pressure)
            .map(|(.., count)| count)
            .sum();
        let labels = [("pressure", pressure.as_str())];
        set("fractal_instances_disk", &labels, count as f64);
    }
    set("fractal_evidence_unsealed", &[], found.unsealed as f64);
    set(
        "fractal_jobs",
        &[("state", "waiting")],
        found.jobs_waiting as f64,
    );
    set("fractal_jobs", &[("state", "dead")], found.jobs_dead as f64);
    set("fractal_proposals_open", &[], found.proposals_open as f64);
    for (state, count) in [
        ("under_way", found.operations_open),
        ("stuck", found.operations_stuck),
    ] {
        set("fractal_operations", &[("state", state)], count as f64);
    }
}

/// The control plane itself, as the kernel sees it.
fn process() {
    let pages = std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    if let Some(pages) = pages {
        let bytes = pages * rustix::param::page_size() as u64;
        set("process_resident_memory_bytes", &[], bytes as f64);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        set("process_open_fds", &[], open.count() as f64);
    }
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    set(
        "process_max_fds",
        &[],
        most.map_or(f64::INFINITY, |most| most as f64),
    );
}

fn set(name: &'static str, labels: &[(&'static str, &'static str)], value: f64) {
    let labels: Vec<metrics::Label> = labels
        .iter()
        .map(|(key, value)| metrics::Label::from_static_parts(key, value))
        .collect();
    metrics::gauge!(name, labels).set(value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_end_in_what_they_are() {
        let mut names: Vec<&str> = METRICS.iter().map(|one| one.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            let is_total = metric.name.ends_with("_total");
            assert_eq!(is_total, metric.kind == Kind::Counter, "{}", metric.name);
            let is_seconds = metric.name.ends_with("_seconds");
            assert!(
                is_seconds || metric.kind != Kind::Histogram,
                "{}",
                metric.name
            );
            for label in metric.labels {
                for unbounded in [
                    "user", "id", "name", "email", "address", "path", "token", "session",
                ] {
                    assert_ne!(*label, unbounded, "{}", metric.name);
                }
            }
        }
    }
}
