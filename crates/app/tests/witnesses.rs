//! What a witness sees of the log, and what is kept of what it says.

use std::time::Duration;

use fractal_api_types::{
    AddWitness, ExportQuery, PageQuery, ProblemCode, WitnessStateView, WitnessView,
};
use fractal_app::{
    Context, evidence, incident, settings,
    witness::{self, ask::work},
};
use fractal_store::{Tx, witnesses};
use fractal_testing::{
    evidence::{
        Checkpoint, VerifyKey, WitnessKey, cosignature,
        verify::{Fault, Report, verify},
    },
    house::{House, house},
    witness::{FakeWitness, Mood, SECOND},
};
use futures::TryStreamExt;

struct Scene {
    house: House,
    cx: Context,
    witness: FakeWitness,
}

impl Scene {
    /// A house with a log, and a witness that was not added yet.
    async fn new() -> Self {
        let house = house().await;
        let root = house.claim().await;
        let cx = house.context(&root).await;
        house.app.sealer.seal_all().await.unwrap();
        let witness = FakeWitness::start(1, house.app.sealer.key().verify_key()).await;
        Self { house, cx, witness }
    }

    fn body(&self) -> AddWitness {
        AddWitness {
            url: self.witness.url.clone(),
            key: self.witness.key().to_string(),
            allow_private_network: Some(true),
        }
    }

    async fn add(&self) -> WitnessView {
        witness::add(&self.house.app, &self.cx, self.body())
            .await
            .unwrap()
    }

    /// Something happens and is sealed.
    async fn happen(&self) -> u64 {
        let body = fractal_api_types::UpdateSettings {
            idle_timeout_minutes: Some(30),
            ..Default::default()
        };
        settings::update(&self.house.app, &self.cx, body)
            .await
            .unwrap();
        self.seal().await
    }

    async fn seal(&self) -> u64 {
        self.house.app.sealer.seal_all().await.unwrap();
        self.head().await.size
    }

    async fn head(&self) -> fractal_api_types::EvidenceHead {
        evidence::head(&self.house.app, &self.cx).await.unwrap()
    }

    async fn ask(&self) -> Option<fractal_types::Timestamp> {
        work(&self.house.app, "test").await.unwrap()
    }

    async fn view(&self) -> WitnessView {
        let page = PageQuery::default();
        let list = witness::list(&self.house.app, &self.cx, &page)
            .await
            .unwrap();
        list.items.into_iter().next().unwrap()
    }

    async fn export(&self, first: u64) -> String {
        let query = ExportQuery {
            first: Some(first),
            values: Some(true),
        };
        let lines = evidence::export(&self.house.app, &self.cx, &query)
            .await
            .unwrap();
        lines.try_collect::<Vec<String>>().await.unwrap().concat()
    }

    async fn verify(&self, first: u64, witnesses: &[WitnessKey]) -> Result<Report, Fault> {
        verify(
            self.export(first).await.as_bytes(),
            &self.key(),
            &[],
            witnesses,
        )
    }

    fn key(&self) -> VerifyKey {
        self.house.app.sealer.key().verify_key()
    }

    async fn incidents(&self) -> Vec<String> {
        incident::look(&self.house.app).await;
        let query = fractal_api_types::IncidentQuery {
            state: Some(fractal_types::IncidentState::Open),
            ..Default::default()
        };
        let list = incident::list(&self.house.app, &self.cx, &query)
            .await
            .unwrap();
        list.items.into_iter().map(|one| one.finding).collect()
    }
}

