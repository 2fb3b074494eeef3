//! Count and sum of some observations of a histogram, and how they are read consistently with
//! the buckets.
//!
//! An observation writes several words, and a reader must not see only some of them. Neither
//! waits for the other. Instead the writer and the reader use the words in these orders:
//!
//! ```text
//! writer:  bucket  ->  min, max (Release)  ->  sum (Release)  ->  count (Release)
//! reader:  min, max (Acquire)  ->  count (Acquire)  ->  sum (Acquire)  ->  buckets  ->  min, max
//! ```
//!
//! A reader that sees a count sees everything that its observations wrote before it, and a
//! reader that sees a sum sees the bucket of its observation. So the sum of the buckets that a
//! reader reads is at least the count that it read first. If the two are equal, no observation
//! was in progress and the reading is consistent.
//!
//! The minimum and the maximum belong to all parts of a histogram, and are read before and after
//! the parts. If they did not change, they are those of the counted observations: the second
//! reading sees the extremes of all of them, and the first one has no others, since a reader
//! that sees an extreme sees the bucket of its observation too, and would reject the part that
//! does not count it yet.
//!
//! If a reading is not consistent, the reader reads again, a bounded number of times: a scrape
//! must end even if writers never pause. After that it uses the numbers as they are. The
//! exported count is always the sum of the buckets, so a reading agrees with itself; only the
//! sum of the values may be ahead or behind by the observations in progress.

use crate::cell::atomic_f64;
use crate::cell::sync::{AtomicU64, Ordering};

/// How often a reader tries to read while no observation is in progress.
const MAX_ATTEMPTS: usize = if cfg!(tachometer_loom) { 2 } else { 64 };

/// The words that hold the count and the sum of the values in some buckets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountAndSum<'a> {
    /// The number of complete observations.
    pub(crate) count: &'a AtomicU64,
    /// The bits of an `f64`.
    pub(crate) sum: &'a AtomicU64,
}

impl CountAndSum<'_> {
    /// Adds a finite value whose bucket has been counted. Other threads may add at the same time.
    pub(crate) fn add(self, value: f64) {
        self.add_many(value, 1);
    }

    /// Adds the finite sum of values whose buckets have been counted, and their number. Other
    /// threads may add at the same time.
    pub(crate) fn add_many(self, sum: f64, count: u64) {
        // Release: a reader that sees this sum must see the bucket.
        atomic_f64::add(self.sum, sum, Ordering::Release);
        // Release: a reader that sees this count must see the sum too.
        self.count.fetch_add(count, Ordering::Release);
    }

    /// Adds a value of at most 2^48 whose bucket has been counted, without read-modify-writes.
    ///
    /// No other thread may add, and all values must be at most 2^48.
    #[inline]
    pub(crate) fn add_exclusive(self, value: f64) {
        // The loads are Relaxed: only this thread stores here. The stores are ordered as in
        // `add`, for the reader. The sum cannot become infinite: there cannot be enough values of
        // at most 2^48.
        let sum = f64::from_bits(self.sum.load(Ordering::Relaxed));
        self.sum.store((sum + value).to_bits(), Ordering::Release);
        let count = self.count.load(Ordering::Relaxed);
        self.count.store(count + 1, Ordering::Release);
    }

    /// Returns true if no observation is complete yet.
    pub(crate) fn is_empty(self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    /// Returns the sum, and whether it is consistent with the buckets: it is, unless observations
    /// were in progress at each attempt. `read_buckets` reads the buckets and returns the sum of
    /// their counts; it is called once for each attempt.
    pub(crate) fn read(self, mut read_buckets: impl FnMut() -> u64) -> (f64, bool) {
        for _ in 1..MAX_ATTEMPTS {
            if let Some(sum) = self.try_read(&mut read_buckets) {
                return (sum, true);
            }
            std::hint::spin_loop();
        }
        let sum = f64::from_bits(self.sum.load(Ordering::Acquire));
        read_buckets();
        (sum, false)
    }

    /// Reads once. Returns `None` if an observation was in progress.
    pub(crate) fn try_read(self, read_buckets: &mut impl FnMut() -> u64) -> Option<f64> {
        // Acquire: pairs with the Release of the last complete observation.
        let count = self.count.load(Ordering::Acquire);
        // Acquire: the bucket of each observation in the sum must be visible too.
        let sum = f64::from_bits(self.sum.load(Ordering::Acquire));
        (read_buckets() == count).then_some(sum)
    }

    /// Takes away observations that were read, and whose buckets have been reset.
    pub(crate) fn subtract(self, count: u64, sum: f64) {
        atomic_f64::add(self.sum, -sum, Ordering::Release);
        self.count.fetch_sub(count, Ordering::Release);
    }
}
