//! Variables of skills on their way into an instance and out of it again.

use fractal_api_types::{ProblemCode, SetSkillCredential, SkillState};
use fractal_app::{instance, skill, skill_credential};
use fractal_runtime::contract::{LogQuery, LogSource, Runtime};
use fractal_store::{revisions, skill_credentials};
use fractal_testing::gateway::Patches;
use fractal_types::{InstanceId, SeenState, SkillCredentialId};
use futures::StreamExt;
use serde_json::Value;

use crate::support::{Home, home, reduced_home};

const FIRST: &str = "first-private-value";
const SECOND: &str = "second-private-value";
const POINTER: &str = "/skills/entries/trello/env/TRELLO_TOKEN";

async fn store(home: &Home, value: &str) -> SkillCredentialId {
    let body = SetSkillCredential {
        skill: "trello".parse().unwrap(),
        name: "TRELLO_TOKEN".parse().unwrap(),
        value: value.into(),
    };
    let view = skill_credential::set(&home.house.app, &home.cx, body).await;
    view.unwrap().id
}

/// What the gateway's document says, as it stands in the instance.
fn given(home: &Home, id: InstanceId) -> Option<Value> {
    home.gateways.seen(id).document.pointer(POINTER).cloned()
}

async fn until_given(home: &Home, id: InstanceId, value: Option<&str>) {
    home.until("given", || async {
        given(home, id) == value.map(Value::from)
    })
    .await;
}

async fn printed(home: &Home, id: InstanceId, text: &str) -> String {
    home.house.runtime.print(id, LogSource::Stdout, text);
    let query = LogQuery {
        tail: 1,
        follow: false,
    };
    let mut lines = home.house.runtime.logs(id, query).await.unwrap();
    lines.next().await.unwrap().unwrap().text
}

#[tokio::test]
async fn a_stored_variable_reaches_a_running_agent_live_and_leaves_it_again() {
    let home = home().await;
    let id = home.ready("ada").await;
    let (app, cx) = (&home.house.app, &home.cx);
    let state = async |name: &str| {
        let list = skill::list(app, cx, id, false).await.unwrap();
        let found = list.items.into_iter().find(|one| one.key == name);
        found.unwrap().state
    };
    assert_eq!(state("trello").await, SkillState::NeedsCredentials);
    assert_eq!(state("github").await, SkillState::NotAvailable);

    let variable = store(&home, FIRST).await;
    until_given(&home, id, Some(FIRST)).await;
    assert_eq!(state("trello").await, SkillState::Active);
    // A gateway shows neither value, so a new one has to be sent unseen.
    store(&home, SECOND).await;
    until_given(&home, id, Some(SECOND)).await;
    home.go_on().await;
    let patches = home.gateways.count(id, "config.patch");
    assert_eq!(patches, 2, "and nothing is sent over and over");

    skill_credential::delete(app, cx, variable).await.unwrap();
    until_given(&home, id, None).await;
    assert_eq!(state("trello").await, SkillState::NeedsCredentials);
    home.go_on().await;
    assert_eq!(home.starts(id), 1, "all of it without a restart");
}

#[tokio::test]
async fn a_variable_whose_way_was_cut_off_is_sent_again() {
    let home = home().await;
    let id = home.ready("ada").await;
    store(&home, FIRST).await;
    until_given(&home, id, Some(FIRST)).await;
    home.gateways.behave(|all| all.patches = Patches::LoseOne);
    store(&home, SECOND).await;
    // A gateway shows neither value, so reading back would not tell that the old one is still there.
    until_given(&home, id, Some(SECOND)).await;
    assert_eq!(home.starts(id), 1);
}

#[tokio::test]
async fn without_a_sandbox_a_variable_comes_with_a_restart() {
    let home = reduced_home().await;
    let id = home.ready("ada").await;
    store(&home, FIRST).await;
    home.until("restarted", || async {
        home.starts(id) == 2 && home.row(id).await.seen == SeenState::Ready
    })
    .await;
    assert_eq!(given(&home, id), Some(FIRST.into()));
}

