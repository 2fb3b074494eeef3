//! Count, sum, minimum and maximum of a histogram, and how they are read consistently with
//! its buckets.
//!
//! An observation writes several words, and a reader must not see only some of them. Neither
//! waits for the other. Instead the writer writes the words in one order and the reader reads
//! them in the opposite order:
//!
//! ```text
//! writer:  bucket  ->  min, max, sum (Release)  ->  count (Release)
//! reader:  count (Acquire)  ->  min, max, sum (Acquire)  ->  buckets
//! ```
//!
//! A reader that sees a count sees everything that its observations wrote before it, and a
//! reader that sees a sum sees the bucket of its observation. So the sum of the buckets that a
//! reader reads is at least the count that it read first. If the two are equal, no observation
//! was in progress and the reading is consistent. If not, it reads again, a bounded number of
//! times: a scrape must end even if writers never pause. After that it uses the numbers as they
//! are. The exported count is always the sum of the buckets, so a reading agrees with itself;
//! only the sum of the values may be ahead or behind by the observations in progress.

use crate::cell::atomic_f64::{AtomicF64, saturating_add};
use crate::cell::sync::{AtomicU64, Ordering};
use crate::snapshot::Totals;

/// How often a reader tries to read while no observation is in progress.
const MAX_ATTEMPTS: usize = 64;

/// Count, sum, minimum and maximum of the values in some buckets.
#[derive(Debug)]
pub(crate) struct AtomicTotals {
    /// The number of complete observations.
    count: AtomicU64,
    sum: AtomicF64,
    /// Infinity while empty, so that any value replaces it; `max` is minus infinity.
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

    /// Adds a finite value whose bucket has been counted, and returns how many values were
    /// added before. Other threads may add at the same time.
    pub(crate) fn add(&self, value: f64) -> u64 {
        // Release for each store: a reader that sees one must see the bucket.
        let lower = |min| (value < min).then_some(value);
        self.min.update(Ordering::Release, lower);
        let higher = |max| (value > max).then_some(value);
        self.max.update(Ordering::Release, higher);
        self.sum.add(value, Ordering::Release);
        // Release: a reader that sees this count must see all of the above.
        self.count.fetch_add(1, Ordering::Release)
    }

    /// Adds a value of at most 2^48 whose bucket has been counted, without read-modify-writes.
    ///
    /// No other thread may add, and all values must be at most 2^48.
    #[inline]
    pub(crate) fn add_exclusive(&self, value: f64) {
        // The loads are Relaxed: only this thread stores here (and a reset, in `min` and
        // `max`). The stores are ordered as in `add`, for the reader.
        if value < self.min.load(Ordering::Relaxed) {
            self.min.store(value, Ordering::Release);
        }
        if value > self.max.load(Ordering::Relaxed) {
            self.max.store(value, Ordering::Release);
        }
        // The sum cannot become infinite: there cannot be enough values of at most 2^48.
        let sum = self.sum.load(Ordering::Relaxed);
        self.sum.store(sum + value, Ordering::Release);
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count + 1, Ordering::Release);
    }

    /// Returns true if no observation is complete yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Reads the totals consistently with the buckets. `read_buckets` reads the buckets and
    /// returns the sum of their counts; it is called once for each attempt.
    pub(crate) fn read(&self, mut read_buckets: impl FnMut() -> u64) -> Totals {
        for _ in 1..MAX_ATTEMPTS {
            if let Some(totals) = self.try_read(&mut read_buckets) {
                return totals;
            }
            std::hint::spin_loop();
        }
        let totals = self.totals();
        read_buckets();
        totals
    }

    /// Reads once. Returns `None` if an observation was in progress.
    pub(crate) fn try_read(&self, read_buckets: &mut impl FnMut() -> u64) -> Option<Totals> {
        // Acquire: pairs with the Release of the last complete observation.
        let count = self.count.load(Ordering::Acquire);
        let totals = self.totals();
        (read_buckets() == count).then_some(totals)
    }

    /// Sets everything to 0. `reset_buckets` sets the buckets to 0 and returns the sum of
    /// their counts before.
    pub(crate) fn reset(&self, reset_buckets: impl FnOnce() -> u64) {
        self.reset_min_max();
        self.sum.store(0.0, Ordering::Relaxed);
        // The count loses what the buckets lost, so that the two agree again as soon as every
        // observation in progress is complete.
        self.count.fetch_sub(reset_buckets(), Ordering::Relaxed);
    }

    /// Resets minimum and maximum.
    pub(crate) fn reset_min_max(&self) {
        self.min.store(f64::INFINITY, Ordering::Relaxed);
        self.max.store(f64::NEG_INFINITY, Ordering::Relaxed);
    }

    fn totals(&self) -> Totals {
        // Acquire for each load: the bucket of its observation must be visible too.
        Totals {
            sum: self.sum.load(Ordering::Acquire),
            min: self.min.load(Ordering::Acquire),
            max: self.max.load(Ordering::Acquire),
        }
    }
}

/// Returns the totals of two parts of a histogram.
pub(crate) fn merge(a: Totals, b: Totals) -> Totals {
    Totals {
        sum: saturating_add(a.sum, b.sum),
        min: a.min.min(b.min),
        max: a.max.max(b.max),
    }
}
