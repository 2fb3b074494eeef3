//! The cell of a histogram.
//!
//! It begins with numbers that all threads share. Once it has observed enough to
//! show that it is used, for_each thread gets a shard with numbers of its own, and
//! threads no longer pass cache lines around.

use std::sync::PoisonError;

use crate::cell::atomic_totals::{AtomicTotals, merge};
use crate::cell::bucket_layout::{BucketLayout, CountKey, LARGEST_KEY, segment_from_key};
use crate::cell::dense_counts::DenseCounts;
use crate::cell::sharded::Sharded;
use crate::cell::sparse_counts::SparseCounts;
use crate::cell::sync::{Mutex, OnceLock, Ordering};
use crate::cell::thread_number;
use crate::snapshot::{NativeBuckets, Totals};

/// A histogram that has observed so often gets shards.
const SHARD_THRESHOLD: u64 = 1_024;

const _: () = assert!(LARGEST_KEY <= SparseCounts::MAX_KEY);

#[derive(Debug)]
pub(crate) struct HistogramCell {
    /// What threads without a shard have observed, and others where a value has no
    /// place in theirs.
    totals: AtomicTotals,
    /// Its segments, and the exponential buckets of out_of_range values.
    counts: SparseCounts,
    /// All that a histogram that is not much used has no need of.
    shards: OnceLock<Sharded<Shard>>,
}

/// What one thread has observed; nobody else writes the first two.
#[derive(Debug)]
struct Shard {
    totals: AtomicTotals,
    segments: DenseCounts,
    /// Used in the first shard only: in there, it takes no room of its own, and no
    /// thread has to pass it on the way to its shard.
    ///
    /// What the shards had observed at the last reset: a shard is its thread's alone,
    /// so that a reset cannot set it to 0, and is taken off by readers instead.
    baseline: Mutex<Option<Baseline>>,
}

/// What the shards of a histogram had observed.
#[derive(Debug)]
struct Baseline {
    /// The count of for_each segment.
    segments: Box<[u64]>,
    sum: f64,
}

impl HistogramCell {
    pub(crate) fn new() -> Self {
        Self {
            totals: AtomicTotals::new(),
            counts: SparseCounts::default(),
            shards: OnceLock::new(),
        }
    }

    /// Counts a value, or returns false if it is not finite.
    #[inline]
    pub(crate) fn observe(&self, layout: &BucketLayout, value: f64) -> bool {
        // Whatever is not as usual is left to one slow path, so that this one
        // stays short.
        if let Some(shards) = self.shards.get()
            && let Some(shard) = shards.current()
            && let Some(segment) = layout.fast_segment_for(value)
            && let Some(count) = shard.segments.get(segment)
        {
            // Relaxed: no one else stores here, and the totals's Release stores
            // publish it.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            shard.totals.add_exclusive(value);
            return true;
        }
        self.observe_slow(layout, value)
    }

    /// Loads what a reading will, and waits for none of it: called for one histogram
    /// after the other, it lets the processor fetch the memory of many at once.
    #[inline]
    pub(crate) fn fetch(&self) {
        if let Some(shards) = self.shards.get() {
            for shard in shards.iter() {
                if !shard.totals.is_empty() {
                    shard.segments.fetch();
                }
            }
        }
        self.counts.fetch();
    }

    /// Appends the classic buckets' counts to `counts` and returns the rest.
    pub(crate) fn read(
        &self,
        layout: &BucketLayout,
        counts: &mut Vec<u64>,
    ) -> (Totals, Option<NativeBuckets>) {
        // The list is where the numbers are collected too, so that nothing has to be
        // allocated: first those of all segments, then those of a part of the cell.
        let start = counts.len();
        counts.resize(start + 2 * layout.segment_count(), 0);
        let (all, part) = counts[start..].split_at_mut(layout.segment_count());
        let mut out_of_range = Vec::new();
        let mut totals = EMPTY;
        if let Some((shards, baseline)) = self.shards() {
            // Held while the numbers are read, so that a reset falls before or
            // after.
            let baseline = baseline.lock().unwrap_or_else(PoisonError::into_inner);
            totals = read_shards(shards, all, part);
            if let Some(baseline) = baseline.as_ref() {
                baseline.subtract(all, &mut totals);
            }
            totals = merge(totals, self.read_shared(part, &mut out_of_range));
        } else {
            totals = merge(totals, self.read_shared(part, &mut out_of_range));
        }
        add_counts(all, part);
        let totals = complete(totals, all.iter().sum());
        let native = layout.native_counts(all, &mut out_of_range);
        layout.merge_into_classic(all);
        counts.truncate(start + layout.bucket_count());
        (totals, native)
    }

