//! What holds in the end, whatever went wrong on the way.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use fractal_app::App;
use fractal_runtime::{
    contract::{ProcessState, Runtime, Volumes as Removed},
    fake::{Action, FakeRuntime},
};
use fractal_store::{
    EvidenceEntry, Instance, Job, Operation, PageRequest, Reads, Volumes, evidence, instances,
    jobs, operations,
};
use fractal_types::{Generation, InstanceId, OperationId, OperationState, SeenState, WantedState};
use serde_json::Value;

use crate::{
    acts::{Told, every_operation},
    broken::Broken,
    plane::Ground,
    ports::generation,
};

/// Something that has not come to its end.
#[derive(Debug, Clone)]
pub enum Open {
    /// It waits for somebody.
    Stuck(OperationId, String),
    /// It waits for somebody to start it again.
    GivenUp(InstanceId, String),
    /// It goes on by itself.
    Waits(String),
}

impl fmt::Display for Open {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stuck(id, why) => write!(out, "operation {id} is stuck: {why}"),
            Self::GivenUp(id, why) => write!(out, "agent {id} is given up: {why}"),
            Self::Waits(what) => out.write_str(what),
        }
    }
}

/// An entry and its values.
struct Entry {
    entry: EvidenceEntry,
    values: BTreeMap<String, Value>,
}

fn page() -> PageRequest {
    PageRequest {
        limit: 200,
        ..PageRequest::default()
    }
}

/// Every agent that is not deleted.
async fn living(app: &App) -> Vec<Instance> {
    let db = app.store.read();
    let some = instances::list_live(&db, &page()).await;
    some.expect("the agents").items
}

/// Every agent there is, and every one that the log says was made.
async fn every_agent(app: &App, log: &[Entry], broken: &mut Vec<String>) -> Vec<Instance> {
    let mut ids: BTreeSet<InstanceId> = living(app).await.iter().map(|row| row.id).collect();
    let made = log
        .iter()
        .filter(|one| one.entry.action == "instance.create");
    ids.extend(made.filter_map(|one| one.entry.resource_id.parse::<InstanceId>().ok()));
    let db = app.store.read();
    let mut rows = Vec::new();
    for id in ids {
        match instances::find(&db, id).await.expect("the agents") {
            Some(row) => rows.push(row),
            None => broken.push(format!("the log says that {id} was made, and it is lost")),
        }
    }
    rows
}

async fn every_job(app: &App) -> Vec<Job> {
    let db = app.store.read();
    let mut found = Vec::new();
    let mut request = page();
    loop {
        let one = jobs::list(&db, fractal_app::operation::QUEUE, &request)
            .await
            .expect("the jobs");
        found.extend(one.items);
        match one.next_cursor {
            Some(cursor) => request.after = Some(cursor),
            None => return found,
        }
    }
}

/// The agents whose process runs.
pub async fn running(fake: &FakeRuntime) -> Vec<InstanceId> {
    let all = fake.list().await.expect("the machines");
    all.into_iter()
        .filter(|one| matches!(one.process, ProcessState::Running { .. }))
        .map(|one| one.id)
        .collect()
}

/// What has not come to its end yet.
pub async fn open(ground: &Ground, app: &App) -> Vec<Open> {
    let mut open = Vec::new();
    for one in every_operation(app).await.expect("the operations") {
        let (id, state) = (one.id, one.state);
        match state {
            OperationState::Done | OperationState::Undone => {}
            OperationState::Stuck => {
                open.push(Open::Stuck(id, one.reason.unwrap_or_default()));
            }
            _ => open.push(Open::Waits(format!("operation {id} is {state}"))),
        }
    }
    if ground.stage.is_lingering() {
        open.push(Open::Waits("a slow call is on its way".into()));
    }
    let running = running(&ground.fake).await;
    for row in living(app).await {
        let (id, wanted, seen) = (row.id, row.wanted, row.seen);
        if running.contains(&id) && wanted == WantedState::Stopped {
            open.push(Open::Waits(format!("{id} is not wanted, and runs")));
        }
        if !running.contains(&id) && (wanted, seen) == (WantedState::Running, SeenState::Ready) {
            open.push(Open::Waits(format!("{id} is seen ready, and does not run")));
        }
        match (wanted, seen) {
            (WantedState::Running, SeenState::Ready)
            // One that was stopped because it did not come up goes on saying why.
            | (
                WantedState::Stopped,
                SeenState::Stopped | SeenState::CrashLooping | SeenState::Failed,
            ) => {}
            (WantedState::Running, SeenState::CrashLooping | SeenState::Failed) => {
                open.push(Open::GivenUp(id, row.seen_reason.unwrap_or_default()));
            }
            _ => open.push(Open::Waits(format!(
                "agent {id} is wanted {wanted} and seen {seen}"
            ))),
        }
    }
    for job in every_job(app).await {
        if job.done_at.is_none() && job.dead_at.is_none() {
            open.push(Open::Waits(format!("job {} waits", job.id)));
        }
    }
    let unsealed = evidence::count_unsealed(&app.store.read()).await;
    let unsealed = unsealed.expect("the log");
    if unsealed > 0 {
        open.push(Open::Waits(format!("{unsealed} entries are not sealed")));
    }
    open
}

