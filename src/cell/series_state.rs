//! When a series began, and whether it is shown.

use crate::cell::sync::{AtomicU64, Ordering};
use crate::snapshot::now_millis;

/// The series was removed, and is left out of a scrape until it is used again.
const REMOVED: u64 = 1;
/// The text of the series' labels is escaped, and is not its values' own.
const ESCAPED: u64 = 2;
const FLAGS: u64 = REMOVED | ESCAPED;
const FLAG_BITS: u32 = FLAGS.count_ones();

/// What is to be known of a series before its labels are compared, in one word:
/// the milliseconds from 1970 to its creation or last reset, and two flags.
///
/// All orderings are `Relaxed`: the word publishes nothing but itself. A series
/// becomes known to other threads through its [`Catalog`](crate::cell::Catalog).
#[derive(Debug)]
pub(crate) struct SeriesState(AtomicU64);

impl SeriesState {
    /// Begins now; `escaped` says that the labels' text is not its values' own.
    pub(crate) fn new(escaped: bool) -> Self {
        let flags = if escaped { ESCAPED } else { 0 };
        Self(AtomicU64::new(now_millis() << FLAG_BITS | flags))
    }

    /// Returns true when the series is shown and its labels' text is plain.
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

    /// Shows the series again, if it was removed.
    pub(crate) fn restore(&self) {
        // Read first: a series that is there is not written to.
        if self.is_removed() {
            self.0.fetch_and(!REMOVED, Ordering::Relaxed);
        }
    }

    /// Begins anew, as a series that was reset does.
    pub(crate) fn restart(&self) {
        let since = now_millis() << FLAG_BITS;
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                Some(since | word & FLAGS)
            });
    }

    /// Returns the milliseconds from 1970 to when the series began.
    pub(crate) fn created_millis(&self) -> u64 {
        self.0.load(Ordering::Relaxed) >> FLAG_BITS
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_series_keeps_its_flags_when_it_begins_anew() {
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
