//! A number that goes up and down.

use std::fmt;

use crate::cell::GaugeCell;
use crate::metric::amount::{Amount, to_f64};
use crate::metric::handle::{CellActivity, Handle, MetricCell, impl_as_handle};
use crate::metric::instrument::Instrument;
use crate::metric::series::Series;
use crate::snapshot::{Kind, SeriesSnapshot, SeriesValue};

/// A number that goes up and down: connections, queue length, temperature.
///
/// A clone is the same gauge. See the [module](crate::metric) for an example.
#[derive(Clone)]
pub struct Gauge(Handle<GaugeCell>);

impl Gauge {
    /// Creates a gauge without a name. No registry shows it until
    /// [`Registry::register`](crate::registry::Registry::register) gives it one.
    #[must_use]
    pub fn new() -> Self {
        Self(Handle::standalone(()))
    }

    /// Sets the value. Infinities and NaN are allowed.
    pub fn set(&self, value: impl Amount) {
        self.0.cell().set(to_f64(value));
    }

    /// Adds 1.
    pub fn inc(&self) {
        self.0.cell().add(1.0);
    }

    /// Adds a number. Infinities and NaN are ignored and counted as invalid: no later
    /// increment could undo them.
    #[doc(alias = "add")]
    pub fn inc_by(&self, amount: impl Amount) {
        self.add(to_f64(amount));
    }

    /// Subtracts 1.
    pub fn dec(&self) {
        self.0.cell().add(-1.0);
    }

    /// Subtracts a number. Infinities and NaN are ignored and counted as invalid.
    #[doc(alias = "sub")]
    pub fn dec_by(&self, amount: impl Amount) {
        self.add(-to_f64(amount));
    }

    /// Returns the current value.
    #[must_use]
    pub fn get(&self) -> f64 {
        self.0.cell().load()
    }

    /// Sets the gauge to 0.
    pub fn reset(&self) {
        self.0.reset();
    }

    /// Returns the gauge's labels and current value.
    #[must_use]
    pub fn snapshot(&self) -> SeriesSnapshot {
        self.0.sample(SeriesValue::Gauge(self.get()))
    }

    fn add(&self, amount: f64) {
        self.0.series().add(amount);
    }
}

impl Series<GaugeCell> {
    /// Adds a number, or counts it as invalid.
    pub(crate) fn add(&self, amount: f64) {
        if amount.is_finite() {
            self.cell.add(amount);
        } else {
            self.count_invalid();
        }
    }
}

/// Prints the value, but not the labels: their values may come from a client.
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

impl_as_handle!(Gauge, GaugeCell);

impl Instrument for Gauge {}

impl MetricCell for GaugeCell {
    type Settings = ();
    const KIND: Kind = Kind::Gauge;

    fn new((): &()) -> Self {
        Self::default()
    }

    fn total(&self, (): &()) -> f64 {
        self.load()
    }

    fn set_zero(&self, (): &()) {
        self.set(0.0);
    }

    fn unset(&self, (): &()) {
        GaugeCell::unset(self);
    }

    fn is_unset(&self, (): &()) -> bool {
        GaugeCell::is_unset(self)
    }

    fn activity(&self, (): &()) -> Option<CellActivity> {
        // First: a value that is set in between is then seen by the next call.
        let is_new = self.take_touched();
        Some(CellActivity {
            words: [self.bits(), 0],
            is_new,
        })
    }

    fn unset_if_unchanged(&self, (): &(), activity: &CellActivity) -> bool {
        let [bits, _] = activity.words;
        self.unset_if(bits)
    }
}