    /// Forgets all observations.
    ///
    /// One that is under way meanwhile is either forgotten or kept as a count;
    /// its value may stay in the sum and the bounds, or be missing from them. The
    /// sums of shards go on from what they were, and keep the precision of that.
    pub(crate) fn reset(&self, layout: &BucketLayout) {
        match self.shards() {
            None => self.reset_shared(),
            Some((shards, baseline)) => {
                let mut baseline = baseline.lock().unwrap_or_else(PoisonError::into_inner);
                for shard in shards.iter() {
                    shard.totals.reset_min_max();
                }
                let mut segments = vec![0; 2 * layout.segment_count()];
                let (all, part) = segments.split_at_mut(layout.segment_count());
                let sum = read_shards(shards, all, part).sum;
                *baseline = Some(Baseline {
                    segments: (&*all).into(),
                    sum,
                });
                self.reset_shared();
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn observe_slow(&self, layout: &BucketLayout, value: f64) -> bool {
        if !value.is_finite() {
            return false;
        }
        if let Some(key) = layout.out_of_range_key(value) {
            self.counts.add(key);
        }
        let segment = layout.segment_for(value);
        self.counts
            .add(CountKey::try_from(segment).unwrap_or(CountKey::MAX));
        // Values that are not found quickly stay here, and need no shards.
        if self.totals.add(value) >= SHARD_THRESHOLD && layout.fast_segment_for(value).is_some() {
            self.make_shard(layout, segment);
        }
        true
    }

    /// Makes what the calling thread needs to count such values by itself.
    fn make_shard(&self, layout: &BucketLayout, segment: usize) {
        thread_number::lease();
        let shard = || Shard {
            totals: AtomicTotals::new(),
            segments: DenseCounts::new(layout.segment_count()),
            baseline: Mutex::new(None),
        };
        let shards = self.shards.get_or_init(|| Sharded::new(shard));
        if let Some(shard) = shards.current() {
            shard.segments.make(segment);
        }
    }

    /// Returns the shards, if there are any, and what lies in the first of them.
    fn shards(&self) -> Option<(&Sharded<Shard>, &Mutex<Option<Baseline>>)> {
        let shards = self.shards.get()?;
        let first = shards.iter().next()?;
        Some((shards, &first.baseline))
    }

    /// Reads what threads without a shard have observed: the counts of segments into
    /// `segments`, those of out_of_range values' buckets into `out_of_range`.
    fn read_shared(&self, segments: &mut [u64], out_of_range: &mut Vec<(CountKey, u64)>) -> Totals {
        self.totals.read(|| {
            segments.fill(0);
            out_of_range.clear();
            let mut sum = 0;
            self.counts.for_each(|key, count| {
                match segment_from_key(key).and_then(|segment| segments.get_mut(segment)) {
                    Some(segment) => {
                        *segment += count;
                        sum += count;
                    }
                    None => out_of_range.push((key, count)),
                }
            });
            sum
        })
    }

    fn reset_shared(&self) {
        let counts = || self.counts.reset().collect::<Vec<_>>();
        self.totals.reset(|| total_count(&counts()));
    }
}

impl Baseline {
    /// Takes off what had been observed before; the bounds are not of that time.
    fn subtract(&self, segments: &mut [u64], totals: &mut Totals) {
        // What a shard has counted never falls.
        let segments = segments.iter_mut().zip(&self.segments);
        segments.for_each(|(segment, count)| *segment -= count);
        totals.sum -= self.sum;
    }
}

/// Adds the counts of all shards to `all`; `part` is room for those of one.
fn read_shards(shards: &Sharded<Shard>, all: &mut [u64], part: &mut [u64]) -> Totals {
    let used = shards.iter().filter(|shard| !shard.totals.is_empty());
    used.fold(EMPTY, |totals, shard| {
        let own = shard.totals.read(|| shard.segments.read(part));
        add_counts(all, part);
        merge(totals, own)
    })
}

/// The totals of no observation.
const EMPTY: Totals = Totals {
    sum: 0.0,
    min: f64::INFINITY,
    max: f64::NEG_INFINITY,
};

fn add_counts(all: &mut [u64], part: &[u64]) {
    let segments = all.iter_mut().zip(part);
    segments.for_each(|(segment, count)| *segment += count);
}

/// Returns the totals of `count` observations, all 0 where there are none.
fn complete(mut totals: Totals, count: u64) -> Totals {
    if count == 0 {
        return Totals::default();
    }
    if totals.min > totals.max {
        // Every value counted so out_of_range was still under way, or raced with a reset: the
        // mean of what was summed up is the best there is.
        let mean = totals.sum / count as f64;
        (totals.min, totals.max) = (mean, mean);
    }
    totals
}

/// Returns the sum of the counts of segments, which is that of all observations.
fn total_count(counts: &[(CountKey, u64)]) -> u64 {
    let segments = counts
        .iter()
        .filter(|(key, _)| segment_from_key(*key).is_some());
    segments.map(|(_, count)| count).sum()
}

#[cfg(test)]
mod tests;
