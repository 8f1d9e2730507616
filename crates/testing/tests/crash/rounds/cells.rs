//! Every step of every kind of operation, and the real program that kills itself before or after it, going forward and back.
//!
//! The same table is gone through without processes by `crates/app/tests/instances/faults.rs`. A new kind is in it by itself, and fails here
//! until somebody says how it is begun.

use std::fmt;

use fractal_app::operation;
use fractal_background::operation::Step;
use fractal_testing::house::house;
use serde_json::{Value, json};

use super::Installation;
use crate::{ledger, machine::eventually};

/// The engine that an agent is changed from and to.
const BEFORE: &str = "2026.9.5";

/// Where the program dies.
#[derive(Debug, Clone)]
pub struct Cell {
    kind: String,
    step: String,
    /// The last step of the kind that has a way back, where one that goes back is turned round.
    turns: String,
    back: bool,
    after: bool,
}

impl fmt::Display for Cell {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let going = if self.back { "back" } else { "forward" };
        let fault = if self.after {
            "dies-after"
        } else {
            "dies-before"
        };
        write!(out, "{}/{}/{going}/{fault}", self.kind, self.step)
    }
}

impl Cell {
    /// Older keys are kept for ten minutes, so this one takes as long.
    pub fn is_long(&self) -> bool {
        (self.kind.as_str(), self.step.as_str(), self.after) == ("key.rotate", "retire", true)
    }
}

/// The whole table, of every kind there is.
pub fn all() -> Vec<Cell> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let house = house().await;
        operation::kinds(&house.app)
            .iter()
            .flat_map(|kind| of_kind(kind.name(), kind.steps()))
            .collect()
    })
}

fn of_kind(kind: &str, steps: &[Step]) -> Vec<Cell> {
    let turns = steps.iter().rfind(|step| !step.is_final);
    let mut cells = Vec::new();
    for step in steps {
        for (back, after) in [(false, false), (false, true), (true, false), (true, true)] {
            if back && step.is_final {
                continue;
            }
            cells.push(Cell {
                kind: kind.to_owned(),
                step: step.name.to_owned(),
                turns: turns.unwrap_or(step).name.to_owned(),
                back,
                after,
            });
        }
    }
    cells
}

impl Installation {
    /// Has the program die at one cell, and looks at everything afterwards.
    pub fn cell(&mut self, cell: &Cell) {
        println!("{cell}, CRASH_SEED={}", self.seed);
        let (method, path, body, action) = self.prepare(cell);
        let mut faults = cell.to_string();
        if cell.back {
            faults.push_str(&format!(
                ",{}/{}/forward/fails-after",
                cell.kind, cell.turns
            ));
        }
        let known = self.newest_operation(&cell.kind);
        self.machine.start_to_die(faults);
        // It may die before it has answered; that it got so far tells that the change was made.
        let _ = self.machine.caller().call(method, &path, body.as_ref());
        if cell.back && cell.kind == "instance.create" {
            self.take_back(&cell.kind);
        }
        self.machine.dies();
        // What is yet to be made has no name before.
        let about = path
            .split('/')
            .nth(4)
            .filter(|part| part.starts_with("inst_"));
        let is_new = cell.kind == "instance.create";
        if !is_new {
            self.ledger.note(action, about.unwrap_or_default(), true);
        }
        self.restart();
        let operation = self.newest(&cell.kind).expect("an operation");
        let id = operation["id"].as_str().unwrap().to_owned();
        assert_ne!(Some(&id), known.as_ref(), "the operation is lost");
        if is_new {
            let about = operation["resource_id"].as_str().unwrap();
            self.ledger.note(action, about, true);
        }
        self.comes_to_its_end(cell, &id);
        self.clean_up(cell, &id);
        self.everything_holds();
    }

