//! The record of one request, which is written exactly once: when it is dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body::Body;

use crate::context::{CurrentRouteGuard, PanicFlag, RouteKind, Unmeasured, leave_slot};
use crate::metric::{Counter, DynFamily, Histogram};
use crate::middleware::endpoint::Endpoint;
use crate::middleware::grpc_status::GrpcStatus;
use crate::middleware::http_labels::status_label;
use crate::middleware::optional_state::OptionalState;
use crate::middleware::outcome::Outcome;
use crate::middleware::placement::is_axum_body;
use crate::middleware::remaining_body::RemainingBody;
use crate::middleware::request_bytes::RequestBytes;
use crate::middleware::request_end::RequestEnd;
use crate::middleware::service_state::ServiceState;
use crate::middleware::trace_id::TraceId;
use crate::middleware::unrouted::Unrouted;

/// One request, from the call of the service to the end of its response.
///
/// It is made in `call` and moved: into the future, then into the response's
/// body. It is never cloned. Whatever becomes of the request, the record is
/// dropped once, and only then are outcome and duration written.
///
/// It is small, because it is moved often. What few requests need is in the optional state.
pub(super) struct Record {
    endpoint: Arc<Endpoint>,
    started: Instant,
    optional: Option<Box<OptionalState>>,
    status: Option<StatusCode>,
    /// How the request ended, once that is known.
    outcome: Option<Outcome>,
    panic_flag: PanicFlag,
    is_measured: bool,
    /// Whether the request may have a body whose bytes are not counted.
    has_unmeasured_body: bool,
}

impl Record {
    /// Starts the record of a request. Leaves a slot for its route, if that is not known.
    #[inline]
    pub(super) fn start<B>(
        state: &Arc<ServiceState>,
        endpoint: Arc<Endpoint>,
        kind: RouteKind,
        request: &mut Request<B>,
    ) -> Self {
        endpoint.in_flight.start();
        // Made before the optional state: if that panics, the drop ends the request.
        let mut record = Self {
            started: endpoint.metrics.settings.clock.now(),
            endpoint,
            optional: None,
            status: None,
            outcome: None,
            panic_flag: PanicFlag::default(),
            is_measured: true,
            has_unmeasured_body: false,
        };
        record.optional = OptionalState::for_request(&record.endpoint, record.started, request);
        if kind != RouteKind::Named {
            let slot = leave_slot(request.extensions_mut(), &record.endpoint.metrics.id);
            let unrouted = Unrouted::new(state, slot, kind);
            record.optional_state().unrouted = Some(unrouted);
        }
        record
    }

    #[cold]
    fn optional_state(&mut self) -> &mut OptionalState {
        self.optional.get_or_insert_default()
    }

    /// Returns what counts the bytes that the service reads.
    pub(super) fn request_bytes(&mut self) -> RequestBytes {
        let endpoint = Arc::clone(&self.endpoint);
        let Some(optional) = &mut self.optional else {
            return RequestBytes::new(endpoint);
        };
        let unrouted = optional.unrouted.clone();
        let is_size_needed = endpoint.metrics.families.body_sizes.is_some()
            || endpoint.metrics.settings.on_request_end.is_some()
            || unrouted.as_ref().is_some_and(Unrouted::is_skipped);
        let size = is_size_needed.then(|| optional.body_sizes.start_request());
        RequestBytes::with_optional_state(endpoint, unrouted, size)
    }

    /// Notes that the request may have a body whose bytes are not counted.
    pub(super) fn note_unmeasured_body(&mut self) {
        self.has_unmeasured_body = true;
    }

    /// Code of the wrapped service, or of the response's body, is about to run.
    #[inline]
    pub(super) fn enter(&mut self) -> CurrentRouteGuard {
        self.panic_flag.enter();
        CurrentRouteGuard::enter(self.endpoint.route_id)
    }

    /// Code of the service has returned, in which a layer further in may have written a route.
    #[inline]
    pub(super) fn exit_service(&mut self) {
        self.panic_flag.exit();
        if self.optional.is_some() {
            self.adopt_route();
        }
    }

