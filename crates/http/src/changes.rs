//! What every change takes besides its own: `dry_run=true`, and the header `Idempotency-Key`. And what may become of it: a proposal, when
//! a rule asks for approval.
//!
//! Only operations that change through the door alone are listed: there a try can be taken back whole, and a key is taken with the change. A
//! call that is not listed refuses both, instead of doing what it was asked not to do.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequestParts, MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use fractal_api_types::{ProblemCode, ProposalRequest, ProposalView};
use fractal_app::{
    Context,
    idempotency::{self, Begun, Key},
    proposal::{self, Intent},
};
use fractal_types::ProposalId;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header, request::Parts};
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, Schema,
    path::{Operation, ParameterBuilder, ParameterIn},
    schema::{ObjectBuilder, OneOfBuilder, Type},
};

use crate::{
    Server,
    extract::MaybeCaller,
    perform::Performer,
    problem::{ApiError, NeedsApproval, REQUEST_ID},
    shown::Shown,
};

/// Operations that change through the door alone.
pub const CHANGES: &[&str] = &[
    "acknowledgeIncident",
    "addWitness",
    "approveProposal",
    "cancelOperation",
    "changeInstanceEngine",
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
    "eraseUser",
    "rejectProposal",
    "removeWitness",
    "resetPolicy",
    "restartInstance",
    "retryOperation",
    "revokeInvitation",
    "revokeSession",
    "revokeToken",
    "rotateToken",
    "rotateWebhookSecret",
    "setInstanceLimits",
    "setSkillCredential",
    "skipOperation",
    "startInstance",
    "stopInstance",
    "undoOperation",
    "unlinkIdentityProvider",
    "updateIdentityProvider",
    "updateInstance",
    "updatePolicy",
    "updateProfile",
    "updateProvider",
    "updateSettings",
    "updateUser",
    "updateWebhook",
    "withdrawProposal",
];

/// The header of a caller's key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer is that of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Says that an answer is a `DryRun`.
pub const DRY_RUN: HeaderName = HeaderName::from_static("fractal-dry-run");

/// Says that an answer is that of a proposal, and which.
pub const PROPOSAL: HeaderName = HeaderName::from_static("fractal-proposal");

/// What the caller would rather have (RFC 7240, 2).
const PREFER: HeaderName = HeaderName::from_static("prefer");

/// Which of it was done (RFC 7240, 3).
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

const RESPOND_ASYNC: &str = "respond-async";

/// The longest body of a change.
const LONGEST: usize = crate::extract::DEFAULT_LIMIT;

/// How a change was asked for; goes into the caller's context.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Only to say what would happen.
    pub dry_run: bool,
    /// Under this key.
    pub key: Option<Key>,
    /// To be kept as a proposal when it needs approval.
    pub proposable: bool,
}

/// What the API document says about a change.
#[derive(Debug, Clone)]
struct Described {
    operation: String,
    shown: Shown,
}

/// Which routes are changes.
#[derive(Debug, Clone)]
pub struct Changes {
    server: Server,
    performer: Arc<Performer>,
    routes: Arc<HashMap<(Method, String), Described>>,
}

