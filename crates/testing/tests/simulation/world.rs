//! One run: what a seed has happen, from the first start to the moment when everything has come to rest.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use fractal_app::App;
use fractal_runtime::{contract::Exit, fake::FakeRuntime};
use fractal_store::{OpenOptions, Store};
use fractal_testing::gateway::Gateways;
use fractal_types::InstanceId;

use crate::{
    acts::{Act, DEEDS, Deed, Told},
    broken::Broken,
    chance::Chance,
    faults::Faults,
    invariants,
    plane::Ground,
    ports::Effects,
    stage::{Life, OUTSIDE, Stage},
    template::Template,
    time::SimulatedClock,
};

/// Between two looks whether everything has come to rest.
const LOOK: Duration = Duration::from_secs(5);

/// By then it has: the longest step of an operation may take half an hour, and its undo as long again.
const BOUND: Duration = Duration::from_secs(2 * 3_600);

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub seed: u64,
    /// What does not hold, in words; empty when all is well.
    pub broken: Vec<String>,
    pub trace: Vec<String>,
    /// Tells this trace from others.
    pub hash: u64,
}

/// Something that happens at a time.
#[derive(Debug, Clone, Copy)]
enum Happening {
    /// Somebody does something, at the first process that lives, beginning with this one.
    Act(usize, usize, Deed),
    /// A gateway ends by itself.
    GatewayFalls,
    /// The whole machine stands still, and time has passed when it goes on.
    Jump(Duration),
    /// The clock of a process is set: ahead by so many milliseconds, or behind.
    SetClock(usize, i64),
    /// All connections to gateways break.
    Cut,
    /// For a while nothing can be started, until somebody changes something.
    Refuse(Duration),
}

/// The place of a process, which comes back after it has died.
struct Seat {
    life: Life,
    app: Arc<Mutex<Option<App>>>,
    /// When it comes back.
    back_at: Option<Duration>,
    skew: Arc<AtomicI64>,
}

struct World {
    ground: Arc<Ground>,
    stage: Arc<Stage>,
    gateways: Gateways,
    outside: App,
    told: Arc<Told>,
    seats: Vec<Seat>,
    lives: usize,
    deaths_left: usize,
    plan: Vec<(Duration, Happening)>,
}

/// Runs one seed on a thread of its own time.
pub fn run(seed: u64, template: &'static Template, broken: Option<Broken>) -> Outcome {
    let drivers = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let outcome = runtime.block_on(one(seed, template, broken, drivers.handle().clone()));
    // First those who use it.
    drop(runtime);
    drivers.shutdown_background();
    outcome
}

async fn one(
    seed: u64,
    template: &'static Template,
    broken: Option<Broken>,
    drivers: tokio::runtime::Handle,
) -> Outcome {
    let stage = Stage::new(seed, drivers);
    let faults = stage.draw(Faults::draw);
    stage.tell(format_args!("{faults:?}"));
    let folder = folder();
    let store = open(&stage, template, folder.path());
    let right = Arc::new(AtomicI64::new(0));
    let clock = SimulatedClock {
        time: Arc::clone(&stage.time),
        start: template.start,
        skew: Arc::clone(&right),
    };
    let fake = FakeRuntime::new(Arc::new(clock), folder.path());
    let ground = Arc::new(Ground {
        template,
        stage: Arc::clone(&stage),
        faults,
        store: store.clone(),
        fake: fake.clone(),
        effects: Arc::new(Effects::default()),
        seed,
        delivered: Arc::default(),
        broken,
    });
    let outside = ground.open(OUTSIDE, &right).await.expect("a way to look");
    let plan = stage.draw(plan);
    let mut world = World {
        gateways: Gateways::behind(&outside, &fake),
        deaths_left: faults.deaths,
        ground,
        stage: Arc::clone(&stage),
        outside,
        told: Arc::default(),
        seats: Vec::new(),
        lives: 0,
        plan,
    };
    let broken = world.play().await;
    drop(world);
    // The gateways behind it know the runtime: without this a run would never be forgotten.
    fake.on_dial(|_, _| std::future::ready(()));
    stage.drive(std::pin::pin!(async {
        let _ = store.close().await;
    }));
    let (trace, hash) = stage.trace();
    Outcome {
        seed,
        broken,
        trace,
        hash,
    }
}

/// In memory, where there is such a folder.
fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    folder.expect("a folder")
}

fn open(stage: &Stage, template: &Template, folder: &std::path::Path) -> Store {
    let file = folder.join("fractal.db");
    std::fs::write(&file, &template.database).expect("the database");
    let clock = SimulatedClock {
        time: Arc::clone(&stage.time),
        start: template.start,
        skew: Arc::default(),
    };
    let options = OpenOptions {
        max_connections: 1,
        ..OpenOptions::new(Arc::new(clock))
    };
    let url = format!("sqlite://{}", file.display());
    let mut store = None;
    stage.drive(std::pin::pin!(async {
        store = Some(Store::open(&url, &options).await);
    }));
    store.expect("it was opened").expect("a database")
}

