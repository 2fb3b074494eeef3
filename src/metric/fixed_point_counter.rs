//! A counter of fixed-point numbers, which adds up without rounding.

use crate::cell::CounterCell;
use crate::metric::handle::{Handle, MetricCell, impl_as_handle};
use crate::metric::instrument::Instrument;
use crate::snapshot::{Count, Kind, Values};

/// A sum of picounits (10⁻¹² of a unit), shown as a counter of units.
///
/// A [`Counter`](crate::metric::Counter) adds up fractions as floating-point numbers and loses
/// their last digits, which is wrong for money. The sum wraps to 0 past 18 million units, which
/// Prometheus reads as a restart.
#[derive(Debug, Clone)]
pub(crate) struct FixedPointCounter(Handle<FixedPointCell>);

/// The picounits of one unit.
const UNIT: u64 = 1_000_000_000_000;

impl FixedPointCounter {
    /// Adds a number of picounits.
    pub(crate) fn add(&self, picounits: u64) {
        self.0.cell().0.add(picounits);
    }
}

impl_as_handle!(FixedPointCounter, FixedPointCell);

impl Instrument for FixedPointCounter {}

/// A counter of picounits.
#[derive(Debug)]
pub(crate) struct FixedPointCell(CounterCell);

impl FixedPointCell {
    fn units(&self) -> Count {
        let picounits = self.0.load().whole;
        Count {
            whole: picounits / UNIT,
            fraction: (picounits % UNIT) as f64 / UNIT as f64,
        }
    }
}

impl MetricCell for FixedPointCell {
    type Settings = ();
    const KIND: Kind = Kind::Counter;

    fn new((): &()) -> Self {
        Self(CounterCell::default())
    }

    fn empty_values((): &(), series: usize) -> Values {
        Values::Counter(Vec::with_capacity(series))
    }

    fn read(&self, (): &(), values: &mut Values) {
        if let Values::Counter(counts) = values {
            counts.push(self.units());
        }
    }

    fn total(&self, (): &()) -> f64 {
        self.units().value()
    }

    fn unset(&self, (): &()) {
        self.0.reset();
    }

    fn is_unset(&self, (): &()) -> bool {
        self.0.load() == Count::default()
    }
}
