//! The cell of a counter.
//!
//! A counter starts as one word that all threads add to. Once it is written so often that
//! threads contend for that word, it takes a slot, and each thread adds to a word of its shard.

use crate::cell::atomic_f64::{self, AtomicF64, saturating_add};
use crate::cell::reset_lock::with_reset_lock;
use crate::cell::shards::{Slot, Words};
use crate::cell::sync::{AtomicU64, OnceLock, Ordering};
use crate::cell::write_rate::{WriteRate, is_sampled};
use crate::snapshot::Count;

/// The words of a slot. The second one exists only if the counter had a fraction when it took
/// the slot.
const WHOLE: usize = 0;
const FRACTION: usize = 1;

/// A sum with an integer part and a fraction, so that neither small nor fractional increments
/// are lost.
///
/// The integer part wraps at 2^64, which Prometheus reads as a restart. A counter that grows by
/// a thousand million a second wraps after 584 years.
#[derive(Debug, Default)]
pub(crate) struct CounterCell {
    /// What was added outside the slot, minus what the slot had at the last reset.
    whole: AtomicU64,
    fraction: AtomicF64,
    /// Set once the counter is written often.
    slot: OnceLock<Slot>,
    rate: WriteRate,
}

impl CounterCell {
    #[inline]
    pub(crate) fn add(&self, amount: u64) {
        match self.slot.get().and_then(Slot::words) {
            Some(words) => add_to(words, amount),
            None => self.add_slow(amount),
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

    /// Raises the integer part to `value`, unless it is that high already.
    #[cfg(feature = "metrics")]
    pub(crate) fn raise_to(&self, value: u64) {
        // Without the lock first: most callers repeat a value.
        if self.load().whole >= value {
            return;
        }
        // The lock keeps two threads from adding the same difference.
        with_reset_lock(|| {
            let difference = value.saturating_sub(self.load().whole);
            self.whole.fetch_add(difference, Ordering::Relaxed);
        });
    }

    pub(crate) fn load(&self) -> Count {
        // The words of the slot last, and Acquire: if a reset is seen, what it took away from the
        // slot is seen too, so that the difference is never negative.
        let whole = self.whole.load(Ordering::Acquire);
        let fraction = self.fraction.load(Ordering::Acquire);
        let slot = self.slot_sum();
        Count {
            whole: whole.wrapping_add(slot.whole),
            fraction: saturating_add(fraction, slot.fraction),
        }
    }

    /// Sets the sum to 0. A concurrent increment happens before or after.
    pub(crate) fn reset(&self) {
        with_reset_lock(|| {
            // A thread's word of the slot cannot be set to 0, since only that thread may write it.
            // Instead the shared word becomes minus what the slot has. Release: see `load`.
            let set_whole = |_| Some(self.slot_sum().whole.wrapping_neg());
            let _ = self
                .whole
                .fetch_update(Ordering::Release, Ordering::Relaxed, set_whole);
            // Not a negation, which would return -0.
            let set_fraction = |_| Some(0.0 - self.slot_sum().fraction);
            self.fraction.update(Ordering::Release, set_fraction);
        });
    }

    /// Takes `expected` away if it is the sum, and returns true. A concurrent increment either
    /// stays or makes this return false.
    pub(crate) fn reset_if(&self, expected: Count) -> bool {
        with_reset_lock(|| {
            if self.load() != expected {
                return false;
            }
            // Release: see `load`.
            self.whole.fetch_sub(expected.whole, Ordering::Release);
            self.fraction.update(Ordering::Release, |fraction| {
                let slot = self.slot_sum().fraction;
                let is_unchanged = saturating_add(fraction, slot) == expected.fraction;
                // A difference of sums can be slightly off 0.
                Some(if is_unchanged {
                    0.0 - slot
                } else {
                    fraction - expected.fraction
                })
            });
            true
        })
    }

    /// Creates a counter that has a slot.
    #[cfg(all(test, tachometer_loom))]
    pub(crate) fn with_slot() -> Self {
        let cell = Self::default();
        cell.take_slot();
        cell
    }

    /// Gives the counter a slot, if there is one.
    #[cold]
    pub(crate) fn take_slot(&self) {
        let has_fraction = self.fraction.load(Ordering::Relaxed) != 0.0;
        match Slot::take(if has_fraction { 2 } else { 1 }) {
            Some(slot) => {
                self.slot.get_or_init(|| slot);
            }
            // All pages are in use. Tries again after the time in which a series becomes busy.
            None => self.rate.restart(),
        }
    }

    /// Counts a write outside the slot.
    #[inline]
    fn sample(&self) {
        if is_sampled() && self.rate.record_sample(1) && self.slot.get().is_none() {
            self.take_slot();
        }
    }

    /// Adds an amount to a counter without a slot, or on a thread that has not written to the
    /// page of the slot.
    #[inline(never)]
    fn add_slow(&self, amount: u64) {
        match self.slot.get().and_then(Slot::prepare) {
            Some(words) => add_to(words, amount),
            None => {
                self.whole.fetch_add(amount, Ordering::Relaxed);
                self.sample();
            }
        }
    }

    #[cold]
    fn add_fraction(&self, amount: f64) {
        let slot = self.slot.get().filter(|slot| slot.len() > FRACTION);
        match slot.and_then(Slot::prepare) {
            Some(words) => atomic_f64::add(words.get(FRACTION), amount, Ordering::Relaxed),
            None => {
                self.fraction.add(amount, Ordering::Relaxed);
                self.sample();
            }
        }
    }

    /// Returns the sum of the slot over all shards.
    fn slot_sum(&self) -> Count {
        let mut sum = Count::default();
        for words in self.slot.get().into_iter().flat_map(Slot::shards) {
            let load = |index: usize| {
                words
                    .get(index)
                    .map_or(0, |word| word.load(Ordering::Relaxed))
            };
            sum.whole = sum.whole.wrapping_add(load(WHOLE));
            sum.fraction = saturating_add(sum.fraction, f64::from_bits(load(FRACTION)));
        }
        sum
    }
}

/// Adds to the integer part in the words of the calling thread.
#[inline]
fn add_to(words: Words<'_>, amount: u64) {
    let word = words.get(WHOLE);
    // Relaxed: the words of a counter are independent and publish nothing.
    if words.is_exclusive {
        let sum = word.load(Ordering::Relaxed);
        word.store(sum.wrapping_add(amount), Ordering::Relaxed);
    } else {
        word.fetch_add(amount, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

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
        thread::scope(|scope| {
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
    fn a_counter_counts_on_after_it_takes_a_slot_and_after_a_reset() {
        for fraction in [0.0, 0.5] {
            let cell = CounterCell::default();
            cell.add(3);
            cell.add_fraction(fraction);
            cell.take_slot();
            cell.add(4);
            cell.add_fraction(fraction);
            assert_eq!(cell.load().value(), 7.0 + 2.0 * fraction);
            cell.reset();
            assert_eq!(cell.load(), Count::default());
            cell.add(2);
            cell.add_f64(0.5);
            assert_eq!(cell.load().value(), 2.5);
            assert!(!cell.reset_if(Count::from(2)));
            assert!(cell.reset_if(cell.load()));
            assert_eq!(cell.load(), Count::default());
            assert!(cell.slot.get().is_some());
        }
    }

    #[test]
    fn resets_that_race_with_hot_writers_take_away_what_was_counted_and_no_more() {
        const TURNS: u64 = 6_000;
        // More than there are shards, so that some threads share one.
        const THREADS: u64 = 40;

        let cell = CounterCell::default();
        let write = |thread: u64| {
            for turn in 0..TURNS {
                if turn == thread * 100 {
                    cell.take_slot();
                }
                cell.add(1);
                cell.add_f64(0.25);
            }
        };
        let removed = thread::scope(|scope| {
            let write = &write;
            let writers = (0..THREADS).map(|thread| scope.spawn(move || write(thread)));
            let writers: Vec<_> = writers.collect();
            let mut removed = 0.0;
            while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
                let seen = cell.load();
                if cell.reset_if(seen) {
                    removed += seen.value();
                }
            }
            removed
        });
        let expected = (TURNS * THREADS) as f64 * 1.25;
        assert_eq!(removed + cell.load().value(), expected);
    }

    #[test]
    fn a_slot_that_another_counter_takes_starts_at_0() {
        // Its page is not freed.
        let other = CounterCell::default();
        other.take_slot();
        for _ in 0..1_000 {
            let cells: [CounterCell; 3] = Default::default();
            for cell in &cells {
                cell.take_slot();
                assert_eq!(cell.load(), Count::default());
                cell.add(1);
                assert_eq!(cell.load().whole, 1);
            }
        }
    }

    #[cfg(feature = "metrics")]
    #[test]
    fn a_counter_that_is_raised_by_many_threads_has_the_greatest_value_and_all_increments() {
        let cell = CounterCell::default();
        cell.raise_to(3);
        cell.raise_to(2);
        assert_eq!(cell.load(), Count::from(3));
        cell.take_slot();
        thread::scope(|scope| {
            for thread in 0..8 {
                let cell = &cell;
                scope.spawn(move || {
                    for turn in 0..2_000 {
                        cell.raise_to(thread + turn * 8);
                    }
                });
            }
        });
        assert_eq!(cell.load(), Count::from(15_999));
        // No two threads add the same difference: each sum is one of the values, the squares.
        let cell_of_squares = CounterCell::default();
        let raise = || {
            for root in 1..50_000_u64 {
                cell_of_squares.raise_to(root * root);
                let sum = cell_of_squares.load().whole;
                assert_eq!(sum.isqrt().pow(2), sum);
            }
        };
        thread::scope(|scope| {
            scope.spawn(raise);
            scope.spawn(raise);
        });
        // An increment that races with it is never lost.
        thread::scope(|scope| {
            scope.spawn(|| (0..10_000).for_each(|_| cell.add(1)));
            scope.spawn(|| cell.raise_to(20_000));
        });
        assert!((25_999..=30_000).contains(&cell.load().whole));
        cell.reset();
        cell.raise_to(7);
        assert_eq!(cell.load(), Count::from(7));
    }
}
