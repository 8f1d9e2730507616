//! What happens to a turn when the gateway, its connection or the provider fails.

use std::{sync::atomic::Ordering, time::Duration};

use fractal_api_types::{ChatEvent, ProblemCode, ProviderFault, ProviderFaultCode};
use fractal_clock::{Clock, SystemClock};
use fractal_proxy::ports::ChatFailure;
use serde_json::json;

use super::{all, error_code, final_text, last, until, world, world_with};
use crate::support::mine;

#[tokio::test]
async fn a_superseded_turn_is_sent_once_more_and_only_once() {
    let text = "Error: prepared model runtime plugin generation was superseded for main";
    let world = world().await;
    let run = world.say("main", "hi");
    world.gateway.take_message().await.fail(text);
    let again = world.gateway.take_message().await;
    assert_eq!(again.run, format!("{}-again", run.id()));
    again.finish("there");
    assert_eq!(final_text(&all(run.events()).await), "there");
    let run = world.say("main", "hi");
    world.gateway.take_message().await.fail(text);
    world.gateway.take_message().await.fail(text);
    assert_eq!(error_code(&all(run.events()).await), "turn-failed");
}

#[tokio::test]
async fn an_answer_that_came_while_the_connection_was_lost_is_found() {
    let world = world().await;
    let run = world.say("main", "hi");
    let turn = world.gateway.take_message().await;
    turn.say("par", "par");
    until(&run, |event| event.name() == "delta").await;
    world.gateway.restart_as("boot-1");
    let asked = world.gateway.expect("chat.history").await;
    world.gateway.ok(&asked, json!({"messages": [{"role": "assistant", "content": [{"type": "text", "text": "partial no more"}],
        "stopReason": "stop", "usage": {"input": 1, "output": 2}, "__openclaw": {"runId": turn.run}}]}));
    assert_eq!(final_text(&all(run.events()).await), "partial no more");
}

#[tokio::test]
async fn a_run_goes_on_after_a_short_break_of_the_connection() {
    let world = world().await;
    let run = world.say("main", "hi");
    let turn = world.gateway.take_message().await;
    world.gateway.restart_as("boot-1");
    let asked = world.gateway.expect("chat.history").await;
    world.gateway.ok(&asked, json!({"messages": []}));
    turn.say("rest", "rest");
    turn.finish("rest");
    assert_eq!(final_text(&all(run.events()).await), "rest");
}

#[tokio::test]
async fn a_turn_lost_with_its_gateway_says_so_with_a_remedy() {
    let world = world().await;
    let run = world.say("main", "hi");
    world.gateway.take_message().await;
    world.gateway.restart_as("boot-2");
    let events = tokio::spawn(all(run.events()));
    let answered = async {
        loop {
            let asked = world.gateway.expect("chat.history").await;
            world.gateway.ok(&asked, json!({"messages": []}));
        }
    };
    let events = tokio::select! {
        events = events => events.unwrap(),
        () = answered => unreachable!(),
    };
    assert_eq!(error_code(&events), "interrupted");
}

#[tokio::test]
async fn a_gateway_that_never_comes_back_ends_the_turn() {
    let world = world_with(
        |settings| settings.reconnect = Duration::from_millis(50),
        false,
    )
    .await;
    let run = world.say("main", "hi");
    world.gateway.take_message().await;
    world.gateway.restart_as("");
    assert_eq!(error_code(&all(run.events()).await), "interrupted");
}

#[tokio::test]
async fn a_message_is_held_while_the_gateway_is_suspended_or_restarts() {
    let world = world().await;
    let run = world.say("main", "hi");
    for reason in [
        "gateway-suspending",
        "startup-sidecars",
        "gateway-restarting",
    ] {
        let asked = world.gateway.expect("chat.send").await;
        world.gateway.refuse(&asked, json!({"code": "UNAVAILABLE", "message": "not now", "retryable": true, "retryAfterMs": 1,
            "details": {"reason": reason}}));
    }
    let turn = world.gateway.take_message().await;
    assert_eq!(turn.run, run.id().to_string(), "under the same key");
    turn.finish("now");
    assert_eq!(final_text(&all(run.events()).await), "now");
    assert_eq!(
        world.access.readied.load(Ordering::SeqCst),
        2,
        "whoever suspended it was asked to lift it"
    );
}

#[tokio::test]
async fn a_refused_message_and_an_instance_that_does_not_wake_are_errors() {
    let world = world().await;
    let run = world.say("main", "hi");
    let asked = world.gateway.expect("chat.send").await;
    world.gateway.refuse(
        &asked,
        json!({"code": "INVALID_REQUEST", "message": "no such agent"}),
    );
    assert_eq!(error_code(&all(run.events()).await), "refused");
    let stopped =
        ChatFailure::new(ProblemCode::InstanceStopped, "The agent is stopped.").remedy("Start it.");
    world.access.failures.lock().unwrap().push_back(stopped);
    assert_eq!(
        error_code(&all(world.say("main", "hi").events()).await),
        "instance-stopped"
    );
}

#[tokio::test]
async fn the_providers_true_fault_is_shown_instead_of_the_gateways_text() {
    let world = world().await;
    let run = world.say("main", "hi");
    let turn = world.gateway.take_message().await;
    let fault = ProviderFault {
        code: ProviderFaultCode::KeyRefused,
        message: "The provider refused the key.".into(),
        remedy: "Enter a valid key.".into(),
    };
    world.faults.note(mine(), SystemClock.now(), fault.clone());
    turn.fail("LLM request failed: provider rejected the request schema or tool payload.");
    let events = all(run.events()).await;
    let ChatEvent::Error {
        code,
        message,
        provider,
        ..
    } = last(&events)
    else {
        panic!("{events:?}")
    };
    assert_eq!(
        (code.as_str(), message.as_str(), provider),
        (
            "provider-failed",
            "The provider refused the key.",
            &Some(fault)
        )
    );
}

#[tokio::test]
async fn a_message_taken_into_another_turn_finds_its_answer_in_the_transcript() {
    let world = world().await;
    let run = world.say("main", "hi");
    let turn = world.gateway.take_message().await;
    turn.chat(json!({"state": "final"}));
    let asked = world.gateway.expect("chat.history").await;
    world.gateway.ok(&asked, json!({"messages": [{"role": "user", "content": "hi", "idempotencyKey": format!("{}:user", turn.run)},
        {"role": "assistant", "content": [{"type": "text", "text": "both answered"}], "stopReason": "stop", "__openclaw": {"runId": "cron-1"}}],
        "sessionInfo": {"status": "done"}}));
    assert_eq!(final_text(&all(run.events()).await), "both answered");
}
