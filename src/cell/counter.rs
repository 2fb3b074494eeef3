//! The cell of a counter.
//!
//! A counter starts as one word that all threads add to. Once it has counted enough to show
//! that it is used often, each thread gets a shard, and threads no longer contend for a cache
//! line.

use std::sync::PoisonError;

use crate::cell::atomic_f64::{AtomicF64, saturating_add};
use crate::cell::sharded::Sharded;
use crate::cell::sync::{AtomicU64, Mutex, OnceLock, Ordering};
use crate::cell::thread_number;
use crate::snapshot::Count;

/// A counter gets shards once it has counted this far.
const SHARD_THRESHOLD: u64 = 4_096;

/// A sum with an integer part and a fraction, so that neither small nor fractional increments
/// are lost.
///
/// The integer part wraps at 2^64, which Prometheus reads as a restart. A counter that grows by
/// a thousand million a second wraps after 584 years.
#[derive(Debug, Default)]
pub(crate) struct CounterCell {
    /// What threads without a shard have added.
    whole: AtomicU64,
    /// Created once the counter is used often or gets a fraction.
    shards: OnceLock<Sharded<Shard>>,
}

/// What one thread has added. No other thread writes the first two words.
#[derive(Debug, Default)]
struct Shard {
    whole: AtomicU64,
    fraction: AtomicF64,
    /// Only shard 0's copy is used. Stored here to save an allocation and to stay off the hot
    /// path.
    cold: ColdState,
}

/// What is rarely used.
#[derive(Debug, Default)]
struct ColdState {
    /// The fractions that threads without a shard have added.
    fraction: AtomicF64,
    /// The sum of the shards at the last reset. A reset cannot set a shard to 0, since only its
    /// thread may write it, so readers subtract this instead.
    baseline: Mutex<Count>,
}

impl CounterCell {
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        match self.shard() {
            Some(shard) => {
                // Relaxed, and not a `fetch_add`: no other thread stores here, and nothing is
                // published through it.
                let sum = shard.whole.load(Ordering::Relaxed);
                shard
                    .whole
                    .store(sum.wrapping_add(amount), Ordering::Relaxed);
            }
            None => self.add_shared(amount),
        }
    }

    /// Adds a finite amount that is not negative.
    #[inline]
    pub(crate) fn add_f64(&self, amount: f64) {
        /// A whole `f64` below 2^64 converts to `u64` exactly.
        const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked on the line below, and never negative"
        )]
        let whole = amount as u64;
        if amount < TWO_POW_64 && whole as f64 == amount {
            self.add(whole);
        } else {
            self.add_fraction(amount);
        }
    }

    pub(crate) fn load(&self) -> Count {
        let Some((shards, cold)) = self.shards() else {
            return Count::from(self.whole.load(Ordering::Relaxed));
        };
        // Held while the numbers are read, so that a reset happens before or after.
        let baseline = cold.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = self.whole.load(Ordering::Relaxed);
        let fraction = cold.fraction.load(Ordering::Relaxed);
        let sum = sum_of(shards);
        Count {
            whole: shared.wrapping_add(sum.whole.wrapping_sub(baseline.whole)),
            fraction: saturating_add(fraction, sum.fraction - baseline.fraction),
        }
    }

    /// Sets the sum to 0. A concurrent increment happens before or after.
    pub(crate) fn reset(&self) {
        let Some((shards, cold)) = self.shards() else {
            return self.whole.store(0, Ordering::Relaxed);
        };
        let mut baseline = cold.baseline.lock().unwrap_or_else(PoisonError::into_inner);
        self.whole.store(0, Ordering::Relaxed);
        cold.fraction.store(0.0, Ordering::Relaxed);
        *baseline = sum_of(shards);
    }

    /// Creates a counter that has shards.
    #[cfg(all(test, tachometer_loom))]
    pub(crate) fn sharded() -> Self {
        let cell = Self::default();
        cell.make_shards();
        cell
    }

    #[inline]
    fn shard(&self) -> Option<&Shard> {
        self.shards.get()?.current()
    }

    /// Returns the shards, if there are any, and the cold state in the first one.
    fn shards(&self) -> Option<(&Sharded<Shard>, &ColdState)> {
        let shards = self.shards.get()?;
        let first = shards.iter().next()?;
        Some((shards, &first.cold))
    }

    #[cold]
    fn add_shared(&self, amount: u64) {
        let before = self.whole.fetch_add(amount, Ordering::Relaxed);
        if before >= SHARD_THRESHOLD {
            self.make_shards();
        }
    }

    #[cold]
    fn add_fraction(&self, amount: f64) {
        self.make_shards();
        if let Some(shard) = self.shard() {
            shard.fraction.add_exclusive(amount, Ordering::Relaxed);
        } else if let Some((_, cold)) = self.shards() {
            cold.fraction.add(amount, Ordering::Relaxed);
        }
    }

    /// Creates the shards if there are none, and leases a number for the calling thread.
    fn make_shards(&self) {
        thread_number::lease();
        self.shards.get_or_init(|| Sharded::new(Shard::default));
    }
}

/// Returns the sum of all shards.
fn sum_of(shards: &Sharded<Shard>) -> Count {
    let mut sum = Count::default();
    for shard in shards.iter() {
        sum.whole = sum.whole.wrapping_add(shard.whole.load(Ordering::Relaxed));
        sum.fraction = saturating_add(sum.fraction, shard.fraction.load(Ordering::Relaxed));
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_and_fractions_are_both_kept_past_2_to_the_53() {
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
    fn an_increment_of_2_to_the_64_does_not_fit_the_integer_part_and_is_kept() {
        const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
        let cell = CounterCell::default();
        cell.add(1);
        cell.add_f64(TWO_POW_64);
        assert_eq!(cell.load().value(), TWO_POW_64);
        cell.add_f64(TWO_POW_64);
        assert_eq!(cell.load().value(), 2.0 * TWO_POW_64);
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
    fn a_counter_counts_on_after_it_gets_shards_and_after_a_reset() {
        let cell = CounterCell::default();
        for _ in 0..3 * SHARD_THRESHOLD {
            cell.add(1);
        }
        assert_eq!(cell.load().whole, 3 * SHARD_THRESHOLD);
        assert!(cell.shard().is_some());
        cell.reset();
        assert_eq!(cell.load(), Count::default());
        cell.add(2);
        cell.add_f64(0.5);
        assert_eq!(cell.load().value(), 2.5);
    }
}