/// What happens in a run.
fn plan(chance: &mut Chance) -> Vec<(Duration, Happening)> {
    let mut plan = Vec::new();
    let span = chance.pick(&[2_000, 10_000, 30_000]);
    // Nothing can be done before there is something.
    for person in 0..2 {
        let at = chance.millis(0, 3_000);
        plan.push((at, Happening::Act(chance.below(2), person, Deed::Create)));
    }
    for _ in 0..3 + chance.below(8) {
        let at = chance.millis(1_000, span);
        let deed = chance.pick(DEEDS);
        let happening = Happening::Act(chance.below(2), chance.below(2), deed);
        plan.push((at, happening));
    }
    let mut some = |most: usize, make: &mut dyn FnMut(&mut Chance) -> Happening| {
        for _ in 0..chance.below(most + 1) {
            let at = chance.millis(1_000, span);
            let happening = make(chance);
            plan.push((at, happening));
        }
    };
    some(2, &mut |_| Happening::GatewayFalls);
    some(1, &mut |_| Happening::Cut);
    some(2, &mut |chance| {
        Happening::Jump(match chance.below(3) {
            0 => chance.millis(600_000, 2_400_000),
            _ => chance.millis(1_000, 60_000),
        })
    });
    some(2, &mut |chance| {
        let off = i64::try_from(chance.below(4_000)).expect("it is small") - 2_000;
        Happening::SetClock(chance.below(2), off)
    });
    // What gets stuck by it waits for somebody.
    if chance.happens(250) {
        let at = chance.millis(0, span);
        plan.push((at, Happening::Refuse(chance.millis(2_000, 20_000))));
        for _ in 0..3 {
            let later = at + chance.millis(1_000, 30_000);
            let deed = chance.pick(&[Deed::Retry, Deed::Skip, Deed::Undo, Deed::Start]);
            plan.push((later, Happening::Act(chance.below(2), 0, deed)));
        }
    }
    plan.sort_by_key(|(at, _)| *at);
    plan
}

impl World {
    async fn play(&mut self) -> Vec<String> {
        let both = self.stage.draw(|chance| chance.happens(700));
        for _ in 0..=usize::from(both) {
            self.seats.push(Seat {
                life: OUTSIDE,
                app: Arc::default(),
                back_at: Some(Duration::ZERO),
                skew: Arc::default(),
            });
        }
        while !self.plan.is_empty() {
            self.turn(None).await;
        }
        let end = self.stage.time.elapsed() + self.stage.draw(|chance| chance.millis(1, 20_000));
        while self.stage.time.elapsed() < end {
            self.turn(Some(end)).await;
        }
        self.stage.calm_down();
        let mut broken = self.settle().await;
        if broken.is_empty() {
            broken = invariants::in_the_end(&self.ground, &self.outside, &self.told).await;
        }
        for one in &broken {
            self.stage.tell(format_args!("BROKEN: {one}"));
        }
        broken
    }

    /// Goes on until everything is as it should be in the end; what is not, when it never comes to that.
    async fn settle(&mut self) -> Vec<String> {
        let bound = self.stage.time.elapsed() + BOUND;
        loop {
            let open = invariants::open(&self.ground, &self.outside).await;
            if open.is_empty() {
                return Vec::new();
            }
            if self.stage.time.elapsed() > bound {
                let found = open.into_iter();
                return found
                    .map(|what| format!("it never settles: {what}"))
                    .collect();
            }
            self.mend(&open).await;
            let until = self.stage.time.elapsed() + LOOK;
            while self.stage.time.elapsed() < until {
                self.turn(Some(until)).await;
            }
        }
    }

    /// What people do in the end about what waits for them: they try it again.
    async fn mend(&mut self, open: &[invariants::Open]) {
        for one in open {
            let Some(app) = self.living(0) else { return };
            let template = self.ground.template;
            // One after the other, and each to its end before the next look.
            let (tell, one) = (Arc::clone(&self.stage), one.clone());
            tokio::spawn(async move {
                let root = &template.people[0].token;
                let Ok(Some(cx)) = app.authenticate_session(root).await else {
                    return;
                };
                match one {
                    invariants::Open::Stuck(id, _) => {
                        let done = fractal_app::operation::retry(&app, &cx, id).await;
                        tell.tell(format_args!("  root tries {id} again: {}", done.is_ok()));
                    }
                    invariants::Open::GivenUp(id, _) => {
                        let done = fractal_app::instance::start(&app, &cx, id).await;
                        tell.tell(format_args!("  root starts {id} again: {}", done.is_ok()));
                    }
                    invariants::Open::Waits(_) => {}
                }
            });
        }
    }

