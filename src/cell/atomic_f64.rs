//! A floating-point number in an atomic word.

use crate::cell::sync::{AtomicU64, Ordering};

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

    /// Replaces the value by `change` of it, or leaves it where that is `None`.
    ///
    /// `ordering` is the ordering of the store. The load before it is `Relaxed`:
    /// a stale value only costs another turn.
    pub(crate) fn update(&self, ordering: Ordering, change: impl Fn(f64) -> Option<f64>) {
        let _ = self.0.fetch_update(ordering, Ordering::Relaxed, |bits| {
            change(f64::from_bits(bits)).map(f64::to_bits)
        });
    }

    /// Adds `amount`, whoever else adds.
    pub(crate) fn add(&self, amount: f64, ordering: Ordering) {
        self.update(ordering, |sum| Some(saturating_add(sum, amount)));
    }

    /// Adds `amount` where no other thread stores.
    pub(crate) fn add_exclusive(&self, amount: f64, ordering: Ordering) {
        let sum = self.load(Ordering::Relaxed);
        self.store(saturating_add(sum, amount), ordering);
    }
}

/// Returns the sum of two finite numbers, or the largest finite one where that is
/// infinite, so that adding up never ends in an infinity, nor then in a NaN. What
/// was set to an infinity stays one.
#[inline]
pub(crate) fn saturating_add(sum: f64, amount: f64) -> f64 {
    if sum.is_finite() {
        (sum + amount).clamp(f64::MIN, f64::MAX)
    } else {
        sum
    }
}

impl Default for AtomicF64 {
    fn default() -> Self {
        Self::new(0.0)
    }
}