/// Every promise that is broken when all has come to rest.
pub async fn in_the_end(ground: &Ground, app: &App, told: &Told) -> Vec<String> {
    let mut broken = Vec::new();
    let mut log = whole_log(app).await;
    if ground.broken == Some(Broken::Entry) {
        log.remove(log.len() / 2);
    }
    let agents = every_agent(app, &log, &mut broken).await;
    let operations = every_operation(app).await.expect("the operations");
    effects(ground, &mut broken);
    machines(ground, &agents, &mut broken).await;
    held(&agents, &operations, &mut broken);
    for job in every_job(app).await {
        if job.dead_at.is_some() {
            let why = job.last_error.unwrap_or_default();
            broken.push(format!("job {} was given up: {why}", job.id));
        }
    }
    acknowledged(told, &agents, &operations, &log, &mut broken);
    wished_once(&operations, &log, &mut broken);
    carried_out(app, &operations, &log, &mut broken).await;
    seen(&agents, &log, &mut broken);
    wished(&agents, &log, &mut broken);
    proven(app, ground, &log, &mut broken).await;
    broken
}

/// Nobody who was overtaken has done anything to a machine, and nothing was removed twice or came back.
fn effects(ground: &Ground, broken: &mut Vec<String>) {
    let mut highest: BTreeMap<InstanceId, Generation> = BTreeMap::new();
    let mut removed: BTreeSet<InstanceId> = BTreeSet::new();
    for effect in ground.effects.all() {
        let (id, of) = generation(&effect.action);
        let before = highest.entry(id).or_default();
        if of < *before {
            broken.push(format!(
                "{:?} was done by {}, though generation {before} had acted",
                effect.action, effect.life.0
            ));
        }
        *before = of.max(*before);
        match effect.action {
            Action::Remove(_, Removed::Remove, _) if effect.real && !removed.insert(id) => {
                broken.push(format!("{id} was removed twice"));
            }
            Action::Start(..) if removed.contains(&id) => {
                broken.push(format!("{id} was started after it was removed"));
            }
            _ => {}
        }
    }
}

/// What is on machines has a row, and what has a row is on the machine as it is wanted.
async fn machines(ground: &Ground, agents: &[Instance], broken: &mut Vec<String>) {
    let there = ground.fake.list().await.expect("the machines");
    let rows: BTreeMap<InstanceId, &Instance> = agents.iter().map(|row| (row.id, row)).collect();
    for one in &there {
        let runs = matches!(one.process, ProcessState::Running { .. });
        match rows.get(&one.id) {
            None => broken.push(format!("{} is on a machine without a row", one.id)),
            Some(row) if row.deleted_at.is_some() && row.volumes == Volumes::Remove => {
                broken.push(format!("{} is deleted, and is on a machine yet", one.id));
            }
            Some(row) if row.deleted_at.is_some() && runs => {
                broken.push(format!("{} is deleted, and runs", one.id));
            }
            Some(_) => {}
        }
    }
    let running = running(&ground.fake).await;
    for row in agents.iter().filter(|row| row.deleted_at.is_none()) {
        let runs = running.contains(&row.id);
        if runs != (row.wanted == WantedState::Running) {
            broken.push(format!(
                "{} is wanted {}, and its process {}",
                row.id,
                row.wanted,
                if runs { "runs" } else { "does not run" }
            ));
        }
    }
}

