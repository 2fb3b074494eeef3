//! The counter's handle.

use std::sync::Arc;

use crate::cell::CounterCell;
use crate::metric::amount::{Amount, Split, split};
use crate::metric::instrument::{Instrument, new_series};
use crate::metric::series::{Series, Shared};
use crate::snapshot::{Count, Kind, Labels, Sample, Value, Values};

/// A sum that only grows: requests, errors, bytes.
///
/// A clone is the same counter. See the [module](crate::metric) for an example.
#[derive(Debug, Clone)]
pub struct Counter(Arc<Series<CounterCell, ()>>);

impl Counter {
    /// Makes a counter without a name, which no registry shows until
    /// [`Registry::register`](crate::registry::Registry::register) names it.
    #[must_use]
    pub fn new() -> Self {
        new_series(Labels::new([]), &Shared::new(()))
    }

    /// Adds 1.
    pub fn inc(&self) {
        self.0.cell.add(1);
    }

    /// Adds a number, whole or not; one that is negative, infinite or NaN is
    /// ignored and counted as invalid.
    pub fn inc_by(&self, amount: impl Amount) {
        match split(amount) {
            Split::Whole(whole) => self.0.cell.add(whole),
            Split::Real(real) if real >= 0.0 && real.is_finite() => self.0.cell.add_f64(real),
            Split::Real(_) => self.0.shared.invalid.add(1),
        }
    }

    /// Returns the sum; past 2^53 the nearest `f64` to it.
    #[must_use]
    pub fn get(&self) -> f64 {
        self.count().value()
    }

    /// Returns the sum of the whole increments below 2^64, exactly.
    #[must_use]
    pub fn get_u64(&self) -> u64 {
        self.count().whole
    }

    /// Sets the sum back to 0, which Prometheus reads as a restart.
    pub fn reset(&self) {
        self.0.cell.reset();
        self.0.life.restart();
    }

    /// Returns the counter's labels and value now.
    #[must_use]
    pub fn snapshot(&self) -> Sample {
        Sample::now(&self.0.labels, Value::Counter(self.get()))
    }

    fn count(&self) -> Count {
        self.0.cell.load()
    }
}

impl Default for Counter {
    fn default() -> Self {
        Self::new()
    }
}

impl Instrument for Counter {
    type Cell = CounterCell;
    type Settings = ();
    const KIND: Kind = Kind::Counter;

    fn settings(_alone: bool) {}

    fn cell((): &()) -> CounterCell {
        CounterCell::default()
    }

    fn values((): &()) -> Values {
        Values::Counter(Vec::new())
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
        self.get()
    }

    fn clear(&self) {
        self.reset();
    }

    fn vacate(&self) {
        self.reset();
    }

    fn is_vacant(&self) -> bool {
        self.count() == Count::default()
    }
}
