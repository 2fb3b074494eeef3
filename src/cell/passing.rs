//! The cell of a gauge whose value is true for a while.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::cell::gauge::GaugeCell;
use crate::cell::sync::{AtomicU64, Ordering};

/// A number, and the time until which it is true.
///
/// The two are words by themselves: a reader may see a new number with an old time, and
/// shows it for less long. `Relaxed` suffices.
#[derive(Debug, Default)]
pub(crate) struct PassingCell {
    value: GaugeCell,
    /// In milliseconds since the process first asked; 0 if it was never set.
    until: AtomicU64,
}

impl PassingCell {
    pub(crate) fn set(&self, value: f64, lasts: Duration) {
        self.value.set(value);
        let until = now().saturating_add(millis(lasts));
        self.until.store(until, Ordering::Relaxed);
    }

    /// Returns true unless it was set, and that time has not passed.
    pub(crate) fn is_over(&self) -> bool {
        self.until.load(Ordering::Relaxed) <= now()
    }

    pub(crate) fn load(&self) -> f64 {
        self.value.load()
    }

    pub(crate) fn clear(&self) {
        self.until.store(0, Ordering::Relaxed);
    }
}

fn now() -> u64 {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    millis(FIRST.get_or_init(Instant::now).elapsed())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_over_until_it_is_set_and_once_its_time_has_passed() {
        let cell = PassingCell::default();
        assert!(cell.is_over());
        cell.set(7.0, Duration::MAX);
        assert!(!cell.is_over());
        assert_eq!(cell.load(), 7.0);
        cell.set(6.0, Duration::ZERO);
        assert!(cell.is_over());
        cell.set(5.0, Duration::MAX);
        cell.clear();
        assert!(cell.is_over());
    }
}
