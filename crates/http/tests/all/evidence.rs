//! The log over HTTP: who reads what of it, an export that verifies offline, events that continue where they were.

use fractal_api_types::EvidenceView;
use fractal_testing::evidence::{
    Checkpoint, VerifyKey,
    merkle::{leaf_hash, verify_consistency, verify_inclusion},
    unhex,
    verify::verify,
};
use futures::StreamExt;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Person, Target, World, request};

async fn seal(world: &World) {
    world.house.app.sealer.seal_all().await.unwrap();
}

async fn head(world: &World, who: &Person) -> Value {
    let answer = world.get("/api/v1/evidence/checkpoint", &who.proof()).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.json()
}

fn key_of(head: &Value) -> VerifyKey {
    head["key"].as_str().unwrap().parse().unwrap()
}

async fn auditor(world: &World) -> Person {
    let body = json!({"username": "vera", "password": fractal_testing::house::PASSWORD, "role": "auditor"});
    let made = world
        .post("/api/v1/users", &world.owner.proof(), &body)
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.json());
    world.sign_in("vera").await
}

#[tokio::test]
async fn an_auditor_reads_the_log_and_changes_nothing() {
    let world = World::new().await;
    let vera = auditor(&world).await;
    world.make(Target::Provider, &world.ada).await;
    world.make(Target::Instance, &world.ada).await;
    seal(&world).await;
    let answer = world
        .get("/api/v1/evidence?action=provider.&limit=5", &vera.proof())
        .await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.json());
    let entry = &answer.json()["items"][0];
    assert_eq!(entry["action"], "provider.create");
    assert_eq!(entry["actor_name"], "ada");
    assert_eq!(
        entry["values"],
        json!({}),
        "what is private to ada stays so"
    );
    assert!(entry["commitments"]["name"].is_string());
    let answer = world
        .get("/api/v1/evidence?action=instance.create", &vera.proof())
        .await;
    assert!(answer.json()["items"][0]["values"]["name"].is_string());
    for (path, body) in [
        (
            "/api/v1/users",
            json!({"username": "eve", "password": fractal_testing::house::PASSWORD}),
        ),
        ("/api/v1/invitations", json!({})),
        ("/api/v1/keys/rotate", json!({})),
    ] {
        let answer = world.post(path, &vera.proof(), &body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    let answer = world.get("/api/v1/evidence", &world.ada.proof()).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn the_log_is_paged_and_filtered_without_gaps() {
    let world = World::new().await;
    for _ in 0..5 {
        world.make(Target::Provider, &world.ada).await;
    }
    seal(&world).await;
    let mut seen: Vec<u64> = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/evidence?limit=3{cursor}");
        let page = world.get(&path, &world.admin.proof()).await.json();
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["seq"].as_u64().unwrap()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let newest = head(&world, &world.admin).await["size"].as_u64().unwrap();
    assert_eq!(seen, (1..=newest).rev().collect::<Vec<_>>());
    let ada = world.ada.cx.user_id().unwrap();
    let path = format!("/api/v1/evidence?actor={ada}&action=provider.create&outcome=done");
    let page = world.get(&path, &world.admin.proof()).await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 5);
    for (query, field) in [
        ("limit=0", "limit"),
        ("cursor=x", "cursor"),
        ("from=soon", "from"),
    ] {
        let answer = world
            .get(&format!("/api/v1/evidence?{query}"), &world.admin.proof())
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert!(
            answer.json()["errors"][0]["field"]
                .as_str()
                .unwrap()
                .contains(field)
        );
    }
}

#[tokio::test]
async fn entries_and_growth_are_proven_to_somebody_who_keeps_the_key() {
    let world = World::new().await;
    seal(&world).await;
    let early = head(&world, &world.bob).await;
    let key = key_of(&early);
    world.make(Target::Provider, &world.ada).await;
    seal(&world).await;
    let late = head(&world, &world.bob).await;
    let (old, new) = (
        Checkpoint::open(early["note"].as_str().unwrap(), &key).unwrap(),
        Checkpoint::open(late["note"].as_str().unwrap(), &key).unwrap(),
    );
    let hashes = |proof: &Value| -> Vec<_> {
        proof["hashes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hash| unhex(hash.as_str().unwrap()).unwrap())
            .collect()
    };
    let path = format!("/api/v1/evidence/consistency?from={}", old.size);
    let proof = world.get(&path, &world.bob.proof()).await.json();
    assert!(verify_consistency(
        old.size,
        new.size,
        &old.root,
        &new.root,
        &hashes(&proof)
    ));
    for seq in [1, new.size] {
        let path = format!("/api/v1/evidence/{seq}/proof");
        let proof = world.get(&path, &world.admin.proof()).await.json();
        let leaf = leaf_hash(proof["leaf"].as_str().unwrap().as_bytes());
        assert!(verify_inclusion(
            seq - 1,
            new.size,
            &leaf,
            &hashes(&proof),
            &new.root
        ));
    }
    for path in [
        "/api/v1/evidence/consistency?from=0".to_owned(),
        "/api/v1/evidence/consistency?from=999999".to_owned(),
        "/api/v1/evidence/1/proof?size=999999".to_owned(),
    ] {
        let answer = world.get(&path, &world.admin.proof()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test]
async fn an_export_verifies_offline_and_shows_no_private_value() {
    let world = World::new().await;
    let provider = world.make(Target::Provider, &world.ada).await;
    seal(&world).await;
    let key = key_of(&head(&world, &world.admin).await);
    let answer = world
        .get("/api/v1/evidence/export?values=true", &world.admin.proof())
        .await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let report = verify(answer.body.as_slice(), &key, &[], &[]).unwrap();
    assert_eq!(report.first, 1);
    assert!(report.openings > 0);
    let text = String::from_utf8(answer.body).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains(&provider.0))
        .unwrap();
    assert!(!line.contains("openings"), "{line}");
    let later = format!("/api/v1/evidence/export?first={}", report.last + 1);
    let rest = world.get(&later, &world.admin.proof()).await;
    let report = verify(rest.body.as_slice(), &key, &[], &[]).unwrap();
    assert_eq!((report.first, report.checkpoints), (report.last + 1, 1));
    let beyond = format!("/api/v1/evidence/export?first={}", report.last + 2);
    let answer = world.get(&beyond, &world.admin.proof()).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

/// Reads events of the stream until `count` entries are there.
async fn events(
    world: &World,
    who: &Person,
    after: Option<u64>,
    count: usize,
) -> Vec<EvidenceView> {
    let mut call = request(Method::GET, "/api/v1/events", &who.proof(), None);
    if let Some(after) = after {
        call.headers_mut()
            .insert("last-event-id", HeaderValue::from(after));
    }
    let answer = world.send(call).await;
    assert_eq!(answer.status, StatusCode::OK);
    let mut pieces = answer.stream.unwrap().into_data_stream();
    seal(world).await;
    let mut text = String::new();
    let read = async {
        loop {
            let entries: Vec<EvidenceView> = text
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .map(|data| serde_json::from_str(data).unwrap())
                .collect();
            if entries.len() >= count {
                return entries;
            }
            let piece = pieces.next().await.expect("the stream goes on").unwrap();
            text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), read)
        .await
        .expect("the events come")
}

#[tokio::test]
async fn events_show_everybody_what_concerns_them_and_go_on_where_they_were() {
    let world = World::new().await;
    seal(&world).await;
    let start = head(&world, &world.bob).await["size"].as_u64().unwrap();
    let (instance, _) = world.make(Target::Instance, &world.ada).await;
    let (stopped, _) = world.make(Target::Instance, &world.ada).await;
    let path = format!("/api/v1/instances/{stopped}/stop");
    let answer = world.post(&path, &world.admin.proof(), &json!({})).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    world.make(Target::Provider, &world.bob).await;

    let all = events(&world, &world.admin, Some(start), 4).await;
    assert!(all.iter().any(|entry| entry.action == "provider.create"));
    let hers = events(&world, &world.ada, Some(start), 3).await;
    assert!(hers.iter().any(|entry| entry.resource_id == instance));
    let stop = hers
        .iter()
        .find(|entry| entry.action == "instance.stop")
        .expect("what an administrator did to what is hers");
    assert_eq!(
        stop.actor_name.as_deref(),
        Some(world.admin.username.as_str())
    );
    let bobs = world.bob.cx.user_id().unwrap().to_string();
    assert!(hers.iter().all(|entry| entry.actor_id != bobs));

    let place = all[1].seq;
    let rest = events(&world, &world.admin, Some(place), all.len() - 2).await;
    assert_eq!(rest[0].seq, place + 1);
}
