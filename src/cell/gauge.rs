//! The cell of a gauge.

use std::sync::atomic::Ordering;

use crate::cell::float::AtomicF64;

/// A number that is set, or moved up and down.
#[derive(Debug, Default)]
pub(crate) struct GaugeCell(AtomicF64);

impl GaugeCell {
    pub(crate) fn set(&self, value: f64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// Adds an amount that is finite.
    pub(crate) fn add(&self, amount: f64) {
        self.0.add(amount, Ordering::Relaxed);
    }

    pub(crate) fn load(&self) -> f64 {
        self.0.load(Ordering::Relaxed)
    }
}
