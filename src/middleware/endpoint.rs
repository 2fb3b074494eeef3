//! What is found once for a method of a route, and what for each way its requests
//! end.

use std::sync::{Arc, OnceLock};

use crate::metric::{Counter, Histogram, InFlight};
use crate::middleware::families::Families;
use crate::middleware::http_labels::MethodLabel;
use crate::middleware::service_level::ServiceLevel;

/// A method of a route, with the series that all its requests record into.
pub(super) struct Endpoint {
    /// Where it is among all of them.
    pub(super) position: usize,
    pub(super) method: MethodLabel,
    /// What the route is called by the router, or by the user.
    pub(super) raw_route: Box<str>,
    /// Whether that stands for that there is no route.
    pub(super) is_fallback: bool,
    /// What it is called in the families.
    pub(super) route: Arc<str>,
    pub(super) in_flight: InFlight,
    /// Whether all its responses are streams.
    pub(super) is_stream: bool,
    pub(super) service_level: Option<ServiceLevel>,
    pub(super) lazy_series: LazySeries,
}

/// The series that not every endpoint has: they are made with the first request that
/// needs them, so that none shows a 0 that means nothing.
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
        let make = || families.request_bytes.with(self.labels());
        self.lazy_series.request_bytes.get_or_init(make)
    }

    pub(super) fn response_bytes(&self, families: &Families) -> &Counter {
        let make = || families.response_bytes.with(self.labels());
        self.lazy_series.response_bytes.get_or_init(make)
    }

    pub(super) fn stream_duration(&self, families: &Families) -> &Histogram {
        let make = || families.stream_duration.with(self.labels());
        self.lazy_series.stream_duration.get_or_init(make)
    }

    pub(super) fn streams_in_flight(&self, families: &Families) -> &InFlight {
        let make = || {
            families
                .streams_in_flight
                .get_or_create(&mut self.labels())
                .clone()
        };
        self.lazy_series.streams_in_flight.get_or_init(make)
    }

    pub(super) fn upgrades_in_flight(&self, families: &Families) -> &InFlight {
        let make = || {
            families
                .upgrades_in_flight
                .get_or_create(&mut self.labels())
                .clone()
        };
        self.lazy_series.upgrades_in_flight.get_or_init(make)
    }

    fn labels(&self) -> [&str; 2] {
        [self.method.as_str(), &self.route]
    }
}

/// One way in which the requests of an endpoint end, with its series.
pub(super) struct OutcomeSeries {
    pub(super) key: OutcomeKey,
    pub(super) requests: Counter,
    pub(super) duration: Histogram,
}

/// The endpoint's position, the status, or 0 where there was none, and the outcome.
pub(super) type OutcomeKey = (usize, u16, u8);
