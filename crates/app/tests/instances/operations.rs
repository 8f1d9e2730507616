//! Operations on instances: carried out, taken back, interrupted everywhere.

use std::{
    fmt::Write as _,
    path::Path,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fractal_api_types::{ChangeEngine as Body, OperationQuery, OperationView, ProblemCode};
use fractal_app::{
    Context, engine,
    instance::{self, ChangeEngine},
    operation,
};
use fractal_background::{
    StoredJobs, Worker, WorkerOptions,
    operation::{At, Kind, Limits, Progress, Step, Trouble},
};
use fractal_runtime::contract::EngineFiles;
use fractal_store::{Engine, EngineState, Operation, Tx, engines, instances};
use fractal_types::{
    EngineId, InstanceId, OperationId, OperationState, SeenState, StepState, StopReason,
    WantedState,
};

use crate::support::{Home, crash, home};

/// A home with an agent and a second engine.
struct Site {
    home: Home,
    id: InstanceId,
    old: EngineId,
    new: EngineId,
    worker: Worker,
}

async fn site(kinds: impl FnOnce(ChangeEngine) -> Arc<dyn Kind>) -> Site {
    let home = home().await;
    let id = home.ready("ada").await;
    let app = &home.house.app;
    let old = home.row(id).await.engine_id;
    let new: EngineId = app.new_id();
    let engine = Engine {
        id: new,
        version: "2027.1.0".into(),
        digest: "other".into(),
        state: EngineState::Installed,
        ..engines::get(&app.store.read(), old).await.unwrap()
    };
    app.store
        .tx("test", async |tx: Tx| engines::insert(&tx, &engine).await)
        .await
        .unwrap();
    let files = EngineFiles {
        node: "/other/node".into(),
        entry: "/other/openclaw.mjs".into(),
        root: "/other".into(),
        version: engine.version,
    };
    app.engine_files
        .write()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(new, files);
    let kinds = vec![kinds(ChangeEngine::new(app.clone()))];
    let handler = operation::work_with(app, kinds, Limits::default());
    let worker = Worker::new(
        Arc::new(StoredJobs::new(app.store.clone())),
        [(operation::QUEUE, Arc::new(handler) as _)],
        app.clock.clone(),
        app.entropy.clone(),
        "test",
        WorkerOptions::default(),
    );
    Site {
        home,
        id,
        old,
        new,
        worker,
    }
}

async fn sound() -> Site {
    site(|kind| Arc::new(kind)).await
}

impl Site {
    async fn ask(&self) -> fractal_app::Result<OperationView> {
        let body = Body {
            engine_id: self.new,
        };
        instance::change_engine(&self.home.house.app, &self.home.cx, self.id, body).await
    }

    async fn begin(&self) -> OperationId {
        self.ask().await.unwrap().id
    }

    async fn view(&self, id: OperationId) -> OperationView {
        operation::view(&self.home.house.app, &self.home.cx, id)
            .await
            .unwrap()
    }

    /// Goes on, with both the reconciler and the worker, until this holds.
    async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) {
        for _ in 0..2_000 {
            self.home.work().await;
            self.worker.run_all_due().await.unwrap();
            if holds().await {
                return;
            }
            self.home.house.clock.advance(Duration::from_millis(250));
            // The connection to a gateway lives on the machine's time.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("never: {what}");
    }

    async fn until_over(&self, id: OperationId) -> OperationView {
        self.until("the operation is over", || async {
            let state = self.view(id).await.state;
            state.is_settled() || state == OperationState::Stuck
        })
        .await;
        self.view(id).await
    }

    async fn until_as_wanted(&self) {
        self.until("seen is as wanted", || async {
            let row = self.home.row(self.id).await;
            match row.wanted {
                WantedState::Running => row.seen == SeenState::Ready,
                _ => row.seen == SeenState::Stopped,
            }
        })
        .await;
    }

    /// How often the log has that the engine was switched.
    async fn switches(&self) -> usize {
        let log = self.home.house.log("instance.change_engine").await;
        let switches = log
            .iter()
            .filter(|one| one.values.contains_key("engine_id"));
        switches.count()
    }
}

#[tokio::test]
async fn an_engine_is_changed_and_has_proven_itself() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let tried = Context {
        dry_run: true,
        ..cx.clone()
    };
    let body = Body {
        engine_id: site.new,
    };
    let error = instance::change_engine(app, &tried, site.id, body)
        .await
        .unwrap_err();
    let would = error.dry_run.unwrap();
    assert_eq!(would.steps, ["stop", "switch", "start", "restore"]);

    let begun = site.ask().await.unwrap();
    assert_eq!(begun.state, OperationState::Pending);
    assert!(begun.can.cancel);
    let view = instance::view(app, cx, site.id).await.unwrap();
    assert_eq!(view.operation_id, Some(begun.id));
    // While it works nobody else does, and a chat waits instead of being refused.
    let refused = instance::restart(app, cx, site.id).await.unwrap_err();
    assert_eq!(refused.code, ProblemCode::Conflict);
    assert!(refused.detail.unwrap().contains(&begun.id.to_string()));
    assert_eq!(site.ask().await.unwrap_err().code, ProblemCode::Conflict);
    site.until("it is stopped", || async {
        site.home.row(site.id).await.stop_reason == Some(StopReason::Operation)
    })
    .await;
    let (chat, _) = site.home.chat(site.id);

    let done = site.until_over(begun.id).await;
    assert_eq!(done.state, OperationState::Done, "{done:?}");
    assert!(done.steps.iter().all(|step| step.state == StepState::Done));
    assert_eq!(done.by.unwrap().username.as_str(), "root");
    let row = site.home.row(site.id).await;
    assert_eq!((row.engine_id, row.held_by), (site.new, None));
    assert_eq!(row.seen, SeenState::Ready);
    assert_eq!(site.home.starts(site.id), 2);
    chat.await.unwrap().unwrap();
    let steps = site.home.house.log("operation.step").await;
    let steps: Vec<_> = steps.iter().map(|one| &one.values["step"]).collect();
    assert_eq!(steps, ["stop", "switch", "start", "restore"]);
    assert_eq!(site.home.house.log("operation.settle").await.len(), 1);
    let page = operation::list(app, cx, &OperationQuery::default()).await;
    assert_eq!(page.unwrap().items.len(), 1);
    // It has this engine now.
    assert_eq!(site.ask().await.unwrap_err().code, ProblemCode::Conflict);
}

