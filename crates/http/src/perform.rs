//! Carrying out what was asked for before: the API, called from inside as somebody.

use async_trait::async_trait;
use axum::{
    Router,
    body::{Body, to_bytes},
    response::Response,
};
use fractal_api_types::{Problem, ProblemCode};
use fractal_app::{
    Context,
    proposal::{Intent, Performed},
};
use http::{Request, header};
use secrecy::SecretString;
use tower::ServiceExt;

use crate::{Server, api, changes::DRY_RUN};

/// Who calls, when the call comes from inside. No request from outside carries it: it is no header.
#[derive(Debug, Clone)]
pub struct Acting(pub Context);

/// Calls the API without a connection. What guards connections (hosts, origins, sign-in) is behind us already: the context says who acts.
#[derive(Debug, Clone)]
pub struct Performer {
    router: Router,
}

impl Performer {
    /// Over the same use cases.
    #[must_use]
    pub fn new(server: Server) -> Self {
        let (router, _) = api().split_for_parts();
        Self {
            router: router.with_state(server),
        }
    }
}

#[async_trait]
impl fractal_app::proposal::Performer for Performer {
    async fn perform(&self, cx: Context, intent: &Intent) -> Performed {
        let request = Request::builder()
            .method(intent.method.as_str())
            .uri(intent.address.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .extension(Acting(cx))
            .body(Body::from(intent.body.clone()));
        match request {
            Ok(request) => {
                let Ok(response) = self.router.clone().oneshot(request).await;
                performed(response).await
            }
            Err(error) => Performed::Failed {
                code: ProblemCode::Internal,
                detail: format!("what was asked for cannot be read any more: {error}"),
            },
        }
    }
}

async fn performed(response: Response) -> Performed {
    let (head, body) = response.into_parts();
    // Answers of our own, and one JSON document each.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let unreadable = |error: &dyn std::fmt::Display| Performed::Failed {
        code: ProblemCode::Internal,
        detail: format!("the answer cannot be read: {error}"),
    };
    if head.headers.contains_key(&DRY_RUN) {
        return serde_json::from_slice(&body).map_or_else(
            |error| unreadable(&error),
            |would| Performed::Tried(Box::new(would)),
        );
    }
    if head.status.is_success() {
        return String::from_utf8(body.into()).map_or_else(
            |error| unreadable(&error),
            |text| Performed::Done(SecretString::from(text)),
        );
    }
    match serde_json::from_slice::<Problem>(&body) {
        Ok(problem) => Performed::Failed {
            code: problem.code,
            detail: words(&problem),
        },
        Err(error) => unreadable(&error),
    }
}

/// A problem in one line.
fn words(problem: &Problem) -> String {
    let mut words = problem
        .detail
        .clone()
        .unwrap_or_else(|| problem.title.clone());
    for wrong in &problem.errors {
        words.push_str(&format!("; {} {}", wrong.field, wrong.message));
    }
    words
}
