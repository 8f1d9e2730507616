//! A provider's stream on its way to the gateway, event by event.
//!
//! Bytes pass unchanged, with two exceptions: an error inside the stream is replaced by a neutral one,
//! and a last chunk of counts that only we asked for is kept back. Holding an event until its blank line
//! costs nothing, because no client acts on half an event.

use std::convert::Infallible;

use bytes::{Bytes, BytesMut};
use fractal_connect::OutboundError;
use fractal_types::Wire;
use futures::{Stream, StreamExt};
use serde_json::Value;

use super::{
    fault::{Failure, from_event, neutral_event},
    meter::Meter,
};

/// An event larger than this passes unread.
const LARGEST_EVENT: usize = 8 << 20;

/// What the tap does with one event.
enum Verdict {
    Pass,
    Hide,
    Fail(Failure),
}

/// Taps a stream. The meter ends with it, or with its drop.
pub fn tap(
    wire: Wire,
    hide_usage: bool,
    meter: Meter,
    upstream: impl Stream<Item = Result<Bytes, OutboundError>> + Send + 'static,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + 'static {
    let state = Some((Box::pin(upstream), BytesMut::new(), meter));
    futures::stream::unfold(state, move |state| async move {
        let (mut upstream, mut held, mut meter) = state?;
        loop {
            let piece = match upstream.next().await {
                Some(Ok(piece)) => piece,
                Some(Err(error)) => {
                    let failure = Failure::from(&error);
                    meter.failed(&failure.fault);
                    held.clear();
                    return Some((Ok(neutral_event(wire, failure.overflow).into()), None));
                }
                None => {
                    // A last event without its blank line still counts.
                    let rest = held.split().freeze();
                    match judge(wire, hide_usage, &rest, &mut meter) {
                        Verdict::Fail(failure) => {
                            meter.failed(&failure.fault);
                            return Some((Ok(neutral_event(wire, failure.overflow).into()), None));
                        }
                        Verdict::Hide => {
                            return {
                                meter.done();
                                None
                            };
                        }
                        Verdict::Pass => meter.done(),
                    }
                    return (!rest.is_empty()).then_some((Ok(rest), None));
                }
            };
            held.extend_from_slice(&piece);
            let mut out = BytesMut::new();
            while let Some(end) = event_end(&held) {
                let event = held.split_to(end);
                match judge(wire, hide_usage, &event, &mut meter) {
                    Verdict::Pass => out.unsplit(event),
                    Verdict::Hide => {}
                    Verdict::Fail(failure) => {
                        meter.failed(&failure.fault);
                        out.extend_from_slice(neutral_event(wire, failure.overflow).as_bytes());
                        return Some((Ok(out.freeze()), None));
                    }
                }
            }
            if held.len() > LARGEST_EVENT {
                out.unsplit(held.split());
            }
            if !out.is_empty() {
                return Some((Ok(out.freeze()), Some((upstream, held, meter))));
            }
        }
    })
}

/// Where the first event ends, blank line included.
fn event_end(held: &[u8]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = held[from..].iter().position(|byte| *byte == b'\n') {
        let next = from + at + 1;
        match held.get(next..) {
            Some([b'\n', ..]) => return Some(next + 1),
            Some([b'\r', b'\n', ..]) => return Some(next + 2),
            _ => from = next,
        }
    }
    None
}

/// Reads an event if it may matter; most do not, and are not parsed.
fn judge(wire: Wire, hide_usage: bool, event: &[u8], meter: &mut Meter) -> Verdict {
    let has = |needle: &[u8]| event.windows(needle.len()).any(|window| window == needle);
    let (may_count, may_fail) = (has(b"usage"), has(b"error") || has(b"response.failed"));
    if !may_count && !may_fail {
        return Verdict::Pass;
    }
    let data: Vec<&[u8]> = event
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_prefix(b"data:"))
        .collect();
    let Ok(value) = serde_json::from_slice::<Value>(&data.concat()) else {
        return Verdict::Pass;
    };
    if may_fail
        && (value["error"].is_object()
            || value["error"].is_string()
            || value["type"] == "error"
            || value["type"] == "response.failed")
    {
        return Verdict::Fail(from_event(&value));
    }
    meter.tokens.absorb(wire, &value);
    let only_usage =
        value["usage"].is_object() && value["choices"].as_array().is_some_and(Vec::is_empty);
    if hide_usage && only_usage {
        Verdict::Hide
    } else {
        Verdict::Pass
    }
}
