//! What is found once for a method of a route, and what for each way its requests
//! end.

use std::sync::{Arc, OnceLock};

use crate::metric::{Counter, Histogram, InFlight};
use crate::middleware::families::Families;
use crate::middleware::method_label::Verb;
use crate::middleware::service_level::Level;

/// A method of a route, with the series that all its requests record into.
pub(super) struct Endpoint {
    /// Where it is among all of them.
    pub(super) position: usize,
    pub(super) verb: Verb,
    /// What the route is called by the router, or by the user.
    pub(super) asked: Box<str>,
    /// Whether that stands for that there is no route.
    pub(super) is_makeshift: bool,
    /// What it is called in the families.
    pub(super) route: Arc<str>,
    pub(super) in_flight: InFlight,
    /// Whether all its responses are streams.
    pub(super) streamed: bool,
    pub(super) level: Option<Level>,
    pub(super) seldom: Seldom,
}

/// The series that not every endpoint has: they are made with the first request that
/// needs them, so that none shows a 0 that means nothing.
#[derive(Default)]
pub(super) struct Seldom {
    request_bytes: OnceLock<Counter>,
    response_bytes: OnceLock<Counter>,
    stream_duration: OnceLock<Histogram>,
    streams_in_flight: OnceLock<InFlight>,
    upgrades_in_flight: OnceLock<InFlight>,
}

impl Endpoint {
    pub(super) fn request_bytes(&self, families: &Families) -> &Counter {
        let make = || families.request_bytes.with(self.labels());
        self.seldom.request_bytes.get_or_init(make)
    }

    pub(super) fn response_bytes(&self, families: &Families) -> &Counter {
        let make = || families.response_bytes.with(self.labels());
        self.seldom.response_bytes.get_or_init(make)
    }

    pub(super) fn stream_duration(&self, families: &Families) -> &Histogram {
        let make = || families.stream_duration.with(self.labels());
        self.seldom.stream_duration.get_or_init(make)
    }

    pub(super) fn streams_in_flight(&self, families: &Families) -> &InFlight {
        let make = || {
            families
                .streams_in_flight
                .get_or_create(&mut self.labels())
                .clone()
        };
        self.seldom.streams_in_flight.get_or_init(make)
    }

    pub(super) fn upgrades_in_flight(&self, families: &Families) -> &InFlight {
        let make = || {
            families
                .upgrades_in_flight
                .get_or_create(&mut self.labels())
                .clone()
        };
        self.seldom.upgrades_in_flight.get_or_init(make)
    }

    fn labels(&self) -> [&str; 2] {
        [self.verb.as_str(), &self.route]
    }
}

/// One way in which the requests of an endpoint end, with its series.
pub(super) struct Ending {
    pub(super) key: EndingKey,
    pub(super) requests: Counter,
    pub(super) duration: Histogram,
}

/// The endpoint's position, the status, or 0 where there was none, and the outcome.
pub(super) type EndingKey = (usize, u16, u8);
