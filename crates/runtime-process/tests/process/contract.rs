//! The process runtime keeps the contract, sandboxed and reduced.

use fractal_runtime::{conformance::run_all, contract::Runtime as _};
use fractal_runtime_process::Bubblewrap;

use super::support::Process;

#[tokio::test]
async fn the_sandboxed_runtime_keeps_the_contract() {
    run_all(|| async { Process::new(Bubblewrap::Auto) }).await;
}

#[tokio::test]
async fn the_reduced_runtime_keeps_the_contract() {
    run_all(|| async {
        let process = Process::new(Bubblewrap::Off);
        assert!(!process.runtime.capabilities().remarks.is_empty());
        process
    })
    .await;
}
