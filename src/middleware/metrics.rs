//! The families that the layer records into.

use crate::error::Error;
use crate::metric::{Counter, Family, Gauge, Histogram, Label};
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
}

impl HttpMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, Error> {
        Ok(Self {
            requests: registry.counter_family(
                "http_requests_total",
                "HTTP requests that have ended, by how they did.",
                ["method", "route", "status", "outcome"].map(Label::unlimited),
            )?,
            duration: registry.histogram_family(
                "http_request_duration_seconds",
                "Time from an HTTP request to the end of its response, \
                 or to the head of an event stream.",
                ["method", "route", "status"].map(Label::unlimited),
            )?,
            in_flight: registry.guarded_gauge_family(
                "http_requests_in_flight",
                "HTTP requests whose response has not ended yet.",
                ["method", "route"].map(Label::unlimited),
            )?,
        })
    }
}
