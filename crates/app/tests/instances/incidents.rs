//! What checks find: opened, patched, looked after, resolved, and in the log.

use std::time::Duration;

use fractal_api_types::{
    AcknowledgeIncident, CreateInstance, IncidentQuery, IncidentView, ProblemCode,
};
use fractal_app::{engine, incident, instance};
use fractal_runtime::machine::Remark;
use fractal_store::{Tx, instances};
use fractal_types::{DiskPressure, IncidentState, InstanceId, OperationState, SeenState, Severity};

use crate::{
    operations::{making, one_that_does_not_come_up},
    site::sound,
    support::{Home, home},
};

async fn all(home: &Home, state: IncidentState) -> Vec<IncidentView> {
    let query = IncidentQuery {
        state: Some(state),
        ..IncidentQuery::default()
    };
    let page = incident::list(&home.house.app, &home.cx, &query).await;
    page.unwrap().items
}

async fn open(home: &Home) -> Vec<IncidentView> {
    all(home, IncidentState::Open).await
}

/// What the log says about incidents: action and outcome.
async fn log(home: &Home) -> Vec<(String, String)> {
    let mut told = Vec::new();
    for action in [
        "incident.open",
        "incident.acknowledge",
        "incident.patch",
        "incident.resolve",
    ] {
        for one in home.house.log(action).await {
            told.push((action.to_owned(), one.entry.outcome));
        }
    }
    told
}

/// As a mended provider lets it: without anybody's wish.
async fn let_it_come_up(home: &Home, id: InstanceId) {
    home.house
        .app
        .store
        .tx("test", async |tx: Tx| {
            let mut row = instances::get(&tx, id).await?;
            (row.seen, row.failure_count, row.next_attempt_at) = (SeenState::Stopped, 0, None);
            instances::update(&tx, &row).await
        })
        .await
        .unwrap();
    home.until_seen(id, SeenState::Ready).await;
}

#[tokio::test]
async fn one_that_is_stuck_is_told_and_patched_when_its_cause_went_away() {
    let home = home().await;
    let (app, cx) = (&home.house.app, &home.cx);
    incident::look(app).await;
    assert_eq!(open(&home).await, []);

    let id = one_that_does_not_come_up(&home).await;
    // However often it is looked at, it is one incident a thing.
    incident::look(app).await;
    incident::look(app).await;
    let found = open(&home).await;
    let checks: Vec<&str> = found.iter().map(|one| &*one.check).collect();
    assert_eq!(checks, ["instance-failed", "operation-stuck"]);
    let stuck = &found[1];
    assert_eq!(
        (stuck.severity, stuck.resource_id.as_str(), stuck.attempts),
        (
            Severity::Failed,
            making(&home, id).await.id.to_string().as_str(),
            0
        )
    );
    assert!(stuck.finding.contains("does not come up"), "{stuck:?}");
    assert!(stuck.remedy.is_some() && stuck.can_acknowledge);
    assert_eq!(stuck.owner.as_ref().unwrap().username.as_str(), "root");

    let note = "  looking at the key  ".to_owned();
    let body = AcknowledgeIncident { note: Some(note) };
    let mine = incident::acknowledge(app, cx, stuck.id, body)
        .await
        .unwrap();
    assert_eq!(mine.note.as_deref(), Some("looking at the key"));
    assert_eq!(mine.acknowledged_by.unwrap().username.as_str(), "root");

    let_it_come_up(&home, id).await;
    incident::look(app).await;
    let patched = incident::view(app, cx, stuck.id).await.unwrap();
    assert_eq!(patched.attempts, 1);
    assert!(patched.patch.unwrap().contains("the agent answers now"));
    home.until("it is made", || async {
        making(&home, id).await.state == OperationState::Done
    })
    .await;
    incident::look(app).await;
    assert_eq!(open(&home).await, []);
    let over = incident::view(app, cx, stuck.id).await.unwrap();
    assert_eq!(over.state, IncidentState::Resolved);
    assert!(over.resolved_at.is_some() && !over.can_acknowledge);
    let late = AcknowledgeIncident::default();
    let refused = incident::acknowledge(app, cx, stuck.id, late).await;
    assert_eq!(refused.unwrap_err().code, ProblemCode::Conflict);
    let told = log(&home).await;
    let told: Vec<(&str, &str)> = told.iter().map(|(a, o)| (&**a, &**o)).collect();
    assert_eq!(
        told,
        [
            ("incident.open", "open"),
            ("incident.open", "open"),
            ("incident.acknowledge", "done"),
            ("incident.patch", "done"),
            ("incident.resolve", "resolved"),
            ("incident.resolve", "resolved"),
        ]
    );
    // The same trouble later is another incident.
    assert_eq!(all(&home, IncidentState::Resolved).await.len(), 2);
}

