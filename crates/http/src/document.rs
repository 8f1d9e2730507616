//! The API document: OpenAPI 3.1, generated from the handlers.
//!
//! Problems that any route may answer are added here, once, instead of at every handler.

use axum::{Router, routing::get};
use fractal_api_types::{Problem, ProblemCode};
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, Ref, RefOr, ResponseBuilder,
        path::{Operation, ParameterIn},
        security::{
            ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
        },
    },
};
use utoipa_axum::router::OpenApiRouter;

use crate::{Server, changes};

/// Tag of routes that need no sign-in.
pub const PUBLIC: &str = "public";

/// The frame of the document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Fractal",
        description = "One isolated OpenClaw gateway for every person: provisioned, configured, proxied, put to sleep and woken.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(
        Problem,
        fractal_api_types::DryRun,
        fractal_api_types::ChatEvent,
        fractal_api_types::SessionEvent,
        fractal_api_types::SignInReason,
        fractal_api_types::LiveRequest,
        fractal_api_types::LiveMessage,
        fractal_api_types::LogLineView
    ))
)]
pub struct Document;

/// Adds what every route has in common.
#[must_use]
pub fn finish(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let components = document.components.get_or_insert_default();
    components.security_schemes.insert(
        "bearer".into(),
        RefOr::T(SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer))),
    );
    components.security_schemes.insert(
        "session".into(),
        RefOr::T(SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(
            "fractal_session",
        )))),
    );
    for item in document.paths.paths.values_mut() {
        for operation in [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
        ]
        .into_iter()
        .flatten()
        {
            add_problems(operation);
            changes::describe(operation);
            leave_streams_open(operation);
        }
    }
    document
}

/// A schema beside an event stream is taken for that of every event, which it is not; what the events are stands in the words.
fn leave_streams_open(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && let Some(stream) = response.content.get_mut("text/event-stream")
        {
            *stream = RefOr::T(ContentBuilder::new().build());
        }
    }
}

fn add_problems(operation: &mut Operation) {
    let public = operation
        .tags
        .as_ref()
        .is_some_and(|tags| tags.iter().any(|tag| tag == PUBLIC));
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let has_path = parameters
        .iter()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path));
    let has_body = operation.request_body.is_some();
    // Wrong host, malformed request, rate limits and restarts concern every route.
    let mut statuses = vec![400_u16, 403, 421, 429, 503];
    if !public {
        statuses.extend([401, 409]);
    }
    if has_path || !public {
        statuses.push(404);
    }
    if has_body {
        statuses.extend([413, 415, 422]);
    }
    for status in statuses {
        operation
            .responses
            .responses
            .entry(status.to_string())
            .or_insert_with(|| {
                RefOr::T(
                    ResponseBuilder::new()
                        .description(words(status))
                        .content(
                            "application/problem+json",
                            ContentBuilder::new()
                                .schema(Some(Ref::from_schema_name("Problem")))
                                .build(),
                        )
                        .build(),
                )
            });
    }
    // OpenAPI demands words for every response; what a handler says is kept.
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = words(status.parse().unwrap_or_default());
        }
    }
    if !public {
        operation.security = Some(vec![
            SecurityRequirement::new("bearer", Vec::<String>::new()),
            SecurityRequirement::new("session", Vec::<String>::new()),
        ]);
    }
}

/// A status in words: the codes that have it.
fn words(status: u16) -> String {
    let codes: Vec<&str> = ProblemCode::ALL
        .iter()
        .filter(|code| code.status() == status)
        .map(|code| code.as_str())
        .collect();
    match (codes.is_empty(), status) {
        (false, _) => codes.join(", "),
        (true, 201) => "made".to_owned(),
        (true, 202) => "begun".to_owned(),
        (true, 200..300) => "done".to_owned(),
        (true, _) => "refused".to_owned(),
    }
}

/// The document as JSON, for files and clients.
#[must_use]
pub fn openapi_json() -> String {
    let (_, document) = crate::api().split_for_parts();
    let mut text = finish(document).to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// Serves the document.
pub fn route(document: &utoipa::openapi::OpenApi) -> Router<Server> {
    let text: std::sync::Arc<str> = document.to_json().unwrap_or_default().into();
    Router::new().route(
        "/api/openapi.json",
        get(move || {
            let text = text.clone();
            async move {
                (
                    [(http::header::CONTENT_TYPE, "application/json")],
                    text.to_string(),
                )
            }
        }),
    )
}

/// A router that carries documentation.
pub type Routes = OpenApiRouter<Server>;