    /// One draw.
    async fn turn(&mut self, until: Option<Duration>) {
        self.stage.rest().await;
        self.come_back();
        let now = self.stage.time.elapsed();
        while self.plan.first().is_some_and(|(at, _)| *at <= now) {
            let (_, happening) = self.plan.remove(0);
            self.happen(happening).await;
        }
        let Some((place, life, what)) = self.stage.next() else {
            let back = self.seats.iter().filter_map(|seat| seat.back_at).min();
            let planned = self.plan.first().map(|(at, _)| *at);
            let next = [back, planned, until].into_iter().flatten().min();
            let next = next.unwrap_or_else(|| now + LOOK);
            self.stage.arrival(next).await;
            return;
        };
        let faults = self.ground.faults;
        if self.deaths_left > 0 && self.stage.strikes(faults.dies) {
            self.deaths_left -= 1;
            self.die(life, &what);
        } else if self.stage.strikes(faults.stalls) {
            let span = self.stage.draw(|chance| chance.millis(5_000, 90_000));
            self.stage.tell(format_args!(
                "{} stands still for {} ms, {what}",
                life.0,
                span.as_millis()
            ));
            self.stage.stall(life, span);
        } else {
            self.stage.tell(format_args!("{} {what}", life.0));
            self.stage.release(place);
        }
    }

    fn die(&mut self, life: Life, what: &str) {
        let away = self.stage.draw(|chance| chance.millis(500, 40_000));
        self.stage.tell(format_args!(
            "{} DIES {what}, and another comes in {} ms",
            life.0,
            away.as_millis()
        ));
        self.stage.kill(life);
        let back_at = self.stage.time.elapsed() + away;
        for seat in self.seats.iter_mut().filter(|seat| seat.life == life) {
            seat.back_at = Some(back_at);
            *seat.app.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Starts whoever is due.
    fn come_back(&mut self) {
        let now = self.stage.time.elapsed();
        let is_calm = self.stage.is_calm();
        for seat in &mut self.seats {
            if !seat.back_at.is_some_and(|at| is_calm || at <= now) {
                continue;
            }
            self.lives += 1;
            seat.back_at = None;
            seat.life = Life(self.lives);
            seat.app = Arc::default();
            self.stage.tell(format_args!("{} starts", seat.life.0));
            let (ground, life) = (Arc::clone(&self.ground), seat.life);
            let (app, skew) = (Arc::clone(&seat.app), Arc::clone(&seat.skew));
            tokio::spawn(async move {
                // A start that fails is tried again, as a service is.
                let opened = loop {
                    match ground.open(life, &skew).await {
                        Ok(opened) => break opened,
                        Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
                    }
                };
                ground.run(life, &opened);
                *app.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
            });
        }
    }

    /// The use cases at the first process that lives, beginning with this one.
    fn living(&self, first: usize) -> Option<App> {
        let count = self.seats.len();
        (0..count).find_map(|offset| {
            let seat = &self.seats[(first + offset) % count];
            seat.app
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone()
        })
    }

    async fn happen(&mut self, happening: Happening) {
        self.stage.tell(format_args!("{happening:?}"));
        match happening {
            Happening::Act(seat, person, deed) => {
                let Some(app) = self.living(seat) else { return };
                let life = self
                    .seats
                    .iter()
                    .find(|seat| {
                        let here = seat.app.lock().unwrap_or_else(PoisonError::into_inner);
                        here.as_ref()
                            .is_some_and(|here| std::ptr::eq(here.parts(), app.parts()))
                    })
                    .map_or(OUTSIDE, |seat| seat.life);
                let act = Act {
                    ground: Arc::clone(&self.ground),
                    told: Arc::clone(&self.told),
                    outside: self.outside.clone(),
                    app,
                    life,
                    person,
                    deed,
                };
                tokio::spawn(act.perform());
            }
            Happening::GatewayFalls => self.fall().await,
            Happening::Jump(span) => tokio::time::advance(span).await,
            Happening::SetClock(seat, millis) => {
                if let Some(seat) = self.seats.get(seat) {
                    seat.skew.store(millis * 1_000, Ordering::SeqCst);
                }
            }
            Happening::Cut => self.gateways.cut(),
            Happening::Refuse(span) => {
                let end = self.stage.time.elapsed() + span;
                self.ground.effects.refuse_until(end);
            }
        }
    }

    async fn fall(&self) {
        let ids: Vec<InstanceId> = invariants::running(&self.ground.fake).await;
        if ids.is_empty() {
            return;
        }
        let place = self.stage.draw(|chance| chance.below(ids.len()));
        self.stage
            .tell(format_args!("    the gateway of {} falls", ids[place]));
        let exit = Exit {
            code: Some(1),
            signal: None,
            asked: false,
            out_of_memory: false,
            reason: "it fell over".into(),
        };
        self.gateways.crash(ids[place], exit);
    }
}
