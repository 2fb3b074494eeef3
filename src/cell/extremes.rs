//! The minimum and the maximum of a histogram.

use crate::cell::atomic_f64::AtomicF64;
use crate::cell::sync::Ordering;

/// The minimum and the maximum of all values since the last reset.
///
/// All threads share them. They are rarely written: only by a value that exceeds all others.
#[derive(Debug)]
pub(crate) struct Extremes {
    /// Infinity while empty, so that any value replaces it; `max` is minus infinity.
    min: AtomicF64,
    max: AtomicF64,
}

impl Extremes {
    pub(crate) fn new() -> Self {
        Self {
            min: AtomicF64::new(f64::INFINITY),
            max: AtomicF64::new(f64::NEG_INFINITY),
        }
    }

    /// Includes a value whose bucket has been counted.
    #[inline]
    pub(crate) fn include(&self, value: f64) {
        // Relaxed: an outdated value costs a needless update, or none. Between two resets the
        // extremes only move apart.
        if value < self.min.load(Ordering::Relaxed) || value > self.max.load(Ordering::Relaxed) {
            self.widen(value);
        }
    }

    /// Returns the minimum and the maximum.
    pub(crate) fn load(&self) -> (f64, f64) {
        // Acquire: the bucket of the observation must be visible too.
        (
            self.min.load(Ordering::Acquire),
            self.max.load(Ordering::Acquire),
        )
    }

    pub(crate) fn reset(&self) {
        self.min.store(f64::INFINITY, Ordering::Relaxed);
        self.max.store(f64::NEG_INFINITY, Ordering::Relaxed);
    }

    #[cold]
    fn widen(&self, value: f64) {
        // Release: a reader that sees the extreme must see the bucket.
        let lower = |min| (value < min).then_some(value);
        self.min.update(Ordering::Release, lower);
        let higher = |max| (value > max).then_some(value);
        self.max.update(Ordering::Release, higher);
    }
}
