//! The cell of a gauge.

use crate::cell::atomic_f64::saturating_add;
use crate::cell::sync::{AtomicBool, AtomicU64, Ordering};

/// The bits of a gauge that was removed and not set since: a NaN that no arithmetic returns and
/// that `set` never stores.
const UNSET: u64 = 0x7FF8_7AC4_0E7E_0001;

/// A number that goes up and down, stored as the bits of an `f64`.
///
/// The number is one word and publishes nothing else, so `Relaxed` suffices, except for
/// [`unset_if`](Self::unset_if).
#[derive(Debug, Default)]
pub(crate) struct GaugeCell {
    bits: AtomicU64,
    /// True if the number was set since the last [`take_touched`](Self::take_touched), perhaps to
    /// the same number.
    is_touched: AtomicBool,
}

impl GaugeCell {
    pub(crate) fn set(&self, value: f64) {
        self.touch();
        // There are many NaNs. Store one that is not `UNSET`.
        let value = if value.is_nan() { f64::NAN } else { value };
        // Release: pairs with the Acquire in `unset_if`.
        self.bits.store(value.to_bits(), Ordering::Release);
    }

    /// Adds a finite amount.
    pub(crate) fn add(&self, amount: f64) {
        self.touch();
        let add = |bits| {
            let sum = f64::from_bits(bits) + amount;
            // Usually true, and false for `UNSET`, which then costs no time here.
            if sum.is_finite() {
                return Some(sum.to_bits());
            }
            Some(saturating_add(value(bits), amount).to_bits())
        };
        let _ = self
            .bits
            .fetch_update(Ordering::Release, Ordering::Relaxed, add);
    }

    pub(crate) fn load(&self) -> f64 {
        value(self.bits())
    }

    pub(crate) fn bits(&self) -> u64 {
        self.bits.load(Ordering::Relaxed)
    }

    /// Returns true if the number was set or changed since the last call.
    pub(crate) fn take_touched(&self) -> bool {
        self.is_touched.swap(false, Ordering::Relaxed)
    }

    /// Sets the value to 0 and marks it as unset.
    pub(crate) fn unset(&self) {
        self.bits.store(UNSET, Ordering::Relaxed);
    }

    /// Does what [`unset`](Self::unset) does, unless the number has other bits or was set since
    /// the last [`take_touched`](Self::take_touched).
    pub(crate) fn unset_if(&self, bits: u64) -> bool {
        // Acquire: pairs with the Release in `set`. If this replaces a number that was set since,
        // its flag is visible.
        let exchange = |old, new| {
            self.bits
                .compare_exchange(old, new, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        };
        if !exchange(bits, UNSET) {
            return false;
        }
        // If the number has changed again, it changed from unset: what was there is taken away.
        !self.is_touched.load(Ordering::Relaxed) || !exchange(UNSET, bits)
    }

    /// Returns true if the value was not set or changed since the last `unset`.
    pub(crate) fn is_unset(&self) -> bool {
        self.bits() == UNSET
    }

    /// Marks the number as set. A flag that is set already is not stored, so that threads do not
    /// contend for it.
    #[inline]
    fn touch(&self) {
        if !self.is_touched.load(Ordering::Relaxed) {
            self.is_touched.store(true, Ordering::Relaxed);
        }
    }
}

fn value(bits: u64) -> f64 {
    if bits == UNSET {
        0.0
    } else {
        f64::from_bits(bits)
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_unset_gauge_is_0_until_it_is_set_or_changed() {
        let gauge = GaugeCell::default();
        for change in [
            |gauge: &GaugeCell| gauge.set(f64::from_bits(UNSET)),
            |gauge: &GaugeCell| gauge.set(0.0),
            |gauge: &GaugeCell| gauge.add(2.5),
        ] {
            gauge.unset();
            assert!(gauge.is_unset());
            assert_eq!(gauge.load(), 0.0);
            change(&gauge);
            assert!(!gauge.is_unset());
        }
        assert_eq!(gauge.load(), 2.5);
    }

    #[test]
    fn a_gauge_is_unset_only_if_it_was_not_set_since_even_to_the_same_number() {
        let gauge = GaugeCell::default();
        gauge.set(1.0);
        assert!(gauge.take_touched());
        let bits = gauge.bits();
        gauge.set(1.0);
        assert!(!gauge.unset_if(bits));
        assert_eq!(gauge.load(), 1.0);
        assert!(gauge.take_touched() && !gauge.take_touched());
        assert!(!gauge.unset_if(2.0_f64.to_bits()));
        assert!(gauge.unset_if(bits));
        assert!(gauge.is_unset() && gauge.unset_if(gauge.bits()));
        gauge.add(0.0);
        assert!(gauge.take_touched());
    }
}
