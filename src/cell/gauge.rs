//! The cell of a gauge.

use crate::cell::atomic_f64::saturating_add;
use crate::cell::sync::{AtomicU64, Ordering};

/// The bits of a gauge that was removed and not set since: a NaN that no arithmetic returns and
/// that `set` never stores.
const UNSET: u64 = 0x7FF8_7AC4_0E7E_0001;

/// A number that goes up and down, stored as the bits of an `f64`.
///
/// It is one word and publishes nothing else, so `Relaxed` suffices.
#[derive(Debug, Default)]
pub(crate) struct GaugeCell(AtomicU64);

impl GaugeCell {
    pub(crate) fn set(&self, value: f64) {
        // There are many NaNs. Store one that is not `UNSET`.
        let value = if value.is_nan() { f64::NAN } else { value };
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds a finite amount.
    pub(crate) fn add(&self, amount: f64) {
        let add = |bits| Some(saturating_add(value(bits), amount).to_bits());
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    pub(crate) fn load(&self) -> f64 {
        value(self.0.load(Ordering::Relaxed))
    }

    /// Sets the value to 0 and marks it as unset.
    pub(crate) fn unset(&self) {
        self.0.store(UNSET, Ordering::Relaxed);
    }

    /// Returns true if the value was not set or changed since the last `unset`.
    pub(crate) fn is_unset(&self) -> bool {
        self.0.load(Ordering::Relaxed) == UNSET
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
}
