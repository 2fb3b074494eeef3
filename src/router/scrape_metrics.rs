//! What the router says of its own work.

use std::time::Instant;

use crate::error::Error;
use crate::export::Format;
use crate::metric::{Counter, Family, Histogram, Label};
use crate::registry::Registry;

/// The metrics about scrapes.
#[derive(Debug, Clone)]
pub(super) struct ScrapeMetrics {
    total: Family<Counter, 1>,
    refused: Counter,
    cut: Counter,
    duration: Histogram,
}

impl ScrapeMetrics {
    /// Makes them in the registry that is served; none where their names are taken.
    pub(super) fn new(registry: &Registry) -> Option<Self> {
        let made = Self::make(&registry.clone().without_prefix());
        made.inspect_err(|error| {
            tracing::warn!(%error, "MetricsRouter does not count its scrapes");
        })
        .ok()
    }

    fn make(registry: &Registry) -> Result<Self, Error> {
        let total = registry.counter_family(
            "tachometer_scrapes_total",
            "Scrapes that were answered to the end, by format.",
            [Label::closed("format", FORMATS)],
        )?;
        let refused = registry.counter(
            "tachometer_scrapes_refused_total",
            "Scrapes that were refused because too many were under way.",
        )?;
        let cut = registry.counter(
            "tachometer_scrapes_cut_total",
            "Scrapes that the server cut off before their end, mostly at their deadline.",
        )?;
        let duration = registry.histogram(
            "tachometer_scrape_duration_seconds",
            "Time that scrapes took that were answered to the end, with sending, in seconds.",
        )?;
        Ok(Self {
            total: total.declare([&FORMATS]),
            refused,
            cut,
            duration,
        })
    }

    /// Counts a scrape that was not begun.
    pub(super) fn refuse(&self) {
        self.refused.inc();
    }

    /// Counts a scrape that was cut off.
    pub(super) fn cut(&self) {
        self.cut.inc();
    }

    /// Counts a scrape that has ended.
    pub(super) fn count(&self, format: &str, begun: Instant) {
        self.total.with_ref([format], Counter::inc);
        self.duration.observe_duration(begun.elapsed());
    }
}

/// The format of a summary, which has no other name.
pub(super) const SUMMARY: &str = "summary";

const FORMATS: [&str; 6] = [
    Format::Text.as_str(),
    Format::TextV1.as_str(),
    Format::OpenMetrics.as_str(),
    Format::Protobuf.as_str(),
    Format::Json.as_str(),
    SUMMARY,
];