    /// Code of the response's body has returned.
    #[inline]
    pub(super) fn exit_body(&mut self, guard: CurrentRouteGuard) {
        drop(guard);
        self.panic_flag.exit();
    }

    /// Moves the request to the route that a layer further in wrote, if it has none yet.
    fn adopt_route(&mut self) {
        self.move_to(Unrouted::endpoint_from_slot);
    }

    /// Moves the request to another endpoint, if `choose` returns one.
    fn move_to(&mut self, choose: impl FnOnce(&mut Unrouted, &Endpoint) -> Option<Arc<Endpoint>>) {
        let optional = self.optional.as_mut();
        let Some(unrouted) = optional.and_then(|optional| optional.unrouted.as_mut()) else {
            return;
        };
        if let Some(endpoint) = choose(unrouted, &self.endpoint) {
            self.endpoint.in_flight.move_to(&endpoint.in_flight);
            self.endpoint = endpoint;
        }
    }

    /// Records the response's head, and returns how many bytes of the body to expect.
    #[inline]
    pub(super) fn on_head<B: Body>(&mut self, response: &mut Response<B>) -> RemainingBody {
        let status = response.status();
        self.status = Some(status);
        if response.extensions().get::<Unmeasured>().is_some() {
            self.is_measured = false;
            return RemainingBody::Nothing;
        }
        if self.optional.is_some() {
            self.on_head_with_optional_state(response);
            if !self.is_measured {
                return RemainingBody::Nothing;
            }
        } else {
            self.endpoint.metrics.placement.record_with_route();
        }
        let endpoint = &*self.endpoint;
        let metrics = &*endpoint.metrics;
        if metrics.families.time_to_head.is_some() {
            self.observe_head();
        }
        if Outcome::from_head(endpoint.method, status) == Outcome::Upgraded {
            return self.on_upgrade();
        }
        // This calls the body's `size_hint` and `is_end_stream`, which may panic, too.
        let remaining = self
            .panic_flag
            .run(|| RemainingBody::from_response(endpoint.method, response));
        let is_stream = match remaining {
            // The response to a HEAD may have a stream's type, but has no body.
            RemainingBody::Nothing => false,
            // A body of known length exists already, so it is not streamed.
            RemainingBody::Bytes(_) => endpoint.is_stream,
            RemainingBody::Unknown => endpoint.is_stream || is_event_stream(response.headers()),
        };
        if is_stream {
            self.start_stream();
        }
        remaining
    }

    #[cold]
    fn on_head_with_optional_state<B>(&mut self, response: &mut Response<B>) {
        let optional = self.optional.as_ref();
        match optional.and_then(|optional| optional.unrouted.as_ref()) {
            Some(unrouted) => unrouted.record_placement(response.status(), is_axum_body::<B>()),
            None => self.endpoint.metrics.placement.record_with_route(),
        }
        self.move_to(|unrouted, endpoint| {
            unrouted.answered_endpoint(endpoint, Some(response.status()))
        });
        let optional = self.optional.as_ref();
        let unrouted = optional.and_then(|optional| optional.unrouted.as_ref());
        if unrouted.is_some_and(Unrouted::is_skipped) {
            self.is_measured = false;
            return;
        }
        if let Some(optional) = &mut self.optional {
            let metrics = &*self.endpoint.metrics;
            optional.on_head(metrics, response);
            if metrics.settings.on_request_end.is_some() {
                optional.time_to_head = Some(metrics.settings.clock.since(self.started));
            }
        }
    }

    #[cold]
    fn observe_head(&self) {
        if let Some(family) = &self.endpoint.metrics.families.time_to_head {
            self.observe_since_start(family);
        }
    }

