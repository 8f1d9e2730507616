//! The end: deletion with and without volumes, Ctrl-C, and nothing left.

use std::time::Duration;

use fractal_testing::serve::{eventually, instance_processes};
use http::Method;
use rustix::process::Signal;

use crate::people::{Resident, Story};

pub async fn ctrl_c_stops_and_deletion_removes(mut story: Story) {
    let home = |story: &Story, of: &Resident| story.server.instance_dir(&of.instance).join("home");

    delete(&story.bob, "").await;
    assert!(instance_processes(&story.bob.instance).is_empty());
    assert!(
        !home(&story, &story.bob).exists(),
        "its volumes are removed"
    );

    let ended = story.server.end(Signal::INT).await;
    assert!(ended.success(), "{ended}");
    let left = story.server.processes();
    assert!(left.is_empty(), "Ctrl-C left {left:#?}");

    // What was running is wanted running again at the next start; deleting it then keeps its files when told to.
    story.server.run().await;
    let view = story.ada.person.get(&story.ada.path("")).await;
    assert_eq!(view["wanted"], "running");
    delete(&story.ada, "?keep_volumes=true").await;
    assert!(
        home(&story, &story.ada).join("openclaw.json").exists(),
        "its volumes are kept"
    );
    let ended = story.server.end(Signal::TERM).await;
    assert!(ended.success(), "{ended}");
    let left = story.server.processes();
    assert!(left.is_empty(), "nothing is left, but {left:#?}");
}

async fn delete(resident: &Resident, query: &str) {
    let person = &resident.person;
    person
        .must(Method::DELETE, &resident.path(query), None)
        .await;
    eventually("it is gone", Duration::from_secs(90), async || {
        let (status, _) = person.call(Method::GET, &resident.path(""), None).await;
        (status == 404).then_some(())
    })
    .await;
}
