//! A gauge of the lowest or the highest value of the last minute.

use std::time::Duration;

use crate::cell::{ExpiringCell, Extreme, RecentExtremeCell, clock};
use crate::metric::handle::{Handle, MetricCell, impl_as_handle};
use crate::metric::instrument::Instrument;
use crate::snapshot::Kind;

/// The lowest or the highest value that was recorded in the last minute. A series without
/// any is hidden, unless it has a fallback value.
///
/// It is for values that change more often than scrapes come: a plain gauge would show the
/// last value before the scrape and hide the others.
#[derive(Debug, Clone)]
pub(crate) struct RecentExtreme(Handle<RecentExtremeWithFallback>);

impl RecentExtreme {
    pub(crate) fn record(&self, value: f64) {
        self.0.cell().recent.record(value, clock::now());
    }

    /// Sets the value that is shown when the last minute has none. It expires after
    /// `lifetime`.
    pub(crate) fn set_fallback(&self, value: f64, lifetime: Duration) {
        self.0.cell().fallback.set(value, lifetime, clock::now());
    }
}

impl_as_handle!(RecentExtreme, RecentExtremeWithFallback);

impl Instrument for RecentExtreme {}

/// The values of the last minute, and what is shown when there are none.
#[derive(Debug)]
pub(crate) struct RecentExtremeWithFallback {
    recent: RecentExtremeCell,
    fallback: ExpiringCell,
}

impl RecentExtremeWithFallback {
    fn load(&self) -> Option<f64> {
        let now = clock::now();
        let fallback = || (!self.fallback.is_expired(now)).then(|| self.fallback.load());
        self.recent.load(now).or_else(fallback)
    }
}

impl MetricCell for RecentExtremeWithFallback {
    type Settings = Extreme;
    const KIND: Kind = Kind::Gauge;
    const HIDES_UNSET: bool = true;

    fn new(extreme: &Extreme) -> Self {
        Self {
            recent: RecentExtremeCell::new(*extreme),
            fallback: ExpiringCell::default(),
        }
    }

    /// Returns NaN if the last value expired after the scrape found the series visible: 0
    /// would be a wrong value.
    fn total(&self, _: &Extreme) -> f64 {
        self.load().unwrap_or(f64::NAN)
    }

    fn unset(&self, _: &Extreme) {
        self.recent.clear();
        self.fallback.clear();
    }

    fn is_unset(&self, _: &Extreme) -> bool {
        self.load().is_none()
    }
}

/// Advances the clock of the current thread's test.
#[cfg(test)]
pub(crate) fn advance(time: Duration) {
    clock::advance(time);
}
