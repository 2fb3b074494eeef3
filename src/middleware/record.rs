//! The record of one request, which is written exactly once: when it is dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{HeaderMap, StatusCode, header, request, response};
use http_body::Body;

use crate::context::{
    ActiveLayer, CurrentRouteGuard, Incoming, NestingState, PanicFlag, RouteId, UNMATCHED,
    Unmeasured, report_route,
};
use crate::metric::{Counter, Histogram};
use crate::middleware::endpoint::Endpoint;
use crate::middleware::grpc_status::GrpcStatus;
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
/// dropped once, and only then are outcome and duration written.
///
/// It is small, because it is moved often. It holds the endpoint's position and not a handle,
/// because a handle's reference count would be one more cache line that all threads write.
pub(super) struct Record {
    metrics: Arc<HttpMetrics>,
    started: Instant,
    /// The position of the request's endpoint.
    endpoint: usize,
    /// For streams, the time to the response's head. It shows the speed of the service; how
    /// long the stream lasts does not.
    time_to_head: Option<Duration>,
    optional: Option<Box<OptionalState>>,
    status: Option<StatusCode>,
    /// How the request ended, once that is known.
    outcome: Option<Outcome>,
    nesting: NestingState,
    panic_flag: PanicFlag,
    is_measured: bool,
}

