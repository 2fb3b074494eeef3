//! An atomic `f64`.

use crate::cell::sync::{AtomicU64, Ordering};

/// An atomic `f64`, stored as its bits.
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

    /// Replaces the value by the result of `change`, or keeps it if that is `None`.
    ///
    /// `ordering` is the ordering of the store. The load before it is `Relaxed`: a stale value
    /// only costs another attempt.
    pub(crate) fn update(&self, ordering: Ordering, change: impl Fn(f64) -> Option<f64>) {
        let _ = self.0.fetch_update(ordering, Ordering::Relaxed, |bits| {
            change(f64::from_bits(bits)).map(f64::to_bits)
        });
    }

    /// Adds `amount`. Other threads may add at the same time.
    pub(crate) fn add(&self, amount: f64, ordering: Ordering) {
        add(&self.0, amount, ordering);
    }
}

/// Adds to the `f64` whose bits a word holds. Other threads may add at the same time.
///
/// `ordering` is the ordering of the store.
pub(crate) fn add(word: &AtomicU64, amount: f64, ordering: Ordering) {
    let _ = word.fetch_update(ordering, Ordering::Relaxed, |bits| {
        Some(saturating_add(f64::from_bits(bits), amount).to_bits())
    });
}

/// Adds two numbers, and saturates at the largest finite `f64`, so that a sum never becomes
/// infinite and then NaN. A sum that is infinite or NaN stays as it is.
#[inline]
pub(crate) fn saturating_add(sum: f64, amount: f64) -> f64 {
    let total = sum + amount;
    // A branch is predicted. A clamp would be a part of the time of each addition.
    if total.is_finite() {
        total
    } else {
        saturate(sum, total)
    }
}

#[cold]
fn saturate(sum: f64, total: f64) -> f64 {
    if sum.is_finite() {
        total.clamp(f64::MIN, f64::MAX)
    } else {
        sum
    }
}

impl Default for AtomicF64 {
    fn default() -> Self {
        Self::new(0.0)
    }
}