/// Nothing is held by what is over.
fn held(agents: &[Instance], operations: &[Operation], broken: &mut Vec<String>) {
    for row in agents {
        let Some(by) = &row.held_by else { continue };
        let over = operations
            .iter()
            .find(|one| one.id.to_string() == *by)
            .is_none_or(|one| one.state.is_settled());
        if over {
            broken.push(format!("{} is held by {by}, which is over", row.id));
        }
    }
}

/// What somebody was told is so, and stands in the log.
fn acknowledged(
    told: &Told,
    agents: &[Instance],
    operations: &[Operation],
    log: &[Entry],
    broken: &mut Vec<String>,
) {
    let mut promised: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for one in told.all() {
        if let Some(id) = one.instance
            && !agents.iter().any(|row| row.id == id)
        {
            broken.push(format!(
                "{:?} of {id} was acknowledged, and it is lost",
                one.deed
            ));
        }
        if let Some(id) = one.operation
            && !operations.iter().any(|row| row.id == id)
        {
            broken.push(format!("{:?} began {id}, and it is lost", one.deed));
        }
        *promised.entry((one.action, one.resource_id)).or_default() += 1;
    }
    for ((action, resource), count) in promised {
        let written = log
            .iter()
            .filter(|one| one.entry.action == action && one.entry.resource_id == resource)
            .count();
        if written < count {
            broken.push(format!(
                "{action} of {resource} was acknowledged {count} times, and is {written} times in the log"
            ));
        }
    }
}

/// What an operation wishes it wishes once on each way, however often its steps are begun: the second time it looks first.
fn wished_once(operations: &[Operation], log: &[Entry], broken: &mut Vec<String>) {
    for operation in operations {
        let id = operation.id.to_string();
        let mut wishes: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for one in log {
            let cause = one.values.get("cause").and_then(Value::as_str);
            let is_of_it = one.values.get("operation").and_then(Value::as_str) == Some(&*id);
            // What began it names it as well, and is nobody's wish but that of a person.
            let switches = one.entry.action == "instance.change_engine"
                && one.values.contains_key("engine_id");
            if is_of_it && (cause == Some("operation") || switches) {
                let what = ["wanted", "engine_id"]
                    .iter()
                    .find_map(|name| one.values.get(*name));
                let what = what.map(ToString::to_string).unwrap_or_default();
                *wishes.entry((&one.entry.action, what)).or_default() += 1;
            }
        }
        for ((action, what), count) in wishes {
            // An engine is switched to once; to stop may be wished on the way there and on the way back.
            let most = if action == "instance.change_engine" {
                1
            } else {
                2
            };
            if count > most {
                broken.push(format!("{id} did {action} to {what} {count} times"));
            }
        }
    }
}

/// Every step of every operation is told once, and its end as it was.
async fn carried_out(app: &App, operations: &[Operation], log: &[Entry], broken: &mut Vec<String>) {
    for operation in operations {
        let id = operation.id.to_string();
        let mut steps: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut ends = Vec::new();
        for one in log.iter().filter(|one| one.entry.resource_id == id) {
            match one.entry.action.as_str() {
                "operation.step" => {
                    let name = one.values.get("step").and_then(Value::as_str);
                    let key = (
                        name.unwrap_or_default().to_owned(),
                        one.entry.outcome.clone(),
                    );
                    *steps.entry(key).or_default() += 1;
                }
                "operation.settle" if one.entry.outcome != "stuck" => {
                    ends.push(one.entry.outcome.clone());
                }
                _ => {}
            }
        }
        for ((name, outcome), count) in &steps {
            if outcome != "failed" && *count > 1 {
                broken.push(format!("step {name} of {id} is {outcome} {count} times"));
            }
        }
        if operation.state.is_settled() && ends != [operation.state.as_str()] {
            broken.push(format!(
                "operation {id} is {}, and the log has {ends:?}",
                operation.state
            ));
        }
        let rows = operations::steps(&app.store.read(), operation.id).await;
        for step in rows.expect("the steps") {
            let state = step.state.as_str();
            let told = steps.contains_key(&(step.name.clone(), state.to_owned()));
            if matches!(state, "done" | "undone" | "skipped") && !told {
                broken.push(format!(
                    "step {} of {id} is {state}, and the log does not say so",
                    step.name
                ));
            }
        }
    }
}