#[tokio::test]
async fn one_that_slept_sleeps_again_and_is_woken_only_to_prove_itself() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    instance::stop(app, cx, site.id).await.unwrap();
    site.home.until_seen(site.id, SeenState::Stopped).await;
    let id = site.begin().await;
    assert_eq!(site.until_over(id).await.state, OperationState::Done);
    let row = site.home.row(site.id).await;
    assert_eq!(row.engine_id, site.new);
    assert_eq!(
        (row.wanted, row.stop_reason, row.seen),
        (
            WantedState::Stopped,
            Some(StopReason::Person),
            SeenState::Stopped
        )
    );
    assert_eq!(site.home.starts(site.id), 2);
}

#[tokio::test]
async fn an_engine_that_does_not_come_up_is_taken_back() {
    let site = sound().await;
    let id = site.begin().await;
    site.until("it is over", || async {
        let row = site.home.row(site.id).await;
        if row.engine_id == site.new && row.seen == SeenState::Starting {
            site.home.gateways.crash(site.id, crash(78));
        }
        site.view(id).await.state.is_settled()
    })
    .await;
    let view = site.view(id).await;
    assert_eq!(view.state, OperationState::Undone, "{view:?}");
    let reason = view.reason.unwrap();
    assert!(reason.contains("2027.1.0"), "{reason}");
    site.until_as_wanted().await;
    let row = site.home.row(site.id).await;
    assert_eq!(
        (row.engine_id, row.wanted),
        (site.old, WantedState::Running)
    );
    assert_eq!(site.switches().await, 2);
}

