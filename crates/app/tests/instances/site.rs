//! An agent that operations work on.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use fractal_api_types::{ChangeEngine as Body, OperationQuery, OperationView};
use fractal_app::{App, instance, operation};
use fractal_background::operation::Kind;
use fractal_runtime::contract::EngineFiles;
use fractal_store::{Engine, EngineState, Tx, engines};
use fractal_types::{EngineId, InstanceId, OperationId, OperationState, SeenState, WantedState};

use crate::support::{Home, home_with};

/// A home with an agent and a second engine.
pub struct Site {
    pub home: Home,
    pub id: InstanceId,
    pub old: EngineId,
    pub new: EngineId,
}

/// A site whose operations are of these kinds.
pub async fn site(kinds: impl FnOnce(&App) -> Vec<Arc<dyn Kind>>) -> Site {
    let home = home_with(kinds).await;
    let id = home.ready("ada").await;
    let app = &home.house.app;
    home.until("it is made", || async {
        let query = OperationQuery::default();
        let page = operation::list(app, &home.cx, &query).await.unwrap();
        page.items.iter().all(|one| one.state.is_settled())
    })
    .await;
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
    Site { home, id, old, new }
}

pub async fn sound() -> Site {
    site(operation::kinds).await
}

impl Site {
    pub async fn ask(&self) -> fractal_app::Result<OperationView> {
        let body = Body {
            engine_id: self.new,
        };
        instance::change_engine(&self.home.house.app, &self.home.cx, self.id, body).await
    }

    pub async fn begin(&self) -> OperationId {
        self.ask().await.unwrap().id
    }

    pub async fn view(&self, id: OperationId) -> OperationView {
        operation::view(&self.home.house.app, &self.home.cx, id)
            .await
            .unwrap()
    }

    /// Goes on, with both the reconciler and the worker, until this holds.
    pub async fn until<F: Future<Output = bool>>(&self, what: &str, holds: impl Fn() -> F) {
        for _ in 0..2_000 {
            self.home.work().await;
            if holds().await {
                return;
            }
            self.home.house.clock.advance(Duration::from_millis(250));
            // The connection to a gateway lives on the machine's time.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("never: {what}");
    }

    pub async fn until_over(&self, id: OperationId) -> OperationView {
        self.until("the operation is over", || async {
            let state = self.view(id).await.state;
            state.is_settled() || state == OperationState::Stuck
        })
        .await;
        self.view(id).await
    }

    pub async fn until_as_wanted(&self) {
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
    pub async fn switches(&self) -> usize {
        let log = self.home.house.log("instance.change_engine").await;
        let switches = log
            .iter()
            .filter(|one| one.values.contains_key("engine_id"));
        switches.count()
    }
}