/// Every change of what was seen is in the log: they lead from the first state to the present one, without a gap.
fn seen(agents: &[Instance], log: &[Entry], broken: &mut Vec<String>) {
    for row in agents {
        let id = row.id.to_string();
        let mut balance: BTreeMap<String, i64> = BTreeMap::new();
        let mut began = None;
        let mut deleted = 0;
        for one in log.iter().filter(|one| one.entry.resource_id == id) {
            match (one.entry.action.as_str(), one.values.get("from")) {
                ("instance.create", _) => {
                    let wanted = one.values.get("wanted").and_then(Value::as_str);
                    began = Some(match wanted {
                        Some("running") => SeenState::Pending,
                        _ => SeenState::Stopped,
                    });
                }
                ("instance.seen", Some(from)) => {
                    let from = from.as_str().unwrap_or_default().to_owned();
                    *balance.entry(from).or_default() -= 1;
                    *balance.entry(one.entry.outcome.clone()).or_default() += 1;
                }
                ("instance.seen", None) => deleted += 1,
                _ => {}
            }
        }
        let Some(began) = began else {
            broken.push(format!("the log does not say that {id} was made"));
            continue;
        };
        *balance.entry(began.as_str().to_owned()).or_default() += 1;
        *balance.entry(row.seen.as_str().to_owned()).or_default() -= 1;
        balance.retain(|_, count| *count != 0);
        if !balance.is_empty() {
            broken.push(format!(
                "{id} became {}, and the log has a gap on the way there: {balance:?}",
                row.seen
            ));
        }
        if deleted != usize::from(row.deleted_at.is_some()) {
            broken.push(format!("the log has {deleted} times that {id} was deleted"));
        }
    }
}

/// What is wanted is what the log says was wished last.
fn wished(agents: &[Instance], log: &[Entry], broken: &mut Vec<String>) {
    for row in agents {
        let id = row.id.to_string();
        let last = log
            .iter()
            .filter(|one| one.entry.resource_id == id)
            .filter_map(|one| {
                let of = one
                    .values
                    .get("generation")
                    .map_or(Some(1), Value::as_u64)?;
                let wanted = one.values.get("wanted")?.as_str()?;
                Some((of, wanted))
            })
            .max_by_key(|(of, _)| *of);
        if last.is_none_or(|(_, wanted)| wanted != row.wanted.as_str()) {
            broken.push(format!(
                "{id} is wanted {}, and the log says {last:?}",
                row.wanted
            ));
        }
    }
}

/// Every entry has one place in the tree, without a gap, and the whole verifies from outside.
async fn proven(app: &App, ground: &Ground, log: &[Entry], broken: &mut Vec<String>) {
    for (one, place) in log.iter().zip(1..) {
        if one.entry.seq != Some(place) {
            broken.push(format!(
                "entry {} stands at {:?}, where {place} is due",
                one.entry.id, one.entry.seq
            ));
            return;
        }
    }
    match crate::export::verify(app, ground).await {
        Ok(last) if last == log.len() as u64 => {}
        Ok(last) => broken.push(format!(
            "{last} entries verify, and the log has {}",
            log.len()
        )),
        Err(why) => broken.push(format!("the log does not verify: {why}")),
    }
}

async fn whole_log(app: &App) -> Vec<Entry> {
    let db = app.store.read();
    let mut found = Vec::new();
    let mut after = 0;
    loop {
        let some = evidence::list_sealed(&db, None, after, 500)
            .await
            .expect("the log");
        let Some(last) = some.last() else {
            return found;
        };
        after = last.seq.unwrap_or(u64::MAX);
        found.extend(with_values(&db, some).await);
    }
}

async fn with_values(db: &dyn Reads, entries: Vec<EvidenceEntry>) -> Vec<Entry> {
    let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
    let mut openings = evidence::openings_of(db, &ids).await.expect("what opens");
    entries
        .into_iter()
        .map(|entry| {
            let values = openings.remove(&entry.id).unwrap_or_default().into_iter();
            Entry {
                values: values.map(|one| (one.field, one.value)).collect(),
                entry,
            }
        })
        .collect()
}