#[tokio::test]
async fn a_cancelled_one_is_taken_back_from_where_it_is() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    // Before it began there is nothing to take back.
    let id = site.begin().await;
    let view = operation::cancel(app, cx, id).await.unwrap();
    assert_eq!(view.state, OperationState::Undone);
    assert_eq!(site.home.row(site.id).await.held_by, None);
    assert_eq!(site.home.starts(site.id), 1);

    let id = site.begin().await;
    site.until("the engine is switched", || async {
        site.home.row(site.id).await.engine_id == site.new
    })
    .await;
    let view = operation::cancel(app, cx, id).await.unwrap();
    assert_eq!(view.cancelled_by.as_deref(), Some("root"));
    assert!(!view.can.cancel);
    let view = site.until_over(id).await;
    assert_eq!(view.state, OperationState::Undone);
    assert_eq!(view.reason.as_deref(), Some("cancelled by root"));
    site.until_as_wanted().await;
    assert_eq!(site.home.row(site.id).await.engine_id, site.old);
    let again = operation::cancel(app, cx, id).await.unwrap_err();
    assert_eq!(again.code, ProblemCode::Conflict);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let missing = operation::view(app, cx, app.new_id()).await.unwrap_err();
    assert_eq!(missing.code, ProblemCode::NotFound);
    let unknown = Body {
        engine_id: app.new_id(),
    };
    let error = instance::change_engine(app, cx, site.id, unknown)
        .await
        .unwrap_err();
    assert_eq!(error.fields[0].field, "/engine_id");
}

#[tokio::test]
async fn an_engine_whose_files_are_gone_is_said_to_be_and_left_by_changing_it() {
    let site = sound().await;
    let (app, cx) = (&site.home.house.app, &site.home.cx);
    let gone: EngineId = app.new_id();
    let row = Engine {
        id: gone,
        version: "2025.1.1".into(),
        digest: "gone".into(),
        path: "/nowhere".into(),
        ..engines::get(&app.store.read(), site.new).await.unwrap()
    };
    app.store
        .tx("test", async |tx: Tx| {
            engines::insert(&tx, &row).await?;
            let mut agent = instances::get(&tx, site.id).await?;
            agent.engine_id = gone;
            agent.generation = agent.generation.next();
            instances::update(&tx, &agent).await
        })
        .await
        .unwrap();
    engine::recall(app).await.unwrap();
    let listed = engine::list(app, cx).await.unwrap().items;
    let listed = listed.into_iter().find(|engine| engine.id == gone).unwrap();
    assert!(listed.error.unwrap().contains("2025.1.1"));
    let body = Body { engine_id: gone };
    let error = instance::change_engine(app, cx, site.id, body).await;
    let error = error.unwrap_err();
    // It has it already; another agent could not be given it either.
    assert!(error.code == ProblemCode::InvalidFields, "{error}");

    site.home.until_seen(site.id, SeenState::Pending).await;
    let reason = site.home.row(site.id).await.seen_reason.unwrap();
    assert!(reason.contains("give it another engine"), "{reason}");
    let id = site.begin().await;
    assert_eq!(site.until_over(id).await.state, OperationState::Done);
    assert_eq!(site.home.row(site.id).await.engine_id, site.new);
}

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