#[tokio::test]
async fn a_witness_cosigns_the_growing_log_and_an_export_proves_it() {
    let scene = Scene::new().await;
    let added = scene.add().await;
    assert_eq!((added.state, added.size), (WitnessStateView::New, 0));
    assert_eq!(added.name, "witness.example/w1");
    let size = scene.seal().await;
    assert_eq!(scene.ask().await, None, "nothing is due any more");
    let view = scene.view().await;
    assert_eq!((view.state, view.size), (WitnessStateView::Cosigned, size));
    assert_eq!(view.cosigned_at, Some(scene.house.app.clock.now()));
    let head = scene.head().await;
    let note = head.note.clone().unwrap();
    assert!(Checkpoint::open(&note, &scene.key()).is_ok());
    let found = cosignature::of_note(&note, &scene.witness.key()).unwrap();
    assert_eq!(found.time, SECOND);
    assert_eq!(head.witnessed.unwrap().witnesses, ["witness.example/w1"]);

    // Not more often than the settings say, whatever happens.
    for _ in 0..5 {
        scene.happen().await;
        assert!(scene.ask().await.is_some());
    }
    assert_eq!(scene.witness.statuses(), [200]);
    scene.house.pass(60);
    assert_eq!(scene.ask().await, None);
    assert_eq!(scene.witness.statuses(), [200, 200]);
    let newest = scene.head().await.size;
    assert_eq!(scene.witness.size(), newest);

    // What is behind the cosigned head is not vouched for, and verify says how far it is.
    scene.happen().await;
    let report = scene.verify(1, &[scene.witness.key()]).await.unwrap();
    assert_eq!(report.witnessed[0].size, newest);
    assert!(report.last > newest);
    assert_eq!(scene.head().await.witnessed.unwrap().size, newest);
    // The old way still verifies.
    assert!(scene.verify(1, &[]).await.unwrap().witnessed.is_empty());
    // From behind what it cosigned, it vouches for nothing.
    assert!(matches!(
        scene.verify(newest + 1, &[scene.witness.key()]).await,
        Err(Fault::Unwitnessed { .. })
    ));
    let stranger: WitnessKey = fractal_testing::witness::key(9).parse().unwrap();
    assert!(matches!(
        scene.verify(1, &[scene.witness.key(), stranger]).await,
        Err(Fault::Unwitnessed { witness }) if witness == "witness.example/w9"
    ));
    // Nor does a line that was changed on its way.
    let line = found.line.trim_end();
    let changed = format!("{}A{}", &line[..line.len() - 8], &line[line.len() - 7..]);
    let text = scene.export(1).await.replace(line, &changed);
    assert!(matches!(
        verify(text.as_bytes(), &scene.key(), &[], &[scene.witness.key()]),
        Err(Fault::Cosignature { .. })
    ));

    // It goes, and what it said stays.
    witness::remove(&scene.house.app, &scene.cx, added.id)
        .await
        .unwrap();
    assert!(scene.verify(1, &[scene.witness.key()]).await.is_ok());
    let told = scene.house.log("witness.remove").await;
    assert_eq!(told[0].values["size"], newest);
}

#[tokio::test]
async fn one_that_is_down_blocks_nothing_is_told_after_an_hour_and_comes_back() {
    let scene = Scene::new().await;
    scene.add().await;
    let second = FakeWitness::start(2, scene.key()).await;
    let body = AddWitness {
        url: second.url.clone(),
        key: second.key().to_string(),
        allow_private_network: Some(true),
    };
    witness::add(&scene.house.app, &scene.cx, body)
        .await
        .unwrap();
    scene.witness.behave(Mood::Down);
    let mut last = scene.seal().await;
    scene.ask().await;
    assert_eq!(second.size(), last, "the other one is asked all the same");
    assert!(scene.incidents().await.is_empty(), "one failure is none");
    let mut tries = 0;
    for _ in 0..90 {
        scene.house.pass(60);
        last = scene.happen().await;
        scene.ask().await;
        tries = scene.witness.statuses().len();
    }
    assert_eq!(second.size(), last);
    assert!(
        (4..=12).contains(&tries),
        "pauses grow: {tries} tries in 90 minutes"
    );
    let view = scene.view().await;
    assert_eq!((view.state, view.size), (WitnessStateView::Unreachable, 0));
    assert!(view.last_error.unwrap().contains("503"));
    let incidents = scene.incidents().await;
    assert!(
        incidents[0].contains("witness.example/w1 does not cosign"),
        "{incidents:?}"
    );

    scene.witness.behave(Mood::Honest);
    scene.house.pass(3_600);
    let last = scene.seal().await;
    scene.ask().await;
    let view = scene.view().await;
    assert_eq!(
        (view.state, view.size, view.last_error),
        (WitnessStateView::Cosigned, last, None)
    );
    assert!(scene.incidents().await.is_empty());
}

