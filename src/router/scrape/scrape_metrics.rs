//! Metrics about scrapes.

use std::time::Instant;

use crate::error::Error;
use crate::export::Format;
use crate::metric::{Counter, Family, Histogram, Label};
use crate::registry::Registry;

/// The `format` of a summary, which is not a [`Format`].
pub(crate) const SUMMARY: &str = "summary";

const FORMATS: [&str; 6] = [
    Format::Text.as_str(),
    Format::TextV1.as_str(),
    Format::OpenMetrics.as_str(),
    Format::Protobuf.as_str(),
    Format::Json.as_str(),
    SUMMARY,
];

/// The metrics about scrapes.
#[derive(Debug, Clone)]
pub(crate) struct ScrapeMetrics {
    completed: Family<Counter, 1>,
    refused: Counter,
    aborted: Counter,
    duration: Histogram,
}

impl ScrapeMetrics {
    /// Registers the metrics in the registry that is served. Returns `None`, with a warning, if
    /// their names are already in use.
    pub(crate) fn register_or_warn(registry: &Registry) -> Option<Self> {
        let metrics = Self::register(&registry.clone().without_prefix());
        let warn = |error: &Error| {
            let error = error
                .clone()
                .map_remedy(|_| "rename that metric".to_owned());
            tracing::warn!(%error, "MetricsRouter does not count its scrapes");
        };
        metrics.inspect_err(warn).ok()
    }

    fn register(registry: &Registry) -> Result<Self, Error> {
        let completed = registry.counter_family(
            "tachometer_scrapes_total",
            "Complete scrapes, by format.",
            [Label::closed("format", FORMATS)],
        )?;
        let refused = registry.counter(
            "tachometer_scrapes_refused_total",
            "Scrapes refused because of too many concurrent scrapes.",
        )?;
        let aborted = registry.counter(
            "tachometer_scrapes_aborted_total",
            "Scrapes that the server aborted, mostly because of their timeout.",
        )?;
        let duration = registry.histogram(
            "tachometer_scrape_duration_seconds",
            "Duration of complete scrapes, including sending, in seconds.",
        )?;
        Ok(Self {
            completed: completed.declare([&FORMATS]),
            refused,
            aborted,
            duration,
        })
    }

    pub(crate) fn record_refused(&self) {
        self.refused.inc();
    }

    /// Returns a timer for a scrape that started at this time.
    pub(crate) fn timer(&self, format: &'static str, started: Instant) -> ScrapeTimer {
        ScrapeTimer {
            metrics: self.clone(),
            format,
            started,
        }
    }
}

/// Records how a scrape ends. If it is dropped, nothing is recorded: the client disconnected.
pub(crate) struct ScrapeTimer {
    metrics: ScrapeMetrics,
    format: &'static str,
    started: Instant,
}

impl ScrapeTimer {
    pub(crate) fn complete(self) {
        let metrics = &self.metrics;
        metrics.completed.with_ref([self.format], Counter::inc);
        metrics.duration.observe_duration(self.started.elapsed());
    }

    pub(super) fn abort(self) {
        self.metrics.aborted.inc();
    }
}
