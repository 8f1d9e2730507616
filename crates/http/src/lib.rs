//! The HTTP surface: router, extractors, problem responses, API document.
//!
//! Handlers convert and delegate; every decision is made in `fractal_app`, every byte of chat moves in
//! `fractal_proxy`. One route a function, one noun a file. Adding a route: write the function with its
//! `utoipa::path`, list it in its noun's `routes()`, run the test that regenerates the API document.

mod changes;
mod cookie;
mod document;
mod extract;
mod guard;
mod live;
mod measure;
mod onboarding;
mod openai;
mod perform;
mod problem;
mod problem_page;
mod public;
mod shown;
mod v1;

use std::sync::Arc;

use axum::{Router, middleware};
use fractal_app::App;
use fractal_proxy::chat::ChatHub;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub use document::openapi_json;
pub use perform::Performer;

/// What handlers share.
#[derive(Debug, Clone)]
pub struct Server {
    /// Use cases.
    pub app: App,
    /// Turns on their way.
    pub chat: Arc<ChatHub>,
}

/// The API without the Portal: routes and their document from one declaration.
fn api() -> OpenApiRouter<Server> {
    OpenApiRouter::with_openapi(document::Document::openapi())
        .merge(public::routes())
        .merge(onboarding::routes())
        .merge(v1::routes())
        .merge(openai::routes())
        .merge(live::routes())
}

/// The router of the main listener.
pub fn router(server: Server) -> Router {
    let (router, document) = api().split_for_parts();
    let document = document::finish(document);
    let performer = Arc::new(Performer::new(server.clone()));
    let changes = changes::Changes::of(server.clone(), performer.clone(), &document);
    router
        .layer(axum::Extension(performer))
        .layer(axum::Extension(live::Streams::new(server.clone())))
        .layer(middleware::from_fn_with_state(changes, changes::intercept))
        .merge(document::route(&document))
        .merge(problem_page::route())
        .fallback(public::fallback)
        .method_not_allowed_fallback(public::method_not_allowed)
        .layer(middleware::from_fn_with_state(server.clone(), guard::guard))
        .layer(middleware::from_fn(measure::measure))
        .with_state(server)
}
