//! The cell of a gauge whose value expires.

use std::time::Duration;

use crate::cell::clock::millis;
use crate::cell::gauge::GaugeCell;
use crate::cell::sync::{AtomicU64, Ordering};

/// A number and the time at which it expires.
///
/// The two words are independent: a reader may see a new number with an old time, and then the
/// number expires too early. `Relaxed` suffices.
#[derive(Debug, Default)]
pub(crate) struct ExpiringCell {
    value: GaugeCell,
    /// In milliseconds of the [clock](crate::cell::clock); 0 if unset.
    expires_at: AtomicU64,
}

impl ExpiringCell {
    pub(crate) fn set(&self, value: f64, lifetime: Duration, now: u64) {
        self.value.set(value);
        let expires_at = now.saturating_add(millis(lifetime));
        self.expires_at.store(expires_at, Ordering::Relaxed);
    }

    /// Returns true if the number was never set or has expired.
    pub(crate) fn is_expired(&self, now: u64) -> bool {
        self.expires_at.load(Ordering::Relaxed) <= now
    }

    pub(crate) fn load(&self) -> f64 {
        self.value.load()
    }

    pub(crate) fn clear(&self) {
        self.expires_at.store(0, Ordering::Relaxed);
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_expired_before_it_is_set_and_after_its_lifetime() {
        const HOUR: Duration = Duration::from_secs(3_600);
        let cell = ExpiringCell::default();
        assert!(cell.is_expired(0));
        cell.set(7.0, HOUR, 1_000);
        assert!(!cell.is_expired(1_000));
        assert!(!cell.is_expired(3_600_999));
        assert_eq!(cell.load(), 7.0);
        assert!(cell.is_expired(3_601_000));
        cell.set(6.0, HOUR, 3_601_000);
        assert!(!cell.is_expired(7_200_999));
        cell.set(5.0, Duration::MAX, 1_000);
        assert!(!cell.is_expired(u64::MAX - 1));
        cell.clear();
        assert!(cell.is_expired(1_000));
    }
}
