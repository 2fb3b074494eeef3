//! What the router says of its own work.

use std::time::Instant;

use crate::error::Error;
use crate::export::Format;
use crate::metric::{Counter, Family, Histogram, Label};
use crate::registry::Registry;

/// The metrics about scrapes.
#[derive(Debug, Clone)]
pub(super) struct Scrapes {
    total: Family<Counter, 1>,
    duration: Histogram,
}

impl Scrapes {
    /// Makes them in the registry that is served; none where their names are taken.
    pub(super) fn new(registry: &Registry) -> Option<Self> {
        let made = Self::make(&registry.clone().unprefixed());
        made.inspect_err(|error| {
            tracing::warn!(%error, "MetricsRouter does not count its scrapes");
        })
        .ok()
    }

    fn make(registry: &Registry) -> Result<Self, Error> {
        let total = registry.counter_family(
            "tachometer_scrapes_total",
            "Scrapes that were answered to the end, by format.",
            [Label::closed("format", FORMATS.map(Format::as_str))],
        )?;
        let duration = registry.histogram(
            "tachometer_scrape_duration_seconds",
            "How long scrapes took that were answered to the end, the sending included.",
        )?;
        Ok(Self {
            total: total.declare([&FORMATS.map(Format::as_str)]),
            duration,
        })
    }

    /// Counts a scrape that has ended.
    pub(super) fn count(&self, format: Format, begun: Instant) {
        self.total.record([format.as_str()], Counter::inc);
        self.duration.observe_duration(begun.elapsed());
    }
}

const FORMATS: [Format; 5] = [
    Format::Text,
    Format::TextV1,
    Format::OpenMetrics,
    Format::Protobuf,
    Format::Json,
];
