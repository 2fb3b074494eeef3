//! The cell of a counter.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::cell::float::AtomicF64;
use crate::snapshot::Count;

/// A sum in two parts, so that neither whole increments nor fractions are lost.
///
/// The whole part wraps at 2^64, which Prometheus reads as a restart; a counter
/// that grows by a thousand million a second gets there after 584 years.
#[derive(Debug, Default)]
pub(crate) struct CounterCell {
    whole: AtomicU64,
    fraction: AtomicF64,
}

impl CounterCell {
    pub(crate) fn add(&self, amount: u64) {
        self.whole.fetch_add(amount, Ordering::Relaxed);
    }

    /// Adds an amount that is finite and not negative.
    pub(crate) fn add_f64(&self, amount: f64) {
        // Up to 2^53 a whole `f64` is that integer exactly.
        const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
        if amount <= EXACT && amount.fract() == 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked on the line above, and never negative"
            )]
            self.add(amount as u64);
        } else {
            self.fraction.add(amount, Ordering::Relaxed);
        }
    }

    pub(crate) fn load(&self) -> Count {
        Count {
            whole: self.whole.load(Ordering::Relaxed),
            fraction: self.fraction.load(Ordering::Relaxed),
        }
    }

    /// Sets the sum to 0; an increment that races with it falls before or after.
    pub(crate) fn reset(&self) {
        self.whole.store(0, Ordering::Relaxed);
        self.fraction.store(0.0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_fractional_increments_are_both_kept_past_2_to_the_53() {
        let cell = CounterCell::default();
        cell.add(1 << 60);
        cell.add(1);
        cell.add_f64(0.25);
        cell.add_f64(2.0);
        let count = cell.load();
        assert_eq!(count.whole, (1 << 60) + 3);
        assert_eq!(count.fraction, 0.25);
    }

    #[test]
    fn the_largest_increments_never_add_up_to_infinity() {
        let cell = CounterCell::default();
        cell.add_f64(f64::MAX);
        cell.add_f64(f64::MAX);
        assert_eq!(cell.load().value(), f64::MAX);
    }
}