/// The kind, with one fault, once.
#[derive(Debug)]
struct Faulty {
    kind: ChangeEngine,
    step: &'static str,
    fault: Fault,
    /// While it is taken back, which the last step brings about by failing.
    undoing: bool,
    left: AtomicU32,
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
        let last = self.steps().last().unwrap().name;
        if self.undoing && step == last {
            return Err(Trouble::Lasting("a fault of the last step".into()));
        }
        if !self.undoing && step == self.step && self.left.load(Ordering::SeqCst) > 0 {
            return self.faulty(false, step, at).await;
        }
        self.kind.run(step, at).await
    }

    async fn undo(&self, step: &'static str, at: At<'_>) -> Result<Progress, Trouble> {
        if self.undoing && step == self.step && self.left.load(Ordering::SeqCst) > 0 {
            return self.faulty(true, step, at).await;
        }
        self.kind.undo(step, at).await
    }

    async fn settle(&self, tx: &Tx, operation: &Operation) -> fractal_store::Result<()> {
        self.kind.settle(tx, operation).await
    }
}

/// What became of one cell of the table, as one line.
async fn cell(step: &'static str, fault: Fault, undoing: bool) -> String {
    let site = site(|kind| {
        Arc::new(Faulty {
            kind,
            step,
            fault,
            undoing,
            left: AtomicU32::new(1),
        })
    })
    .await;
    let id = site.begin().await;
    let mut view = site.until_over(id).await;
    let mut ends = vec![view.state.to_string()];
    if view.state == OperationState::Stuck {
        // It waits for a person, who tries again.
        assert!(view.can.retry && view.can.skip, "{view:?}");
        assert!(site.home.row(site.id).await.held_by.is_some());
        operation::retry(&site.home.house.app, &site.home.cx, id)
            .await
            .unwrap();
        view = site.until_over(id).await;
        ends.push(view.state.to_string());
    }
    site.until_as_wanted().await;
    let row = site.home.row(site.id).await;
    // Whatever happened, these hold.
    assert_eq!(row.held_by, None, "{step} {fault:?}");
    assert_eq!(
        (row.wanted, row.seen),
        (WantedState::Running, SeenState::Ready)
    );
    let (engine, switches) = match view.state {
        OperationState::Done => (site.new, 1),
        _ => (site.old, 0),
    };
    assert_eq!(row.engine_id, engine, "{step} {fault:?}");
    assert_eq!(site.switches().await % 2, switches, "{step} {fault:?}");
    let told = site.home.house.log("operation.settle").await;
    let over = told.iter().filter(|one| one.entry.outcome != "stuck");
    assert_eq!(over.count(), 1, "{step} {fault:?}");
    let steps: Vec<_> = view.steps.iter().map(|step| step.state.as_str()).collect();
    format!(
        "{} | {} | {} | {} | {}",
        ends.join(", retried: "),
        steps.join(" "),
        site.switches().await,
        site.home.starts(site.id) - 1,
        view.reason.unwrap_or_default(),
    )
}

#[tokio::test]
async fn every_step_is_interrupted_in_every_way_and_the_outcome_is_in_the_table() {
    let home = home().await;
    let kinds = operation::kinds(&home.house.app);
    let mut text = String::from(
        "# Operations: kinds, steps and faults\n\n\
         Made by `crates/app/tests/instances/operations.rs`; `UPDATE=1` writes it anew. Read the difference before you commit it.\n\n\
         ## Kinds and steps\n\n| kind | step | at most | no way back |\n|---|---|---|---|\n",
    );
    for kind in &kinds {
        for step in kind.steps() {
            let minutes = step.limit.as_secs() / 60;
            let is_final = if step.is_final { "yes" } else { "" };
            writeln!(
                text,
                "| {} | {} | {minutes} min | {is_final} |",
                kind.name(),
                step.name
            )
            .unwrap();
        }
    }
    text.push_str(
        "\n## Faults\n\nEach once, at one step: while it goes forward, and while it is taken back (because its last step failed). Steps are given as \
         they are in the end; switches and starts as the log and the runtime counted them.\n\n\
         | kind | going | step | fault | end | steps | switches | starts | reason |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for kind in &kinds {
        for (going, undoing) in [("forward", false), ("back", true)] {
            for step in kind.steps() {
                for fault in FAULTS {
                    let name = step.name;
                    let outcome = cell(name, fault, undoing).await;
                    let kind = kind.name();
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
