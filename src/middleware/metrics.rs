//! The families that the layer records into.

use crate::error::Error;
use crate::metric::{Counter, Family, Gauge, Histogram, Label};
use crate::middleware::placement::Placement;
use crate::middleware::settings::{Settings, Skip};
use crate::registry::Registry;

/// The layer's metrics, found once and shared by all its services.
///
/// Their labels need no limit: no client can invent a value, since methods,
/// statuses and outcomes come from closed sets and routes from the templates.
#[derive(Debug)]
pub(super) struct HttpMetrics {
    pub(super) requests: Family<Counter, 4>,
    pub(super) duration: Family<Histogram, 3>,
    pub(super) in_flight: Family<Gauge, 2>,
    pub(super) request_bytes: Family<Counter, 2>,
    pub(super) response_bytes: Family<Counter, 2>,
    pub(super) stream_duration: Family<Histogram, 2>,
    pub(super) streams_in_flight: Family<Gauge, 2>,
    pub(super) skip: Skip,
    pub(super) placement: Placement,
}

/// The bounds of how long streams live, from a second to a day: they are left
/// open on purpose.
const STREAM_SECONDS: [f64; 10] = [
    1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0,
];

impl HttpMetrics {
    /// Returns what is the same for all layers that count into these metrics.
    pub(super) fn owner(&self) -> usize {
        self.requests.address()
    }

    pub(super) fn new(registry: &Registry, settings: &Settings) -> Result<Self, Error> {
        let (name, help) = (
            "http_request_duration_seconds",
            "Time from an HTTP request to the end of its response, \
             or to the head of an event stream.",
        );
        let labels = ["method", "route", "status"].map(Label::unlimited);
        let duration = match settings.buckets.clone() {
            Some(buckets) => registry.histogram_family_with_buckets(name, help, labels, buckets),
            None => registry.histogram_family(name, help, labels),
        };
        Ok(Self {
            requests: registry.counter_family(
                "http_requests_total",
                "HTTP requests that have ended, by how they did.",
                ["method", "route", "status", "outcome"].map(Label::unlimited),
            )?,
            duration: duration?,
            in_flight: registry.guarded_gauge_family(
                "http_requests_in_flight",
                "HTTP requests whose response has not ended yet.",
                ["method", "route"].map(Label::unlimited),
            )?,
            request_bytes: registry.counter_family(
                "http_request_body_bytes_total",
                "Bytes of HTTP request bodies that the service has read.",
                ["method", "route"].map(Label::unlimited),
            )?,
            response_bytes: registry.counter_family(
                "http_response_body_bytes_total",
                "Bytes of HTTP response bodies that the server has taken.",
                ["method", "route"].map(Label::unlimited),
            )?,
            stream_duration: registry.histogram_family_with_buckets(
                "http_stream_duration_seconds",
                "Time from an HTTP request to the end of its event stream.",
                ["method", "route"].map(Label::unlimited),
                &STREAM_SECONDS,
            )?,
            streams_in_flight: registry.guarded_gauge_family(
                "http_streams_in_flight",
                "HTTP event streams that have begun and not ended yet.",
                ["method", "route"].map(Label::unlimited),
            )?,
            skip: settings.skip.clone(),
            placement: Placement::default(),
        })
    }
}