    /// What is asked for, and the action it is in the log.
    fn prepare(&mut self, cell: &Cell) -> (&'static str, String, Option<Value>, &'static str) {
        let agent = self.agent.clone();
        match cell.kind.as_str() {
            "instance.create" => {
                let body = json!({"name": format!("new {}", self.next())});
                (
                    "POST",
                    "/api/v1/instances".into(),
                    Some(body),
                    "instance.create",
                )
            }
            "instance.change_engine" => {
                self.act(&agent, "start");
                let now = self.instance(&agent).unwrap()["engine_id"].clone();
                let other = self.engines().into_iter().find(|id| *id != now).unwrap();
                let path = format!("/api/v1/instances/{agent}/engine");
                let body = json!({"engine_id": other});
                ("PUT", path, Some(body), "instance.change_engine")
            }
            "instance.delete" => {
                let body = json!({"name": format!("victim {}", self.next())});
                let made = self.machine.call("POST", "/api/v1/instances", Some(&body));
                let victim = made["id"].as_str().unwrap().to_owned();
                self.ledger.note("instance.create", &victim, true);
                self.seen(&victim, "ready");
                self.instances.insert(victim.clone());
                (
                    "DELETE",
                    format!("/api/v1/instances/{victim}"),
                    None,
                    "instance.delete",
                )
            }
            "key.rotate" => (
                "POST",
                "/api/v1/keys/rotate".into(),
                Some(json!({})),
                "key.rotate",
            ),
            kind => panic!("nobody has said how {kind} is begun"),
        }
    }

    /// Somebody has it taken back once it is stuck.
    fn take_back(&self, kind: &str) {
        let id = eventually("it is stuck", || {
            let newest = self.newest(kind)?;
            (newest["state"] == "stuck").then(|| newest["id"].clone())
        });
        let path = format!("/api/v1/operations/{}/undo", id.as_str().unwrap());
        let _ = self.machine.caller().call("POST", &path, Some(&json!({})));
    }

    /// What was begun forward is done in the end, and what was turned round is undone.
    fn comes_to_its_end(&mut self, cell: &Cell, id: &str) {
        let path = format!("/api/v1/operations/{id}");
        let wanted = if cell.back { "undone" } else { "done" };
        let waits = cell.kind == "key.rotate" && !cell.is_long();
        eventually(&format!("{cell} is {wanted}"), || {
            let view = self.machine.call("GET", &path, None);
            assert_ne!(view["state"], "stuck", "{view}");
            let over = view["state"] == wanted;
            // The ten minutes are not waited for: everything else of it is done.
            (over || waits && view["steps"][1]["state"] == "running").then_some(())
        });
        if !waits && !cell.back {
            self.ledger.note("operation.settle", id, true);
        }
    }

    /// What was made or removed is what it should be; agents that were only made for this go again.
    fn clean_up(&mut self, cell: &Cell, id: &str) {
        let path = format!("/api/v1/operations/{id}");
        let about = self.machine.call("GET", &path, None);
        let about = about["resource_id"].as_str().unwrap_or_default().to_owned();
        match (cell.kind.as_str(), cell.back) {
            // Also one that was taken back stays: it has answered, and so it is in use.
            ("instance.create", _) => {
                self.seen(&about, "ready");
                self.remove(&about);
            }
            ("instance.delete", false) => {
                assert!(self.instance(&about).is_none(), "{about} was deleted");
                self.instances.remove(&about);
            }
            ("instance.delete", true) => {
                self.seen(&about, "ready");
                self.remove(&about);
                self.instances.remove(&about);
            }
            ("key.rotate", _) => self.keys_open(),
            _ => {}
        }
    }

    fn remove(&mut self, id: &str) {
        let path = format!("/api/v1/instances/{id}");
        self.machine.call("DELETE", &path, None);
        self.ledger.note("instance.delete", id, true);
        // To its very end: the next life may be one that dies of a deletion.
        eventually("a deletion is done", || {
            let newest = self.newest("instance.delete")?;
            (newest["resource_id"] == id && newest["state"] == "done").then_some(())
        });
    }

    fn newest(&self, kind: &str) -> Option<Value> {
        let page = self
            .machine
            .call("GET", "/api/v1/operations?limit=50", None);
        let mut rows = page["items"].as_array().unwrap().iter();
        rows.find(|row| row["kind"] == kind).cloned()
    }

    fn newest_operation(&self, kind: &str) -> Option<String> {
        let newest = self.newest(kind)?;
        Some(newest["id"].as_str().unwrap().to_owned())
    }

    fn engines(&self) -> Vec<Value> {
        let page = self.machine.call("GET", "/api/v1/engines", None);
        let rows = page["items"].as_array().unwrap().iter();
        rows.map(|row| row["id"].clone()).collect()
    }

    /// Adds an engine, as an earlier release would have left it.
    pub fn with_another_engine(mut self) -> Self {
        let folder = self.machine.another_engine(BEFORE);
        self.machine.end();
        ledger::add_engine(&self.machine.database(), &folder);
        self.machine.start();
        self.seen(&self.agent, "ready");
        self
    }
}
