//! Every step of every kind of operation, interrupted in every way.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use fractal_api_types::{CreateInstance, OperationView};
use fractal_app::{instance, key, operation};
use fractal_background::operation::{At, Kind, Progress, Step, Trouble};
use fractal_runtime::fake::Action;
use fractal_store::{Operation, Tx, owner_keys};
use fractal_types::{InstanceId, OperationId, OperationState, SeenState, StepState, WantedState};

use crate::{
    site::{Site, site},
    support::home,
};

/// What goes wrong with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// It fails before it does anything.
    FailsAtOnce,
    /// It fails after all it did.
    FailsAfterwards,
    /// The worker dies before it.
    DiesBefore,
    /// The worker dies after it, before that is written.
    DiesAfter,
    /// It is done twice.
    Twice,
}

const FAULTS: [Fault; 5] = [
    Fault::FailsAtOnce,
    Fault::FailsAfterwards,
    Fault::DiesBefore,
    Fault::DiesAfter,
    Fault::Twice,
];

/// A kind, with one fault, once.
#[derive(Debug)]
struct Faulty {
    kind: Arc<dyn Kind>,
    step: &'static str,
    fault: Fault,
    /// While it is taken back, which the last step that has a way back brings about by failing when it is done.
    undoing: bool,
    left: AtomicU32,
    /// Once the site is made.
    armed: Arc<AtomicBool>,
}

impl Faulty {
    async fn plain(&self, undo: bool, step: &'static str, at: At<'_>) -> Result<Progress, Trouble> {
        if undo {
            self.kind.undo(step, at).await
        } else {
            self.kind.run(step, at).await
        }
    }

    /// The fault is there until it has happened.
    async fn faulty(
        &self,
        undo: bool,
        step: &'static str,
        at: At<'_>,
    ) -> Result<Progress, Trouble> {
        let killed = || Trouble::Unrecorded("killed".into());
        let failed = || Trouble::Lasting("a fault".into());
        let happens = || self.left.store(0, Ordering::SeqCst);
        match self.fault {
            Fault::FailsAtOnce => {
                happens();
                return Err(failed());
            }
            Fault::DiesBefore => {
                happens();
                return Err(killed());
            }
            Fault::FailsAfterwards | Fault::DiesAfter | Fault::Twice => {}
        }
        let progress = self.plain(undo, step, at).await?;
        if matches!(progress, Progress::Wait(_)) {
            return Ok(progress);
        }
        happens();
        match self.fault {
            Fault::FailsAfterwards => Err(failed()),
            Fault::DiesAfter => Err(killed()),
            _ => self.plain(undo, step, at).await,
        }
    }
}

#[async_trait]
impl Kind for Faulty {
    fn name(&self) -> &'static str {
        self.kind.name()
    }

    fn steps(&self) -> &'static [Step] {
        self.kind.steps()
    }

    async fn run(&self, step: &'static str, at: At<'_>) -> Result<Progress, Trouble> {
        if !self.armed.load(Ordering::SeqCst) {
            return self.kind.run(step, at).await;
        }
        if self.undoing && step == last_with_a_way_back(self.steps()).name {
            return match self.kind.run(step, at).await? {
                Progress::Done(_) => Err(Trouble::Lasting("a fault of the last step".into())),
                waits => Ok(waits),
            };
        }
        if !self.undoing && step == self.step && self.left.load(Ordering::SeqCst) > 0 {
            return self.faulty(false, step, at).await;
        }
        self.kind.run(step, at).await
    }

    async fn undo(&self, step: &'static str, at: At<'_>) -> Result<Progress, Trouble> {
        let armed = self.armed.load(Ordering::SeqCst);
        if armed && self.undoing && step == self.step && self.left.load(Ordering::SeqCst) > 0 {
            return self.faulty(true, step, at).await;
        }
        self.kind.undo(step, at).await
    }

    async fn settle(&self, tx: &Tx, operation: &Operation) -> fractal_store::Result<()> {
        self.kind.settle(tx, operation).await
    }
}

