//! Variables of skills: what is taken, what is refused by name, and that no answer gives a value back.

use http::Method;
use serde_json::{Value, json};

use crate::world::{Answer, Proof, World, request};

const PATH: &str = "/api/v1/skill-credentials";
const VALUE: &str = "very-private-value-4711";

async fn put(world: &World, proof: &Proof, body: &Value) -> Answer {
    world
        .send(request(Method::PUT, PATH, proof, Some(body)))
        .await
}

fn stored(skill: &str, name: &str, value: &str) -> Value {
    json!({ "skill": skill, "name": name, "value": value })
}

#[tokio::test]
async fn a_variable_is_stored_replaced_and_removed_and_never_shown() {
    let world = World::new().await;
    let ada = world.ada.proof();
    let first = put(&world, &ada, &stored("trello", "TRELLO_TOKEN", VALUE)).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.json()["hint"], "…4711");
    let id = first.json()["id"].as_str().unwrap().to_owned();
    world.house.pass(1);
    let other = format!("{VALUE}-8888");
    let again = put(&world, &ada, &stored("trello", "TRELLO_TOKEN", &other)).await;
    assert_eq!(again.json()["id"], id, "the same variable");
    assert_eq!(again.json()["created_at"], first.json()["created_at"]);
    assert_ne!(again.json()["updated_at"], first.json()["updated_at"]);
    put(&world, &ada, &stored("notion", "TRELLO_TOKEN", VALUE)).await;

    let list = world.get(PATH, &ada).await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 2);
    for answer in [&first, &again, &list] {
        assert!(!String::from_utf8_lossy(&answer.body).contains(VALUE));
    }
    for person in [&world.owner, &world.admin, &world.bob] {
        let theirs = world.get(PATH, &person.proof()).await;
        assert_eq!(theirs.json()["items"], json!([]), "{}", person.username);
        let path = format!("{PATH}/{id}");
        let removed = world
            .send(request(Method::DELETE, &path, &person.proof(), None))
            .await;
        assert_eq!(removed.status, 404, "{}", person.username);
    }

    let path = format!("{PATH}/{id}");
    for status in [204, 404] {
        let removed = world.send(request(Method::DELETE, &path, &ada, None)).await;
        assert_eq!(removed.status, status);
    }
    let left = world.get(PATH, &ada).await.json();
    assert_eq!(left["items"][0]["skill"], "notion");
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_skill_no_variable_or_no_value_is_named() {
    let world = World::new().await;
    let ada = world.ada.proof();
    for (skill, name, value, field) in [
        ("", "A", "v", "/skill"),
        ("__proto__", "A", "v", "/skill"),
        ("a/b", "A", "v", "/skill"),
        ("trello", "", "v", "/name"),
        ("trello", "lower", "v", "/name"),
        ("trello", "A-B", "v", "/name"),
        ("trello", "PATH", "v", "/name"),
        ("trello", "LD_PRELOAD", "v", "/name"),
        ("trello", "NODE_OPTIONS", "v", "/name"),
        ("trello", "HOME", "v", "/name"),
        ("trello", "OPENCLAW_STATE_DIR", "v", "/name"),
        ("trello", "FRACTAL_URL", "v", "/name"),
        ("trello", "A", "", "/value"),
        ("trello", "A", " \n", "/value"),
        ("trello", "A", "a\u{1b}b", "/value"),
        ("trello", "A", &"v".repeat(8193), "/value"),
    ] {
        let answer = put(&world, &ada, &stored(skill, name, value)).await;
        let problem = answer.json();
        assert_eq!(
            (
                answer.status.as_u16(),
                problem["errors"][0]["field"].as_str()
            ),
            (422, Some(field)),
            "{skill} {name}: {problem}"
        );
    }
    assert_eq!(world.get(PATH, &ada).await.json()["items"], json!([]));
}

#[tokio::test]
async fn one_person_stores_only_so_many() {
    let world = World::new().await;
    let ada = world.ada.proof();
    for number in 0..100 {
        let body = stored("trello", &format!("V_{number}"), "v");
        assert_eq!(put(&world, &ada, &body).await.status, 200);
    }
    let more = put(&world, &ada, &stored("trello", "V_100", "v")).await;
    assert_eq!((more.status.as_u16(), &*more.code()), (409, "conflict"));
    let known = put(&world, &ada, &stored("trello", "V_7", "w")).await;
    assert_eq!(known.status, 200, "a stored one may still change");
    let bobs = put(&world, &world.bob.proof(), &stored("trello", "V_1", "v")).await;
    assert_eq!(bobs.status, 200);
}

#[tokio::test]
async fn the_log_of_changes_names_neither_service_nor_value() {
    let world = World::new().await;
    put(
        &world,
        &world.ada.proof(),
        &stored("trello", "TRELLO_TOKEN", VALUE),
    )
    .await;
    let log = world.house.log("skill_credential.set").await;
    assert_eq!(log.len(), 1, "it is in the log");
    let told = format!("{log:?}");
    assert!(
        !told.contains("TRELLO_TOKEN") && !told.contains(VALUE),
        "{told}"
    );
}

#[tokio::test]
async fn a_sleeping_agent_is_not_woken_for_its_skills() {
    let world = World::new().await;
    let (_, agent) = world
        .make(crate::world::Target::Conversation, &world.ada)
        .await;
    let path = format!("/api/v1/instances/{agent}/skills");
    let answer = world.get(&path, &world.ada.proof()).await;
    assert_eq!((answer.status.as_u16(), &*answer.code()), (409, "conflict"));
    for person in [&world.admin, &world.owner, &world.bob] {
        let answer = world.get(&path, &person.proof()).await;
        assert!(
            matches!(answer.status.as_u16(), 403 | 404),
            "{}",
            person.username
        );
    }
}

fractal_testing::on_postgresql! {
    a_variable_is_stored_replaced_and_removed_and_never_shown
    what_is_no_skill_no_variable_or_no_value_is_named
    one_person_stores_only_so_many
    the_log_of_changes_names_neither_service_nor_value
    a_sleeping_agent_is_not_woken_for_its_skills
}
