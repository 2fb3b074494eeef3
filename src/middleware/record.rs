//! The record of one request, which is written exactly once: when it is dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::Body;

use crate::context::{
    ActiveLayer, CurrentRouteGuard, Incoming, NestingState, RouteId, UNMATCHED, Unmeasured,
    report_route,
};
use crate::metric::{Counter, Histogram};
use crate::middleware::endpoint::Endpoint;
use crate::middleware::grpc::GrpcStatus;
use crate::middleware::head::RequestHead;
use crate::middleware::method_label::{Verb, status_label};
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::optional_state::Notes;
use crate::middleware::outcome::Outcome;
use crate::middleware::remaining_body::Rest;
use crate::middleware::routes::RouteName;

/// One request, from the call of the service to the end of its response.
///
/// It is made in `call` and moved: into the future, then into the response's
/// body. It is never cloned. Whatever becomes of the request, the record is
/// dropped once, and only there outcome and duration are written.
///
/// It is small, since it is moved often, and finds the endpoint by its position,
/// since a handle's reference count would be one more that all threads change.
pub(super) struct Record {
    metrics: Arc<HttpMetrics>,
    started: Instant,
    /// The position of the request's endpoint.
    endpoint: usize,
    /// Of a stream, how long its head took, which tells of the service's speed; its
    /// life does not.
    until_head: Option<Duration>,
    notes: Option<Box<Notes>>,
    status: Option<StatusCode>,
    /// How it ended, once that is known; until then it is on its way.
    outcome: Option<Outcome>,
    nested: NestingState,
    /// Whether code of the wrapped service is running. If that is so in `drop`,
    /// a panic of that very code unwinds through here. Asking whether the thread
    /// panics would be wrong both ways: a panic may have been caught further out
    /// before the drop, and an unrelated one may drop a request that was fine.
    inside: bool,
    measured: bool,
}

impl Record {
    /// Begins with a request, unless it is not to be measured, or a layer further out
    /// counts it, which then learns its route.
    #[inline]
    pub(super) fn start<B>(
        metrics: &Arc<HttpMetrics>,
        arrival: Incoming,
        request: &mut Request<B>,
    ) -> Option<Self> {
        let settings = &metrics.settings;
        if !arrival.counted && settings.skip.covers(request.method(), request.uri()) {
            return None;
        }
        let verb = Verb::of(request.method());
        let head = RequestHead::of(request);
        let endpoint = metrics.endpoint(verb, &settings.routes.name(&head));
        if arrival.counted {
            let place = RouteId::of(&**metrics, endpoint.position);
            report_route(metrics.owner(), Arc::clone(&endpoint.route), place);
            return None;
        }
        endpoint.in_flight.start();
        // A guard from here on: what follows may run code of the user's.
        let mut record = Self {
            metrics: Arc::clone(metrics),
            started: settings.clock.now(),
            endpoint: endpoint.position,
            until_head: None,
            notes: None,
            status: None,
            outcome: None,
            nested: metrics
                .nested(request.extensions_mut())
                .listening(endpoint.is_makeshift),
            inside: false,
            measured: true,
        };
        record.notes = Notes::of(metrics, endpoint, record.started, request);
        Some(record)
    }

    /// Returns the counter of the bytes that the service reads.
    pub(super) fn request_bytes(&self) -> Option<Counter> {
        let endpoint = self.endpoint()?;
        Some(endpoint.request_bytes(&self.metrics.families).clone())
    }

    /// Notes that code of the wrapped service is about to run: if it panics, that is
    /// the outcome.
    #[inline]
    pub(super) fn enter(&mut self) {
        self.inside = true;
    }

    /// Notes that it has returned.
    #[inline]
    pub(super) fn leave(&mut self) {
        self.inside = false;
    }

    /// Does what [`enter`](Self::enter) does, where the code may call a layer within
    /// this one.
    #[inline]
    pub(super) fn begin(&mut self) -> (ActiveLayer, CurrentRouteGuard) {
        self.enter();
        let working = ActiveLayer::begin(self.metrics.owner(), self.nested);
        (working, self.within())
    }

