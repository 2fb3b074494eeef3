//! The cell of a counter.
//!
//! A counter begins as one word that all threads add to. Once it has counted
//! enough to show that it is used, each thread gets a lane of its own, and
//! threads no longer pass a cache line around.

use std::sync::PoisonError;

use crate::cell::atomic_f64::{AtomicF64, saturating_add};
use crate::cell::sharded::Sharded;
use crate::cell::sync::{AtomicU64, Mutex, OnceLock, Ordering};
use crate::cell::thread_number;
use crate::snapshot::Count;

/// A counter that has counted so far gets lanes.
const HOT: u64 = 4_096;

/// A sum in two parts, so that neither whole increments nor fractions are lost.
///
/// The whole part wraps at 2^64, which Prometheus reads as a restart; a counter
/// that grows by a thousand million a second gets there after 584 years.
#[derive(Debug, Default)]
pub(crate) struct CounterCell {
    /// What threads without a lane have added.
    whole: AtomicU64,
    /// All that a counter without fractions, and not much used, has no need of.
    lanes: OnceLock<Sharded<Lane>>,
}

/// What one thread has added; nobody else writes the first two words.
#[derive(Debug, Default)]
struct Lane {
    whole: AtomicU64,
    fraction: AtomicF64,
    /// Used in the first lane only: in there, it takes no room of its own, and no
    /// thread has to pass it on the way to its lane.
    shared: Shared,
}

/// What is seldom used.
#[derive(Debug, Default)]
struct Shared {
    /// The fractions that threads without a lane have added.
    fraction: AtomicF64,
    /// The lanes' sum at the last reset: a lane is its thread's alone, so that a
    /// reset cannot set it to 0, and is taken off by readers instead.
    base: Mutex<Count>,
}

impl CounterCell {
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        match self.lane() {
            Some(lane) => {
                // Relaxed, and not a `fetch_add`: no one else stores here, and
                // nothing is published through it.
                let sum = lane.whole.load(Ordering::Relaxed);
                lane.whole
                    .store(sum.wrapping_add(amount), Ordering::Relaxed);
            }
            None => self.add_shared(amount),
        }
    }

    /// Adds an amount that is finite and not negative.
    #[inline]
    pub(crate) fn add_f64(&self, amount: f64) {
        /// A whole `f64` below this, 2^64, is some `u64` exactly.
        const WHOLE: f64 = 18_446_744_073_709_551_616.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked on the line below, and never negative"
        )]
        let whole = amount as u64;
        if amount < WHOLE && whole as f64 == amount {
            self.add(whole);
        } else {
            self.add_fraction(amount);
        }
    }

    pub(crate) fn load(&self) -> Count {
        let Some((lanes, seldom)) = self.lanes() else {
            return Count::from(self.whole.load(Ordering::Relaxed));
        };
        // Held while the numbers are read, so that a reset falls before or after.
        let base = seldom.base.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = self.whole.load(Ordering::Relaxed);
        let fraction = seldom.fraction.load(Ordering::Relaxed);
        let sum = sum(lanes);
        Count {
            whole: shared.wrapping_add(sum.whole.wrapping_sub(base.whole)),
            fraction: saturating_add(fraction, sum.fraction - base.fraction),
        }
    }

    /// Sets the sum to 0; an increment that races with it falls before or after.
    pub(crate) fn reset(&self) {
        let Some((lanes, seldom)) = self.lanes() else {
            return self.whole.store(0, Ordering::Relaxed);
        };
        let mut base = seldom.base.lock().unwrap_or_else(PoisonError::into_inner);
        self.whole.store(0, Ordering::Relaxed);
        seldom.fraction.store(0.0, Ordering::Relaxed);
        *base = sum(lanes);
    }

    /// Makes a counter that has lanes already.
    #[cfg(all(test, tachometer_loom))]
    pub(crate) fn hot() -> Self {
        let cell = Self::default();
        cell.make_lanes();
        cell
    }

    #[inline]
    fn lane(&self) -> Option<&Lane> {
        self.lanes.get()?.own()
    }

    /// Returns the lanes, if there are any, and what lies in the first of them.
    fn lanes(&self) -> Option<(&Sharded<Lane>, &Shared)> {
        let lanes = self.lanes.get()?;
        let first = lanes.iter().next()?;
        Some((lanes, &first.shared))
    }

    #[cold]
    fn add_shared(&self, amount: u64) {
        let before = self.whole.fetch_add(amount, Ordering::Relaxed);
        if before >= HOT {
            self.make_lanes();
        }
    }

    #[cold]
    fn add_fraction(&self, amount: f64) {
        self.make_lanes();
        if let Some(lane) = self.lane() {
            lane.fraction.add_alone(amount, Ordering::Relaxed);
        } else if let Some((_, seldom)) = self.lanes() {
            seldom.fraction.add(amount, Ordering::Relaxed);
        }
    }

    /// Makes the lanes where there are none, and the calling thread known.
    fn make_lanes(&self) {
        thread_number::lease();
        self.lanes.get_or_init(|| Sharded::new(Lane::default));
    }
}

/// Returns what all lanes have counted since they were made.
fn sum(lanes: &Sharded<Lane>) -> Count {
    let mut sum = Count::default();
    for lane in lanes.iter() {
        sum.whole = sum.whole.wrapping_add(lane.whole.load(Ordering::Relaxed));
        sum.fraction = saturating_add(sum.fraction, lane.fraction.load(Ordering::Relaxed));
    }
    sum
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
    fn an_increment_of_2_to_the_64_does_not_fit_the_whole_part_and_is_kept() {
        const WHOLE: f64 = 18_446_744_073_709_551_616.0;
        let cell = CounterCell::default();
        cell.add(1);
        cell.add_f64(WHOLE);
        assert_eq!(cell.load().value(), WHOLE);
        cell.add_f64(WHOLE);
        assert_eq!(cell.load().value(), 2.0 * WHOLE);
    }

    #[test]
    fn the_largest_increments_never_add_up_to_infinity() {
        let cell = CounterCell::default();
        cell.add_f64(f64::MAX);
        cell.add_f64(f64::MAX);
        assert_eq!(cell.load().value(), f64::MAX);
    }

    #[test]
    fn the_largest_increments_of_several_threads_never_add_up_to_infinity_or_nan() {
        let cell = CounterCell::default();
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| cell.add_f64(f64::MAX));
            }
        });
        cell.add_f64(f64::MAX);
        assert_eq!(cell.load().value(), f64::MAX);
        cell.reset();
        assert_eq!(cell.load().value(), 0.0);
    }

    #[test]
    fn a_counter_counts_on_when_it_gets_lanes_and_when_it_is_reset() {
        let cell = CounterCell::default();
        for _ in 0..3 * HOT {
            cell.add(1);
        }
        assert_eq!(cell.load().whole, 3 * HOT);
        assert!(cell.lane().is_some());
        cell.reset();
        assert_eq!(cell.load(), Count::default());
        cell.add(2);
        cell.add_f64(0.5);
        assert_eq!(cell.load().value(), 2.5);
    }
}
