//! The whole way: the real program, real gateways in their sandboxes, a model provider that records what it gets.
//!
//! Needs `FRACTAL_TEST_PROGRAM` and `FRACTAL_TEST_ENGINE` (`scripts/test` sets both). A gateway costs seconds of CPU
//! and three quarters of a gigabyte, so one story with two people shares two of them; its chapters are in this folder, in
//! the order they are told.

mod asks;
mod chat;
mod crash_loop;
mod end;
mod engine;
mod frozen;
mod idle;
mod isolation;
mod openai;
mod people;
mod postgresql;
mod providers;
mod recovery;
mod secrets;
mod skills;
mod terminal;

use std::time::Instant;

use fractal_testing::serve::{Peers, Serve};
use people::Story;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_live_apart_in_one_house() {
    let Some(peers) = Peers::find() else { return };
    let clock = Instant::now();
    let done = |chapter: &str| eprintln!("{:>6.1} s  {chapter}", clock.elapsed().as_secs_f32());

    let mut story = Story::begin(&peers, Serve::start(&peers).await).await;
    done("two people have an agent each");

    chat::a_reply_streams_through_openclaw(&story).await;
    chat::a_stopped_agent_does_not_answer_until_it_is_started(&story).await;
    done("chat");
    asks::a_turn_is_stopped_and_the_next_one_is_answered(&story).await;
    asks::a_command_waits_for_the_word_of_its_person(&story).await;
    asks::a_question_is_answered(&story).await;
    asks::a_file_goes_with_a_message(&story).await;
    done("stop, approval, question, file");
    terminal::everything_is_done_from_a_terminal(&story, &peers).await;
    done("terminal");
    frozen::nothing_is_answered_while_the_gateway_stands_still(&story).await;
    done("frozen gateway");
    isolation::from_inside_nothing_of_others_is_reached(&story).await;
    isolation::each_gateway_has_a_host_user_of_its_own(&story, &peers);
    done("isolation");
    openai::the_official_client_gets_its_answers(&story, &peers).await;
    done("openai client");
    secrets::what_is_somebodys_is_not_found_by_others(&story).await;
    done("others find nothing");
    skills::stored_variables_make_a_skill_usable_until_they_are_removed(&story).await;
    done("skills");
    providers::faults_are_explained_and_recovered_from(&story).await;
    done("provider faults");
    recovery::a_killed_gateway_comes_back(&story).await;
    done("killed gateway");
    recovery::a_killed_control_plane_adopts_what_lives(&mut story).await;
    recovery::sigterm_keeps_the_agents(&mut story).await;
    done("killed and ended control plane");
    let _engine = engine::an_agent_gets_another_engine_although_the_control_plane_is_killed(
        &mut story, &peers,
    )
    .await;
    done("another engine");
    idle::an_idle_agent_sleeps_and_a_busy_one_does_not(&story).await;
    done("idle and woken");
    secrets::the_real_keys_are_nowhere(&story).await;
    done("keys are nowhere");
    end::ctrl_c_stops_and_deletion_removes(story).await;
    done("the end");
}
