//! A floating-point number in an atomic word.

use std::sync::atomic::{AtomicU64, Ordering};

/// An `f64`, kept as its bits.
#[derive(Debug)]
pub(crate) struct AtomicF64(AtomicU64);

impl AtomicF64 {
    pub(crate) fn new(value: f64) -> Self {
        Self(AtomicU64::new(value.to_bits()))
    }

    pub(crate) fn load(&self, ordering: Ordering) -> f64 {
        f64::from_bits(self.0.load(ordering))
    }

    pub(crate) fn store(&self, value: f64, ordering: Ordering) {
        self.0.store(value.to_bits(), ordering);
    }

    pub(crate) fn swap(&self, value: f64, ordering: Ordering) -> f64 {
        f64::from_bits(self.0.swap(value.to_bits(), ordering))
    }

    /// Replaces the value by `change` of it, or leaves it where that is `None`.
    ///
    /// `stored` is the ordering of the store. The load before it is `Relaxed`:
    /// a stale value only costs another turn.
    pub(crate) fn update(&self, stored: Ordering, change: impl Fn(f64) -> Option<f64>) {
        let _ = self.0.fetch_update(stored, Ordering::Relaxed, |bits| {
            change(f64::from_bits(bits)).map(f64::to_bits)
        });
    }

    /// Adds `amount`; the sum stops at the largest finite number either way, so
    /// that adding to it never ends in an infinity, nor then in a NaN.
    pub(crate) fn add(&self, amount: f64, stored: Ordering) {
        self.update(stored, |sum| {
            let sum = sum + amount;
            Some(if sum.is_infinite() {
                f64::MAX.copysign(sum)
            } else {
                sum
            })
        });
    }
}

impl Default for AtomicF64 {
    fn default() -> Self {
        Self::new(0.0)
    }
}
