//! The record of one request, which is written exactly once: when it is dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Request, Response, StatusCode, header};
use http_body::Body;

use crate::context::{Nested, Route, Unmeasured, within};
use crate::metric::{Counter, Gauge};
use crate::middleware::labels::method_label;
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::outcome::Outcome;

/// One request, from the call of the service to the end of its response.
///
/// It is made in `call` and moved: into the future, then into the response's
/// body. It is never cloned. Whatever becomes of the request, the record is
/// dropped once, and only there outcome and duration are written.
#[derive(Debug)]
pub(super) struct Record {
    metrics: Arc<HttpMetrics>,
    in_flight: Gauge,
    started: Instant,
    method: &'static str,
    route: Route,
    nested: Nested,
    status: Option<StatusCode>,
    /// How it ended, once that is known; until then it is on its way.
    outcome: Option<Outcome>,
    /// What is known besides, if the response is a stream.
    stream: Option<Stream>,
    /// Whether code of the wrapped service is running. If that is so in `drop`,
    /// a panic of that very code unwinds through here. Asking whether the thread
    /// panics would be wrong both ways: a panic may have been caught further out
    /// before the drop, and an unrelated one may drop a request that was fine.
    inside: bool,
    measured: bool,
}

/// A response that goes on for as long as the client listens.
#[derive(Debug)]
struct Stream {
    /// How long its head took, which tells of the service's speed; its life does
    /// not.
    until_head: Duration,
    in_flight: Gauge,
}

impl Record {
    pub(super) fn start<B>(metrics: Arc<HttpMetrics>, request: &mut Request<B>) -> Self {
        let method = method_label(request.method());
        let route = Route::of(request.extensions());
        let in_flight = metrics.in_flight.with([method, route.as_str()]);
        in_flight.inc();
        Self {
            metrics,
            in_flight,
            started: Instant::now(),
            method,
            route,
            nested: Nested::of(request.extensions_mut()),
            status: None,
            outcome: None,
            stream: None,
            inside: false,
            measured: true,
        }
    }

    /// Returns the counter of the bytes that the service reads.
    pub(super) fn request_bytes(&self) -> Counter {
        let labels = [self.method, self.route.as_str()];
        self.metrics.request_bytes.with(labels)
    }

    /// Runs code of the wrapped service; if it panics, that is the outcome.
    pub(super) fn run<T>(record: &mut Option<Self>, inner: impl FnOnce() -> T) -> T {
        if let Some(record) = record {
            record.inside = true;
        }
        let result = inner();
        if let Some(record) = record {
            record.inside = false;
        }
        result
    }

    /// Runs code of the wrapped service that may call a layer within it.
    pub(super) fn run_within<T>(record: &mut Option<Self>, inner: impl FnOnce() -> T) -> T {
        let Some(own) = record else {
            return inner();
        };
        own.inside = true;
        let result = within(own.metrics.owner(), &mut own.nested, inner);
        own.inside = false;
        if own.route.is_unmatched()
            && let Some(route) = own.nested.route()
        {
            own.route = route.clone();
        }
        result
    }

    /// Notes the response's head, and returns how much of its body is to come.
    pub(super) fn head<B: Body>(&mut self, response: &Response<B>) -> Rest {
        let status = response.status();
        self.status = Some(status);
        if response.extensions().get::<Unmeasured>().is_some() {
            self.measured = false;
            return Rest::Nothing;
        }
        self.metrics.placement.note::<B>(&self.route, status);
        let connected = self.method == "CONNECT" && status.is_success();
        if connected || status == StatusCode::SWITCHING_PROTOCOLS {
            self.outcome = Some(Outcome::Upgraded);
            return Rest::Nothing;
        }
        // A body that is asked for its length runs code of its own, too.
        self.inside = true;
        let rest = Rest::of(self.method, response);
        self.inside = false;
        // The answer to a HEAD may have a stream's type, and has no life.
        if rest != Rest::Nothing && is_event_stream(response) {
            self.stream = Some(self.begin_stream());
        }
        rest
    }

    fn begin_stream(&self) -> Stream {
        let labels = [self.method, self.route.as_str()];
        let in_flight = self.metrics.streams_in_flight.with(labels);
        in_flight.inc();
        Stream {
            until_head: self.started.elapsed(),
            in_flight,
        }
    }

    /// Counts bytes of the response's body as they pass.
    pub(super) fn pass(&self, bytes: usize) {
        if self.measured && bytes > 0 {
            let labels = [self.method, self.route.as_str()];
            let counters = &self.metrics.response_bytes;
            counters.record(labels, |counter| counter.inc_by(bytes));
        }
    }

    /// Ends the record of a response whose body has passed whole.
    pub(super) fn complete(mut self) {
        if self.outcome.is_none() {
            self.outcome = self.status.map(Outcome::of_status);
        }
    }

    /// Ends the record with an outcome.
    pub(super) fn end(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// Writes outcome and duration; only `drop` calls this.
    fn write(&self) {
        let life = self.started.elapsed();
        let duration = self
            .stream
            .as_ref()
            .map_or(life, |stream| stream.until_head);
        let outcome = self.outcome().as_str();
        let (method, route) = (self.method, self.route.as_str());
        let status = self.status.as_ref().map_or("none", StatusCode::as_str);
        let metrics = &self.metrics;
        metrics
            .requests
            .record([method, route, status, outcome], Counter::inc);
        metrics.duration.record([method, route, status], |seconds| {
            seconds.observe_duration(duration);
        });
        if let Some(stream) = &self.stream {
            metrics.stream_duration.record([method, route], |seconds| {
                seconds.observe_duration(life);
            });
            stream.in_flight.dec();
        }
    }

    fn outcome(&self) -> Outcome {
        match (self.outcome, self.status) {
            _ if self.inside => Outcome::Panic,
            (Some(outcome), _) => outcome,
            (None, Some(_)) => Outcome::CancelledInBody,
            (None, None) => Outcome::CancelledBeforeHead,
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        if self.measured {
            self.write();
        }
        // Last, so that a scrape sees the request as under way or as ended, and
        // never as neither.
        self.in_flight.dec();
    }
}

/// How much of a response's body is to come, as far as that can be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// Nothing that counts: HTTP has no body here, or it has passed.
    Nothing,
    /// After this many bytes hyper stops polling, and never sees the body's end.
    Bytes(u64),
    /// The body says when it ends.
    Unknown,
}

impl Rest {
    fn of<B: Body>(method: &str, response: &Response<B>) -> Self {
        let body = response.body();
        let bodiless = method == "HEAD"
            || response.status().is_informational()
            || matches!(
                response.status(),
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
            );
        if bodiless || body.is_end_stream() {
            return Self::Nothing;
        }
        // As hyper does: the body's own word, or else the head's.
        match body.size_hint().exact().or(declared_length(response)) {
            Some(0) => Self::Nothing,
            Some(bytes) => Self::Bytes(bytes),
            None => Self::Unknown,
        }
    }

    /// Takes away what has passed.
    pub(super) fn pass(&mut self, bytes: usize) {
        if let Self::Bytes(rest) = self {
            *self = match rest.saturating_sub(bytes as u64) {
                0 => Self::Nothing,
                rest => Self::Bytes(rest),
            };
        }
    }
}

fn declared_length<B>(response: &Response<B>) -> Option<u64> {
    let length = response.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    let content_type = response.headers().get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.as_bytes().get(..EVENT_STREAM.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM))
}
