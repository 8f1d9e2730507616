//! Gateways and control plane are killed; nothing is lost.

use std::time::Duration;

use fractal_testing::serve::{eventually, gateway_of, instance_processes, kill};
use rustix::process::Signal;

use crate::people::{Resident, Story};

fn gateway_pid(resident: &Resident) -> u32 {
    gateway_of(&resident.instance)
        .unwrap_or_else(|| {
            panic!(
                "no gateway among {:#?}",
                instance_processes(&resident.instance)
            )
        })
        .pid
}

pub async fn a_killed_gateway_comes_back(story: &Story) {
    let ada = &story.ada;
    let words = "Hello again";
    ada.hears("main", "Remember the word periwinkle.", words)
        .await;
    let pid = gateway_pid(ada);
    kill(pid, Signal::KILL);
    eventually("its death is seen", Duration::from_secs(30), async || {
        let view = ada.person.get(&ada.path("")).await;
        (view["restarts"].as_u64() > Some(0)).then_some(())
    })
    .await;
    ada.hears("main", "After the crash", words).await;
    assert_ne!(gateway_pid(ada), pid);
    let call = ada.calls_about("After the crash").pop().unwrap();
    assert!(
        call.body["messages"].to_string().contains("periwinkle"),
        "the conversation survived the crash"
    );
}

pub async fn a_killed_control_plane_adopts_what_lives(story: &mut Story) {
    let pids = [gateway_pid(&story.ada), gateway_pid(&story.bob)];
    story.server.end(Signal::KILL).await;
    assert_eq!([gateway_pid(&story.ada), gateway_pid(&story.bob)], pids);
    story.server.run().await;
    go_on(story, pids, "After the kill").await;
}

pub async fn sigterm_keeps_the_agents(story: &mut Story) {
    let pids = [gateway_pid(&story.ada), gateway_pid(&story.bob)];
    let ended = story.server.end(Signal::TERM).await;
    assert!(ended.success(), "{ended}");
    assert_eq!([gateway_pid(&story.ada), gateway_pid(&story.bob)], pids);
    story.server.run().await;
    go_on(story, pids, "After the end").await;
}

/// Both chat on with the gateways they had.
async fn go_on(story: &Story, pids: [u32; 2], message: &str) {
    for (resident, word) in [(&story.ada, "periwinkle"), (&story.bob, "heliotrope")] {
        resident.hears("main", message, "Hello").await;
        let call = resident.calls_about(message).pop().unwrap();
        assert!(call.body["messages"].to_string().contains(word));
        let history = resident.person.history(&resident.instance, "main").await;
        assert!(
            history.iter().any(|text| text.contains(message))
                && history.iter().any(|text| text.contains(word)),
            "{history:?}"
        );
    }
    assert_eq!(
        [gateway_pid(&story.ada), gateway_pid(&story.bob)],
        pids,
        "the same gateways go on"
    );
}