    #[cold]
    fn on_upgrade(&mut self) -> RemainingBody {
        let optional = self.optional.as_mut();
        if let Some(upgrade) = optional.and_then(|optional| optional.upgrade.take()) {
            upgrade.open(&self.endpoint);
        }
        self.outcome = Some(Outcome::Upgraded);
        RemainingBody::Nothing
    }

    #[cold]
    fn start_stream(&mut self) {
        self.endpoint.streams_in_flight().start();
        let known = self
            .optional
            .as_ref()
            .and_then(|optional| optional.time_to_head);
        let clock = &self.endpoint.metrics.settings.clock;
        let elapsed = known.unwrap_or_else(|| clock.since(self.started));
        self.optional_state().stream_time_to_head = Some(elapsed);
    }

    /// Counts bytes of the response's body.
    #[inline]
    pub(super) fn add_response_bytes(&mut self, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.endpoint.response_bytes().inc_by(bytes);
        if let Some(optional) = &mut self.optional {
            optional.body_sizes.response += bytes as u64;
            if std::mem::take(&mut optional.is_first_byte_pending) {
                self.observe_first_byte();
            }
        }
    }

    #[cold]
    fn observe_first_byte(&self) {
        if let Some(family) = &self.endpoint.metrics.families.time_to_first_byte {
            self.observe_since_start(family);
        }
    }

    /// Observes the time since the request started in a family with the status.
    fn observe_since_start(&self, family: &DynFamily<Histogram>) {
        let endpoint = &*self.endpoint;
        let settings = &endpoint.metrics.settings;
        let elapsed = settings.clock.since(self.started);
        let status = status_label(self.status.as_ref(), settings.status_class);
        let labels = &mut [endpoint.method_name(), &*endpoint.route, status];
        family.with_ref(labels, |series, _| series.observe_duration(elapsed));
    }

    /// Records that all bytes of the body were sent. Returns true if trailers are not needed
    /// to decide how the request ended.
    #[inline]
    pub(super) fn on_body_sent(&mut self) -> bool {
        let Some(optional) = &mut self.optional else {
            return true;
        };
        optional.is_body_sent = true;
        !optional.grpc_status.is_some_and(GrpcStatus::is_pending)
    }

    /// Records the trailers of the response's body.
    pub(super) fn on_trailers(&mut self, trailers: &HeaderMap) {
        if let Some(optional) = &mut self.optional {
            optional.on_headers(trailers);
        }
    }

    /// Finishes the record of a response that was sent completely.
    #[inline]
    pub(super) fn finish(mut self) {
        if self.outcome.is_none() {
            self.outcome = self.complete_outcome();
        }
    }

    /// Returns the outcome of a response that was sent completely, if there was a response.
    #[inline]
    fn complete_outcome(&self) -> Option<Outcome> {
        let status = self.status?;
        if let Some(optional) = &self.optional
            && let (Some(grpc_status), StatusCode::OK) = (optional.grpc_status, status)
        {
            return Some(grpc_status.outcome());
        }
        Some(Outcome::from_status(status))
    }

