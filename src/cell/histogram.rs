//! The cell of a histogram.
//!
//! An observation touches several words, and a reader must not see half of it.
//! No one locks. Instead the writer touches the words in one order and the
//! reader in the opposite one:
//!
//! ```text
//! writer:  bucket  ->  min, max, sum (Release)  ->  count (Release)
//! reader:  count (Acquire)  ->  min, max, sum (Acquire)  ->  buckets
//! ```
//!
//! Whoever sees a count sees all that its observations wrote before it, and
//! whoever sees a sum sees its observation's bucket. So the buckets a reader
//! sums up are at least the count it began with; if they are exactly that, no
//! observation was under way in between and the reading is whole. If not, it
//! reads again, a bounded number of times: a scrape must end even when writers
//! never pause. After that it takes the buckets as they are. Their sum is the
//! count that is shown in any case, so a reading always agrees with itself; what
//! may then run ahead or behind by the observations under way is `sum`.

use crate::cell::float::AtomicF64;
use crate::cell::sync::{AtomicU64, Ordering};
use crate::snapshot::Totals;

/// How often a reader tries for a reading without an observation under way.
const TRIES: usize = 64;

#[derive(Debug)]
pub(crate) struct HistogramCell {
    /// One number a bucket, not cumulated.
    buckets: Box<[AtomicU64]>,
    sum: AtomicF64,
    /// Infinite while empty, as is `max`, so that any value replaces it.
    min: AtomicF64,
    max: AtomicF64,
    /// The number of complete observations.
    count: AtomicU64,
}

impl HistogramCell {
    pub(crate) fn new(buckets: usize) -> Self {
        Self {
            buckets: (0..buckets).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicF64::default(),
            min: AtomicF64::new(f64::INFINITY),
            max: AtomicF64::new(f64::NEG_INFINITY),
            count: AtomicU64::new(0),
        }
    }

    /// Counts a finite value into the bucket at `bucket`.
    pub(crate) fn observe(&self, bucket: usize, value: f64) {
        // Relaxed: the Release stores below publish it.
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        // Release, each of them: a reader that sees one must see the bucket.
        self.min
            .update(Ordering::Release, |min| (value < min).then_some(value));
        self.max
            .update(Ordering::Release, |max| (value > max).then_some(value));
        self.sum.add(value, Ordering::Release);
        // Release: a reader that sees this count must see all of the above.
        self.count.fetch_add(1, Ordering::Release);
    }

    /// Appends the buckets' numbers to `counts` and returns the rest.
    pub(crate) fn read(&self, counts: &mut Vec<u64>) -> Totals {
        let start = counts.len();
        let mut totals = Totals::default();
        for _ in 0..TRIES {
            counts.truncate(start);
            // Acquire: pairs with the Release of the last complete observation.
            let count = self.count.load(Ordering::Acquire);
            totals = self.totals();
            // Relaxed: the Acquire loads above ordered what came before them.
            counts.extend(self.buckets.iter().map(|n| n.load(Ordering::Relaxed)));
            if counts[start..].iter().sum::<u64>() == count {
                break;
            }
            std::hint::spin_loop();
        }
        // Infinite bounds: not even the first observation has come as far as its
        // own minimum and maximum, so the histogram still is an empty one.
        // Or, after a race with a reset, no value is counted whose bounds are left.
        let empty = counts[start..].iter().all(|&count| count == 0);
        if empty || totals.min > totals.max {
            counts[start..].fill(0);
            totals = Totals::default();
        }
        totals
    }

    /// Forgets all observations.
    ///
    /// One that is under way meanwhile is either forgotten or kept as a count;
    /// its value may stay in the sum and the bounds, or be missing from them.
    pub(crate) fn reset(&self) {
        self.min.store(f64::INFINITY, Ordering::Relaxed);
        self.max.store(f64::NEG_INFINITY, Ordering::Relaxed);
        self.sum.swap(0.0, Ordering::Relaxed);
        // What is taken from the buckets is taken from the count, so that the
        // two agree again as soon as every observation under way has ended.
        let taken: u64 = self
            .buckets
            .iter()
            .map(|bucket| bucket.swap(0, Ordering::Relaxed))
            .sum();
        self.count.fetch_sub(taken, Ordering::Relaxed);
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;
    use std::thread;

    use super::*;

    #[test]
    fn a_reading_during_writes_agrees_with_itself() {
        let cell = HistogramCell::new(4);
        let writing = AtomicBool::new(true);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..2)
                .map(|_| {
                    scope.spawn(|| {
                        for turn in 0..200_000 {
                            cell.observe(turn % 4, 2.0);
                        }
                    })
                })
                .collect();
            let reader = scope.spawn(|| {
                let mut last = 0;
                while writing.load(Ordering::Relaxed) {
                    let mut counts = Vec::new();
                    let totals = cell.read(&mut counts);
                    let count: u64 = counts.iter().sum();
                    assert!(count >= last, "a count fell from {last} to {count}");
                    last = count;
                    if count > 0 {
                        assert_eq!((totals.min, totals.max), (2.0, 2.0));
                    }
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            writing.store(false, Ordering::Relaxed);
            reader.join().unwrap();
        });
        let mut counts = Vec::new();
        assert_eq!(cell.read(&mut counts).sum, 800_000.0);
        assert_eq!(counts, [100_000; 4]);
    }

    #[test]
    fn a_reset_histogram_is_empty_and_counts_on() {
        let cell = HistogramCell::new(2);
        cell.observe(0, -3.0);
        cell.reset();
        let mut counts = Vec::new();
        assert_eq!(cell.read(&mut counts), Totals::default());
        assert_eq!(counts, [0, 0]);

        cell.observe(1, 5.0);
        counts.clear();
        let totals = cell.read(&mut counts);
        assert_eq!(counts, [0, 1]);
        assert_eq!((totals.sum, totals.min, totals.max), (5.0, 5.0, 5.0));
    }
}
