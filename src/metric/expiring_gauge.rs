//! A gauge whose value is true for a while, and is not shown after that.

use std::sync::Arc;
use std::time::Duration;

use crate::cell::{ExpiringCell, clock};
use crate::metric::instrument::Instrument;
use crate::metric::series::Series;
use crate::snapshot::{Kind, Values};

/// What someone else said of a moment: it is shown as a gauge until its time is over.
///
/// Nobody says it again once it has changed, as a limit is refilled without a word; so a
/// plain gauge would go on telling what is no longer so.
#[derive(Debug, Clone)]
pub(crate) struct ExpiringGauge(Arc<Series<ExpiringCell, ()>>);

impl ExpiringGauge {
    /// Sets it to a value that is true for so long.
    pub(crate) fn set(&self, value: f64, lifetime: Duration) {
        self.0.cell.set(value, lifetime, clock::now());
    }
}

impl Instrument for ExpiringGauge {
    type Cell = ExpiringCell;
    type Settings = ();
    const KIND: Kind = Kind::Gauge;

    fn settings(_alone: bool) {}

    fn cell((): &()) -> ExpiringCell {
        ExpiringCell::default()
    }

    fn values((): &(), series: usize) -> Values {
        Values::Gauge(Vec::with_capacity(series))
    }

    fn from_series(series: Arc<Series<ExpiringCell, ()>>) -> Self {
        Self(series)
    }

    fn series(&self) -> &Arc<Series<ExpiringCell, ()>> {
        &self.0
    }

    fn read(&self, values: &mut Values) {
        if let Values::Gauge(numbers) = values {
            numbers.push(self.total());
        }
    }

    fn total(&self) -> f64 {
        self.0.cell.load()
    }

    /// Forgets it: there is no number that says that nothing was said.
    fn reset_value(&self) {
        self.0.cell.clear();
    }

    fn unset(&self) {
        self.0.cell.clear();
    }

    fn is_unset(&self) -> bool {
        self.0.cell.is_expired(clock::now())
    }

    /// It comes and goes by itself, whether or not anyone removes it.
    fn is_hidden(&self) -> bool {
        self.is_unset()
    }
}