    /// Lets code that answers the request find its route, until what is returned is
    /// dropped.
    #[inline]
    pub(super) fn within(&self) -> CurrentRouteGuard {
        CurrentRouteGuard::request(RouteId::of(&*self.metrics, self.endpoint))
    }

    /// Does what [`leave`](Self::leave) does, and learns what a layer within has told.
    #[inline]
    pub(super) fn end_work(&mut self, working: &ActiveLayer) {
        self.leave();
        if let Some(nested) = working.nested() {
            self.nested = nested;
            if nested.asks_for_marks() {
                self.metrics.mark_requests();
            }
        }
        if let Some(route) = working.route() {
            self.learn(&route);
        }
    }

    /// Takes over the route that an inner layer told, where there was none.
    #[cold]
    fn learn(&mut self, route: &str) {
        let Some(endpoint) = self.endpoint() else {
            return;
        };
        if endpoint.is_makeshift && route != UNMATCHED {
            // What is not known here was admitted there, and has its room already.
            let better = self
                .metrics
                .endpoint(endpoint.verb, &RouteName::asked(route.into()));
            endpoint.in_flight.move_to(&better.in_flight);
            self.endpoint = better.position;
            self.nested = self.nested.listening(better.is_makeshift);
        }
    }

    /// Notes the response's head, and returns how much of its body is to come.
    #[inline]
    pub(super) fn head<B: Body>(&mut self, response: &Response<B>) -> Rest {
        let status = response.status();
        self.status = Some(status);
        if response.extensions().get::<Unmeasured>().is_some() {
            self.measured = false;
            return Rest::Nothing;
        }
        let metrics = &*self.metrics;
        let Some(endpoint) = metrics.endpoint_at(self.endpoint) else {
            return Rest::Unknown;
        };
        let routed = &*endpoint.route != UNMATCHED;
        metrics.placement.note::<B>(routed, status);
        if let Some(notes) = &mut self.notes {
            notes.head(metrics, response);
        }
        let settings = &metrics.settings;
        if let Some(family) = &metrics.families.time_to_head {
            let took = settings.clock.since(self.started);
            let status = status_label(Some(&status), settings.status_class);
            let labels = [endpoint.verb.as_str(), &*endpoint.route, status];
            family.with_ref(labels, |seconds| seconds.observe_duration(took));
        }
        if Outcome::of_head(endpoint.verb, status) == Outcome::Upgraded {
            if let Some(upgrade) = self.notes.as_mut().and_then(|notes| notes.upgrade.take()) {
                upgrade.open(self.endpoint);
            }
            self.outcome = Some(Outcome::Upgraded);
            return Rest::Nothing;
        }
        // A body that is asked for its length runs code of its own, too.
        self.inside = true;
        let rest = Rest::of(endpoint.verb, response);
        self.inside = false;
        let is_stream = match rest {
            // The answer to a HEAD may have a stream's type, and has no life.
            Rest::Nothing => false,
            // Whoever knows how much is to come has it already.
            Rest::Bytes(_) => endpoint.streamed,
            Rest::Unknown => endpoint.streamed || is_event_stream(response),
        };
        if is_stream {
            endpoint.streams_in_flight(&metrics.families).start();
            self.until_head = Some(settings.clock.since(self.started));
        }
        rest
    }

    /// Counts bytes of the response's body as they pass.
    #[inline]
    pub(super) fn pass(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        if let Some(endpoint) = self.endpoint() {
            endpoint
                .response_bytes(&self.metrics.families)
                .inc_by(bytes);
        }
        if let Some(notes) = &mut self.notes
            && std::mem::take(&mut notes.awaits_first_byte)
        {
            self.first_byte();
        }
    }

    fn first_byte(&self) {
        let metrics = &*self.metrics;
        let (Some(family), Some(endpoint)) =
            (&metrics.families.time_to_first_byte, self.endpoint())
        else {
            return;
        };
        let took = metrics.settings.clock.since(self.started);
        let status = status_label(self.status.as_ref(), metrics.settings.status_class);
        let labels = [endpoint.verb.as_str(), &*endpoint.route, status];
        family.with_ref(labels, |seconds| seconds.observe_duration(took));
    }