impl Record {
    /// Starts the record of a request. Returns `None` if the request is not measured, or if an
    /// outer layer counts it, to which its route is then reported.
    #[inline]
    pub(super) fn start(
        metrics: &Arc<HttpMetrics>,
        incoming: Incoming,
        request: &mut request::Parts,
    ) -> Option<Self> {
        let settings = &metrics.settings;
        if !incoming.is_counted && settings.skip.matches(&request.method, &request.uri) {
            return None;
        }
        let method = MethodLabel::from_method(&request.method);
        let endpoint = metrics.endpoint(method, &settings.route_naming.route_name(request));
        if incoming.is_counted {
            let id = RouteId::new(&**metrics, endpoint.position);
            report_route(metrics.metrics_id(), Arc::clone(&endpoint.route), id);
            return None;
        }
        endpoint.in_flight.start();
        // Made before the optional state: if that panics, the drop ends the request.
        let mut record = Self {
            metrics: Arc::clone(metrics),
            started: settings.clock.now(),
            endpoint: endpoint.position,
            time_to_head: None,
            optional: None,
            status: None,
            outcome: None,
            nesting: metrics
                .nesting_state(&mut request.extensions)
                .with_needs_route(endpoint.is_fallback),
            panic_flag: PanicFlag::default(),
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

    /// Runs code of the wrapped service that may call an inner layer, for the request of this
    /// record if it is measured.
    #[inline]
    pub(super) fn run_service<T>(record: Option<&mut Self>, service: impl FnOnce() -> T) -> T {
        let Some(record) = record else {
            return service();
        };
        let layer = ActiveLayer::enter(record.metrics.metrics_id(), record.nesting);
        let route = record.set_current_route();
        let returned = record.panic_flag.run(service);
        drop(route);
        record.update_nesting(&layer);
        returned
    }

    /// Runs code of the response's body.
    #[inline]
    pub(super) fn run_body<T>(&mut self, body: impl FnOnce() -> T) -> T {
        let _route = self.set_current_route();
        self.panic_flag.run(body)
    }

    /// Makes the request's route the current one until the guard is dropped.
    #[inline]
    fn set_current_route(&self) -> CurrentRouteGuard {
        CurrentRouteGuard::enter(RouteId::new(&*self.metrics, self.endpoint))
    }

    /// Takes over what inner layers reported.
    #[inline]
    fn update_nesting(&mut self, layer: &ActiveLayer) {
        if let Some(nesting) = layer.nesting_state() {
            self.nesting = nesting;
            if nesting.needs_marks() {
                self.metrics.mark_requests();
            }
        }
        if let Some(route) = layer.take_reported_route() {
            self.adopt_route(&route);
        }
    }

    /// Moves the request to the route that an inner layer reported, if it has none yet.
    #[cold]
    fn adopt_route(&mut self, route: &str) {
        let Some(endpoint) = self.endpoint() else {
            return;
        };
        if endpoint.is_fallback && route != UNMATCHED {
            // The inner layer has already admitted a new name, so the limit is not counted twice.
            let name = RouteName::untrusted(route.into());
            let reported = self.metrics.endpoint(endpoint.method, &name);
            endpoint.in_flight.move_to(&reported.in_flight);
            self.endpoint = reported.position;
            self.nesting = self.nesting.with_needs_route(reported.is_fallback);
        }
    }

    /// Records the response's head, and returns how many bytes of the body to expect.
    #[inline]
    pub(super) fn on_head<B: Body>(
        &mut self,
        response: &response::Parts,
        body: &B,
    ) -> RemainingBody {
        let status = response.status;
        self.status = Some(status);
        if response.extensions.get::<Unmeasured>().is_some() {
            self.is_measured = false;
            return RemainingBody::Nothing;
        }
        let metrics = &*self.metrics;
        let Some(endpoint) = metrics.endpoint_at(self.endpoint) else {
            return RemainingBody::Unknown;
        };
        let has_route = &*endpoint.route != UNMATCHED;
        metrics.placement.record_response::<B>(has_route, status);
        if let Some(optional) = &mut self.optional {
            optional.on_head(metrics, response);
        }
        let settings = &metrics.settings;
        if let Some(family) = &metrics.families.time_to_head {
            let elapsed = settings.clock.since(self.started);
            let status = status_label(Some(&status), settings.status_class);
            let labels = &mut [endpoint.method.as_str(), &*endpoint.route, status];
            family.get_or_create(labels).observe_duration(elapsed);
        }
        if Outcome::from_head(endpoint.method, status) == Outcome::Upgraded {
            let optional = self.optional.as_mut();
            if let Some(upgrade) = optional.and_then(|optional| optional.upgrade.take()) {
                upgrade.open(self.endpoint);
            }
            self.outcome = Some(Outcome::Upgraded);
            return RemainingBody::Nothing;
        }
        // This calls the body's `size_hint` and `is_end_stream`, which may panic, too.
        let remaining = self
            .panic_flag
            .run(|| RemainingBody::from_response(endpoint.method, response, body));
        let is_stream = match remaining {
            // The response to a HEAD may have a stream's type, but has no body.
            RemainingBody::Nothing => false,
            // A body of known length exists already, so it is not streamed.
            RemainingBody::Bytes(_) => endpoint.is_stream,
            RemainingBody::Unknown => endpoint.is_stream || is_event_stream(&response.headers),
        };
        if is_stream {
            endpoint.streams_in_flight(&metrics.families).start();
            self.time_to_head = Some(settings.clock.since(self.started));
        }
        remaining
    }

    /// Counts bytes of the response's body.
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
        if let Some(optional) = &mut self.optional
            && std::mem::take(&mut optional.is_first_byte_pending)
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
        let elapsed = metrics.settings.clock.since(self.started);
        let status = status_label(self.status.as_ref(), metrics.settings.status_class);
        let labels = &mut [endpoint.method.as_str(), &*endpoint.route, status];
        family.get_or_create(labels).observe_duration(elapsed);
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
    fn complete_outcome(&self) -> Option<Outcome> {
        let optional = self.optional.as_ref();
        let grpc_status = optional.and_then(|optional| optional.grpc_status);
        match (grpc_status, self.status?) {
            (Some(grpc_status), StatusCode::OK) => Some(grpc_status.outcome()),
            (_, status) => Some(Outcome::from_status(status)),
        }
    }

    /// Finishes the record with an outcome.
    pub(super) fn finish_with(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    /// Writes outcome and duration. Only `drop` calls this.
    #[inline]
    fn write(&self, endpoint: &Endpoint) {
        let metrics = &*self.metrics;
        let elapsed = metrics.settings.clock.since(self.started);
        let duration = self.time_to_head.unwrap_or(elapsed);
        let outcome = self.outcome();
        self.with_series(endpoint, outcome, |requests, seconds| {
            requests.inc();
            let optional = self.optional.as_ref();
            match optional.and_then(|optional| optional.trace_id.as_deref()) {
                None => seconds.observe_duration(duration),
                Some(trace_id) => {
                    let labels = [("trace_id", trace_id)];
                    seconds.observe_with_exemplar(duration.as_secs_f64(), &labels);
                }
            }
        });
        let is_stream = self.time_to_head.is_some();
        if let Some(service_level) = &endpoint.service_level {
            service_level.record(outcome, duration, is_stream);
        }
        if is_stream {
            endpoint
                .stream_duration(&metrics.families)
                .observe_duration(elapsed);
            endpoint.streams_in_flight(&metrics.families).finish();
        }
    }

    /// Lends the series that count how the request ended.
    #[inline]
    fn with_series(
        &self,
        endpoint: &Endpoint,
        outcome: Outcome,
        write: impl FnOnce(&Counter, &Histogram),
    ) {
        let metrics = &*self.metrics;
        let custom_labels = &metrics.settings.custom_labels;
        match &self.optional {
            Some(optional) if !custom_labels.is_empty() => {
                let values = custom_labels.iter().enumerate();
                let values = values.map(|(position, label)| {
                    optional.label_value(position, &label.source, outcome)
                });
                metrics.with_custom_labels(endpoint, self.status.as_ref(), outcome, values, write);
            }
            _ => {
                let series = metrics.outcome_series(endpoint, self.status, outcome);
                write(&series.requests, &series.duration);
            }
        }
    }

    fn outcome(&self) -> Outcome {
        if self.panic_flag.is_set() {
            return Outcome::Panic;
        }
        // Only trailers are missing, which not every server polls for.
        let optional = self.optional.as_ref();
        let is_sent = optional.is_some_and(|optional| optional.is_body_sent);
        let complete = if is_sent {
            self.complete_outcome()
        } else {
            None
        };
        match (self.outcome.or(complete), self.status) {
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
            // Last, so that a scrape sees the request as in flight or as ended, and never as
            // neither.
            endpoint.in_flight.finish();
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
