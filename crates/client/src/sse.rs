//! Server-sent events as typed items.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use eventsource_stream::{Event, EventStreamError, Eventsource};
use futures::{Stream, StreamExt, stream::BoxStream};
use reqwest::Response;
use serde::de::DeserializeOwned;

use crate::{Error, Result};

pub(crate) type RawEvents = BoxStream<'static, Result<Event>>;

/// The events of an answer as they come, undecoded.
pub(crate) fn raw_events(response: Response) -> RawEvents {
    response
        .bytes_stream()
        .eventsource()
        .map(|event| {
            event.map_err(|error| match error {
                EventStreamError::Transport(error) => Error::Transport(error.without_url()),
                other => Error::Stream(other.to_string()),
            })
        })
        .boxed()
}

/// A live stream of typed events. It ends when the server ends it.
pub struct EventStream<T> {
    inner: BoxStream<'static, Result<T>>,
}

impl<T: DeserializeOwned + Send + 'static> EventStream<T> {
    /// Reads the events called `name` (all, when `None`) and passes over the others, so that a newer server may
    /// send more kinds than we know.
    pub(crate) fn of(response: Response, name: Option<&'static str>) -> Self {
        let inner = raw_events(response)
            .filter_map(move |event| async move {
                match event {
                    Ok(event) if name.is_some_and(|name| event.event != name) => None,
                    Ok(event) => Some(
                        serde_json::from_str(&event.data)
                            .map_err(|error| Error::Stream(error.to_string())),
                    ),
                    Err(error) => Some(Err(error)),
                }
            })
            .boxed();
        Self { inner }
    }
}

impl<T> Stream for EventStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.inner.poll_next_unpin(context)
    }
}

impl<T> std::fmt::Debug for EventStream<T> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("EventStream").finish_non_exhaustive()
    }
}
