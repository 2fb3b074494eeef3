//! When a series was created, and whether it is visible.

use crate::cell::sync::{AtomicU64, Ordering};
use crate::snapshot::now_millis;

/// The series was removed; scrapes leave it out until it is used again.
const REMOVED: u64 = 1;
/// The text of the series' labels has escape sequences or quoted names.
const ESCAPED: u64 = 2;
const FLAGS: u64 = REMOVED | ESCAPED;
const FLAG_BITS: u32 = FLAGS.count_ones();

/// What a lookup must know about a series before it compares labels, in one word: the Unix time
/// of its creation or last reset in milliseconds, and two flags.
///
/// All orderings are `Relaxed`: the word publishes only itself. Other threads see a series
/// through its [`IndexedList`](crate::cell::IndexedList).
#[derive(Debug)]
pub(crate) struct SeriesState(AtomicU64);

impl SeriesState {
    /// Creates the state of a series that is created now. `is_escaped` is
    /// [`Labels::is_escaped`](crate::snapshot::Labels::is_escaped).
    pub(crate) fn new(is_escaped: bool) -> Self {
        let flags = if is_escaped { ESCAPED } else { 0 };
        Self(AtomicU64::new(now_millis() << FLAG_BITS | flags))
    }

    /// Returns true if the series is not removed and its labels are not escaped.
    #[inline]
    pub(crate) fn is_live_and_unescaped(&self) -> bool {
        self.0.load(Ordering::Relaxed) & FLAGS == 0
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.0.load(Ordering::Relaxed) & REMOVED != 0
    }

    pub(crate) fn remove(&self) {
        self.0.fetch_or(REMOVED, Ordering::Relaxed);
    }

    /// Makes a removed series visible again.
    pub(crate) fn restore(&self) {
        // Load first: the usual case stores nothing.
        if self.is_removed() {
            self.0.fetch_and(!REMOVED, Ordering::Relaxed);
        }
    }

    /// Sets the creation time to now.
    pub(crate) fn restart(&self) {
        let created = now_millis() << FLAG_BITS;
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                Some(created | word & FLAGS)
            });
    }

    /// Returns the Unix time of the creation or last reset in milliseconds.
    pub(crate) fn created_millis(&self) -> u64 {
        self.0.load(Ordering::Relaxed) >> FLAG_BITS
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_series_keeps_its_flags_after_a_restart() {
        let before = now_millis();
        let state = SeriesState::new(true);
        state.remove();
        state.restart();
        assert!(state.is_removed());
        assert!((before..=now_millis()).contains(&state.created_millis()));
        state.restore();
        assert!(!state.is_removed());
        assert!(!state.is_live_and_unescaped());
        assert!(SeriesState::new(false).is_live_and_unescaped());
    }
}
