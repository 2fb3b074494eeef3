//! The series of an endpoint, looked up once and kept.

use std::sync::{Arc, OnceLock};

use crate::metric::{Counter, DynFamily, Histogram, InFlight, Instrument};
use crate::middleware::families::Families;
use crate::middleware::http_labels::MethodLabel;
use crate::middleware::service_level::ServiceLevel;

/// A method of a route, with the series that all its requests record into.
pub(super) struct Endpoint {
    /// The position among all endpoints.
    pub(super) position: usize,
    pub(super) method: MethodLabel,
    /// The name of the route before grouping and limits.
    pub(super) raw_route: Box<str>,
    /// True if this is a placeholder because no route matched.
    pub(super) is_fallback: bool,
    /// The value of the label `route`.
    pub(super) route: Arc<str>,
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
    request_bytes: OnceLock<Counter>,
    response_bytes: OnceLock<Counter>,
    stream_duration: OnceLock<Histogram>,
    streams_in_flight: OnceLock<InFlight>,
    upgrades_in_flight: OnceLock<InFlight>,
}

impl Endpoint {
    pub(super) fn request_bytes(&self, families: &Families) -> &Counter {
        let create = || self.series(&families.request_bytes);
        self.lazy_series.request_bytes.get_or_init(create)
    }

    pub(super) fn response_bytes(&self, families: &Families) -> &Counter {
        let create = || self.series(&families.response_bytes);
        self.lazy_series.response_bytes.get_or_init(create)
    }

    pub(super) fn stream_duration(&self, families: &Families) -> &Histogram {
        let create = || self.series(&families.stream_duration);
        self.lazy_series.stream_duration.get_or_init(create)
    }

    pub(super) fn streams_in_flight(&self, families: &Families) -> &InFlight {
        let create = || self.series(&families.streams_in_flight);
        self.lazy_series.streams_in_flight.get_or_init(create)
    }

    pub(super) fn upgrades_in_flight(&self, families: &Families) -> &InFlight {
        let create = || self.series(&families.upgrades_in_flight);
        self.lazy_series.upgrades_in_flight.get_or_init(create)
    }

    fn series<M: Instrument>(&self, family: &DynFamily<M>) -> M {
        let labels = &mut [self.method.as_str(), &self.route];
        family.get_or_create(labels).clone()
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
