//! A gauge whose value expires.

use std::time::Duration;

use crate::cell::{ExpiringCell, clock};
use crate::metric::handle::{Handle, MetricCell, impl_as_handle};
use crate::metric::instrument::Instrument;
use crate::snapshot::Kind;

/// A value that another system reported, shown as a gauge until it expires.
///
/// A provider that refills a rate limit does not announce it, so a plain gauge would go stale.
#[derive(Debug, Clone)]
pub(crate) struct ExpiringGauge(Handle<ExpiringCell>);

impl ExpiringGauge {
    /// Sets a value that expires after `lifetime`.
    pub(crate) fn set(&self, value: f64, lifetime: Duration) {
        self.0.cell().set(value, lifetime, clock::now());
    }
}

impl_as_handle!(ExpiringGauge, ExpiringCell);

impl Instrument for ExpiringGauge {}

impl MetricCell for ExpiringCell {
    type Settings = ();
    const KIND: Kind = Kind::Gauge;
    const HIDES_UNSET: bool = true;

    fn new((): &()) -> Self {
        Self::default()
    }

    fn total(&self, (): &()) -> f64 {
        self.load()
    }

    /// Removes the value: no number means "not reported".
    fn unset(&self, (): &()) {
        self.clear();
    }

    fn is_unset(&self, (): &()) -> bool {
        self.is_expired(clock::now())
    }
}
