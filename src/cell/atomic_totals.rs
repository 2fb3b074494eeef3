//! The numbers of a histogram beside its buckets, and how all are read whole.
//!
//! An observation touches several words, and a reader must not see half of it.
//! Neither waits for the other. Instead the writer touches the words in one order
//! and the reader in the opposite one:
//!
//! ```text
//! writer:  bucket  ->  min, max, sum (Release)  ->  count (Release)
//! reader:  count (Acquire)  ->  min, max, sum (Acquire)  ->  buckets
//! ```
//!
//! Whoever sees a count sees all that its observations wrote before it, and
//! whoever sees a sum sees its observation's bucket. So the buckets that a reader
//! sums up are at least the count it began with; if they are exactly that, no
//! observation was under way in between and the reading is whole. If not, it
//! reads again, a bounded number of times: a scrape must end even when writers
//! never pause. After that it takes the numbers as they are. The count that is
//! shown is the sum of the buckets in any case, so a reading always agrees with
//! itself; what may then run ahead or behind by the observations under way is the
//! sum of the values.

use crate::cell::atomic_f64::{AtomicF64, saturating_add};
use crate::cell::sync::{AtomicU64, Ordering};
use crate::snapshot::Totals;

/// How often a reader tries for a reading without an observation under way.
const MAX_ATTEMPTS: usize = 64;

/// Count, sum, least and greatest value of what some buckets hold.
#[derive(Debug)]
pub(crate) struct AtomicTotals {
    /// The number of complete observations.
    count: AtomicU64,
    sum: AtomicF64,
    /// Infinite while empty, as is `max`, so that any value replaces it.
    min: AtomicF64,
    max: AtomicF64,
}

impl AtomicTotals {
    pub(crate) fn new() -> Self {
        Self {
            count: AtomicU64::new(0),
            sum: AtomicF64::default(),
            min: AtomicF64::new(f64::INFINITY),
            max: AtomicF64::new(f64::NEG_INFINITY),
        }
    }

    /// Tallies a finite value whose bucket has been counted, whoever else does
    /// so, and returns how many values were tallied before.
    pub(crate) fn add(&self, value: f64) -> u64 {
        // Release, each of them: a reader that sees one must see the bucket.
        let lower = |min| (value < min).then_some(value);
        self.min.update(Ordering::Release, lower);
        let higher = |max| (value > max).then_some(value);
        self.max.update(Ordering::Release, higher);
        self.sum.add(value, Ordering::Release);
        // Release: a reader that sees this count must see all of the above.
        self.count.fetch_add(1, Ordering::Release)
    }

    /// Tallies a value of at most 2^48 whose bucket has been counted, where no
    /// other thread does so and all values are like this one.
    #[inline]
    pub(crate) fn add_exclusive(&self, value: f64) {
        // The loads are Relaxed: only this thread stores here (and a reset, in
        // the bounds). The stores are ordered as in `add`, for the reader.
        if value < self.min.load(Ordering::Relaxed) {
            self.min.store(value, Ordering::Release);
        }
        if value > self.max.load(Ordering::Relaxed) {
            self.max.store(value, Ordering::Release);
        }
        // No count of such values adds up to an infinity.
        let sum = self.sum.load(Ordering::Relaxed);
        self.sum.store(sum + value, Ordering::Release);
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count + 1, Ordering::Release);
    }

    /// Returns true when no observation has ended yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Reads the tally together with its buckets: `read` reads these anew and
    /// returns their sum.
    pub(crate) fn read(&self, mut read: impl FnMut() -> u64) -> Totals {
        for _ in 1..MAX_ATTEMPTS {
            if let Some(whole) = self.try_read(&mut read) {
                return whole;
            }
            std::hint::spin_loop();
        }
        let totals = self.totals();
        read();
        totals
    }

    /// Reads once, and returns nothing if an observation was under way.
    pub(crate) fn try_read(&self, read: &mut impl FnMut() -> u64) -> Option<Totals> {
        // Acquire: pairs with the Release of the last complete observation.
        let count = self.count.load(Ordering::Acquire);
        let totals = self.totals();
        (read() == count).then_some(totals)
    }

    /// Forgets all; `reset` sets the buckets to 0 and returns what they held.
    pub(crate) fn reset(&self, reset: impl FnOnce() -> u64) {
        self.reset_min_max();
        self.sum.store(0.0, Ordering::Relaxed);
        // What is taken from the buckets is taken from the count, so that the
        // two agree again as soon as every observation under way has ended.
        self.count.fetch_sub(reset(), Ordering::Relaxed);
    }

    /// Forgets the least and the greatest value.
    pub(crate) fn reset_min_max(&self) {
        self.min.store(f64::INFINITY, Ordering::Relaxed);
        self.max.store(f64::NEG_INFINITY, Ordering::Relaxed);
    }

    fn totals(&self) -> Totals {
        // Acquire, each of them: their observation's bucket must be seen too.
        Totals {
            sum: self.sum.load(Ordering::Acquire),
            min: self.min.load(Ordering::Acquire),
            max: self.max.load(Ordering::Acquire),
        }
    }
}

/// Returns the totals of two parts of a histogram.
pub(crate) fn merge(one: Totals, other: Totals) -> Totals {
    Totals {
        sum: saturating_add(one.sum, other.sum),
        min: one.min.min(other.min),
        max: one.max.max(other.max),
    }
}