    /// Finishes the record with an outcome.
    pub(super) fn finish_with(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// Writes outcome and duration. Only `drop` calls this.
    #[inline]
    fn write(&mut self) {
        let endpoint = &*self.endpoint;
        let elapsed = endpoint.metrics.settings.clock.since(self.started);
        let outcome = self.outcome();
        if self.optional.is_some() {
            self.write_with_optional_state(outcome, elapsed);
        } else {
            let series = endpoint.outcome_series(self.status, outcome);
            series.requests.inc();
            series.duration.observe_duration(elapsed);
            if let Some(service_level) = &endpoint.service_level {
                service_level.record(outcome, elapsed, false);
            }
        }
        if self.has_unmeasured_body {
            self.endpoint.unmeasured_request_bodies().inc();
        }
    }

    #[cold]
    fn write_with_optional_state(&mut self, outcome: Outcome, elapsed: Duration) {
        let Some(optional) = &self.optional else {
            return;
        };
        let endpoint = &*self.endpoint;
        let duration = optional.stream_time_to_head.unwrap_or(elapsed);
        self.with_series(optional, outcome, |requests, seconds| {
            requests.inc();
            match optional.trace_id.as_ref().map(TraceId::as_str) {
                None => seconds.observe_duration(duration),
                Some(trace_id) => {
                    let labels = [("trace_id", trace_id)];
                    seconds.observe_with_exemplar(duration.as_secs_f64(), &labels);
                }
            }
        });
        let is_stream = optional.stream_time_to_head.is_some();
        if let Some(service_level) = &endpoint.service_level {
            service_level.record(outcome, duration, is_stream);
        }
        if is_stream {
            endpoint.stream_duration().observe_duration(elapsed);
            endpoint.streams_in_flight().finish();
        }
        let sizes = &optional.body_sizes;
        sizes.count_pending(endpoint);
        if let Some(families) = &endpoint.metrics.families.body_sizes {
            families.observe(sizes, endpoint, self.status, !self.has_unmeasured_body);
        }
        if let Some(optional) = &mut self.optional {
            optional.end = Some((outcome, elapsed));
        }
    }

    /// Calls the user's closure for a request that was recorded.
    #[cold]
    fn on_end(&self, optional: &OptionalState) {
        let on_request_end = self.endpoint.metrics.settings.on_request_end.as_ref();
        if let (Some(closure), Some((outcome, elapsed))) = (on_request_end, optional.end) {
            let end = RequestEnd {
                endpoint: &self.endpoint,
                optional,
                status: self.status,
                outcome,
                elapsed,
                has_unmeasured_body: self.has_unmeasured_body,
            };
            closure.call(|on_end| on_end(&end));
        }
    }

    /// Lends the series that count how the request ended.
    fn with_series(
        &self,
        optional: &OptionalState,
        outcome: Outcome,
        write: impl FnOnce(&Counter, &Histogram),
    ) {
        let endpoint = &*self.endpoint;
        let metrics = &*endpoint.metrics;
        let custom_labels = &metrics.settings.custom_labels;
        if custom_labels.is_empty() {
            let series = endpoint.outcome_series(self.status, outcome);
            write(&series.requests, &series.duration);
        } else {
            let values = custom_labels.iter().enumerate();
            let known = &metrics.known_values;
            let values = values.map(|(position, label)| {
                optional.label_value(position, &label.source, outcome, known)
            });
            let write = |requests: &_, duration: &_, admitted: &[&str]| {
                write(requests, duration);
                optional.add_known_values(admitted, known);
            };
            metrics.with_custom_labels(endpoint, self.status.as_ref(), outcome, values, write);
        }
    }

    fn outcome(&self) -> Outcome {
        if self.panic_flag.is_set() {
            return Outcome::Panic;
        }
        if let Some(outcome) = self.outcome {
            return outcome;
        }
        // Only trailers are missing, which not every server polls for.
        if let Some(optional) = &self.optional
            && optional.is_body_sent
            && let Some(outcome) = self.complete_outcome()
        {
            return outcome;
        }
        match self.status {
            Some(_) => Outcome::CancelledInBody,
            None => Outcome::CancelledBeforeHead,
        }
    }
}

impl Drop for Record {
    #[inline]
    fn drop(&mut self) {
        if self.is_measured {
            if self.status.is_none() && self.optional.is_some() {
                // The service may have been dropped, or panicked, since a layer further in wrote
                // the route.
                self.adopt_route();
                self.move_to(|unrouted, endpoint| unrouted.answered_endpoint(endpoint, None));
            }
            self.write();
        }
        // Last, so that a scrape sees the request as in flight or as ended, and never as
        // neither.
        self.endpoint.in_flight.finish();
        if let Some(optional) = &self.optional {
            self.on_end(optional);
        }
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    const EVENT_STREAM: &[u8] = b"text/event-stream";
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type
        .and_then(|value| value.as_bytes().get(..EVENT_STREAM.len()))
        .is_some_and(|start| start.eq_ignore_ascii_case(EVENT_STREAM))
}
