//! The process runtime keeps the contract, sandboxed and reduced.

use fractal_runtime::{
    conformance::run_all,
    contract::{Isolation, Runtime as _},
};
use fractal_runtime_process::Bubblewrap;

use super::support::{Process, skipped};

#[tokio::test]
async fn the_sandboxed_runtime_keeps_the_contract() {
    let capabilities = Process::new(Bubblewrap::Auto).runtime.capabilities();
    if capabilities.isolation != Isolation::Sandboxed {
        return skipped(&format!("{:?}", capabilities.remarks));
    }
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
