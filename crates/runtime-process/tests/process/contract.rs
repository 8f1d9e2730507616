//! The process runtime keeps the contract, sandboxed and reduced.

use fractal_runtime::{
    conformance::run_all,
    contract::{ErrorClass, Fence, Isolation, Runtime as _},
    socket,
    supervisor::{protocol::VERSION, record::Lock},
};
use fractal_runtime_process::Bubblewrap;

use fractal_types::Generation;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

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

/// What an older or newer release left running: it holds the lock of its instance and greets with another version.
#[tokio::test]
async fn a_supervisor_of_another_version_is_named_and_left_alone_until_it_ends() {
    let process = Process::new(Bubblewrap::Off);
    let spec = process.instance("echo", json!({"config": {}})).await;
    let folder = process.dirs(spec.id).join("supervisor");
    let lock = Lock::try_take(&folder).unwrap().unwrap();
    let listener = socket::listen(&folder.join("control.sock")).unwrap();
    let other = tokio::spawn(async move {
        loop {
            let (mut caller, _) = listener.accept().await.unwrap();
            let greeting = format!("{}\n", json!({"protocol": VERSION + 1, "pid": 4711}));
            caller.write_all(greeting.as_bytes()).await.unwrap();
        }
    });

    let fence = Fence(Generation(1));
    let (runtime, grace) = (&process.runtime, std::time::Duration::from_secs(1));
    for refused in [
        runtime.start(&spec, fence).await.unwrap_err(),
        runtime.stop(spec.id, grace, fence).await.unwrap_err(),
        runtime.observe(spec.id).await.unwrap_err(),
    ] {
        assert_eq!(refused.class, ErrorClass::Unreachable);
        let said = refused.to_string();
        let speaks = format!("speaks version {}", VERSION + 1);
        assert!(said.contains("4711") && said.contains(&speaks), "{said}");
        assert!(said.contains("SIGTERM"), "and what to do: {said}");
    }
    runtime.heartbeat().await.unwrap();
    assert!(Lock::try_take(&folder).unwrap().is_none(), "it is alone");

    other.abort();
    assert!(other.await.unwrap_err().is_cancelled());
    drop(lock);
    runtime.start(&spec, fence).await.unwrap();
    let seen = runtime.observe(spec.id).await.unwrap();
    assert_eq!(seen.generation, fence.0, "the next one serves it again");
    runtime.stop(spec.id, grace, fence).await.unwrap();
}
