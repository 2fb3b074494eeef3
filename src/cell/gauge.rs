//! The cell of a gauge.

use crate::cell::atomic_f64::saturating_add;
use crate::cell::sync::{AtomicU64, Ordering};

/// The bits of a gauge that nobody has touched since it was removed: a NaN that
/// no arithmetic gives, and that a setter never stores.
const UNSET: u64 = 0x7FF8_7AC4_0E7E_0001;

/// A number that is set, or moved up and down: the bits of an `f64`.
///
/// It is one word and publishes nothing else, so that `Relaxed` suffices.
#[derive(Debug, Default)]
pub(crate) struct GaugeCell(AtomicU64);

impl GaugeCell {
    pub(crate) fn set(&self, value: f64) {
        // There are many NaNs; one is enough, and is not the unset one.
        let value = if value.is_nan() { f64::NAN } else { value };
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds an amount that is finite.
    pub(crate) fn add(&self, amount: f64) {
        let add = |bits| Some(saturating_add(value(bits), amount).to_bits());
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    pub(crate) fn load(&self) -> f64 {
        value(self.0.load(Ordering::Relaxed))
    }

    /// Sets it to 0, and remembers that nobody did.
    pub(crate) fn unset(&self) {
        self.0.store(UNSET, Ordering::Relaxed);
    }

    /// Returns true when it was unset, and neither set nor moved since.
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
    fn a_vacant_gauge_is_0_until_it_is_set_or_moved() {
        let gauge = GaugeCell::default();
        for touch in [
            |gauge: &GaugeCell| gauge.set(f64::from_bits(UNSET)),
            |gauge: &GaugeCell| gauge.set(0.0),
            |gauge: &GaugeCell| gauge.add(2.5),
        ] {
            gauge.unset();
            assert!(gauge.is_unset());
            assert_eq!(gauge.load(), 0.0);
            touch(&gauge);
            assert!(!gauge.is_unset());
        }
        assert_eq!(gauge.load(), 2.5);
    }
}
