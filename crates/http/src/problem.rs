//! Errors on the wire: `application/problem+json` (RFC 9457) with a stable code.

use std::sync::Arc;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use fractal_api_types::{FieldError, Problem, ProblemCode};
use fractal_app::Waiting;
use http::{HeaderValue, StatusCode, header};

use crate::changes::DRY_RUN;

/// What every handler fails with.
#[derive(Debug)]
pub struct ApiError(pub fractal_app::Error);

impl From<fractal_app::Error> for ApiError {
    fn from(error: fractal_app::Error) -> Self {
        Self(error)
    }
}

impl ApiError {
    /// A code with its cause.
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self(fractal_app::Error::new(code).detail(detail))
    }

    /// A wrong path or query parameter.
    pub fn parameter(name: impl Into<String>, message: impl Into<String>) -> Self {
        let mut error = fractal_app::Error::new(ProblemCode::InvalidParameter);
        error.fields.push(FieldError {
            field: name.into(),
            message: message.into(),
        });
        Self(error)
    }
}

/// Says that a change was refused only because it needs approval, and may be kept as a proposal.
#[derive(Debug, Clone)]
pub struct NeedsApproval(pub Arc<Waiting>);

/// The result of a handler.
pub type ApiResult<T> = Result<T, ApiError>;

tokio::task_local! {
    /// The id of the request being handled, for problems and log lines.
    pub(crate) static REQUEST_ID: String;
}

fn request_id() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = self.0;
        if let Some(would) = error.dry_run.take() {
            let headers = [
                (DRY_RUN, HeaderValue::from_static("true")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            return (headers, axum::Json(would)).into_response();
        }
        let status =
            StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let request_id = request_id();
        log(&error, status, &request_id);
        let retry_after = error.retry_after_s;
        let problem = Problem {
            kind: format!("/docs/problems#{}", error.code.as_str()),
            title: error.code.title().to_owned(),
            status: status.as_u16(),
            code: error.code,
            detail: error.detail,
            remedy: error.remedy,
            errors: error.fields,
            request_id,
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(waiting) = error.waiting {
            response.extensions_mut().insert(NeedsApproval(waiting));
        }
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"fractal\""),
            );
        }
        response
    }
}

/// Logs an error that is told to the browser otherwise than as a problem.
pub(crate) fn log_told(error: &fractal_app::Error) {
    let status =
        StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    log(error, status, &request_id());
}

/// The whole chain is logged once, here, and only for what is our fault.
fn log(error: &fractal_app::Error, status: StatusCode, request_id: &str) {
    if !status.is_server_error() {
        tracing::debug!(
            request.id = request_id,
            problem.code = error.code.as_str(),
            "refused: {error}"
        );
        return;
    }
    let mut chain = String::new();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        chain.push_str(": ");
        chain.push_str(&cause.to_string());
        source = cause.source();
    }
    tracing::error!(
        request.id = request_id,
        problem.code = error.code.as_str(),
        "failed: {error}{chain}"
    );
}