#[tokio::test]
async fn one_that_holds_another_size_says_so_and_is_asked_from_there() {
    let scene = Scene::new().await;
    let known = scene.head().await;
    let head = Checkpoint::open(&known.note.unwrap(), &scene.key()).unwrap();
    // It cosigned this log before, for a database that was put back since.
    scene.witness.remember(head.size, head.root);
    scene.add().await;
    let size = scene.seal().await;
    scene.ask().await;
    assert_eq!(scene.witness.statuses(), [409, 200]);
    assert_eq!(scene.view().await.size, size);
    // It lost what it knew.
    scene
        .witness
        .remember(0, fractal_testing::evidence::merkle::empty_root());
    scene.house.pass(60);
    let size = scene.happen().await;
    scene.ask().await;
    assert_eq!(scene.witness.statuses(), [409, 200, 409, 200]);
    assert_eq!(scene.view().await.size, size);
}

#[tokio::test]
async fn a_rewritten_or_a_shortened_history_shows_at_once() {
    let scene = Scene::new().await;
    scene.add().await;
    let size = scene.seal().await;
    scene.ask().await;
    // It cosigned other entries than those that stand here now.
    scene.witness.remember(size, [7; 32]);
    scene.house.pass(60);
    scene.happen().await;
    scene.ask().await;
    let view = scene.view().await;
    assert_eq!((view.state, view.size), (WitnessStateView::Conflict, size));
    assert!(view.last_error.unwrap().contains("rewritten"));
    assert_eq!(*scene.witness.statuses().last().unwrap(), 422);
    assert!(
        scene.incidents().await[0].contains("rewritten"),
        "told without waiting"
    );

    // It cosigned more than there is.
    scene.witness.remember(10_000, [7; 32]);
    scene.house.pass(4_000);
    scene.happen().await;
    scene.ask().await;
    let view = scene.view().await;
    assert_eq!(view.state, WitnessStateView::Conflict);
    assert!(
        view.last_error
            .unwrap()
            .contains("has cosigned 10000 entries")
    );

    // Another log of the same size.
    let newest = scene.seal().await;
    scene.witness.remember(newest, [7; 32]);
    scene.house.pass(4_000);
    scene.ask().await;
    let view = scene.view().await;
    assert_eq!(view.state, WitnessStateView::Conflict);
    assert!(view.last_error.unwrap().contains("another history"));
    // Nothing of this was kept as a cosignature.
    let read = scene.house.app.store.read();
    assert_eq!(witnesses::latest_cosigned(&read).await.unwrap(), Some(size));
}

#[tokio::test]
async fn what_does_not_verify_is_not_kept() {
    let scene = Scene::new().await;
    scene.add().await;
    scene.witness.behave(Mood::Forging);
    scene.seal().await;
    scene.ask().await;
    let view = scene.view().await;
    assert_eq!((view.state, view.size), (WitnessStateView::Forged, 0));
    assert!(scene.head().await.witnessed.is_none());
    assert!(scene.incidents().await[0].contains("witness.example/w1"));

    // One that knows this log under another key, and one that does not know it.
    scene.witness.behave(Mood::Honest);
    let same_name = fractal_testing::witness::log_key(scene.key().name());
    scene.witness.trust(same_name);
    scene.house.pass(4_000);
    scene.ask().await;
    assert_eq!(*scene.witness.statuses().last().unwrap(), 403);
    assert!(
        scene
            .view()
            .await
            .last_error
            .unwrap()
            .contains("another key")
    );
    scene
        .witness
        .trust(fractal_testing::witness::log_key("other"));
    scene.house.pass(4_000);
    scene.ask().await;
    let view = scene.view().await;
    assert_eq!(view.state, WitnessStateView::Refused);
    assert!(view.last_error.unwrap().contains("does not know this log"));
}