#[tokio::test]
async fn what_people_look_after_themselves_is_not_patched_and_a_worse_finding_is_told() {
    let home = home().await;
    let app = &home.house.app;
    let id = one_that_does_not_come_up(&home).await;
    let press = async |pressure| {
        let note = async |tx: Tx| instances::note_disk(&tx, id, pressure).await;
        app.store.tx("test", note).await.unwrap();
        incident::look(app).await;
        let all = open(&home).await;
        all.into_iter().find(|one| one.check == "instance-disk")
    };
    let near = press(DiskPressure::Near).await.unwrap();
    assert_eq!(near.severity, Severity::Attention);
    let full = press(DiskPressure::Full).await.unwrap();
    assert_eq!((full.id, full.severity), (near.id, Severity::Failed));
    assert_eq!(press(DiskPressure::Ok).await, None);
    // Its operation is stuck for a reason that is still there.
    let stuck = open(&home).await;
    let stuck = stuck.iter().find(|one| one.check == "operation-stuck");
    assert_eq!(stuck.unwrap().attempts, 0);
    // A choice of a person ends it.
    instance::stop(app, &home.cx, id).await.unwrap();
    incident::look(app).await;
    assert_eq!(open(&home).await, []);
}

#[tokio::test]
async fn checks_tell_when_they_looked_and_what_was_found() {
    let home = home().await;
    let (app, cx) = (&home.house.app, &home.cx);
    let before = incident::list_checks(app, cx).unwrap();
    assert!(before.iter().all(|one| one.looked_at.is_none()));
    one_that_does_not_come_up(&home).await;
    let looked = incident::run_checks(app, cx).await.unwrap();
    let ids: Vec<&str> = looked.iter().map(|one| &*one.id).collect();
    assert_eq!(
        ids,
        [
            "operation-stuck",
            "instance-failed",
            "instance-disk",
            "webhook-failing",
            "log-unsealed",
            "witness-silent",
            "jobs-failing",
            "machine-disk",
            "machine-memory",
            "engine-missing"
        ]
    );
    let stuck = &looked[0];
    assert_eq!(
        (stuck.outcome, stuck.findings, &stuck.error),
        (Some(Severity::Failed), 1, &None)
    );
    assert_eq!(looked[2].outcome, Some(Severity::Good));
    // Nothing seals here by itself.
    home.house.clock.advance(Duration::from_secs(600));
    incident::look(app).await;
    let unsealed = open(&home).await;
    assert!(unsealed.iter().any(|one| one.check == "log-unsealed"));
    app.sealer.seal_all().await.unwrap();
    incident::look(app).await;
    let open = open(&home).await;
    assert!(!open.iter().any(|one| one.check == "log-unsealed"));
}

#[tokio::test]
async fn the_end_of_an_operation_is_looked_at_without_waiting_for_the_next_round() {
    let home = home().await;
    let (app, cx) = (&home.house.app, &home.cx);
    let id = home.ready("ada").await;
    let looking = tokio::spawn(incident::run(app.clone()));
    let looked = || incident::list_checks(app, cx).unwrap()[0].looked_at;
    home.until("it has looked", || async { looked().is_some() })
        .await;
    let first = looked().unwrap();
    instance::delete(app, cx, id, false).await.unwrap();
    home.until("it is gone", || async {
        home.row(id).await.deleted_at.is_some()
    })
    .await;
    home.until("it has looked again", || async { looked() > Some(first) })
        .await;
    // A round is thirty seconds.
    assert!(looked().unwrap().since(first) < Duration::from_secs(30));
    looking.abort();
}

#[tokio::test]
async fn two_who_look_at_once_find_the_same() {
    let home = home().await;
    let app = &home.house.app;
    one_that_does_not_come_up(&home).await;
    tokio::join!(incident::look(app), incident::look(app));
    let checks = incident::list_checks(app, &home.cx).unwrap();
    assert!(checks.iter().all(|one| one.error.is_none()), "{checks:?}");
    assert_eq!(open(&home).await.len(), 2);
}

