//! A gauge of the lowest or the highest value of the last minute.

use std::sync::Arc;
use std::time::Duration;

use crate::cell::{ExpiringCell, Extreme, RecentExtremeCell, clock};
use crate::metric::instrument::Instrument;
use crate::metric::series::Series;
use crate::snapshot::{Kind, Values};

/// The lowest or the highest value that was recorded in the last minute. A series without
/// any is not shown, unless it has another value to show then.
///
/// It is for values that come more often than scrapes: a plain gauge would show the last one
/// before the scrape and hide the others.
#[derive(Debug, Clone)]
pub(crate) struct RecentExtreme(Arc<Series<Cell, Extreme>>);

/// The values of the last minute, and what is shown when there are none.
#[derive(Debug)]
pub(crate) struct Cell {
    recent: RecentExtremeCell,
    otherwise: ExpiringCell,
}

impl RecentExtreme {
    pub(crate) fn record(&self, value: f64) {
        self.0.cell.recent.record(value, clock::now());
    }

    /// Sets what is shown after the last minute without a value, for so long from now on.
    pub(crate) fn set_fallback(&self, value: f64, lasts: Duration) {
        self.0.cell.otherwise.set(value, lasts, clock::now());
    }

    fn load(&self) -> Option<f64> {
        let now = clock::now();
        let Cell { recent, otherwise } = &self.0.cell;
        let otherwise = || (!otherwise.is_expired(now)).then(|| otherwise.load());
        recent.load(now).or_else(otherwise)
    }
}

impl Instrument for RecentExtreme {
    type Cell = Cell;
    type Settings = Extreme;
    const KIND: Kind = Kind::Gauge;

    fn settings(_alone: bool) -> Extreme {
        Extreme::Lowest
    }

    fn cell(extreme: &Extreme) -> Cell {
        Cell {
            recent: RecentExtremeCell::new(*extreme),
            otherwise: ExpiringCell::default(),
        }
    }

    fn values(_: &Extreme, series: usize) -> Values {
        Values::Gauge(Vec::with_capacity(series))
    }

    fn from_series(series: Arc<Series<Cell, Extreme>>) -> Self {
        Self(series)
    }

    fn series(&self) -> &Arc<Series<Cell, Extreme>> {
        &self.0
    }

    fn read(&self, values: &mut Values) {
        if let Values::Gauge(numbers) = values {
            numbers.push(self.total());
        }
    }

    /// Returns a NaN if the minute ended since the series was found to be shown. 0 would be
    /// a wrong value.
    fn total(&self) -> f64 {
        self.load().unwrap_or(f64::NAN)
    }

    fn reset_value(&self) {
        self.0.cell.recent.clear();
        self.0.cell.otherwise.clear();
    }

    fn unset(&self) {
        self.reset_value();
    }

    fn is_unset(&self) -> bool {
        self.load().is_none()
    }

    /// A series without a value is not shown, whether or not it was removed.
    fn is_hidden(&self) -> bool {
        self.is_unset()
    }
}

/// Lets time pass for the test of this thread.
#[cfg(test)]
pub(crate) fn advance(time: Duration) {
    clock::advance(time);
}
