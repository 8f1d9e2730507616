//! Runs and sessions as server-sent events.
//!
//! `event` is the type, `id` the number for `Last-Event-ID`, `data` the event as JSON with its `type`.
//! A comment every 15 seconds keeps proxies from closing a silent stream.

use std::{convert::Infallible, time::Duration};

use axum::response::{
    IntoResponse,
    sse::{Event, KeepAlive, Sse},
};
use fractal_api_types::{ChatEvent, SessionEvent};
use futures::{Stream, StreamExt};

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A run's events as a response.
pub fn chat_events(
    events: impl Stream<Item = (u64, ChatEvent)> + Send + 'static,
) -> impl IntoResponse {
    respond(events.map(|(number, event)| {
        encode(
            Event::default().event(event.name()).id(number.to_string()),
            &event,
        )
    }))
}

/// A session's events as a response.
pub fn session_events(
    events: impl Stream<Item = SessionEvent> + Send + 'static,
) -> impl IntoResponse {
    respond(events.map(|event| {
        let name = match event {
            SessionEvent::RunStarted { .. } => "run_started",
            SessionEvent::Changed {} => "changed",
        };
        encode(Event::default().event(name), &event)
    }))
}

fn encode(event: Event, body: &impl serde::Serialize) -> Event {
    // These types serialise without fail; JSON has no raw line breaks, so the text fits one line.
    event.data(serde_json::to_string(body).unwrap_or_default())
}

fn respond(events: impl Stream<Item = Event> + Send + 'static) -> impl IntoResponse {
    let headers = [("cache-control", "no-store"), ("x-accel-buffering", "no")];
    let body = Sse::new(events.map(Ok::<_, Infallible>))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive"));
    (headers, body)
}
