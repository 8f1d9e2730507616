//! The gateway is in the path: while its process stands still, nothing is answered and no model is asked.

use std::time::Duration;

use fractal_api_types::ChatEvent;
use fractal_testing::serve::{eventually, gateway_of, kill, state_of, unread_bytes};
use futures::StreamExt;
use rustix::process::Signal;
use tokio::sync::mpsc;

use crate::people::Story;

/// So long that its bytes are told from everything else that is sent to a gateway.
const LENGTH: usize = 20_000;

const SOON: Duration = Duration::from_secs(30);

pub async fn nothing_is_answered_while_the_gateway_stands_still(story: &Story) {
    let (ada, bob) = (&story.ada, &story.bob);
    let gateway = gateway_of(&ada.instance).expect("its gateway runs").pid;
    let (heard, asked) = (ada.fake.requests().len(), bob.fake.calls().len());
    kill(gateway, Signal::STOP);
    eventually("it stands still", SOON, async || {
        (state_of(gateway) == Some('T')).then_some(())
    })
    .await;

    let message = format!("Answer through the ice. {}", "brr ".repeat(LENGTH / 4));
    let turn = ada.person.begin(&ada.instance, "frozen", &message).await;
    let mut turn = turn.expect("the turn is taken");
    let (tell, mut told) = mpsc::unbounded_channel();
    let reading = tokio::spawn(async move {
        while let Some(event) = turn.next().await {
            tell.send(event.expect("the stream can be read")).unwrap();
        }
    });
    // The message is handed over as far as it can be: its bytes wait at the gateway's door.
    eventually("the message waits", SOON, async || {
        (unread_bytes(gateway) >= LENGTH).then_some(())
    })
    .await;
    // So long that it would have been answered: somebody who came later has had a whole answer of their own, twice.
    for message in ["Are you awake?", "And still?"] {
        bob.hears("frozen", message, "Hello").await;
    }
    assert_eq!(bob.fake.calls().len(), asked + 2);
    assert_eq!(state_of(gateway), Some('T'), "it still stands still");
    assert_eq!(ada.fake.requests().len(), heard, "no model was asked");
    let mut accepted = false;
    while let Ok(event) = told.try_recv() {
        accepted |= matches!(event, ChatEvent::Run { .. });
        assert!(
            matches!(event, ChatEvent::Run { .. } | ChatEvent::Status { .. }),
            "without a gateway there was {event:?}"
        );
    }
    assert!(accepted, "the run had begun");

    kill(gateway, Signal::CONT);
    let answer = tokio::time::timeout(Duration::from_secs(60), async {
        let mut last = None;
        while let Some(event) = told.recv().await {
            last = Some(event);
        }
        last
    });
    let last = answer.await.expect("the turn ends");
    assert!(
        matches!(&last, Some(ChatEvent::Final { text, .. }) if text.contains("Hello from the fake")),
        "{last:?}"
    );
    reading.await.unwrap();
    assert_eq!(ada.calls_about("Answer through the ice.").len(), 1);
    assert_eq!(
        gateway_of(&ada.instance).map(|process| process.pid),
        Some(gateway),
        "it was this very gateway that answered"
    );
}
