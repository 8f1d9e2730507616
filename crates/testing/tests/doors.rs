//! There is one door: every place in the code that opens a transaction stands here with its reason, and only the door's may change what
//! people own. A new one fails this test until somebody has said why it is no side door (design section 1 tells the classes apart).

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What a transaction outside the door is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// The door itself.
    Door,
    /// Signing in and out, and counting tries: evidence without a change.
    SignIn,
    /// What was seen, measured or used; overwritten in place. Transitions append evidence in the same transaction.
    Observation,
    /// Leases, queues, deliveries, the sealing of the log: what makes work durable, about nothing people own.
    Machinery,
    /// Before anybody is there to ask, or with the server stopped, by whoever is on the machine; with evidence where there is a log.
    Machine,
}

use Class::{Door, Machine, Machinery, Observation, SignIn};

const TRANSACTIONS: &[(&str, &str, Class, &str)] = &[
    (
        "app/src/change/mod.rs",
        "name",
        Door,
        "the one way to change anything",
    ),
    (
        "app/src/change/mod.rs",
        "decisions.refused",
        Machinery,
        "decisions are kept for trying rules on them",
    ),
    (
        "app/src/change/mod.rs",
        "evidence.append",
        Observation,
        "refusals and transitions of seen state",
    ),
    (
        "app/src/asset.rs",
        "runtime_assets.register",
        Machine,
        "what this machine can do, at the start",
    ),
    (
        "app/src/engine.rs",
        "engines.register",
        Machine,
        "engines of this machine, at the start",
    ),
    (
        "app/src/engine.rs",
        "engines.outcome",
        Observation,
        "how an installation that was asked for went",
    ),
    (
        "app/src/evidence.rs",
        "evidence.signing_key",
        Machine,
        "made at the first start",
    ),
    (
        "app/src/idempotency.rs",
        "idempotency.answered",
        Machinery,
        "the answer of a change that took the key in the door",
    ),
    (
        "app/src/instance/config.rs",
        "instances.agent_config",
        Observation,
        "the revision a gateway was given, from what is wanted",
    ),
    (
        "app/src/instance/disk.rs",
        "instances.note_disk",
        Observation,
        "how full it is",
    ),
    (
        "app/src/instance/reconcile/configure.rs",
        "instances.note_revision",
        Observation,
        "what a gateway runs on",
    ),
    (
        "app/src/instance/reconcile/end.rs",
        "instances.set_deleted",
        Observation,
        "what was wanted deleted is seen to be gone",
    ),
    (
        "app/src/instance/reconcile/look.rs",
        "instances.measure",
        Observation,
        "sizes",
    ),
    (
        "app/src/instance/reconcile/mod.rs",
        "instances.catch_up",
        Observation,
        "generations of a database that was put back",
    ),
    (
        "app/src/instance/reconcile/see.rs",
        "instances.observe",
        Observation,
        "what was seen",
    ),
    (
        "app/src/model/mod.rs",
        "providers.observe",
        Observation,
        "how a provider answered a turn",
    ),
    (
        "app/src/provider.rs",
        "providers.observe",
        Observation,
        "how a provider answered a test",
    ),
    (
        "app/src/oidc/account.rs",
        "session.sign_in",
        SignIn,
        "a first sign-in makes its account through the door",
    ),
    (
        "app/src/oidc/mod.rs",
        "oidc.start",
        SignIn,
        "a sign-in on its way",
    ),
    (
        "app/src/oidc/mod.rs",
        "oidc.take",
        SignIn,
        "a sign-in that came back",
    ),
    (
        "app/src/incident/look.rs",
        "incidents.keep",
        Observation,
        "what checks find and do not find any more, each with its entry of the log",
    ),
    (
        "app/src/incident/look.rs",
        "incidents.patch",
        Observation,
        "that something was done about an incident, with its entry of the log; what was done went through the door",
    ),
    (
        "background/src/operation/executor.rs",
        "operations.take",
        Machinery,
        "a worker takes an operation that the door has begun",
    ),
    (
        "background/src/operation/executor.rs",
        "operations.write",
        Machinery,
        "what came out of a step, with its entry of the log; what steps do to things goes through the door",
    ),
    (
        "background/src/stored.rs",
        "jobs.postpone",
        Machinery,
        "the queue",
    ),
    (
        "app/src/proposal/carry_out.rs",
        "proposals.answer",
        Machinery,
        "the answer of a change that settled its proposal in the door",
    ),
    (
        "app/src/proposal/carry_out.rs",
        "proposals.settle",
        Machinery,
        "a proposal that is over, with its entry of the log: no rule may keep it open",
    ),
    (
        "app/src/proposal/carry_out.rs",
        "jobs.forget",
        Machinery,
        "jobs that are done",
    ),
    (
        "app/src/reseal.rs",
        "keys.reseal",
        Machinery,
        "the same values under another version of the key",
    ),
    (
        "app/src/session/authenticate.rs",
        "session.touch",
        Observation,
        "last use",
    ),
    (
        "app/src/session/limit.rs",
        "login_attempts.begin",
        SignIn,
        "tries are counted",
    ),
    (
        "app/src/session/limit.rs",
        "login_attempts.take_back",
        SignIn,
        "tries are counted",
    ),
    (
        "app/src/session/mod.rs",
        "session.sign_in",
        SignIn,
        "signing in",
    ),
    (
        "app/src/session/mod.rs",
        "session.sign_out",
        SignIn,
        "signing out",
    ),
    (
        "app/src/user/delete.rs",
        "users.finish_deletion",
        Observation,
        "the last key of a deleted person goes when their last instance is seen to be gone",
    ),
    (
        "app/src/webhook/deliver.rs",
        "webhooks.lease",
        Machinery,
        "one process delivers",
    ),
    (
        "app/src/webhook/deliver.rs",
        "webhooks.forget",
        Machinery,
        "old deliveries",
    ),
    (
        "app/src/webhook/deliver.rs",
        "webhooks.fan_out",
        Machinery,
        "what is to be delivered",
    ),
    (
        "app/src/webhook/deliver.rs",
        "webhooks.outcome",
        Observation,
        "how a delivery went",
    ),
    (
        "app/src/witness/ask.rs",
        "witnesses.lease",
        Machinery,
        "one process asks",
    ),
    (
        "app/src/witness/ask.rs",
        "witnesses.outcome",
        Observation,
        "what a witness answered",
    ),
    (
        "background/src/stored.rs",
        "jobs.extend",
        Machinery,
        "leases of jobs",
    ),
    (
        "background/src/stored.rs",
        "jobs.complete",
        Machinery,
        "outcomes of jobs",
    ),
    (
        "background/src/stored.rs",
        "jobs.fail",
        Machinery,
        "outcomes of jobs",
    ),
    (
        "evidence/src/seal.rs",
        "evidence.seal",
        Machinery,
        "positions in the log",
    ),
    (
        "server/src/installation.rs",
        "installation.prepare",
        Machine,
        "a new installation",
    ),
    (
        "server/src/installation.rs",
        "installation.setup_token",
        Machine,
        "the token for the claim",
    ),
    (
        "server/src/keys.rs",
        "keys.exported",
        Machine,
        "the key was exported, on the machine itself; with evidence",
    ),
    (
        "server/src/keys.rs",
        "keys.rotate",
        Machine,
        "a new key, on the machine itself with the server stopped; with evidence",
    ),
    (
        "server/src/policy.rs",
        "policy.reset",
        Machine,
        "the way back in, on the machine itself; with evidence",
    ),
    (
        "server/src/usage.rs",
        "usage_records.insert_batch",
        Observation,
        "what was used",
    ),
];

