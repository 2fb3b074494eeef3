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
use crate::middleware::grpc_status::GrpcStatus;
use crate::middleware::head::RequestHead;
use crate::middleware::http_labels::{MethodLabel, status_label};
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::optional_state::OptionalState;
use crate::middleware::outcome::Outcome;
use crate::middleware::remaining_body::RemainingBody;
use crate::middleware::route_name::RouteName;

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
    time_to_head: Option<Duration>,
    optional: Option<Box<OptionalState>>,
    status: Option<StatusCode>,
    /// How it ended, once that is known; until then it is on its way.
    outcome: Option<Outcome>,
    nesting: NestingState,
    /// Whether code of the wrapped service is running. If that is so in `drop`,
    /// a panic of that very code unwinds through here. Asking whether the thread
    /// panics would be wrong both ways: a panic may have been caught further out
    /// before the drop, and an unrelated one may drop a request that was fine.
    inside: bool,
    is_measured: bool,
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
        if !arrival.is_counted && settings.skip.matches(request.method(), request.uri()) {
            return None;
        }
        let verb = MethodLabel::from_method(request.method());
        let head = RequestHead::from_request(request);
        let endpoint = metrics.endpoint(verb, &settings.route_naming.name(&head));
        if arrival.is_counted {
            let place = RouteId::new(&**metrics, endpoint.position);
            report_route(metrics.metrics_id(), Arc::clone(&endpoint.route), place);
            return None;
        }
        endpoint.in_flight.start();
        // A guard from here on: what follows may run code of the user's.
        let mut record = Self {
            metrics: Arc::clone(metrics),
            started: settings.clock.now(),
            endpoint: endpoint.position,
            time_to_head: None,
            optional: None,
            status: None,
            outcome: None,
            nesting: metrics
                .nesting_state(request.extensions_mut())
                .with_needs_route(endpoint.is_fallback),
            inside: false,
            is_measured: true,
        };
        record.optional = OptionalState::for_request(metrics, endpoint, record.started, request);
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
    pub(super) fn enter_service(&mut self) -> (ActiveLayer, CurrentRouteGuard) {
        self.enter();
        let working = ActiveLayer::enter(self.metrics.metrics_id(), self.nesting);
        (working, self.within())
    }

    /// Lets code that answers the request find its route, until what is returned is
    /// dropped.
    #[inline]
    pub(super) fn within(&self) -> CurrentRouteGuard {
        CurrentRouteGuard::enter(RouteId::new(&*self.metrics, self.endpoint))
    }

    /// Does what [`leave`](Self::leave) does, and learns what a layer within has told.
    #[inline]
    pub(super) fn exit_service(&mut self, working: &ActiveLayer) {
        self.leave();
        if let Some(nested) = working.nesting_state() {
            self.nesting = nested;
            if nested.needs_marks() {
                self.metrics.mark_requests();
            }
        }
        if let Some(route) = working.reported_route() {
            self.adopt_route(&route);
        }
    }

    /// Takes over the route that an inner layer told, where there was none.
    #[cold]
    fn adopt_route(&mut self, route: &str) {
        let Some(endpoint) = self.endpoint() else {
            return;
        };
        if endpoint.is_fallback && route != UNMATCHED {
            // What is not known here was admitted there, and has its room already.
            let better = self
                .metrics
                .endpoint(endpoint.method, &RouteName::untrusted(route.into()));
            endpoint.in_flight.move_to(&better.in_flight);
            self.endpoint = better.position;
            self.nesting = self.nesting.with_needs_route(better.is_fallback);
        }
    }

    /// Notes the response's head, and returns how much of its body is to come.
    #[inline]
    pub(super) fn on_head<B: Body>(&mut self, response: &Response<B>) -> RemainingBody {
        let status = response.status();
        self.status = Some(status);
        if response.extensions().get::<Unmeasured>().is_some() {
            self.is_measured = false;
            return RemainingBody::Nothing;
        }
        let metrics = &*self.metrics;
        let Some(endpoint) = metrics.endpoint_at(self.endpoint) else {
            return RemainingBody::Unknown;
        };
        let routed = &*endpoint.route != UNMATCHED;
        metrics.placement.record_response::<B>(routed, status);
        if let Some(notes) = &mut self.optional {
            notes.on_head(metrics, response);
        }
        let settings = &metrics.settings;
        if let Some(family) = &metrics.families.time_to_head {
            let took = settings.clock.since(self.started);
            let status = status_label(Some(&status), settings.status_class);
            let labels = [endpoint.method.as_str(), &*endpoint.route, status];
            family.with_ref(labels, |seconds| seconds.observe_duration(took));
        }
        if Outcome::from_head(endpoint.method, status) == Outcome::Upgraded {
            if let Some(upgrade) = self
                .optional
                .as_mut()
                .and_then(|notes| notes.upgrade.take())
            {
                upgrade.open(self.endpoint);
            }
            self.outcome = Some(Outcome::Upgraded);
            return RemainingBody::Nothing;
        }
        // A body that is asked for its length runs code of its own, too.
        self.inside = true;
        let rest = RemainingBody::from_response(endpoint.method, response);
        self.inside = false;
        let is_stream = match rest {
            // The answer to a HEAD may have a stream's type, and has no life.
            RemainingBody::Nothing => false,
            // Whoever knows how much is to come has it already.
            RemainingBody::Bytes(_) => endpoint.is_stream,
            RemainingBody::Unknown => endpoint.is_stream || is_event_stream(response),
        };
        if is_stream {
            endpoint.streams_in_flight(&metrics.families).start();
            self.time_to_head = Some(settings.clock.since(self.started));
        }
        rest
    }

    /// Counts bytes of the response's body as they pass.
    #[inline]
    pub(super) fn add_response_bytes(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        if let Some(endpoint) = self.endpoint() {
            endpoint
                .response_bytes(&self.metrics.families)
                .inc_by(bytes);
        }
        if let Some(notes) = &mut self.optional
            && std::mem::take(&mut notes.is_first_byte_pending)
        {
            self.observe_first_byte();
        }
    }

    fn observe_first_byte(&self) {
        let metrics = &*self.metrics;
        let (Some(family), Some(endpoint)) =
            (&metrics.families.time_to_first_byte, self.endpoint())
        else {
            return;
        };
        let took = metrics.settings.clock.since(self.started);
        let status = status_label(self.status.as_ref(), metrics.settings.status_class);
        let labels = [endpoint.method.as_str(), &*endpoint.route, status];
        family.with_ref(labels, |seconds| seconds.observe_duration(took));
    }

    /// Notes that all bytes of the body have passed, and returns true when nothing that
    /// decides how the request ended is to follow them.
    #[inline]
    pub(super) fn on_body_sent(&mut self) -> bool {
        let Some(notes) = &mut self.optional else {
            return true;
        };
        notes.is_body_sent = true;
        !notes.grpc_status.is_some_and(GrpcStatus::is_pending)
    }

    /// Notes what follows the response's body.
    pub(super) fn on_trailers(&mut self, trailers: &HeaderMap) {
        if let Some(notes) = &mut self.optional {
            notes.on_headers(trailers);
        }
    }

    /// Ends the record of a response whose body has passed whole.
    #[inline]
    pub(super) fn finish(mut self) {
        if self.outcome.is_none() {
            self.outcome = self.complete_outcome();
        }
    }

    /// Returns how a request ended whose response has passed whole, if there was one.
    fn complete_outcome(&self) -> Option<Outcome> {
        let call = self.optional.as_ref().and_then(|notes| notes.grpc_status);
        match (call, self.status?) {
            (Some(call), StatusCode::OK) => Some(call.outcome()),
            (_, status) => Some(Outcome::from_status(status)),
        }
    }

    /// Ends the record with an outcome.
    pub(super) fn finish_with(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// Writes outcome and duration; only `drop` calls this.
    #[inline]
    fn write(&self, endpoint: &Endpoint) {
        let metrics = &*self.metrics;
        let life = metrics.settings.clock.since(self.started);
        let duration = self.time_to_head.unwrap_or(life);
        let outcome = self.outcome();
        self.with_series(endpoint, outcome, |requests, seconds| {
            requests.inc();
            match self
                .optional
                .as_ref()
                .and_then(|notes| notes.trace_id.as_deref())
            {
                None => seconds.observe_duration(duration),
                Some(trace) => {
                    let labels = [("trace_id", trace)];
                    seconds.observe_with_exemplar(duration.as_secs_f64(), &labels);
                }
            }
        });
        if let Some(level) = &endpoint.service_level {
            level.record(outcome, duration, self.time_to_head.is_some());
        }
        if self.time_to_head.is_some() {
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
        let own = &metrics.settings.custom_labels;
        match &self.optional {
            Some(notes) if !own.is_empty() => {
                let own = own.iter().enumerate();
                let own = own.map(|(at, own)| notes.label_value(at, &own.source, outcome));
                metrics.with_custom_labels(endpoint, self.status.as_ref(), outcome, own, write);
            }
            _ => {
                let ending = metrics.outcome_series(endpoint, self.status, outcome);
                write(&ending.requests, &ending.duration);
            }
        }
    }

    fn outcome(&self) -> Outcome {
        if self.inside {
            return Outcome::Panic;
        }
        // Nothing but trailers is missing, for which not every server asks.
        let passed = self
            .optional
            .as_ref()
            .is_some_and(|notes| notes.is_body_sent);
        let completed = if passed {
            self.complete_outcome()
        } else {
            None
        };
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
            if self.is_measured {
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