fn last_with_a_way_back(steps: &'static [Step]) -> &'static Step {
    steps.iter().rfind(|step| !step.is_final).unwrap()
}

/// Begins one; it, and what it works on.
async fn begin(site: &Site, kind: &str) -> (OperationId, InstanceId) {
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    match kind {
        "instance.change_engine" => (site.begin().await, site.id),
        "instance.delete" => {
            let view = instance::delete(app, cx, site.id, false).await.unwrap();
            (view.operation_id.unwrap(), site.id)
        }
        "key.rotate" => (key::rotate(app, cx).await.unwrap().id, site.id),
        "instance.create" => {
            let body = CreateInstance {
                name: "bob".parse().unwrap(),
                engine_id: Some(site.old),
                start: None,
            };
            let (view, operation) = instance::create(app, cx, body).await.unwrap();
            (operation.unwrap(), view.id)
        }
        other => panic!("nothing here begins {other}"),
    }
}

/// What holds whatever happened, and how often there was an effect.
async fn judge(site: &Site, id: InstanceId, view: &OperationView, cell: &str) -> usize {
    let is_done = view.state == OperationState::Done;
    if view.kind == "instance.change_engine" {
        let engine = if is_done { site.new } else { site.old };
        assert_eq!(site.home.row(id).await.engine_id, engine, "{cell}");
        let switches = site.switches().await;
        assert_eq!(switches % 2, usize::from(is_done), "{cell}");
        return switches;
    }
    if view.kind == "key.rotate" {
        let app = &site.home.house.app;
        assert!(is_done, "{cell}");
        let older = owner_keys::list_older(&app.store.read(), None, 9).await;
        assert!(older.unwrap().is_empty(), "{cell}");
        return site.home.house.log("key.rotate").await.len();
    }
    let row = site.home.row(id).await;
    // A deletion removes it when it is done. Making one removes it when that is taken back, but never one that has answered.
    let goes = if view.kind == "instance.delete" {
        is_done
    } else {
        !is_done && row.proved_hash.is_none()
    };
    let gone = row.deleted_at.is_some();
    assert_eq!(gone, goes, "{cell}");
    let actions = site.home.house.runtime.actions();
    let removals = actions
        .iter()
        .filter(|action| matches!(action, Action::Remove(of, _, _) if *of == id))
        .count();
    assert_eq!(removals, usize::from(goes), "{cell}");
    removals
}

/// Goes on until it is over, with the ten minutes that older keys are kept after their last value has moved.
async fn until_over(site: &Site, kind: &str, id: OperationId) -> OperationView {
    if kind == "key.rotate" {
        site.until("it waits for the end of older keys", || async {
            let view = site.view(id).await;
            let is_over = view.state.is_settled() || view.state == OperationState::Stuck;
            is_over || view.steps[1].state == StepState::Running
        })
        .await;
        site.home.house.pass(601);
    }
    site.until_over(id).await
}

/// What became of one cell of the table, as one line.
async fn cell(kind: &str, step: &'static str, fault: Fault, undoing: bool) -> String {
    let words = format!("{kind} {step} {fault:?}");
    let armed = Arc::new(AtomicBool::new(false));
    let site = site(|app| {
        let mut kinds = operation::kinds(app);
        for one in kinds.iter_mut().filter(|one| one.name() == kind) {
            *one = Arc::new(Faulty {
                kind: Arc::clone(one),
                step,
                fault,
                undoing,
                left: AtomicU32::new(1),
                armed: Arc::clone(&armed),
            });
        }
        kinds
    })
    .await;
    armed.store(true, Ordering::SeqCst);
    let (id, agent) = begin(&site, kind).await;
    let before = site.home.starts(agent);
    let mut view = until_over(&site, kind, id).await;
    let mut ends = view.state.to_string();
    for _ in 0..2 {
        if view.state != OperationState::Stuck {
            break;
        }
        // It waits for a person, who tries again; or has it taken back, where that is what is tried.
        assert!(view.can.retry && view.can.skip, "{view:?}");
        let (app, cx) = (&site.home.house.app, &site.home.cx);
        let choice = if undoing && view.can.undo {
            operation::undo(app, cx, id).await.unwrap();
            "undone"
        } else {
            operation::retry(app, cx, id).await.unwrap();
            "retried"
        };
        view = until_over(&site, kind, id).await;
        write!(ends, ", {choice}: {}", view.state).unwrap();
    }
    let effects = judge(&site, agent, &view, &words).await;
    let row = site.home.row(agent).await;
    assert_eq!(row.held_by, None, "{words}");
    if row.deleted_at.is_none() {
        site.home.until_seen(agent, SeenState::Ready).await;
        let row = site.home.row(agent).await;
        assert_eq!(
            (row.wanted, row.seen),
            (WantedState::Running, SeenState::Ready),
            "{words}"
        );
    }
    let told = site.home.house.log("operation.settle").await;
    let over = told
        .iter()
        .filter(|one| one.entry.resource_id == id.to_string() && one.entry.outcome != "stuck");
    assert_eq!(over.count(), 1, "{words}");
    let steps: Vec<_> = view.steps.iter().map(|step| step.state.as_str()).collect();
    format!(
        "{ends} | {} | {effects} | {} | {}",
        steps.join(" "),
        site.home.starts(agent) - before,
        view.reason.unwrap_or_default(),
    )
}

#[tokio::test]
async fn every_step_is_interrupted_in_every_way_and_the_outcome_is_in_the_table() {
    let home = home().await;
    let kinds = operation::kinds(&home.house.app);
    let mut text = String::from(
        "# Operations: kinds, steps and faults\n\n\
         Made by `crates/app/tests/instances/faults.rs`; `UPDATE=1` writes it anew. Read the difference before you commit it.\n\n\
         ## Kinds and steps\n\n| kind | step | at most | no way back | asks when it fails |\n|---|---|---|---|---|\n",
    );
    for kind in &kinds {
        for step in kind.steps() {
            let minutes = step.limit.as_secs() / 60;
            let is_final = if step.is_final { "yes" } else { "" };
            let asks = if step.asks { "yes" } else { "" };
            writeln!(
                text,
                "| {} | {} | {minutes} min | {is_final} | {asks} |",
                kind.name(),
                step.name
            )
            .unwrap();
        }
    }
    text.push_str(
        "\n## Faults\n\nEach once, at one step: while it goes forward, and while it is taken back (because the last step that has a way back failed; where it \
         asks then, somebody has it taken back). Steps \
         are given as they are in the end; effects (switches of the engine, removals, replacements of the key) and starts as the log and the runtime counted them.\n\n\
         | kind | going | step | fault | end | steps | effects | starts | reason |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for kind in &kinds {
        for (going, undoing) in [("forward", false), ("back", true)] {
            let steps = kind.steps().iter();
            for step in steps.filter(|step| !undoing || !step.is_final) {
                for fault in FAULTS {
                    let (kind, name) = (kind.name(), step.name);
                    let outcome = cell(kind, name, fault, undoing).await;
                    writeln!(
                        text,
                        "| {kind} | {going} | {name} | {fault:?} | {outcome} |"
                    )
                    .unwrap();
                }
            }
        }
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/operations.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == text,
        "docs/reference/operations.md is not what was found; run with UPDATE=1 and read the difference:\n{text}"
    );
}
