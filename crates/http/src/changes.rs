//! What every change takes besides its own: `dry_run=true`, and the header `Idempotency-Key`.
//!
//! Only operations that change through the door alone are listed: there a try can be taken back whole, and a key is taken with the change. A
//! call that is not listed refuses both, instead of doing what it was asked not to do.

use std::{collections::HashSet, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use fractal_api_types::ProblemCode;
use fractal_app::idempotency::{self, Begun, Key};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Schema,
    path::{Operation, ParameterBuilder, ParameterIn},
    schema::{ObjectBuilder, OneOfBuilder, Type},
};

use crate::{
    Server,
    extract::MaybeCaller,
    problem::{ApiError, REQUEST_ID},
};

/// Operations that change through the door alone.
pub const CHANGES: &[&str] = &[
    "createIdentityProvider",
    "createInstance",
    "createInvitation",
    "createProvider",
    "createToken",
    "createUser",
    "createWebhook",
    "deleteIdentityProvider",
    "deleteInstance",
    "deleteProvider",
    "deleteSkillCredential",
    "deleteUser",
    "deleteWebhook",
    "resetPolicy",
    "restartInstance",
    "revokeInvitation",
    "revokeSession",
    "revokeToken",
    "rotateToken",
    "rotateWebhookSecret",
    "setInstanceLimits",
    "setSkillCredential",
    "startInstance",
    "stopInstance",
    "updateIdentityProvider",
    "updateInstance",
    "updatePolicy",
    "updateProfile",
    "updateProvider",
    "updateSettings",
    "updateUser",
    "updateWebhook",
];

/// The header of a caller's key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Says that an answer is a `DryRun`.
pub const DRY_RUN: HeaderName = HeaderName::from_static("fractal-dry-run");

/// The longest body of a change.
const LONGEST: usize = crate::extract::DEFAULT_LIMIT;

/// How a change was asked for; goes into the caller's context.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only to say what would happen.
    pub dry_run: bool,
    /// Under this key.
    pub key: Option<Key>,
}

/// Which routes are changes.
#[derive(Debug, Clone)]
pub struct Changes {
    server: Server,
    routes: Arc<HashSet<(Method, String)>>,
}

impl Changes {
    /// Of a document.
    pub fn of(server: Server, document: &OpenApi) -> Self {
        let mut routes = HashSet::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in [
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::DELETE, &item.delete),
                (Method::PATCH, &item.patch),
            ] {
                if operation.as_ref().is_some_and(is_change) {
                    routes.insert((method, path.clone()));
                }
            }
        }
        Self {
            server,
            routes: Arc::new(routes),
        }
    }
}

fn is_change(operation: &Operation) -> bool {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    CHANGES.contains(&id)
}

/// Adds both to the document of a change.
pub fn describe(operation: &mut Operation) {
    if !is_change(operation) {
        return;
    }
    let dry_run = ParameterBuilder::new()
        .name("dry_run")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(
            "Say what would happen, as a DryRun with status 200 and the header Fractal-Dry-Run, and change nothing",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::Boolean)))
        .build();
    let key = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "16 to 255 printable characters without spaces, such as a UUID. The same request under the same key within a day is made once and gets its \
             first answer again, with the header Idempotency-Replayed and without secrets",
        ))
        .schema(Some(
            ObjectBuilder::new()
                .schema_type(Type::String)
                .min_length(Some(16))
                .max_length(Some(255))
                .pattern(Some("^[!-~]+$")),
        ))
        .build();
    let parameters = operation.parameters.get_or_insert_default();
    parameters.extend([RefOr::T(dry_run), RefOr::T(key)]);
    answer_of_a_try(operation);
}

/// A try answers 200 whatever the change answers; where that is 200, too, it is one or the other.
fn answer_of_a_try(operation: &mut Operation) {
    const JSON: &str = "application/json";
    let would = RefOr::Ref(Ref::from_schema_name("DryRun"));
    let answer = operation
        .responses
        .responses
        .entry("200".to_owned())
        .or_insert_with(|| RefOr::T(ResponseBuilder::new().description("only tried").build()));
    let RefOr::T(answer) = answer else { return };
    let usual = match answer.content.get(JSON) {
        Some(RefOr::T(content)) => content.schema.clone(),
        _ => None,
    };
    let schema: RefOr<Schema> = match usual {
        Some(usual) => OneOfBuilder::new().item(usual).item(would).into(),
        None => would,
    };
    answer.content.insert(
        JSON.to_owned(),
        RefOr::T(ContentBuilder::new().schema(Some(schema)).build()),
    );
}

