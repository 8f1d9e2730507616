//! An agent nobody uses goes to sleep; one that works does not; a message wakes it.

use std::time::{Duration, Instant};

use fractal_testing::{fake_provider::Behaviour, serve::instance_processes};
use futures::StreamExt;
use serde_json::json;

use crate::people::Story;

/// The shortest timeout there is is a minute; Ada's turn takes longer than that.
const WORDS: usize = 45;
const PACE: Duration = Duration::from_secs(2);

pub async fn an_idle_agent_sleeps_and_a_busy_one_does_not(story: &Story) {
    let (ada, bob) = (&story.ada, &story.bob);
    for resident in [ada, bob] {
        let change = json!({"idle_timeout_minutes": 1});
        resident.person.patch(&resident.path(""), change).await;
    }
    let long = ["word"; WORDS].join(" ");
    ada.fake.next(Behaviour::Slow(long.clone(), PACE));
    let begun = Instant::now();
    let mut turn = ada
        .person
        .begin(&ada.instance, "long", "Take your time.")
        .await
        .unwrap();
    // Read along, as a browser does, while Bob's agent is watched.
    let reading = async {
        let mut last = None;
        while let Some(event) = turn.next().await {
            last = Some(event.unwrap());
        }
        let took = begun.elapsed();
        let busy = ada.person.get(&ada.path("")).await;
        assert_eq!(
            busy["wanted"], "running",
            "a busy agent is not put to sleep"
        );
        // The rest looks at processes and listeners, which one that sleeps does not have.
        let awake = json!({"idle_timeout_minutes": 600});
        ada.person.patch(&ada.path(""), awake).await;
        (last.unwrap(), took)
    };
    let watching = async {
        let within = Duration::from_secs(150);
        let view = bob.person.wait_for(&bob.instance, "stopped", within).await;
        assert_eq!(view["stop_reason"], "idle");
        assert!(
            instance_processes(&bob.instance)
                .iter()
                .all(|process| !process.command.contains("openclaw"))
        );
    };
    let ((last, took), ()) = tokio::join!(reading, watching);
    let fractal_api_types::ChatEvent::Final { text, .. } = last else {
        panic!("the long turn ended with {last:?}");
    };
    assert_eq!(text, long);
    assert!(took > Duration::from_secs(65), "it outlasted the timeout");
    let awake = json!({"idle_timeout_minutes": 600});
    bob.person.patch(&bob.path(""), awake).await;
    bob.hears("main", "Good morning!", "Hello").await;
    let call = bob.calls_about("Good morning!").pop().unwrap();
    assert!(
        call.body["messages"].to_string().contains("heliotrope"),
        "it wakes with its memory of the conversation"
    );
}
