//! Counts requests by the template of their route: an address itself may hold ids and secrets.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::Method;

/// The label of what is no route: the Portal's files, and what is not there.
const OTHER: &str = "other";

/// Counts a request and the time until its answer begins. Streams go on after that.
pub async fn measure(request: Request, next: Next) -> Response {
    let method = word(request.method());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = Instant::now();
    let response = next.run(request).await;
    let route = route.map_or_else(|| OTHER.to_owned(), |path| path.as_str().to_owned());
    let status = match response.status().as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    metrics::counter!("fractal_http_requests_total", "route" => route.clone(), "method" => method, "status" => status)
        .increment(1);
    metrics::histogram!("fractal_http_request_duration_seconds", "route" => route, "method" => method)
        .record(began.elapsed().as_secs_f64());
    response
}

/// Anybody may invent a method; a label must not grow by that.
fn word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => OTHER,
    }
}
