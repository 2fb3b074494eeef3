//! A counter of parts of a unit, which adds up without rounding.

use std::sync::Arc;

use crate::cell::CounterCell;
use crate::metric::instrument::Instrument;
use crate::metric::series::Series;
use crate::snapshot::{Count, Kind, Values};

/// A sum of millionths of a millionth of a unit. It is shown as a counter of units.
///
/// A [`Counter`](crate::metric::Counter) would add up fractions as floating-point numbers,
/// whose last digits are lost one after the other; of money, someone would miss them. The
/// sum begins again at 0 past 18 million units, which Prometheus reads as a restart.
#[derive(Debug, Clone)]
pub(crate) struct FixedPointCounter(Arc<Series<CounterCell, ()>>);

/// So many parts are a unit.
const UNIT: u64 = 1_000_000_000_000;

impl FixedPointCounter {
    /// Adds so many parts.
    pub(crate) fn add(&self, parts: u64) {
        self.0.cell.add(parts);
    }

    fn count(&self) -> Count {
        let parts = self.0.cell.load().whole;
        Count {
            whole: parts / UNIT,
            fraction: (parts % UNIT) as f64 / UNIT as f64,
        }
    }
}

impl Instrument for FixedPointCounter {
    type Cell = CounterCell;
    type Settings = ();
    const KIND: Kind = Kind::Counter;

    fn settings(_alone: bool) {}

    fn cell((): &()) -> CounterCell {
        CounterCell::default()
    }

    fn values((): &(), series: usize) -> Values {
        Values::Counter(Vec::with_capacity(series))
    }

    fn from_series(series: Arc<Series<CounterCell, ()>>) -> Self {
        Self(series)
    }

    fn series(&self) -> &Arc<Series<CounterCell, ()>> {
        &self.0
    }

    fn read(&self, values: &mut Values) {
        if let Values::Counter(counts) = values {
            counts.push(self.count());
        }
    }

    fn total(&self) -> f64 {
        self.count().value()
    }

    fn reset_value(&self) {
        self.keep_visible();
        self.unset();
    }

    fn unset(&self) {
        self.0.cell.reset();
        self.0.restart();
    }

    fn is_unset(&self) -> bool {
        self.count() == Count::default()
    }
}
