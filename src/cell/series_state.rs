//! When a series was created, and whether it is visible.

use crate::cell::sync::{AtomicU64, Ordering};
use crate::snapshot::now_millis;

/// The series was removed; scrapes leave it out until it is used again.
const REMOVED: u64 = 1;
/// The text of the series' labels has escape sequences or quoted names.
const ESCAPED: u64 = 2;
/// The series left its family: lookups do not find it, and its values do not count under the
/// limit.
const RETIRED: u64 = 4;
/// The series was removed while a handle to it may have been held.
const HELD_BY_HANDLE: u64 = 8;
/// The series has a value that counts under the limit.
const COUNTED: u64 = 16;
/// The series never expires and is never retired: code declared it, or counts on its last value.
const PERMANENT: u64 = 32;
const FLAGS: u64 = REMOVED | ESCAPED | RETIRED | HELD_BY_HANDLE | COUNTED | PERMANENT;
const FLAG_BITS: u32 = FLAGS.count_ones();

/// What a lookup must know about a series before it compares labels, in one word: the Unix time
/// of its creation or last reset in milliseconds, and flags.
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

    /// Returns true if the series is neither removed nor retired, and its labels are not escaped.
    #[inline]
    pub(crate) fn is_live_and_unescaped(&self) -> bool {
        !self.has_any(REMOVED | RETIRED | ESCAPED)
    }

    /// Returns true if the series is neither removed nor retired.
    #[inline]
    pub(crate) fn is_live(&self) -> bool {
        !self.has_any(REMOVED | RETIRED)
    }

    pub(crate) fn is_removed(&self) -> bool {
        self.has_any(REMOVED)
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

    pub(crate) fn is_retired(&self) -> bool {
        self.has_any(RETIRED)
    }

    pub(crate) fn set_retired(&self, is_retired: bool) {
        self.set(RETIRED, is_retired);
    }

    /// Sets whether the series was removed while a handle to it may have been held. Returns what
    /// was set before.
    pub(crate) fn set_held(&self, is_held: bool) -> bool {
        self.set(HELD_BY_HANDLE, is_held)
    }

    /// Returns true if the series has a value that counts under the limit.
    pub(crate) fn is_counted(&self) -> bool {
        self.has_any(COUNTED)
    }

    pub(crate) fn set_counted(&self, is_counted: bool) {
        self.set(COUNTED, is_counted);
    }

    pub(crate) fn is_permanent(&self) -> bool {
        self.has_any(PERMANENT)
    }

    /// Makes a series one that never expires and is never retired.
    #[inline]
    pub(crate) fn set_permanent(&self) {
        // Load first: the usual case stores nothing.
        if !self.is_permanent() {
            self.set(PERMANENT, true);
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

    /// Returns true if the word has one of these flags.
    #[inline]
    fn has_any(&self, flags: u64) -> bool {
        self.0.load(Ordering::Relaxed) & flags != 0
    }

    /// Sets or clears a flag, and returns whether it was set.
    fn set(&self, flag: u64, is_set: bool) -> bool {
        let before = if is_set {
            self.0.fetch_or(flag, Ordering::Relaxed)
        } else {
            self.0.fetch_and(!flag, Ordering::Relaxed)
        };
        before & flag != 0
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