/// Rooms that never open one: they have the use cases.
const WITHOUT: [&str; 8] = [
    "http",
    "proxy",
    "cli",
    "client",
    "ui",
    "runtime",
    "runtime-process",
    "openclaw",
];

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The names of the transactions that a source opens, its tests left out.
fn opened(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or("");
    source
        .match_indices(".tx(")
        .map(|(at, call)| {
            let rest = source[at + call.len()..].trim_start();
            let name = rest.split([',', ')']).next().unwrap_or("");
            name.trim().trim_matches('"').to_owned()
        })
        .collect()
}

#[test]
fn every_transaction_is_the_doors_or_says_why_it_is_no_side_door() {
    let crates = crates();
    let mut found = BTreeSet::new();
    for room in fs::read_dir(&crates).unwrap().flatten() {
        let name = room.file_name().into_string().unwrap();
        // The store is what transactions are made of; the testing crate is no part of the house.
        if name == "store" || name == "testing" {
            continue;
        }
        let mut files = Vec::new();
        sources(&room.path().join("src"), &mut files);
        for file in files {
            let place = file.strip_prefix(&crates).unwrap().display().to_string();
            for name in opened(&fs::read_to_string(&file).unwrap()) {
                found.insert((place.clone(), name));
            }
        }
    }
    let known: BTreeSet<(String, String)> = TRANSACTIONS
        .iter()
        .map(|(place, name, ..)| ((*place).to_owned(), (*name).to_owned()))
        .collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert!(new.is_empty(), "is this a side door? {new:#?}");
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "these are not there any more: {gone:#?}");
    for (place, ..) in TRANSACTIONS {
        let room = place.split('/').next().unwrap();
        assert!(
            !WITHOUT.contains(&room),
            "{place}: {room} has use cases for this"
        );
    }
    let doors: Vec<_> = TRANSACTIONS
        .iter()
        .filter(|(.., class, _)| *class == Door)
        .collect();
    assert_eq!(doors.len(), 1, "there is one door");
}

#[test]
fn a_transaction_is_noticed_however_it_is_written() {
    let source = "a.store.tx(\"one\", x); b\n    .tx(\n        \"two\",\n        y); store.tx(name, z)\n\
                  #[cfg(test)]\nmod tests { store.tx(\"of a test\", x) }";
    assert_eq!(opened(source), ["one", "two", "name"]);
}
