//! The gauge's handle.

use std::fmt;
use std::sync::Arc;

use crate::cell::GaugeCell;
use crate::metric::amount::{Amount, to_f64};
use crate::metric::instrument::{Instrument, new_series};
use crate::metric::series::{Series, Shared};
use crate::snapshot::{Kind, Labels, SeriesSnapshot, SeriesValue, Values};

/// A number that goes up and down: connections, queue length, temperature.
///
/// A clone is the same gauge. See the [module](crate::metric) for an example.
#[derive(Clone)]
pub struct Gauge(Arc<Series<GaugeCell, ()>>);

impl Gauge {
    /// Makes a gauge without a name, which no registry shows until
    /// [`Registry::register`](crate::registry::Registry::register) names it.
    #[must_use]
    pub fn new() -> Self {
        new_series(Labels::new([]), &Shared::without_labels(()))
    }

    /// Sets the gauge; infinities and NaN are values like any other here.
    pub fn set(&self, value: impl Amount) {
        self.0.cell.set(to_f64(value));
    }

    /// Adds 1.
    pub fn inc(&self) {
        self.0.cell.add(1.0);
    }

    /// Adds a number; one that is infinite or NaN is ignored and counted as
    /// invalid, since the gauge could never be moved away from it again.
    pub fn inc_by(&self, amount: impl Amount) {
        self.add(to_f64(amount));
    }

    /// Takes 1 away.
    pub fn dec(&self) {
        self.0.cell.add(-1.0);
    }

    /// Takes a number away; one that is infinite or NaN is ignored and counted
    /// as invalid.
    pub fn dec_by(&self, amount: impl Amount) {
        self.add(-to_f64(amount));
    }

    /// Returns the gauge's value.
    #[must_use]
    pub fn get(&self) -> f64 {
        self.0.cell.load()
    }

    /// Sets the gauge to 0.
    pub fn reset(&self) {
        self.0.cell.set(0.0);
        self.0.restart();
    }

    /// Returns the gauge's labels and value now.
    #[must_use]
    pub fn snapshot(&self) -> SeriesSnapshot {
        self.0.sample(SeriesValue::Gauge(self.get()))
    }

    fn add(&self, amount: f64) {
        if amount.is_finite() {
            self.0.cell.add(amount);
        } else {
            self.0.shared.invalid.add(1);
        }
    }
}

/// Does not print the labels, whose values may come from a client.
impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge")
            .field("value", &self.get())
            .finish_non_exhaustive()
    }
}

impl Default for Gauge {
    fn default() -> Self {
        Self::new()
    }
}

impl Instrument for Gauge {
    type Cell = GaugeCell;
    type Settings = ();
    const KIND: Kind = Kind::Gauge;

    fn settings(_alone: bool) {}

    fn cell((): &()) -> GaugeCell {
        GaugeCell::default()
    }

    fn values((): &(), series: usize) -> Values {
        Values::Gauge(Vec::with_capacity(series))
    }

    fn from_series(series: Arc<Series<GaugeCell, ()>>) -> Self {
        Self(series)
    }

    fn series(&self) -> &Arc<Series<GaugeCell, ()>> {
        &self.0
    }

    fn read(&self, values: &mut Values) {
        if let Values::Gauge(numbers) = values {
            numbers.push(self.get());
        }
    }

    fn total(&self) -> f64 {
        self.get()
    }

    fn reset_value(&self) {
        self.reset();
    }

    fn unset(&self) {
        self.0.cell.unset();
    }

    fn is_unset(&self) -> bool {
        self.0.cell.is_unset()
    }
}