#[tokio::test]
async fn a_sleeping_agent_is_given_variables_when_it_starts() {
    let home = home().await;
    let id = home.ready("ada").await;
    let (app, cx) = (&home.house.app, &home.cx);
    instance::stop(app, cx, id).await.unwrap();
    home.until_seen(id, SeenState::Stopped).await;
    let variable = store(&home, FIRST).await;
    home.go_on().await;
    assert_eq!(home.starts(id), 1, "storing wakes nobody");
    let refused = skill::list(app, cx, id, false).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Conflict);

    let answer = instance::agent_config(app, id).await.unwrap();
    assert_eq!(answer["config"].pointer(POINTER).unwrap(), FIRST);
    skill_credential::delete(app, cx, variable).await.unwrap();
    let answer = instance::agent_config(app, id).await.unwrap();
    assert_eq!(answer["config"].get("skills"), None);
    let exclusive = answer["exclusive"].as_array().unwrap();
    assert!(
        exclusive.contains(&"/skills/entries".into()),
        "the entry process takes away what is not named any more"
    );
}

#[tokio::test]
async fn a_value_is_kept_out_of_log_revision_and_database() {
    let home = home().await;
    let app = &home.house.app;
    store(&home, FIRST).await;
    let id = home.ready("ada").await;
    let said = format!("{FIRST} and {SECOND}");
    assert_eq!(
        printed(&home, id, &said).await,
        format!("[redacted] and {SECOND}")
    );
    store(&home, SECOND).await;
    until_given(&home, id, Some(SECOND)).await;
    assert_eq!(
        printed(&home, id, &said).await,
        "[redacted] and [redacted]",
        "the old one may still be said"
    );

    home.go_on().await;
    let revision = revisions::find_latest(&app.store.read(), id).await.unwrap();
    let revision = revision.unwrap();
    assert_eq!(
        revision.config["document"].pointer(POINTER).unwrap(),
        "redacted"
    );
    assert!(!revision.config.to_string().contains(SECOND));
    let owner = home.cx.user_id().unwrap();
    let rows = skill_credentials::list_all(&app.store.read(), owner).await;
    let sealed = rows.unwrap().remove(0).value;
    assert!(!String::from_utf8_lossy(&sealed).contains(SECOND));
}

#[tokio::test]
async fn all_values_of_a_person_together_are_bounded_and_one_can_still_be_replaced() {
    let home = home().await;
    let (app, cx) = (&home.house.app, &home.cx);
    let set = async |n: usize, length: usize| {
        let body = SetSkillCredential {
            skill: "trello".parse().unwrap(),
            name: format!("TRELLO_{n}").parse().unwrap(),
            value: "x".repeat(length),
        };
        skill_credential::set(app, cx, body).await
    };
    // Sealing adds a little to each, so that the last of 32 is too much.
    for n in 0..31 {
        set(n, 8192).await.unwrap();
    }
    let refused = set(31, 8192).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Conflict);
    assert!(refused.to_string().contains("256 KiB"), "{refused}");
    assert!(refused.remedy.unwrap().contains("remove one"));

    set(0, 8192).await.unwrap();
    set(31, 4096).await.unwrap();
    let grown = set(31, 8192).await.unwrap_err();
    assert_eq!(grown.code, ProblemCode::Conflict);
}

fractal_testing::on_postgresql! {
    a_stored_variable_reaches_a_running_agent_live_and_leaves_it_again
    a_variable_whose_way_was_cut_off_is_sent_again
    without_a_sandbox_a_variable_comes_with_a_restart
    a_sleeping_agent_is_given_variables_when_it_starts
    a_value_is_kept_out_of_log_revision_and_database
    all_values_of_a_person_together_are_bounded_and_one_can_still_be_replaced
}