impl Changes {
    /// Of a document.
    pub fn of(server: Server, performer: Arc<Performer>, document: &OpenApi) -> Self {
        let mut routes = HashMap::new();
        for (path, item) in &document.paths.paths {
            for (method, operation) in [
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::DELETE, &item.delete),
                (Method::PATCH, &item.patch),
            ] {
                let Some(operation) = operation.as_ref().filter(|one| is_change(one)) else {
                    continue;
                };
                let described = Described {
                    operation: operation.operation_id.clone().unwrap_or_default(),
                    shown: Shown::of(document, operation),
                };
                routes.insert((method, path.clone()), described);
            }
        }
        Self {
            server,
            performer,
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
    let prefer = ParameterBuilder::new()
        .name("Prefer")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "With respond-async (RFC 7240) the change is kept and carried out by itself; the answer is 202 with a ProposalView, and says so in \
             Preference-Applied. Other preferences are ignored",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build();
    let parameters = operation.parameters.get_or_insert_default();
    parameters.extend([RefOr::T(dry_run), RefOr::T(key), RefOr::T(prefer)]);
    may_also_answer(operation, "200", "DryRun", "only tried");
    may_also_answer(
        operation,
        "202",
        "ProposalView",
        "waits for approval, or for its turn, as the proposal that the header Fractal-Proposal names",
    );
}

/// Adds an answer that has nothing to do with what the change answers; where it has that status, too, it is one or the other.
fn may_also_answer(operation: &mut Operation, status: &str, schema: &str, why: &str) {
    const JSON: &str = "application/json";
    let other = RefOr::Ref(Ref::from_schema_name(schema));
    let answer = operation
        .responses
        .responses
        .entry(status.to_owned())
        .or_insert_with(|| RefOr::T(ResponseBuilder::new().description(why).build()));
    let RefOr::T(answer) = answer else { return };
    let usual = match answer.content.get(JSON) {
        Some(RefOr::T(content)) => content.schema.clone(),
        _ => None,
    };
    let schema: RefOr<Schema> = match usual {
        Some(usual) => OneOfBuilder::new().item(usual).item(other).into(),
        None => other,
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
    let path = request.extensions().get::<MatchedPath>();
    let route = path.map(|path| (request.method().clone(), path.as_str().to_owned()));
    let described = route.and_then(|route| changes.routes.get(&route).cloned());
    let Some(described) = described else {
        let name = match (dry_run, key) {
            (None, None) => return next.run(request).await,
            (Some(_), _) => "dry_run",
            (None, Some(_)) => "Idempotency-Key",
        };
        let why = "this call is none of the changes that take it (see the API document)";
        return ApiError::parameter(name, why).into_response();
    };
    if dry_run.unwrap_or_default() {
        // What changes nothing needs no key, and nobody's approval.
        request.extensions_mut().insert(Asked {
            dry_run: true,
            ..Asked::default()
        });
        return next.run(request).await;
    }
    let change = match Change::read(&changes, described, request).await {
        Ok(change) => change,
        Err(answer) => return answer,
    };
    match key {
        Some(key) => change.under(key, next).await,
        None => change.carry_out(None, next).await,
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

/// A change of somebody's, read whole, because it may have to be asked for a second time: as a proposal.
struct Change {
    changes: Changes,
    described: Described,
    cx: Context,
    parts: Parts,
    body: Bytes,
}

impl Change {
    /// The answer instead, when nobody asks or the body is too long.
    async fn read(
        changes: &Changes,
        described: Described,
        request: Request,
    ) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = MaybeCaller::from_request_parts(&mut parts, &changes.server).await;
        let MaybeCaller(caller) = caller.map_err(IntoResponse::into_response)?;
        let nobody = || ApiError(fractal_app::Error::new(ProblemCode::Unauthenticated));
        let cx = caller.ok_or_else(|| nobody().into_response())?;
        let Ok(body) = to_bytes(body, LONGEST).await else {
            let detail = format!("this route takes at most {LONGEST} bytes");
            return Err(ApiError::new(ProblemCode::BodyTooLarge, detail).into_response());
        };
        Ok(Self {
            changes: changes.clone(),
            described,
            cx,
            parts,
            body,
        })
    }

    async fn carry_out(mut self, key: Option<Key>, next: Next) -> Response {
        if prefers_async(&self.parts.headers)
            && let Some(intent) = self.intent()
        {
            return self.later(key, intent).await;
        }
        self.parts.extensions.insert(Asked {
            dry_run: false,
            key: key.clone(),
            proposable: true,
        });
        let intent = self.intent();
        let request = Request::from_parts(self.parts, Body::from(self.body));
        let response = next.run(request).await;
        let waits = response.extensions().get::<NeedsApproval>().cloned();
        let (Some(intent), Some(NeedsApproval(waiting))) = (intent, waits) else {
            return response;
        };
        let shown = shown(&self.described, &intent);
        let cx = Context {
            idempotency_key: key,
            ..self.cx
        };
        let Changes {
            server, performer, ..
        } = &self.changes;
        match proposal::ask(&server.app, &**performer, &cx, intent, shown).await {
            Ok(view) => proposed(&view),
            Err(error) => {
                // So it is a refusal after all.
                if let Err(error) = server.app.record_waiting(&cx, &waiting).await {
                    return ApiError(error).into_response();
                }
                ApiError(error).into_response()
            }
        }
    }

    /// Keeps it to be carried out by a worker, and answers before it is.
    async fn later(self, key: Option<Key>, intent: Intent) -> Response {
        let shown = shown(&self.described, &intent);
        let cx = Context {
            idempotency_key: key,
            ..self.cx
        };
        let Changes {
            server, performer, ..
        } = &self.changes;
        match proposal::ask_for_later(&server.app, &**performer, &cx, intent, shown).await {
            Ok(view) => {
                let applied = [(APPLIED, RESPOND_ASYNC)];
                (applied, proposed(&view)).into_response()
            }
            Err(error) => ApiError(error).into_response(),
        }
    }

    /// What is asked for, as data.
    fn intent(&self) -> Option<Intent> {
        Some(Intent {
            method: self.parts.method.to_string(),
            address: self.parts.uri.path_and_query()?.to_string(),
            // A body that is no text is no JSON, which the handler says.
            body: String::from_utf8(self.body.to_vec()).ok()?,
        })
    }

    async fn under(self, key: HeaderValue, next: Next) -> Response {
        let app = self.changes.server.app.clone();
        let route = format!("{} {}", self.parts.method, self.parts.uri);
        let Ok(text) = key.to_str() else {
            return ApiError::parameter("Idempotency-Key", "must be printable characters")
                .into_response();
        };
        let key = match idempotency::begin(&app, &self.cx, &route, text, &self.body).await {
            Ok(Begun::Fresh(key)) => key,
            Ok(Begun::Done { status, answer }) => {
                return match waiting_of(status, &answer) {
                    None => replayed(status, answer),
                    // Rendered again: the body of a proposal may be private, and it may have gone on meanwhile.
                    Some(id) => match proposal::view(&app, &self.cx, id).await {
                        Ok(view) => again(proposed(&view)),
                        Err(error) => ApiError(error).into_response(),
                    },
                };
            }
            Err(error) => return ApiError(error).into_response(),
        };
        // On its own, because a caller who hangs up meanwhile is the very one who will ask again.
        let id = REQUEST_ID.try_with(Clone::clone).unwrap_or_default();
        let carried_out = tokio::spawn(REQUEST_ID.scope(id, async move {
            let response = self.carry_out(Some(key.clone()), next).await;
            if !response.status().is_success() {
                return response;
            }
            let (head, body) = response.into_parts();
            // An answer of a change is one JSON document.
            let body = to_bytes(body, usize::MAX)
                .await
                .unwrap_or_else(|_| Bytes::new());
            let kept = match head.headers.get(&PROPOSAL) {
                None => body.clone(),
                Some(id) => json!({"id": String::from_utf8_lossy(id.as_bytes())})
                    .to_string()
                    .into(),
            };
            let kept = idempotency::answered(&app, &key, head.status.as_u16(), &kept).await;
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
}

/// Whether the caller would rather not wait (RFC 7240, 4.1).
fn prefers_async(headers: &HeaderMap) -> bool {
    headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .any(|one| {
            let word = one.split(';').next().unwrap_or_default().trim();
            word.eq_ignore_ascii_case(RESPOND_ASYNC)
        })
}

fn proposed(view: &ProposalView) -> Response {
    let id = view.id.to_string();
    let headers = [
        (header::LOCATION, format!("/api/v1/proposals/{id}")),
        (PROPOSAL, id),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (StatusCode::ACCEPTED, headers, axum::Json(view)).into_response()
}

/// The proposal that an earlier request became.
fn waiting_of(status: u16, answer: &str) -> Option<ProposalId> {
    #[derive(Deserialize)]
    struct Kept {
        id: ProposalId,
    }
    let kept = serde_json::from_str::<Kept>(answer).ok();
    kept.filter(|_| status == StatusCode::ACCEPTED.as_u16())
        .map(|kept| kept.id)
}

fn replayed(status: u16, answer: String) -> Response {
    let mut response = if answer.is_empty() {
        Response::default()
    } else {
        let kind = [(header::CONTENT_TYPE, "application/json")];
        (kind, answer).into_response()
    };
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    again(response)
}

fn again(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// An intent as approvers see it.
fn shown(described: &Described, intent: &Intent) -> ProposalRequest {
    let mut secrets = Vec::new();
    // What is no JSON the handler has refused.
    let body = serde_json::from_str(&intent.body).ok().map(|mut body| {
        described.shown.take_hidden(&mut body, "", &mut secrets);
        body
    });
    ProposalRequest {
        operation: described.operation.clone(),
        method: intent.method.clone(),
        address: intent.address.clone(),
        body,
        secrets,
    }
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