/// Reads both before the handler, and answers instead of it where a key was used before.
pub async fn intercept(
    State(changes): State<Changes>,
    mut request: Request,
    next: Next,
) -> Response {
    let dry_run = match take_dry_run(request.uri()) {
        None => None,
        Some((Ok(word), rest)) => {
            *request.uri_mut() = rest;
            Some(word)
        }
        Some((Err(error), _)) => return error.into_response(),
    };
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let key = request.headers().get(IDEMPOTENCY_KEY).cloned();
    // A key on something that only reads says nothing.
    let key = key.filter(|_| !reads);
    if dry_run.is_none() && key.is_none() {
        return next.run(request).await;
    }
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map(|path| (request.method().clone(), path.as_str().to_owned()));
    if !route.is_some_and(|route| changes.routes.contains(&route)) {
        let name = if dry_run.is_some() {
            "dry_run"
        } else {
            "Idempotency-Key"
        };
        let why = "this call is none of the changes that take it (see the API document)";
        return ApiError::parameter(name, why).into_response();
    }
    let dry_run = dry_run.unwrap_or_default();
    match key {
        // What changes nothing needs no key.
        Some(key) if !dry_run => keyed(&changes.server, key, request, next).await,
        _ => {
            request
                .extensions_mut()
                .insert(Asked { dry_run, key: None });
            next.run(request).await
        }
    }
}

/// The word of `dry_run` in a query, and the address without it.
fn take_dry_run(uri: &Uri) -> Option<(Result<bool, ApiError>, Uri)> {
    let query = uri.query()?;
    let (mut word, mut rest) = (None, Vec::new());
    for pair in query.split('&') {
        match pair.split_once('=').unwrap_or((pair, "")) {
            // Given twice it says nothing.
            ("dry_run", _) if word.is_some() => word = Some(""),
            ("dry_run", value) => word = Some(value),
            _ => rest.push(pair),
        }
    }
    let word = match word? {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ApiError::parameter("dry_run", "must be true or false")),
    };
    let path = uri.path();
    let address = if rest.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", rest.join("&"))
    };
    let mut parts = uri.clone().into_parts();
    // Parts of a sound address are one.
    parts.path_and_query = address.parse().ok();
    let uri = Uri::from_parts(parts).unwrap_or_default();
    Some((word, uri))
}

async fn keyed(server: &Server, key: HeaderValue, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        let detail = format!("this route takes at most {LONGEST} bytes");
        return ApiError::new(ProblemCode::BodyTooLarge, detail).into_response();
    };
    let caller = match MaybeCaller::from_request_parts(&mut parts, server).await {
        Ok(MaybeCaller(caller)) => caller,
        Err(error) => return error.into_response(),
    };
    let Some(cx) = caller else {
        return ApiError(fractal_app::Error::new(ProblemCode::Unauthenticated)).into_response();
    };
    let route = format!("{} {}", parts.method, parts.uri);
    let Ok(text) = key.to_str() else {
        return ApiError::parameter("Idempotency-Key", "must be printable characters")
            .into_response();
    };
    let key = match idempotency::begin(&server.app, &cx, &route, text, &body).await {
        Ok(Begun::Fresh(key)) => key,
        Ok(Begun::Done { status, answer }) => return replayed(status, answer),
        Err(error) => return ApiError(error).into_response(),
    };
    parts.extensions.insert(Asked {
        dry_run: false,
        key: Some(key.clone()),
    });
    let request = Request::from_parts(parts, Body::from(body));
    // On its own, because a caller who hangs up meanwhile is the very one who will ask again.
    let id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
    let app = server.app.clone();
    let carried_out = tokio::spawn(REQUEST_ID.scope(id, async move {
        let response = next.run(request).await;
        if !response.status().is_success() {
            return response;
        }
        let (head, body) = response.into_parts();
        // An answer of a change is one JSON document.
        let body = to_bytes(body, usize::MAX)
            .await
            .unwrap_or_else(|_| Bytes::new());
        let kept = idempotency::answered(&app, &key, head.status.as_u16(), &body).await;
        if let Err(error) = kept {
            // The change was made; only its answer is not there a second time.
            tracing::warn!("an answer could not be kept for its idempotency key: {error}");
        }
        Response::from_parts(head, Body::from(body))
    }));
    match carried_out.await {
        Ok(response) => response,
        Err(error) => ApiError(fractal_app::Error::internal(error)).into_response(),
    }
}

fn replayed(status: u16, answer: String) -> Response {
    let mut response = if answer.is_empty() {
        Response::default()
    } else {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (kind, answer).into_response()
    };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_is_taken_out_of_the_address() {
        let taken = |text: &str| {
            let uri: Uri = text.parse().unwrap();
            take_dry_run(&uri).map(|(word, rest)| (word.ok(), rest.to_string()))
        };
        assert_eq!(taken("/a?b=c"), None);
        assert_eq!(taken("/a?dry_run=true"), Some((Some(true), "/a".into())));
        assert_eq!(
            taken("/a?b=c&dry_run=false&d"),
            Some((Some(false), "/a?b=c&d".into()))
        );
        assert_eq!(taken("/a?dry_run"), Some((None, "/a".into())));
        let twice = "/a?dry_run=true&dry_run=false";
        assert_eq!(taken(twice), Some((None, "/a".into())));
    }
}