    /// Notes that all bytes of the body have passed, and returns true when nothing that
    /// decides how the request ended is to follow them.
    #[inline]
    pub(super) fn has_passed(&mut self) -> bool {
        let Some(notes) = &mut self.notes else {
            return true;
        };
        notes.passed = true;
        !notes.grpc.is_some_and(GrpcStatus::is_awaited)
    }

    /// Notes what follows the response's body.
    pub(super) fn trailers(&mut self, trailers: &HeaderMap) {
        if let Some(notes) = &mut self.notes {
            notes.trailers(trailers);
        }
    }

    /// Ends the record of a response whose body has passed whole.
    #[inline]
    pub(super) fn complete(mut self) {
        if self.outcome.is_none() {
            self.outcome = self.completed();
        }
    }

    /// Returns how a request ended whose response has passed whole, if there was one.
    fn completed(&self) -> Option<Outcome> {
        let call = self.notes.as_ref().and_then(|notes| notes.grpc);
        match (call, self.status?) {
            (Some(call), StatusCode::OK) => Some(call.outcome()),
            (_, status) => Some(Outcome::of_status(status)),
        }
    }

    /// Ends the record with an outcome.
    pub(super) fn end(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// Writes outcome and duration; only `drop` calls this.
    #[inline]
    fn write(&self, endpoint: &Endpoint) {
        let metrics = &*self.metrics;
        let life = metrics.settings.clock.since(self.started);
        let duration = self.until_head.unwrap_or(life);
        let outcome = self.outcome();
        self.with_series(endpoint, outcome, |requests, seconds| {
            requests.inc();
            match self.notes.as_ref().and_then(|notes| notes.trace.as_deref()) {
                None => seconds.observe_duration(duration),
                Some(trace) => {
                    let labels = [("trace_id", trace)];
                    seconds.observe_with_exemplar(duration.as_secs_f64(), &labels);
                }
            }
        });
        if let Some(level) = &endpoint.level {
            level.count(outcome, duration, self.until_head.is_some());
        }
        if self.until_head.is_some() {
            endpoint
                .stream_duration(&metrics.families)
                .observe_duration(life);
            endpoint.streams_in_flight(&metrics.families).finish();
        }
    }

    /// Lends the series of how the request ended.
    #[inline]
    fn with_series(
        &self,
        endpoint: &Endpoint,
        outcome: Outcome,
        write: impl FnOnce(&Counter, &Histogram),
    ) {
        let metrics = &*self.metrics;
        let own = &metrics.settings.own;
        match &self.notes {
            Some(notes) if !own.is_empty() => {
                let own = own.iter().enumerate();
                let own = own.map(|(at, own)| notes.value(at, &own.source, outcome));
                metrics.with_own(endpoint, self.status.as_ref(), outcome, own, write);
            }
            _ => {
                let ending = metrics.ending(endpoint, self.status, outcome);
                write(&ending.requests, &ending.duration);
            }
        }
    }

    fn outcome(&self) -> Outcome {
        if self.inside {
            return Outcome::Panic;
        }
        // Nothing but trailers is missing, for which not every server asks.
        let passed = self.notes.as_ref().is_some_and(|notes| notes.passed);
        let completed = if passed { self.completed() } else { None };
        match (self.outcome.or(completed), self.status) {
            (Some(outcome), _) => outcome,
            (None, Some(_)) => Outcome::CancelledInBody,
            (None, None) => Outcome::CancelledBeforeHead,
        }
    }

    #[inline]
    fn endpoint(&self) -> Option<&Endpoint> {
        self.metrics.endpoint_at(self.endpoint)
    }
}

impl Drop for Record {
    #[inline]
    fn drop(&mut self) {
        // There always is one.
        if let Some(endpoint) = self.endpoint() {
            if self.measured {
                self.write(endpoint);
            }
            // Last, so that a scrape sees the request as under way or as ended, and
            // never as neither.
            endpoint.in_flight.finish();
        }
    }
}

fn is_event_stream<B>(response: &Response<B>) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    let content_type = response.headers().get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.as_bytes().get(..EVENT_STREAM.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM))
}