#[tokio::test]
async fn what_makes_no_sense_is_named_and_a_name_is_taken_once() {
    let scene = Scene::new().await;
    let field = async |url: &str, key: &str, private: bool| {
        let body = AddWitness {
            url: url.to_owned(),
            key: key.to_owned(),
            allow_private_network: Some(private),
        };
        let error = witness::add(&scene.house.app, &scene.cx, body)
            .await
            .unwrap_err();
        error.fields.first().map(|one| one.field.clone())
    };
    let key = scene.witness.key().to_string();
    for (url, key, private, wrong) in [
        ("nonsense", key.as_str(), false, "/url"),
        ("http://example.org", &key, false, "/url"),
        ("https://me:secret@example.org", &key, false, "/url"),
        ("https://example.org/?a=b", &key, false, "/url"),
        ("https://example.org", "no key", false, "/key"),
        (
            "https://example.org",
            &scene.key().to_string(),
            false,
            "/key",
        ),
    ] {
        assert_eq!(
            field(url, key, private).await.as_deref(),
            Some(wrong),
            "{url} {key}"
        );
    }
    scene.add().await;
    let again = witness::add(&scene.house.app, &scene.cx, scene.body()).await;
    assert_eq!(again.unwrap_err().code, ProblemCode::AlreadyExists);
    let told = scene.house.log("witness.add").await;
    assert_eq!(told[0].values["key"], key.as_str());
    assert_eq!(
        told[0].values["host"], "127.0.0.1",
        "its path stays private"
    );
    // Without the permission an address on this machine is not asked.
    let other = AddWitness {
        url: scene.witness.url.replace("http://", "https://"),
        key: fractal_testing::witness::key(3),
        allow_private_network: None,
    };
    let other = witness::add(&scene.house.app, &scene.cx, other)
        .await
        .unwrap();
    scene.seal().await;
    scene.ask().await;
    let page = PageQuery::default();
    let list = witness::list(&scene.house.app, &scene.cx, &page)
        .await
        .unwrap();
    let row = list
        .items
        .into_iter()
        .find(|one| one.id == other.id)
        .unwrap();
    assert!(row.last_error.unwrap().contains("refused"));
}

#[tokio::test]
async fn another_history_shows_also_where_the_witness_says_no_size() {
    let scene = Scene::new().await;
    scene.add().await;
    let size = scene.seal().await;
    scene.ask().await;
    assert_eq!(scene.view().await.size, size);
    scene.witness.remember(size + 1, [7; 32]);
    scene.witness.behave(Mood::Brief);
    // Of another size it need not be another history.
    scene.house.pass(61);
    scene.happen().await;
    scene.ask().await;
    assert_eq!(scene.view().await.state, WitnessStateView::Refused);
    let size = scene.head().await.size;
    scene.witness.remember(size, [7; 32]);
    let row = witnesses::list_all(&scene.house.app.store.read())
        .await
        .unwrap();
    let mut row = row.into_iter().next().unwrap();
    // As it is known after a witness was asked for this very head.
    (row.size, row.next_at) = (size, scene.house.app.clock.now());
    let note = async |tx: Tx| witnesses::note_outcome(&tx, &row).await;
    scene.house.app.store.tx("test", note).await.unwrap();
    scene.ask().await;
    assert_eq!(scene.view().await.state, WitnessStateView::Conflict);
}

#[tokio::test]
async fn a_shorter_interval_counts_at_once() {
    let scene = Scene::new().await;
    scene.add().await;
    let set = async |seconds| {
        let body = fractal_api_types::UpdateSettings {
            witness_interval_seconds: Some(seconds),
            ..Default::default()
        };
        settings::update(&scene.house.app, &scene.cx, body)
            .await
            .unwrap();
        scene.seal().await
    };
    let first = set(86_400).await;
    scene.ask().await;
    scene.house.pass(61);
    scene.happen().await;
    scene.ask().await;
    assert_eq!(scene.view().await.size, first, "it is asked once a day");
    let size = set(60).await;
    scene.ask().await;
    assert_eq!(scene.view().await.size, size);
}

#[tokio::test]
async fn of_two_processes_one_asks() {
    let scene = Scene::new().await;
    scene.add().await;
    scene.seal().await;
    let app = &scene.house.app;
    let now = app.clock.now();
    app.store
        .tx("test", async |tx: Tx| {
            fractal_store::leases::acquire(&tx, "witnesses", "other", now, Duration::from_secs(60))
                .await
        })
        .await
        .unwrap();
    assert!(scene.ask().await.is_some());
    assert!(scene.witness.statuses().is_empty());
    scene.house.pass(61);
    scene.ask().await;
    assert_eq!(scene.witness.statuses(), [200]);
}

fractal_testing::on_postgresql! {
    a_witness_cosigns_the_growing_log_and_an_export_proves_it
    one_that_is_down_blocks_nothing_is_told_after_an_hour_and_comes_back
    one_that_holds_another_size_says_so_and_is_asked_from_there
    a_rewritten_or_a_shortened_history_shows_at_once
}