fn full() -> Remark {
    Remark {
        about: "disk",
        severity: Severity::Failed,
        finding: "5 MiB are free where the agents' files lie".into(),
        remedy: "free some space",
    }
}

#[tokio::test]
async fn nothing_is_begun_on_a_machine_that_is_full_and_what_was_wanted_is_taken_back_with_the_reason()
 {
    let site = sound().await;
    let (app, runtime) = (&site.home.house.app, &site.home.house.runtime);
    runtime.set_machine(vec![full()]);
    let engine = site.home.row(site.id).await.engine_id;
    let before = runtime.actions().len();
    let id = site.begin().await;
    let view = site.until_over(id).await;
    assert_eq!(view.state, OperationState::Undone);
    let why = view.reason.unwrap();
    assert!(
        why.starts_with("before it began: 5 MiB are free") && why.ends_with("free some space"),
        "{why}"
    );
    assert_eq!(site.home.row(site.id).await.engine_id, engine);
    assert_eq!(runtime.actions().len(), before, "nothing was touched");
    let told = open(&site.home).await;
    let told: Vec<_> = told.iter().map(|one| one.check.as_str()).collect();
    assert_eq!(told, ["machine-disk"]);

    // A deletion makes room.
    let gone = instance::delete(app, &site.home.cx, site.id, false).await;
    let view = site.until_over(gone.unwrap().operation_id.unwrap()).await;
    assert_eq!(view.state, OperationState::Done);

    runtime.set_machine(Vec::new());
    incident::look(app).await;
    assert!(open(&site.home).await.is_empty());
}

#[tokio::test]
async fn no_agent_is_made_on_a_full_machine_but_one_that_is_to_stay_down() {
    let home = home().await;
    let (app, runtime) = (&home.house.app, &home.house.runtime);
    runtime.set_machine(vec![full()]);
    let body = |start| CreateInstance {
        name: "ada".parse().unwrap(),
        engine_id: None,
        start,
    };
    let refused = instance::create(app, &home.cx, body(None)).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Unavailable);
    assert_eq!(refused.detail.as_deref(), Some(&*full().finding));
    assert_eq!(refused.remedy.as_deref(), Some(full().remedy));
    assert!(home.house.log("operation.settle").await.is_empty());
    let (view, operation) = instance::create(app, &home.cx, body(Some(false)))
        .await
        .unwrap();
    assert_eq!(operation, None);
    home.work().await;
    assert_eq!(home.starts(view.id), 0);
}

#[tokio::test]
async fn what_is_begun_while_the_machine_is_full_goes_on_when_there_is_room_in_time() {
    let site = sound().await;
    let runtime = &site.home.house.runtime;
    runtime.set_machine(vec![full()]);
    let id = site.begin().await;
    site.until("it was kept from beginning", || async {
        site.view(id).await.steps[0].attempts > 0
    })
    .await;
    runtime.set_machine(Vec::new());
    assert_eq!(site.until_over(id).await.state, OperationState::Done);
}

#[tokio::test]
async fn little_memory_is_told_and_keeps_nothing_from_beginning() {
    let site = sound().await;
    site.home.house.runtime.set_machine(vec![Remark {
        about: "memory",
        severity: Severity::Attention,
        ..full()
    }]);
    let id = site.begin().await;
    assert_eq!(site.until_over(id).await.state, OperationState::Done);
    incident::look(&site.home.house.app).await;
    let told = open(&site.home).await;
    assert_eq!(
        (told.len(), told[0].check.as_str(), told[0].severity),
        (1, "machine-memory", Severity::Attention)
    );
}

#[tokio::test]
async fn an_engine_that_agents_run_with_and_that_is_gone_is_told() {
    let site = sound().await;
    let app = &site.home.house.app;
    app.engine_files.write().unwrap().remove(&site.new);
    engine::recall(app).await.unwrap();
    incident::look(app).await;
    assert!(open(&site.home).await.is_empty(), "nobody runs with it");
    app.store
        .tx("test", async |tx: Tx| {
            let mut row = instances::get(&tx, site.id).await?;
            row.engine_id = site.new;
            instances::update(&tx, &row).await
        })
        .await
        .unwrap();
    incident::look(app).await;
    let told = open(&site.home).await;
    let missing = told.iter().find(|one| one.check == "engine-missing");
    let missing = missing.expect("it is told");
    assert_eq!(missing.resource_id, site.new.to_string());
    assert!(
        missing
            .finding
            .starts_with("engine 2027.1.0 cannot be started: "),
        "{}",
        missing.finding
    );
}
