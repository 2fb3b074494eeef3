//! The series of an endpoint, looked up once and kept.

use std::sync::{Arc, OnceLock};

use http::StatusCode;

use crate::context::RouteId;
use crate::metric::{Counter, DynFamily, Histogram, InFlight, Instrument};
use crate::middleware::families::Families;
use crate::middleware::methods::MethodLabel;
use crate::middleware::outcome::Outcome;
use crate::middleware::service_level::ServiceLevel;
use crate::middleware::shared_metrics::SharedMetrics;

/// A method of a route, with the series that all its requests record into.
///
/// A record holds one and nothing else of the metrics. So the only reference count that
/// requests change is that of their endpoint. The alignment keeps it on another cache line than
/// the fields, which are only read.
#[repr(align(128))]
pub(super) struct Endpoint {
    pub(super) metrics: Arc<SharedMetrics>,
    /// The position among all endpoints.
    pub(super) position: usize,
    pub(super) method: MethodLabel,
    /// The name of the route before grouping and limits.
    pub(super) raw_route: Box<str>,
    /// The value of the label `route`.
    pub(super) route: Arc<str>,
    pub(super) route_id: RouteId,
    pub(super) in_flight: InFlight,
    /// Whether all responses are streams.
    pub(super) is_stream: bool,
    pub(super) service_level: Option<ServiceLevel>,
    pub(super) lazy_series: LazySeries,
}

/// Series that not every endpoint has. The first request that needs one creates it, so that no
/// endpoint exports a meaningless 0.
#[derive(Default)]
pub(super) struct LazySeries {
    /// Those of the first request that ended, which is how most end.
    first_outcome: OnceLock<Arc<OutcomeSeries>>,
    request_bytes: OnceLock<Counter>,
    unmeasured_request_bodies: OnceLock<Counter>,
    response_bytes: OnceLock<Counter>,
    stream_duration: OnceLock<Histogram>,
    streams_in_flight: OnceLock<InFlight>,
    upgrades_in_flight: OnceLock<InFlight>,
}

impl Endpoint {
    /// Returns the series of the requests that ended with this status and outcome. Only for
    /// layers without custom labels.
    #[inline]
    pub(super) fn outcome_series(
        &self,
        status: Option<StatusCode>,
        outcome: Outcome,
    ) -> &OutcomeSeries {
        let code = status.map_or(0, |status| status.as_u16());
        let key = (self.position, code, outcome as u8);
        match self.lazy_series.first_outcome.get() {
            Some(first) if first.key == key => first,
            _ => self.other_outcome_series(key, status, outcome),
        }
    }

    fn other_outcome_series(
        &self,
        key: OutcomeKey,
        status: Option<StatusCode>,
        outcome: Outcome,
    ) -> &OutcomeSeries {
        let series = self.metrics.outcome_series(self, key, status, outcome);
        let first = || Arc::clone(series);
        self.lazy_series.first_outcome.get_or_init(first);
        series
    }

    pub(super) fn request_bytes(&self) -> &Counter {
        let create = || self.series(&self.families().request_bytes);
        self.lazy_series.request_bytes.get_or_init(create)
    }

    pub(super) fn unmeasured_request_bodies(&self) -> &Counter {
        let create = || self.series(&self.families().unmeasured_request_bodies);
        self.lazy_series
            .unmeasured_request_bodies
            .get_or_init(create)
    }

    pub(super) fn response_bytes(&self) -> &Counter {
        let create = || self.series(&self.families().response_bytes);
        self.lazy_series.response_bytes.get_or_init(create)
    }

    pub(super) fn stream_duration(&self) -> &Histogram {
        let create = || self.series(&self.families().stream_duration);
        self.lazy_series.stream_duration.get_or_init(create)
    }

    pub(super) fn streams_in_flight(&self) -> &InFlight {
        let create = || self.series(&self.families().streams_in_flight);
        self.lazy_series.streams_in_flight.get_or_init(create)
    }

    pub(super) fn upgrades_in_flight(&self) -> &InFlight {
        let create = || self.series(&self.families().upgrades_in_flight);
        self.lazy_series.upgrades_in_flight.get_or_init(create)
    }

    /// Returns the value of the label `method`.
    pub(super) fn method_name(&self) -> &str {
        self.metrics.settings.methods.name(self.method)
    }

    fn families(&self) -> &Families {
        &self.metrics.families
    }

    fn series<M: Instrument>(&self, family: &DynFamily<M>) -> M {
        let labels = &mut [self.method_name(), &self.route];
        family.get_or_create(labels)
    }
}

/// The series of the requests of an endpoint that ended with one status and outcome.
pub(super) struct OutcomeSeries {
    pub(super) key: OutcomeKey,
    pub(super) requests: Counter,
    pub(super) duration: Histogram,
}

/// The endpoint's position, the status (0 without a response) and the outcome.
pub(super) type OutcomeKey = (usize, u16, u8);
