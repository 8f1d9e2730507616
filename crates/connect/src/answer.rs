//! What came back: whole and bounded, or as a stream with the same bounds.

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, TryStreamExt};
use http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use crate::{Limits, OutboundError};

/// Status and headers of an answer, with the body still to come.
#[derive(Debug)]
pub struct Answer {
    response: reqwest::Response,
    limits: Limits,
    deadline: Option<Instant>,
}

impl Answer {
    pub(crate) const fn new(
        response: reqwest::Response,
        limits: Limits,
        deadline: Option<Instant>,
    ) -> Self {
        Self {
            response,
            limits,
            deadline,
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The whole body.
    ///
    /// # Errors
    /// When it is too long, too slow, or the connection breaks.
    pub async fn bytes(self) -> Result<Bytes, OutboundError> {
        let announced = self.response.content_length();
        if announced.is_some_and(|length| length > self.limits.body as u64) {
            return Err(OutboundError::TooLarge {
                limit: self.limits.body,
            });
        }
        let mut whole = BytesMut::new();
        let mut pieces = std::pin::pin!(self.stream());
        while let Some(piece) = pieces.try_next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    /// The body as a JSON document of a known shape.
    ///
    /// # Errors
    /// As [`Answer::bytes`], and when it is not that JSON.
    pub async fn json<T: serde::de::DeserializeOwned>(self) -> Result<T, OutboundError> {
        let bytes = self.bytes().await?;
        serde_json::from_slice(&bytes).map_err(|_| OutboundError::Malformed("JSON"))
    }

    /// The body piece by piece. Ends after the first error.
    pub fn stream(self) -> impl Stream<Item = Result<Bytes, OutboundError>> + Send + 'static {
        let (limits, deadline) = (self.limits, self.deadline);
        let pieces = self.response.bytes_stream().boxed();
        let start = Some((pieces, 0_usize));
        futures::stream::unfold(start, move |state| async move {
            let (mut pieces, seen) = state?;
            let idle = Instant::now() + limits.idle;
            let until = deadline.map_or(idle, |deadline| deadline.min(idle));
            let piece = match tokio::time::timeout_at(until, pieces.next()).await {
                Err(_) => return Some((Err(OutboundError::Timeout("reading the answer")), None)),
                Ok(None) => return None,
                Ok(Some(Err(why))) => return Some((Err(OutboundError::sort(why)), None)),
                Ok(Some(Ok(piece))) => piece,
            };
            let seen = seen.saturating_add(piece.len());
            if seen > limits.body {
                let limit = limits.body;
                return Some((Err(OutboundError::TooLarge { limit }), None));
            }
            Some((Ok(piece), Some((pieces, seen))))
        })
    }
}
